"""`python -m semanticface.server`: run the backend here until it is told to end.

    --lease            started by a host: end when no client holds a lease
    --bind ADDRESS     tcp://127.0.0.1:* unless told otherwise; beyond loopback only with --keys
    --keys FOLDER      the server's key and the clients' public keys (`access`)
    --idle SECONDS     end the worker after so long without work, 0 for never
    --log FILE         log lines go there instead of stderr

Exit codes: 0 ended as told, 2 wrong options, 4 another backend runs already or the address can't be had.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from semanticface import __version__, paths
from semanticface.errors import BackendError, OptionsError, SemanticFaceError
from semanticface.installation import write_register
from semanticface.launch import live_run_file, own_run_file, remove_run_file, write_run_file
from semanticface.runfile import make_private
from semanticface.server.options import LOOPBACK, Limits, ServeOptions

__all__ = ["Limits", "ServeOptions", "main", "serve"]

log = logging.getLogger("semanticface.server")

LOCK_NAME = "front.lock"
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def serve(options: ServeOptions) -> int:
    """Run the front in this thread, which must be the main one; returns the process's exit code."""
    _start_logging(options.log)
    try:
        with _only_one():
            return _serve(options)
    except OptionsError as error:
        print(f"semanticface: {error}", file=sys.stderr)
        return 2
    except SemanticFaceError as error:
        print(f"semanticface: {error}", file=sys.stderr)
        return 4


def _serve(options: ServeOptions) -> int:
    import zmq

    from semanticface.server.access import load_keys
    from semanticface.server.front import Front
    from semanticface.server.requests import handle

    keys = load_keys(options.bind, options.keys)
    instance = secrets.token_hex(8)
    make_private(paths.log_dir())
    try:
        front = Front(options, keys, instance, _worker_log)
    except zmq.ZMQError as error:
        raise BackendError(f"can't listen on {options.bind}: {error}", "choose another port") from error
    endpoint = front.post.endpoint.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    run = own_run_file(
        endpoint=endpoint,
        instance=instance,
        public_key=keys.public.decode(),
        token=keys.token,
        log=str(options.log or ""),
    )
    try:
        with _signals(front.stop):
            front.settle()
            write_run_file(run)
            _register()
            log.info("backend %s serves at %s", __version__, front.post.endpoint)
            front.run(handle)
    finally:
        remove_run_file(instance)
        front.close()
        log.info("backend ended")
    return 0


def _worker_log(engine: str) -> Path:
    """Where the worker of this engine writes; a variant's colon is no letter of a file's name on Windows."""
    return paths.log_dir() / f"worker-{engine.replace(':', '-')}.log"


def _register() -> None:
    try:
        write_register()
    except BackendError as error:  # add-ons then look for the backend elsewhere; this one serves all the same
        log.warning("%s", error)


def _start_logging(file: Path | None) -> None:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    target: logging.Handler = logging.StreamHandler() if file is None else logging.FileHandler(file, encoding="utf-8")
    target.setFormatter(logging.Formatter(_LOG_FORMAT))
    logger = logging.getLogger("semanticface")
    logger.handlers[:] = [target]
    logger.setLevel(logging.INFO)


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT end the loop cleanly."""
    received: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        received.append(number)  # logged below: the log's stream may be in use where the signal came
        stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for got in received:
            log.info("%s received", signal.Signals(got).name)


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Hold the lock of this user's backend; raises BackendError that names the one that lives."""
    make_private(paths.run_dir())
    with (paths.run_dir() / LOCK_NAME).open("ab") as file:
        try:
            _lock(file.fileno())
        except OSError as error:
            run = live_run_file()
            who = "another backend is just starting" if run is None else f"backend {run.pid} runs at {run.endpoint}"
            raise BackendError(f"{who} already", "join it, or end it with `semanticface stop`") from error
        yield


def _lock(descriptor: int) -> None:
    """An exclusive lock that the system frees when this process ends, however it ends. Raises OSError when taken."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("semanticface.server", description="Run the SemanticFace backend.")
    parser.add_argument("--lease", action="store_true", help="end when no client holds a lease")
    parser.add_argument("--bind", default=LOOPBACK, help="address (default: %(default)s)")
    parser.add_argument("--keys", type=Path, help="folder of keys, needed to listen beyond loopback")
    parser.add_argument("--idle", type=float, default=600.0, help="seconds after which an idle worker ends, 0: never")
    parser.add_argument("--log", type=Path, help="log file (default: stderr)")
    chosen = parser.parse_args(arguments)
    return serve(ServeOptions(chosen.bind, chosen.lease, chosen.keys, chosen.idle, chosen.log))


if __name__ == "__main__":
    sys.exit(main())
