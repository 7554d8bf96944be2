"""The connection's state machine, by its transitions, with a wire and a clock that the test moves."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgpack
import pytest

from semanticface.actions import SCHEMA_ID
from semanticface.connection import HELLO_TIMEOUT, SILENCE, Connection, ConnectionState
from semanticface.errors import BackendLost, ProtocolError, VersionMismatch
from semanticface.protocol import MAJOR, MINOR, REPLIES, REQUESTS, pack, unpack
from semanticface.runfile import RunFile

RUN = RunFile("tcp://127.0.0.1:9", 4242, 7.0, (1, 0), "instance-1", "k" * 40, "secret", log="/logs/b.log")
WELCOME = {
    "protocol": (1, 0),
    "backend": "test 1",
    "instance": "instance-1",
    "schema": SCHEMA_ID,
    "engines": [],
    "window": 8,
    "max_payload": 1000,
    "lease": 15.0,
}


class Bench:
    """A connection on a bench: what it sends is seen, what it hears and what time it is are set."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sent: list[Any] = []
        self.coming: deque[list[bytes]] = deque()
        self.ending = ""
        self.full = False
        self.alive = True
        self.closed_with: int | None = None
        self.connection = Connection(
            RUN, "bench", wire=lambda run: self, clock=lambda: self.now, lives=lambda pid, started: self.alive
        )

    def send(self, frames: list[Any]) -> bool:
        if not self.full:
            self.sent.append(unpack(REQUESTS, frames))
        return not self.full

    def receive(self) -> list[bytes] | None:
        return self.coming.popleft() if self.coming else None

    def fallen(self) -> str:
        return self.ending

    def wait(self, seconds: float) -> None: ...

    def close(self, linger: int) -> None:
        self.closed_with = linger

    def hear(self, kind: str, **fields: Any) -> None:
        self.coming.append(pack(REPLIES, kind, **fields))

    def turn(self, seconds: float = 0.1) -> list[Any]:
        """Let time pass, then do what an owner does each time."""
        self.now += seconds
        got = []
        while (message := self.connection.receive()) is not None:
            got.append(message)
        self.connection.tick()
        return got

    def turns(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.turn(0.1)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.connection.open()
    return bench


@pytest.fixture
def connected(bench: Bench) -> Bench:
    bench.hear("welcome", re=1, **WELCOME)
    bench.turn()
    assert bench.connection.state is ConnectionState.CONNECTED
    return bench


def test_closed_becomes_connecting_and_says_hello_with_version_schema_and_token() -> None:
    bench = Bench()
    assert bench.connection.state is ConnectionState.CLOSED
    bench.connection.open()
    assert bench.connection.state is ConnectionState.CONNECTING
    (hello,) = bench.sent
    assert hello.type == "hello"
    assert (hello["protocol"], hello["schema"], hello["token"], hello["app"]) == (
        (MAJOR, MINOR),
        SCHEMA_ID,
        "secret",
        "bench",
    )


def test_connected_means_that_hello_was_answered(bench: Bench) -> None:
    bench.turns(2)
    assert bench.connection.state is ConnectionState.CONNECTING
    bench.hear("welcome", re=1, **WELCOME)
    bench.turn()
    assert bench.connection.state is ConnectionState.CONNECTED
    assert bench.connection.welcome["window"] == 8


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        ({"protocol": (MAJOR + 1, 0)}, VersionMismatch, "update this client"),
        ({"protocol": (MAJOR - 1, 0)}, VersionMismatch, "update the backend"),
        ({"schema": "other"}, VersionMismatch, "equal versions"),
        ({"instance": "other"}, ProtocolError, "another backend"),
    ],
)
def test_a_welcome_that_does_not_fit_is_refused(
    bench: Bench, change: dict[str, Any], kind: type[Exception], text: str
) -> None:
    bench.hear("welcome", re=1, **(WELCOME | change))
    bench.turn()
    assert bench.connection.state is ConnectionState.REFUSED
    assert isinstance(bench.connection.error, kind)
    assert text in str(bench.connection.error)
    assert bench.closed_with == 0


@pytest.mark.parametrize("re", [1, None])
def test_an_error_as_the_answer_to_hello_is_a_refusal_with_the_backends_words(bench: Bench, re: int | None) -> None:
    bench.hear("error", re=re, error={"kind": "version", "message": "too old", "hint": "update the client"})
    bench.turn()
    assert bench.connection.state is ConnectionState.REFUSED
    assert isinstance(bench.connection.error, VersionMismatch)
    assert str(bench.connection.error) == "too old (update the client)"


def test_another_message_in_place_of_welcome_is_a_refusal(bench: Bench) -> None:
    bench.hear("done", re=1)
    bench.turn()
    assert bench.connection.state is ConnectionState.REFUSED


def test_garbage_in_place_of_welcome_is_a_refusal(bench: Bench) -> None:
    bench.coming.append([b"\xc1"])
    bench.turn()
    assert bench.connection.state is ConnectionState.REFUSED
    assert isinstance(bench.connection.error, ProtocolError)


def test_hello_without_an_answer_is_a_loss(bench: Bench) -> None:
    bench.turns(HELLO_TIMEOUT - 0.2)
    assert bench.connection.state is ConnectionState.CONNECTING
    bench.turns(0.5)
    assert bench.connection.state is ConnectionState.LOST
    assert "/logs/b.log" in str(bench.connection.error)


@pytest.mark.parametrize("when", ["bench", "connected"])
def test_the_end_of_the_socket_is_a_loss_at_once(when: str, request: pytest.FixtureRequest) -> None:
    bench: Bench = request.getfixturevalue(when)
    bench.ending = "it closed the connection"
    bench.turn()
    assert bench.connection.state is ConnectionState.LOST
    assert isinstance(bench.connection.error, BackendLost)


def test_what_came_before_the_end_is_read_first(connected: Bench) -> None:
    for number in range(3):
        connected.hear("done", re=50 + number)
    connected.ending = "it closed the connection"
    assert [message["re"] for message in connected.turn()] == [50, 51, 52]
    assert connected.connection.state is ConnectionState.LOST


def test_the_end_of_the_process_is_a_loss(connected: Bench) -> None:
    connected.alive = False
    connected.turns(1.0)
    assert connected.connection.state is ConnectionState.LOST
    assert "process 4242 has ended" in str(connected.connection.error)


@pytest.mark.clock
def test_silence_while_something_is_awaited_is_a_loss_within_three_seconds(connected: Bench) -> None:
    connected.connection.busy = True
    begin = connected.now
    while connected.connection.state is ConnectionState.CONNECTED:
        connected.turn()
    assert SILENCE <= connected.now - begin < 3.0


def test_any_message_ends_the_silence(connected: Bench) -> None:
    connected.connection.busy = True
    for number in range(5):
        connected.turns(2.0)
        connected.hear("done", re=60 + number)
    assert connected.connection.state is ConnectionState.CONNECTED


def test_a_host_that_was_busy_itself_does_not_take_its_own_pause_for_silence(connected: Bench) -> None:
    connected.connection.busy = True
    connected.turn(12.0)
    connected.turn(12.0)
    assert connected.connection.state is ConnectionState.CONNECTED


def test_pings_go_each_second_while_busy_and_each_third_of_the_lease_while_idle(connected: Bench) -> None:
    def pings(seconds: float) -> int:
        before = sum(message.type == "ping" for message in connected.sent)
        for _ in range(round(seconds / 0.1)):
            connected.turn(0.1)
            if connected.sent[-1].type == "ping":
                connected.hear("pong", re=connected.sent[-1]["id"])
        return sum(message.type == "ping" for message in connected.sent) - before

    assert pings(10) == 2
    connected.connection.busy = True
    assert 9 <= pings(10) <= 11


def test_pongs_are_not_the_owners_business(connected: Bench) -> None:
    connected.turn(6)
    connected.hear("pong", re=connected.sent[-1]["id"])
    assert connected.turn() == []


def test_a_ping_that_is_refused_means_that_the_lease_is_gone(connected: Bench) -> None:
    connected.turn(6)
    connected.hear("error", re=connected.sent[-1]["id"], error={"kind": "protocol", "message": "hello first"})
    connected.turn()
    assert connected.connection.state is ConnectionState.LOST
    assert "hello first" in str(connected.connection.error)


def test_garbage_while_connected_is_handed_on_as_an_error_and_ends_nothing(connected: Bench) -> None:
    connected.coming.append([b"\xc1"])
    connected.coming.append([msgpack.packb({"type": "nonsense"})])
    connected.hear("done", re=70)
    first, second, third = connected.turn()
    assert isinstance(first, ProtocolError)
    assert "nonsense" in str(second)
    assert third.type == "done"
    assert connected.connection.state is ConnectionState.CONNECTED


def test_messages_wait_while_the_socket_is_full_and_keep_their_order(connected: Bench) -> None:
    connected.full = True
    numbers = [connected.connection.request("status") for _ in range(3)]
    assert connected.connection.congested
    connected.full = False
    connected.turn()
    assert [message["id"] for message in connected.sent if message.type == "status"] == numbers
    assert not connected.connection.congested


def test_closing_says_goodbye_once(connected: Bench) -> None:
    connected.connection.close()
    connected.connection.close()
    assert [message.type for message in connected.sent].count("bye") == 1
    assert connected.connection.state is ConnectionState.CLOSED


def test_nothing_is_sent_after_the_end(connected: Bench) -> None:
    connected.ending = "it closed the connection"
    connected.turn()
    with pytest.raises(BackendLost):
        connected.connection.request("status")
    with pytest.raises(BackendLost, match="make a new one"):
        connected.connection.open()


def test_an_address_that_cannot_be_used_is_a_loss_and_not_an_exception() -> None:
    for change in ({"endpoint": "nonsense"}, {"public_key": "short"}, {"public_key": "ü" * 40}):
        connection = Connection(RunFile(**({name: getattr(RUN, name) for name in RUN.__slots__} | change)))
        connection.open()
        assert connection.state is ConnectionState.LOST
