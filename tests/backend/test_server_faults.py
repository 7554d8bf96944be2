"""The backend when things die: worker, front, client and host; killed for real, in the middle of a job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from server_kit import Backend, Wire, backend, picture, sequence, wait_for

from semanticface import processes
from semanticface.take import read_take

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills processes with POSIX signals")


def alive(pid: int) -> bool:
    return processes.start_time(pid) is not None


def start_slow_job(wire: Wire, folder: Path, count: int = 120, delay: float = 0.01) -> tuple[str, dict[str, object]]:
    """A job over footage that takes a second or so; returns when some results have come."""
    fields: dict[str, object] = {
        "media": sequence(folder / "seq", count),
        "take": str(folder / "take"),
        "options": {"delay": delay},
    }
    job = wire.submit(**fields)
    for _ in range(5):
        wire.until("result", job=job)
    return job, fields


def test_a_worker_killed_in_the_middle_costs_no_frame_and_doubles_none(tmp_path: Path) -> None:
    with backend(tmp_path) as live, Wire(live.run) as wire:
        job, _ = start_slow_job(wire, tmp_path)
        worker = wire.status()["worker"]["pid"]
        os.kill(worker, signal.SIGKILL)
        end = wire.finish(job)
        assert end.state == "done" and end.counts == {"ok": 120}
        assert end.frames == list(range(5, 120)), "in order, each once, after the five that came before"
        assert wire.status()["worker"]["pid"] != worker
        take = read_take(tmp_path / "take")
        assert len(take.results) == 120 and not take.damaged
        assert len((tmp_path / "take" / "frames.jsonl").read_text().splitlines()) == 120
        for result in take.results[3:]:
            expected = sum(range(result.frame - 3, result.frame + 1)) / 4 / 255
            assert result.coefficients is not None
            assert result.coefficients["MouthClose"] == pytest.approx(expected), "the new session was warmed up"


def test_sent_pictures_survive_the_death_of_the_worker(tmp_path: Path) -> None:
    with backend(tmp_path) as live, Wire(live.run) as wire:
        job = wire.submit(video=True, options={"delay": 0.05})
        wire.send_pictures(job, [picture(10 * n) for n in range(20)])
        for _ in range(6):
            wire.until("result", job=job)
        os.kill(wire.status()["worker"]["pid"], signal.SIGKILL)
        wire.send("end", job=job)
        end = wire.finish(job)
        assert end.state == "done" and end.counts == {"ok": 20} and sorted(end.frames) == list(range(6, 20))
        for result in end.results:
            expected = sum(10 * n for n in range(result["frame"] - 3, result["frame"] + 1)) / 4 / 255
            assert result["coefficients"]["MouthClose"] == pytest.approx(expected)


def test_a_frame_that_kills_the_worker_is_given_up_alone(tmp_path: Path) -> None:
    with backend(tmp_path, "backoff=0.02") as live, Wire(live.run) as wire:
        end = wire.finish(wire.submit(media=sequence(tmp_path / "seq", 40), options={"crash_on": [13]}))
        assert end.state == "done" and end.counts == {"ok": 39, "failed": 1}
        failed = end.results[13]
        assert failed["status"] == "failed" and "SIGABRT" in failed["message"] and "3 attempts" in failed["message"]
        assert wire.status()["worker"]["starts"] == 4


def test_an_engine_that_raises_on_a_frame_loses_that_frame_and_no_process(tmp_path: Path) -> None:
    with backend(tmp_path) as live, Wire(live.run) as wire:
        end = wire.analyze([picture(n) for n in range(10)], options={"fail_on": [4]})
        assert end.counts == {"ok": 9, "failed": 1} and wire.status()["worker"]["starts"] == 1
        assert "told to fail" in next(result["message"] for result in end.results if result["frame"] == 4)


def test_a_worker_that_hangs_is_killed_and_the_frame_given_up(tmp_path: Path) -> None:
    with backend(tmp_path, "stall=1.0, attempts=1, backoff=0.02") as live, Wire(live.run) as wire:
        end = wire.analyze([picture(1), picture(2)], options={"hang_on": [1]}, video=True)
        assert end.state == "done" and end.counts["failed"] >= 1
        assert next(result["status"] for result in end.results if result["frame"] == 1) == "failed"


def test_a_front_killed_in_the_middle_loses_no_finished_frame(tmp_path: Path) -> None:
    with backend(tmp_path) as live, Wire(live.run) as wire:
        _, fields = start_slow_job(wire, tmp_path)
        worker = wire.status()["worker"]["pid"]
        live.process.kill()
        live.process.wait()
        wait_for(lambda: not alive(worker), 5.0)
    finished = {result.frame for result in read_take(tmp_path / "take").results}
    assert 5 <= len(finished) < 120
    for name in ("results-1.db", "results-1.db-wal", "results-1.db-shm"):  # so that the take alone tells
        (tmp_path / "cache" / name).unlink(missing_ok=True)
    with backend(tmp_path) as live, Wire(live.run) as wire:
        end = wire.finish(wire.submit(**fields))
        assert end.state == "done" and end.frames == list(range(120)) and end.counts == {"ok": 120}
        stored = {frame for frame, from_store in zip(end.frames, end.stored, strict=True) if from_store}
        assert stored == finished, "only what was missing is computed"
        assert len(read_take(tmp_path / "take").results) == 120


@pytest.mark.clock
def test_a_client_that_falls_silent_loses_its_jobs_after_the_lease(tmp_path: Path) -> None:
    with backend(tmp_path, "lease=0.6") as live, Wire(live.run) as silent:
        silent.submit(media=sequence(tmp_path / "seq", 400), options={"delay": 0.02})
        with Wire(live.run) as other:
            assert len(other.status()["jobs"]) == 1
            begun = time.monotonic()
            wait_for(lambda: not other.status()["jobs"], 5.0)
            assert 0.3 < time.monotonic() - begun < 3.0
            assert other.status()["clients"] == 1
        assert silent.ask("ping").type == "error", "it has to say hello again"
        assert silent.hello().type == "welcome"


def test_a_client_that_says_bye_takes_its_jobs_along(tmp_path: Path) -> None:
    with backend(tmp_path) as live, Wire(live.run) as other:
        with Wire(live.run) as wire:
            wire.submit(media=sequence(tmp_path / "seq", 200), options={"delay": 0.02})
            assert wire.ask("bye").type == "done"
        assert other.status()["jobs"] == [] and other.status()["clients"] == 1


def test_a_backend_that_a_host_started_ends_when_nobody_is_left(tmp_path: Path) -> None:
    with backend(tmp_path, "grace=0.5", "lease_bound=True") as live:
        with Wire(live.run) as wire:
            time.sleep(1.0)
            assert wire.ask("ping").type == "pong", "a lease keeps it"
            wire.analyze([picture(1)])
            worker = wire.status()["worker"]["pid"]
            wire.ask("bye")
        assert live.process.wait(timeout=5) == 0
        assert not (tmp_path / "run" / "backend.json").exists()
        wait_for(lambda: not alive(worker), 3.0)


def test_an_idle_worker_gives_its_memory_back(tmp_path: Path) -> None:
    with backend(tmp_path, options="idle=0.5") as live, Wire(live.run) as wire:
        wire.analyze([picture(1)])
        worker = wire.status()["worker"]["pid"]
        wait_for(lambda: wire.status()["worker"]["pid"] is None, 5.0)
        assert not alive(worker)
        assert wire.analyze([picture(2)]).state == "done"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with backend(tmp_path) as live, Wire(live.run) as wire:
        job, _ = start_slow_job(wire, tmp_path)
        worker = wire.status()["worker"]["pid"]
        live.process.send_signal(number)
        assert wire.finish(job).state == "cancelled"
        assert live.process.wait(timeout=5) == 0
        assert not (tmp_path / "run" / "backend.json").exists() and not alive(worker)


def test_shutdown_is_answered_and_ends_it(tmp_path: Path) -> None:
    with backend(tmp_path) as live, Wire(live.run) as wire:
        assert wire.ask("shutdown").type == "done"
        assert live.process.wait(timeout=5) == 0


def second_front(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SEMANTICFACE_HOME": str(home)}
    command = [sys.executable, "-m", "semanticface.server", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)


def test_a_second_front_says_who_is_there_and_leaves_it_alone(tmp_path: Path) -> None:
    with backend(tmp_path) as live:
        ended = second_front(tmp_path)
        assert ended.returncode == 4 and str(live.process.pid) in ended.stderr
        with Wire(live.run) as wire:
            assert wire.ask("ping").type == "pong"


def test_listening_to_the_world_without_keys_is_refused(tmp_path: Path) -> None:
    ended = second_front(tmp_path, "--bind", "tcp://0.0.0.0:*")
    assert ended.returncode == 2 and "--keys" in ended.stderr
    assert not (tmp_path / "run" / "backend.json").exists()


def test_the_run_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with backend(tmp_path) as live:
        assert (tmp_path / "run" / "backend.json").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
        assert live.run.endpoint.startswith("tcp://127.0.0.1:")


def other_address() -> str | None:
    """An address of this machine that is not loopback."""
    found = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    return next((one for one in found if ":" not in one), None)


def test_from_another_address_only_an_authorized_key_comes_in(tmp_path: Path) -> None:
    import zmq
    import zmq.auth

    address = other_address()
    if address is None:
        pytest.skip("this machine has no address besides loopback")
    keys = tmp_path / "keys"
    (keys / "clients").mkdir(parents=True)
    public, secret = zmq.curve_keypair()
    zmq.auth.create_certificates(tmp_path, "client")
    file, _ = tmp_path / "client.key", (tmp_path / "client.key_secret").unlink()
    file.write_text(f'metadata\ncurve\n    public-key = "{public.decode()}"\n')
    file.rename(keys / "clients" / "client.key")
    options = f"bind='tcp://{address}:*', keys=__import__('pathlib').Path({str(keys)!r})"
    with backend(tmp_path / "home", options=options) as live:
        with authorized(live, public, secret) as wire:
            assert wire.hello().type == "welcome"
        with authorized(live, *zmq.curve_keypair()) as wire:
            wire.send("ping", id=1)
            assert not wire.socket.poll(500), "an unknown key is not even answered"


def authorized(live: Backend, public: bytes, secret: bytes) -> Wire:
    """A client with this key pair instead of a fresh one."""
    import zmq

    wire = Wire(live.run, hello=False)
    wire.socket.close()
    wire.socket = wire.context.socket(zmq.DEALER)
    wire.socket.linger = 0
    wire.socket.curve_serverkey = live.run.public_key.encode()
    wire.socket.curve_publickey, wire.socket.curve_secretkey = public, secret
    wire.socket.connect(live.run.endpoint)
    return wire
