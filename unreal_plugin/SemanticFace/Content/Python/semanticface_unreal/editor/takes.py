"""What can be done with the take behind an animation: bake it again, play it, read its analysis.

The animation's metadata say which take it was made from; its raw results are there, so nothing is computed again.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from semanticface.analysis.describe import NOT_OBSERVABLE
from semanticface.curves.recipe import Recipe
from semanticface.errors import InputError
from semanticface.exchange.livelink_stream import StreamOptions
from semanticface.results import FrameResult
from semanticface.steps import Steps
from semanticface.take import is_take, read_header, read_take
from semanticface_unreal.batch import fields
from semanticface_unreal.batch.job import Job
from semanticface_unreal.batch.journal import Record
from semanticface_unreal.batch.manifest import FORMAT, VERSION, manifest_of
from semanticface_unreal.batch.stages import JOB_TAG, SOURCE_TAG, TAKE_TAG, Finished, finishing, own_baking
from semanticface_unreal.editor.notices import TITLE
from semanticface_unreal.editor.places import package_of
from semanticface_unreal.editor.preview import Preview
from semanticface_unreal.editor.queueing import OF_CURVES, renew, standing
from semanticface_unreal.editor.selection import face_of
from semanticface_unreal.editor.session import Session
from semanticface_unreal.engine import unreal
from semanticface_unreal.settings import Settings
from semanticface_unreal.writing.writer import read_tags

SLICE = 0.05
MOST_SHOWN = 6
"""Frames of which a window shows the analysis; the file holds all."""


def take_of(sequence: unreal.AnimSequence) -> Path:
    """The folder of the take that it was made from. Raises InputError where that isn't known, or is gone."""
    name = sequence.get_name()
    folder = read_tags(package_of(sequence.get_path_name())).get(TAKE_TAG, "")
    if not folder:
        raise InputError(f"{name} wasn't made by SemanticFace", "choose an AnimSequence that the queue has written")
    if not is_take(Path(folder)):
        raise InputError(f"the take of {name} is not in {folder} any more", "bring it back, or queue the footage again")
    return Path(folder)


def rebake(session: Session, sequence: unreal.AnimSequence) -> Finished:
    """Make its curves again from its take with the present settings, behind a slow task; undone in one step.

    Raises InputError, EngineError. From a click alone.
    """
    folder = take_of(sequence)
    job = _job_of(sequence, folder, session)
    work = Steps(finishing(job, folder, Record(), session.writer(), own_baking, lambda stamp: None))
    with session.alone(), unreal.ScopedSlowTask(1.0, f"{TITLE}: {sequence.get_name()}") as task:
        task.make_dialog_delayed(0.5)
        while not work.go_on(time.perf_counter() + SLICE):
            task.enter_progress_frame(0.0)
    renew(session.places.queue, job)
    return work.result()


def preview_of(session: Session, sequence: unreal.AnimSequence) -> Preview:
    """Its take, played over Live Link with the present recipe. Raises as `Preview` does."""
    settings = session.settings
    return Preview(
        sequence.get_name(),
        take_of(sequence),
        _recipe(settings, session.places.data),
        StreamOptions(to=settings.livelink, subject=settings.subject, loop=True),
    )


def report(session: Session, sequence: unreal.AnimSequence) -> list[str]:
    """Lines on its analysis for a window; all frames' go into a text file that they name."""
    take = read_take(take_of(sequence))
    described = [result for result in take.results if result.analysis is not None]
    counts = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in take.counts().items())
    engine = take.header.engine.get("name", "unknown")
    lines = [f"{sequence.get_name()}: {len(take.results)} frames ({counts}), engine {engine}"]
    lines += [f"Frame {result.frame}: {_short(result)}" for result in _spread(described)]
    file = session.places.data / "analysis" / f"{sequence.get_name()}.txt"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n\n".join(_long(result) for result in take.results) + "\n", "utf-8")
    except OSError as error:
        return [*lines, f"The whole can't be written to {file}: {error.strerror or error}"]
    return [*lines, f"The whole is in {file}"]


def _job_of(sequence: unreal.AnimSequence, folder: Path, session: Session) -> Job:
    """The job that writes this very animation, as the queue has it if it does, with the present settings' curves."""
    settings = session.settings
    path = package_of(sequence.get_path_name())
    tags = read_tags(path)
    place, _, name = path.rpartition("/")
    face = face_of(sequence)
    row = {
        "id": tags.get(JOB_TAG) or name,
        "source": tags.get(SOURCE_TAG) or str(folder),
        "folder": place,
        "asset": name,
        "skeleton": "" if face is None else face.skeleton,
        "preview_mesh": "",
        "rate": None if read_header(folder).rate is not None else settings.rate or None,
        "existing": "overwrite",
        "level_sequence": False,
        "control_rig": "",
        "take": str(folder),
    }
    data = {"format": FORMAT, "version": VERSION, "defaults": settings.job_defaults(), "jobs": [row]}
    made = manifest_of(data, folder).jobs[0]
    queued = standing(session.places.queue, path)
    return made if queued is None else replace(queued, **{field: getattr(made, field) for field in OF_CURVES})


def _recipe(settings: Settings, base: Path) -> Recipe:
    try:
        data = fields.recipe(settings.recipe_data(), base)
    except ValueError as error:
        raise InputError(f"the recipe: {error}", "choose another file in Settings") from error
    return replace(Recipe() if data is None else Recipe.from_dict(data), reduction=None)


def _spread(results: list[FrameResult]) -> list[FrameResult]:
    """A few, evenly from the first to the last."""
    if len(results) <= MOST_SHOWN:
        return results
    return [results[round(place * (len(results) - 1) / (MOST_SHOWN - 1))] for place in range(MOST_SHOWN)]


def _short(result: FrameResult) -> str:
    analysis = result.analysis
    if analysis is None:
        return ""
    unknown = analysis.emotional_implication == NOT_OBSERVABLE
    return analysis.expression_category + ("" if unknown else f": {analysis.emotional_implication}")


def _long(result: FrameResult) -> str:
    head = f"Frame {result.frame} ({result.status.value})"
    analysis = result.analysis
    if analysis is None:
        return f"{head}: {result.message}" if result.message else head
    rows = [head, analysis.expression_category]
    rows += [f"  {region}: {text}" for region, text in analysis.muscle_movements.items()]
    return "\n".join([*rows, analysis.emotional_implication, analysis.symmetry])
