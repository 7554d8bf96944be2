"""`LiveLinkFaceImporterFactory`, which is there with its plugin alone, and the import task's result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unreal_livelink_csv import Recording, Refused, parsed, subject
from unreal_process import editor

from unreal.checking import faked, known
from unreal.signatures import Described


@faked
class AssetImportTask(known("Object")):  # type: ignore[misc]
    """`import_asset_tasks` fills in what was made."""

    def get_objects(self) -> list[Any]:
        return list(self.get_editor_property("result"))

    def is_async_import_complete(self) -> bool:
        return True


class LiveLinkFaceImporterFactory(known("Factory")):  # type: ignore[misc]
    """Not in the signatures, as its plugin was off when they were made."""

    fake_described = Described("LiveLinkFaceImporterFactory", "object", "Factory")

    def _import(self, task: Any) -> None:
        """Makes or replaces the Level Sequence of a task. Says in the log why not."""
        file = Path(task.filename)
        log = editor().log_file
        if not file.is_file() or file.suffix.lower() != ".csv":
            log.write("error", f"LogAssetTools: '{file}' can't be imported")
            return
        try:
            recording = parsed(file.read_text("utf-8-sig"))
        except Refused as why:
            log.write("error", f"LogLiveLinkFaceImporter: {why}")
            return
        for complaint in recording.errors:
            log.write("error", f"LogLiveLinkFaceImporter: {complaint}")
        name = task.destination_name or file.stem
        path = f"{task.destination_path.rstrip('/')}/{name}"
        project = editor().project
        if project.exists(path) and not task.replace_existing:
            log.write("warning", f"LogAssetTools: {path} exists and is not replaced")
            return
        if project.exists(path):
            project.remove(path)
        made = project.add(path, known("LevelSequence"))
        fill(made, recording, name)
        task.imported_object_paths = [made.get_path_name()]
        task.result = [made]
        if task.save:
            project.save(made)


def fill(sequence: Any, recording: Recording, name: str) -> None:
    """A Live Link track with the recording; its class isn't in the signatures, so tests read `_live_link`."""
    ticks = [tick for keys in recording.keys.values() for tick, _ in keys]
    sequence._live_link = {
        "subject": subject(name),
        "source": recording.source,
        "keys": {column: list(keys) for column, keys in recording.keys.items()},
    }
    if ticks:
        sequence._movie.start, sequence._movie.end = min(ticks), max(ticks)
