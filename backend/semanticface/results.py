"""What an engine says about one frame: status, coefficients, analysis, confidence, and how sure it is of each value.

A `FrameResult` is raw and final: calibration, smoothing and retargeting work on copies elsewhere. It carries
its own identity (`frame`, `time`), so nothing downstream may rely on its position in a list. A frame without
a result has a status that says so and no coefficients; it is never zero-filled. This module knows nothing of
engines, sockets or files; its dictionaries are the form in which results are stored and sent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from semanticface.actions import BY_NAME
from semanticface.errors import ProtocolError


class Status(StrEnum):
    """How a frame ended. Only OK has coefficients."""

    OK = "ok"
    NO_FACE = "no_face"
    """The picture was read, and no face (or not the chosen one) is in it."""
    MISSING = "missing"
    """The source has no such frame: a hole in a sequence, or past the end of a video."""
    UNREADABLE = "unreadable"
    """The picture can't be decoded; `message` says why."""
    UNPARSEABLE = "unparseable"
    """The model answered, but not in a form that can be read exactly; `raw_text` keeps its answer."""
    FAILED = "failed"
    """The engine gave up on this frame (it crashed on it N times, ran out of memory); `message` says why."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """The paper's four fields (appendix B.2). `muscle_movements` maps a region to a sentence about it."""

    expression_category: str
    muscle_movements: Mapping[str, str]
    emotional_implication: str
    symmetry: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "expression_category": self.expression_category,
            "muscle_movements": dict(self.muscle_movements),
            "emotional_implication": self.emotional_implication,
            "symmetry": self.symmetry,
        }

    def to_text(self) -> str:
        """The four fields as lines for a panel or a report."""
        movements = "\n".join(f"  {region}: {text}" for region, text in self.muscle_movements.items())
        return (
            f"Expression: {self.expression_category}\nMovements:\n{movements or '  none'}\n"
            f"Emotion: {self.emotional_implication}\nSymmetry: {self.symmetry}"
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Analysis:
        """Raises ProtocolError when a field is absent or not text."""
        movements = data.get("muscle_movements")
        texts = [data.get(name) for name in ("expression_category", "emotional_implication", "symmetry")]
        if not isinstance(movements, Mapping) or not all(isinstance(text, str) for text in texts):
            raise ProtocolError("an analysis needs four fields: three texts, and a text per region")
        pairs = {str(region): str(text) for region, text in movements.items()}
        return cls(str(texts[0]), pairs, str(texts[1]), str(texts[2]))


@dataclass(frozen=True, slots=True)
class Estimate:
    """How one value was read from a language model's choice of digits; in the action's own unit.

    `argmax`: the value as the text has it. `expectation`: the mean of the digits' distribution, which lies between
    the steps that the text can name. `deviation`: the distribution's standard deviation, never negative.
    """

    argmax: float
    expectation: float
    deviation: float

    def to_list(self) -> list[float]:
        """[argmax, expectation, deviation]: the form in which it is stored and sent."""
        return [self.argmax, self.expectation, self.deviation]


@dataclass(frozen=True, slots=True)
class FrameResult:
    """One frame's result.

    `frame` is the source frame number from 0, `time` its presentation time in seconds from the start of the
    source (None for a still image). `coefficients` maps all 61 names to values (shapes in [0, 1], rotations
    in radians) when `status` is OK, else it is None. `confidence` is in [0, 1]. `faces` counts the faces that
    were seen. `box` is the chosen face as (x, y, width, height) in pixels of the upright picture. `message`
    explains a status other than OK, or adds a remark to it; `raw_text` keeps a language model's answer where one was
    given. `estimates` tells of all 61 values how they were read, where an engine knows it; only with OK.
    """

    frame: int
    time: float | None
    status: Status
    coefficients: Mapping[str, float] | None = None
    analysis: Analysis | None = None
    confidence: float | None = None
    faces: int = 0
    box: tuple[float, float, float, float] | None = None
    message: str = ""
    raw_text: str = field(default="", repr=False)
    estimates: Mapping[str, Estimate] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.coefficients is not None) != (self.status is Status.OK):
            raise ValueError(f"frame {self.frame}: status {self.status} and coefficients contradict each other")
        if self.estimates is not None and self.coefficients is None:
            raise ValueError(f"frame {self.frame}: estimates of coefficients that are not there")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for msgpack and JSON; optional fields that are empty are left out."""
        out: dict[str, Any] = {
            "frame": self.frame,
            "time": self.time,
            "status": self.status.value,
            "coefficients": None if self.coefficients is None else dict(self.coefficients),
            "analysis": None if self.analysis is None else self.analysis.to_dict(),
            "confidence": self.confidence,
            "faces": self.faces,
        }
        if self.box is not None:
            out["box"] = list(self.box)
        if self.message:
            out["message"] = self.message
        if self.raw_text:
            out["raw_text"] = self.raw_text
        if self.estimates is not None:
            out["estimates"] = {name: estimate.to_list() for name, estimate in self.estimates.items()}
        return out

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FrameResult:
        """Validate and build. Unknown keys are ignored (a newer writer); raises ProtocolError otherwise."""
        try:
            return cls(
                frame=_index(data["frame"]),
                time=None if data.get("time") is None else _finite(data["time"]),
                status=Status(data["status"]),
                coefficients=_coefficients(data.get("coefficients")),
                analysis=None if data.get("analysis") is None else Analysis.from_dict(data["analysis"]),
                confidence=None if data.get("confidence") is None else _finite(data["confidence"]),
                faces=_index(data.get("faces", 0)),
                box=_box(data.get("box")),
                message=str(data.get("message", "")),
                raw_text=str(data.get("raw_text", "")),
                estimates=_estimates(data.get("estimates")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProtocolError(f"not a frame result: {type(error).__name__}: {error}") from error


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)


def _index(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a whole number from 0")
    return value


def _coefficients(data: Any) -> dict[str, float] | None:
    if data is None:
        return None
    if not isinstance(data, Mapping) or data.keys() != BY_NAME.keys():
        raise ValueError("coefficients must hold exactly the 61 known names")
    values = data.values()
    if all(type(value) is float for value in values) and math.isfinite(sum(values)):  # nearly always, and quick
        return {name: data[name] for name in BY_NAME}
    return {name: _finite(data[name]) for name in BY_NAME}


def _estimates(data: Any) -> dict[str, Estimate] | None:
    if data is None:
        return None
    if not isinstance(data, Mapping) or data.keys() != BY_NAME.keys():
        raise ValueError("estimates must hold exactly the 61 known names")
    return {name: _estimate(name, data[name]) for name in BY_NAME}


def _estimate(name: str, values: Any) -> Estimate:
    if not isinstance(values, (list, tuple)) or len(values) != 3:
        raise ValueError(f"the estimate of {name} needs [argmax, expectation, deviation]")
    argmax, expectation, deviation = map(_finite, values)
    if deviation < 0:
        raise ValueError(f"the estimate of {name} has the negative deviation {deviation}")
    return Estimate(argmax, expectation, deviation)


def _box(data: Any) -> tuple[float, float, float, float] | None:
    if data is None:
        return None
    x, y, width, height = (_finite(value) for value in data)
    return x, y, width, height
