"""The queue does each thing once, and does again just what has to be. With a real backend and its echo engine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_kit import MemoryEditor, backend, batch, by_id, footage, run
from semanticface_unreal.batch.job import Stage
from semanticface_unreal.batch.progress import Outcome, Progress
from semanticface_unreal.batch.runner import RunOptions

from semanticface import paths
from semanticface.curves.recipe import Recipe

NAMES = "one two three"


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with backend(tmp_path_factory.mktemp("home")):
        yield


@pytest.fixture
def editor() -> MemoryEditor:
    return MemoryEditor()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three sequences of three frames."""
    footage(tmp_path, NAMES)
    return tmp_path


@pytest.fixture
def no_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """From the call on none is found."""
    return lambda: monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "nobody"))


def batch_of(folder: Path, names: str = NAMES, each: Any = None, options: Any = None, **defaults: Any) -> Any:
    """Salted with the folder, so that no test finds the results of another in the backend's cache."""
    return batch(folder, names, each, options={"salt": str(folder), **(options or {})}, **defaults)


def computed(progress: Progress) -> int:
    return sum(job.computed for job in progress.jobs)


def test_every_sequence_becomes_an_asset_with_its_own_curves(folder: Path, editor: MemoryEditor) -> None:
    seen: list[Stage] = []

    def watch(runner: Any) -> None:
        seen.append(runner.progress.jobs[0].stage)

    progress = run(batch_of(folder), editor, each=watch)
    assert progress.outcome is Outcome.OK and computed(progress) == 9
    assert sorted(editor.assets) == [f"/Game/SemanticFace/AS_{name}" for name in sorted(NAMES.split())]
    curves, order = editor.assets["/Game/SemanticFace/AS_two"]
    assert (curves.rate, curves.length, curves.first) == (24, 2, 0)
    assert order.tags is not None and order.tags["SemanticFace.Take"] == str(folder / "batch.takes" / "two")
    assert order.tags["SemanticFace.Source"] == str(folder / "two") and order.tags["SemanticFace.Engine"] == "echo"
    assert order.tags["SemanticFace.Curves"] == "metahuman"
    opened = {name: _jaw(editor, name) for name in NAMES.split()}
    assert len(set(map(tuple, opened.values()))) == 3
    row = by_id(progress)["two"]
    assert (row.done, row.total, row.curves) == (3, 3, len(curves.curves)) and row.keys == curves.keys
    order_seen = [stage for stage in Stage if stage in seen]
    assert seen == sorted(seen, key=list(Stage).index) and len(order_seen) > 1


def _jaw(editor: MemoryEditor, name: str) -> list[float]:
    curves, _ = editor.assets[f"/Game/SemanticFace/AS_{name}"]
    return next(list(curve.values) for curve in curves.curves if curve.name == "CTRL_expressions_jawOpen")


def test_what_is_done_is_passed_over_without_a_backend(folder: Path, editor: MemoryEditor, no_backend: Any) -> None:
    run(batch_of(folder), editor)
    no_backend()
    progress = run(batch_of(folder), editor)
    assert progress.outcome is Outcome.OK and progress.kept == 3 and computed(progress) == 0
    assert len(editor.written) == 3


def test_a_changed_recipe_redoes_the_writing_alone(folder: Path, editor: MemoryEditor, no_backend: Any) -> None:
    run(batch_of(folder), editor)
    before = _jaw(editor, "one")
    no_backend()
    softer = {"one": {"recipe": Recipe(gain=0.5).to_dict()}}
    progress = run(batch_of(folder, each=softer), editor)
    assert progress.outcome is Outcome.OK and computed(progress) == 0 and progress.kept == 2
    assert editor.written[3:] == ["/Game/SemanticFace/AS_one"]
    assert _jaw(editor, "one") == pytest.approx([value / 2 for value in before])


@pytest.mark.parametrize(
    "change",
    [{"head": True}, {"unsolved": "hold"}, {"rate": "30000/1001"}, {"names": "arkit"}, {"level_sequence": True}],
)
def test_whatever_the_asset_depends_on_has_it_written_anew(
    folder: Path, editor: MemoryEditor, no_backend: Any, change: dict[str, Any]
) -> None:
    run(batch_of(folder, "one"), editor)
    no_backend()
    progress = run(batch_of(folder, "one", each={"one": change}), editor)
    assert progress.outcome is Outcome.OK and progress.kept == 0 and len(editor.written) == 2


def test_changed_options_redo_the_analysis_and_keep_the_old_take(folder: Path, editor: MemoryEditor) -> None:
    run(batch_of(folder), editor)
    progress = run(batch_of(folder, each={"two": {"options": {"salt": "new"}}}), editor)
    assert progress.outcome is Outcome.OK and computed(progress) == 3 and progress.kept == 2
    aside = folder / "batch.takes" / "two.1"
    assert len((aside / "frames.jsonl").read_text().splitlines()) == 3
    assert any(str(aside) in remark for remark in by_id(progress)["two"].remarks)


def test_changed_footage_redoes_the_analysis(folder: Path, editor: MemoryEditor) -> None:
    run(batch_of(folder), editor)
    before = _jaw(editor, "one")
    first, last = folder / "one" / "f_0000.png", folder / "one" / "f_0002.png"
    first.write_bytes(last.read_bytes())
    os.utime(first, ns=(1, 1))
    progress = run(batch_of(folder), editor)
    assert progress.kept == 2 and _jaw(editor, "one")[0] == before[2]


def test_footage_that_was_only_copied_anew_is_not_analyzed_again(folder: Path, editor: MemoryEditor) -> None:
    run(batch_of(folder), editor)
    os.utime(folder / "one" / "f_0000.png", ns=(1, 1))
    progress = run(batch_of(folder), editor)
    assert progress.kept == 3 and computed(progress) == 0


def test_a_deleted_asset_is_written_again_without_analysis(folder: Path, editor: MemoryEditor, no_backend: Any) -> None:
    run(batch_of(folder), editor)
    del editor.assets["/Game/SemanticFace/AS_three"]
    no_backend()
    progress = run(batch_of(folder), editor)
    assert progress.outcome is Outcome.OK and computed(progress) == 0
    assert editor.written[3:] == ["/Game/SemanticFace/AS_three"]


def test_a_take_that_lost_frames_goes_through_the_backend_again(folder: Path, editor: MemoryEditor) -> None:
    run(batch_of(folder), editor)
    frames = folder / "batch.takes" / "one" / "frames.jsonl"
    frames.write_bytes(frames.read_bytes()[:-20])
    progress = run(batch_of(folder), editor)
    assert progress.outcome is Outcome.OK and progress.kept == 3
    assert len(frames.read_text().splitlines()) == 3


def test_missing_footage_fails_its_job_alone_and_is_tried_again(folder: Path, editor: MemoryEditor) -> None:
    (folder / "two").rename(folder / "away")
    progress = run(batch_of(folder), editor)
    failed = by_id(progress)["two"]
    assert progress.outcome is Outcome.FAILED and progress.count(Stage.DONE) == 2
    assert failed.stage is Stage.FAILED and failed.error is not None and str(folder / "two") in failed.error.message
    (folder / "away").rename(folder / "two")
    again = run(batch_of(folder), editor)
    assert again.outcome is Outcome.OK and again.kept == 2


def test_what_the_editor_refuses_is_found_before_the_analysis(folder: Path, editor: MemoryEditor) -> None:
    editor.refused = {"/Game/SemanticFace/AS_one"}
    progress = run(batch_of(folder), editor)
    row = by_id(progress)["one"]
    assert row.stage is Stage.FAILED and "no skeleton" in str(row.error) and row.computed == 0
    assert progress.count(Stage.DONE) == 2


@pytest.mark.parametrize("fault", ["refused", "bug"])
def test_an_asset_that_can_not_be_written_costs_its_job_alone(
    folder: Path, editor: MemoryEditor, fault: str, no_backend: Any
) -> None:
    def buggy(path: str) -> None:
        if fault == "bug" and path.endswith("two"):
            raise TypeError("NativizeProperty: Cannot nativize 'str' as 'Name'")

    editor.on_write = buggy
    editor.broken = {"/Game/SemanticFace/AS_two"} if fault == "refused" else set()
    progress = run(batch_of(folder), editor)
    words = "can't be saved" if fault == "refused" else "internal fault: TypeError"
    assert words in str(by_id(progress)["two"].error) and progress.count(Stage.DONE) == 2
    editor.on_write, editor.broken = lambda path: None, set()
    no_backend()
    assert run(batch_of(folder), editor).outcome is Outcome.OK


def test_frames_that_failed_are_tried_again_on_request_alone(folder: Path, editor: MemoryEditor) -> None:
    fails = {"two": {"options": {"salt": str(folder), "fail_on": [1]}}}
    first = run(batch_of(folder, each=fails), editor)
    assert first.outcome is Outcome.OK and by_id(first)["two"].failed == 1
    assert by_id(first)["two"].unsolved == "omit: 1"
    second = run(batch_of(folder, each=fails), editor)
    assert second.kept == 3 and by_id(second)["two"].failed == 1
    third = run(batch_of(folder, each=fails), editor, RunOptions(start=False, retry_failed=True))
    assert [job.id for job in third.jobs] == ["two"] and third.jobs[0].computed == 1


def test_retrying_takes_up_failed_jobs_alone(folder: Path, editor: MemoryEditor) -> None:
    editor.broken = {"/Game/SemanticFace/AS_two"}
    run(batch_of(folder), editor)
    editor.broken = set()
    progress = run(batch_of(folder), editor, RunOptions(start=False, retry_failed=True))
    assert [job.id for job in progress.jobs] == ["two"] and progress.outcome is Outcome.OK
    nothing = run(batch_of(folder), editor, RunOptions(start=False, retry_failed=True))
    assert nothing.jobs == () and nothing.outcome is Outcome.OK


def test_some_jobs_alone(folder: Path, editor: MemoryEditor) -> None:
    progress = run(batch_of(folder).only(["three"]), editor)
    assert [job.id for job in progress.jobs] == ["three"] and editor.written == ["/Game/SemanticFace/AS_three"]


@pytest.mark.parametrize("policy", ["omit", "hold", "neutral"])
def test_what_stands_in_frames_without_a_face_is_recorded(folder: Path, editor: MemoryEditor, policy: str) -> None:
    options = {"salt": f"{folder} {policy}", "no_face_on": [1]}
    progress = run(batch_of(folder, "one", options=options, unsolved=policy), editor)
    curves, _ = editor.assets["/Game/SemanticFace/AS_one"]
    assert progress.jobs[0].unsolved == f"{policy}: 1"
    jaw = _jaw(editor, "one")
    assert {"omit": len(jaw) == 2, "hold": jaw[:1] == jaw[1:2], "neutral": jaw[1:2] == [0.0]}[policy]
    assert curves.unsolved == (1,)


def test_two_jobs_of_one_take_analyze_it_once(folder: Path, editor: MemoryEditor) -> None:
    each = {
        "one": {"take": "shared", "source": "one"},
        "two": {"take": "shared", "source": "one", "names": "arkit"},
    }
    progress = run(batch_of(folder, "one two", each), editor)
    assert progress.outcome is Outcome.OK and computed(progress) == 3 and len(editor.assets) == 2
    assert len((folder / "shared" / "frames.jsonl").read_text().splitlines()) == 3


def test_the_users_own_take_is_never_moved(folder: Path, editor: MemoryEditor) -> None:
    run(batch_of(folder, "one", each={"one": {"take": "mine"}}), editor)
    progress = run(batch_of(folder, "one", each={"one": {"take": "mine", "options": {"salt": "x"}}}), editor)
    assert progress.outcome is Outcome.FAILED and "other settings" in str(progress.jobs[0].error)
    assert not (folder / "mine.1").exists()


def test_unique_names_are_found_again(folder: Path, editor: MemoryEditor) -> None:
    name = "AS_sh010"
    plain = {"one": {"asset": name}}
    unique = {"one": {"asset": name, "existing": "unique"}}
    first = run(batch_of(folder, "one", plain), editor)
    second = run(batch_of(folder, "one", unique), editor)
    path = f"/Game/SemanticFace/{name}_1"
    assert (first.jobs[0].asset, second.jobs[0].asset) == (f"/Game/SemanticFace/{name}", path)
    third = run(batch_of(folder, "one", unique), editor)
    assert third.kept == 1 and third.jobs[0].asset == path
    _forget_the_end(folder / "batch.json.journal.jsonl")  # as if the process had died right after saving
    fourth = run(batch_of(folder, "one", unique), editor)
    assert fourth.kept == 1 and fourth.jobs[0].asset == path and len(editor.assets) == 2


def _forget_the_end(journal: Path) -> None:
    lines = journal.read_text().splitlines(keepends=True)
    assert json.loads(lines[-1])["stage"] == "done"
    journal.write_text("".join(lines[:-1]))
