"""The fake UnrealEditor-Cmd is a process that a farm can't tell from the editor's: paths, arguments, log, exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import unreal_plugins
from unreal_command_line import script_argument

COMMAND = Path(__file__).resolve().parents[1] / "fakes" / "unreal_editor_cmd.py"
SAVE = """
import unreal
made = unreal.AssetToolsHelpers.get_asset_tools().create_asset(
    "LS", "/Game/X", unreal.LevelSequence, unreal.LevelSequenceFactoryNew())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project file with a plugin beside it that says what it sees as it starts."""
    file = tmp_path / "my project" / "P.uproject"
    python = file.parent / "Plugins" / "Some" / "Content" / "Python"
    packages = python / "Lib" / unreal_plugins.PLATFORM / "site-packages"
    packages.mkdir(parents=True)
    (packages / "some_vendored.py").write_text("WHERE = 'vendored'\n")
    (python.parents[1] / "Some.uplugin").write_text(json.dumps({"FileVersion": 3, "CanContainContent": True}))
    (python / "init_unreal.py").write_text("import unreal, some_vendored\nunreal.log('start ' + some_vendored.WHERE)\n")
    file.write_text(json.dumps({"FileVersion": 3}))
    return file


def run(project: Path, script: str, *words: str, log: bool = True) -> tuple[int, str]:
    """Exit code and stdout of the editor with this text as its script; the log file holds the same lines."""
    file = project.parent / "job.py"
    file.write_text(script)
    path = project.parent / "logs" / "job.log"
    command = [sys.executable, str(COMMAND), str(project), "-run=pythonscript", script_argument(file, words)]
    done = subprocess.run(
        [*command, "-unattended", "-nullrhi", f"-abslog={path}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert path.read_text() == done.stdout
    return done.returncode, done.stdout


def test_a_script_gets_its_arguments_after_the_plugins_have_started(project: Path) -> None:
    code, out = run(
        project, "import sys, json\nprint(json.dumps(sys.argv[1:]))\nprint(__name__, __file__)\n", "--a", "b c"
    )
    assert code == 0
    assert '["--a", "b c"]' in out
    assert f"__main__ {project.parent / 'job.py'}" in out
    assert out.index("start vendored") < out.index("Running Python script")
    assert "LogInit: Display: Success - 0 error(s), 0 warning(s)" in out


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("raise ValueError('no')", 255, "LogPython: Error: ValueError: no"),
        ("raise SystemExit(0)", 255, "LogPython: Error: SystemExit: 0"),
        ("import unreal\nunreal.log_error('bad')", 1, "LogPython: Error: bad"),
        ("import sys\nprint('bad', file=sys.stderr)", 1, "LogPython: Error: bad"),
        ("import unreal\nunreal.log_warning('odd')", 0, "LogPython: Warning: odd"),
        ("import nothing_of_this_name", 255, "ModuleNotFoundError"),
    ],
)
def test_the_exit_code_is_the_engines(project: Path, script: str, code: int, said: str) -> None:
    found, out = run(project, script)
    assert found == code
    assert said in out


def test_a_death_ends_with_a_fatal_error(project: Path) -> None:
    script = "import unreal\ntask, inner = unreal.ScopedSlowTask(1), unreal.ScopedSlowTask(1)\n"
    code, out = run(
        project,
        script + "task.__enter__(); inner.__enter__()\ntry: task.__exit__(None, None, None)\nexcept Exception: pass",
    )
    assert code == 3
    assert "Fatal error:" in out


def test_only_what_is_saved_outlives_the_process(project: Path) -> None:
    run(project, SAVE)
    assert not list(project.parent.glob("Content/**/*.uasset"))
    run(project, SAVE + "unreal.EditorAssetLibrary.save_loaded_asset(made)")
    code, out = run(project, "import unreal\nprint(unreal.load_asset('/Game/X/LS').get_name())")
    assert (code, "LogPython: LS" in out) == (0, True)


def test_there_are_no_menus_ticks_or_dialogs(project: Path) -> None:
    script = """
import unreal
unreal.register_slate_post_tick_callback(lambda _: unreal.log_error("ticked"))
assert unreal.SystemLibrary.is_unattended() and "-run=pythonscript" in unreal.SystemLibrary.get_command_line()
assert unreal.ToolMenus.get().find_menu("LevelEditor.MainMenu") is None
with unreal.ScopedSlowTask(1) as task:
    task.make_dialog(True)
    task.enter_progress_frame()
print(unreal.EditorDialog.show_message("T", "M", unreal.AppMsgType.OK).name)
"""
    code, out = run(project, script)
    assert (code, "LogPython: NO" in out) == (0, True)


def test_a_plugin_that_is_switched_off_is_not_there(project: Path) -> None:
    project.write_text(json.dumps({"FileVersion": 3, "Plugins": [{"Name": "Some", "Enabled": False}]}))
    code, out = run(project, "import sys\nassert not any('Some' in path for path in sys.path)")
    assert (code, "start vendored" in out) == (0, False)


def test_a_startup_script_that_raises_fails_the_run_and_stops_nothing(project: Path) -> None:
    init = project.parent / "Plugins" / "Some" / "Content" / "Python" / "init_unreal.py"
    init.write_text("raise RuntimeError('at start')\n")
    code, out = run(project, "print('went on')")
    assert (code, "went on" in out, "RuntimeError: at start" in out) == (1, True, True)


@pytest.mark.parametrize("words", [["-run=pythonscript"], ["-run=cook", "-script=x.py"], ["-script=x.py"]])
def test_a_command_line_without_a_script_fails(project: Path, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(COMMAND), str(project), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "rror" in done.stdout


def test_a_relative_project_is_refused(project: Path) -> None:
    command = [sys.executable, str(COMMAND), project.name, "-run=pythonscript", "-script=x.py"]
    done = subprocess.run(command, cwd=project.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, "absolute" in done.stdout) == (3, True)


def test_the_first_signal_is_noted_and_the_second_ends_the_run(project: Path) -> None:
    script = project.parent / "wait.py"
    script.write_text("import time\nprint('waits')\nwhile True: time.sleep(0.01)\n")
    command = [sys.executable, str(COMMAND), str(project), "-run=pythonscript", script_argument(script, [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as editor:
        try:
            assert editor.stdout is not None
            for said in ("waits", "exit requested"):
                assert any(said in line for line in editor.stdout), "the editor ended"
                editor.send_signal(signal.SIGINT if said == "waits" else signal.SIGTERM)
            assert editor.wait(20) == 128 + signal.SIGTERM
        finally:
            editor.kill()
