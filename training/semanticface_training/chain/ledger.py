"""Which stages of a run are finished, and what each said: so that a run that was killed goes on behind them.

A stage notes itself when its files are on the disk. A note is rewritten whole, never in place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semanticface.errors import InputError
from semanticface.take import write_atomic

NAME = "stages.json"


class Ledger:
    """The notes of one run's folder."""

    def __init__(self, folder: Path, key: str) -> None:
        """Raises InputError for a folder of other options, and for one that holds something else."""
        self._file, self._key = folder / NAME, key
        self._notes: dict[str, Any] = {}
        if self._file.is_file():
            self._read()
        elif folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} exists and holds no demo run", "choose a new or an empty folder")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._write()

    def _read(self) -> None:
        try:
            data = json.loads(self._file.read_text(encoding="utf-8"))
            key, notes = data["key"], dict(data["stages"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self._file} can't be read: {error}", "remove the folder") from error
        if key != self._key:
            raise InputError(
                f"{self._file.parent} holds a run with other options", "choose another --out, or remove it"
            )
        self._notes = notes

    def facts(self, stage: str) -> dict[str, Any] | None:
        """What a finished stage said."""
        found = self._notes.get(stage)
        return None if found is None else dict(found)

    def note(self, stage: str, facts: Mapping[str, Any]) -> None:
        """The stage is finished."""
        self._notes[stage] = dict(facts)
        self._write()

    def _write(self) -> None:
        data = {"format": "semanticface-train-demo", "version": 1, "key": self._key, "stages": self._notes}
        write_atomic(self._file, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
