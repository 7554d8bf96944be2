"""What an animator would miss first: whether blinks close, lips meet and movements begin on time.

Events are found in the truth alone and looked up in the curves. Nothing here knows where the curves come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.curves.samples import COLUMN
from semanticface.errors import OptionsError

Floats = NDArray[np.float64]

NEAR = 0.1
"""Seconds around the true peak within which the curve's own is looked for."""
RISE = 0.25
"""Seconds before the peak within which a quick movement passes half its way up; others have no onset to speak of."""
PLATEAU = 0.01
"""Frames this close to the true peak are the peak as well: which of them is highest is chance."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Peaks of `actions` with at least this `height` and `prominence` that are at most `longest` seconds wide (at half
    their prominence). `sign` -1 looks for valleys. Losses are in parts of the height, or of the prominence."""

    actions: tuple[str, ...]
    height: float
    prominence: float
    longest: float
    sign: float = 1.0
    of_prominence: bool = True


BLINKS = Kind(("EyeBlinkLeft", "EyeBlinkRight"), 0.5, 0.3, 0.5, of_prominence=False)
LIPS = ("MouthClose", "MouthPressLeft", "MouthPressRight", "MouthRollLower", "MouthRollUpper")
PLOSIVES = Kind(LIPS, 0.15, 0.15, 0.4)
JAW_OPENINGS = Kind(("JawOpen",), 0.2, 0.2, 0.5)
JAW_CLOSINGS = Kind(("JawOpen",), -1.0, 0.15, 0.5, sign=-1.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """Of each event: `loss` of the peak (negative where it is higher than it was), `shift` of the peak in frames, and
    `delay` of the way up, at half of it, in frames (positive: late)."""

    loss: Floats
    shift: Floats
    delay: Floats


def look(kind: Kind, truth: Floats, curves: Floats, rate: float) -> Seen:
    """Events of (F, 61) `truth` in (F, 61) `curves`, at `rate` frames a second. Raises OptionsError without scipy."""
    try:
        from scipy.signal import find_peaks
    except ImportError as error:
        raise OptionsError(f"{error.name} is not installed", 'pip install "semanticface[dev]"') from error

    rows = []
    reach = max(1, round(NEAR * rate))
    for name in kind.actions:
        true, curve = kind.sign * truth[:, COLUMN[name]], kind.sign * curves[:, COLUMN[name]]
        size = {"height": kind.height, "prominence": kind.prominence, "width": (None, kind.longest * rate)}
        peaks, found = find_peaks(true, **size)
        for peak, prominence in zip(peaks.tolist(), found["prominences"].tolist(), strict=True):
            window = slice(max(peak - reach, 0), peak + reach + 1)
            top = window.start + int(np.argmax(curve[window]))
            plateau = window.start + np.flatnonzero(true[window] >= true[peak] - PLATEAU)
            whole = prominence if kind.of_prominence else true[peak]
            half = true[peak] - 0.5 * prominence
            delay = _onset(curve, peak, half, rate) - _onset(true, peak, half, rate)
            rows.append(((true[peak] - curve[top]) / whole, float(np.abs(plateau - top).min()), delay))
    loss, shift, delay = np.array(rows, np.float64).reshape(-1, 3).T
    return Seen(loss, shift, delay)


def _onset(curve: Floats, peak: int, level: float, rate: float) -> float:
    """Where `curve` last passes `level` on its way up to `peak`, between frames; NaN where that is not in RISE."""
    start = max(0, peak - round(RISE * rate))
    below = start + np.flatnonzero(curve[start:peak] < level)
    if len(below) == 0:
        return float("nan")
    last = int(below[-1])
    rise = curve[last + 1] - curve[last]
    return last + float(min((level - curve[last]) / rise, 1.0)) if rise > 0 else float(last)
