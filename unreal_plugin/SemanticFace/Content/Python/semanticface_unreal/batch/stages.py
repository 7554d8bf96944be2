"""What a job needs done on this side of the backend, in steps: to be checked before, and written after its analysis.

Knows the editor as a port. What stands here raises; `runner` makes a failed job of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from semanticface.errors import TakeError
from semanticface.media.frames import format_frames
from semanticface.media.source import MediaRef
from semanticface.steps import Work
from semanticface.take import FRAMES_NAME, Take, is_take, reading_take
from semanticface_unreal.batch.job import CurveNames, Job
from semanticface_unreal.batch.journal import Record
from semanticface_unreal.batch.stamp import analysis_digest, asset_stamp, results_digest
from semanticface_unreal.curve_set import CurveSet
from semanticface_unreal.ports import AssetOrder, Editor, Existing, Written, unique_paths

MOST_NUMBERED = 1000
"""Names that are looked at for an asset that was saved in the moment of a crash."""

JOB_TAG = "SemanticFace.Job"
SOURCE_TAG = "SemanticFace.Source"
TAKE_TAG = "SemanticFace.Take"
ENGINE_TAG = "SemanticFace.Engine"
RECIPE_TAG = "SemanticFace.Recipe"
CURVES_TAG = "SemanticFace.Curves"
PROFILE_TAG = "SemanticFace.Profile"
"""Metadata tags of an asset: the job's id, its footage, its take's folder, the engine, the recipe as JSON, which curves
were written, and the name of the profile that they go by."""

Baking = Callable[[Take, Job], Work[CurveSet]]


class Incomplete(Exception):
    """The take lacks frames that it had: it must go through the backend again. Not of the product's tree, since no
    user ever sees it as an error."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Checked:
    """`digest` is the analysis's; `whole`: the journal knows the take as made under just this digest."""

    media: MediaRef
    digest: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """`kept`: nothing was written, because the asset was made from the same. `unsolved` says what frames have no result
    and what stands there, "" where all have one."""

    stamp: str
    written: Written
    kept: bool = False
    unsolved: str = ""
    remarks: tuple[str, ...] = ()


def order_of(job: Job) -> AssetOrder:
    """The asset that the job asks for, without stamp and tags."""
    return AssetOrder(
        folder=job.folder,
        name=job.asset_name,
        skeleton=job.skeleton,
        preview_mesh=job.preview_mesh,
        existing=job.existing,
        level_sequence=job.level_sequence,
        control_rig=job.control_rig,
    )


def checking(job: Job, take: Path, record: Record, editor: Editor, again: bool) -> Work[Checked]:
    """Whether footage and target are there, before hours of analysis; `again`: the take's failed frames are tried anew.

    Raises InputError that says what is wrong.
    """
    media = MediaRef.from_user(job.source, rate=job.rate)
    yield
    editor.check(order_of(job))
    yield
    digest = yield from analysis_digest(job, media)
    there = is_take(take) and (take / FRAMES_NAME).is_file()
    return Checked(media, digest, there and record.analysis == digest and not (again and record.failed))


def finishing(
    job: Job, folder: Path, record: Record, editor: Editor, baking: Baking, begun: Callable[[str], None]
) -> Work[Finished]:
    """From the whole take to the asset. `begun` is told the stamp before anything is written.

    Raises Incomplete, InputError, EngineError.
    """
    take = yield from reading_take(folder)
    if len(take.results) < record.frames:
        raise Incomplete(f"{folder} holds {len(take.results)} of {record.frames} frames")
    stamp = asset_stamp(job, (yield from results_digest(take)))
    standing = _standing(job, record, editor, stamp)
    if standing:
        return Finished(stamp, Written(standing, 0, 0), kept=True)
    curves = yield from baking(take, job)
    unsolved = f"{curves.policy.value}: {format_frames(curves.unsolved, 12)}" if curves.unsolved else ""
    tags = {
        JOB_TAG: job.id,
        SOURCE_TAG: job.source,
        TAKE_TAG: str(folder),
        ENGINE_TAG: str(take.header.engine.get("name", job.engine)),
        RECIPE_TAG: "" if job.recipe is None else json.dumps(dict(job.recipe), sort_keys=True),
        CURVES_TAG: job.names.value,
        PROFILE_TAG: str((job.profile or {}).get("name", "")) if job.names is CurveNames.PROFILE else "",
    }
    begun(stamp)
    written = yield from editor.writing(curves, replace(order_of(job), stamp=stamp, tags=tags))
    return Finished(
        stamp, written, unsolved=unsolved, remarks=tuple(dict.fromkeys((*curves.remarks, *written.remarks)))
    )


def _standing(job: Job, record: Record, editor: Editor, stamp: str) -> str:
    """The path of the asset that was made from just this, "" where there is none."""
    path = order_of(job).path
    if job.existing is Existing.OVERWRITE:
        return path if editor.stamp(path) == stamp else ""
    if record.stamp == stamp and record.asset and editor.stamp(record.asset) == stamp:
        return record.asset
    if record.writing != stamp:
        return ""
    for place in islice(unique_paths(path), MOST_NUMBERED):  # it may have been saved just before the process died
        found = editor.stamp(place)
        if found == stamp:
            return place
        if not found and place != path:
            break
    return ""


def own_baking(take: Take, job: Job) -> Work[CurveSet]:
    """The curves as `semanticface_unreal.baking` makes them."""
    from semanticface_unreal.baking import baking, options_of  # numpy, which a batch without work needs not load

    options = options_of(job)
    yield
    try:
        return (yield from baking(take, options))
    except TakeError as error:
        raise TakeError(f"{take.path}: {error.message}", error.hint) from error
