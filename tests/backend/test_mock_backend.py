"""The mock is a true citizen of the protocol: strict about order, exact about errors, and runnable by itself."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from semanticface import processes
from semanticface.actions import BY_NAME, SCHEMA_ID, SHAPES
from semanticface.errors import OptionsError
from semanticface.mock_script import Fault, Script, make_result, motion, read_script
from semanticface.protocol import REPLIES, REQUESTS, Message, pack, unpack
from semanticface.results import FrameResult
from semanticface.runfile import RunFile, live_run_file

SUBMIT = {"engine": "auto", "options": {}, "priority": "batch"}


class Raw:
    """A client that sends what it likes."""

    def __init__(self, run: RunFile) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.curve_publickey, self.socket.curve_secretkey = zmq.curve_keypair()
        self.socket.curve_serverkey = run.public_key.encode()
        self.socket.connect(run.endpoint)
        self.run = run

    def send(self, kind: str, payload: bytes | None = None, **fields: Any) -> None:
        self.socket.send_multipart(pack(REQUESTS, kind, payload, **fields))

    def receive(self, seconds: float = 5) -> Message:
        assert self.socket.poll(int(seconds * 1000)), "no answer"
        return unpack(REPLIES, self.socket.recv_multipart())

    def until(self, kind: str) -> list[Message]:
        messages = [self.receive()]
        while messages[-1].type != kind:
            messages.append(self.receive())
        return messages

    def hello(self, **changes: Any) -> Message:
        fields = {"id": 1, "protocol": (1, 0), "client": "raw", "schema": SCHEMA_ID, "token": self.run.token}
        self.send("hello", **(fields | changes))
        return self.receive()


@pytest.fixture
def raw(start_mock) -> Iterator[Callable[..., Raw]]:
    made: list[Raw] = []

    def connect(**behaviour: Any) -> Raw:
        made.append(Raw(start_mock(**behaviour).run))
        return made[-1]

    yield connect
    for client in made:
        client.socket.close(0)
        client.context.term()


@pytest.mark.parametrize("kind", [name for name, shape in REQUESTS.items() if name != "hello" and not shape.payload])
def test_everything_before_hello_is_refused(raw, kind: str) -> None:
    client = raw()
    fields = {"id": 5, "job": "a", "media": {"path": "/a"}, **SUBMIT, "frames": [1], "side": 64}
    shape = REQUESTS[kind]
    client.send(kind, **{name: fields[name] for name in shape.required})
    answer = client.receive()
    assert answer.type == "error"
    assert answer["error"]["kind"] == "protocol"
    assert "before hello" in answer["error"]["message"]
    assert answer.get("re") == (5 if "id" in shape.required else None)


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"token": "wrong"}, "protocol", "token"),
        ({"protocol": (2, 0)}, "version", "update the backend"),
        ({"protocol": (0, 9)}, "version", "update the client"),
        ({"schema": "other"}, "version", "install equal versions"),
    ],
)
def test_a_hello_that_does_not_fit_is_refused_and_grants_nothing(
    raw, changes: dict[str, Any], kind: str, text: str
) -> None:
    client = raw()
    answer = client.hello(**changes)
    assert answer["error"]["kind"] == kind
    assert text in answer["error"]["message"] + answer["error"]["hint"]
    client.send("ping", id=2)
    assert client.receive().type == "error"
    assert client.hello().type == "welcome"


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([("frame", {"job": "gone", "frame": 0, "format": "encoded"})], "no job gone"),
        ([("end", {"job": "gone"})], "no job gone"),
        ([("hello", {"protocol": (1, 0), "client": "", "schema": SCHEMA_ID, "token": "", "id": 3})], "said before"),
        ([("submit", {"id": 3, "job": "a", **SUBMIT}), ("submit", {"id": 4, "job": "a", **SUBMIT})], "already"),
        ([("submit", {"id": 3, "job": "a", "frames": [[0, 1, 1]], **SUBMIT})], "needs `media`"),
        ([("submit", {"id": 3, "job": "a", "media": {}, **SUBMIT})], "`path`"),
        (
            [
                ("submit", {"id": 3, "job": "a", **SUBMIT}),
                ("frame", {"job": "a", "frame": 0, "format": "encoded"}),
                ("frame", {"job": "a", "frame": 0, "format": "encoded"}),
            ],
            "came twice",
        ),
        (
            [("submit", {"id": 3, "job": "a", **SUBMIT})]
            + [("frame", {"job": "a", "frame": number, "format": "encoded"}) for number in range(3)],
            "more than 2 pictures",
        ),
        (
            [
                ("submit", {"id": 3, "job": "a", "media": {"path": "/a"}, **SUBMIT}),
                ("frame", {"job": "a", "frame": 0, "format": "encoded"}),
            ],
            "takes no pictures",
        ),
    ],
)
def test_a_message_out_of_order_is_answered_with_what_was_wrong(raw, messages: list[Any], text: str) -> None:
    client = raw(window=2, delay=0.3)
    client.hello()
    for kind, fields in messages:
        client.send(kind, b"picture" if REQUESTS[kind].payload else None, **fields)
    error = client.until("error")[-1]
    assert text in error["error"]["message"]


def test_messages_for_a_job_that_has_just_ended_are_forgiven(raw) -> None:
    client = raw()
    client.hello()
    client.send("submit", id=3, job="a", **SUBMIT)
    client.send("end", job="a")
    client.until("finished")
    client.send("cancel", job="a")
    client.send("ping", id=4)
    assert client.receive().type == "pong"


def test_five_hundred_mutated_messages_leave_it_up(raw) -> None:
    client = raw()
    client.hello()
    source = random.Random(7)
    good = [pack(REQUESTS, "submit", id=3, job="a", **SUBMIT)[0], pack(REQUESTS, "ping", id=2)[0]]
    for _ in range(500):
        data = bytearray(source.choice(good))
        for _ in range(source.randint(1, 4)):
            data[source.randrange(len(data))] = source.randrange(256)
        client.socket.send_multipart([bytes(data)] * source.randint(1, 3))
    client.send("ping", id=9999)
    while (message := client.receive()).get("re") != 9999:
        assert message.type in {"error", "accepted", "progress", "pong", "finished", "done"}
    assert message.type == "pong"


def test_a_lapsed_lease_cancels_the_clients_jobs(raw) -> None:
    client = raw(lease=0.3, delay=0.1)
    client.hello()
    client.send("submit", id=2, job="a", media={"path": "/a"}, **SUBMIT)
    assert client.until("finished")[-1]["state"] == "cancelled"
    client.send("ping", id=3)
    assert client.receive().type == "error"


def test_bye_cancels_the_clients_jobs_and_ends_its_lease(raw) -> None:
    client = raw(delay=0.1)
    client.hello()
    client.send("submit", id=2, job="a", media={"path": "/a"}, **SUBMIT)
    client.send("bye", id=3)
    kinds = [message.type for message in client.until("done")]
    assert kinds[-2:] == ["finished", "done"]


def test_the_motion_is_smooth_asymmetric_and_the_same_each_time() -> None:
    frames = [motion(number) for number in range(200)]
    assert frames == [motion(number) for number in range(200)]
    for values in frames:
        assert set(values) == set(BY_NAME)
        assert all(0 <= values[name] <= 1 for name in SHAPES)
    steps = [abs(after[name] - before[name]) for before, after in pairwise(frames) for name in BY_NAME]
    assert max(steps) < 0.12
    for left, right in (("JawLeft", "JawRight"), ("MouthLeft", "MouthRight"), ("MouthSmileLeft", "MouthSmileRight")):
        assert any(abs(values[left] - values[right]) > 0.05 for values in frames)
    assert len({round(values["JawOpen"], 6) for values in frames[:12]}) > 5


def test_every_generated_result_is_a_valid_one_with_a_text() -> None:
    result = make_result(Script(), 7, 7 / 24)
    assert FrameResult.from_dict(result.to_dict()) == result
    assert result.analysis is not None


def test_a_script_gives_values_and_faults_by_frame(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    file.write_text(json.dumps({"values": {"3": {"JawOpen": 0.75}}, "faults": {"4": "no_face"}, "protocol": [2, 1]}))
    script = read_script(file)
    assert make_result(script, 3, None).coefficients["JawOpen"] == 0.75
    assert script.faults == {4: Fault.NO_FACE}
    assert script.protocol == (2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"colour": 1}',
        '{"faults": {"x": "die"}}',
        '{"faults": {"1": "explode"}}',
        '{"values": {"1": {"Ear": 1}}}',
        '{"rate": "0"}',
        '{"rate": "1/0"}',
        '{"rate": 24}',
    ],
)
def test_a_script_that_cannot_be_meant_is_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "script.json"
    file.write_text(text)
    with pytest.raises(OptionsError, match=r"script\.json"):
        read_script(file)
    done = subprocess.run([sys.executable, "-m", "semanticface.mock", "--script", str(file)], capture_output=True)
    assert done.returncode == 2
    assert b"script.json" in done.stderr


def start_program(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "semanticface.mock", *arguments])


def wait_for_run_file(folder: Path | None = None) -> RunFile:
    deadline = time.monotonic() + 20
    while (run := live_run_file(folder)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return run


def test_it_runs_by_itself_and_ends_on_shutdown(home: Path, tmp_path: Path) -> None:
    process = start_program("--run-dir", str(tmp_path / "run"))
    client = Raw(wait_for_run_file(tmp_path / "run"))
    assert live_run_file() is None  # the user's own place is not touched
    assert client.hello()["backend"].startswith("semanticface mock")
    client.send("shutdown", id=2)
    assert client.receive().type == "done"
    assert process.wait(10) == 0
    assert list((tmp_path / "run").iterdir()) == []
    client.socket.close(0)
    client.context.term()


def test_a_death_leaves_the_run_file_and_its_code(home: Path, tmp_path: Path) -> None:
    (tmp_path / "die.json").write_text('{"faults": {"0": "die"}}')
    process = start_program("--script", str(tmp_path / "die.json"))
    run = wait_for_run_file()
    client = Raw(run)
    client.hello()
    client.send("submit", id=2, job="a", media={"path": "/a"}, **SUBMIT)
    assert process.wait(10) == 9
    assert not processes.is_alive(run.pid, run.started)
    assert (home / "run" / "backend.json").exists()
    assert live_run_file() is None
    client.socket.close(0)
    client.context.term()


def test_started_by_a_host_it_ends_when_no_client_is_left(home: Path, tmp_path: Path) -> None:
    (tmp_path / "short.json").write_text('{"lease": 0.2, "grace": 0.2}')
    process = start_program("--lease", "--script", str(tmp_path / "short.json"))
    assert process.wait(10) == 0


def test_a_header_is_plain_msgpack_that_any_language_can_write(raw) -> None:
    client = raw()
    fields = {"type": "hello", "id": 1, "protocol": [1, 0], "client": "x", "schema": SCHEMA_ID}
    client.socket.send(msgpack.packb(fields | {"token": client.run.token, "a field of the future": [1, 2]}))
    assert client.receive().type == "welcome"
