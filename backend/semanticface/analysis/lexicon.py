"""The words and numbers behind a description: intensity bands, and for each movement its phrase and thresholds.

A *movement* is what a FACS coder would name once: a bilateral pair of actions, a single action, or a direction in
which something turns. `read` turns coefficients into movements; `describe` puts them into words, `check` compares
words with them. This module knows nothing of sentences, emotions or how coefficients came about.

Where the thresholds come from. A threshold lies above what the action reads on a face at rest. Two sources were
measured: (1) the quietest 248 of 4,030 frames of a Live Link Face range-of-motion recording (iPhone, not
calibrated), 95th percentile; (2) 335 frames of a landmark engine on 53 s of mostly quiet video, 75th percentile.
Actions that read below 0.15 in both have 0.15; each other row says what was read. `full` is the value from which
the movement counts as complete: sensors don't reach 1 on every action, so it follows the maxima of (1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import degrees

from semanticface.actions import Region


@dataclass(frozen=True, slots=True)
class Band:
    """A range of values with one word: from `floor` up to the next band. `facs` is FACS's own intensity letter."""

    name: str
    adverb: str
    floor: float
    facs: str


BANDS: tuple[Band, ...] = (
    Band("slight", "slightly", 0.0, "A to B (trace, slight)"),
    Band("moderate", "moderately", 0.3, "C (marked or pronounced)"),
    Band("strong", "strongly", 0.55, "D (severe or extreme)"),
    Band("extreme", "extremely", 0.8, "E (maximum)"),
)
_SLIGHT, _MODERATE, _STRONG, _EXTREME = BANDS


class Kind(StrEnum):
    """How a movement has sides."""

    PAIR = "pair"
    """A left and a right half that act on their own."""
    SINGLE = "single"
    """No sides."""
    DIRECTION = "direction"
    """One thing that goes to the subject's left or right; the value on one side is 0."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of the lexicon. `phrase` has a place `{}` for the intensity word; `au` is its FACS number or numbers."""

    key: str
    kind: Kind
    region: Region
    au: str
    threshold: float
    full: float
    phrase: str


Reading = tuple[float, float]
"""(left, right) strength of a movement, in the subject's sides; both the same for a movement without sides."""

_PAIR, _SINGLE, _DIRECTION = Kind.PAIR, Kind.SINGLE, Kind.DIRECTION
_BROWS, _EYES, _GAZE, _NOSE, _CHEEKS = Region.BROWS, Region.EYES, Region.GAZE, Region.NOSE, Region.CHEEKS
_MOUTH, _JAW, _TONGUE, _HEAD = Region.MOUTH, Region.JAW, Region.TONGUE, Region.HEAD

# Comments: what was read at rest in source (1) / source (2).
MOVEMENTS: tuple[Movement, ...] = (
    Movement("BrowInnerUp", _SINGLE, _BROWS, "AU1", 0.22, 0.75, "inner brows raised {}"),  # .18 / .01
    Movement("BrowOuterUp", _PAIR, _BROWS, "AU2", 0.25, 0.75, "outer brows raised {}"),  # .12 / .22
    Movement("BrowDown", _PAIR, _BROWS, "AU4", 0.18, 0.7, "brows lowered {}"),  # .13 / .07
    Movement("EyeWide", _PAIR, _EYES, "AU5", 0.2, 0.7, "upper eyelids raised {}"),  # .16 / .01
    Movement("EyeSquint", _PAIR, _EYES, "AU7", 0.4, 0.7, "eyelids tightened {}"),  # .11 / .23; .39 on rendered heads
    Movement("EyeBlink", _PAIR, _EYES, "AU45", 0.4, 0.85, "eyelids lowered {}"),  # .22 / .20; .37 when looking down
    Movement("GazeSide", _DIRECTION, _GAZE, "AU61/62", 0.25, 0.8, "{}"),  # .05 / .35 where the speaker looks aside
    Movement("GazeUp", _SINGLE, _GAZE, "AU63", 0.2, 0.7, "{} up"),  # .0 / .02
    Movement("GazeDown", _SINGLE, _GAZE, "AU64", 0.45, 0.8, "{} down"),  # .37 / .45: a lens above or below the eyes
    Movement("GazeIn", _SINGLE, _GAZE, "AU66", 0.2, 0.7, "both eyes turned inward {}"),  # .06 / .01
    Movement("NoseSneer", _PAIR, _NOSE, "AU9", 0.15, 0.6, "nose wrinkled {}"),  # .10 / .0
    Movement("CheekPuff", _SINGLE, _CHEEKS, "AU34", 0.2, 0.5, "cheeks puffed out {}"),  # .16 / .0
    Movement("CheekSquint", _PAIR, _CHEEKS, "AU6", 0.15, 0.5, "cheeks raised {}"),  # .05 / .0
    Movement("MouthSmile", _PAIR, _MOUTH, "AU12", 0.15, 0.7, "lip corners pulled up {}"),  # .02 / .0
    Movement("MouthFrown", _PAIR, _MOUTH, "AU15", 0.28, 0.6, "lip corners pulled down {}"),  # .24 / .0
    Movement("MouthDimple", _PAIR, _MOUTH, "AU14", 0.2, 0.55, "lip corners dimpled {}"),  # .16 / .01
    Movement("MouthStretch", _PAIR, _MOUTH, "AU20", 0.26, 0.7, "lips stretched sideways {}"),  # .22 / .0
    Movement("MouthRollLower", _SINGLE, _MOUTH, "AU28", 0.22, 0.55, "lower lip rolled in {}"),  # .19 / .03
    Movement("MouthRollUpper", _SINGLE, _MOUTH, "AU28", 0.2, 0.55, "upper lip rolled in {}"),  # .15 / .04
    Movement("MouthShrugLower", _SINGLE, _MOUTH, "AU17", 0.22, 0.65, "lower lip pushed up {}"),  # .19 / .15
    Movement("MouthShrugUpper", _SINGLE, _MOUTH, "AU17", 0.18, 0.6, "upper lip pushed up {}"),  # .14 / .03
    Movement("MouthPress", _PAIR, _MOUTH, "AU24", 0.15, 0.45, "lips pressed together {}"),  # .09 / .11
    Movement("MouthLowerDown", _PAIR, _MOUTH, "AU16", 0.22, 0.7, "lower lip pulled down {}"),  # .19 / .0
    Movement("MouthUpperUp", _PAIR, _MOUTH, "AU10", 0.15, 0.6, "upper lip raised {}"),  # .07 / .0
    Movement("MouthFunnel", _SINGLE, _MOUTH, "AU22", 0.22, 0.6, "lips funneled {}"),  # .19 / .0
    Movement("MouthPucker", _SINGLE, _MOUTH, "AU18", 0.22, 0.65, "lips puckered {}"),  # .19 / .01
    Movement("MouthClose", _SINGLE, _MOUTH, "AU8", 0.15, 0.6, "lips kept together {} over the lowered jaw"),
    Movement("MouthSide", _DIRECTION, _MOUTH, "", 0.15, 0.6, "mouth moved {}"),  # .06 / .0
    Movement("JawOpen", _SINGLE, _JAW, "AU26", 0.16, 0.8, "jaw lowered {}"),  # .13 / .01
    Movement("JawForward", _SINGLE, _JAW, "AU29", 0.15, 0.4, "jaw thrust forward {}"),  # .11 / .0
    Movement("JawSide", _DIRECTION, _JAW, "AU30", 0.1, 0.4, "jaw moved {}"),  # .03 / .0
    Movement("TongueOut", _SINGLE, _TONGUE, "AU19", 0.15, 0.7, "tongue shown {}"),  # .0 / not given
    Movement("HeadTurn", _DIRECTION, _HEAD, "AU51/52", 0.175, 1.0, "head turned about {} degrees"),
    Movement("HeadUp", _SINGLE, _HEAD, "AU53", 0.3, 1.0, "head raised about {} degrees"),  # a camera's height
    Movement("HeadDown", _SINGLE, _HEAD, "AU54", 0.3, 1.0, "head lowered about {} degrees"),  # adds up to 15 degrees
    Movement("HeadTilt", _DIRECTION, _HEAD, "AU55/56", 0.175, 1.0, "head tilted about {} degrees"),
)
BY_KEY: Mapping[str, Movement] = {movement.key: movement for movement in MOVEMENTS}

HEAD_FULL_SCALE = 40.0
"""Degrees of head rotation that count as strength 1."""

_PLAIN = tuple((m.key, f"{m.key}Left", f"{m.key}Right") for m in MOVEMENTS if m.kind is Kind.PAIR)
_ALONE = tuple(
    m.key
    for m in MOVEMENTS
    if m.kind is Kind.SINGLE and m.region not in {Region.GAZE, Region.HEAD} and m.key != "MouthClose"
)
_JAW_OPENS = BY_KEY["JawOpen"].threshold


def band(value: float) -> Band:
    """The band that a value falls into."""
    if value < 0.55:
        return _SLIGHT if value < 0.3 else _MODERATE
    return _STRONG if value < 0.8 else _EXTREME


def differs(left: float, right: float) -> bool:
    """Whether a description tells the two sides apart: by more than 0.1 and by more than a quarter of the stronger."""
    return abs(left - right) > max(0.1, 0.25 * max(left, right))


def read(coefficients: Mapping[str, float]) -> dict[str, Reading]:
    """Strength of every movement by key, in the order of `MOVEMENTS`' kinds. A name that is absent counts as 0.

    MouthClose is a corrective to JawOpen, not lips that press: it is read only while the jaw is lowered. Gaze comes
    from the EyeLook pairs. Head signs are Live Link Face's: +yaw to the subject's right, +pitch down, +roll tilts
    to the subject's left.
    """
    get = coefficients.get
    out: dict[str, Reading] = {}
    for key, left, right in _PLAIN:
        out[key] = (get(left, 0.0), get(right, 0.0))
    for key in _ALONE:
        value = get(key, 0.0)
        out[key] = (value, value)
    closed = get("MouthClose", 0.0) if get("JawOpen", 0.0) >= _JAW_OPENS else 0.0
    out["MouthClose"] = (closed, closed)
    out["MouthSide"] = _toward(get("MouthLeft", 0.0) - get("MouthRight", 0.0))
    out["JawSide"] = _toward(get("JawLeft", 0.0) - get("JawRight", 0.0))
    _read_gaze(coefficients, out)
    _read_head(coefficients, out)
    return out


def _toward(left: float) -> Reading:
    return (left, 0.0) if left > 0.0 else (0.0, -left)


def _read_gaze(coefficients: Mapping[str, float], out: dict[str, Reading]) -> None:
    get = coefficients.get
    in_left, in_right = get("EyeLookInLeft", 0.0), get("EyeLookInRight", 0.0)
    left = (get("EyeLookOutLeft", 0.0) + in_right - in_left - get("EyeLookOutRight", 0.0)) / 2
    down = get("EyeLookDownLeft", 0.0) + get("EyeLookDownRight", 0.0)
    down = (down - get("EyeLookUpLeft", 0.0) - get("EyeLookUpRight", 0.0)) / 2
    crossed = min(in_left, in_right)
    out["GazeSide"] = _toward(left)
    out["GazeDown"] = (max(down, 0.0), max(down, 0.0))
    out["GazeUp"] = (max(-down, 0.0), max(-down, 0.0))
    out["GazeIn"] = (crossed, crossed)


def _read_head(coefficients: Mapping[str, float], out: dict[str, Reading]) -> None:
    yaw, pitch, roll = (
        degrees(coefficients.get(name, 0.0)) / HEAD_FULL_SCALE for name in ("HeadYaw", "HeadPitch", "HeadRoll")
    )
    out["HeadTurn"] = _toward(-yaw)
    out["HeadDown"] = (max(pitch, 0.0), max(pitch, 0.0))
    out["HeadUp"] = (max(-pitch, 0.0), max(-pitch, 0.0))
    out["HeadTilt"] = _toward(roll)
