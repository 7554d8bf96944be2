"""What was written is read again and compared: the editor refuses much without a word.

Curves without a word of warning are what an animator finds out about in the shot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import EngineError
from semanticface.steps import Work
from semanticface_unreal.curve_set import Curve, CurveSet
from semanticface_unreal.engine import unreal
from semanticface_unreal.writing.sequence import curve_names

OFF_FRAME = 0.01
"""How far, in frames, a key's time may lie from its whole frame, as channels have ticks (up to 240000 a second)..."""
PER_FRAME = 2.0**-23
"""...and for each frame from the start, as seconds are 32-bit numbers."""
ROUNDING = 2.0**-22
"""Relative: two steps of a 32-bit number."""


def comparing(sequence: unreal.AnimSequence, curves: CurveSet) -> Work[tuple[int, int]]:
    """How many curves and keys there are, once all were found equal, in steps of one curve.

    Raises EngineError that names the curve and the frame.
    """
    wanted = {curve.name.lower(): curve for curve in curves.curves if len(curve.frames)}
    found = {name.lower(): name for name in curve_names(sequence)}
    if missing := sorted(wanted.keys() - found.keys()):
        raise _differs(sequence, f"lacks curve {wanted[missing[0]].name}")
    if strange := sorted(found.keys() - wanted.keys()):
        raise _differs(sequence, f"still has curve {found[strange[0]]}")
    keys = 0
    for name, curve in wanted.items():
        times, values = unreal.AnimationLibrary.get_float_keys(sequence, found[name])
        difference = differing(
            curve, np.asarray(list(times), np.float64) * float(curves.rate), np.asarray(list(values), np.float64)
        )
        if difference:
            raise _differs(sequence, difference)
        keys += len(curve.frames)
        yield
    return len(wanted), keys


def differing(curve: Curve, at: NDArray[np.float64], values: NDArray[np.float64]) -> str:
    """What is not as in `curve`, "" where all is; `at` (K,) in frames. Values as equal as 32-bit numbers can be."""
    if len(at) != len(curve.frames):
        return f"has {len(at)} keys in curve {curve.name}, not {len(curve.frames)}"
    off = np.flatnonzero(np.abs(at - curve.frames) > OFF_FRAME + PER_FRAME * curve.frames)
    if len(off):
        return f"has a key of curve {curve.name} at frame {at[off[0]]:.3f}, not {curve.frames[off[0]]}"
    wrong = np.flatnonzero(np.abs(values - curve.values) > ROUNDING * np.maximum(np.abs(curve.values), 1e-3))
    if len(wrong):
        frame, got, asked = curve.frames[wrong[0]], values[wrong[0]], curve.values[wrong[0]]
        return f"has {got:.6g} in curve {curve.name} at frame {frame}, not {asked:.6g}"
    return ""


def _differs(sequence: unreal.AnimSequence, what: str) -> EngineError:
    return EngineError(
        f"{sequence.get_name()} {what}: the editor didn't keep what was written", "the Output Log says why"
    )
