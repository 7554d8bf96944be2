"""Where the open project keeps things, as ordinary absolute paths."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from semanticface_unreal.engine import unreal


@dataclass(frozen=True, slots=True)
class Places:
    """`project` and `engine` are their folders, `data` is ours: `<Project>/Saved/SemanticFace`, made by whoever writes
    first."""

    project: Path
    engine: Path
    data: Path

    @property
    def queue(self) -> Path:
        """The manifest of the editor's queue; what belongs to it lies beside it, so a farm can run it, too."""
        return self.data / "queue.json"


def places() -> Places:
    """Of the project that is open."""
    saved = _absolute(unreal.Paths.project_saved_dir())
    return Places(_absolute(unreal.Paths.project_dir()), _absolute(unreal.Paths.engine_dir()), saved / "SemanticFace")


def _absolute(path: str) -> Path:
    """The engine's own are relative to the folder of its program."""
    return Path(os.path.abspath(unreal.Paths.convert_relative_path_to_full(path)))  # noqa: PTH100 - links stay links


def package_of(path: str) -> str:
    """`/Game/A/B` of an object's path `/Game/A/B.B`."""
    return path.split(".", 1)[0]
