"""Runs scripts in Blender: each in a child process with a time limit, once for every Blender.

SEMANTICFACE_BPY_PYTHONS lists Pythons that have bpy, SEMANTICFACE_BLENDERS Blender programs, which are run without a
window (both separated as PATH is); without either this Python is taken if it has bpy. The scripts are functions in
scripts/*.py; `harness.py` there calls one and hands back what it returns.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HARNESS = Path(__file__).with_name("scripts") / "harness.py"
MARK = "harness-result "
PYTHONS_VARIABLE = "SEMANTICFACE_BPY_PYTHONS"
BLENDERS_VARIABLE = "SEMANTICFACE_BLENDERS"


def _hosts() -> list[str]:
    """What the environment names: Pythons first, then Blender programs; none of them twice."""
    named = [os.environ.get(variable, "").split(os.pathsep) for variable in (PYTHONS_VARIABLE, BLENDERS_VARIABLE)]
    found = [path for paths in named for path in paths if path]
    if found:
        return list(dict.fromkeys(found))
    return [sys.executable] if importlib.util.find_spec("bpy") else []


def _is_blender(host: str) -> bool:
    return Path(host).stem.startswith("blender")


@cache  # asked for each test that is collected
def _version(host: str) -> str:
    if _is_blender(host):
        said = subprocess.run([host, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
        return f"blender{said.split()[1]}" if said.startswith("Blender ") else host
    command = [host, "-c", "import importlib.metadata as m; print(m.version('bpy'))"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return f"bpy{done.stdout.strip()}" if done.returncode == 0 else host


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bpy_python" in metafunc.fixturenames:
        reason = f"no Blender: install bpy here, or name one in {PYTHONS_VARIABLE} or {BLENDERS_VARIABLE}"
        missing = [pytest.param("", marks=pytest.mark.skip(reason=reason))]
        values = [pytest.param(host, id=_version(host)) for host in _hosts()] or missing
        metafunc.parametrize("bpy_python", values, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "bpy_python" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.blender)


Run = Callable[..., Any]


@pytest.fixture
def blender(bpy_python: str, tmp_path: Path, host_modules: Path) -> Run:
    """`blender("module:function", mock={...}, **arguments)` -> what the function returned, as JSON carries it.

    `mock` is the script of the mock backend that the add-on will find and start; times are kept short.
    """

    def run(target: str, *, mock: dict[str, Any] | None = None, timeout: float = 90, **arguments: Any) -> Any:
        script = tmp_path / "mock.json"
        script.write_text(json.dumps({"grace": 1.0, "lease": 10.0, **(mock or {})}))
        (tmp_path / "profile").mkdir(exist_ok=True)
        environment = os.environ | {
            "SEMANTICFACE_HOME": str(tmp_path / "home"),
            "SEMANTICFACE_BACKEND": f"{sys.executable} -m semanticface.mock --script {script}",
            "BLENDER_USER_RESOURCES": str(tmp_path / "profile"),
            "PYTHONUNBUFFERED": "1",
        }
        command = [bpy_python, str(HARNESS)]
        if _is_blender(bpy_python):
            environment["PYTHONPATH"] = str(host_modules)
            options = ["-b", "--factory-startup", "--python-use-system-env", "--python-exit-code", "1"]
            command = [bpy_python, *options, "-P", str(HARNESS), "--"]
        call = json.dumps({"folder": str(tmp_path), **arguments})
        done = subprocess.run(
            [*command, target, call],
            capture_output=True, text=True, timeout=timeout, env=environment, check=False,
        )  # fmt: skip
        for line in done.stdout.splitlines():
            if line.startswith(MARK):
                return json.loads(line.removeprefix(MARK))
        pytest.fail(f"{target} ended with code {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-5000:]}")

    return run


@pytest.fixture(scope="session")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real video: 60 frames at 25 frames a second, 64 x 48."""
    av = pytest.importorskip("av", reason="PyAV writes the test's video")
    numpy = pytest.importorskip("numpy")
    path = tmp_path_factory.mktemp("movie") / "take one.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(60):
            picture = numpy.full((48, 64, 3), number * 4, numpy.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path
