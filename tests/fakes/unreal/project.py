"""The content of a project: what is loaded, what lies on disk, what has to be saved.

An asset's file is JSON in `<project>/Content/<folders>/<name>.uasset`, written in one move. What isn't saved is lost
with the process. A class takes part by `_dump() -> data` and `_load(data)`; without them its properties are kept.
"""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unreal_process import editor

from unreal.checking import known

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "/Game"
INVALID = set("\"' ,/.:|&!~\n\r\t@#(){}[]=;^%$`")
"""Characters that the name of an object can't have."""


def package_path(path: str) -> str:
    """`AnimSequence'/Game/X/AS.AS'`, `/Game/X/AS.AS` -> `/Game/X/AS`."""
    found = re.search(r"'(.+)'", path)
    return (found[1] if found else path).split(":")[0].split(".")[0].rstrip("/")


class Project:
    """`assets` are the loaded ones, by package path in lower case, as names know no case."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.assets: dict[str, Any] = {}
        self.folders: set[str] = {ROOT.lower()}
        self.built_in: set[str] = set()

    # Paths.

    def file(self, path: str) -> Path:
        """Where the asset of a package path is kept; the spelling of a file that is there already wins."""
        relative = package_path(path)[len(ROOT) + 1 :]
        file = self.root / "Content" / f"{relative}.uasset"
        if not file.exists():
            for found in self.files():
                if str(found.relative_to(self.root / "Content")).lower() == f"{relative}.uasset".lower():
                    return found
        return file

    def files(self) -> Iterator[Path]:
        content = self.root / "Content"
        return (file for file in content.rglob("*.uasset")) if content.is_dir() else iter(())

    def paths(self) -> list[str]:
        """Package paths of all assets, loaded or not, in their spelling."""
        content = self.root / "Content"
        found = {asset._outer._name.lower(): asset._outer._name for asset in self.assets.values()}
        for file in self.files():
            path = f"{ROOT}/{file.relative_to(content).with_suffix('').as_posix()}"
            found.setdefault(path.lower(), path)
        return sorted(found.values())

    # Life of an asset.

    def exists(self, path: str) -> bool:
        return self.loaded(path) is not None or (self.inside(path) and self.file(path).is_file())

    def inside(self, path: str) -> bool:
        """Whether it is a path below /Game."""
        return package_path(path).lower().startswith(f"{ROOT.lower()}/")

    def loaded(self, path: str) -> Any:
        return self.assets.get(package_path(path).lower())

    def load(self, path: str) -> Any:
        """The asset, read from its file where it isn't loaded; None where there is none."""
        found = self.loaded(path)
        if found is not None or not self.inside(path) or not self.file(path).is_file():
            return found
        file = self.file(path)
        said = json.loads(file.read_text("utf-8"))
        made = self.add(said["path"], known(said["class"]))
        made._outer._tags = dict(said["tags"])
        made._load(said["data"])
        made._outer._dirty = False
        return made

    def add(self, path: str, class_: Any) -> Any:
        """A new asset in its new package."""
        package = known("Package")(None, package_path(path))
        package._dirty, package._tags = True, {}
        made = class_(package, package_path(path).rsplit("/", 1)[1])
        self.assets[package_path(path).lower()] = made
        return made

    def save(self, asset: Any) -> bool:
        """Whether it could be written: a file that is read-only can't, as with files that aren't checked out."""
        package = asset.get_package()
        file = self.file(package._name)
        if file.exists() and not file.stat().st_mode & stat.S_IWUSR:
            editor().log_file.write("warning", f"LogSavePackage: {file.name} is read-only")
            return False
        said = {
            "class": type(asset).__name__,
            "path": package._name,
            "tags": package._tags,
            "data": asset._dump(),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(said), "utf-8")
        partial.replace(file)
        package._dirty = False
        return True

    def remove(self, path: str) -> bool:
        found = self.load(path)
        if found is None:
            return False
        self.file(path).unlink(missing_ok=True)
        del self.assets[package_path(path).lower()]
        return True

    def mark_dirty(self, thing: Any) -> None:
        package = thing.get_package()
        if self.assets.get(package._name.lower()) is not None:
            package._dirty = True

    def blueprint_class(self, path: str) -> Any:
        """The class of `/Game/Rigs/X.X_C`, or None."""
        found = self.load(path.removesuffix("_C"))
        made = getattr(found, "_generated_class", None)
        return made() if made is not None and path.endswith("_C") else None

    def content_of(self, thing: Any) -> Any:
        """The asset that an object is; None where it is none."""
        package = thing.get_package() if thing is not None else None
        found = self.assets.get(package._name.lower()) if package is not None else None
        return found if found is thing else None


# Values in files.


def encode(value: Any) -> Any:
    """Values of properties as JSON; an asset becomes its path."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    kind = getattr(value, "fake_kind", "")
    name = type(value).__name__
    if name in ("Name", "Text"):
        return {"$": name, "text": str(value)}
    if name in ("Array", "Set"):
        return {"$": name, "types": value._types, "items": [encode(item) for item in value._items]}
    if kind == "enum":
        return {"$": "enum", "class": name, "name": value.name}
    if kind == "struct":
        return {"$": "struct", "class": name, "values": {key: encode(item) for key, item in value._values.items()}}
    if kind == "object" and editor().project.content_of(value) is not None:
        return {"$": "asset", "path": value.get_path_name()}
    return None


def decode(said: Any) -> Any:
    """What `encode` wrote. An asset that is gone becomes None."""
    if not isinstance(said, dict):
        return said
    mark = said["$"]
    if mark in ("Name", "Text"):
        return known(mark)(said["text"])
    if mark in ("Array", "Set"):
        return known(mark).of(said["types"], [decode(item) for item in said["items"]])
    if mark == "enum":
        return known(said["class"]).fake_members[said["name"]]
    if mark == "struct":
        made = known(said["class"])()
        made._values.update({key: decode(item) for key, item in said["values"].items()})
        return made
    return editor().project.load(said["path"])
