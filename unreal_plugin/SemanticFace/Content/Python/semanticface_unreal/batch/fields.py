"""What the fields of a job in a manifest may hold: one reader for each, which returns the value as `Job` wants it.

A reader raises ValueError, TypeError, KeyError or a SemanticFaceError with what is wrong, worded to follow the field's
name; `manifest` adds job and field. Paths count from the manifest's folder.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from semanticface import fields
from semanticface.curves.recipe import Recipe
from semanticface.media.frames import parse_frames
from semanticface.media.source import parse_rate
from semanticface.retarget.profile import Profile
from semanticface_unreal.batch.job import CurveNames
from semanticface_unreal.curve_set import Unsolved
from semanticface_unreal.ports import Existing

MAX_TEXT = 4096
MAX_DATA = 4 << 20
"""Characters of a text, and bytes of a recipe's or a profile's file."""

_ID = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_OPEN = re.compile(r"(\d+)\s*-\s*(?=[:,]|$)")
_NOT_IN_NAMES = frozenset("\"' ,/\\.:|&!~@#(){}[]=;^%$`*?<>+\n\r\t")
_FOLDER = re.compile(r"(/[^/\\:*?\"<>|.\n\r\t ]+)+/?")

Reader = Callable[[Any, Path], Any]


def text(value: Any, base: Path) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(f"needs a text of at most {MAX_TEXT} characters")
    return value


def job_id(value: Any, base: Path) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value) or value.strip(".") == "":
        raise ValueError("needs 1 to 100 letters, digits, `_`, `-` and `.`")
    return value


def source(value: Any, base: Path) -> str:
    """An absolute path, without following links."""
    if not text(value, base).strip() or "\0" in value:
        raise ValueError("needs the path of a video, a folder or a pattern")
    return absolute(value, base)


def absolute(value: str, base: Path) -> str:
    return os.path.abspath(base / Path(value).expanduser())  # noqa: PTH100 - resolve() would follow links of farms


def rate(value: Any, base: Path) -> Fraction | None:
    """`"30000/1001"`, `"23.976"`, 24, 23.976 or [30000, 1001]."""
    if value is None or value == "":
        return None
    if isinstance(value, (list, tuple)) and len(value) == 2:
        value = "/".join(str(term) for term in value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError('needs frames a second, such as 24, 23.976 or "30000/1001"')
    return parse_rate(str(value))


def frames(value: Any, base: Path) -> str:
    """As people type them; a range may be open, because the footage isn't known here."""
    if text(value, base).strip().lower() not in {"", "all"}:
        parse_frames(_OPEN.sub(r"\1-\1", value))
    return str(value)


def options(value: Any, base: Path) -> Mapping[str, Any]:
    return fields.mapping(value)


def flag(value: Any, base: Path) -> bool:
    return fields.flag(value)


def factor(value: Any, base: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or abs(value) > 1000:
        raise ValueError("needs a number from -1000 to 1000, the degrees for a radian")
    return float(value)


def one_of(kind: type[StrEnum]) -> Reader:
    return lambda value, base: fields.one_of(kind)(value)


def recipe(value: Any, base: Path) -> Mapping[str, Any] | None:
    """The recipe itself, or the path of its file."""
    data = _data(value, base)
    if data is not None:
        Recipe.from_dict(data)
    return data


def profile(value: Any, base: Path) -> Mapping[str, Any] | None:
    """The profile itself, or the path of its file."""
    data = _data(value, base)
    if data is not None:
        Profile.from_dict(data)
    return data


def _data(value: Any, base: Path) -> Mapping[str, Any] | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        file = Path(absolute(value, base))
        try:
            if file.stat().st_size > MAX_DATA:
                raise ValueError(f"{file} is larger than {MAX_DATA} bytes")
            value = json.loads(file.read_text("utf-8"))
        except OSError as error:
            raise ValueError(f"{file} can't be read: {error.strerror or error}") from error
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{file} is not valid JSON: {error}") from error
    return fields.mapping(value)


def folder(value: Any, base: Path) -> str:
    """A content path."""
    if not isinstance(value, str) or len(value) > MAX_TEXT or not _FOLDER.fullmatch(value):
        raise ValueError("needs a content path such as /Game/Shots, without spaces and dots")
    return value.rstrip("/")


def asset(value: Any, base: Path) -> str:
    """The name of an asset, "" for one made out of the id."""
    if wrong := sorted(set(text(value, base)) & _NOT_IN_NAMES):
        raise ValueError(f"holds {wrong[0]!r}, which a name of an asset can't")
    return str(value)


def take(value: Any, base: Path) -> str:
    return absolute(value, base) if text(value, base) else ""


READERS: Mapping[str, Reader] = {
    "id": job_id,
    "source": source,
    "rate": rate,
    "frames": frames,
    "engine": text,
    "options": options,
    "names": one_of(CurveNames),
    "profile": profile,
    "recipe": recipe,
    "head": flag,
    "head_factor": factor,
    "unsolved": one_of(Unsolved),
    "folder": folder,
    "asset": asset,
    "skeleton": text,
    "preview_mesh": text,
    "existing": one_of(Existing),
    "level_sequence": flag,
    "control_rig": text,
    "take": take,
}
"""The fields of a job, in the order in which they are written."""
