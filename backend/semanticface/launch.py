"""Find, start, join and stop the local backend."""

from __future__ import annotations

from semanticface.runfile import (
    RunFile,
    live_run_file,
    own_run_file,
    read_run_file,
    remove_run_file,
    write_run_file,
)

__all__ = ["RunFile", "live_run_file", "own_run_file", "read_run_file", "remove_run_file", "write_run_file"]
