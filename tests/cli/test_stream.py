"""`semanticface stream`: packets on a real socket, words and codes for everything else."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.cli.output import ExitCode
from semanticface.cli.stream import StreamRequest, run_stream
from semanticface.curves.recipe import Recipe
from semanticface.errors import OptionsError, TakeError
from semanticface.exchange.livelink_csv import WithoutFace
from semanticface.exchange.livelink_stream import StreamOptions
from semanticface.exchange.livelink_udp import Packet, parse
from semanticface.results import FrameResult, Status
from semanticface.take import TakeHeader, TakeWriter

COMMAND = [sys.executable, "-c", "from semanticface.cli import main; main()", "stream"]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        yield receiver


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """12 frames at 24 a second from 01:00:00:00 on, the sixth without a face."""
    folder = tmp_path / "take"
    with writer(folder) as out:
        for number in range(12):
            out.append(result(number))
    return folder


def writer(folder: Path) -> TakeWriter:
    return TakeWriter(
        folder, TakeHeader({}, Fraction(24), {"name": "mock"}, {}, "k", frames=((0, 11, 1),), timecode="01:00:00:00")
    )


def result(number: int) -> FrameResult:
    if number == 5:
        return FrameResult(number, number / 24, Status.NO_FACE)
    face = dict.fromkeys(CSV_ORDER, 0.0) | {"JawLeft": number / 16, "JawRight": 0.75}
    return FrameResult(number, number / 24, Status.OK, face)


def where(listener: socket.socket) -> str:
    return f"127.0.0.1:{listener.getsockname()[1]}"


def packets(listener: socket.socket, count: int) -> list[Packet]:
    return [parse(listener.recv(65_536)) for _ in range(count)]


def stream(take: Path, listener: socket.socket, recipe: Path | None = None, **options) -> list[Packet]:
    wanted = StreamOptions(to=where(listener), **{"speed": 20, **options})
    assert run_stream(StreamRequest(take, wanted, recipe, as_json=True)) is ExitCode.OK
    return packets(listener, 12)


def test_a_take_goes_out_whole_with_the_footages_timecode(take, listener, capsys):
    seen = stream(take, listener, subject="Hero")
    assert [packet.frame for packet in seen] == list(range(86_400, 86_412))
    assert {(packet.subject, packet.rate, packet.subframe) for packet in seen} == {("Hero", Fraction(24), 0.0)}
    assert [packet.coefficients is None for packet in seen] == [number == 5 for number in range(12)]
    assert seen[4].coefficients["JawLeft"] == 0.25 and seen[4].coefficients["JawRight"] == 0.75
    summary = json.loads(capsys.readouterr().out)
    assert (summary["packets"], summary["without_face"], summary["lost"]) == (12, 1, 0)
    assert (summary["last_frame"], summary["interrupted"]) == (11, False)


def test_another_start_may_be_given(take, listener):
    assert stream(take, listener, start="00:00:01:00")[0].frame == 24


def test_missing_frames_may_be_held(take, listener):
    seen = stream(take, listener, missing=WithoutFace.HOLD)
    assert seen[5].coefficients == seen[4].coefficients


def test_a_recipe_is_applied_first(take, listener, tmp_path):
    (tmp_path / "recipe.json").write_text(Recipe(gain=2.0).to_json())
    assert stream(take, listener, tmp_path / "recipe.json")[4].coefficients["JawLeft"] == 0.5


def test_frames_that_are_not_analyzed_yet_are_counted_and_not_played(tmp_path, listener, capsys):
    with writer(tmp_path / "half") as out:
        out.append(result(0))
        out.append(result(7))
    options = StreamOptions(to=where(listener), speed=20)
    assert run_stream(StreamRequest(tmp_path / "half", options)) is ExitCode.OK
    assert [packet.frame for packet in packets(listener, 2)] == [86_400, 86_407]
    assert "10 frames are not analyzed yet" in capsys.readouterr().err


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_the_command_says_where_to_and_what_went_out(take, listener):
    done = run(take, "--to", where(listener), "--speed", "20")
    assert done.returncode == ExitCode.OK and done.stdout == ""
    assert f"to {where(listener)} as SemanticFace, 24 frames a second, speed 20" in done.stderr
    assert "12 packets in" in done.stderr and "1 without a face" in done.stderr
    assert len(packets(listener, 12)) == 12


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_ends_a_loop_with_code_130_and_a_count(take, listener):
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a suite in the background has it ignored
    process = subprocess.Popen(
        [*COMMAND, str(take), "--to", where(listener), "--loop", "--speed", "10", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeding,
    )
    seen = packets(listener, 30)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == ExitCode.CANCELLED, err
    summary = json.loads(out)
    assert summary["interrupted"] and summary["packets"] >= 29  # the signal may fall between a packet and its count
    assert [packet.frame for packet in seen] == list(range(86_400, 86_430))


@pytest.mark.clock
def test_a_take_is_followed_from_before_its_first_frame_to_its_last(tmp_path, listener):
    folder = tmp_path / "take"
    process = subprocess.Popen(
        [*COMMAND, str(folder), "--to", where(listener), "--follow", "--json"], stdout=subprocess.PIPE, text=True
    )
    time.sleep(0.5)  # it waits for the take to appear
    moments = []
    with writer(folder) as out:
        for number in range(12):
            written = time.monotonic()
            out.append(result(number))
            (packet,) = packets(listener, 1)
            moments.append(time.monotonic() - written)
            assert packet.frame == 86_400 + number
    text, _ = process.communicate(timeout=30)
    assert process.returncode == ExitCode.OK
    assert json.loads(text)["packets"] == 12
    # A frame is on its way as soon as it is written: at once, or when the next look is taken.
    assert sorted(moments[1:])[5] < 0.15


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--to", "127.0.0.1:0"), ExitCode.USAGE, "'0' in '127.0.0.1:0' is not a port"),
        (("--to", "127.0.0.1", "--speed", "0"), ExitCode.USAGE, "speed of 0"),
        (("--to", "127.0.0.1", "--start", "soon"), ExitCode.INPUT, "is not a timecode"),
        (("--to", "127.0.0.1", "--bind", "192.0.2.7"), ExitCode.USAGE, "can't send from 192.0.2.7"),
        (("--to", "127.0.0.1", "--follow", "--loop"), ExitCode.USAGE, "no end to loop from"),
        (("--to", "255.255.255.255"), ExitCode.INPUT, "no way to 255.255.255.255:11111"),
        (("--to", "127.0.0.1", "--subject", ""), ExitCode.INPUT, "subject '' can't be sent"),
    ],
)
def test_what_cannot_be_done_ends_with_its_code_and_words(take, arguments, code, words):
    done = run(take, *arguments, "--json")
    assert done.returncode == code, done.stderr
    assert words in json.loads(done.stdout)["error"]["message"]


def test_a_recipe_with_smoothing_is_refused_for_a_growing_take(take, tmp_path):
    (tmp_path / "recipe.json").write_text(Recipe(smoothing=0.5).to_json())
    request = StreamRequest(take, StreamOptions(), tmp_path / "recipe.json", follow=True)
    with pytest.raises(OptionsError, match="can't be done while the take is growing"):
        run_stream(request)


def test_no_take_is_waited_for_in_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(TakeError, match="is not a take"):
        run_stream(StreamRequest(tmp_path / "nowhere" / "take", StreamOptions(), follow=True))
    with pytest.raises(TakeError, match="is not a take"):
        run_stream(StreamRequest(tmp_path / "take", StreamOptions()))
