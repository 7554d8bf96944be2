"""The queue as an animator runs it: in ticks while the editor stays usable, or behind a window with Cancel."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import unreal
from batch_kit import backend, footage
from editor_kit import FACE, plugin, queue, tick_until
from semanticface_unreal.editor.running import Run
from semanticface_unreal.settings import Settings
from unreal_testing import EditorCrash

from semanticface.launch import live_run_file

pytestmark = pytest.mark.timeout(60)  # a run that waits for ever shows where


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with backend(tmp_path_factory.mktemp("home")):
        yield


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Two shots of three frames."""
    footage(tmp_path / "shots", "shot_010 shot_020")
    return tmp_path / "shots"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"


def test_queued_footage_becomes_animations_while_the_editor_ticks(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        queue(editor, shots, run_now=True)
        assert session.run is not None
        tick_until(editor, lambda: session.run is None)
        for name in ("AS_shot_010", "AS_shot_020"):
            assert editor.sequence(f"/Game/SemanticFace/{name}").curves
            assert editor.saved(f"/Game/SemanticFace/{name}")
        assert editor.label("Status") == "SemanticFace: 2 of 2"
        assert "Saving packages..." in editor.desk.titles and not editor.crashed


def test_the_status_entry_says_what_goes_on(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        assert editor.label("Status") == "SemanticFace: ready"
        queue(editor, shots, run_now=True)
        labels = set()
        tick_until(editor, lambda: labels.add(editor.label("Status")) or session.run is None)  # type: ignore[func-returns-value]
        assert any(label.startswith("SemanticFace: 0 of 2, shot_0") for label in labels), labels


def test_footage_is_queued_for_the_selected_metahuman(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        body = "/Game/Mannequins/SKM_Mannequin"
        editor.select_actors([editor.place_actor("Hero", Body=body, Face=f"{FACE}/SKM_Face_Archetype")])
        queue(editor, shots)
        jobs = json.loads(session.places.queue.read_text())["jobs"]
        assert {job["preview_mesh"] for job in jobs} == {f"{FACE}/SKM_Face_Archetype"}
        assert {job["skeleton"] for job in jobs} == {f"{FACE}/Face_Archetype_Skeleton"}


def test_a_cancelled_dialog_queues_nothing(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        editor.answer("CANCEL", {"folder": unreal.DirectoryPath(str(shots))})
        editor.click("QueueFootage")
        assert not session.places.queue.exists()
        assert session.run is None


def test_a_dialog_without_footage_says_so_and_keeps_what_was_typed(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        editor.answer("OK", {"frames": "0-1"})
        editor.answer("OK")  # the window that says what is missing
        editor.answer("OK", {"folder": unreal.DirectoryPath(str(shots)), "run_now": False})
        editor.click("QueueFootage")
        assert "choose a folder of footage" in editor.dialogs[1].message
        assert {job["frames"] for job in json.loads(session.places.queue.read_text())["jobs"]} == {"0-1"}


def test_wrong_frames_are_shown_and_nothing_is_queued(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        editor.answer("OK", {"folder": unreal.DirectoryPath(str(shots)), "frames": "nine"})
        editor.answer("OK")
        editor.click("QueueFootage")
        assert "frames" in editor.dialogs[-1].message
        assert not session.places.queue.exists()


@pytest.mark.clock
def test_ticks_keep_to_their_budget(project: Path, tmp_path: Path) -> None:
    """Each tick hands on its budget as a deadline. Some of an asset's steps can't be parted and take longer, so it is
    the median that must keep to it; and none stalls."""
    footage(tmp_path / "long", "s1 s2 s3 s4", frames=40)
    with plugin(project) as (editor, session):
        queue(editor, tmp_path / "long", run_now=True)
        budget = session.settings.budget / 1000
        took, given = [], []
        assert session.run is not None
        step = session.run.step

        def watched(deadline: float) -> bool:
            given.append(deadline - time.perf_counter())
            return step(deadline)

        session.run.step = watched  # type: ignore[method-assign]
        while session.run is not None:
            start = time.thread_time()  # of this thread alone, whatever else the machine does
            editor.tick()
            took.append(time.thread_time() - start)
            time.sleep(0.002)
        assert len(given) >= len(took)
        assert max(given) <= budget
        assert statistics.median(took) < 2 * budget
        assert max(took) < 0.5


def test_a_queue_in_slates_tick_alone_would_kill_the_editor(
    project: Path, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving closes a window. That the fake dies of it is what all tests here rest on: no tick touches an asset."""
    monkeypatch.setattr("semanticface_unreal.editor.running.Run.listen", Run.step)
    monkeypatch.setattr("semanticface_unreal.editor.pulse.Pulse.ask", lambda pulse: None)
    with plugin(project) as (editor, session):
        queue(editor, shots, run_now=True)
        with pytest.raises(EditorCrash, match="inside a tick callback"):
            tick_until(editor, lambda: session.run is None)


def test_an_editor_without_calls_between_frames_says_what_to_do(
    project: Path, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*arguments: object) -> None:
        raise Exception("Failed to find function 'AsyncEditorDelay'")

    monkeypatch.setattr(unreal.AsyncEditorDelay, "call_method", absent)
    with plugin(project) as (editor, session):
        queue(editor, shots, run_now=True)
        editor.tick(3)
        assert session.run is None
        assert any("choose Run and Wait" in text for text in editor.logged("warning"))
        editor.answer("OK")
        editor.click("RunAndWait")
        assert session.last is not None and session.last.outcome == "OK"


def test_run_and_wait_shows_progress_and_selects_the_results(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        queue(editor, shots)
        editor.answer("OK")
        editor.click("RunAndWait")
        assert session.run is None
        assert editor.open_slow_tasks == 0
        assert any("of 2" in text for text in editor.slow_task_frames)
        assert "2 of 2 jobs done" in editor.dialogs[-1].message
        assert [asset.get_name() for asset in unreal.EditorUtilityLibrary.get_selected_assets()] == [
            "AS_shot_010",
            "AS_shot_020",
        ]


def test_cancel_in_the_window_ends_the_run_and_what_is_done_stays(project: Path, tmp_path: Path) -> None:
    footage(tmp_path / "many", " ".join(f"s{number:02d}" for number in range(20)))
    with plugin(project) as (editor, session):
        queue(editor, tmp_path / "many")
        editor.cancel_slow_task_after(2)
        editor.answer("OK")
        editor.click("RunAndWait")
        assert session.run is None
        assert session.last is not None and session.last.cancelled
        assert "cancelled" in editor.dialogs[-1].message
        assert editor.open_brackets == editor.open_slow_tasks == 0
        editor.answer("OK")
        editor.click("RunAndWait")
        assert "20 of 20 jobs done" in editor.dialogs[-1].message


def test_ticks_inside_the_windows_loop_do_not_run_the_queue_twice(project: Path, shots: Path) -> None:
    """The window ticks Slate, so the session's own callback is called in the middle of the loop."""
    with plugin(project) as (editor, session):
        queue(editor, shots, run_now=True)  # its tick is registered
        depth, deepest = 0, 0
        run = session.run
        assert run is not None
        step = run.step

        def watched(deadline: float) -> bool:
            nonlocal depth, deepest
            depth += 1
            deepest = max(deepest, depth)
            try:
                editor.tick()  # as saving an asset does
                return step(deadline)
            finally:
                depth -= 1

        run.step = watched  # type: ignore[method-assign]
        editor.answer("OK")
        editor.click("RunAndWait")
        assert deepest == 1
        assert session.last is not None and session.last.outcome == "OK"


def test_cancel_in_the_menu_ends_a_run_in_ticks(project: Path, tmp_path: Path) -> None:
    footage(tmp_path / "many", " ".join(f"s{number:02d}" for number in range(20)))
    with plugin(project) as (editor, session):
        assert not editor.can_click("Cancel")
        queue(editor, tmp_path / "many", run_now=True)
        editor.tick(3)
        editor.click("Cancel")
        tick_until(editor, lambda: session.run is None)
        assert session.last is not None and session.last.cancelled
        assert editor.can_click("RunQueue")


def test_footage_queued_during_a_run_is_run_after_it(project: Path, shots: Path, tmp_path: Path) -> None:
    footage(tmp_path / "later", "shot_030")
    with plugin(project) as (editor, session):
        queue(editor, shots, run_now=True)
        editor.tick()
        assert not editor.can_click("RunQueue")
        queue(editor, tmp_path / "later", run_now=True)
        tick_until(editor, lambda: session.run is None)
        assert editor.sequence("/Game/SemanticFace/AS_shot_030").curves


def test_a_failed_job_says_why_and_the_others_are_done(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        queue(editor, shots)
        for picture in (shots / "shot_010").iterdir():
            picture.unlink()
        editor.click("RunQueue")
        tick_until(editor, lambda: session.run is None)
        assert editor.label("Status") == "SemanticFace: 1 of 2, 1 failed"
        editor.answer("OK")
        editor.click("OpenLastSummary")
        assert "shot_010: " in editor.dialogs[-1].message
        assert json.loads((session.places.data / "queue.summary.json").read_text())["result"] == "FAILED"


def test_an_empty_queue_says_what_to_do(project: Path) -> None:
    with plugin(project) as (editor, _session):
        editor.answer("OK")
        editor.click("RunQueue")
        assert "Queue Footage" in editor.dialogs[-1].message


def test_the_queue_is_forgotten_only_when_the_user_agrees(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        queue(editor, shots)
        editor.answer("NO")
        editor.click("ClearQueue")
        assert session.places.queue.exists()
        editor.answer("YES")
        editor.click("ClearQueue")
        assert not session.places.queue.exists()


def test_a_queue_that_is_run_elsewhere_is_refused(project: Path, shots: Path) -> None:
    from semanticface_unreal.batch.journal import Journal
    from semanticface_unreal.batch.manifest import read_manifest

    with plugin(project) as (editor, session):
        queue(editor, shots)
        with Journal.open(read_manifest(session.places.queue).journal):
            editor.answer("OK")
            editor.click("RunQueue")
        assert "being run by another process" in editor.dialogs[-1].message
        assert session.run is None


@pytest.mark.clock
def test_the_editor_closes_in_the_middle_of_a_run_and_goes_on_next_time(project: Path, tmp_path: Path) -> None:
    footage(tmp_path / "many", " ".join(f"s{number:02d}" for number in range(12)))
    with plugin(project) as (editor, session):
        queue(editor, tmp_path / "many", run_now=True)
        tick_until(editor, lambda: session.last is None and bool(session.run and session.run.progress.count("done")))
        start = time.perf_counter()
        editor.desk.end()
        assert time.perf_counter() - start < 1.0
        assert editor.tick_callbacks == 0
        assert session.link.pump is None
    with plugin(project) as (editor, session):
        editor.click("RunQueue")
        tick_until(editor, lambda: session.run is None)
        assert session.last is not None and session.last.outcome == "OK"
        assert session.last.kept > 0


def test_ticks_end_once_the_backend_was_idle_for_long(
    project: Path, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plugin(project) as (editor, session):
        queue(editor, shots, run_now=True)
        tick_until(editor, lambda: session.run is None)
        assert editor.tick_callbacks == 1
        monkeypatch.setattr("semanticface_unreal.editor.session.IDLE_SECONDS", 0.0)
        tick_until(editor, lambda: not editor.tick_callbacks)
        assert live_run_file() is not None  # it was not ours to end


def test_a_fault_of_our_own_is_said_once_and_ends_the_run(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        queue(editor, shots, run_now=True)

        def broken(deadline: float) -> bool:
            raise ZeroDivisionError("of the test")

        assert session.run is not None
        session.run.step = broken  # type: ignore[method-assign]
        editor.tick(5)
        assert session.run is None
        (fault,) = [text for text in editor.logged("error") if "ZeroDivisionError" in text]
        assert "in broken" in fault  # the traceback
        assert "SemanticFace: Internal fault: ZeroDivisionError: of the test" in editor.logged("warning")
        editor.click("RunQueue")
        tick_until(editor, lambda: session.run is None)
        assert session.last is not None and session.last.outcome == "OK"


def test_the_actor_that_was_selected_at_the_start_is_meant_whatever_is_selected_later(
    project: Path, shots: Path
) -> None:
    settings = Settings(engine="echo", rate="24", level_sequence=True)
    with plugin(project, settings) as (editor, session):
        hero, other = (editor.place_actor(name, Face=f"{FACE}/SKM_Face_Archetype") for name in ("Hero", "Other"))
        editor.select_actors([hero])
        queue(editor, shots, run_now=True)
        editor.select_actors([other])
        tick_until(editor, lambda: session.run is None)
        assert session.last is not None and session.last.outcome == "OK", session.summary
        (level,) = [path for path in session.last.jobs[0].others]
        bindings = unreal.MovieSceneSequenceExtensions.get_bindings(unreal.load_asset(level))
        assert "Hero" in {str(binding.get_display_name()) for binding in bindings}


def test_what_was_just_written_is_not_taken_for_the_target(project: Path, shots: Path) -> None:
    with plugin(project) as (editor, session):
        queue(editor, shots)
        editor.answer("OK")
        editor.click("RunAndWait")  # selects the animations
        editor.select_actors([editor.place_actor("Hero", Face=f"{FACE}/SKM_Face_Archetype")])
        queue(editor, shots)
        jobs = json.loads(session.places.queue.read_text())["jobs"]
        assert {job["preview_mesh"] for job in jobs} == {f"{FACE}/SKM_Face_Archetype"}


@pytest.mark.parametrize("state", ["playing", "loading_assets"])
def test_the_queue_waits_while_the_editor_refuses_assets(project: Path, shots: Path, state: str) -> None:
    """The level is played, or assets are still looked for: analysis goes on, nothing is checked or written."""
    with plugin(project) as (editor, session):
        queue(editor, shots, run_now=True)
        tick_until(editor, lambda: bool(session.run and session.run.progress.count("probed", "analyzed")))
        setattr(editor.desk, state, True)
        for _ in range(100):
            editor.tick()
            time.sleep(0.002)
        assert session.run is not None and "; waits: the " in editor.label("Status")
        editor.answer("OK")
        editor.click("RunAndWait")
        assert "try again" in editor.dialogs[-1].message
        setattr(editor.desk, state, False)
        tick_until(editor, lambda: session.run is None)
        assert session.last is not None and session.last.outcome == "OK", session.summary
        assert not [text for text in editor.logged("error") if "LogUtils" in text]  # the editor was never asked


def test_only_failed_jobs_are_tried_again(project: Path, shots: Path, tmp_path: Path) -> None:
    with plugin(project) as (editor, session):
        queue(editor, shots)
        (shots / "shot_010").rename(tmp_path / "elsewhere")
        editor.click("RunQueue")
        tick_until(editor, lambda: session.run is None)
        (tmp_path / "elsewhere").rename(shots / "shot_010")
        editor.click("RetryFailed")
        tick_until(editor, lambda: session.run is None)
        assert session.last is not None
        assert [(job.id, str(job.stage)) for job in session.last.jobs] == [("shot_010", "done")]
        editor.answer("OK")
        editor.click("RetryFailed")
        assert "no job of the queue has failed" in editor.dialogs[-1].message
        editor.click("RunQueue")  # the journal is free
        tick_until(editor, lambda: session.run is None)
