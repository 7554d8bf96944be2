"""The editor's queue: a manifest in the project's Saved folder, which survives the editor and which a farm can run.

Adding footage makes jobs of it by the present settings. Plain files; knows no Unreal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semanticface.errors import InputError
from semanticface.media.numbering import IMAGE_SUFFIXES, pattern_of_member
from semanticface.media.source import VIDEO_SUFFIXES
from semanticface_unreal.batch.job import Job
from semanticface_unreal.batch.manifest import FORMAT, VERSION, Manifest, from_folder, manifest_of, read_manifest
from semanticface_unreal.batch.manifest import write_manifest as write
from semanticface_unreal.settings import Settings

OF_CURVES = ("names", "profile", "recipe", "head", "head_factor", "unsolved")
"""Fields of a job that say how curves are made of its take."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Footage to be queued. `source` is a folder with any number of videos and sequences in it, or a file. `frames` and
    `rate` as in a job; `folder` is the content folder. `skeleton` and `preview_mesh` are paths, "" for the archetype.
    """

    source: Path
    frames: str = ""
    rate: str = ""
    skeleton: str = ""
    preview_mesh: str = ""
    folder: str = ""


def queued(file: Path) -> tuple[Job, ...]:
    """The jobs in the queue's file, none where there is no file. Raises InputError for a damaged one."""
    return read_manifest(file).jobs if file.exists() else ()


def add(file: Path, wanted: Wanted, settings: Settings) -> tuple[str, ...]:
    """Put the footage into the queue's file; the ids of its jobs.

    A job of the same footage for the same content folder is replaced, and keeps its id and its take. Raises InputError
    where there is no footage, and for what no job may hold.
    """
    jobs = {job.id: job for job in queued(file)}
    made = []
    for job in _jobs(file, wanted, settings):
        same = next((old for old in jobs.values() if (old.source, old.folder) == (job.source, job.folder)), None)
        name = _free(job.id, jobs) if same is None else same.id
        asset = settings.asset_name(name)
        take = str(Path(settings.takes).expanduser().absolute() / name) if settings.takes else ""
        jobs[name] = replace(job, id=name, asset=asset, take=take)
        made.append(name)
    write(Manifest(file.absolute(), tuple(jobs.values())))
    return tuple(made)


def drop(file: Path, ids: Collection[str]) -> None:
    """Take these jobs out of the queue; their assets and takes stay."""
    write(Manifest(file.absolute(), tuple(job for job in queued(file) if job.id not in ids)))


def clear(file: Path) -> None:
    """Forget the queue and what became of it; assets and takes stay. Raises InputError where a file stays."""
    try:
        for path in (file, Manifest(file.absolute(), ()).journal):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{error.filename} can't be removed: {error.strerror}", "check its permissions") from error


def _jobs(file: Path, wanted: Wanted, settings: Settings) -> Sequence[Job]:
    defaults: dict[str, Any] = settings.job_defaults()
    chosen = {"frames": wanted.frames, "rate": wanted.rate, "folder": wanted.folder}
    defaults |= {name: value for name, value in chosen.items() if value}
    defaults |= {"skeleton": wanted.skeleton, "preview_mesh": wanted.preview_mesh}
    if wanted.source.is_dir():
        jobs = from_folder(wanted.source, defaults, file).jobs
        return jobs if wanted.rate else [_at_own_rate(job) for job in jobs]
    source, name = _one(wanted.source)
    if not wanted.rate and source.suffix.lower() in VIDEO_SUFFIXES:
        defaults["rate"] = None
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).strip("_")
    row = {"id": plain[:80] or "footage", "source": str(source)}
    return manifest_of({"format": FORMAT, "version": VERSION, "defaults": defaults, "jobs": [row]}, file).jobs


def _at_own_rate(job: Job) -> Job:
    """The rate of the settings is for images; a video knows its own."""
    return replace(job, rate=None) if Path(job.source).suffix.lower() in VIDEO_SUFFIXES else job


def _one(file: Path) -> tuple[Path, str]:
    """Source and name of one file; an image stands for its sequence, which is called after its folder."""
    pattern = pattern_of_member(file.name) if file.suffix.lower() in IMAGE_SUFFIXES else None
    return (file, file.stem) if pattern is None else (file.with_name(str(pattern)), file.absolute().parent.name)


def standing(file: Path, path: str) -> Job | None:
    """The job of the queue that writes the asset of this content path; None where there is none."""
    return next((job for job in queued(file) if f"{job.folder}/{job.asset_name}" == path), None)


def renew(file: Path, job: Job) -> None:
    """Let the queue's job of that id make its curves as `job` does from now on; nothing where there is none."""
    new = {name: getattr(job, name) for name in OF_CURVES}
    jobs = queued(file)
    if any(old.id == job.id for old in jobs):
        write(Manifest(file.absolute(), tuple(replace(old, **new) if old.id == job.id else old for old in jobs)))


def _free(name: str, taken: Collection[str]) -> str:
    """The id, with a number after it where another job has it, whatever its letter case."""
    lower = {one.lower() for one in taken}
    number, made = 2, name
    while made.lower() in lower:
        made, number = f"{name}_{number}", number + 1
    return made
