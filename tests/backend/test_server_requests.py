"""What a living backend answers over real sockets: admission, jobs, cache, refusals, and 2,000 broken messages."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import msgpack
import pytest
from server_kit import Backend, Wire, backend, picture, sequence, wait_for

from semanticface.protocol import MAJOR, REQUESTS, expand_runs, pack
from semanticface.take import read_take


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with backend(tmp_path_factory.mktemp("backend"), "window=8, client_jobs=3, client_bytes=1 << 20") as running:
        yield running
        assert running.process.poll() is None, "it has lived through all tests of this file"


@pytest.fixture
def wire(live: Backend) -> Iterator[Wire]:
    with Wire(live.run) as client:
        yield client
        client.ask("bye")


def test_nothing_is_done_before_hello(live: Backend) -> None:
    with Wire(live.run, hello=False) as client:
        for kind, fields in (("status", {}), ("shutdown", {}), ("release", {})):
            answer = client.ask(kind, **fields)
            assert answer.type == "error" and answer["error"]["kind"] == "protocol"
        assert client.hello().type == "welcome"


def test_a_wrong_token_is_refused(live: Backend) -> None:
    with Wire(live.run, hello=False) as client:
        answer = client.hello(token="x" * len(live.run.token))
        assert answer["error"]["kind"] == "protocol" and "token" in answer["error"]["message"]
        assert client.ask("status").type == "error"


def test_another_version_is_refused_with_the_side_to_update(live: Backend) -> None:
    with Wire(live.run, hello=False) as client:
        error = client.hello(protocol=(MAJOR + 1, 0))["error"]
        assert error["kind"] == "version" and "update the backend" in error["hint"]
        assert client.hello(schema="0" * 16)["error"]["kind"] == "version"


def test_a_message_that_no_process_without_the_key_sent_never_arrives(live: Backend) -> None:
    with Wire(live.run, hello=False) as other:
        other.socket.close()
        other.socket = other.context.socket(5)  # DEALER without CURVE
        other.socket.linger = 0
        other.socket.connect(live.run.endpoint)
        other.send("status", id=1)
        assert not other.socket.poll(300)


def test_each_picture_is_answered_once_and_the_same_again_at_once(wire: Wire) -> None:
    pictures = [picture(level) for level in range(8)]
    first = wire.analyze(pictures, options={"salt": "once"})
    assert first.state == "done" and first.counts == {"ok": 8} and first.engine["name"] == "echo"
    assert sorted(first.frames) == list(range(8)) and not any(first.stored)
    second = wire.analyze(pictures, options={"salt": "once"})
    assert all(second.stored) and second.counts == {"ok": 8}
    by_frame = {result["frame"]: result for result in first.results}
    assert all(by_frame[result["frame"]] == result for result in second.results)
    third = wire.analyze(pictures, options={"salt": "other settings"})
    assert not any(third.stored)


def test_pictures_of_a_performance_follow_each_other_also_from_the_cache(wire: Wire) -> None:
    pictures = [picture(40 * (number % 5)) for number in range(8)]
    whole = wire.analyze(pictures, video=True, options={"salt": "video"})
    expected = [sum(40 * (n % 5) for n in range(max(0, k - 3), k + 1)) / min(4, k + 1) / 255 for k in range(8)]
    got = {result["frame"]: result["coefficients"]["MouthClose"] for result in whole.results}
    assert [got[number] for number in range(8)] == pytest.approx(expected)
    longer = wire.submit(video=True, options={"salt": "video"})
    wire.send_pictures(longer, pictures)
    for _ in range(8):
        wire.until("result", job=longer)
    wire.send_pictures(longer, [picture(200)], first=8)
    wire.send("end", job=longer)
    end = wire.finish(longer)
    assert end.results[0]["coefficients"]["MouthClose"] == pytest.approx((200 + 80 + 40 + 0) / 4 / 255), (
        "the first frame that the cache doesn't know is warmed up by those that it did"
    )


def test_odd_pictures_have_a_status_and_the_others_go_on(wire: Wire) -> None:
    good = picture(100)
    other = picture(140)  # not the same bytes again: the cache would answer for them
    end = wire.analyze([good, good[:40], b"no picture", other], options={"no_face_on": [3], "salt": "odd"})
    status = {result["frame"]: result["status"] for result in end.results}
    assert status == {0: "ok", 1: "unreadable", 2: "unreadable", 3: "no_face"}
    assert all(result["coefficients"] is None for result in end.results if result["frame"])


def test_raw_pixels_are_taken_and_wrong_shapes_are_unreadable(wire: Wire) -> None:
    job = wire.submit(options={"salt": "raw"})
    wire.send("frame", bytes([51] * 48), job=job, frame=0, format="rgb8", width=4, height=4)
    wire.send("frame", bytes(47), job=job, frame=1, format="rgb8", width=4, height=4)
    wire.send("frame", bytes(48), job=job, frame=2, format="rgb8")
    wire.send("end", job=job)
    end = wire.finish(job)
    by_frame = {result["frame"]: result for result in end.results}
    assert by_frame[0]["coefficients"]["JawOpen"] == pytest.approx(0.2)
    assert by_frame[1]["status"] == by_frame[2]["status"] == "unreadable"


def test_footage_comes_back_in_order_with_holes_named(wire: Wire, tmp_path: Path) -> None:
    media = sequence(tmp_path / "seq", 120, holes=[7, 50, 51])
    (tmp_path / "seq" / "face_0030.png").write_bytes(b"broken")
    end = wire.finish(wire.submit(media=media, take=str(tmp_path / "take")))
    assert end.state == "done" and end.frames == list(range(120)), end
    assert end.counts == {"ok": 116, "missing": 3, "unreadable": 1}
    take = read_take(tmp_path / "take")
    assert take.counts() == end.counts and end.take == str(tmp_path / "take")
    assert take.header.frames == ((0, 119, 1),)
    close = {result.frame: result.coefficients["MouthClose"] for result in take.results if result.coefficients}
    for frame in (20, 60, 61, 62, 100, 119):  # also where one lane's piece ends and the other's begins
        assert close[frame] == pytest.approx(sum(range(frame - 3, frame + 1)) / 4 / 255), frame


def test_a_pick_of_frames_is_answered_and_a_second_job_finds_it_stored(wire: Wire, tmp_path: Path) -> None:
    media = sequence(tmp_path / "seq", 60)
    first = wire.finish(wire.submit(media=media, frames=[[5, 5, 1], [40, 44, 1]]))
    assert first.frames == [5, 40, 41, 42, 43, 44] and not any(first.stored)
    second = wire.finish(wire.submit(media=media))
    known = {frame for frame, stored in zip(second.frames, second.stored, strict=True) if stored}
    assert known == {5, 40, 41, 42, 43, 44}
    assert {r["frame"]: r for r in first.results}[42] == {r["frame"]: r for r in second.results}[42]


def test_sent_pictures_resume_their_take_and_other_pictures_are_kept_out_of_it(wire: Wire, tmp_path: Path) -> None:
    take = str(tmp_path / "take")
    pictures = [picture(30 * number) for number in range(4)]
    assert wire.analyze(pictures[:2], take=take).state == "done"
    assert wire.analyze(pictures, take=take).state == "done"
    lines = (tmp_path / "take" / "frames.jsonl").read_bytes()
    assert len(lines.splitlines()) == 4, "what was there is not written again"
    end = wire.analyze([picture(33), *pictures[1:]], take=take)
    assert end.state == "failed" and end.error is not None and end.error["kind"] == "take"
    assert "frame 0" in end.error["message"]
    assert (tmp_path / "take" / "frames.jsonl").read_bytes() == lines


def test_a_take_remembers_every_frame_that_was_asked_for(wire: Wire, tmp_path: Path) -> None:
    media = sequence(tmp_path / "seq", 12)
    for frames in ([[0, 3, 1]], [[6, 10, 2]]):
        assert wire.finish(wire.submit(media=media, frames=frames, take=str(tmp_path / "take"))).state == "done"
    header = read_take(tmp_path / "take").header
    assert expand_runs(header.frames or ()) == [0, 1, 2, 3, 6, 8, 10]


def test_a_take_of_other_settings_is_refused_and_left_alone(wire: Wire, tmp_path: Path) -> None:
    media = sequence(tmp_path / "seq", 3)
    take = str(tmp_path / "take")
    assert wire.finish(wire.submit(media=media, take=take)).state == "done"
    before = (tmp_path / "take" / "frames.jsonl").read_bytes()
    end = wire.finish(wire.submit(media=media, take=take, options={"salt": "x"}))
    assert end.state == "failed" and end.error is not None and end.error["kind"] == "take"
    assert (tmp_path / "take" / "frames.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"engine": "nobody"}, "engine"),
        ({"frames": [[0, 1, 1]]}, "options"),
        ({"take": "relative/path"}, "options"),
    ],
)
def test_a_submit_that_cannot_be_meant_is_refused(wire: Wire, fields: dict[str, Any], kind: str) -> None:
    plain = {"job": "refused", "engine": "echo", "options": {}, "priority": "batch"}
    answer = wire.ask("submit", **(plain | fields))
    assert answer.type == "error" and answer["error"]["kind"] == kind and answer["job"] == "refused"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"engine": "echo-unfit"}, "engine"),
        ({"options": {"no_such": 1}}, "options"),
        ({"media": {"path": "/no/such/file.mp4"}}, "media"),
        ({"media": {"path": "relative.mp4"}}, "media"),
        ({"media": {"nothing": 1}}, "media"),
    ],
)
def test_a_job_that_cannot_run_fails_with_the_reason(wire: Wire, fields: dict[str, Any], kind: str) -> None:
    end = wire.finish(wire.submit(**fields))
    assert end.state == "failed" and end.error is not None and end.error["kind"] == kind


def test_probe_tells_of_footage_and_of_what_is_wrong_with_it(wire: Wire, tmp_path: Path) -> None:
    info = wire.ask("probe", media=sequence(tmp_path / "seq", 10, holes=[4]))["info"]
    assert (info["width"], info["height"], info["frame_count"], info["missing"]) == (16, 16, 10, [4])
    (tmp_path / "fake.mp4").write_bytes(b"not a video" * 100)
    error = wire.ask("probe", media={"path": str(tmp_path / "fake.mp4")})["error"]
    assert error["kind"] == "media" and "fake.mp4" in error["message"]


def test_messages_about_a_job_that_break_its_rules_are_refused_and_the_job_goes_on(wire: Wire, live: Backend) -> None:
    job = wire.submit(options={"delay": 0.05})
    again = wire.ask("submit", job=job, engine="echo", options={}, priority="batch")
    assert again.type == "error" and "already" in again["error"]["message"]
    wire.send_pictures(job, [picture(1)])
    wire.send_pictures(job, [picture(2)])
    assert "came twice" in wire.until("error")["error"]["message"]
    wire.send_pictures(job, [picture(n) for n in range(1, 12)], first=1)
    error = wire.until("error")
    assert "unanswered" in error["error"]["message"] and error["job"] == job
    with Wire(live.run) as stranger:
        stranger.send("cancel", job=job)
        assert "no job" in stranger.until("error")["error"]["message"]
    wire.send("end", job=job)
    assert wire.finish(job).state == "done"


def test_a_client_that_sends_more_bytes_than_may_wait_is_told(wire: Wire) -> None:
    job = wire.submit(options={"delay": 0.2})
    wire.send("frame", bytes(900_000), job=job, frame=0, format="rgb8", width=1000, height=300)
    wire.send("frame", bytes(900_000), job=job, frame=1, format="rgb8", width=1000, height=300)
    assert "bytes" in wire.until("error", job=job)["error"]["message"]
    wire.send("end", job=job)
    assert wire.finish(job).frames == [0]


def test_too_many_jobs_of_one_client_are_refused(wire: Wire) -> None:
    jobs = [wire.submit() for _ in range(3)]
    fields = {"job": "fourth", "engine": "echo", "options": {}, "priority": "batch"}
    assert wire.ask("submit", **fields)["error"]["kind"] == "backend"
    for job in jobs:
        wire.send("cancel", job=job)
        assert wire.finish(job).state == "cancelled"
    assert wire.ask("submit", **fields).type == "accepted"


@pytest.mark.clock
def test_cancel_ends_a_job_at_once_and_what_was_finished_stays(wire: Wire, tmp_path: Path) -> None:
    media = sequence(tmp_path / "seq", 200)
    job = wire.submit(media=media, take=str(tmp_path / "take"), options={"delay": 0.02})
    for _ in range(5):
        wire.until("result", job=job)
    begun = time.monotonic()
    wire.send("cancel", job=job)
    end = wire.finish(job)
    assert end.state == "cancelled" and time.monotonic() - begun < 1.0
    assert 5 <= len(read_take(tmp_path / "take").results) < 200
    quick = wire.analyze([picture(9)], options={"salt": "after cancel"})
    assert quick.state == "done" and time.monotonic() - begun < 5.0, "the lanes are free again"


def test_an_interactive_job_goes_before_a_batch_job(wire: Wire, tmp_path: Path) -> None:
    batch = wire.submit(media=sequence(tmp_path / "seq", 700), options={"delay": 0.01})
    for _ in range(20):
        wire.until("result", job=batch)
    before = next(one["done"] for one in wire.status()["jobs"] if one["job"] == batch)
    quick = wire.submit(
        media={"path": str(tmp_path / "seq")},
        frames=[[0, 159, 1]],
        priority="interactive",
        options={"delay": 0.01, "salt": "quick"},
    )
    assert wire.finish(quick).state == "done"
    after = next(one["done"] for one in wire.status()["jobs"] if one["job"] == batch)
    assert after - before < 110, "only what was on its way already: two units for each of two lanes"
    wire.send("cancel", job=batch)
    wire.until("finished", job=batch)


def test_two_clients_share_the_worker_fairly(wire: Wire, live: Backend, tmp_path: Path) -> None:
    media = sequence(tmp_path / "seq", 300)
    with Wire(live.run) as other:
        mine = wire.submit(media=media, options={"delay": 0.003, "salt": "mine"})
        yours = other.submit(media=media, options={"delay": 0.003, "salt": "yours"})
        wait_for(lambda: done_of(other, yours) >= 150)
        assert 60 < done_of(other, mine) < 270, "half of the one is done when half of the other is, give or take a unit"
        assert wire.finish(mine).frames == other.finish(yours).frames == list(range(300))


def done_of(wire: Wire, job: str) -> int:
    """Frames answered so far; all of 300 when the job has ended."""
    return next((one["done"] for one in wire.status()["jobs"] if one["job"] == job), 300)


def test_frames_of_several_jobs_share_the_calls_of_an_engine_that_takes_batches(wire: Wire, live: Backend) -> None:
    with Wire(live.run) as other:
        jobs = [(one, one.submit(engine="echo-batch")) for one in (wire, other)]
        for one, job in jobs:
            one.send_pictures(job, [picture(n) for n in range(6)])
            one.send("end", job=job)
        for one, job in jobs:
            end = one.finish(job)
            assert sorted(end.frames) == list(range(6))
            values = {result["frame"]: result["coefficients"]["JawOpen"] for result in end.results}
            assert all(values[n] == pytest.approx(n / 255) for n in range(6))


def test_release_ends_the_worker_and_the_next_job_starts_one(wire: Wire) -> None:
    wire.analyze([picture(1)], options={"salt": "release"})
    before = wire.status()["worker"]
    assert before["state"] == "ready" and before["pid"]
    assert wire.ask("release").type == "done"
    assert wire.status()["worker"]["pid"] is None
    job = wire.submit(options={"delay": 0.5})
    assert wire.ask("release")["error"]["kind"] == "backend", "not while jobs run"
    wire.send("cancel", job=job)
    wire.finish(job)
    assert wire.analyze([picture(2)], options={"salt": "release"}).state == "done"


def mutated(rng: random.Random) -> list[bytes]:
    """A message with something wrong: bytes changed, cut, doubled, fields of a wrong kind, or rubbish."""
    job = rng.choice(["a", "j" * 64, "?"])
    kinds: dict[str, dict[str, Any]] = {
        "ping": {"id": 1},
        "probe": {"id": 2, "media": {"path": "/tmp/x"}},
        "submit": {"id": 3, "job": job, "engine": "echo", "options": {}, "priority": "batch"},
        "frame": {"job": job, "frame": 3, "format": "encoded"},
        "cancel": {"job": job},
        "status": {"id": 4},
    }
    kind = rng.choice(list(kinds))
    fields = {"type": kind, **kinds[kind]}
    strange = [None, -1, 2**63, 1.5, float("nan"), "x" * 5000, [], {}, [[1, 2]], {"a": {"b": []}}, True, b"bin"]
    for _ in range(rng.randrange(3)):
        fields[rng.choice([*fields, "extra", "media", "frames", "take"])] = rng.choice(strange)
    data = bytearray(msgpack.packb(fields))
    for _ in range(rng.randrange(4)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    if rng.random() < 0.2:
        data = data[: rng.randrange(len(data) + 1)]
    if rng.random() < 0.1:
        data = bytearray(rng.randbytes(rng.randrange(300)))
    tail = [rng.randbytes(rng.randrange(50)) for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 5]))]
    return [bytes(data), *tail]


def test_two_thousand_mutated_messages_leave_the_front_up_and_answered(live: Backend) -> None:
    rng = random.Random(20261123)
    answers: dict[str, int] = {}
    with Wire(live.run) as client, Wire(live.run, hello=False) as stranger:
        for number in range(2000):
            one = client if number % 4 else stranger
            one.socket.send_multipart(mutated(rng))
            while one.socket.poll(0):
                message = one.receive()
                answers[message.type] = answers.get(message.type, 0) + 1
        client.number = stranger.number = 10**6  # past the numbers in the broken messages
        assert client.ask("ping").type == "pong"
        assert stranger.ask("ping").type == "error"
        for message in client.inbox + stranger.inbox:
            answers[message.type] = answers.get(message.type, 0) + 1
        assert answers["error"] > 1000, answers
        client.ask("bye")
    with Wire(live.run) as client:
        assert client.analyze([picture(5)], options={"salt": "mutated"}).state == "done"


def test_what_cannot_be_read_is_answered_with_what_is_wrong(wire: Wire) -> None:
    wire.socket.send_multipart([msgpack.packb({"type": "submit", "id": 9, "job": "no spaces!", "engine": "echo"})])
    assert "`job`" in wire.until("error")["error"]["message"]
    wire.socket.send_multipart([b"\xc1"])
    assert "msgpack" in wire.until("error")["error"]["message"]
    wire.socket.send_multipart([*pack(REQUESTS, "ping", id=1), b"payload"])
    assert "payload" in wire.until("error")["error"]["message"]


def test_rubbish_on_the_bare_port_does_no_harm(live: Backend, wire: Wire) -> None:
    address = urlparse(live.run.endpoint)
    rng = random.Random(1)
    for head in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff" + bytes(8) + b"\x7f\x03\x01CURVE", b"\xff" * 64):
        with socket.create_connection((address.hostname, address.port)) as plain:
            plain.sendall(head + rng.randbytes(5000))
    assert wire.ask("ping").type == "pong"


def test_a_client_that_asks_on_and_on_and_never_reads_harms_nobody(live: Backend, wire: Wire) -> None:
    with Wire(live.run) as deaf:
        deaf.socket.rcvhwm = 1
        for number in range(30_000):
            deaf.send("status", id=number)
        assert wire.ask("ping").type == "pong"
        assert wire.analyze([picture(77)], options={"salt": "deaf"}).state == "done"


@pytest.mark.clock
def test_the_front_answers_within_milliseconds_while_the_worker_is_busy(wire: Wire, tmp_path: Path) -> None:
    job = wire.submit(media=sequence(tmp_path / "seq", 300), options={"delay": 0.002})
    wire.until("result", job=job)
    taken = []
    for _ in range(30):
        begun = time.perf_counter()
        wire.ask("ping")
        taken.append(time.perf_counter() - begun)
    wire.send("cancel", job=job)
    wire.until("finished", job=job)
    assert sorted(taken)[15] < 0.05, taken


def test_status_tells_of_jobs_worker_clients_and_cache(wire: Wire) -> None:
    job = wire.submit(priority="interactive")
    wait_for(lambda: wire.status()["worker"]["state"] == "ready")
    status = wire.status()
    assert [one["priority"] for one in status["jobs"] if one["job"] == job] == ["interactive"]
    assert status["clients"] >= 1 and status["uptime"] > 0 and status["cache"]["entries"] > 0
    json.dumps(status)
    wire.send("cancel", job=job)
    assert wire.finish(job).state == "cancelled"
