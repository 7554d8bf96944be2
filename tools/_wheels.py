"""Wheels for the add-ons' distributions: our own is built, the others are fetched for each platform and kept.

Shared by the tools beside it. Kept wheels lie in build/wheels, so that a second run needs no network. Knows nothing of
what is made of the wheels.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform as machine
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "wheels"

PLATFORMS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_26_x86_64", "manylinux2014_x86_64"),
    "macos-arm64": ("macosx_11_0_arm64", "macosx_10_15_universal2"),
    "macos-x64": ("macosx_10_15_x86_64", "macosx_10_9_x86_64", "macosx_10_15_universal2"),
    "windows-x64": ("win_amd64",),
}
"""A platform's name, and the tags that a wheel for it may carry."""

SETUPTOOLS = (77, 0)


class BuildError(Exception):
    """Something that the caller can put right; the message says what."""


def version() -> str:
    """The version of the distribution, which the add-ons share."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return str(data["project"]["version"])


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


def fetch_wheels(
    requirements: Sequence[str], platforms: Iterable[str], pythons: Sequence[str], folder: Path
) -> list[Path]:
    """The wheels of the requirements for each platform and Python, each file once; fetched where not kept already."""
    found: dict[str, Path] = {}
    for platform in platforms:
        for python in pythons:
            for requirement in requirements:
                wheel = fetch_wheel(requirement, platform, python, folder)
                found.setdefault(wheel.name, wheel)
    return sorted(found.values())


def fetch_wheel(requirement: str, platform: str, python: str, folder: Path) -> Path:
    """The wheel of one requirement, `name>=1` or `name==1.2`. Raises BuildError where there is none."""
    kept = folder / f"{platform}-{python}"
    wheel = _kept(kept, requirement)
    if wheel is None:
        tags = [word for tag in PLATFORMS[platform] for word in ("--platform", tag)]
        command = [*pip_command(), "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        run([*command, "--python-version", python, *tags, "--dest", str(kept), requirement])
        wheel = _kept(kept, requirement)
    if wheel is None:
        raise BuildError(f"pip fetched no wheel of {requirement} for {platform}, Python {python}")
    return wheel


def pinned(*names: str) -> list[str]:
    """`name==version` for each, as constraints.txt has it. Raises BuildError for one that it doesn't pin."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = {line.partition("==")[0]: line for line in lines if "==" in line}
    missing = [name for name in names if name not in pins]
    if missing:
        raise BuildError(f"constraints.txt does not pin {', '.join(missing)}")
    return [pins[name] for name in names]


def host_platform() -> str:
    """The name of this computer's platform. Raises BuildError for one that is none of them."""
    system = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}.get(machine.system(), machine.system())
    kind = "arm64" if machine.machine().lower() in {"arm64", "aarch64"} else "x64"
    if f"{system}-{kind}" not in PLATFORMS:
        raise BuildError(f"this computer, {system}-{kind}, is none of {', '.join(PLATFORMS)}")
    return f"{system}-{kind}"


def pip_command() -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def run(command: Sequence[str], **environment: str) -> None:
    """Raises BuildError with the end of what it printed when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise BuildError(f"{' '.join(command[:6])} ... ended with code {done.returncode}:\n{said}")


def _kept(folder: Path, requirement: str) -> Path | None:
    project, exact, number = requirement.partition("==")
    name = re.split(r"[<>=]", project)[0]
    pattern = f"{name}-{number}-*.whl" if exact else f"{name}-*.whl"
    return next(iter(sorted(folder.glob(pattern), reverse=True)), None)


def _setuptools() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in importlib.metadata.version("setuptools").split(".")[:2])
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return (0,)
