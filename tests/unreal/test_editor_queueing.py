"""The editor's queue: footage becomes jobs of a manifest, by the settings of the project."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from semanticface_unreal.batch.job import CurveNames
from semanticface_unreal.batch.manifest import Manifest, read_manifest
from semanticface_unreal.editor import queueing
from semanticface_unreal.editor.queueing import Wanted
from semanticface_unreal.settings import Settings

from semanticface.errors import InputError


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """A video and two sequences in folders; nobody looks into the files here."""
    folder = tmp_path / "footage"
    for shot in ("shot_010", "shot_020"):
        (folder / shot).mkdir(parents=True)
        for number in range(3):
            (folder / shot / f"face.{number:04d}.png").write_bytes(b"")
    (folder / "closeup.mp4").write_bytes(b"")
    return folder


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return tmp_path / "Saved" / "SemanticFace" / "queue.json"


def test_a_folder_becomes_a_job_for_each_video_and_sequence(footage: Path, queue: Path) -> None:
    made = queueing.add(queue, Wanted(footage, folder="/Game/Shots"), Settings(naming="AS_{id}_Face"))
    jobs = {job.id: job for job in read_manifest(queue).jobs}
    assert set(made) == set(jobs) == {"closeup", "shot_010", "shot_020"}
    assert (jobs["shot_010"].folder, jobs["shot_010"].asset_name) == ("/Game/Shots", "AS_shot_010_Face")


def test_the_settings_go_into_each_job(footage: Path, queue: Path) -> None:
    settings = Settings(names=CurveNames.ARKIT, head=True, smoothing=0.25, reduce_keys=False, engine="mock")
    queueing.add(queue, Wanted(footage, skeleton="/Game/Hero/Skel"), settings)
    for job in read_manifest(queue).jobs:
        assert (job.names, job.head, job.engine, job.skeleton) == (CurveNames.ARKIT, True, "mock", "/Game/Hero/Skel")
        assert job.recipe is not None
        assert (job.recipe["smoothing"], job.recipe["reduction"]) == (0.25, None)


def test_the_rate_of_the_settings_is_for_images_and_not_for_videos(footage: Path, queue: Path) -> None:
    queueing.add(queue, Wanted(footage), Settings(rate="23.976"))
    rates = {job.id: job.rate for job in read_manifest(queue).jobs}
    assert rates == {"closeup": None, "shot_010": Fraction(24000, 1001), "shot_020": Fraction(24000, 1001)}


def test_a_single_video_keeps_its_own_rate(footage: Path, queue: Path) -> None:
    queueing.add(queue, Wanted(footage / "closeup.mp4"), Settings(rate="25"))
    assert read_manifest(queue).jobs[0].rate is None


def test_a_rate_that_was_asked_for_holds_for_all(footage: Path, queue: Path) -> None:
    queueing.add(queue, Wanted(footage, rate="48"), Settings(rate="25"))
    assert {job.rate for job in read_manifest(queue).jobs} == {Fraction(48)}


def test_one_image_stands_for_its_sequence(footage: Path, queue: Path) -> None:
    queueing.add(queue, Wanted(footage / "shot_010" / "face.0001.png"), Settings())
    (job,) = read_manifest(queue).jobs
    assert (job.id, job.source) == ("shot_010", str(footage / "shot_010" / "face.%d.png"))


def test_the_same_footage_again_is_the_same_job_with_the_new_settings(footage: Path, queue: Path) -> None:
    queueing.add(queue, Wanted(footage), Settings(smoothing=0.1))
    queueing.add(queue, Wanted(footage), Settings(smoothing=0.9))
    jobs = read_manifest(queue).jobs
    assert len(jobs) == 3
    assert {job.recipe["smoothing"] for job in jobs if job.recipe is not None} == {0.9}


def test_other_footage_of_the_same_name_gets_a_number(footage: Path, queue: Path, tmp_path: Path) -> None:
    other = tmp_path / "retakes" / "Closeup.mp4"
    other.parent.mkdir()
    other.write_bytes(b"")
    queueing.add(queue, Wanted(footage / "closeup.mp4"), Settings())
    assert queueing.add(queue, Wanted(other), Settings()) == ("Closeup_2",)
    assert {job.asset_name for job in read_manifest(queue).jobs} == {"AS_closeup", "AS_Closeup_2"}


def test_takes_go_where_the_settings_say(footage: Path, queue: Path, tmp_path: Path) -> None:
    queueing.add(queue, Wanted(footage / "closeup.mp4"), Settings(takes=str(tmp_path / "takes")))
    assert read_manifest(queue).jobs[0].take == str(tmp_path / "takes" / "closeup")


def test_a_folder_without_footage_is_refused_and_the_queue_stays(footage: Path, queue: Path, tmp_path: Path) -> None:
    queueing.add(queue, Wanted(footage), Settings())
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no video and no image sequence"):
        queueing.add(queue, Wanted(tmp_path / "empty"), Settings())
    assert len(queueing.queued(queue)) == 3


def test_a_cleared_queue_has_no_file_and_no_memory(footage: Path, queue: Path) -> None:
    queueing.add(queue, Wanted(footage), Settings())
    journal = Manifest(queue, ()).journal
    journal.write_text("{}\n")
    queueing.clear(queue)
    assert queueing.queued(queue) == ()
    assert not journal.exists()


def test_a_damaged_queue_is_named(queue: Path) -> None:
    queue.parent.mkdir(parents=True)
    queue.write_text(json.dumps({"format": "something"}))
    with pytest.raises(InputError, match=r"queue\.json is not a batch manifest"):
        queueing.queued(queue)


def test_renewing_changes_how_curves_are_made_and_nothing_else(footage: Path, queue: Path) -> None:
    queueing.add(queue, Wanted(footage), Settings(smoothing=0.1))
    job = read_manifest(queue).jobs[0]
    queueing.renew(queue, replace(job, names=CurveNames.ARKIT, recipe=None, engine="other"))
    renewed, *others = read_manifest(queue).jobs
    assert (renewed.names, renewed.recipe, renewed.engine) == (CurveNames.ARKIT, None, job.engine)
    assert {other.names for other in others} == {CurveNames.METAHUMAN}
