"""Engines by name: what auto means and why, variants with a worker each, one heavy engine at a time, giving back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from server_kit import Backend, Wire, backend, picture, wait_for

from semanticface.engines.choose import LANDMARKS, SEMANTICFACE, Choice
from semanticface.errors import EngineError
from semanticface.server import auto
from semanticface.server.auto import Auto
from semanticface.server.engines import ENGINES, belongs, offered, reader, resolve

SLOW = {"words": 20, "delay": 0.1}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with backend(tmp_path_factory.mktemp("engines"), "cache_bytes=0") as running:
        yield running


@pytest.fixture
def wire(live: Backend) -> Iterator[Wire]:
    with Wire(live.run) as client:
        yield client
        client.ask("release")


def workers(wire: Wire) -> dict[str, int | None]:
    return {worker["engine"]: worker["pid"] for worker in wire.status()["workers"]}


# Names.


def test_a_name_may_carry_a_variant_of_an_engine_that_has_some() -> None:
    named = resolve("echo-batch:second.try_2-b")
    assert (named.entry.name, named.variant, named.name) == (
        "echo-batch",
        "second.try_2-b",
        "echo-batch:second.try_2-b",
    )
    assert resolve("echo").variant == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("echo:x", "no variants"),
        ("echo-batch:", "can't be the name"),
        ("echo-batch:../../etc", "can't be the name"),
        ("echo-batch:" + "a" * 65, "can't be the name"),
        ("echo-batch:.hidden", "can't be the name"),
        ("echo-batch:a:b", "can't be the name"),
        ("nobody:x", "no engine"),
        ("auto", "no engine"),
    ],
)
def test_a_name_that_cannot_be_meant_is_refused(wire: Wire, name: str, text: str) -> None:
    with pytest.raises(EngineError, match=text):
        resolve(name)
    if name != "auto" and len(name) <= 100:
        answer = wire.ask("submit", job="refused", engine=name, options={}, priority="batch")
        assert answer.type == "error" and answer["error"]["kind"] == "engine"


def test_an_engine_whose_libraries_are_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    model = next(entry for entry in ENGINES if entry.name == SEMANTICFACE)
    assert model.heavy and model.variants and model.install == "pip install 'semanticface[mllm]'"
    monkeypatch.setitem(sys.modules, "peft", None)  # as Python itself marks what can't be imported
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "peft" else object())
    with pytest.raises(EngineError) as caught:
        resolve("semanticface:mine")
    assert "needs peft" in caught.value.message and "semanticface[mllm]" in caught.value.hint
    row = next(row for row in offered(None) if row["name"] == SEMANTICFACE)
    assert row["installed"] is False and "needs peft" in row["reason"]


def test_footage_is_looked_into_by_a_light_engine() -> None:
    assert not resolve(reader()).entry.heavy


def test_each_variant_has_a_worker_of_its_own_and_is_told_its_name(live: Backend, wire: Wire) -> None:
    for name in ("echo-batch:one", "echo-batch:two"):
        end = wire.analyze([picture(1)], engine=name)
        assert end.state == "done" and end.engine["model"] == name.partition(":")[2]
    running = workers(wire)
    assert running["echo-batch:one"] and running["echo-batch:two"] != running["echo-batch:one"]
    logs = {path.name for path in (live.home / "logs").iterdir()}
    assert {"worker-echo-batch-one.log", "worker-echo-batch-two.log"} <= logs, "a colon is no letter of a file name"


def test_names_without_end_are_refused_before_there_are_too_many_workers(tmp_path: Path) -> None:
    with backend(tmp_path) as live, Wire(live.run) as wire:
        jobs = [wire.submit(engine=f"echo-heavy:{number}") for number in range(32)]
        answer = wire.ask("submit", job="more", engine="echo-heavy:more", options={}, priority="batch")
        assert answer.type == "error" and "32 engines" in answer["error"]["message"]
        for job in jobs:
            wire.send("cancel", job=job)
        assert wire.analyze([picture(1)], engine="echo-batch:free").state == "done"


# Auto.


def aside_at_once(work: Callable[[], Any], then: Callable[[Future[Any]], None]) -> None:
    future: Future[Any] = Future()
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    then(future)


def test_a_choice_is_made_anew_after_a_while_and_not_while_it_stands() -> None:
    answers = iter([Choice(LANDMARKS, "full"), Choice(SEMANTICFACE, "room"), Choice(LANDMARKS, "full again")])
    stands = False
    one = Auto(aside_at_once, lambda: stands, lambda: next(answers))
    got: list[str] = []

    def ask(now: float) -> str:
        one.ask(now, lambda choice: got.append(choice.reason))
        return got[-1]

    assert ask(0.0) == "full" and ask(auto.FRESH - 0.1) == "full"
    assert ask(auto.FRESH + 0.1) == "room"
    stands = True
    assert ask(10 * auto.FRESH) == "room", "the memory that its own worker holds is no reason"
    stands = False
    assert ask(20 * auto.FRESH) == "full again"


def test_those_who_ask_meanwhile_share_one_answer_and_a_fault_is_an_answer_too() -> None:
    begun: list[Callable[[], None]] = []

    def aside(work: Callable[[], Any], then: Callable[[Future[Any]], None]) -> None:
        begun.append(lambda: aside_at_once(work, then))

    one = Auto(aside, lambda: False, lambda: Choice("engine", "why") if len(begun) == 1 else {}["no such"])
    got: list[Choice] = []
    one.ask(0.0, got.append)
    one.ask(0.1, got.append)
    assert len(begun) == 1 and not got, "nobody waits in the loop"
    begun[0]()
    assert got == [Choice("engine", "why")] * 2
    one.ask(100.0, got.append)
    begun[1]()
    assert got[-1].engine == LANDMARKS and "no such" in got[-1].reason


def test_auto_says_which_engine_and_why_wherever_it_is_asked(wire: Wire, face_landmarker: Path) -> None:
    reason = "no checkpoint is installed (semanticface models pull semanticface)"
    wait_for(lambda: wire.status()["auto"] is not None)
    if wire.status()["auto"]["reason"] != reason:
        pytest.skip("this machine has a checkpoint")
    assert wire.status()["auto"] == {"engine": "landmarks", "reason": reason}
    with Wire(wire.run, hello=False) as other:
        rows = {row["name"]: row for row in other.hello()["engines"]}
        assert rows["landmarks"]["auto"] is True and rows["landmarks"]["reason"] == reason
        assert "auto" not in rows["semanticface"]
    job = wire.submit(engine="auto")
    wire.send_pictures(job, [picture(1)])
    wire.send("end", job=job)
    assert wire.until("progress", job=job)["message"] == f"engine: landmarks — {reason}"
    end = wire.finish(job)
    assert end.counts == {"no_face": 1}
    assert end.engine["name"] == "landmarks" and end.engine["reason"] == reason
    assert "reason" not in wire.analyze([picture(1)], engine="echo").engine, "where nothing was left open"


@pytest.mark.clock
@pytest.mark.skipif(sys.platform != "linux", reason="the fake nvidia-smi is a shell script")
def test_a_driver_that_hangs_holds_neither_the_hello_nor_other_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semanticface.assets import MODELS_VARIABLE

    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "nvidia-smi").write_text("#!/bin/sh\nexec /bin/sleep 30\n")
    (tools / "nvidia-smi").chmod(0o755)
    _checkpoint(tmp_path / "models")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    pytest.importorskip("torch", reason="without it no card is asked for")
    pytest.importorskip("peft", reason="without it no card is asked for")
    with backend(tmp_path / "home") as live, Wire(live.run) as wire:
        begun = time.monotonic()
        assert wire.analyze([picture(1)], engine="echo").state == "done"
        assert wire.status()["auto"] is None, "not known yet"
        assert time.monotonic() - begun < 2.8
        job = wire.submit(engine="auto")
        assert time.monotonic() - begun < 2.9
        assert "nvidia-smi did not answer within 3 s" in wire.until("progress", job=job)["message"]
        wire.send("cancel", job=job)


def _checkpoint(models: Path) -> None:
    import json
    import struct

    from semanticface.engines.mllm.memory import QWEN3_VL_4B
    from semanticface.engines.mllm.profile import Profile

    folder = models / "checkpoints" / "semanticface"
    (folder / "base").mkdir(parents=True)
    Profile("semanticface", "system", "user", adapter=False).save(folder)
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (folder / "base" / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    (folder / "base" / "config.json").write_text(json.dumps({"model_type": "qwen3_vl"} | dict(QWEN3_VL_4B)))
    (folder / "base" / "tokenizer.json").write_text("{}")


# One heavy engine at a time.


def test_a_second_heavy_engine_starts_when_the_idle_first_has_been_ended(wire: Wire) -> None:
    assert wire.analyze([picture(1)], engine="echo-heavy:first").state == "done"
    first = workers(wire)["echo-heavy:first"]
    assert first
    assert wire.analyze([picture(1)], engine="echo-batch").state == "done"
    assert workers(wire)["echo-heavy:first"] == first, "a light engine runs beside it"
    assert wire.analyze([picture(1)], engine="echo-heavy:second").state == "done"
    running = workers(wire)
    assert running["echo-heavy:first"] is None and running["echo-heavy:second"]


def test_a_second_heavy_engine_waits_for_the_jobs_of_the_first_and_says_so(live: Backend, wire: Wire) -> None:
    job = wire.submit(engine="echo-heavy:first", options=SLOW)
    wire.send_pictures(job, [picture(1)])
    wire.until("progress", job=job)
    with Wire(live.run) as other:
        second = other.submit(engine="echo-heavy:second")
        other.send_pictures(second, [picture(2)])
        other.send("end", job=second)
        assert "waiting for the jobs of engine echo-heavy:first" in other.until("progress", job=second)["message"]
        assert not workers(wire)["echo-heavy:second"]
        wire.send("end", job=job)
        assert wire.finish(job).counts == {"ok": 1}, "it is not cut short"
        assert other.finish(second).counts == {"ok": 1}
        alive = [name for name, pid in workers(other).items() if pid and name.startswith("echo-heavy")]
        assert alive == ["echo-heavy:second"]


# Giving back.


def test_release_ends_the_worker_of_one_engine_and_its_variants_and_names_them(wire: Wire) -> None:
    for name in ("echo-batch", "echo-batch:b", "echo"):
        assert wire.analyze([picture(1)], engine=name).state == "done"
    assert wire.ask("release", engine="echo-batch:b")["ended"] == ["echo-batch:b"]
    assert sorted(wire.ask("release", engine="echo-batch")["ended"]) == ["echo-batch"]
    assert workers(wire)["echo"], "another engine is left alone"
    assert wire.ask("release")["ended"] == ["echo"]
    assert wire.ask("release")["ended"] == []
    assert wire.ask("release", engine="nobody").type == "error"


def test_release_of_one_engine_is_refused_for_its_own_jobs_alone(live: Backend, wire: Wire) -> None:
    assert wire.analyze([picture(1)], engine="echo").state == "done"
    job = wire.submit(engine="echo-batch:b", options=SLOW)
    for engine in ("echo-batch", "echo-batch:b", None):
        assert wire.ask("release", engine=engine)["error"]["kind"] == "backend"
    assert wire.ask("release", engine="echo")["ended"] == ["echo"]
    wire.send("cancel", job=job)
    wire.finish(job)


def test_the_variants_of_an_engine_belong_to_it_and_no_other() -> None:
    assert belongs("echo-batch:b", "echo-batch") and belongs("echo", "echo")
    assert not belongs("echo-batch", "echo") and not belongs("echo-batch", "echo-batch:b")
