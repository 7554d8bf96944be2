"""What is wrong with a zip of the Unreal plugin: nothing missing, nothing left over, nothing of the building computer.

Reads the zip alone, so that one from elsewhere can be looked over, too.
"""

from __future__ import annotations

import ast
import io
import json
import os
import struct
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOP = "SemanticFace/"
CONTENT = f"{TOP}Content/Python/"
PURE = f"{CONTENT}Lib/site-packages/"
NEEDED = (
    f"{TOP}SemanticFace.uplugin",
    f"{TOP}README.md",
    f"{TOP}Resources/Icon128.png",
    f"{TOP}Licenses/README.md",
    f"{TOP}Licenses/SemanticFace/LICENSE",
    f"{CONTENT}init_unreal.py",
    f"{CONTENT}semanticface_farm.py",
    f"{CONTENT}semanticface_unreal/__init__.py",
    f"{PURE}semanticface/__init__.py",
    f"{PURE}semanticface/provision/__main__.py",
)
COMPILED = {
    "Win64": ".cp311-win_amd64.pyd",
    "Linux": ".cpython-311-x86_64-linux-gnu.so",
    "Mac": ".cpython-311-darwin.so",
}
"""How a module of a platform's wheels ends."""
EXTENSIONS = ("msgpack/_cmsgpack", "zmq/backend/cython/_zmq", "numpy/core/_multiarray_umath")
DISTRIBUTIONS = ("msgpack", "numpy", "pyzmq")
BROUGHT = frozenset({"msgpack", "numpy", "zmq", "unreal"})
"""Modules that are there beside the standard library and ours."""
FIELDS: Mapping[str, type] = {
    "FileVersion": int,
    "Version": int,
    "VersionName": str,
    "FriendlyName": str,
    "Description": str,
    "Category": str,
    "CanContainContent": bool,
    "Installed": bool,
    "Modules": list,
    "Plugins": list,
    "SupportedTargetPlatforms": list,
}
"""Fields that the descriptor has, as Epic documents them."""
MORE_FIELDS = frozenset(
    {"CreatedBy", "CreatedByURL", "DocsURL", "MarketplaceURL", "SupportURL"}
    | {"EnabledByDefault", "IsBetaVersion", "IsExperimentalVersion", "PythonRequirements"}
)
LONGEST = 150
"""Characters of a name in the zip: Windows allows 259 with the folder of the project before it."""


def problems(path: Path) -> list[str]:
    """Sentences; empty where the zip is fit for use. Raises OSError."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return [f"{archive.testzip()} is damaged"]
            names = [name for name in archive.namelist() if not name.endswith("/")]
            texts = {name: archive.read(name) for name in names if _is_ours(name)}
    except zipfile.BadZipFile as error:
        return [f"it is no zip: {error}"]
    found = [f"it lacks {name}" for name in NEEDED if name not in names]
    found += _leftovers(names)
    found += _computer(texts)
    found += _missing_modules(texts)
    found += _backend(texts)
    found += _icon(texts)
    descriptor = _descriptor(texts)
    found += descriptor if isinstance(descriptor, list) else _libraries(names, descriptor)
    return found


def _is_ours(name: str) -> bool:
    """Whether it is none of the unpacked wheels of others."""
    return not any(name.startswith(f"{CONTENT}Lib/{platform}/") for platform in COMPILED)


def _leftovers(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        parts = PurePosixPath(name).parts
        hidden = _is_ours(name) and any(part.startswith(".") for part in parts)
        if not name.startswith(TOP) or ".." in parts:
            yield f"{name} is outside of the folder {TOP}"
        elif hidden or {"__pycache__", "tests"} & set(parts) or name.endswith((".pyc", ".pyi.orig", ".whl.part")):
            yield f"{name} does not belong into it"
        elif len(name) > LONGEST:
            yield f"{name} is too long for Windows: {len(name)} characters, {LONGEST} may be"


def _computer(texts: Mapping[str, bytes]) -> Iterator[str]:
    """Paths of the computer that it was built on."""
    home = "" if Path.home() == Path(Path.home().anchor) else str(Path.home())
    for place in filter(None, {str(ROOT), home, os.path.realpath(tempfile.gettempdir()) + "/semanticface-"}):
        spelled = {place.encode(), place.replace("\\", "/").encode(), place.replace("\\", "\\\\").encode()}
        yield from (f"{name} names {place}" for name, data in texts.items() if any(text in data for text in spelled))


def _backend(texts: Mapping[str, bytes]) -> Iterator[str]:
    wheels = [name for name in texts if name.startswith(f"{TOP}Resources/Backend/") and name.endswith(".whl")]
    if len(wheels) != 1:
        yield f"it has {len(wheels)} wheels of the backend, not one"
        return
    with zipfile.ZipFile(io.BytesIO(texts[wheels[0]])) as archive:
        if "semanticface/server/__main__.py" not in archive.namelist():
            yield f"{wheels[0]} has no backend in it"


def _icon(texts: Mapping[str, bytes]) -> Iterator[str]:
    data = texts.get(f"{TOP}Resources/Icon128.png", b"")
    if data and (data[:8] != b"\x89PNG\r\n\x1a\n" or struct.unpack(">II", data[16:24]) != (128, 128)):
        yield "Icon128.png is no PNG of 128 by 128"


def _descriptor(texts: Mapping[str, bytes]) -> dict[str, Any] | list[str]:
    """The descriptor, or what is wrong with it."""
    name = f"{TOP}SemanticFace.uplugin"
    try:
        data = json.loads(texts.get(name, b"{}"))
    except ValueError as error:
        return [f"{name} is no JSON: {error}"]
    if not isinstance(data, dict):
        return [f"{name} is no JSON object"]
    found = [f"{name} lacks {field}" for field in FIELDS if field not in data]
    found += [f"{name}: {field} is no {kind.__name__}" for field, kind in FIELDS.items()
              if field in data and type(data[field]) is not kind]  # fmt: skip
    found += [
        f"{name}: there is no field {field}" for field in data if field not in FIELDS and field not in MORE_FIELDS
    ]
    if found:
        return found
    if data["FileVersion"] != 3 or not data["CanContainContent"] or data["Modules"]:
        found.append(f"{name} is not that of a plugin of version 3 with content and without modules")
    if "PythonScriptPlugin" not in {plugin.get("Name") for plugin in data["Plugins"] if plugin.get("Enabled")}:
        found.append(f"{name} does not enable PythonScriptPlugin")
    if data["VersionName"].encode() not in texts.get(f"{PURE}semanticface/__init__.py", b""):
        found.append(f"{name} and the library have different versions")
    return found or data


def _libraries(names: Iterable[str], descriptor: Mapping[str, Any]) -> Iterator[str]:
    """Either unpacked wheels that are whole, or a list for pip; each with a licence."""
    there = set(names)
    unpacked = [platform for platform in COMPILED if any(n.startswith(f"{CONTENT}Lib/{platform}/") for n in there)]
    listed = descriptor.get("PythonRequirements", [])
    if bool(unpacked) == bool(listed):
        yield "it has to bring the wheels of others or to list them for pip, one of both"
    for platform in unpacked:
        folder = f"{CONTENT}Lib/{platform}/site-packages/"
        for module in EXTENSIONS:
            if folder + module + COMPILED[platform] not in there:
                yield f"{platform} lacks {module}{COMPILED[platform]}"
        for project in DISTRIBUTIONS:
            if not any(name.startswith(f"{folder}{project}-") and name.endswith("/RECORD") for name in there):
                yield f"{platform} lacks the wheel of {project}"
    for entry in listed:
        for project in DISTRIBUTIONS:
            lines = [line for line in entry.get("Requirements", []) if line.startswith(f"{project}==")]
            if len(lines) != 1 or " --hash=sha256:" not in lines[0]:
                yield f"{entry.get('Platform')} does not list {project} with version and hash"
    for project in DISTRIBUTIONS:
        if not any(name.startswith(f"{TOP}Licenses/{project}-") for name in there):
            yield f"it lacks the licence of {project}"


def _missing_modules(texts: Mapping[str, bytes]) -> Iterator[str]:
    """What the plugin's modules import, and what that imports, as far as it is not there."""
    places = {**_modules(texts, PURE), **_modules(texts, CONTENT)}
    own = [name for name in places if not name.startswith("semanticface.") and name != "semanticface"]
    waiting, seen = list(own), set(own)
    while waiting:
        module = waiting.pop()
        for wanted, is_module in sorted(_imports(texts[places[module]], everywhere=module in own).items()):
            top = wanted.partition(".")[0]
            if top in sys.stdlib_module_names or top in BROUGHT:
                continue
            if wanted not in places:
                if is_module:
                    yield f"{module} imports {wanted}, which is not in it"
                continue
            steps = wanted.split(".")
            above = {".".join(steps[: count + 1]) for count in range(len(steps))}
            waiting += sorted((above & set(places)) - seen)
            seen |= above


def _modules(texts: Mapping[str, bytes], folder: str) -> dict[str, str]:
    """Dotted names, and the files; without what lies in the folders of libraries."""
    found = {}
    for name in texts:
        inside = name.removeprefix(folder)
        if name.startswith(folder) and name.endswith(".py") and "Lib/" not in inside:
            parts = PurePosixPath(inside).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = name
    return found


def _imports(source: bytes, everywhere: bool) -> dict[str, bool]:
    """What it imports, everywhere or only when it is itself imported; False for a name that may be no module."""
    found: dict[str, bool] = {}
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {name.name: True for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found = {f"{node.module}.{name.name}": False for name in node.names} | found | {node.module: True}
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif everywhere or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
    return found
