"""The main job from the shell: footage in, take and CSV out, through a real backend process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.cli.output import ExitCode
from semanticface.exchange.livelink_csv import read_livelink_csv
from semanticface.take import FRAMES_NAME, read_take

COMMAND = [sys.executable, "-c", "from semanticface.cli import main; main()"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def clip(samples: Path, face_landmarker: Path) -> Iterator[Path]:
    yield samples / "rom_head.mp4"
    run("stop")


@pytest.fixture(scope="module")
def take(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "take"
    done = run("analyze", clip, "--frames", "0-40:4,100", "--out", folder)
    assert done.returncode == ExitCode.OK, done.stderr
    return folder


def test_the_asked_source_frames_are_in_the_take_under_their_own_numbers(take: Path) -> None:
    read = read_take(take)
    assert [result.frame for result in read.results] == [*range(0, 41, 4), 100]
    assert read.header.rate == 30
    assert all(set(result.coefficients or ()) == set(CSV_ORDER) for result in read.results)
    assert all(result.analysis and result.analysis.expression_category for result in read.results)


def test_results_stream_as_json_lines_and_nothing_else_is_on_standard_output(clip: Path) -> None:
    done = run("analyze", clip, "--frames", "5-9", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["frame"] for row in rows] == [5, 6, 7, 8, 9]
    assert rows[0]["time"] == pytest.approx(5 / 30)


def test_exported_csv_reads_back_with_the_same_values_at_the_same_times(take: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    assert run("export", take, "--to", "livelink-csv", "--out", file).returncode == ExitCode.OK
    rows = read_livelink_csv(file).rows
    for row, result in zip(rows, read_take(take).results, strict=True):
        assert row.coefficients == pytest.approx(result.coefficients, abs=1e-9)
        assert row.seconds == pytest.approx(result.time, abs=1e-4)


def test_csv_can_start_at_the_footages_own_timecode(take: Path, tmp_path: Path) -> None:
    arguments = ("export", take, "--to", "livelink-csv", "--out", tmp_path / "out.csv", "--json")
    refused = run(*arguments, "--start", "source")
    assert (refused.returncode, json.loads(refused.stdout)["error"]["kind"]) == (ExitCode.USAGE, "options")
    shutil.copytree(take, tmp_path / "with code")
    header = json.loads((take / "take.json").read_text()) | {"timecode": "10:20:30:15"}
    (tmp_path / "with code" / "take.json").write_text(json.dumps(header))
    assert run("export", tmp_path / "with code", *arguments[2:], "--start", "source").returncode == ExitCode.OK
    # Frame 15 of 30 is half a second: frame 30 of Live Link's 60.
    assert read_livelink_csv(tmp_path / "out.csv").rows[0].timecode == "10:20:30:30.000"


def test_json_export_holds_the_header_and_every_frame(take: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    done = run("export", take, "--to", "json", "--out", file, "--json")
    assert json.loads(done.stdout)["rows"] == 12
    assert len(file.read_text().splitlines()) == 13


def test_a_take_is_never_mixed_with_other_footage_or_settings(clip: Path, take: Path) -> None:
    done = run("analyze", clip, "--frames", "0", "--no-smoothing", "--out", take, "--json")
    assert done.returncode == ExitCode.INPUT
    assert json.loads(done.stdout)["error"]["kind"] == "take"


def test_an_interrupted_run_leaves_a_take_that_the_next_run_completes(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "take"
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a suite in the background has it ignored
    process = subprocess.Popen(
        [*COMMAND, "analyze", str(clip), "--face", "0", "--out", str(folder)], preexec_fn=heeding
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (folder / FRAMES_NAME).is_file():
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(30) == ExitCode.CANCELLED
    done = run("analyze", clip, "--face", "0", "--out", folder)
    assert done.returncode == ExitCode.OK
    frames = [result.frame for result in read_take(folder).results]
    assert frames == list(range(282))


def test_a_picture_without_a_face_is_a_status_and_not_an_error(tmp_path: Path, clip: Path) -> None:
    import cv2
    import numpy as np

    cv2.imwrite(str(tmp_path / "grey.png"), np.full((200, 300, 3), 120, np.uint8))
    done = run("analyze", tmp_path / "grey.png", "--json")
    assert done.returncode == ExitCode.OK
    row = json.loads(done.stdout)
    assert (row["status"], row["coefficients"], row["faces"]) == ("no_face", None, 0)


def test_a_hole_in_a_sequence_is_named_and_shows_in_the_exit_code(tmp_path: Path, clip: Path) -> None:
    import cv2
    import numpy as np

    for number in (1001, 1002, 1004):
        cv2.imwrite(str(tmp_path / f"shot.{number}.png"), np.full((64, 64, 3), 90, np.uint8))
    done = run("analyze", tmp_path / "shot.####.png", "--rate", "24", "--json")
    assert done.returncode == ExitCode.FRAMES
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["frame"], row["status"]) for row in rows][2] == (2, "missing")
    assert "1003" in rows[2]["message"]


def test_rubbish_arguments_are_refused_in_words(clip: Path) -> None:
    for arguments in (["--face", "prettiest"], ["--frames", "9-3"], ["--rate", "fast"], ["--engine", "wishful"]):
        done = run("analyze", clip, *arguments, "--json")
        assert done.returncode in {ExitCode.USAGE, ExitCode.INPUT, ExitCode.BACKEND}, arguments
        assert json.loads(done.stdout.splitlines()[-1])["error"]["message"], arguments


def test_show_prints_one_frames_analysis(take: Path) -> None:
    done = run("show", take, "--frame", "100")
    assert "Symmetry" in done.stderr
    assert run("show", take, "--frame", "3").returncode == ExitCode.INPUT


def test_doctor_finds_this_installation_whole(clip: Path) -> None:
    done = run("doctor", "--json")
    findings = {item["name"]: item["good"] for item in json.loads(done.stdout)["findings"]}
    assert done.returncode == ExitCode.OK, done.stdout
    assert {name for name, good in findings.items() if not good} <= {"bpy", "checkpoint"}
