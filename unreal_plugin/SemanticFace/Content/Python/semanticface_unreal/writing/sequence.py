"""An AnimSequence's rate, length and curves: prepared in steps, written in one call, and put back if need be.

Keys go in whole curves at a time, `set_curve_keys` once a curve, inside one bracket of the animation's controller:
one key at a time would notify the editor once a key. Knows nothing of tags, files and skeletons.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import EngineError, InputError
from semanticface.steps import Work
from semanticface_unreal.curve_set import Curve, CurveSet
from semanticface_unreal.engine import unreal
from semanticface_unreal.writing.names import check_curve_name

KEYS_A_STEP = 200
"""Structs of Unreal that are made from one yield to the next."""
MOST = 2**31 - 1
"""Numerators, denominators and frames are such whole numbers in Unreal."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A curve as the controller takes it; `keys` is an Array of RichCurveKey."""

    name: str
    keys: unreal.Array[unreal.RichCurveKey]


@dataclass(frozen=True, slots=True)
class Before:
    """What an AnimSequence held: rate, number of frames, and all curves' keys. Slopes can't be read from Python, so
    keys that weren't joined by straight lines come back as if they had been."""

    rate: Fraction
    frames: int
    curves: tuple[Prepared, ...]


def preparing(curves: CurveSet) -> Work[tuple[Prepared, ...]]:
    """Every curve's keys as structs, in steps of KEYS_A_STEP. Curves without keys are left out.

    Raises InputError for names, rates or lengths that Unreal can't hold.
    """
    check_curves(curves)
    made = []
    for curve in curves.curves:
        if not len(curve.frames):
            continue
        keys = unreal.Array(unreal.RichCurveKey)
        times, values = seconds(curve.frames, curves.rate).tolist(), curve.values.tolist()
        for start in range(0, len(times), KEYS_A_STEP):
            some = zip(times[start : start + KEYS_A_STEP], values[start : start + KEYS_A_STEP], strict=True)
            keys.extend([unreal.RichCurveKey(time=time, value=value) for time, value in some])
            yield
        made.append(Prepared(curve.name, keys))
    return tuple(made)


def check_curves(curves: CurveSet) -> None:
    """Raises InputError for names, rates or lengths that Unreal can't hold."""
    rate = curves.rate
    if rate <= 0 or max(rate.numerator, rate.denominator) > MOST:
        raise InputError(f"{rate} frames a second is no rate that Unreal can hold", "give the footage's `rate`")
    if not 1 <= curves.length <= MOST:
        raise InputError(f"an animation can't have {curves.length} frames", "choose at least one frame and fewer")
    for curve in curves.curves:
        check_curve_name(curve.name)
    if not any(len(curve.frames) for curve in curves.curves):
        raise InputError("there is no key to be written", "frames without a result have none: look at the take")


def seconds(frames: NDArray[np.int64], rate: Fraction) -> NDArray[np.float64]:
    """(K,) times in seconds. Unreal keeps the 32-bit number next to each, and rounds it to the frame."""
    return frames.astype(np.float64) * rate.denominator / rate.numerator


def write(sequence: unreal.AnimSequence, curves: CurveSet, prepared: tuple[Prepared, ...], transact: bool) -> None:
    """Replaces rate, length and all float curves, within one bracket. Raises EngineError where the editor refuses."""
    _replace(sequence, curves.rate, curves.length, prepared, transact)


def remembering(sequence: unreal.AnimSequence) -> Work[Before]:
    """What stands there now, in steps of one curve."""
    model = sequence.data_model_interface
    rate = model.get_frame_rate()
    made = []
    for name in curve_names(sequence):
        keys = unreal.Array(unreal.RichCurveKey)
        times, values = unreal.AnimationLibrary.get_float_keys(sequence, name)
        keys.extend([unreal.RichCurveKey(time=time, value=value) for time, value in zip(times, values, strict=True)])
        made.append(Prepared(name, keys))
        yield
    return Before(Fraction(rate.numerator, rate.denominator), model.get_number_of_frames(), tuple(made))


def restore(sequence: unreal.AnimSequence, before: Before, transact: bool) -> None:
    """Puts back what `remembering` found."""
    _replace(sequence, before.rate, max(1, before.frames), before.curves, transact)


def fingerprint(sequence: unreal.AnimSequence) -> str:
    """A short digest of rate, length, and three keys of each curve: cheap, and the same again after an undo."""
    model = sequence.data_model_interface
    rate = model.get_frame_rate()
    said: list[object] = [rate.numerator, rate.denominator, model.get_number_of_frames()]
    for name in sorted(curve_names(sequence), key=str.lower):
        _times, values = unreal.AnimationLibrary.get_float_keys(sequence, name)
        count = len(values)
        said.append([name.lower(), count, *(values[at] for at in (0, count // 2, count - 1) if count)])
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def curve_names(sequence: unreal.AnimSequence) -> list[str]:
    """Of the float curves that are there."""
    kind = unreal.RawCurveTrackTypes.RCT_FLOAT
    return [str(name) for name in unreal.AnimationLibrary.get_animation_curve_names(sequence, kind)]


def has_bones(sequence: unreal.AnimSequence) -> bool:
    """Whether bones are animated in it."""
    return sequence.data_model_interface.get_num_bone_tracks() > 0


def curves_of(sequence: unreal.AnimSequence) -> dict[str, Curve]:
    """Every float curve as it stands, with times rounded to frames. Raises EngineError for two keys on one frame."""
    rate = sequence.data_model_interface.get_frame_rate()
    found = {}
    for name in curve_names(sequence):
        times, values = unreal.AnimationLibrary.get_float_keys(sequence, name)
        at = np.asarray(list(times), np.float64) * rate.numerator / rate.denominator
        frames = np.rint(at).astype(np.int64)
        if (np.diff(frames) <= 0).any():
            raise EngineError(f"curve {name} of {sequence.get_name()} has two keys on one frame", "remove one of them")
        found[name] = Curve(name, frames, np.asarray(list(values), np.float64))
    return found


def _replace(
    sequence: unreal.AnimSequence, rate: Fraction, length: int, prepared: tuple[Prepared, ...], transact: bool
) -> None:
    controller = sequence.controller
    with _bracket(controller, transact):
        controller.remove_all_curves_of_type(unreal.RawCurveTrackTypes.RCT_FLOAT, transact)
        _set_timing(sequence, rate, length, transact)
        for curve in prepared:
            identifier = unreal.AnimationCurveIdentifierExtensions.set_curve_identifier(
                unreal.AnimationCurveIdentifier(), curve.name, unreal.RawCurveTrackTypes.RCT_FLOAT
            )
            if not controller.add_curve(identifier, should_transact=transact):
                raise EngineError(f"the editor didn't add curve {curve.name}", "the Output Log says why")
            if not controller.set_curve_keys(identifier, curve.keys, transact):
                raise EngineError(f"the editor didn't take the keys of curve {curve.name}", "the Output Log says why")


@contextmanager
def _bracket(controller: unreal.AnimationDataController, transact: bool) -> Iterator[None]:
    controller.open_bracket(unreal.Text("SemanticFace: write facial curves"), transact)
    try:
        yield
    finally:
        controller.close_bracket(transact)


def _set_timing(sequence: unreal.AnimSequence, rate: Fraction, length: int, transact: bool) -> None:
    """Rate and length, exact.

    The editor takes a rate only if it is a whole multiple or a whole part of the one before, and a new animation has
    the project's default (30). So the way goes over a rate of which both are parts: 30, 24000, 24000/1001. The length
    is set there already, where it is whole, so that nothing is rounded on the way back.
    """
    controller = sequence.controller
    now = sequence.data_model_interface.get_frame_rate()
    before = Fraction(now.numerator, now.denominator)
    if before != rate:
        between = common_multiple(before, rate)
        if between != before:
            controller.set_frame_rate(unreal.FrameRate(between.numerator, between.denominator), transact)
        if between != rate:
            _set_length(sequence, min(int(length * (between / rate)), MOST), transact)
            controller.set_frame_rate(unreal.FrameRate(rate.numerator, rate.denominator), transact)
    _set_length(sequence, length, transact)
    found = sequence.data_model_interface.get_frame_rate()
    frames = sequence.data_model_interface.get_number_of_frames()
    if Fraction(found.numerator, found.denominator) != rate or frames != length:
        raise EngineError(
            f"the editor has {frames} frames at {found.numerator}/{found.denominator}, not {length} at {rate}",
            "set Project Settings, Animation, Default Frame Rate to the footage's rate and write anew",
        )


def _set_length(sequence: unreal.AnimSequence, length: int, transact: bool) -> None:
    """The editor warns of a length that is there already."""
    if sequence.data_model_interface.get_number_of_frames() != length:
        sequence.controller.set_number_of_frames(unreal.FrameNumber(length), transact)


def common_multiple(one: Fraction, other: Fraction) -> Fraction:
    """The lowest rate of which both are whole parts. Raises InputError where Unreal can't hold it."""
    found = Fraction(lcm(one.numerator, other.numerator), gcd(one.denominator, other.denominator))
    if found.numerator > MOST:
        raise InputError(
            f"an animation at {one} frames a second can't be changed to {other}",
            "set Project Settings, Animation, Default Frame Rate to the footage's rate, or write under a new name",
        )
    return found
