"""The plugin's beginning and end: menus once, nothing where no user sits, one clear line where it can't start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import unreal
from editor_kit import FACE, MENU, plugin
from semanticface_unreal.editor import startup
from semanticface_unreal.settings import Settings
from unreal_testing import FakeEditor

PLUGIN = Path(__file__).resolve().parents[2] / "unreal_plugin" / "SemanticFace" / "Content" / "Python"
FAKES = Path(__file__).resolve().parents[1] / "fakes"

ENTRIES = (
    "Status QueueFootage RunQueue RunAndWait RetryFailed Cancel ClearQueue OpenLastSummary ImportCsv Preview Settings "
    "InstallBackend Diagnostics"
)


def test_every_entry_stands_in_the_menu(tmp_path: Path) -> None:
    with plugin(tmp_path) as (editor, _session):
        assert set(editor.entries()) == {"LevelEditor.MainMenu.SemanticFace"} | {
            f"{MENU}.{name}" for name in ENTRIES.split()
        }


def test_starting_again_leaves_each_entry_there_once(tmp_path: Path) -> None:
    with plugin(tmp_path) as (editor, session):
        before = editor.entries()
        startup.start()
        assert editor.entries() == before
        assert startup.current() is not session
        editor.answer("OK")
        editor.click("Status")  # and they still do something
        assert editor.dialogs[-1].title == "SemanticFace – Status"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (f"{FACE}/Face_Archetype_Skeleton", {"UseAsTarget"}),
        (f"{FACE}/SKM_Face_Archetype", {"UseAsTarget"}),
    ],
)
def test_assets_have_their_entries_in_the_content_browser(tmp_path: Path, path: str, names: set[str]) -> None:
    with plugin(tmp_path) as (editor, _session):
        editor.select_assets([path])
        found = {name.rpartition(".")[2] for name in editor.entries() if name.startswith("ContentBrowser")}
        assert found == names


@pytest.mark.parametrize(
    "options",
    [
        {"unattended": True},
        {"commandlet": True, "command_line": "Project.uproject -run=pythonscript -script=x.py"},
        {"command_line": "Project.uproject -RUN=cook"},
    ],
)
def test_nothing_is_registered_where_no_user_sits(tmp_path: Path, options: dict[str, object]) -> None:
    with FakeEditor(tmp_path, **options) as editor:  # type: ignore[arg-type]
        assert not startup.start()
        assert startup.current() is None
        assert editor.entries() == {}
        assert editor.tick_callbacks == 0
        assert not editor.desk.shutdown
        assert not (tmp_path / "Saved").exists()


def test_an_editor_that_closes_leaves_no_tick_and_no_menu(tmp_path: Path) -> None:
    with plugin(tmp_path) as (editor, session):
        editor.desk.end()
        assert startup.current() is None
        assert session.link.pump is None
        assert editor.entries() == {}


def test_no_thread_runs_in_the_editor(tmp_path: Path) -> None:
    import threading

    before = set(threading.enumerate())
    with plugin(tmp_path) as (editor, _session):
        editor.tick(3)
        assert set(threading.enumerate()) == before


def test_settings_that_cant_be_used_are_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMANTICFACE_UNREAL_UNSOLVED", "guess")
    with plugin(tmp_path) as (editor, _session):
        assert any("`unsolved` needs one of omit" in text for text in editor.logged("warning"))


def run_init(tmp_path: Path, paths: list[Path]) -> subprocess.CompletedProcess[str]:
    """`init_unreal.py` in a process of its own, with a fake editor that a user sits at; stderr is the log's errors."""
    script = tmp_path / "host.py"
    script.write_text(
        "import runpy, sys\n"
        "from pathlib import Path\n"
        "from unreal_testing import FakeEditor\n"
        f"with FakeEditor(Path({str(tmp_path)!r})) as editor:\n"
        f"    runpy.run_path({str(PLUGIN / 'init_unreal.py')!r})\n"
        "    print(len(editor.entries()))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    return subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)


def test_the_engine_starts_the_plugin(tmp_path: Path) -> None:
    done = run_init(tmp_path, [FAKES, PLUGIN])
    assert (done.stderr, done.stdout.split()[-1]) == ("", str(len(ENTRIES.split()) + 1))


def test_a_plugin_that_isnt_whole_says_so_in_one_line_and_the_editor_lives(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "semanticface"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("")
    done = run_init(tmp_path, [FAKES, broken.parent, PLUGIN])
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("SemanticFace can't start: ") and "install it again from its zip" in line


def test_a_saved_folder_that_cant_be_written_keeps_the_settings_for_this_session(tmp_path: Path) -> None:
    with plugin(tmp_path) as (editor, session):
        shut = session.places.data
        for file in shut.iterdir():
            file.unlink()
        shut.rmdir()
        shut.write_text("a file where the folder should be")
        editor.answer("OK", {"engine": "landmarks"})
        editor.answer("OK")
        editor.click("Settings")
        assert "Saved folder writable" in editor.dialogs[-1].message
        assert session.settings.engine == "landmarks"
        editor.answer("OK", {"folder": unreal.DirectoryPath(str(tmp_path))})
        editor.answer("OK")
        editor.click("QueueFootage")
        assert session.run is None


def test_cancelled_settings_change_nothing(tmp_path: Path) -> None:
    with plugin(tmp_path) as (editor, session):
        before = session.settings
        editor.answer("CANCEL", {"engine": "landmarks", "smoothing": 0.9})
        editor.click("Settings")
        assert session.settings == before


def test_settings_are_offered_as_they_are_and_come_back_as_chosen(tmp_path: Path) -> None:
    import semanticface_unreal.editor.dialog_objects as objects

    chosen = Settings(folder="/Game/Shots", head=True, rate="25", smoothing=0.25, takes=str(tmp_path), ahead=3)
    with plugin(tmp_path, chosen) as (editor, session):
        editor.answer("OK")
        editor.click("Settings")
        assert session.loaded.own == chosen
        edits = {
            "names": objects.SemanticFaceNames.ARKIT, "unsolved": objects.SemanticFaceUnsolved.HOLD,
            "existing": objects.SemanticFaceExisting.UNIQUE, "target": unreal.load_asset(f"{FACE}/SKM_Face_Archetype"),
        }  # fmt: skip
        editor.answer("OK", edits)
        editor.click("Settings")
        own = session.loaded.own
        assert (own.names, own.unsolved, own.existing) == ("arkit", "hold", "unique")
        assert (own.skeleton, own.preview_mesh) == (f"{FACE}/Face_Archetype_Skeleton", f"{FACE}/SKM_Face_Archetype")


def test_a_bad_setting_is_named_and_the_dialog_opens_again(tmp_path: Path) -> None:
    with plugin(tmp_path) as (editor, session):
        editor.answer("OK", {"tolerance": 7.0})
        editor.answer("OK")
        editor.answer("OK", {"tolerance": 0.02})
        editor.click("Settings")
        assert "`tolerance` needs a number" in editor.dialogs[1].message
        assert session.settings.tolerance == 0.02


def test_what_the_environment_sets_holds_and_is_named_in_the_dialog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMANTICFACE_UNREAL_FOLDER", "/Game/Studio")
    with plugin(tmp_path) as (editor, session):
        editor.answer("OK", {"folder": unreal.DirectoryPath("/Game/Mine")})
        editor.click("Settings")
        assert "folder is set by SEMANTICFACE_UNREAL_FOLDER" in editor.dialogs[-1].title
        assert (session.settings.folder, session.loaded.own.folder) == ("/Game/Studio", "/Game/Mine")


def test_a_face_from_the_content_browser_becomes_the_target(tmp_path: Path) -> None:
    with plugin(tmp_path) as (editor, session):
        editor.select_assets([f"{FACE}/SKM_Face_Archetype"])
        editor.answer("OK")
        editor.click("UseAsTarget")
        assert session.settings.preview_mesh == f"{FACE}/SKM_Face_Archetype"


def test_diagnostics_name_no_folders_and_no_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "jane.doe"
    monkeypatch.setenv("HOME", str(home))
    project = home / "Secret Client" / "Film"
    settings = Settings(takes=str(home / "takes"), backend="/opt/jane.doe/venv/bin/python")
    with plugin(project, settings) as (editor, session):
        editor.answer("OK")
        editor.click("Diagnostics")
        text = (session.places.data / "diagnostics.txt").read_text()
        assert "jane.doe" not in text and "Secret" not in text
        assert "Unreal: 5." in text and "/Game/SemanticFace" in text
        assert text.splitlines()[0] in editor.dialogs[-1].message
