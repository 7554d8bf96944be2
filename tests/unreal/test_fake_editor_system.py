"""The fake editor says where the project lies and how it was started."""

from __future__ import annotations

from pathlib import Path

import pytest
import unreal
from unreal_testing import FakeEditor


@pytest.mark.parametrize(
    ("function", "folder"),
    [
        ("project_dir", ""),
        ("project_content_dir", "Content"),
        ("project_saved_dir", "Saved"),
        ("project_plugins_dir", "Plugins"),
        ("project_log_dir", "Saved/Logs"),
    ],
)
def test_folders_are_relative_and_end_in_a_slash(tmp_path: Path, function: str, folder: str) -> None:
    with FakeEditor(tmp_path):
        found = getattr(unreal.Paths, function)()
        assert found.endswith("/") and not Path(found).is_absolute()
        full = unreal.Paths.convert_relative_path_to_full(found)
        assert full.endswith("/") and Path(full) == tmp_path / folder


def test_the_editor_tells_its_version_and_how_it_runs(tmp_path: Path) -> None:
    with FakeEditor(tmp_path, unattended=True, command_line="P.uproject -unattended"):
        assert unreal.SystemLibrary.get_engine_version().startswith("5.6.0-")
        assert unreal.SystemLibrary.is_unattended()
        assert unreal.SystemLibrary.get_command_line() == "P.uproject -unattended"
        with pytest.raises(TypeError):
            unreal.SystemLibrary.is_unattended("x")
    with FakeEditor(tmp_path):
        assert not unreal.SystemLibrary.is_unattended()


def test_the_project_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "P.uproject").write_text("{}")
    with FakeEditor(tmp_path):
        assert Path(unreal.Paths.get_project_file_path()) == tmp_path / "P.uproject"
