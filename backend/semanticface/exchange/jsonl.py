"""JSON lines: one result a line, for pipelines that read JSON, with an optional first line about the whole.

    {"semanticface": 1, "meta": {...}}
    {"frame": 0, "time": 0.0, "status": "ok", "coefficients": {...}, "analysis": {...}, ...}

A frame's line is `FrameResult.to_dict()`. This module knows nothing of takes; it checks form, not meaning.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface.errors import ExchangeError, ProtocolError
from semanticface.exchange.files import bounded_lines, written_whole
from semanticface.results import FrameResult

FORMAT_VERSION = 1
LONGEST_LINE = 1_000_000
MOST_LINES = 6_000_000


@dataclass(frozen=True, slots=True)
class ResultsFile:
    """What a file held: `meta` as it was written ({} where there was none) and the results in file order."""

    meta: Mapping[str, Any]
    results: tuple[FrameResult, ...]


def write_jsonl(path: Path | str, results: Iterable[FrameResult], meta: Mapping[str, Any] | None = None) -> int:
    """Write results, whole or not at all; returns how many. Raises ExchangeError for what JSON can't hold."""
    count = 0
    with written_whole(Path(path)) as out:
        if meta is not None:
            out.write(_line({"semanticface": FORMAT_VERSION, "meta": dict(meta)}, "the meta data"))
        for result in results:
            out.write(_line(result.to_dict(), f"frame {result.frame}"))
            count += 1
    return count


def read_jsonl(path: Path | str) -> ResultsFile:
    """Read what `write_jsonl` wrote. Raises ExchangeError that names file and line for anything else."""
    path = Path(path)
    meta: Mapping[str, Any] = {}
    results = []
    for number, line in bounded_lines(path, LONGEST_LINE, MOST_LINES):
        if not line.strip():
            continue
        try:
            data = json.loads(line, parse_constant=_refuse)
            if number == 1 and isinstance(data, dict) and "semanticface" in data:
                meta = _meta(data)
            else:
                results.append(FrameResult.from_dict(data))
        except (ValueError, RecursionError, ProtocolError) as error:
            raise ExchangeError(f"{path.name}, line {number}: {error}") from error
    return ResultsFile(meta, tuple(results))


def _line(data: Mapping[str, Any], what: str) -> str:
    try:
        return json.dumps(data, allow_nan=False, separators=(",", ":")) + "\n"
    except (TypeError, ValueError) as error:
        raise ExchangeError(f"{what} can't be written as JSON: {error}") from error


def _meta(data: Mapping[str, Any]) -> Mapping[str, Any]:
    if data["semanticface"] != FORMAT_VERSION:
        raise ValueError(f"version {data['semanticface']!r} of the format; this program reads {FORMAT_VERSION}")
    meta = data.get("meta", {})
    if not isinstance(meta, dict):
        raise ValueError("meta is not an object")
    return meta


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number that JSON has")
