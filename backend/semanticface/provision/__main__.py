"""`python -m semanticface.provision`: make the backend's environment from a shell, or as a host's installer process.

    --wheels FOLDER    install from this folder of wheels, without a network
    --online           or fetch the packages from the package index
    --into FOLDER      where environments are made (default: in the user's data folder)
    --work WORK        install, repair, model (the face model alone) or remove

Exit codes: 0 done, 1 failed, 3 another installation runs, 130 cancelled.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from semanticface import __version__, paths, processes
from semanticface.errors import SemanticFaceError
from semanticface.provision.order import Order, Work, default_folder
from semanticface.provision.progress import Outcome, cancel_path, lock_path, log_path, read_progress
from semanticface.provision.report import Reporter
from semanticface.provision.work import carry_out
from semanticface.runfile import make_private

BUSY, CANCELLED = 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    order, ticket = _order(arguments)
    try:
        make_private(paths.data_dir())
        make_private(paths.log_dir())
        with lock_path().open("ab") as lock:
            if not processes.try_lock(lock):
                print("another installation runs: wait for its end, or cancel it", file=sys.stderr)
                return BUSY
            return _carry_out(order, ticket)
    except (OSError, SemanticFaceError) as error:
        print(f"semanticface.provision: {error}", file=sys.stderr)
        return 1


def _carry_out(order: Order, ticket: str) -> int:
    _end_leftover()
    cancel_path().unlink(missing_ok=True)
    with log_path().open("w", encoding="utf-8", errors="replace") as log:
        ended = carry_out(order, Reporter(order, log, _say, ticket))
    if ended.outcome is Outcome.DONE:
        _say("done")
        return 0
    print(f"{ended.error} ({ended.hint})", file=sys.stderr, flush=True)
    return CANCELLED if ended.outcome is Outcome.CANCELLED else 1


def _end_leftover() -> None:
    """The program that a killed installer has left behind would write into the same folder."""
    last = read_progress()
    if last is not None and last.outcome is Outcome.RUNNING and last.child is not None:
        processes.terminate(*last.child)


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError:  # the host that read this is gone; the work goes on, and its file tells how far it is
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


def _order(arguments: Sequence[str] | None) -> tuple[Order, str]:
    parser = argparse.ArgumentParser("semanticface.provision", description="Make the backend's own environment.")
    parser.add_argument("--work", choices=[work.value for work in Work], default=Work.INSTALL.value)
    parser.add_argument("--into", type=Path, default=default_folder(), help="folder for environments (%(default)s)")
    parser.add_argument("--wheels", type=Path, help="folder of wheels; nothing is fetched then")
    parser.add_argument("--online", action="store_true", help="fetch packages and model from the network")
    parser.add_argument("--package", type=Path, help="the wheel of semanticface itself, if it is elsewhere")
    parser.add_argument("--version", default=__version__, help="version of semanticface (%(default)s)")
    parser.add_argument("--extra", action="append", help="extras: backend (default), mllm, quant, remote")
    parser.add_argument("--python", default="", help="Python 3.11 or later to build on")
    parser.add_argument("--index", default="", help="an additional package index, such as PyTorch's for your card")
    parser.add_argument("--model-file", type=Path, help="face_landmarker.task, if it is here")
    parser.add_argument("--keep-out", action="append", type=Path, default=[], help="folders of a host program")
    parser.add_argument("--room", type=int, help="bytes that must be free on the disk")
    parser.add_argument("--ticket", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    order = Order(
        work=Work(chosen.work),
        folder=chosen.into,
        version=chosen.version,
        extras=tuple(chosen.extra or ("backend",)),
        package=chosen.package,
        wheels=chosen.wheels,
        online=chosen.online,
        python=chosen.python,
        index=chosen.index,
        model_file=chosen.model_file,
        keep_out=tuple(chosen.keep_out),
        room=chosen.room,
    )
    return order, chosen.ticket


if __name__ == "__main__":
    sys.exit(main())
