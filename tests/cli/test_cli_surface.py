"""The command's surface: fast help, exit codes that mean something, JSON that parses."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semanticface.cli.output import ExitCode, exit_code
from semanticface.errors import (
    AssetError,
    BackendLost,
    JobCancelled,
    MediaError,
    OptionsError,
    ProtocolError,
    TakeError,
)

COMMANDS = [
    "analyze",
    "stream",
    "export",
    "show",
    "serve",
    "status",
    "unload",
    "stop",
    "models",
    "remote",
    "doctor",
    "demo",
    "bench",
]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from semanticface.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from semanticface.cli import app\n"
        "heavy = {'numpy', 'cv2', 'av', 'zmq', 'msgpack', 'ai_edge_litert', 'torch', 'bpy'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.strip() == ""


@pytest.mark.clock
def test_help_answers_at_once() -> None:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        run("--help")
        times.append(time.perf_counter() - began)
    # 0.2 s on a quiet machine; the bound leaves room for a loaded one.
    assert statistics.median(times) < 0.9


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OptionsError("x"), ExitCode.USAGE),
        (MediaError("x"), ExitCode.INPUT),
        (TakeError("x"), ExitCode.INPUT),
        (AssetError("x"), ExitCode.ASSET),
        (BackendLost("x"), ExitCode.BACKEND),
        (ProtocolError("x"), ExitCode.BACKEND),
        (JobCancelled("x"), ExitCode.CANCELLED),
    ],
)
def test_each_error_has_the_exit_code_of_its_kind(error, code) -> None:
    assert exit_code(error) is code


def test_errors_are_one_json_line_with_json(tmp_path: Path) -> None:
    done = run("show", str(tmp_path), "--json")
    assert done.returncode == ExitCode.INPUT
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["error"]["kind"] == "take"
    assert done.stderr == ""


def test_errors_for_people_go_to_standard_error_without_a_traceback(tmp_path: Path) -> None:
    done = run("analyze", str(tmp_path / "nothing.mp4"))
    assert done.returncode == ExitCode.INPUT
    assert done.stdout == ""
    assert "nothing.mp4" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_usage_is_code_2() -> None:
    assert run("analyze").returncode == ExitCode.USAGE
    assert run("export", "x", "--to", "fbx", "--out", "y").returncode == ExitCode.USAGE


def test_status_without_a_backend_says_so() -> None:
    done = run("status", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (ExitCode.BACKEND, {"running": False})
