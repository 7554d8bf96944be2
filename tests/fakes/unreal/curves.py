"""The animation data model of a sequence: rate, length, float curves; and what its controller refuses or dies of.

Rules as Epic's sequencer-based model has them (5.2 and later): a populated sequence takes a frame rate only if it is a
multiple or a factor of the one that it has, and a new sequence is populated, at 30 a second; changing the rate keeps
the duration. Names of curves know no case. Times and values are 32-bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise

from unreal_process import crash

from unreal.nativize import single

OFF_FRAME = 1e-4
"""How far beside a whole frame a key may lie, in frames, beyond what 32-bit seconds can't tell apart."""


class ModelError(Exception):
    """What the controller reports as an error."""


@dataclass(frozen=True)
class Key:
    """`time` in seconds, `modes` are interpolation, tangent and weight mode by their names."""

    time: float
    value: float
    modes: tuple[str, str, str] = ("RCIM_LINEAR", "RCTM_AUTO", "RCTWM_WEIGHTED_NONE")


@dataclass(frozen=True)
class FloatCurve:
    name: str
    keys: tuple[Key, ...] = ()
    flags: int = 4


@dataclass(frozen=True)
class Model:
    """`curves` by name in lower case. Frozen, so that undo and the file keep whole states."""

    numerator: int = 30
    denominator: int = 1
    frames: int = 1
    curves: dict[str, FloatCurve] = field(default_factory=dict)

    @property
    def rate(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)

    @property
    def length(self) -> float:
        return single(float(self.frames / self.rate))

    def with_rate(self, numerator: int, denominator: int) -> tuple[Model, str]:
        """The model at another rate, and a warning where the duration can't be kept. Raises ModelError."""
        if numerator <= 0 or denominator <= 0:
            raise ModelError(f"Invalid frame rate provided: {numerator}/{denominator}")
        new, old = Fraction(numerator, denominator), self.rate
        if (new / old).denominator != 1 and (old / new).denominator != 1:
            raise ModelError(
                f"Incompatible frame rate provided: {pretty(new)} not a multiple or factor of {pretty(old)}"
            )
        exact = self.frames * new / old
        whole = exact.numerator // exact.denominator
        warning = ""
        if exact - whole > OFF_FRAME:
            warning = f"Insufficient precision while converting between frame rates {pretty(old)} and {pretty(new)}"
        return replace(self, numerator=numerator, denominator=denominator, frames=whole), warning

    def with_frames(self, frames: int) -> tuple[Model, str]:
        """Raises ModelError for less than one frame."""
        if frames < 1:
            raise ModelError(f"Invalid play length value provided: {frames} frames")
        same = f"New play length is same as existing one: {frames} frames" if frames == self.frames else ""
        return replace(self, frames=frames), same

    def with_keys(self, name: str, keys: tuple[Key, ...]) -> Model:
        """All keys of a curve that is there. Raises ModelError; crashes for keys that the editor doesn't survive."""
        curve = self.curves.get(name.lower())
        if curve is None:
            raise ModelError(f"Unable to find rich curve: curve name {name}")
        survive(name, keys, self.rate, self.frames)
        return replace(self, curves={**self.curves, name.lower(): replace(curve, keys=keys)})

    def with_curve(self, name: str, flags: int) -> Model:
        return replace(self, curves={**self.curves, name.lower(): FloatCurve(name, (), flags)})

    def without(self, name: str) -> Model:
        return replace(self, curves={key: curve for key, curve in self.curves.items() if key != name.lower()})


def survive(name: str, keys: tuple[Key, ...], rate: Fraction, frames: int) -> None:
    """Crash for keys off whole frames, two on one, out of order, outside, or not finite."""
    before = -1
    for key in keys:
        if key.time != key.time or key.value != key.value or abs(key.value) == float("inf"):
            crash(f"{name}: a key isn't finite: {key.value} at {key.time}")
        frame = round(key.time * float(rate))
        exact = single(float(frame / rate))
        if exact != key.time and abs(key.time * float(rate) - frame) > OFF_FRAME:
            crash(f"{name}: the key at {key.time} s is off whole frames at {pretty(rate)}")
        if not 0 <= frame <= frames:
            crash(f"{name}: the key at frame {frame} is outside of 0 to {frames}")
        if frame == before:
            crash(f"{name}: two keys on frame {frame}: assertion in UAnimSequencerController::SetCurveControlKey")
        if frame < before:
            crash(f"{name}: keys out of order at frame {frame}")
        before = frame


def pretty(rate: Fraction) -> str:
    """`24 fps`, `23.976 fps`."""
    return f"{float(rate):.6g} fps"


def value_at(curve: FloatCurve, time: float) -> float:
    """Straight lines between keys, constant outside; a step after a key of RCIM_CONSTANT."""
    keys = curve.keys
    if not keys:
        return 0.0
    if time <= keys[0].time:
        return keys[0].value
    for one, two in pairwise(keys):
        if time < two.time:
            part = 0.0 if one.modes[0] == "RCIM_CONSTANT" else (time - one.time) / (two.time - one.time)
            return single(one.value + part * (two.value - one.value))
    return keys[-1].value
