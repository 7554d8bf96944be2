"""What the plugin does by default in one project: a small JSON file that the dialog writes, under the environment.

A field `x` is set for a whole studio or a farm by the environment variable SEMANTICFACE_UNREAL_X; the backend also by
SEMANTICFACE_BACKEND, as everywhere in the product. Plain data; knows no Unreal and no dialog.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.curves.recipe import KeyKind, Recipe, Reduction
from semanticface.errors import InputError, SemanticFaceError
from semanticface.exchange.livelink_sender import parse_address
from semanticface.installation import BACKEND_VARIABLE
from semanticface.media.source import parse_rate
from semanticface.take import write_atomic
from semanticface_unreal.batch.job import RADIANS_TO_DEGREES, CurveNames
from semanticface_unreal.curve_set import Unsolved
from semanticface_unreal.ports import Existing

FORMAT = "semanticface-unreal-settings"
VERSION = 1
FILE_NAME = "settings.json"
PREFIX = "SEMANTICFACE_UNREAL_"
MAX_BYTES = 1 << 20
MAX_TEXT = 4096
ID = "{id}"
"""Where a job's id stands in the template of asset names."""

_NOT_IN_NAMES = frozenset("\"' ,/\\.:|&!~@#(){}[]=;^%$`*?<>+\n\r\t")
_NO = frozenset({"0", "false", "no", "off"})
_YES = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Footage and analysis: `engine` and `rate` (of image sequences, "" for 24) as in a job, `takes` the folder of the
    takes ("" for one in the project's Saved folder), `backend` the command or Python of the backend ("" to look for
    one), `ahead` how many jobs may be analyzed while another is written.

    Curves: `recipe` is a file that holds in place of `smoothing`, `reduce_keys` and `tolerance`. `names`, `profile` (a
    file), `head`, `head_factor`, `unsolved` as in a job. Assets: `folder`, `naming` (with {id} in it), `skeleton` and
    `preview_mesh` ("" for the MetaHuman archetype), `existing`, `level_sequence`, `control_rig` as in a job.

    Editor: `budget` are milliseconds a tick may take of a frame; `livelink` is HOST or HOST:PORT of the preview,
    `subject` its name there.
    """

    folder: str = "/Game/SemanticFace"
    naming: str = "AS_{id}"
    skeleton: str = ""
    preview_mesh: str = ""
    existing: Existing = Existing.OVERWRITE
    level_sequence: bool = False
    control_rig: str = ""
    names: CurveNames = CurveNames.METAHUMAN
    profile: str = ""
    head: bool = False
    head_factor: float = RADIANS_TO_DEGREES
    unsolved: Unsolved = Unsolved.OMIT
    smoothing: float = 0.5
    reduce_keys: bool = True
    tolerance: float = 0.01
    recipe: str = ""
    engine: str = "auto"
    rate: str = ""
    takes: str = ""
    backend: str = ""
    ahead: int = 8
    budget: float = 4.0
    livelink: str = "127.0.0.1:11111"
    subject: str = "SemanticFace"

    def __post_init__(self) -> None:
        """Raises InputError that names the field and what it may hold."""
        for field in fields(self):
            object.__setattr__(self, field.name, _checked(field.name, getattr(self, field.name)))
        if self.names is CurveNames.PROFILE and not self.profile:
            raise InputError("the setting `names` is profile, but no `profile` is chosen", "choose its JSON file")

    def changed(self, **values: Any) -> Settings:
        """With other values. Raises InputError that names the field."""
        return replace(self, **values)

    def recipe_data(self) -> Any:
        """The recipe as a job takes it: the path of the file, or the data that the sliders say."""
        if self.recipe:
            return self.recipe
        reduction = Reduction(self.tolerance, KeyKind.LINEAR) if self.reduce_keys else None
        return Recipe(smoothing=self.smoothing, reduction=reduction).to_dict()

    def job_defaults(self) -> dict[str, Any]:
        """The fields of a job as a manifest has them; `profile` and `recipe` may be paths of files."""
        out: dict[str, Any] = {name: getattr(self, name) for name in _OF_JOBS}
        out |= {"recipe": self.recipe_data(), "profile": self.profile or None, "rate": self.rate or None}
        return out

    def asset_name(self, job: str) -> str:
        """The name of the asset for the job of that id: its `.` and `-` can't stand in a name."""
        return self.naming.replace(ID, "".join("_" if letter in _NOT_IN_NAMES | {"-"} else letter for letter in job))


_OF_JOBS = (
    "folder", "skeleton", "preview_mesh", "existing", "level_sequence", "control_rig",
    "names", "head", "head_factor", "unsolved", "engine",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """`settings` are those in force, `own` those of the file without the environment; `forced` maps a field to the
    environment variable that sets it. `troubles` say what could not be read; what they are about is at its default."""

    settings: Settings
    own: Settings
    forced: Mapping[str, str]
    troubles: tuple[str, ...] = ()


def load(folder: Path, environment: Mapping[str, str]) -> Loaded:
    """The settings of the project whose folder `<Project>/Saved/SemanticFace` this is. Raises nothing: a value that
    can't be used is named in `troubles`."""
    troubles: list[str] = []
    try:
        data = read(folder / FILE_NAME)
    except InputError as error:
        data = {}
        troubles.append(str(error))
    loaded = under(_taken(Settings(), data, f"{FILE_NAME}: ", troubles), environment)
    return replace(loaded, troubles=(*troubles, *loaded.troubles))


def under(own: Settings, environment: Mapping[str, str]) -> Loaded:
    """These settings with the environment over them. Raises nothing, as `load`."""
    troubles: list[str] = []
    forced = _forced(environment)
    values = {field: environment[variable] for field, variable in forced.items()}
    return Loaded(_taken(own, values, "environment: ", troubles), own, forced, tuple(troubles))


def read(file: Path) -> dict[str, Any]:
    """The values in the file, {} where there is none; fields of newer versions are left out.

    Raises InputError for a file that is no such file.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(f"{file.name} is larger than {MAX_BYTES} bytes", "remove it to begin anew")
        data = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"{file.name} can't be read: {error.strerror or error}", "check its permissions") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file.name} is not valid JSON: {error}", "mend or remove it") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("settings"), dict):
        raise InputError(f"{file.name} doesn't hold the plugin's settings", "remove it to begin anew")
    known = {field.name for field in fields(Settings)}
    return {name: value for name, value in data["settings"].items() if name in known}


def save(settings: Settings, folder: Path) -> None:
    """Write them, whole or not at all. Raises InputError when the folder can't be written."""
    data = {"format": FORMAT, "version": VERSION, "settings": asdict(settings)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / FILE_NAME, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise InputError(
            f"the settings can't be written to {folder}: {error.strerror or error}",
            "make the project's Saved folder writable; until then they hold in this session alone",
        ) from error


def _forced(environment: Mapping[str, str]) -> dict[str, str]:
    """Field -> the variable that sets it."""
    found = {field.name: f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
    forced = {name: variable for name, variable in found.items() if variable in environment}
    if environment.get(BACKEND_VARIABLE) and "backend" not in forced:
        forced["backend"] = BACKEND_VARIABLE
    return forced


def _taken(base: Settings, values: Mapping[str, Any], where: str, troubles: list[str]) -> Settings:
    """`base` with those of the values that can be used."""
    try:
        return base.changed(**values)
    except InputError:
        pass  # one by one, to keep the others and to name it
    for name in sorted(values, key="names".__eq__):  # after the profile that it may need
        try:
            base = base.changed(**{name: values[name]})
        except InputError as error:
            troubles.append(f"{where}{error}")
    return base


def _checked(name: str, value: Any) -> Any:
    try:
        return _READERS[name](value)
    except SemanticFaceError as error:
        raise InputError(f"the setting `{name}`: {error.message}", error.hint) from error
    except (ValueError, TypeError) as error:
        raise InputError(f"the setting `{name}` {error}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\0" in value:
        raise ValueError(f"needs a text of at most {MAX_TEXT} characters")
    return value.strip()


def _flag(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _YES | _NO or not isinstance(value, (bool, str)):
        raise ValueError("needs true or false")
    return word in _YES


def _number(low: float, high: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        number = math.nan if isinstance(value, bool) else float(value)
        if not low <= number <= high:
            raise ValueError(f"needs a number from {low:g} to {high:g}")
        return number

    def read(value: Any) -> float:
        try:
            return check(value)
        except (TypeError, ValueError):
            raise ValueError(f"needs a number from {low:g} to {high:g}, not {str(value)[:40]!r}") from None

    return read


def _whole(low: int, high: int) -> Callable[[Any], int]:
    return lambda value: round(_number(low, high)(value))


def _one_of(kind: type[StrEnum]) -> Callable[[Any], StrEnum]:
    def read(value: Any) -> StrEnum:
        try:
            return kind(str(value).strip().lower())
        except ValueError:
            raise ValueError(f"needs one of {', '.join(kind)}, not {str(value)[:40]!r}") from None

    return read


def _folder(value: Any) -> str:
    text = _text(value).rstrip("/")
    parts = text.split("/")
    if len(parts) < 2 or parts[0] or not all(parts[1:]) or any(set(part) & _NOT_IN_NAMES for part in parts):
        raise ValueError(f"needs a content path such as /Game/Shots, without spaces and dots, not {text[:80]!r}")
    return text


def _naming(value: Any) -> str:
    text = _text(value)
    if ID not in text:
        raise ValueError(f"needs {ID} in it, such as AS_{ID}: else all jobs would write one asset")
    if wrong := sorted(set(text.replace(ID, "")) & _NOT_IN_NAMES):
        raise ValueError(f"holds {wrong[0]!r}, which a name of an asset can't")
    return text


def _rate(value: Any) -> str:
    text = _text(value)
    if text:
        parse_rate(text)
    return text


def _endpoint(value: Any) -> str:
    return str(parse_address(_text(value)))


def _subject(value: Any) -> str:
    text = _text(value)
    if not text or len(text.encode()) > 255:
        raise ValueError("needs a name of 1 to 255 bytes, as Live Link shows it")
    return text


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "folder": _folder,
    "naming": _naming,
    "skeleton": _text,
    "preview_mesh": _text,
    "existing": _one_of(Existing),
    "level_sequence": _flag,
    "control_rig": _text,
    "names": _one_of(CurveNames),
    "profile": _text,
    "head": _flag,
    "head_factor": _number(-1000, 1000),
    "unsolved": _one_of(Unsolved),
    "smoothing": _number(0, 1),
    "reduce_keys": _flag,
    "tolerance": _number(1e-5, 1),
    "recipe": _text,
    "engine": _text,
    "rate": _rate,
    "takes": _text,
    "backend": _text,
    "ahead": _whole(1, 64),
    "budget": _number(0.5, 50),
    "livelink": _endpoint,
    "subject": _subject,
}
