"""A take survives its writer: what is on disk is readable at any moment and resumes where it stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.errors import TakeError
from semanticface.results import Analysis, FrameResult, Status
from semanticface.take import FRAMES_NAME, TakeHeader, TakeWriter, read_take


def header(key: str = "k") -> TakeHeader:
    return TakeHeader(
        {"path": "clip.mp4"}, Fraction(30000, 1001), {"name": "test"}, {}, key, ((0, 9, 1),), "01:00:00:00"
    )


def result(frame: int, value: float = 0.25) -> FrameResult:
    values = {name: value + index / 1000 for index, name in enumerate(CSV_ORDER)}
    analysis = Analysis("smile", {"mouth": "corners up"}, "not clearly observable", "mostly symmetric")
    return FrameResult(frame, frame / 30, Status.OK, values, analysis, 0.9, 1, (1.0, 2.0, 3.0, 4.0))


def test_results_and_header_come_back_as_written(tmp_path: Path) -> None:
    written = [result(3), FrameResult(1, 1 / 30, Status.NO_FACE), FrameResult(2, None, Status.MISSING, message="hole")]
    with TakeWriter(tmp_path / "take", header()) as writer:
        for item in written:
            writer.append(item)
    take = read_take(tmp_path / "take")
    assert [item.frame for item in take.results] == [1, 2, 3]
    assert list(take.results) == sorted(written, key=lambda item: item.frame)
    assert take.header.rate == Fraction(30000, 1001)
    assert take.header.timecode == "01:00:00:00"
    assert take.counts() == {"ok": 1, "no_face": 1, "missing": 1}


def test_torn_last_line_is_dropped_and_cut_off_by_the_next_writer(tmp_path: Path) -> None:
    with TakeWriter(tmp_path, header()) as writer:
        writer.append(result(0))
        writer.append(result(1))
    frames = tmp_path / FRAMES_NAME
    frames.write_bytes(frames.read_bytes()[:-40])
    assert [item.frame for item in read_take(tmp_path).results] == [0]
    with TakeWriter(tmp_path, header()) as writer:
        assert set(writer.stored) == {0}
        writer.append(result(1))
    take = read_take(tmp_path)
    assert [item.frame for item in take.results] == [0, 1]
    assert take.damaged == ()


def test_killed_writer_leaves_every_appended_frame(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from test_take import *\n"
        "writer = TakeWriter(Path(sys.argv[1]), header())\n"
        "for n in range(10**6): writer.append(result(n)); print(n, flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "t"), str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    last = -1
    while last < 50:
        last = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL) if os.name == "posix" else child.kill()
    child.wait()
    frames = [item.frame for item in read_take(tmp_path / "t").results]
    assert frames[: last + 1] == list(range(last + 1))


def test_a_folder_whose_writer_was_killed_over_the_header_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / ".take.json.4711.part").write_text('{"format": "semantic')
    with TakeWriter(tmp_path, header()) as writer:
        writer.append(result(0))
    assert [item.frame for item in read_take(tmp_path).results] == [0]
    assert sorted(file.name for file in tmp_path.iterdir()) == [FRAMES_NAME, "take.json"]


def test_a_folder_with_anything_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".take.json.4711.part").write_text("{")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TakeError, match="is not a take"):
        TakeWriter(tmp_path, header())
    assert len(list(tmp_path.iterdir())) == 2


def test_damaged_line_in_the_middle_is_named_and_costs_only_itself(tmp_path: Path) -> None:
    with TakeWriter(tmp_path, header()) as writer:
        for number in range(3):
            writer.append(result(number))
    frames = tmp_path / FRAMES_NAME
    lines = frames.read_bytes().splitlines(keepends=True)
    lines[1] = b'{"frame": 1, "status": "ok", "coefficients": {"JawOpen": NaN}}\n'
    frames.write_bytes(b"".join(lines))
    take = read_take(tmp_path)
    assert [item.frame for item in take.results] == [0, 2]
    assert take.damaged == (2,)


def test_later_line_of_a_frame_holds(tmp_path: Path) -> None:
    with TakeWriter(tmp_path, header()) as writer:
        writer.append(result(0, 0.1))
        writer.append(result(0, 0.5))
    coefficients = read_take(tmp_path).results[0].coefficients
    assert coefficients is not None
    assert coefficients[CSV_ORDER[0]] == 0.5


def test_other_footage_or_settings_never_overwrite_a_take(tmp_path: Path) -> None:
    TakeWriter(tmp_path / "take", header("a")).close()
    with pytest.raises(TakeError, match="other footage or other settings"):
        TakeWriter(tmp_path / "take", header("b"))
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").write_bytes(b"x")
    with pytest.raises(TakeError, match="not a take"):
        TakeWriter(tmp_path / "holiday", header())
    assert (tmp_path / "holiday" / "photo.jpg").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "semanticface-take", "version": 99}', "\x00\xff"])
def test_rubbish_header_is_a_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "take.json").write_text(text, encoding="latin-1")
    with pytest.raises(TakeError, match=r"take\.json"):
        read_take(tmp_path)


def test_header_of_a_damaged_rate_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "take.json").write_text(json.dumps({**header().to_dict(), "rate": "30/0"}))
    with pytest.raises(TakeError, match="damaged"):
        read_take(tmp_path)
