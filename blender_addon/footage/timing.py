# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a source frame lands on the scene's timeline, and which source frame a scene frame shows.

The map is explicit and always the same one: the anchor, a source frame, lands on a scene frame; from there either
real time runs on (25 fps footage keeps its length in a 24 fps scene) or one source frame follows on each scene frame
(as the Clip Editor plays a clip). Source frames count from 0. This module knows nothing of Blender's data.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any


class Timing(StrEnum):
    """REAL_TIME keeps seconds, PER_FRAME puts one source frame on each scene frame."""

    REAL_TIME = "REAL_TIME"
    PER_FRAME = "PER_FRAME"


@dataclass(frozen=True, slots=True)
class TimeMap:
    """Source frame `anchor` lands on `scene_frame`. `source_rate` and `scene_rate` are frames per second.

    With `whole` keys are moved to the nearest whole scene frame. `pins` are (source frame, scene frame), ascending:
    frames that have places of their own, as a timeline marker or an image of a strip gives them; all others go by the
    rule above. A source frame may be pinned to several scene frames.
    """

    anchor: int
    scene_frame: float
    source_rate: Fraction
    scene_rate: Fraction
    timing: Timing = Timing.REAL_TIME
    whole: bool = False
    pins: tuple[tuple[int, float], ...] = ()

    def places(self, frame: int, time: float | None = None, anchor_time: float | None = None) -> tuple[float, ...]:
        """All scene frames of a source frame: its pins, or else where `to_scene` puts it."""
        pinned = self._pins_of(frame)
        return pinned or (self.to_scene(frame, time, anchor_time),)

    def _pins_of(self, frame: int) -> tuple[float, ...]:
        start = bisect_left(self.pins, (frame, float("-inf")))
        return tuple(where for _, where in self.pins[start : bisect_left(self.pins, (frame + 1, float("-inf")))])

    def pinned(self, pins: Mapping[int, float] | tuple[tuple[int, float], ...]) -> TimeMap:
        """The same map with these places of their own."""
        pairs = pins.items() if isinstance(pins, Mapping) else pins
        return replace(self, pins=tuple(sorted((int(frame), float(where)) for frame, where in pairs)))

    def to_scene(self, frame: int, time: float | None = None, anchor_time: float | None = None) -> float:
        """Scene frame of a source frame. `time` (seconds from the start of the source) is exact for variable rates.

        `scene_frame + (time - anchor_time) * scene_rate`; a time that isn't known comes from the frame number. A
        pinned frame is at its first pin.
        """
        if self.pins and (pinned := self._pins_of(frame)):
            return pinned[0]
        if self.timing is Timing.PER_FRAME:
            where = self.scene_frame + (frame - self.anchor)
        elif time is None or anchor_time is None:
            where = self.scene_frame + float((frame - self.anchor) / self.source_rate * self.scene_rate)
        else:
            where = self.scene_frame + (time - anchor_time) * float(self.scene_rate)
        return float(round(where)) if self.whole else where

    def to_source(self, scene_frame: float) -> int:
        """The source frame nearest to a scene frame; may lie before 0 or past the end of the source.

        With pins it is the frame whose pin is nearest, of two that are equally near the earlier one.
        """
        if self.pins:
            return min(self.pins, key=lambda pin: (abs(pin[1] - scene_frame), pin[1]))[0]
        offset = scene_frame - self.scene_frame
        if self.timing is Timing.PER_FRAME:
            return self.anchor + round(offset)
        return self.anchor + round(offset * float(self.source_rate / self.scene_rate))

    def describe(self) -> str:
        """One line for the panel."""
        source, scene = rate_text(self.source_rate), rate_text(self.scene_rate)
        if self.timing is Timing.PER_FRAME:
            return f"Source frame {self.anchor} at scene frame {self.scene_frame:g}, one per scene frame"
        return f"Source frame {self.anchor} at scene frame {self.scene_frame:g}, {source} fps in {scene} fps"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"source_rate": str(self.source_rate), "scene_rate": str(self.scene_rate)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TimeMap:
        """Raises KeyError, TypeError or ValueError on anything that `to_dict` did not write."""
        return cls(
            anchor=int(data["anchor"]),
            scene_frame=float(data["scene_frame"]),
            source_rate=Fraction(data["source_rate"]),
            scene_rate=Fraction(data["scene_rate"]),
            timing=Timing(data["timing"]),
            whole=bool(data["whole"]),
            pins=tuple(sorted((int(frame), float(where)) for frame, where in data.get("pins", ()))),
        )


def exact_rate(fps: int, base: float) -> Fraction:
    """A scene's rate from `fps / fps_base`; 24 / 1.001 becomes 24000/1001 exactly."""
    return Fraction(fps) / Fraction(base).limit_denominator(1001)


def near_rate(fps: float) -> Fraction | None:
    """The rational rate that a clip's rounded fps stands for (29.97003 is 30000/1001), None for 0 or less."""
    if fps <= 0:
        return None
    whole = Fraction(round(fps))
    for rate in (whole, whole * 1000 / 1001):
        if rate > 0 and abs(float(rate) - fps) < 5e-3:
            return rate
    return Fraction(fps).limit_denominator(1001)


def rate_text(rate: Fraction) -> str:
    """`25`, `23.98`: as people write rates."""
    return f"{float(rate):.6g}" if rate.denominator == 1 else f"{float(rate):.2f}"
