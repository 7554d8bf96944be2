"""Build the Blender extension: `python tools/build_extension.py [--platform host]` -> dist/semanticface-<version>.zip.

Makes the wheel of `semanticface` (the parts in backend/), fetches the wheels of pyzmq and msgpack for each
platform and Python that Blender has, copies `blender_addon` beside them with a manifest that lists them, and lets
Blender's own tool build and validate the zip. Wheels are kept in build/wheels, so that a second run needs no
network. Nothing of it goes into git. Needs Python 3.11 with pip, and bpy (for Blender's tool) or --blender-ext.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from _wheels import KEPT, PLATFORMS, ROOT, BuildError, fetch_wheels, host_platform, own_wheel, run, version

PYTHONS = ("3.11", "3.13")
"""Python of Blender 4.2 to 5.0, and of 5.1 and later."""

REQUIREMENTS = ("pyzmq>=26", "msgpack>=1.0")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("build_extension", description="Build the Blender extension.")
    parser.add_argument("--platform", action="append", choices=["all", "host", *PLATFORMS], help="default: all")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder for the zip")
    parser.add_argument("--wheels", type=Path, default=KEPT, help="folder that keeps the wheels")
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
        bundled = [own, *fetch_wheels(REQUIREMENTS, platforms, PYTHONS, wheels)]
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


def find_tool() -> Path:
    """Blender's extension tool inside the bpy package. Raises BuildError when bpy is not installed."""
    spec = importlib.util.find_spec("bpy")
    places = spec.submodule_search_locations if spec is not None and spec.submodule_search_locations else []
    for place in places:
        for found in sorted(Path(place).glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")):
            return found
    raise BuildError("Blender's tool was not found: install bpy here, or name blender_ext.py with --blender-ext")


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


if __name__ == "__main__":
    sys.exit(main())
