"""The fake UnrealEditor-Cmd reads its command line as the engine does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import unreal_command_line as line
import unreal_plugins as plugins


def argv(*arguments: str) -> list[str] | None:
    """What `sys.argv` of the script becomes for these arguments of the process."""
    script = line.value(line.joined(arguments), "script")
    found = line.python_file(script or "")
    return None if found is None else found[1]


def test_arguments_inside_the_quoted_script_reach_the_script() -> None:
    assert argv("-run=pythonscript", "-script=/p/farm.py --manifest /m.json --only a,b") == [
        "/p/farm.py",
        "--manifest",
        "/m.json",
        "--only",
        "a,b",
    ]


def test_arguments_beside_the_script_never_reach_it() -> None:
    assert argv("-script=/p/farm.py", "--manifest", "/m.json") == ["/p/farm.py"]


def test_bare_quotes_inside_the_script_cut_it_short() -> None:
    assert argv('-script=/p/farm.py --manifest "/my shots/m.json"') == ["/p/farm.py", "--manifest"]


def test_escaped_quotes_inside_the_script_hold_words_together() -> None:
    assert argv('-script=/p/farm.py --manifest \\"/my shots/m.json\\"') == [
        "/p/farm.py",
        "--manifest",
        "/my shots/m.json",
    ]


def test_quotes_stay_within_a_word() -> None:
    assert argv('-script=/p/farm.py --manifest=\\"/my shots/m.json\\"') == [
        "/p/farm.py",
        '--manifest="/my shots/m.json"',
    ]


@pytest.mark.parametrize("words", [[], ["--manifest", "/my shots/m.json"], ["a\\b", ""]])
@pytest.mark.parametrize("script", ["/p/farm.py", "/my plugins/farm.py", "C:\\p\\farm.py"])
def test_what_script_argument_writes_is_read_back(script: str, words: list[str]) -> None:
    argument = line.script_argument(Path(script), words)
    assert argv("/p/a.uproject", "-run=pythonscript", argument, "-unattended") == [script, *words]


@pytest.mark.parametrize("script", ["/my.pylons/farm.py", '/a"b/farm.py'])
def test_what_the_editor_cannot_read_is_not_written(script: str) -> None:
    with pytest.raises(ValueError, match="can't carry"):
        line.script_argument(Path(script), ["x"])


@pytest.mark.parametrize("command", ["print(1)", "/p/farm.py-x", '"/p/farm.py', '"/p/farm.py x"', "/my.pylons/farm.py"])
def test_what_names_no_file_is_run_as_code(command: str) -> None:
    assert line.python_file(command) is None


def test_a_plugin_has_the_paths_that_exist_in_the_engines_order(tmp_path: Path) -> None:
    folder = plugin(tmp_path, {"CanContainContent": True})
    for path in ("Lib/site-packages", f"Lib/{plugins.PLATFORM}/site-packages", f"{plugins.PLATFORM}/Lib/site-packages"):
        (folder / "Content" / "Python" / path).mkdir(parents=True)
    (found,) = plugins.enabled(tmp_path, set())
    python = folder / "Content" / "Python"
    assert found.python_paths == [
        python,
        python / "Lib" / plugins.PLATFORM / "site-packages",
        python / "Lib" / "site-packages",
    ]


def test_a_plugin_that_may_not_contain_content_has_no_paths(tmp_path: Path) -> None:
    (plugin(tmp_path, {}) / "Content" / "Python").mkdir(parents=True)
    assert [found.python_paths for found in plugins.enabled(tmp_path, set())] == [[]]


@pytest.mark.parametrize(
    ("descriptor", "listed", "asked", "on"),
    [
        ({}, None, set(), True),
        ({"EnabledByDefault": False}, None, set(), False),
        ({"EnabledByDefault": False}, True, set(), True),
        ({"EnabledByDefault": False}, None, {"Some"}, True),
        ({"EnabledByDefault": True}, False, set(), False),
    ],
)
def test_the_project_has_the_last_word_about_a_plugin_but_the_command_line(
    tmp_path: Path, descriptor: dict[str, bool], listed: bool | None, asked: set[str], on: bool
) -> None:
    plugin(tmp_path, descriptor)
    entries = [] if listed is None else [{"Name": "Some", "Enabled": listed}]
    (tmp_path / "P.uproject").write_text(json.dumps({"FileVersion": 3, "Plugins": entries}))
    assert bool(plugins.enabled(tmp_path, asked)) is on


def plugin(project: Path, descriptor: dict[str, bool]) -> Path:
    folder = project / "Plugins" / "Some"
    folder.mkdir(parents=True)
    (folder / "Some.uplugin").write_text(json.dumps({"FileVersion": 3, **descriptor}))
    return folder
