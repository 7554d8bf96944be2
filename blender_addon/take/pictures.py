# SPDX-License-Identifier: GPL-3.0-or-later
"""Thumbnails as Blender shows them: files in the add-on's cache folder, icons of those near the active row.

The backend makes the pictures (`fetching` asks for them). At most so many icons are kept, and files; both are found
again by what the picture shows, so that another session needs no backend for them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy.utils.previews

from semanticface.paths import cache_dir
from semanticface.results import FrameResult
from semanticface.steps import Steps, Work

from .. import names
from ..compat import user_folder

SIDE = 96
MOST_ICONS = 400
MOST_FILES = 4000
MEDIA_FIELDS = ("kind", "path", "pattern", "rate", "first", "sequence")


def media_of(source: Mapping[str, Any]) -> dict[str, Any] | None:
    """The footage as a request names it, from a take's header; None when the pictures were sent, not named."""
    media = {name: source[name] for name in MEDIA_FIELDS if source.get(name) is not None}
    return media if isinstance(media.get("path"), str) else None


def key_of(source: Mapping[str, Any], result: FrameResult) -> str:
    """Names the picture of a frame: the same for the same content, frame and face."""
    media = source.get("content") or media_of(source)
    return hashlib.sha256(json.dumps([media, result.frame, result.box, SIDE], sort_keys=True).encode()).hexdigest()[:32]


class Pictures:
    """Icons by key. `failed` are keys that have no picture and are not asked for again."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self._icons: Any = None
        self._folder: Path | None = None
        self._pruning: Steps[None] | None = None

    def icon(self, key: str) -> int:
        """Blender's number of the icon, 0 when there is none (yet). Reads nothing: Blender loads it to draw it."""
        return self._icons[key].icon_id if self._icons is not None and key in self._icons else 0

    def known(self, key: str) -> bool:
        return key in self.failed or (self._icons is not None and key in self._icons)

    def load(self, key: str) -> bool:
        """Make the icon when its file is there; whether it was."""
        try:
            file = self._file(key)
            if not file.is_file():
                return False
        except OSError:
            return False
        if self._icons is None:
            self._icons = bpy.utils.previews.new()
        self._icons.load(key, str(file), "IMAGE")
        return True

    def store(self, key: str, data: bytes) -> None:
        """Keep a picture (JPEG bytes) and make its icon; where the disk takes nothing there is none."""
        try:
            file = self._file(key)
            part = file.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(data)
            part.replace(file)
        except OSError:
            self.failed.add(key)
            return
        self.load(key)

    def keep(self, keys: set[str]) -> None:
        """Drop icons that are not among these when there are too many."""
        if self._icons is None or len(self._icons) <= MOST_ICONS:
            return
        for key in [key for key in self._icons if key not in keys]:
            del self._icons[key]

    def free(self) -> None:
        icons, self._icons = self._icons, None
        if icons is not None:
            bpy.utils.previews.remove(icons)

    def prune(self, deadline: float) -> bool:
        """Some of the work of removing files that are too many, once in a session; whether there is more to do."""
        if self._folder is None:
            return False
        if self._pruning is None:
            self._pruning = Steps(_pruning(self._folder))
        return not self._pruning.go_on(deadline)

    def _file(self, key: str) -> Path:
        if self._folder is None:
            self._folder = user_folder(names.ADDON, "thumbnails") or cache_dir() / "thumbnails"
            self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{key}.jpg"


def _pruning(folder: Path) -> Work[None]:
    """Remove the oldest files that are too many."""
    files: list[tuple[float, str]] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".jpg"):
                files.append((entry.stat().st_mtime, entry.path))
            yield
    for _, path in sorted(files)[: max(0, len(files) - MOST_FILES)]:
        with suppress(OSError):
            Path(path).unlink()
        yield
