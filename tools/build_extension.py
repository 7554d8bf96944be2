"""Build the Blender extension: `python tools/build_extension.py [--platform host]` -> dist/semanticface-<version>.zip.

Makes the wheel of `semanticface` (the parts in backend/), fetches the wheels of pyzmq and msgpack for each
platform and Python that Blender has, copies `blender_addon` beside them with a manifest that lists them, and lets
Blender's own tool build and validate the zip. Wheels are kept in build/wheels, so that a second run needs no
network. Nothing of it goes into git. Needs Python 3.11 with pip, and bpy (for Blender's tool) or --blender-ext.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform as machine
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.13")
"""Python of Blender 4.2 to 5.0, and of 5.1 and later."""

PLATFORMS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_26_x86_64", "manylinux2014_x86_64"),
    "macos-arm64": ("macosx_11_0_arm64", "macosx_10_15_universal2"),
    "macos-x64": ("macosx_10_15_x86_64", "macosx_10_9_x86_64", "macosx_10_15_universal2"),
    "windows-x64": ("win_amd64",),
}
"""Blender's name of a platform, and the tags that a wheel for it may carry."""

REQUIREMENTS = ("pyzmq>=26", "msgpack>=1.0")
SETUPTOOLS = (77, 0)


class BuildError(Exception):
    """Something that the caller can put right; the message says what."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("build_extension", description="Build the Blender extension.")
    parser.add_argument("--platform", action="append", choices=["all", "host", *PLATFORMS], help="default: all")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder for the zip")
    parser.add_argument("--wheels", type=Path, default=ROOT / "build" / "wheels", help="folder that keeps the wheels")
    parser.add_argument("--blender-ext", type=Path, help="Blender's blender_ext.py; default: the one in bpy")
    chosen = parser.parse_args(arguments)
    try:
        path = build(_platforms(chosen.platform or ["all"]), chosen.output, chosen.wheels, chosen.blender_ext)
    except BuildError as error:
        print(f"build_extension: {error}", file=sys.stderr)
        return 1
    print(path)
    return 0


def build(platforms: Sequence[str], output: Path, wheels: Path, tool: Path | None = None) -> Path:
    """The validated zip for these platforms. Raises BuildError."""
    tool = tool or find_tool()
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="semanticface-extension-") as folder:
        source = Path(folder) / "semanticface"
        shutil.copytree(ROOT / "blender_addon", source, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
        own = own_wheel(Path(folder) / "own")
        bundled = [own, *fetch_wheels(platforms, wheels)]
        (source / "wheels").mkdir()
        for wheel in bundled:
            shutil.copy2(wheel, source / "wheels")
        complete_manifest(source / "blender_manifest.toml", platforms, [wheel.name for wheel in bundled])
        suffix = (
            "" if set(platforms) == set(PLATFORMS) else "-" + "-".join(name.replace("-", "_") for name in platforms)
        )
        path = output / f"semanticface-{version()}{suffix}.zip"
        run([sys.executable, str(tool), "build", "--source-dir", str(source), "--output-filepath", str(path)])
    run([sys.executable, str(tool), "validate", str(path)])
    return path


def version() -> str:
    """The version of the distribution, which the extension shares."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return str(data["project"]["version"])


def find_tool() -> Path:
    """Blender's extension tool inside the bpy package. Raises BuildError when bpy is not installed."""
    spec = importlib.util.find_spec("bpy")
    places = spec.submodule_search_locations if spec is not None and spec.submodule_search_locations else []
    for place in places:
        for found in sorted(Path(place).glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")):
            return found
    raise BuildError("Blender's tool was not found: install bpy here, or name blender_ext.py with --blender-ext")


def own_wheel(folder: Path) -> Path:
    """Build the wheel of the packages in backend/, from a copy: nothing stale and nothing of training gets in."""
    source = folder / "source"
    shutil.copytree(ROOT / "backend", source / "backend", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (source / "training").mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, source)
    if not (source / "README.md").exists():
        (source / "README.md").write_text("SemanticFace\n", "utf-8")
    command = [*pip_command(), "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)]
    if _setuptools() >= SETUPTOOLS:
        command.append("--no-build-isolation")
    run(command, SOURCE_DATE_EPOCH="1700000000")
    return next(folder.glob("semanticface-*.whl"))


def fetch_wheels(platforms: Iterable[str], folder: Path) -> list[Path]:
    """The wheels of the requirements for each platform and Python, each file once; fetched where not kept already."""
    found: dict[str, Path] = {}
    for platform in platforms:
        for python in PYTHONS:
            kept = folder / f"{platform}-{python}"
            for requirement in REQUIREMENTS:
                wheel = _kept(kept, requirement) or _fetch(kept, requirement, platform, python)
                found.setdefault(wheel.name, wheel)
    return sorted(found.values())


def complete_manifest(file: Path, platforms: Sequence[str], wheels: Sequence[str]) -> None:
    """Put version, platforms and wheels into the copied manifest, before its first table."""
    text = re.sub(r'^version = ".*"$', f'version = "{version()}"', file.read_text("utf-8"), flags=re.MULTILINE)
    listed = "".join(f'  "./wheels/{name}",\n' for name in wheels)
    names = ", ".join(f'"{name}"' for name in platforms)
    head, bracket, tail = text.partition("\n[")
    file.write_text(f"{head}\nplatforms = [{names}]\nwheels = [\n{listed}]\n{bracket}{tail}", "utf-8")


def _platforms(chosen: Sequence[str]) -> list[str]:
    if "all" in chosen:
        return list(PLATFORMS)
    return list(dict.fromkeys(host_platform() if name == "host" else name for name in chosen))


def host_platform() -> str:
    system = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}.get(machine.system(), machine.system())
    kind = "arm64" if machine.machine().lower() in {"arm64", "aarch64"} else "x64"
    if f"{system}-{kind}" not in PLATFORMS:
        raise BuildError(f"this computer, {system}-{kind}, is none of {', '.join(PLATFORMS)}")
    return f"{system}-{kind}"


def _kept(folder: Path, requirement: str) -> Path | None:
    project = re.split(r"[<>=]", requirement)[0]
    return next(iter(sorted(folder.glob(f"{project}-*.whl"), reverse=True)), None)


def _fetch(folder: Path, requirement: str, platform: str, python: str) -> Path:
    tags = [word for tag in PLATFORMS[platform] for word in ("--platform", tag)]
    command = [*pip_command(), "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--python-version", python]
    run([*command, *tags, "--dest", str(folder), requirement])
    wheel = _kept(folder, requirement)
    if wheel is None:
        raise BuildError(f"pip fetched no wheel of {requirement} for {platform}, Python {python}")
    return wheel


def pip_command() -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def _setuptools() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in importlib.metadata.version("setuptools").split(".")[:2])
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return (0,)


def run(command: Sequence[str], **environment: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise BuildError(f"{' '.join(command[:6])} ... ended with code {done.returncode}:\n{said}")


if __name__ == "__main__":
    sys.exit(main())
