"""`SystemLibrary` and `Paths`: where the project lies, and how the editor was started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from unreal_process import editor

from unreal.checking import faked, known
from unreal.signatures import engine


@faked
class SystemLibrary(known("BlueprintFunctionLibrary")):  # type: ignore[misc]
    @classmethod
    def is_unattended(cls) -> bool:
        return editor().unattended

    @classmethod
    def get_engine_version(cls) -> str:
        return f"{engine()}+++UE5+Release-{'.'.join(engine().split('.')[:2])}"

    @classmethod
    def get_command_line(cls) -> str:
        return editor().command_line

    @classmethod
    def get_project_directory(cls) -> str:
        return folder("")

    @classmethod
    def get_system_path(cls, object: Any) -> str:
        """The file of an asset, absolute; "" where it was never saved."""
        project = editor().project
        if object is None or project.content_of(object) is None:
            return ""
        file = project.file(object.get_path_name())
        return str(file.absolute()) if file.is_file() else ""

    @classmethod
    def get_path_name(cls, object: Any) -> str:
        return object.get_path_name() if object is not None else ""

    @classmethod
    def is_valid(cls, object: Any) -> bool:
        return object is not None

    @classmethod
    def get_class_display_name(cls, class_: Any) -> str:
        return str(class_._name) if class_ is not None else "None"


@faked
class Paths(known("BlueprintFunctionLibrary")):  # type: ignore[misc]
    """Folders end in a slash and stand as the engine has them: relative to its binaries, which here is the process's
    folder. `convert_relative_path_to_full` makes them absolute."""

    @classmethod
    def project_dir(cls) -> str:
        return folder("")

    @classmethod
    def engine_dir(cls) -> str:
        """Beside the project, as good as anywhere."""
        return folder("../Engine")

    @classmethod
    def project_content_dir(cls) -> str:
        return folder("Content")

    @classmethod
    def project_saved_dir(cls) -> str:
        return folder("Saved")

    @classmethod
    def project_plugins_dir(cls) -> str:
        return folder("Plugins")

    @classmethod
    def project_intermediate_dir(cls) -> str:
        return folder("Intermediate")

    @classmethod
    def project_log_dir(cls) -> str:
        return folder("Saved/Logs")

    @classmethod
    def project_config_dir(cls) -> str:
        return folder("Config")

    @classmethod
    def get_project_file_path(cls) -> str:
        found = sorted(editor().project.root.glob("*.uproject"))
        return found[0].as_posix() if found else ""

    @classmethod
    def convert_relative_path_to_full(cls, path: str, base_path: str) -> str:
        full = Path(os.path.normpath(Path.cwd() / base_path / path)).as_posix()
        return f"{full}/" if path.endswith("/") and not full.endswith("/") else full

    @classmethod
    def file_exists(cls, path: str) -> bool:
        return Path(path).is_file()

    @classmethod
    def directory_exists(cls, path: str) -> bool:
        return Path(path).is_dir()


def folder(name: str) -> str:
    return f"{Path(os.path.relpath(editor().project.root / name)).as_posix()}/"
