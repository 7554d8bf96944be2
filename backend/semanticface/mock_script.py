"""What the mock backend answers: generated motion, scripted values, and faults on demand.

The motion is smooth, deterministic and asymmetric, so that a mirrored or reordered channel shows in any host. This
module knows nothing of sockets.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.actions import BY_NAME, SHAPES
from semanticface.errors import OptionsError
from semanticface.protocol import MAJOR, MINOR
from semanticface.results import Analysis, FrameResult, Status

# name: (middle, swing, frames per period, phase in periods); every pair differs between its sides.
_MOTION: Mapping[str, tuple[float, float, float, float]] = {
    "JawOpen": (0.4, 0.3, 24, 0.0),
    "JawLeft": (0.1, 0.08, 60, 0.0),
    "MouthRight": (0.15, 0.1, 72, 0.25),
    "MouthSmileLeft": (0.6, 0.3, 48, 0.0),
    "MouthSmileRight": (0.2, 0.15, 48, 0.5),
    "EyeBlinkLeft": (0.3, 0.3, 36, 0.0),
    "EyeBlinkRight": (0.2, 0.2, 36, 0.1),
    "BrowInnerUp": (0.3, 0.2, 96, 0.0),
    "BrowOuterUpLeft": (0.5, 0.25, 96, 0.0),
    "BrowOuterUpRight": (0.1, 0.1, 96, 0.0),
    "HeadYaw": (0.0, 0.25, 120, 0.0),
    "HeadPitch": (-0.05, 0.1, 80, 0.25),
    "HeadRoll": (0.0, 0.08, 100, 0.5),
    "LeftEyeYaw": (0.1, 0.15, 60, 0.0),
    "RightEyeYaw": (0.08, 0.15, 60, 0.05),
    "LeftEyePitch": (0.0, 0.1, 90, 0.0),
    "RightEyePitch": (0.0, 0.1, 90, 0.02),
}


class Fault(StrEnum):
    """What the mock does wrong, or tells, when it comes to the frame."""

    NO_FACE = "no_face"
    UNREADABLE = "unreadable"
    FAILED = "failed"
    """The frame's status."""
    FAIL_JOB = "fail_job"
    """The whole job ends as failed."""
    LOSE = "lose"
    """The frame's result is never sent, and the job ends as done."""
    TWICE = "twice"
    STRANGE = "strange"
    """A result for a frame that nobody asked for comes before the frame's own."""
    MALFORMED = "malformed"
    """A message that is no msgpack comes in place of the result."""
    BAD_RESULT = "bad_result"
    """A result that is not one: 60 coefficients."""
    STALL = "stall"
    """No job moves any more; pings are answered."""
    FREEZE = "freeze"
    """Nothing is answered any more, as of a process that hangs."""
    DIE = "die"
    """The process ends at once with code 9 and leaves its run file."""


_STATUS = {Fault.NO_FACE: Status.NO_FACE, Fault.UNREADABLE: Status.UNREADABLE, Fault.FAILED: Status.FAILED}


@dataclass(frozen=True, slots=True)
class Script:
    """How the mock behaves; the same names are the keys of a script file (JSON).

    `delay`: seconds a frame. `window`, `lease`, `grace`: as the protocol has them, in pictures and seconds.
    `frames`, `rate`, `width`, `height`: what every media path holds. `check_files`: a path must exist. `protocol`:
    the version that it claims. `faults`: source frame -> Fault. `values`: source frame -> coefficients that differ
    from the generated motion.
    """

    delay: float = 0.0
    window: int = 8
    lease: float = 60.0
    grace: float = 60.0
    frames: int = 120
    rate: str = "24/1"
    width: int = 640
    height: int = 480
    check_files: bool = False
    protocol: tuple[int, int] = (MAJOR, MINOR)
    faults: Mapping[int, Fault] = field(default_factory=dict)
    values: Mapping[int, Mapping[str, float]] = field(default_factory=dict)

    @property
    def frames_per_second(self) -> float:
        numerator, denominator = self.rate.split("/")
        return int(numerator) / int(denominator)


def read_script(path: Path) -> Script:
    """A script from a JSON file. Raises OptionsError that names the file and the key."""
    try:
        data: Any = json.loads(path.read_text("utf-8"))
        unknown = set(data) - {item.name for item in fields(Script)}
        if unknown:
            raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
        data["faults"] = {int(frame): Fault(fault) for frame, fault in data.get("faults", {}).items()}
        data["values"] = {int(frame): _values(some) for frame, some in data.get("values", {}).items()}
        if "protocol" in data:
            data["protocol"] = (int(data["protocol"][0]), int(data["protocol"][1]))
        script = Script(**data)
        _ = script.frames_per_second
    except (OSError, ValueError, TypeError, AttributeError, IndexError, ZeroDivisionError) as error:
        raise OptionsError(f"can't use the script {path}: {error}", "docs/protocol.md describes its keys") from error
    return script


def motion(frame: int) -> dict[str, float]:
    """The generated coefficients of a frame: all 61 names, shapes in [0, 1], rotations in radians."""
    values = dict.fromkeys(BY_NAME, 0.0)
    for name, (middle, swing, period, phase) in _MOTION.items():
        value = middle + swing * math.sin(2 * math.pi * (frame / period + phase))
        values[name] = min(1.0, max(0.0, value)) if name in SHAPES else value
    return values


def make_result(script: Script, frame: int, time: float | None) -> FrameResult:
    """What the script says of this frame: its status, its values over the motion, a text that fits them."""
    status = _STATUS.get(script.faults.get(frame, Fault.DIE), Status.OK)
    if status is not Status.OK:
        return FrameResult(frame, time, status, message=f"the script says {status}")
    values = motion(frame) | dict(script.values.get(frame, {}))
    return FrameResult(
        frame=frame,
        time=time,
        status=Status.OK,
        coefficients=values,
        analysis=_describe(values),
        confidence=0.9,
        faces=1,
        box=(script.width * 0.25, script.height * 0.2, script.width * 0.5, script.height * 0.6),
    )


def media_info(script: Script) -> dict[str, Any]:
    """The answer to `probe` for any path."""
    return {
        "kind": "video",
        "width": script.width,
        "height": script.height,
        "frame_count": script.frames,
        "rate": script.rate,
        "rate_assumed": False,
        "variable_rate": False,
        "duration": script.frames / script.frames_per_second,
        "timecode": "01:00:00:00",
        "codec": "mock",
        "first_number": None,
        "missing": [],
        "note": "",
    }


def thumbnail() -> bytes:
    """A grey square as JPEG, 16 x 16: the mock's picture of any frame."""
    return base64.b64decode(_THUMBNAIL)


_THUMBNAIL = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBk"
    "eFxlZ2P/wAALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAdEAABAgcAAAAAAAAAAAAAAAAREmEABAUTFCNC/9oACAEBAAA/AIU+"
    "Qzrm1CBySS7QqEhg29q1nkAB3hT5/BualrHQALPCoT+db1IQeiSGaP/Z"
)


def _values(data: Mapping[str, Any]) -> dict[str, float]:
    unknown = set(data) - set(BY_NAME)
    if unknown:
        raise ValueError(f"unknown actions {', '.join(sorted(unknown))}")
    return {name: float(value) for name, value in data.items()}


def _describe(values: Mapping[str, float]) -> Analysis:
    left, right = values["MouthSmileLeft"], values["MouthSmileRight"]
    movements = {
        "mouth": f"The left mouth corner is at {left:.2f}, the right one at {right:.2f}.",
        "jaw": f"The jaw is open by {values['JawOpen']:.2f}.",
    }
    stronger = "left" if left > right else "right"
    return Analysis("test motion", movements, "none: these values are generated", f"The {stronger} side leads.")
