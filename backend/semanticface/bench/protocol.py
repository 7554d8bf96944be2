"""What the way to the backend and back costs: 1080p JPEGs through a private backend whose engine looks at nothing.

A frame travels client, front, worker, front, client, encrypted between client and front, hashed for the cache, and its
61 values come back. The engine looks at three bytes of each; its own time is measured beside it and taken off. This
module knows nothing of the front's insides.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zmq

from semanticface import paths
from semanticface.client import ImageFrame, JobRequest
from semanticface.errors import BackendLost
from semanticface.launch import RunFile, live_run_file
from semanticface.protocol import Priority
from semanticface.pump import Connected, JobAccepted, JobFinished, JobResult, Lost, Pump, RequestFailed

TARGET_MS = 2.0
IMPORT_TARGET_MS = 100.0
ENGINE = "echo-blind"
WARM = 20
ROUNDS = 3
"""Rounds of bare hops and of round trips, in turn: the machine's own pace changes while they run."""
TIMEOUT = 60.0


def run(frames: int = 300, jpeg: Path | None = None) -> dict[str, Any]:
    """Round trips of one frame at a time (milliseconds), frames a second when sent without waiting, import time.

    `jpeg` is the picture to send, a made-up 1080p one by default; each frame differs in a few bytes, so that the
    cache answers none. Raises BackendLost when the private backend does not come up.
    """
    data = made_jpeg() if jpeg is None else jpeg.read_bytes()
    with private_backend() as backend:
        pump = _connected(backend)
        try:
            floors, trips = [], []
            for part in range(ROUNDS):
                floors += bare_hop_ms(data, frames // ROUNDS)
                trips += _one_by_one(pump, data, frames // ROUNDS, first=1000 * part)
            rate = _pipelined(pump, data, frames)
        finally:
            pump.close()
    imports = client_import_ms()
    own = engine_ms()
    median, floor = statistics.median(trips), statistics.median(floors)
    return {
        "frames": frames,
        "jpeg_bytes": len(data),
        "round_trip_ms": {"median": median, "p95": sorted(trips)[int(0.95 * len(trips))], "of_which_engine": own},
        "way_ms": {"median": median - own, "target": TARGET_MS},
        "bare_encrypted_hop_ms": {"median": floor, "way_over_it": (median - own) / floor},
        "pipelined_frames_per_second": rate,
        "client_import_ms": {"median": imports, "target": IMPORT_TARGET_MS},
        "met": median - own <= TARGET_MS and imports <= IMPORT_TARGET_MS,
    }


def bare_hop_ms(data: bytes, times: int) -> list[float]:
    """Milliseconds for the same bytes to another thread and a short answer back: one CURVE connection and nothing else.

    What the wire itself costs on this machine at this moment; the way holds one such hop, and one unencrypted.
    """
    context = zmq.Context()
    near, far = context.socket(zmq.DEALER), context.socket(zmq.ROUTER)
    public, secret = zmq.curve_keypair()
    far.curve_server, far.curve_secretkey, far.curve_publickey = True, secret, public
    near.curve_serverkey = public
    near.curve_publickey, near.curve_secretkey = zmq.curve_keypair()
    near.linger = far.linger = 0
    far.bind("tcp://127.0.0.1:*")
    near.connect(far.getsockopt_string(zmq.LAST_ENDPOINT))

    def answer() -> None:
        for _ in range(WARM + times):
            identity, *_ = far.recv_multipart()
            far.send_multipart([identity, b"." * 2000])

    echo = threading.Thread(target=answer)
    echo.start()
    taken = []
    for _ in range(WARM + times):
        start = time.perf_counter()
        near.send(data)
        near.recv()
        taken.append(1000 * (time.perf_counter() - start))
    echo.join()
    context.destroy(0)
    return taken[WARM:]


def made_jpeg() -> bytes:
    """A 1920 x 1080 JPEG of 300 to 400 kB: a gradient with noise, as a camera gives."""
    import cv2
    import numpy as np

    x, y = np.meshgrid(np.linspace(0, 255, 1920), np.linspace(0, 255, 1080))
    grain = np.random.default_rng(1).normal(0, 9.0, (1080, 1920, 3))
    picture = np.clip(np.stack([x, y, (x + y) / 2], axis=2) + grain, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


@contextmanager
def private_backend() -> Iterator[RunFile]:
    """A backend with a home of its own, ended and cleaned away afterwards. Raises BackendLost when it can't start."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {paths.HOME_VARIABLE: home}
        log = Path(home) / "front.log"
        command = [sys.executable, "-m", "semanticface.server", "--log", str(log)]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        try:
            yield _await_run_file(process, Path(home) / "run")
        finally:
            process.terminate()
            process.wait(timeout=10)


def _await_run_file(process: subprocess.Popen[bytes], folder: Path) -> RunFile:
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until and process.poll() is None:
        run = live_run_file(folder)
        if run is not None:
            return run
        time.sleep(0.01)
    raise BackendLost("the private backend of the measurement did not start", "run `semanticface serve` to see why")


def engine_ms(times: int = 300) -> float:
    """Median milliseconds that the engine itself takes for a frame."""
    import numpy as np

    from semanticface.engines.base import FrameInput, RunOptions
    from semanticface.server.echo import BlindEngine

    session = BlindEngine().session(RunOptions(), False)
    image = np.zeros((1, 100_000, 3), np.uint8)
    taken = []
    for number in range(times):
        start = time.perf_counter()
        next(session.analyze([FrameInput(number, None, image)]))
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def client_import_ms(times: int = 5) -> float:
    """Median milliseconds that `import semanticface.client` takes in a fresh interpreter."""
    code = "import time; t = time.perf_counter(); import semanticface.client; print(time.perf_counter() - t)"
    command = [sys.executable, "-P", "-c", code]
    taken = [float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(times)]
    return 1000 * statistics.median(taken)


def _connected(backend: RunFile) -> Pump:
    pump = Pump(backend, app="bench protocol")
    _await(pump, Connected)
    return pump


def _await(pump: Pump, wanted: type[Any]) -> Any:
    """The next event of this kind. Raises BackendLost when none comes, or the error of one that failed."""
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        for event in pump.poll():
            if isinstance(event, wanted):
                return event
            if isinstance(event, (Lost, RequestFailed)) or (isinstance(event, JobFinished) and event.error):
                raise event.error or BackendLost("the job failed")
        pump.wait(0.05)
    raise BackendLost(f"no {wanted.__name__} within {TIMEOUT:.0f} s")


def _picture(data: bytes, number: int) -> ImageFrame:
    """The picture with some bytes after its last, where decoders don't look: as in real footage, no two are alike in
    content or size (pictures of equal size, such as raw pixels, are hashed before they are handed on)."""
    return ImageFrame(number, data + number.to_bytes(8, "little") + bytes(number))


def _job(pump: Pump) -> str:
    job = pump.submit(JobRequest(engine=ENGINE, priority=Priority.INTERACTIVE))
    _await(pump, JobAccepted)
    return job


def _one_by_one(pump: Pump, data: bytes, frames: int, first: int = 0) -> list[float]:
    """Milliseconds from sending each frame to its result, the first few left out."""
    job = _job(pump)
    trips = []
    for number in range(first, first + WARM + frames):
        picture = _picture(data, number)
        start = time.perf_counter()
        pump.send_frame(job, picture)
        _await(pump, JobResult)
        trips.append(1000 * (time.perf_counter() - start))
    pump.end(job)
    _await(pump, JobFinished)
    return trips[WARM:]


def _pipelined(pump: Pump, data: bytes, frames: int) -> float:
    """Frames a second when as many are on their way as the backend allows."""
    job = _job(pump)
    start = time.perf_counter()
    sent = got = 0
    while got < frames:
        while sent < frames and pump.send_frame(job, _picture(data, 10_000 + sent)):
            sent += 1
        events = pump.poll()
        got += sum(isinstance(event, JobResult) for event in events)
        if not events:
            pump.wait(0.05)
        if time.perf_counter() - start > TIMEOUT:
            raise BackendLost(f"{got} of {frames} frames came back within {TIMEOUT:.0f} s")
    taken = time.perf_counter() - start
    pump.end(job)
    _await(pump, JobFinished)
    return frames / taken
