"""Install Backend from the menu: asked for in a dialog, done by a process of its own, followed in ticks."""

from __future__ import annotations

from pathlib import Path

import pytest
import unreal
from editor_kit import plugin, tick_until

from semanticface import paths
from semanticface.installation import BACKEND_VARIABLE


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a backend, whose pip fetches nothing."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv(BACKEND_VARIABLE, raising=False)
    monkeypatch.delenv("SEMANTICFACE_OFFLINE", raising=False)
    monkeypatch.setattr("semanticface.installation.NEEDED", ("no_such_library",))
    monkeypatch.setenv("PATH", str(tmp_path))


def test_the_dialog_says_what_is_there_and_cancel_does_nothing(tmp_path: Path) -> None:
    with plugin(tmp_path / "project") as (editor, session):
        editor.answer("CANCEL")
        editor.click("InstallBackend")
        assert editor.dialogs[-1].title.startswith("SemanticFace – Install Backend (")
        assert not session.installer.progress.busy
        assert editor.tick_callbacks == 0


def test_without_network_and_wheels_it_says_what_to_do(tmp_path: Path) -> None:
    with plugin(tmp_path / "project") as (editor, session):
        editor.answer("OK", {"online": False})
        editor.answer("OK")
        editor.click("InstallBackend")
        assert "the network may not be used" in editor.dialogs[-1].message
        assert not session.installer.progress.busy


def test_an_installation_goes_on_in_ticks_and_its_end_is_said(tmp_path: Path) -> None:
    """Of an empty folder of wheels: it can't succeed, and says so."""
    (tmp_path / "wheels").mkdir()
    with plugin(tmp_path / "project") as (editor, session):
        editor.answer("OK", {"online": False, "wheels": unreal.DirectoryPath(str(tmp_path / "wheels"))})
        editor.click("InstallBackend")
        assert session.installer.progress.busy
        assert editor.can_click("Cancel")
        tick_until(editor, lambda: not session.installer.progress.busy)
        assert session.installer.progress.ended == "failed"
        assert set(session.installer.progress.lines) <= set(session.notices.last)
        assert editor.tick_callbacks == 0


def test_a_queue_without_a_backend_names_the_menu(tmp_path: Path) -> None:
    from batch_kit import footage
    from editor_kit import queue

    footage(tmp_path / "shots", "shot_010 shot_020")
    with plugin(tmp_path / "project") as (editor, session):
        queue(editor, tmp_path / "shots", run_now=True)
        tick_until(editor, lambda: session.run is None)
        said = "\n".join(session.summary)
        assert "Install Backend in the plugin's menu" in said
        assert said.count("no SemanticFace backend was found") == 1  # for both jobs together
