"""How the command speaks: exit codes, JSON lines, and tables or progress for people.

Knows nothing of any one command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from semanticface.errors import (
    AssetError,
    BackendError,
    EngineError,
    InputError,
    JobCancelled,
    OptionsError,
    ProtocolError,
    SemanticFaceError,
)

if TYPE_CHECKING:
    from rich.console import Console


class ExitCode(IntEnum):
    """What a shell or a farm reads. 2 is the shell's own convention for wrong usage."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INPUT = 3
    BACKEND = 4
    ASSET = 5
    FRAMES = 6
    """The job ended, but some frames are missing, unreadable, unparseable or failed."""
    CANCELLED = 130


_CODES: tuple[tuple[type[SemanticFaceError], ExitCode], ...] = (
    (OptionsError, ExitCode.USAGE),
    (InputError, ExitCode.INPUT),
    (AssetError, ExitCode.ASSET),
    (JobCancelled, ExitCode.CANCELLED),
    (BackendError, ExitCode.BACKEND),
    (ProtocolError, ExitCode.BACKEND),
    (EngineError, ExitCode.BACKEND),
)


def exit_code(error: SemanticFaceError) -> ExitCode:
    """The code for an error of our tree; the first matching class of the table decides."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)


def console() -> Console:
    """A console on standard error: standard output stays free for data."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(data: Mapping[str, Any]) -> None:
    """One object on one line, flushed, so that a reader sees it as it happens."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output, plain enough to read in a log."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    out = Console(highlight=False)
    if not out.is_terminal:
        out = Console(highlight=False, width=160)  # a log or a pipe has no edge to wrap at
    out.print(title, markup=False, soft_wrap=True)
    out.print(table)


def print_error(error: SemanticFaceError, as_json: bool) -> None:
    """The error and its hint, as words or as a JSON line."""
    from semanticface.errors import to_wire

    if as_json:
        print_json({"error": to_wire(error)})
        return
    from rich.markup import escape

    out = console()
    out.print(f"[bold red]error:[/] {escape(error.message)}")
    if error.hint:
        out.print(f"[dim]hint:[/] {escape(error.hint)}")


def run_command(app: Callable[[], object]) -> None:
    """Run a command line; errors of our tree become one line and their exit code."""
    try:
        app()
    except SemanticFaceError as error:
        print_error(error, "--json" in sys.argv)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(ExitCode.CANCELLED)
