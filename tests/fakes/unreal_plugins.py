"""Which plugins of a project the fake editor enables, and what they add to `sys.path`: the engine's own rules."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLATFORM = {"win32": "Win64", "darwin": "Mac"}.get(sys.platform, "Linux")
"""The engine's name of this platform, as it stands in folders."""

OPTIONAL = {"LiveLinkFaceImporter": "LiveLinkFaceImporterFactory"}
"""Plugins of the engine that are off by default, and the class that each brings."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """`folder` is where the `.uplugin` lies, `descriptor` what it says."""

    name: str
    folder: Path
    descriptor: dict[str, Any]

    @property
    def by_default(self) -> bool:
        """A project's plugin that doesn't say is enabled."""
        return bool(self.descriptor.get("EnabledByDefault", True))

    @property
    def python_paths(self) -> list[Path]:
        """What exists of `Content/Python` and its site-packages, in the engine's order; a plugin that may not contain
        content has none.

        Epic's page on plugin dependencies names `<Platform>/Lib/site-packages`; the engine looks into
        `Lib/<Platform>/site-packages` (FPythonScriptPlugin::RegisterModulePaths, 5.0 to 5.8), where its own plugins
        have theirs, and nowhere else.
        """
        if not self.descriptor.get("CanContainContent", False):
            return []
        return content_paths(self.folder / "Content")


def content_paths(content: Path) -> list[Path]:
    """The same for any root of content: the project's own has one too."""
    python = content / "Python"
    found = [python, python / "Lib" / PLATFORM / "site-packages", python / "Lib" / "site-packages"]
    return [path for path in found if path.is_dir()]


def installed(project: Path) -> list[Plugin]:
    """The plugins below `<project>/Plugins`. Raises ValueError for a descriptor that isn't JSON."""
    found = []
    for folder, folders, files in os.walk(project / "Plugins", followlinks=True):
        for file in sorted(name for name in files if name.endswith(".uplugin")):
            path = Path(folder) / file
            found.append(Plugin(path.stem, path.parent, json.loads(path.read_text(encoding="utf-8-sig"))))
            folders.clear()
        folders.sort()
    return found


def enabled(project: Path, asked: set[str]) -> list[Plugin]:
    """Those that the project or `asked` (`-EnablePlugins=`) enables, and those that are by default."""
    files = sorted(project.glob("*.uproject"))
    listed = json.loads(files[0].read_text(encoding="utf-8-sig")).get("Plugins", []) if files else []
    said = {entry["Name"]: bool(entry.get("Enabled")) for entry in listed} | dict.fromkeys(asked, True)
    return [plugin for plugin in installed(project) if said.get(plugin.name, plugin.by_default)]


def optional_classes(project: Path, asked: set[str], plugins: list[Plugin]) -> set[str]:
    """Classes of OPTIONAL whose plugins the project, `asked` or an enabled plugin switches on."""
    files = sorted(project.glob("*.uproject"))
    listed = json.loads(files[0].read_text(encoding="utf-8-sig")).get("Plugins", []) if files else []
    entries = listed + [entry for plugin in plugins for entry in plugin.descriptor.get("Plugins", [])]
    names = asked | {entry["Name"] for entry in entries if entry.get("Enabled")}
    return {name for plugin, name in OPTIONAL.items() if plugin in names}
