"""A server that misbehaves: every fault is a script of the local server, on real sockets."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from chat_server import ChatServer, Script, chat_server
from remote_kit import Connect, frames, run, server_at

from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.profile import Profile
from semanticface.engines.remote.engine import connect
from semanticface.errors import EngineError, OptionsError
from semanticface.results import Status

KEY = "sk-not-for-anybodys-eyes"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts a tenth as long as in earnest."""
    monkeypatch.setattr("semanticface.engines.remote.trouble.FIRST_WAIT", 0.05)
    monkeypatch.setattr("semanticface.engines.remote.trouble.LONGEST_WAIT", 0.3)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        "status:500",
        "status:502",
        "status:503,0",
        "status:429",
        "reset",
        "half",
        "silent",
        'raw:{"choices": []}',
        "raw:<html>",
    ],
)
def test_a_passing_fault_costs_nothing_but_another_try(remote: Connect, fault: str, stream: bool) -> None:
    server, engine = remote(stream=stream)
    server.script.faults = deque([fault, "", fault])
    levels = [0.1, 0.2, 0.3, 0.4, 0.5]
    results = run(engine, frames(levels))
    assert [result.coefficients["JawOpen"] for result in results] == levels
    assert len(server.seen.pictures) == 7


def test_an_error_in_the_middle_of_a_stream_is_asked_again(remote: Connect) -> None:
    server, engine = remote()
    server.script.faults = deque(["error-event:out of blocks"])
    assert run(engine, frames([0.5]))[0].status is Status.OK


def test_the_server_says_how_long_to_wait(remote: Connect) -> None:
    server, engine = remote()
    server.script.faults = deque(["status:429,1"])
    began = time.monotonic()
    assert run(engine, frames([0.5]))[0].status is Status.OK
    assert time.monotonic() - began >= 1.0


def test_a_frame_that_always_breaks_fails_alone(remote: Connect) -> None:
    server, engine = remote(concurrency=1)
    server.script.faults = deque(["", *["status:500"] * 4, ""])
    results = run(engine, frames([0.1, 0.2, 0.3]))
    assert [result.status for result in results] == [Status.OK, Status.FAILED, Status.OK]
    assert "500" in results[1].message and results[1].coefficients is None
    assert len(server.seen.pictures) == 6


@pytest.mark.clock
def test_a_slow_answer_has_a_deadline(remote: Connect) -> None:
    server, engine = remote(concurrency=1, timeout=0.5)
    server.script.faults = deque(["hang:3", "hang:3", ""])
    began = time.monotonic()
    slow, good = run(engine, frames([0.1, 0.2]))
    assert slow.status is Status.FAILED and "0.5 s" in slow.message
    assert good.status is Status.OK
    assert time.monotonic() - began < 2.5


def test_a_stream_that_drips_has_a_deadline_too(remote: Connect) -> None:
    _, engine = remote(Script(token_delay=0.05), timeout=0.4)
    (result,) = run(engine, frames([0.1]))
    assert result.status is Status.FAILED and "no whole answer" in result.message


def test_a_server_that_answers_nothing_ends_the_run_early(remote: Connect) -> None:
    server, engine = remote()
    server.script.always = "status:500"
    with pytest.raises(EngineError, match="none of 4 frames in a row") as caught:
        run(engine, frames([0.5] * 200))
    assert "500" in caught.value.message and "log" in caught.value.hint
    assert len(server.seen.pictures) < 50


def test_answers_in_another_format_are_kept_as_they_are(remote: Connect) -> None:
    server, engine = remote(grammar="none", concurrency=1)
    server.script.faults = deque(["answer:I see a happy face.", "length:500"])
    other, cut, good = run(engine, frames([0.1, 0.2, 0.3]))
    assert other.status is Status.UNPARSEABLE and other.raw_text == "I see a happy face."
    assert cut.status is Status.UNPARSEABLE and "cut off" in cut.message and cut.coefficients is None
    assert good.status is Status.OK


def test_a_refused_request_is_not_repeated(remote: Connect) -> None:
    server, engine = remote(concurrency=1)
    server.script.faults = deque(["refuse:This picture is too large for the context", ""])
    refused, good = run(engine, frames([0.1, 0.2]))
    assert refused.status is Status.FAILED and "too large for the context" in refused.message
    assert good.status is Status.OK and len(server.seen.pictures) == 2


def test_a_restart_in_the_middle_of_a_shot_loses_no_frame(remote: Connect) -> None:
    server, engine = remote(Script(delay=0.05), concurrency=4, patience=20.0)

    def restart() -> None:
        time.sleep(0.25)
        server.stop()
        time.sleep(0.6)
        server.start()

    threading.Thread(target=restart, daemon=True).start()
    levels = [round(number % 10 * 0.1, 1) for number in range(40)]
    results = run(engine, frames(levels))
    assert [result.coefficients["JawOpen"] for result in results] == levels


def test_a_server_that_is_often_away_for_a_moment_is_forgiven_each_time(remote: Connect) -> None:
    server, engine = remote(Script(delay=0.05), concurrency=1, patience=0.4)
    server.script.faults = deque(["status:503", ""] * 12)
    assert {result.status for result in run(engine, frames([0.5] * 12))} == {Status.OK}


def test_a_tunnel_that_hangs_up_is_a_server_that_is_away(remote: Connect) -> None:
    server, engine = remote(concurrency=2, patience=20.0)
    server.script.always = "reset"
    threading.Timer(2.0, setattr, (server.script, "always", "")).start()
    results = run(engine, frames([0.1, 0.2, 0.3]))
    assert [result.coefficients["JawOpen"] for result in results] == [0.1, 0.2, 0.3]


@pytest.mark.clock
def test_a_server_that_is_gone_fails_the_run_instead_of_every_frame(remote: Connect) -> None:
    server, engine = remote(patience=0.5)
    assert run(engine, frames([0.5]))[0].status is Status.OK
    server.stop()
    began = time.monotonic()
    with pytest.raises(EngineError, match="not there") as caught:
        run(engine, frames([0.5] * 1000))
    assert server.url in caught.value.message and "running" in caught.value.hint
    again = time.monotonic()
    assert again - began < 5
    with pytest.raises(EngineError, match="not there"):
        run(engine, frames([0.5]))
    assert time.monotonic() - again < 0.2


def test_a_server_that_comes_back_is_used_again(remote: Connect) -> None:
    server, engine = remote(patience=0.3)
    server.stop()
    with pytest.raises(EngineError):
        run(engine, frames([0.5] * 8))
    server.start()
    time.sleep(0.4)  # LONGEST_WAIT has passed
    assert run(engine, frames([0.7]))[0].coefficients["JawOpen"] == 0.7


@pytest.mark.clock
def test_cancelling_drops_what_is_in_flight_at_once(remote: Connect) -> None:
    server, engine = remote(Script(token_delay=0.02), concurrency=4)
    since: list[float] = []

    def cancelled() -> bool:
        return bool(since) and time.monotonic() - since[0] > 0.3

    def partial(*_: Any) -> None:
        since.append(time.monotonic())

    began = time.monotonic()
    assert run(engine, frames([0.5] * 100), RunOptions(cancelled=cancelled, partial=partial)) == []
    assert time.monotonic() - began < 5
    until = time.monotonic() + 5
    while server.seen.now and time.monotonic() < until:
        time.sleep(0.01)
    assert server.seen.dropped == 4 and len(server.seen.pictures) == 4


def test_leaving_the_results_drops_what_is_in_flight(remote: Connect) -> None:
    server, engine = remote(Script(token_delay=0.005), concurrency=3)
    server.script.faults = deque(["refuse:no"])

    def in_order() -> Iterator[FrameInput]:
        first, *others = frames([0.1, 0.2, 0.3])
        yield first
        until = time.monotonic() + 5
        while not server.seen.pictures and time.monotonic() < until:  # the refusal is for the first
            time.sleep(0.01)
        yield from others

    for result in engine.session(RunOptions(), True).analyze(in_order()):
        assert result.status is Status.FAILED
        break
    until = time.monotonic() + 5
    while server.seen.now and time.monotonic() < until:
        time.sleep(0.01)
    assert server.seen.dropped >= 1


def test_a_closed_engine_ends_its_sessions(remote: Connect) -> None:
    _, engine = remote(Script(delay=5))
    threading.Timer(0.3, engine.close).start()
    with pytest.raises(EngineError, match="closed"):
        run(engine, frames([0.5]))
    with pytest.raises(EngineError, match="closed"):
        run(engine, frames([0.5]))
    engine.close()


# Before the first frame.


def fails(server: ChatServer, profile: Profile, **fields: Any) -> EngineError:
    with pytest.raises(EngineError) as caught:
        connect(server_at(server.url, profile, **fields))
    return caught.value


def test_a_wrong_model_name_is_told_with_the_right_ones(profile: Profile) -> None:
    with chat_server(Script(models=("Qwen/Qwen3-VL-4B-Instruct", "face-lora"))) as server:
        error = fails(server, profile)
        assert "no model 'semanticface'" in error.message and "face-lora" in error.hint


def test_a_model_that_vanishes_later_is_told_with_the_right_ones(remote: Connect) -> None:
    server, engine = remote()
    server.script.models = ("other",)
    with pytest.raises(EngineError, match="does not exist") as caught:
        run(engine, frames([0.5]))
    assert "the server has other" in caught.value.hint


def test_a_wrong_key_is_told_by_its_variable_and_never_shown(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    monkeypatch.setenv("STUDIO_KEY", KEY)
    with chat_server(Script(key="another")) as server:
        error = fails(server, profile, key_variable="STUDIO_KEY")
        assert "401" in error.message and "STUDIO_KEY" in error.hint and KEY not in str(error)
        assert "***" in error.message  # this server repeats what it got
        assert len(server.seen.paths) == 1
    assert KEY not in caplog.text


def test_the_right_key_travels_in_its_header_alone(
    remote: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    monkeypatch.setenv("STUDIO_KEY", KEY)
    server, engine = remote(Script(key=KEY), key_variable="STUDIO_KEY")
    (result,) = run(engine, frames([0.5]))
    assert server.seen.headers[-1]["Authorization"] == f"Bearer {KEY}"
    shown = [
        str(result.to_dict()),
        engine.fingerprint({}, True),
        str(engine.info),
        str(server.seen.bodies),
        caplog.text,
    ]
    assert result.status is Status.OK and not any(KEY in str(one) for one in shown)


def test_a_key_that_is_not_set_is_named(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STUDIO_KEY", raising=False)
    with chat_server() as server, pytest.raises(OptionsError, match="STUDIO_KEY is not set"):
        connect(server_at(server.url, profile, key_variable="STUDIO_KEY"))


@pytest.mark.clock
def test_nobody_there_is_told_at_once(profile: Profile) -> None:
    with chat_server() as server:
        server.stop()
        began = time.monotonic()
        error = fails(server, profile)
    assert "no connection" in error.message and "running" in error.hint
    assert time.monotonic() - began < 3


def test_redirects_are_not_followed(remote: Connect) -> None:
    server, engine = remote()
    server.script.always = "redirect"
    with pytest.raises(EngineError, match="sends elsewhere"):
        run(engine, frames([0.5]))


def test_the_environments_proxy_is_not_used_for_this_machine(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    with chat_server() as proxy, chat_server() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        engine = connect(server_at(server.url, profile))
        assert run(engine, frames([0.5]))[0].status is Status.OK
        engine.close()
        assert proxy.seen.paths == []


def test_engines_leave_no_threads_behind(profile: Profile) -> None:
    with chat_server() as server:
        before = threading.active_count()
        for _ in range(3):
            connect(server_at(server.url, profile)).close()
        assert not [one for one in threading.enumerate() if one.name == "semanticface-remote"]
        assert threading.active_count() <= before + 12  # the test server's own, one a connection
