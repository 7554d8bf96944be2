"""The command around an engine that writes: options handed on, text as it grows, memory given back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semanticface.cli.analyze import AnalyzeRequest, parse_options
from semanticface.cli.output import ExitCode
from semanticface.errors import OptionsError

COMMAND = [sys.executable, "-c", "from semanticface.cli import main; main()"]
WRITES = ("--engine", "echo-batch", "--option", "words=12", "--option", "delay=0.08")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A backend of this file's own."""
    folder = tmp_path_factory.mktemp("following")
    yield folder
    run(folder, "stop")


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cv2 = pytest.importorskip("cv2", reason="the backend's libraries")
    np = pytest.importorskip("numpy")
    folder = tmp_path_factory.mktemp("shot")
    for number in range(3):
        cv2.imwrite(str(folder / f"shot.{number:04d}.png"), np.full((32, 32, 3), 40 * number, np.uint8))
    return folder


def run(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SEMANTICFACE_HOME": str(home), "COLUMNS": "160"}
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_values_are_json_or_a_plain_word() -> None:
    typed = ["batch=4", "dead_zone=0.5", "face_crop=null", "draft=none", "face=[1, 2, 3, 4]", "require_face=true"]
    assert parse_options(typed) == {
        "batch": 4,
        "dead_zone": 0.5,
        "face_crop": None,
        "draft": "none",
        "face": [1, 2, 3, 4],
        "require_face": True,
    }


@pytest.mark.parametrize(
    "path", ["/jobs/a shot (1)/own=2.npz", r"C:\rigs\own.npz", r"\\farm\rigs\own.npz", "C:/rigs/own.npz"]
)
def test_a_whole_path_stands_for_itself(path: str) -> None:
    assert parse_options([f"calibration={path}"]) == {"calibration": path}


def test_a_path_from_home_on_is_made_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert parse_options(["calibration=~/own.npz"]) == {"calibration": "/home/anna/own.npz"}


@pytest.mark.parametrize("text", ["mode", "=1", "two words=1", "a=b=c", "a={", "a=", "a=own.npz", "a=0,5"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(OptionsError):
        parse_options([text])


def test_a_flag_is_sent_only_when_it_was_typed_and_an_option_wins_over_it() -> None:
    plain = ("shot.mov", "", "auto", None, "largest", True, "", False)
    assert AnalyzeRequest(*plain).engine_options() == {}
    typed = AnalyzeRequest(*plain, mode="full", options=("mode=coefficients",))
    assert typed.engine_options() == {"mode": "coefficients"}


def test_following_as_json_gives_typed_lines_between_results_that_have_no_type(home: Path, shot: Path) -> None:
    done = run(home, "analyze", shot, "--rate", "24", *WRITES, "--follow", "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    rows = lines(done)
    assert [row["frame"] for row in rows if "type" not in row] == [0, 1, 2]
    texts = [row["text"] for row in rows if row.get("type") == "partial" and row["frame"] == 1]
    assert len(texts) >= 3 and texts == sorted(texts, key=len) and all(text.startswith("1:0") for text in texts)


def test_without_following_nothing_but_results_is_on_standard_output(home: Path, shot: Path) -> None:
    done = run(home, "analyze", shot, "--rate", "24", *WRITES, "--option", "salt=quiet", "--json")
    assert [row["frame"] for row in lines(done)] == [0, 1, 2]


def test_following_for_people_shows_each_analysis_and_keeps_standard_output_free(home: Path, shot: Path) -> None:
    done = run(home, "analyze", shot, "--rate", "24", *WRITES, "--option", "salt=people", "--follow")
    assert done.returncode == ExitCode.OK and done.stdout == ""
    assert "frame 2: ok" in done.stderr and "Expression: echo" in done.stderr and "3 frames of" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_the_text_is_seen_before_its_frame_is_done(home: Path, shot: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = os.environ | {"SEMANTICFACE_HOME": str(home), "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    command = [*COMMAND, "analyze", str(shot), "--rate", "24", *WRITES, "--option", "salt=tty", "--follow"]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert process.wait(30) == ExitCode.OK
    assert 0 < seen.find(b"frame 0: 0:0") < seen.find(b"frame 0: ok")


def test_the_engine_that_auto_took_and_why_is_on_standard_error(home: Path, shot: Path, face_landmarker: Path) -> None:
    done = run(home, "analyze", shot, "--rate", "24")
    assert "engine: landmarks — " in done.stderr
    status = run(home, "status")
    assert "auto takes landmarks: " in status.stderr and "engine semanticface: " in status.stderr


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [(("--face", "1"), "--face"), (("--no-smoothing",), "--no-smoothing"), (("--mode", "coefficients"), "--mode")],
)
def test_a_flag_that_the_engine_does_not_know_is_refused_by_its_own_name(
    home: Path, shot: Path, arguments: tuple[str, ...], flag: str
) -> None:
    done = run(home, "analyze", shot, "--rate", "24", "--engine", "echo", *arguments, "--json")
    assert done.returncode == ExitCode.USAGE
    (error,) = [row["error"] for row in lines(done)]
    assert error["message"].startswith(f"{flag}: ") and "--engine" in error["hint"]


def test_unload_ends_the_workers_and_says_which(home: Path, shot: Path) -> None:
    run(home, "analyze", shot, "--rate", "24", "--engine", "echo-batch", "--option", "salt=load")
    assert lines(run(home, "unload", "echo-batch", "--json")) == [{"running": True, "ended": ["echo-batch"]}]
    again = run(home, "unload", "echo-batch")
    assert again.returncode == ExitCode.OK and "nothing was loaded" in again.stderr
    wrong = run(home, "unload", "nobody", "--json")
    assert (wrong.returncode, lines(wrong)[0]["error"]["kind"]) == (ExitCode.BACKEND, "engine")


def test_unload_without_a_backend_starts_none(tmp_path: Path) -> None:
    done = run(tmp_path, "unload", "--json")
    assert (done.returncode, lines(done)) == (ExitCode.OK, [{"running": False, "ended": []}])
    assert not (tmp_path / "run" / "backend.json").exists()


def test_unload_is_refused_while_a_job_runs(home: Path, shot: Path) -> None:
    options = [f"--option={option}" for option in ("words=300", "delay=0.05", "salt=busy")]
    slow = ("--engine", "echo-batch", *options, "--follow", "--json")
    environment = os.environ | {"SEMANTICFACE_HOME": str(home)}
    process = subprocess.Popen(
        [*COMMAND, "analyze", str(shot), "--rate", "24", *slow], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    process.stdout.readline()
    done = run(home, "unload", "--json")
    assert done.returncode == ExitCode.BACKEND and "jobs are running" in lines(done)[0]["error"]["message"]
    process.terminate()
    process.wait(30)
    process.stdout.close()
