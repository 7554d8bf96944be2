"""Where a source frame stands in the day: Unreal's qualified frame time, exact at any rate.

A Live Link packet says when it is by a number of frames since midnight, a share of a frame, and the rate. At a
constant rate source frames lie on whole frames; in variable-rate footage each lies where its own time puts it, at the
footage's average rate. At NTSC rates midnight's count follows the labels of SMPTE timecode, as Unreal's does:
01:00:00:00 at 30000/1001 is frame 108000, 01:00:00;00 with drop-frame is frame 107892. This module knows nothing of
packets and takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from semanticface.errors import OptionsError
from semanticface.media.timecode import Timecode, frame_from_timecode, nominal_rate, parse_timecode

FROM_SOURCE = "source"
FROM_NOW = "now"
_ON_FRAME = 1e-6
"""Of a frame: what a time in floating point may be off."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`start`: frames since midnight of source frame 0. `day`: frames after which the count begins again.

    `variable`: frames lie where their time puts them.
    """

    rate: Fraction
    start: int
    day: int
    variable: bool = False

    def stamp(self, frame: int, time: float | None, later: int = 0) -> tuple[int, float]:
        """(frames since midnight, sub-frame) of a source frame that is shown at `time` seconds, plus `later` frames."""
        if not self.variable or time is None:
            return (self.start + frame + later) % self.day, 0.0
        place = Fraction(time) * self.rate
        whole = round(place)
        if abs(place - whole) > _ON_FRAME:
            whole = place.numerator // place.denominator
            return (self.start + whole + later) % self.day, float(place - whole)
        return (self.start + whole + later) % self.day, 0.0

    def seconds(self, frame: int, time: float | None) -> float:
        """When it is shown, in seconds from the start of the source."""
        return float(frame / self.rate) if time is None else time


def clock_of(
    rate: Fraction, timecode: str, start: str = "", *, variable: bool = False, now: datetime | None = None
) -> Clock:
    """The clock of footage whose frame 0 carries `timecode` ("" where it carries none).

    `start` is `HH:MM:SS:FF` (`HH:MM:SS;FF` with drop-frame) for another label of frame 0, "source" for the footage's
    own and no other, "now" for the time of day, "" for the footage's own or else midnight. Raises OptionsError for
    "source" where there is none, InputError for labels that don't exist at this rate.
    """
    if start == FROM_SOURCE and not timecode:
        raise OptionsError("the footage carries no timecode", "give a start HH:MM:SS:FF, or leave it out")
    if start == FROM_NOW:
        label = _time_of_day(now or datetime.now(), rate)
    elif text := timecode if start in {"", FROM_SOURCE} else start:
        label = parse_timecode(text)
    else:
        return Clock(rate, 0, max(round(rate), 1) * 86_400, variable)
    last = Timecode(23, 59, 59, nominal_rate(rate) - 1, label.drop)
    return Clock(rate, frame_from_timecode(label, rate), frame_from_timecode(last, rate) + 1, variable)


def _time_of_day(now: datetime, rate: Fraction) -> Timecode:
    frames = now.microsecond * nominal_rate(rate) // 1_000_000
    return Timecode(now.hour, now.minute, now.second, frames)
