"""Build the Unreal plugin: `python tools/build_unreal_plugin.py` -> dist/SemanticFace-<version>-UE5.zip.

The zip holds one folder, SemanticFace, to be put into a project's or the engine's Plugins folder. In it are the
plugin's sources, our library's light rooms, the wheels of numpy, pyzmq and msgpack, unpacked for each platform where
Unreal's Python looks for them, the wheel that the backend is installed from, and the licences of it all.

    --platform       Win64, Linux, Mac (Apple silicon), MacIntel or host, several times; default: the first three
    --requirements   no wheels of others: Unreal fetches them with pip (pinned, with hashes), from the network
    --output         folder for the zip; default: dist
    --wheels         folder that keeps fetched wheels; default: build/wheels
    --check ZIP      look a zip over and build nothing

One folder, Mac, serves both kinds of Mac, and numpy has no wheel for both: a zip is for one of them. The zip is the
same byte for byte when it is built again from the same sources. Needs Python 3.11 with pip.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from _plugin_check import problems
from _wheels import KEPT, ROOT, BuildError, fetch_wheel, host_platform, own_wheel, pinned, version

PYTHON = "3.11"
"""Python of Unreal 5.4 and later."""
SOURCE = ROOT / "unreal_plugin"
NAME = "SemanticFace"
PACKAGES = ("msgpack", "numpy", "pyzmq")
CONTENT = PurePosixPath("Content/Python")
PURE = CONTENT / "Lib/site-packages"
"""Beside it lie `Lib/<Platform>/site-packages`, where the engine looks (FPythonScriptPlugin::RegisterModulePaths) and
its own plugins have theirs. Epic's page on dependencies names `<Platform>/Lib/site-packages`, which isn't searched."""

LEFT_OUT = frozenset(
    {"assets", "bench", "cli", "demo", "engines", "server", "mock.py", "mock_jobs.py", "mock_script.py"}
)
"""Of our library, what the backend alone needs; it is in the backend's wheel."""

NOT_NEEDED = frozenset({".a", ".c", ".cpp", ".f", ".f90", ".h", ".hpp", ".lib", ".pxd", ".pxi", ".pyx"})
"""Of others' wheels, what only serves to compile against them; their tests are left out, too, for shorter paths."""

SHIPPED = frozenset({".json", ".md", ".png", ".py", ".uplugin", ".txt"})
"""Kinds of files that the plugin's sources consist of."""


@dataclass(frozen=True, slots=True)
class Target:
    """Unreal's name of a platform, which is the folder's, and the name of its wheels."""

    folder: str
    wheels: str


TARGETS: Mapping[str, Target] = {
    "Win64": Target("Win64", "windows-x64"),
    "Linux": Target("Linux", "linux-x64"),
    "Mac": Target("Mac", "macos-arm64"),
    "MacIntel": Target("Mac", "macos-x64"),
}
ALL = ("Win64", "Linux", "Mac")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("build_unreal_plugin", description="Build the Unreal plugin's zip.")
    parser.add_argument("--platform", action="append", choices=["all", "host", *TARGETS], help="default: all")
    parser.add_argument("--requirements", action="store_true", help="let Unreal fetch the wheels with pip")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder for the zip")
    parser.add_argument("--wheels", type=Path, default=KEPT, help="folder that keeps the wheels")
    parser.add_argument("--check", type=Path, metavar="ZIP", help="look a zip over and build nothing")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.check:
            path = chosen.check
            refuse_faulty(path)
        else:
            path = build(_targets(chosen.platform or ["all"]), chosen.output, chosen.wheels, chosen.requirements)
    except (BuildError, OSError) as error:
        print(f"build_unreal_plugin: {error}", file=sys.stderr)
        return 1
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def build(targets: Sequence[str], output: Path, wheels: Path, requirements: bool = False) -> Path:
    """The zip for these targets, looked over. Raises BuildError."""
    if {"Mac", "MacIntel"} <= set(targets) and not requirements:
        raise BuildError("Mac and MacIntel share a folder and not their wheels: build a zip for each")
    output.mkdir(parents=True, exist_ok=True)
    suffix = "-pip" if requirements else "" if tuple(targets) == ALL else "-" + "-".join(targets)
    path = output / f"{NAME}-{version()}-UE5{suffix}.zip"
    with tempfile.TemporaryDirectory(prefix="semanticface-unreal-") as folder:
        plugin = Path(folder) / NAME
        copy_sources(plugin)
        own = plain_wheel(own_wheel(Path(folder) / "own"), plugin / "Resources" / "Backend")
        unpack_library(own, plugin / PURE)
        fetched = {target: _wheels_of(target, wheels) for target in (TARGETS if requirements else targets)}
        if not requirements:
            for target, files in fetched.items():
                for wheel in files:
                    unpack_wheel(wheel, plugin / CONTENT / "Lib" / TARGETS[target].folder / "site-packages")
        complete_descriptor(plugin / f"{NAME}.uplugin", fetched if requirements else {})
        write_licences(plugin / "Licenses", fetched)
        made = Path(folder) / path.name
        write_zip(Path(folder), plugin, made)
        refuse_faulty(made)
        shutil.move(made, path)
    return path


def _wheels_of(target: str, kept: Path) -> list[Path]:
    return [fetch_wheel(pin, TARGETS[target].wheels, PYTHON, kept) for pin in pinned(*PACKAGES)]


def refuse_faulty(path: Path) -> None:
    """Raises BuildError that lists what is wrong with a zip."""
    found = problems(path)
    if found:
        raise BuildError(f"{path.name} is not fit for use:\n  " + "\n  ".join(found))


def copy_sources(plugin: Path) -> None:
    """The plugin's own files, and what belongs beside them."""
    for file in sorted((SOURCE / NAME).rglob("*")):
        place = file.relative_to(SOURCE / NAME)
        if (
            file.is_file()
            and file.suffix in SHIPPED
            and not any(part.startswith((".", "__")) for part in place.parent.parts)
        ):
            (plugin / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, plugin / place)
    shutil.copyfile(SOURCE / "README.md", plugin / "README.md")


def plain_wheel(wheel: Path, folder: Path) -> Path:
    """A copy whose bytes don't depend on this computer: same order, dates and rights."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(folder / wheel.name, "w") as target:
        for entry in source.infolist():
            _add(target, entry.filename, source.read(entry))
    return folder / wheel.name


def unpack_library(wheel: Path, folder: Path) -> None:
    """Our own library without what only the backend needs."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            parts = PurePosixPath(name).parts
            if parts[0] == "semanticface" and parts[1] not in LEFT_OUT:
                _write(folder / name, archive.read(name))


def unpack_wheel(wheel: Path, folder: Path) -> None:
    """A wheel's files as pip would lay them, without tests and sources, and a RECORD of what is left."""
    with zipfile.ZipFile(wheel) as archive:
        kept = [name for name in archive.namelist() if not name.endswith("/") and _is_needed(name)]
        for name in kept:
            data = archive.read(name)
            if name.endswith(".dist-info/RECORD"):
                lines = data.decode("utf-8").splitlines(keepends=True)
                data = "".join(line for line in lines if line.rsplit(",", 2)[0].strip('"') in kept).encode()
            _write(folder / name, data)


def complete_descriptor(file: Path, fetched: Mapping[str, Sequence[Path]]) -> None:
    """Put the version into the copied descriptor, and what Unreal's pip shall fetch, if anything."""
    data = json.loads(file.read_text("utf-8"))
    numbers = [int(part) for part in version().split(".")[:3]]
    data["VersionName"] = version()
    data["Version"] = numbers[0] * 10000 + numbers[1] * 100 + numbers[2]
    lines: dict[str, dict[str, list[str]]] = {}
    for target, wheels in fetched.items():
        for pin, wheel in zip(pinned(*PACKAGES), wheels, strict=True):
            hashes = lines.setdefault(TARGETS[target].folder, {}).setdefault(pin, [])
            digest = f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
            hashes.extend([] if digest in hashes else [digest])
    if lines:
        data["PythonRequirements"] = [
            {"Platform": folder, "Requirements": [" ".join([pin, *hashes]) for pin, hashes in pins.items()]}
            for folder, pins in lines.items()
        ]
    file.write_text(json.dumps(data, indent=2) + "\n", "utf-8")


def write_licences(folder: Path, fetched: Mapping[str, Sequence[Path]]) -> None:
    """Ours, those in the wheels, and a table."""
    _write(folder / "SemanticFace" / "LICENSE", (ROOT / "LICENSE").read_bytes())
    rows = [f"| SemanticFace {version()} | Apache-2.0 | plugin, library, and the backend's wheel |"]
    rows += [_licences_of(wheel, folder, target) for target, wheels in fetched.items() for wheel in wheels]
    table = "# What is in this plugin\n\nTests and files for compiling were left out of the wheels.\n\n"
    table += "| What | Licence | From |\n|---|---|---|\n" + "\n".join(dict.fromkeys(rows)) + "\n"
    _write(folder / "README.md", table.encode())


def _licences_of(wheel: Path, folder: Path, target: str) -> str:
    """Write the licence files of a wheel into a folder of its own; returns its row of the table."""
    with zipfile.ZipFile(wheel) as archive:
        info = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        head = HeaderParser().parsestr(archive.read(info).decode("utf-8"))
        for name in archive.namelist():
            inside = name.removeprefix(info.removesuffix("METADATA"))
            if not name.endswith("/") and inside.upper().startswith(("LICEN", "COPYING")):
                _write(folder / f"{head['Name']}-{head['Version']}-{target}" / inside, archive.read(name))
    licence = head["License-Expression"] or (head["License"] or "").partition("\n")[0] or "see its files"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"| {head['Name']} {head['Version']} | {licence} | {wheel.name}, SHA-256 {digest} |"


def write_zip(base: Path, plugin: Path, path: Path) -> None:
    """All of the plugin's files, in the order of their names."""
    files = {file.relative_to(base).as_posix(): file for file in plugin.rglob("*") if file.is_file()}
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            _add(archive, name, files[name].read_bytes())


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, data)


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _is_needed(name: str) -> bool:
    place = PurePosixPath(name)
    unwanted = {"tests", "__pycache__"} & set(place.parts)
    return not unwanted and (".dist-info" in place.parts[0] or place.suffix not in NOT_NEEDED)


def _targets(chosen: Sequence[str]) -> list[str]:
    if "all" in chosen:
        return list(ALL)
    host = {target.wheels: name for name, target in TARGETS.items()}
    names = {host[host_platform()] if name == "host" else name for name in chosen}
    return [name for name in TARGETS if name in names]


if __name__ == "__main__":
    sys.exit(main())
