"""The frames that matter, from the shell: of a take, and in two passes of an analysis by a real backend."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface.cli.output import ExitCode
from semanticface.curves.extremes import frames_that_matter
from semanticface.curves.samples import samples_of
from semanticface.media.frames import parse_frames
from semanticface.results import FrameResult, Status
from semanticface.take import TakeHeader, TakeWriter, read_take

COMMAND = [sys.executable, "-c", "from semanticface.cli import main; main()"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def write(folder: Path, jaw: list[float | None]) -> Path:
    """A take in which the jaw moves so; None is a frame without a face."""
    rest = dict.fromkeys(CSV_ORDER, 0.0)
    with TakeWriter(folder, TakeHeader({}, Fraction(30), {}, {}, "key")) as writer:
        for frame, value in enumerate(jaw):
            status = Status.NO_FACE if value is None else Status.OK
            values = None if value is None else rest | {"JawOpen": value}
            writer.append(FrameResult(frame, frame / 30, status, values))
    return folder


def test_extremes_of_a_take_are_printed_as_frames_reads_them(tmp_path: Path) -> None:
    take = write(tmp_path / "take", [0.3 - 0.3 * float(np.cos(frame / 10 * np.pi)) for frame in range(81)])
    done = run("extremes", take)
    assert done.returncode == ExitCode.OK, done.stderr
    frames = parse_frames(done.stdout)
    assert set(range(0, 81, 10)) <= set(frames)
    assert "of 81 frames matter" in done.stderr
    assert json.loads(run("extremes", take, "--json").stdout) == {"take": str(take), "of": 81, "frames": frames}
    assert json.loads(run("extremes", take, "--most", "9", "--json").stdout)["frames"] == list(range(0, 81, 10))
    more = json.loads(run("extremes", take, "--sensitivity", "1", "--json").stdout)["frames"]
    assert len(more) > len(frames)


def test_what_can_not_be_meant_or_has_no_face_is_refused(tmp_path: Path) -> None:
    take = write(tmp_path / "take", [0.0, 0.1, 0.0])
    assert run("extremes", take, "--most", "1").returncode == ExitCode.INPUT
    assert run("extremes", take, "--sensitivity", "2").returncode == ExitCode.INPUT
    done = run("extremes", write(tmp_path / "faceless", [None, None]))
    assert done.returncode == ExitCode.INPUT and "none of 2 frames has a result" in done.stderr


@pytest.fixture(scope="module")
def clip(samples: Path, face_landmarker: Path) -> Iterator[Path]:
    yield samples / "rom_head.mp4"
    run("stop")


def test_analyze_takes_two_passes_and_keeps_both(clip: Path, tmp_path: Path) -> None:
    take = tmp_path / "take"
    done = run("analyze", clip, "--frames", "matter:0-89", "--engine", "landmarks", "--out", take)
    assert done.returncode == ExitCode.OK, done.stderr
    whole, kept = read_take(tmp_path / "take-all-frames"), read_take(take)
    assert [result.frame for result in whole.results] == list(range(90))
    frames = frames_that_matter(samples_of(whole.results, Fraction(30))).tolist()
    assert [result.frame for result in kept.results] == frames
    assert f"{len(frames)} of 90 frames matter" in done.stderr
    by_frame = whole.by_frame()
    assert all(result == by_frame[result.frame] for result in kept.results), "taken from the first pass"
    assert kept.header.engine["name"] == "landmarks" and kept.header.rate == 30
    again = run("analyze", clip, "--frames", "matter:0-89", "--engine", "landmarks", "--out", take, "--json")
    assert [json.loads(line)["frame"] for line in again.stdout.splitlines()] == frames
    assert len((take / "frames.jsonl").read_text().splitlines()) == len(frames), "nothing stands there twice"


def test_another_engine_is_asked_for_these_frames_alone(clip: Path, tmp_path: Path) -> None:
    take = tmp_path / "take"
    arguments = ("--frames", "matter:0-59", "--most", "7", "--engine", "echo", "--out", take, "--json")
    done = run("analyze", clip, *arguments)
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
    kept = read_take(take)
    assert kept.header.engine["name"] == "echo"
    assert [result.frame for result in kept.results] == [json.loads(line)["frame"] for line in done.stdout.splitlines()]
    assert 2 <= len(kept.results) <= 7
