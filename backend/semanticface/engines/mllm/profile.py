"""The small file that says how a checkpoint is to be asked and read: prompt, layout, decimals, image size, values.

A profile lies as `profile.json` in a checkpoint's folder, beside

- `adapter/`, a LoRA adapter as peft saves it (`adapter_config.json`, `adapter_model.safetensors`), where `adapter` is
  true; and
- `base/`, a whole Qwen3-VL as `save_pretrained` leaves it (`config.json`, safetensors, `tokenizer.json`), where `base`
  is "". A model of which all weights were trained is a `base/` with `adapter` false.

A profile is data and is checked like all input. This module knows nothing of models or tokens and imports nothing
heavy; `cli` and the front read profiles too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.actions import ACTIONS, BY_NAME, CSV_ORDER, Kind
from semanticface.errors import AssetError

FILE_NAME = "profile.json"
VERSION = 1
MAX_BYTES = 1 << 20
SIGNED = tuple(action.name for action in ACTIONS if action.kind is not Kind.SHAPE)
"""The nine rotations: the only actions that may be negative."""
LEAST_ACTIONS = 3
"""Whether a model writes a format at all is told by its first values and its last."""


class Layout(StrEnum):
    """How an answer is laid out; see `analysis.parse.Dialect` for the reading side."""

    BARE = "bare"
    """The released checkpoint's: Markdown analysis, an empty line, one object of values on one line."""
    PAPER = "paper"
    """The paper's (appendix B.2): one object with `analysis` and `arkit`, on one line."""
    PAPER_INDENTED = "paper_indented"
    """The same, indented by two spaces as the prompt shows it."""
    VALUES = "values"
    """No words: one object of values on one line, and nothing else."""
    VECTOR = "vector"
    """No words and no names: one list of numbers on one line, in the order of the profile's `actions`."""

    @property
    def wordless(self) -> bool:
        """Whether such an answer has no analysis, so that it begins with its values."""
        return self in (Layout.VALUES, Layout.VECTOR)


WORDED = tuple(layout for layout in Layout if not layout.wordless)
"""The layouts with an analysis."""


class ValueChoice(StrEnum):
    """Which reading of a value's digit distribution becomes the coefficient."""

    ARGMAX = "argmax"
    EXPECTATION = "expectation"
    MEDIAN = "median"


class Preparation(StrEnum):
    """What becomes of a picture before it is cut into patches."""

    NONE = "none"
    LEVELLED = "levelled"
    """The face alone, upright, of one size, in local contrast: for small models. See `preparation.levelled`."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a checkpoint was trained with, and how its answers become coefficients.

    `base`: the base model's hub name, or "" when the checkpoint's folder holds it as `base/`. `adapter`: whether there
    is an `adapter/` folder; without one the base itself was trained. `layouts`: the first is the one that was trained,
    the others are recognised as well; one without words stands alone. `decimals` of every value in the text. `actions`:
    those that the checkpoint writes, in its order, 3 at least; a result has 0 for all others and says so. `signed`:
    actions that may be negative; those that aren't written don't matter.
    `image_tokens`: least and most tokens of the picture (a token is 32 x 32 pixels after resizing). `analysis_tokens`:
    most tokens of an analysis. `dead_zone`: a value is 0 when its text's probability of zero is above this (1 turns it
    off). `face_crop`: None for the whole picture, else the margin around the face as a part of its size. `preparation`:
    what the picture becomes first; `levelled` finds the face by itself, so that `face_crop` has no effect.
    """

    name: str
    system: str
    user: str
    base: str = ""
    adapter: bool = True
    layouts: tuple[Layout, ...] = WORDED
    decimals: int = 1
    actions: tuple[str, ...] = CSV_ORDER
    signed: tuple[str, ...] = SIGNED
    image_tokens: tuple[int, int] = (4, 1024)
    analysis_tokens: int = 640
    value: ValueChoice = ValueChoice.ARGMAX
    dead_zone: float = 0.9
    face_crop: float | None = None
    preparation: Preparation = Preparation.NONE
    version: int = VERSION

    def to_dict(self) -> dict[str, Any]:
        """Plain data. What was no field once is left out where it says nothing, so that identities and files stay."""
        out = asdict(self)
        if self.actions == CSV_ORDER:
            del out["actions"]
        if self.preparation is Preparation.NONE:
            del out["preparation"]
        return out

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def save(self, folder: Path) -> Path:
        """Write `profile.json` into the folder."""
        path = folder / FILE_NAME
        path.write_text(self.to_json(), encoding="utf-8")
        return path


def load_profile(folder: Path) -> Profile:
    """The checked profile of a checkpoint's folder. Raises AssetError that says which field is wrong."""
    path = folder / FILE_NAME
    try:
        if path.stat().st_size > MAX_BYTES:
            raise AssetError(f"{path} is larger than {MAX_BYTES} bytes: that is no profile")
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AssetError(f"{path} can't be read as a profile: {error}") from error
    try:
        return parse_profile(data)
    except AssetError as error:
        raise AssetError(f"{path}: {error.message}", error.hint) from None


def parse_profile(data: Any) -> Profile:
    """The profile in plain data. Unknown fields are refused: a misspelt one would be silently without effect."""
    if not isinstance(data, Mapping) or not isinstance(data.get("version"), int):
        raise AssetError("a profile is a JSON object with a whole number `version`")
    if data["version"] > VERSION:
        raise AssetError(f"profile version {data['version']} is newer than {VERSION}", "update semanticface")
    unknown = set(data) - set(Profile.__dataclass_fields__)
    if unknown:
        raise AssetError(f"a profile has no field {min(map(str, unknown))!r}")
    fields: dict[str, Any] = {name: _FIELDS[name](name, value) for name, value in data.items() if name in _FIELDS}
    missing = {"name", "system", "user"} - set(fields)
    if missing:
        raise AssetError(f"the profile's field `{min(missing)}` is missing")
    return Profile(**fields)


def _wrong(name: str, needs: str) -> AssetError:
    return AssetError(f"the profile's field `{name}` needs {needs}")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 100_000:
        raise _wrong(name, "a text")
    return value


def _title(name: str, value: Any) -> str:
    text = _text(name, value)
    if not 1 <= len(text) <= 64 or not all(letter.isalnum() or letter in "-_." for letter in text) or text[0] == ".":
        raise _wrong(name, "1 to 64 letters, digits, dots, - or _, no dot first")
    return text


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "true or false")
    return value


def _whole(low: int, high: int, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _decimals(name: str, value: Any) -> int:
    if not _whole(1, 4, value):
        raise _wrong(name, "a whole number from 1 to 4")
    return int(value)


def _limit(name: str, value: Any) -> int:
    if not _whole(16, 4096, value):
        raise _wrong(name, "a whole number from 16 to 4096")
    return int(value)


def _layouts(name: str, value: Any) -> tuple[Layout, ...]:
    known = list(Layout)
    if not isinstance(value, (list, tuple)) or not value or any(item not in known for item in value):
        raise _wrong(name, "a list of " + ", ".join(known))
    layouts = tuple(dict.fromkeys(Layout(item) for item in value))
    if len(layouts) > 1 and any(layout.wordless for layout in layouts):
        raise _wrong(name, "`values` or `vector` alone: an answer without words has no other form")
    return layouts


def _actions(name: str, value: Any) -> tuple[str, ...]:
    names = _signed(name, value)
    if len(names) < LEAST_ACTIONS or len(set(names)) < len(names):
        raise _wrong(name, f"{LEAST_ACTIONS} action names or more, each of them once")
    return names


def _signed(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or any(item not in BY_NAME for item in value):
        raise _wrong(name, "a list of action names")
    return tuple(value)


def _image_tokens(name: str, value: Any) -> tuple[int, int]:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(_whole(1, 16_384, item) for item in value):
        raise _wrong(name, "two whole numbers from 1 to 16384")
    if value[0] > value[1]:
        raise _wrong(name, "the least number first")
    return value[0], value[1]


def _choice(name: str, value: Any) -> ValueChoice:
    if value not in list(ValueChoice):
        raise _wrong(name, "one of " + ", ".join(ValueChoice))
    return ValueChoice(value)


def _prepared(name: str, value: Any) -> Preparation:
    if value not in list(Preparation):
        raise _wrong(name, "one of " + ", ".join(Preparation))
    return Preparation(value)


def _part(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise _wrong(name, "a number from 0 to 1")
    return float(value)


def _crop(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 4:
        raise _wrong(name, "null or a number from 0 to 4")
    return float(value)


_FIELDS: Mapping[str, Callable[[str, Any], Any]] = {
    "name": _title,
    "system": _text,
    "user": _text,
    "base": _text,
    "adapter": _flag,
    "layouts": _layouts,
    "decimals": _decimals,
    "actions": _actions,
    "signed": _signed,
    "image_tokens": _image_tokens,
    "analysis_tokens": _limit,
    "value": _choice,
    "dead_zone": _part,
    "face_crop": _crop,
    "preparation": _prepared,
    "version": lambda name, value: int(value),
}
