"""An engine that writes: its text is seen as it grows, it is not taken for dead, and nobody's queue grows with it."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zmq
from server_kit import Backend, Wire, backend, picture, sequence, wait_for

from semanticface.protocol import MAX_TEXT, REPLIES, Message, unpack
from semanticface.server.access import load_keys
from semanticface.server.post import Post

posix = pytest.mark.skipif(sys.platform == "win32", reason="kills processes with POSIX signals")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with backend(tmp_path_factory.mktemp("streaming"), "cache_bytes=0") as running:
        yield running


@pytest.fixture
def wire(live: Backend) -> Iterator[Wire]:
    with Wire(live.run) as client:
        yield client


def write(wire: Wire, count: int, first: int = 0, partials: bool = True, level: int = 10, **fields: Any) -> str:
    """A job of pictures through the engine that writes, all sent and ended."""
    options = {"words": 8, "delay": 0.06, "salt": str(time.monotonic())} | fields.pop("options", {})
    job = wire.submit(engine="echo-batch", options=options, partials=partials or None, **fields)
    wire.send_pictures(job, [picture(level + number) for number in range(count)], first)
    wire.send("end", job=job)
    return job


def follow(wire: Wire, job: str) -> list[Message]:
    """All that comes of this job after `accepted`, `finished` last. Pings as a client that looks does."""
    messages = []
    pinged = time.monotonic()
    while not messages or messages[-1].type != "finished":
        if (not wire.inbox and not wire.socket.poll(200)) or time.monotonic() - pinged > 0.2:
            pinged = time.monotonic()
            wire.send("ping", id=9)
        message = wire.until("partial", "result", "finished", "pong")
        if message.get("job") == job:
            messages.append(message)
    return messages


def texts_of(messages: list[Message]) -> dict[int, list[str]]:
    """Each frame's texts, in order; none may follow its result."""
    texts: dict[int, list[str]] = defaultdict(list)
    answered = set()
    for message in messages:
        if message.type == "result":
            answered.add(message["result"]["frame"])
        elif message.type == "partial":
            assert message["frame"] not in answered, "a text after the result"
            texts[message["frame"]].append(message["text"])
    return texts


def test_the_text_of_each_frame_of_a_batch_grows_and_ends_with_its_result(wire: Wire) -> None:
    messages = follow(wire, write(wire, 6, options={"ragged": 3}))
    texts = texts_of(messages)
    assert sorted(texts) == list(range(6))
    for frame, seen in texts.items():
        assert len(seen) >= 3
        assert all(later.startswith(earlier) and later != earlier for earlier, later in pairwise(seen))
        assert all(word.startswith(f"{frame}:") for word in seen[-1].split())
    assert messages[-1]["counts"] == {"ok": 6}


def test_footage_is_followed_by_its_source_frames(wire: Wire, tmp_path: Path) -> None:
    media = sequence(tmp_path / "seq", 12)
    options = {"words": 6, "delay": 0.06}
    job = wire.submit(engine="echo-batch", media=media, frames=[[7, 11, 2]], options=options, partials=True)
    assert sorted(texts_of(follow(wire, job))) == [7, 9, 11]


@pytest.mark.clock
def test_no_more_than_ten_texts_a_second_of_a_frame_come_however_often_the_engine_calls(wire: Wire) -> None:
    job = write(wire, 1, options={"words": 200, "delay": 0.005})
    begun = time.monotonic()
    texts = texts_of(follow(wire, job))[0]
    seconds = time.monotonic() - begun
    assert 3 <= len(texts) <= 10 * seconds + 2
    assert len(texts[-1].split()) > 150, "the last one is near the end, not the tenth in a queue"


def test_a_job_that_did_not_ask_gets_none_though_it_shares_units_with_one_that_did(live: Backend, wire: Wire) -> None:
    same = {"salt": "shared", "words": 12, "delay": 0.1}
    with Wire(live.run) as old:
        blocker = write(wire, 1, partials=False, options={"words": 4, "delay": 0.1})
        followed = write(wire, 2, options=same)
        quiet = write(old, 2, first=50, partials=False, options=same)
        wire.finish(blocker)
        assert sorted(texts_of(follow(wire, followed))) == [0, 1]
        messages = follow(old, quiet)
        assert {message.type for message in messages} == {"result", "finished"}
        assert messages[-1]["counts"] == {"ok": 2}


def test_a_client_of_the_first_minor_version_never_meets_a_type_that_it_does_not_know(live: Backend) -> None:
    with Wire(live.run, hello=False) as old:
        assert old.hello(protocol=(1, 0)).type == "welcome"
        messages = follow(old, write(old, 2, partials=False))
        assert {message.type for message in messages} <= {"progress", "result", "finished"}


def test_an_engine_that_writes_for_long_is_at_work_and_not_hanging(tmp_path: Path) -> None:
    with backend(tmp_path, "stall=0.8, attempts=1") as live, Wire(live.run) as wire:
        end = wire.finish(write(wire, 3, partials=False, options={"words": 25, "delay": 0.1}))
        assert end.counts == {"ok": 3} and wire.status()["worker"]["starts"] == 1


def test_one_that_writes_nothing_for_as_long_is_taken_for_hanging(tmp_path: Path) -> None:
    with backend(tmp_path, "stall=0.8, attempts=1, backoff=0.02") as live, Wire(live.run) as wire:
        end = wire.finish(wire.submit(engine="echo", media=sequence(tmp_path / "seq", 1), options={"delay": 2.5}))
        assert end.counts == {"failed": 1}


def test_a_heavy_engine_gets_longer_for_a_step_that_says_nothing(tmp_path: Path) -> None:
    with backend(tmp_path, "stall=0.6, stall_heavy=20, attempts=1") as live, Wire(live.run) as wire:
        end = wire.analyze([picture(1)], engine="echo-heavy", options={"delay": 2.0})
        assert end.counts == {"ok": 1} and wire.status()["worker"]["starts"] == 1


@posix
def test_one_that_hangs_in_the_middle_of_a_word_is_killed_and_the_others_of_its_batch_are_answered(
    tmp_path: Path,
) -> None:
    limits = "stall=1.0, attempts=2, backoff=0.02"
    with backend(tmp_path, limits) as live, Wire(live.run) as wire:
        messages = follow(wire, write(wire, 4, options={"hang_on": [2]}))
        assert messages[-1]["counts"] == {"ok": 3, "failed": 1}
        failed = next(one["result"] for one in messages if one.type == "result" and one["result"]["frame"] == 2)
        assert failed["status"] == "failed" and "2 attempts" in failed["message"]


@posix
def test_after_a_death_in_the_middle_the_text_starts_anew(tmp_path: Path) -> None:
    with backend(tmp_path, "attempts=3, backoff=0.02") as live, Wire(live.run) as wire:
        messages = follow(wire, write(wire, 2, options={"crash_on": [1], "words": 10}))
        assert messages[-1]["counts"] == {"ok": 1, "failed": 1}
        lengths = [len(text) for text in texts_of(messages)[1]]
        assert sum(later < earlier for earlier, later in pairwise(lengths)) == 2, "three attempts, two new beginnings"


def test_an_open_job_without_pictures_is_no_hang(tmp_path: Path) -> None:
    with backend(tmp_path, "stall=0.6") as live, Wire(live.run) as wire:
        job = wire.submit(engine="echo-batch")
        time.sleep(1.8)
        wire.send_pictures(job, [picture(3)])
        wire.send("end", job=job)
        assert wire.finish(job).counts == {"ok": 1} and wire.status()["worker"]["starts"] == 1


@pytest.mark.clock
def test_a_client_that_looks_away_finds_no_queue_of_old_texts(tmp_path: Path) -> None:
    with backend(tmp_path, "looking=0.5") as live, Wire(live.run) as wire:
        wire.finish(write(wire, 1, partials=False, options={"words": 1}))
        job = write(wire, 1, options={"words": 300, "delay": 0.02})
        wire.until("partial", job=job)
        time.sleep(2.5)
        count = 0
        while wire.socket.poll(0):
            count += wire.receive().type == "partial"
        assert count <= 8, "what came in the half second before, at ten a second"
        wire.send("ping", id=3)
        wire.until("partial", job=job)
        wire.send("cancel", job=job)


def test_what_is_worth_nothing_late_never_waits_for_a_socket_that_takes_nothing(tmp_path: Path) -> None:
    context = zmq.Context()
    keys = load_keys("tcp://127.0.0.1:*", None)
    post = Post(context, "tcp://127.0.0.1:*", keys)
    reader = context.socket(zmq.DEALER)
    reader.linger, reader.rcvhwm = 0, 1
    reader.curve_publickey, reader.curve_secretkey = zmq.curve_keypair()
    reader.curve_serverkey = keys.public
    reader.connect(post.endpoint)
    reader.send(b"hello")
    identity = post.socket.recv_multipart()[0]
    for _ in range(3000):  # 190 MB: more than all buffers on the way hold
        post.offer(identity, "partial", job="a", frame=0, text="x" * MAX_TEXT)
    assert post.waiting(identity) == 0
    while post.waiting(identity) == 0:
        assert post.send(identity, "progress", job="a", state="running", worker="ready", done=0, message="y" * 2000)
    while reader.poll(300):
        reader.recv()
    post.offer(identity, "partial", job="a", frame=0, text="overtaker")
    assert post.retry() == [] and post.waiting(identity) == 0
    assert reader.poll(2000) and unpack(REPLIES, reader.recv_multipart()).type == "progress"
    assert not reader.poll(300), "what waits is not overtaken, and what may fall falls"
    post.offer(b"nobody", "partial", job="a", frame=0, text="x")
    reader.close()
    post.socket.close(0)
    context.term()


# Batches.


@pytest.mark.clock
def test_a_unit_whose_jobs_are_all_gone_stops_and_the_lane_is_free(live: Backend, wire: Wire) -> None:
    job = write(wire, 3, options={"words": 400, "delay": 0.05})
    wire.until("partial", job=job)
    wire.send("cancel", job=job)
    begun = time.monotonic()
    assert wire.finish(write(wire, 1, options={"words": 1, "delay": 0.01})).counts == {"ok": 1}
    assert time.monotonic() - begun < 5, "the twenty seconds of the first job are not waited for"


def test_a_unit_goes_on_for_the_job_that_is_left(live: Backend, wire: Wire) -> None:
    same = {"words": 20, "delay": 0.05, "salt": "left"}
    blocker = write(wire, 1, options={"words": 4, "delay": 0.1})
    gone, left = write(wire, 1, options=same), write(wire, 1, first=5, options=same)
    wire.until("partial", job=gone)
    wire.until("partial", job=left)
    wire.send("cancel", job=gone)
    assert wire.finish(gone).state == "cancelled"
    assert wire.finish(left).counts == {"ok": 1}
    wire.finish(blocker)


@pytest.mark.clock
def test_frames_of_a_slow_engine_are_batched_however_slow_it_is(wire: Wire, tmp_path: Path) -> None:
    # Sixteen frames of 8 x 0.1 s: two batches take 1.6 s, one by one they would take thirteen.
    media = sequence(tmp_path / "seq", 16)
    options = {"words": 8, "delay": 0.1, "salt": "slow"}
    wire.finish(wire.submit(engine="echo-batch", media=media, frames=[[0, 0, 1]], options=options))
    begun = time.monotonic()
    end = wire.finish(wire.submit(engine="echo-batch", media=media, options=options))
    assert end.counts == {"ok": 16} and time.monotonic() - begun < 6


@pytest.mark.clock
def test_an_interactive_job_waits_for_the_unit_in_hand_and_not_for_the_next(live: Backend, wire: Wire) -> None:
    options = {"words": 15, "delay": 0.1, "salt": "queue"}  # a unit of eight takes 1.5 s
    with Wire(live.run) as artist:
        farm = write(wire, 24, options=options)
        wire.until("result", job=farm)  # by now the backend knows how slow it is
        begun = time.monotonic()
        urgent = artist.finish(write(artist, 1, level=200, priority="interactive", options=options))
        assert urgent.counts == {"ok": 1} and not any(urgent.stored)
        seconds = time.monotonic() - begun
        assert seconds < 2 * 1.5 + 1.2, "the unit in hand and its own; with a second one queued it would be three"
        assert wire.finish(farm).counts == {"ok": 24}


def test_an_answer_that_cannot_be_read_is_final_in_its_job_and_asked_for_again_in_the_next(tmp_path: Path) -> None:
    with backend(tmp_path) as live, Wire(live.run) as wire:
        fields = {"engine": "echo-batch", "options": {"unparseable_on": [1], "salt": "x"}}
        pictures = [picture(level) for level in (1, 2, 3)]
        first = wire.analyze(pictures, **fields)
        assert first.counts == {"ok": 2, "unparseable": 1}
        (unread,) = [result for result in first.results if result["status"] == "unparseable"]
        assert unread["raw_text"] == "word 1" and unread["coefficients"] is None
        second = wire.analyze(pictures, **fields)
        stored = {result["frame"]: kept for result, kept in zip(second.results, second.stored, strict=True)}
        assert stored == {0: True, 1: False, 2: True} and second.counts == first.counts
        wait_for(lambda: not wire.status()["jobs"])
