"""The extension as a user gets it: built and validated by Blender's tool, installed from the zip in a fresh profile."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def zip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("Blender's extension tool is in bpy, which this Python lacks")
    folder = tmp_path_factory.mktemp("dist")
    command = [
        sys.executable,
        str(ROOT / "tools" / "build_extension.py"),
        "--platform",
        "host",
        "--output",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr  # builds and validates
    return Path(done.stdout.split()[-1])


def test_the_zip_bundles_the_wheels_and_no_leftovers(zip_file: Path) -> None:
    with zipfile.ZipFile(zip_file) as archive:
        names = archive.namelist()
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    wheels = [name for name in names if name.startswith("wheels/")]
    assert sorted(manifest["wheels"]) == sorted(f"./{name}" for name in wheels)
    assert {name.split("/")[1].split("-")[0] for name in wheels} == {"semanticface", "pyzmq", "msgpack"}
    assert {tag for name in wheels for tag in ("cp311", "cp313", "cp312-abi3") if tag in name} >= {"cp311", "cp313"}
    assert "demo_head/__init__.py" in names
    assert "LICENSE" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".zip"))]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert manifest["version"] == project["version"]
    assert set(manifest["permissions"]) == {"files", "network"}


def test_the_installed_extension_analyzes_and_keys(
    blender: Run, zip_file: Path, tmp_path: Path, bpy_python: str
) -> None:
    if Path(bpy_python).stem.startswith("blender") and not blender("package:extensions"):
        pytest.skip("this Blender has no extensions")
    seen = blender("package:install", mock={"frames": 12}, zip_file=str(zip_file), timeout=180)
    assert seen["done"] == ["FINISHED"]
    if not seen["had"]:
        assert "semanticface" in seen["bundled"]
    assert seen["package"] == f"semanticface-{seen['versions'][0]}-py3-none-any.whl", (
        "what the backend is installed from"
    )
    assert seen["keep_out"], "Blender's own folders"
    assert {"SEMANTICFACE_PT_analyze", "SEMANTICFACE_OT_key_take"} <= set(seen["registered"])
    assert seen["finished"] == ["FINISHED"]
    assert "Keyed 12 frames on 61 channels" in seen["notes"][0]
    assert Path(seen["take"]).is_relative_to(tmp_path / "profile")
    assert seen["left"] == []
    assert seen["again"]
