"""Live Link Face recordings through Epic's own importer, which makes Level Sequences of them.

Needs Epic's plugin Live Link Face Importer, which is off by default. Knows nothing of takes.
"""

from __future__ import annotations

from pathlib import Path

from semanticface.errors import EngineError, InputError
from semanticface_unreal.engine import optional, unreal
from semanticface_unreal.writing import assets

IMPORTER = "LiveLinkFaceImporterFactory"


def import_csv(path: str, folder: str) -> str:
    """Imports a Live Link Face CSV as a Level Sequence in a content folder and saves it; returns the asset's path.

    Raises InputError where the plugin is off or the file can't be read, EngineError where nothing was imported.
    """
    factory = optional(IMPORTER)
    if factory is None:
        raise InputError(
            "Unreal's importer of Live Link Face recordings is off",
            "enable the plugin Live Link Face Importer in Edit, Plugins, and restart the editor",
        )
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file}: there is no such file", "choose a Live Link Face CSV")
    assets.check_place(folder, file.stem)
    task = unreal.AssetImportTask()
    task.filename = str(file.resolve())
    task.destination_path = folder.rstrip("/")
    task.destination_name = file.stem
    task.automated = True
    task.save = True
    task.replace_existing = True
    task.factory = factory()
    unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks([task])
    made = [str(found) for found in task.imported_object_paths]
    if not made:
        raise EngineError(f"{file.name} wasn't imported", assets.IN_LOG)
    return made[0].split(".", 1)[0]
