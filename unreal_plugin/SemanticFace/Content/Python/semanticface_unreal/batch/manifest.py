"""A manifest: the jobs of a batch in one JSON file that people, pipelines and the editor read and write.

    {"format": "semanticface-batch", "version": 1, "defaults": {...}, "jobs": [{"id": "a", "source": "a.mp4"}, ...]}

The fields of a job are those of `Job`; `defaults` holds any of them but `id`, for all jobs. `recipe` and `profile` are
the data themselves or the path of a file; relative paths count from the manifest's folder. Nothing is guessed: an
unknown field, a value outside its range and two jobs for one asset are refused, naming job and field.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from semanticface.errors import InputError, SemanticFaceError
from semanticface.media.numbering import IMAGE_SUFFIXES, NamePattern, pattern_of_member
from semanticface.media.source import VIDEO_SUFFIXES
from semanticface.take import write_atomic
from semanticface_unreal.batch.fields import READERS
from semanticface_unreal.batch.job import CurveNames, Job
from semanticface_unreal.ports import Existing

FORMAT = "semanticface-batch"
VERSION = 1
MAX_BYTES = 64 << 20
MAX_JOBS = 10_000
DEFAULT_NAME = "semanticface-batch.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`path` is the file, which may not be written yet; what belongs to the batch lies beside it."""

    path: Path
    jobs: tuple[Job, ...]

    def __post_init__(self) -> None:
        """Raises InputError for jobs that would be in each other's way."""
        if len(self.jobs) > MAX_JOBS:
            raise InputError(f"{self.path}: {len(self.jobs)} jobs are more than {MAX_JOBS}", "split the manifest")
        ids: set[str] = set()
        assets: dict[str, Job] = {}
        for job in self.jobs:
            if job.id.lower() in ids:
                raise InputError(f"{self.path}: two jobs have the id {job.id}", "ids differ by more than letter case")
            ids.add(job.id.lower())
            asset = f"{job.folder}/{job.asset_name}".lower()
            other = assets.setdefault(asset, job)
            if other is not job and Existing.OVERWRITE in {other.existing, job.existing}:
                raise InputError(
                    f"{self.path}: jobs {other.id} and {job.id} both write {job.folder}/{job.asset_name}",
                    'give one of them another `asset` or `folder`, or both "existing": "unique"',
                )

    @property
    def journal(self) -> Path:
        """What became of the jobs so far, line by line."""
        return self.path.with_name(f"{self.path.name}.journal.jsonl")

    @property
    def summary(self) -> Path:
        """What the last run came to."""
        return self.path.with_name(f"{self.path.stem}.summary.json")

    @property
    def takes(self) -> Path:
        """The folder of the takes that no job puts elsewhere."""
        return self.path.with_name(f"{self.path.stem}.takes")

    def take(self, job: Job) -> Path:
        """The folder of the job's take."""
        return Path(job.take) if job.take else self.takes / job.id

    def only(self, ids: Sequence[str]) -> Manifest:
        """These jobs alone. Raises InputError that names an id that no job has."""
        known = {job.id for job in self.jobs}
        if missing := [one for one in ids if one not in known]:
            raise InputError(f"{self.path} has no job {missing[0]}", "ids are case-sensitive; see the manifest")
        return replace(self, jobs=tuple(job for job in self.jobs if job.id in set(ids)))


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file. Raises InputError that names file, job and field."""
    path = path.absolute()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES} bytes", "split the manifest")
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON: {error}", "check the line that the message names") from error
    return manifest_of(data, path)


def manifest_of(data: Any, path: Path) -> Manifest:
    """The same out of JSON data. Raises InputError that names job and field."""
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise InputError(f"{path} is not a batch manifest", f'it must say "format": "{FORMAT}"')
    if data.get("version") != VERSION:
        raise InputError(f"{path} has version {data.get('version')!r}, this program reads {VERSION}", "update it")
    if unknown := sorted(set(map(str, data)) - {"format", "version", "defaults", "jobs"}):
        raise InputError(f"{path} has an unknown field {unknown[0][:80]!r}", "fields of a job stand in its own map")
    rows, defaults = data.get("jobs"), data.get("defaults", {})
    if not isinstance(rows, list) or not isinstance(defaults, Mapping):
        raise InputError(f"{path}: `jobs` must be a list of maps, `defaults` a map")
    if "id" in defaults:
        raise InputError(f"{path}: `defaults` has an `id`", "each job has its own")
    common = _read(defaults, path, "defaults")
    return Manifest(path, tuple(_job(row, common, path, place) for place, row in enumerate(rows)))


def _job(row: Any, common: Mapping[str, Any], path: Path, place: int) -> Job:
    if not isinstance(row, Mapping):
        raise InputError(f"{path}: job {place + 1} is not a map of fields")
    name = f"job {row['id']}" if isinstance(row.get("id"), str) else f"job {place + 1}"
    values = {**common, **_read(row, path, name)}
    for needed in ("id", "source"):
        if not values.get(needed):
            raise InputError(f"{path}: {name} has no `{needed}`")
    job = Job(**values)
    if job.names is CurveNames.PROFILE and job.profile is None:
        raise InputError(f"{path}: {name}: `names` is profile, but there is no `profile`", "give one, or other names")
    return job


def _read(row: Mapping[str, Any], path: Path, name: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field, value in row.items():
        reader = READERS.get(field)
        if reader is None:
            known = ", ".join(READERS)
            raise InputError(f"{path}: {name} has an unknown field {str(field)[:80]!r}", f"the fields are {known}")
        try:
            out[field] = reader(value, path.parent)
        except SemanticFaceError as error:
            raise InputError(f"{path}: {name}: `{field}`: {error.message}", error.hint) from error
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path}: {name}: `{field}` {error}", "see the documentation of the manifest") from error
    return out


def write_manifest(manifest: Manifest) -> None:
    """Write it to its path; what is at its default is left out. Raises InputError where it can't be written."""
    try:
        manifest.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(manifest.path, json.dumps(to_dict(manifest), indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise InputError(
            f"{manifest.path} can't be written: {error.strerror or error}", "choose another place"
        ) from error


def to_dict(manifest: Manifest) -> dict[str, Any]:
    """The manifest as JSON has it, with absolute paths."""
    jobs = [_plain(job) for job in manifest.jobs]
    return {"format": FORMAT, "version": VERSION, "defaults": {}, "jobs": jobs}


def _plain(job: Job) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field in fields(Job):
        value = getattr(job, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if value != default:
            out[field.name] = f"{value.numerator}/{value.denominator}" if isinstance(value, Fraction) else value
    return out


def from_folder(folder: Path, defaults: Mapping[str, Any], path: Path | None = None) -> Manifest:
    """A job for every image sequence and every video in a folder and below it, named after its place there.

    `defaults` are fields of a job as a manifest has them. `path` is where the manifest will be written, by default
    in the folder. Hidden files and folders are passed over, and so are single images. Raises InputError where there
    is no footage, or for a wrong default.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder", "choose the folder that holds the footage")
    taken: set[str] = set()
    rows = [{"id": _free(name, taken), "source": source} for name, source in _footage(folder)]
    if not rows:
        raise InputError(f"{folder} holds no video and no image sequence", "a sequence has numbers in its files' names")
    data = {"format": FORMAT, "version": VERSION, "defaults": dict(defaults), "jobs": rows}
    return manifest_of(data, (path or folder / DEFAULT_NAME).absolute())


def _footage(folder: Path) -> list[tuple[str, str]]:
    """(name, source) of each, in the order of paths. A folder's only sequence is named by the folder."""
    found: list[tuple[str, str]] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here, names = Path(place), sorted(name for name in files if not name.startswith("."))
        label = folder.name if here == folder else str(here.relative_to(folder))
        sequences = _sequences(names)
        for pattern in sequences:
            alone = len(sequences) == 1
            name = label if alone else str(Path(label, pattern.prefix))
            found.append((name, str(here if alone else here / str(pattern))))
        for name in names:
            if Path(name).suffix.lower() in VIDEO_SUFFIXES:
                stem = Path(name).stem
                found.append((stem if here == folder else str(Path(label, stem)), str(here / name)))
    return found


def _sequences(names: Sequence[str]) -> list[NamePattern]:
    counts: dict[NamePattern, int] = {}
    for name in names:
        pattern = pattern_of_member(name) if Path(name).suffix.lower() in IMAGE_SUFFIXES else None
        if pattern is not None:
            counts[pattern] = counts.get(pattern, 0) + 1
    return [pattern for pattern, count in counts.items() if count > 1]


def _free(name: str, taken: set[str]) -> str:
    """An id out of the name that no other job has, whatever its letter case."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:80] or "footage"
    made, number = plain, 2
    while made.lower() in taken:
        made, number = f"{plain}_{number}", number + 1
    taken.add(made.lower())
    return made
