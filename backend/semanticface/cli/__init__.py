"""The `semanticface` command: what pipeline TDs and shell users reach for.

Commands only parse, call one room and print; nothing here is imported by another room. Each command imports
what it needs when it runs, so that `--help` answers at once. With `--json` standard output carries one JSON object a
line and nothing else; words for people go to standard error. Exit codes are in `output.ExitCode`.
"""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script; turns errors of our tree into one line and an exit code."""
    from semanticface.cli.app import run

    run()
