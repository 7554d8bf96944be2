"""A manifest says exactly what is wrong with it, and comes back as it was written."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from batch_kit import footage
from semanticface_unreal.batch.job import CurveNames
from semanticface_unreal.batch.manifest import FORMAT, Manifest, from_folder, manifest_of, read_manifest, write_manifest
from semanticface_unreal.curve_set import Unsolved

from semanticface.curves.recipe import Recipe
from semanticface.errors import InputError

RECIPE = Recipe(smoothing=0.25).to_dict()


def manifest(tmp_path: Path, *jobs: dict[str, Any], **defaults: Any) -> Manifest:
    data = {"format": FORMAT, "version": 1, "defaults": defaults, "jobs": list(jobs)}
    return manifest_of(data, tmp_path / "shots.json")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("rate", "fast", "frame rate"),
        ("rate", 0, "frame rate"),
        ("rate", True, "frames a second"),
        ("frames", "9-1", "runs backwards"),
        ("frames", "1-2x", "not a frame"),
        ("frames", 5, "text"),
        ("head", "yes", "true or false"),
        ("head_factor", float("inf"), "number"),
        ("names", "maya", "one of metahuman, arkit, profile"),
        ("unsolved", "guess", "one of omit, hold, neutral"),
        ("existing", "append", "one of overwrite, unique"),
        ("folder", "Game/Shots", "content path"),
        ("folder", "/Game/My Shots", "content path"),
        ("asset", "a/b", "'/'"),
        ("options", [1], "map"),
        ("options", {"a": {"b": {1: 2}}}, "plain data"),
        ("recipe", {"format": "semanticface-recipe", "version": 1, "smoothing": 9}, "smoothing is 9"),
        ("recipe", "missing.json", "can't be read"),
        ("profile", {"format": "other"}, "retarget profile"),
        ("source", "  ", "path"),
        ("fps", 24, "unknown field 'fps'"),
    ],
)
def test_an_error_names_the_job_and_the_field(tmp_path: Path, field: str, value: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        manifest(tmp_path, {"id": "first", "source": "a"}, {"id": "second", "source": "b", field: value})
    assert "job second" in caught.value.message and field in caught.value.message
    assert words in str(caught.value)
    assert str(tmp_path / "shots.json") in caught.value.message


def test_a_wrong_default_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="defaults: `unsolved`"):
        manifest(tmp_path, {"id": "a", "source": "a"}, unsolved="zero")


@pytest.mark.parametrize("missing", ["id", "source"])
def test_a_job_needs_id_and_source(tmp_path: Path, missing: str) -> None:
    row = {"id": "a", "source": "a"}
    del row[missing]
    with pytest.raises(InputError, match=f"has no `{missing}`"):
        manifest(tmp_path, row)


def test_two_jobs_may_not_be_in_each_others_way(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two jobs have the id"):
        manifest(tmp_path, {"id": "a", "source": "a"}, {"id": "A", "source": "b"})
    with pytest.raises(InputError, match="jobs a and b both write /Game/SemanticFace/X"):
        manifest(tmp_path, {"id": "a", "source": "a", "asset": "X"}, {"id": "b", "source": "b", "asset": "X"})
    both = [{"id": name, "source": name, "asset": "X", "existing": "unique"} for name in "ab"]
    assert len(manifest(tmp_path, *both).jobs) == 2


def test_paths_count_from_the_manifests_folder_and_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "soft.json").write_text(json.dumps(RECIPE))
    row = {"id": "a", "source": "in/a_####.png", "recipe": "soft.json", "take": "takes/a"}
    (job,) = manifest(tmp_path, row).jobs
    assert job.source == str(tmp_path / "in" / "a_####.png")
    assert job.take == str(tmp_path / "takes" / "a")
    assert job.recipe == RECIPE


@pytest.mark.parametrize(("typed", "exact"), [(24, 24), (23.976, Fraction(24000, 1001)), ("30000/1001", None)])
def test_a_rate_is_exact(tmp_path: Path, typed: Any, exact: Any) -> None:
    (job,) = manifest(tmp_path, {"id": "a", "source": "a", "rate": typed}).jobs
    assert job.rate == (Fraction(30000, 1001) if exact is None else exact)


def test_open_ranges_of_frames_are_taken(tmp_path: Path) -> None:
    (job,) = manifest(tmp_path, {"id": "a", "source": "a", "frames": "0-9:3, 20-, 30-:2"}).jobs
    assert job.frames == "0-9:3, 20-, 30-:2"


def test_defaults_hold_for_all_jobs_and_a_job_overrides_them(tmp_path: Path) -> None:
    rows = {"id": "a", "source": "a"}, {"id": "b", "source": "b", "unsolved": "neutral"}
    a, b = manifest(tmp_path, *rows, unsolved="hold", names="arkit", engine="landmarks").jobs
    assert (a.unsolved, b.unsolved) == (Unsolved.HOLD, Unsolved.NEUTRAL)
    assert {a.names, b.names} == {CurveNames.ARKIT} and b.engine == "landmarks"


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    one = {"id": "a.1", "source": "a", "rate": "24000/1001", "recipe": RECIPE, "head": True, "existing": "unique"}
    two = {"id": "b", "source": "b", "options": {"face": [1, 2, 3, 4]}, "take": "t", "folder": "/Game/Other/"}
    before = manifest(tmp_path, one, two)
    write_manifest(before)
    assert read_manifest(before.path) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "not a batch manifest"),
        ('{"format": "semanticface-batch", "version": 2}', "version 2"),
        ('{"format": "semanticface-batch", "version": 1, "jobs": {}}', "list of maps"),
        ('{"format": "semanticface-batch", "version": 1, "job": []}', "unknown field 'job'"),
        ('{"format": "semanticface-batch", "version": 1, "jobs": [7]}', "job 1 is not a map"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "m.json"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_manifest(file)
    assert words in caught.value.message and str(file) in caught.value.message


def test_some_jobs_alone_and_an_id_that_is_not_there(tmp_path: Path) -> None:
    whole = manifest(tmp_path, *({"id": name, "source": name} for name in "abc"))
    assert [job.id for job in whole.only(["c", "a"]).jobs] == ["a", "c"]
    with pytest.raises(InputError, match="no job d"):
        whole.only(["a", "d"])


def test_a_folder_becomes_a_job_for_each_sequence_and_video(tmp_path: Path) -> None:
    footage(tmp_path, "sc01/sh010 sc01/sh020 .hidden/no")
    (tmp_path / "clip.MP4").write_bytes(b"")
    (tmp_path / "sc01" / "clip.mov").write_bytes(b"")
    (tmp_path / "sc01" / "still.png").write_bytes(b"")
    for name in ("left_1.jpg", "left_2.jpg", "right_1.jpg", "right_2.jpg", "alone_7.jpg"):
        (tmp_path / "sc01" / name).write_bytes(b"")
    made = from_folder(tmp_path, {"rate": 25, "folder": "/Game/Shots"})
    assert {job.id: Path(job.source).relative_to(tmp_path).as_posix() for job in made.jobs} == {
        "clip": "clip.MP4",
        "sc01_clip": "sc01/clip.mov",
        "sc01_left": "sc01/left_%d.jpg",
        "sc01_right": "sc01/right_%d.jpg",
        "sc01_sh010": "sc01/sh010",
        "sc01_sh020": "sc01/sh020",
    }
    assert {job.folder for job in made.jobs} == {"/Game/Shots"} and made.path.parent == tmp_path
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no video and no image sequence"):
        from_folder(tmp_path / "empty", {})
