"""The fake editor ticks, asks and shows progress as the editor does, and dies where it dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import unreal
from unreal_testing import EditorCrash, FakeEditor, NobodyAnswers


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[FakeEditor]:
    with FakeEditor(tmp_path) as opened:
        yield opened


def show_message() -> Any:
    return unreal.EditorDialog.show_message("T", "M", unreal.AppMsgType.YES_NO, unreal.AppReturnType.NO)


def slow_task_with_window() -> None:
    with unreal.ScopedSlowTask(1) as task:
        task.make_dialog(True)


def test_callbacks_run_at_each_tick_until_they_are_taken_away(editor: FakeEditor) -> None:
    seen: list[float] = []
    handle = unreal.register_slate_post_tick_callback(seen.append)
    editor.tick(2, seconds=0.5)
    unreal.unregister_slate_post_tick_callback(handle)
    editor.tick()
    assert seen == [0.5, 0.5]


def test_a_callback_that_raises_is_logged_and_called_again(editor: FakeEditor) -> None:
    unreal.register_slate_post_tick_callback(lambda _: 1 / 0)
    editor.tick(2)
    assert sum("ZeroDivisionError" in line for line in editor.logged("error")) == 2


def test_a_callback_can_take_itself_away(editor: FakeEditor) -> None:
    seen: list[float] = []

    def once(seconds: float) -> None:
        seen.append(seconds)
        unreal.unregister_slate_pre_tick_callback(handles[0])

    handles = [unreal.register_slate_pre_tick_callback(once)]
    editor.tick(3)
    assert len(seen) == 1


def test_a_callback_that_another_took_away_does_not_run_in_that_tick(editor: FakeEditor) -> None:
    unreal.register_slate_post_tick_callback(lambda _: unreal.unregister_slate_post_tick_callback(gone))
    gone = unreal.register_slate_post_tick_callback(lambda _: pytest.fail("ran"))
    editor.tick()


@pytest.mark.parametrize("handle", [None, 1, print])
def test_only_handles_are_taken_away(editor: FakeEditor, handle: Any) -> None:
    with pytest.raises(TypeError):
        unreal.unregister_slate_post_tick_callback(handle)


def test_a_handle_is_taken_away_twice_without_a_word(editor: FakeEditor) -> None:
    handle = unreal.register_slate_post_tick_callback(print)
    unreal.unregister_slate_post_tick_callback(handle)
    unreal.unregister_slate_post_tick_callback(handle)


def test_only_what_can_be_called_is_registered(editor: FakeEditor) -> None:
    with pytest.raises(TypeError):
        unreal.register_slate_post_tick_callback("print(1)")


def test_shutdown_callbacks_run_when_the_editor_ends(tmp_path: Path) -> None:
    seen: list[str] = []
    with FakeEditor(tmp_path):
        unreal.register_python_shutdown_callback(lambda: seen.append("end"))
        gone = unreal.register_python_shutdown_callback(lambda: seen.append("never"))
        unreal.unregister_python_shutdown_callback(gone)
        assert seen == []
    assert seen == ["end"]


@pytest.mark.parametrize("window", [show_message, slow_task_with_window])
def test_a_window_inside_a_tick_kills_the_editor(editor: FakeEditor, window: Callable[[], Any]) -> None:
    editor.answer("YES")
    unreal.register_slate_post_tick_callback(lambda _: window())
    with pytest.raises(EditorCrash, match="tick callback"):
        editor.tick()
    assert editor.crashed


def test_a_call_from_another_thread_kills_the_editor(editor: FakeEditor) -> None:
    def elsewhere() -> None:
        with pytest.raises(EditorCrash):
            show_message()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "IsInGameThread" in editor.crashed


def test_a_dialog_gives_what_the_user_presses(editor: FakeEditor) -> None:
    editor.answer("YES")
    assert show_message() is unreal.AppReturnType.YES
    assert [(shown.title, shown.message, shown.button) for shown in editor.dialogs] == [("T", "M", "YES")]


@pytest.mark.parametrize("button", [None, "OK"])
def test_a_dialog_without_a_fitting_answer_hangs(editor: FakeEditor, button: str | None) -> None:
    if button:
        editor.answer(button)
    with pytest.raises(NobodyAnswers):
        show_message()


def test_slate_ticks_while_a_dialog_is_open(editor: FakeEditor) -> None:
    seen: list[float] = []
    unreal.register_slate_post_tick_callback(seen.append)
    editor.answer("NO")
    show_message()
    assert seen


@pytest.mark.parametrize("where", [{"unattended": True}, {"commandlet": True}])
def test_unattended_nobody_is_asked(tmp_path: Path, where: dict[str, bool]) -> None:
    with FakeEditor(tmp_path, **where):
        assert show_message() is unreal.AppReturnType.NO
        assert unreal.EditorDialog.show_object_details_view("T", unreal.Factory()) is False


def test_edits_stay_when_a_details_view_is_cancelled(editor: FakeEditor) -> None:
    shown = unreal.AssetImportTask()
    editor.answer("CANCEL", {"filename": "a.csv"})
    assert unreal.EditorDialog.show_object_details_view("T", shown) is False
    assert shown.filename == "a.csv"


def test_edits_are_of_the_propertys_type(editor: FakeEditor) -> None:
    editor.answer("OK", {"filename": 3})
    with pytest.raises(TypeError):
        unreal.EditorDialog.show_object_details_view("T", unreal.AssetImportTask())


def test_a_slow_task_with_a_window_lets_slate_tick_inside(editor: FakeEditor) -> None:
    seen: list[float] = []
    unreal.register_slate_post_tick_callback(seen.append)
    with unreal.ScopedSlowTask(2, "Work") as task:
        task.enter_progress_frame(1)
        assert not seen, "no window, no ticks"
        task.make_dialog(True)
        before = len(seen)
        task.enter_progress_frame(1, "half")
        assert len(seen) > before
        before = len(seen)
        task.should_cancel()
        assert len(seen) > before
    assert editor.slow_task_frames == ["Work", "half"]


@pytest.mark.parametrize(("cancellable", "cancelled"), [(True, [False, False, True]), (False, [False] * 3)])
def test_cancel_works_where_there_is_a_button(editor: FakeEditor, cancellable: bool, cancelled: list[bool]) -> None:
    editor.cancel_slow_task_after(2)
    asked = []
    with unreal.ScopedSlowTask(3) as task:
        task.make_dialog(cancellable)
        for _ in range(3):
            asked.append(task.should_cancel())
            task.enter_progress_frame()
    assert asked == cancelled


def test_a_commandlet_shows_no_progress_and_never_ticks(tmp_path: Path) -> None:
    with FakeEditor(tmp_path, commandlet=True) as editor:
        unreal.register_slate_post_tick_callback(lambda _: pytest.fail("ticked"))
        editor.cancel_slow_task_after(1)
        with unreal.ScopedSlowTask(1) as task:
            task.make_dialog(True)
            task.enter_progress_frame()
            assert not task.should_cancel()
        editor.tick()


def test_more_work_than_was_announced_is_complained_of(editor: FakeEditor) -> None:
    with unreal.ScopedSlowTask(1) as task:
        task.enter_progress_frame(1)
        task.enter_progress_frame(1)
    assert any("Work overflow" in line for line in editor.logged("error"))


def test_a_slow_task_works_inside_with_alone(editor: FakeEditor) -> None:
    task = unreal.ScopedSlowTask(1)
    with pytest.raises(Exception, match="null"):
        task.make_dialog(True)
    with task:
        pass
    with pytest.raises(Exception, match="null"):
        task.should_cancel()


def test_slow_tasks_end_in_reverse_order(editor: FakeEditor) -> None:
    outer, inner = unreal.ScopedSlowTask(1), unreal.ScopedSlowTask(1)
    outer.__enter__()
    inner.__enter__()
    with pytest.raises(EditorCrash, match="inside it is open"):
        outer.__exit__(None, None, None)


@pytest.mark.parametrize("arguments", [("much",), (1, 2), (1, "d", "yes"), ()])
def test_a_slow_task_of_other_types_is_refused(editor: FakeEditor, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        unreal.ScopedSlowTask(*arguments)


def test_an_exception_passes_through_a_slow_task_and_closes_it(editor: FakeEditor) -> None:
    with pytest.raises(KeyError), unreal.ScopedSlowTask(1) as task:
        task.make_dialog(True)
        raise KeyError("x")
    assert editor.open_slow_tasks == 0
