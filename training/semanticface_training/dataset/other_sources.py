"""Other sources of faces with coefficients: pictures beside a CSV, JSON lines, and takes of our own backend.

Pictures and CSV: a column `image` names each row's picture; without it the pictures are a numbered sequence, timed by
a given rate from the CSV's first row on. JSON lines: one object a line with `image` and `coefficients`. A take of the
backend gives what an engine said about footage: pseudo labels, tagged as such.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from semanticface.actions import CSV_ORDER, canonical_name
from semanticface.errors import InputError, MediaError, TakeError
from semanticface.exchange.files import bounded_lines
from semanticface.exchange.livelink_csv import TICKS_PER_SECOND, read_livelink_csv
from semanticface.media.numbering import IMAGE_SUFFIXES
from semanticface.media.source import MediaRef
from semanticface.results import Status
from semanticface.take import read_take
from semanticface_training.dataset.alignment import VideoClock, align
from semanticface_training.dataset.plan import Options, Pair, PlannedTake
from semanticface_training.dataset.table import Split
from semanticface_training.dataset.writer import Skip, safe_name

PSEUDO = "pseudo"
_LONGEST_LINE = 1 << 20
_MOST_LINES = 6_000_000


def image_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)


def plan_images(folder: Path, options: Options) -> list[PlannedTake]:
    """A folder of pictures and one CSV. Raises InputError and ExchangeError that name file and line."""
    tables = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".csv")
    if len(tables) != 1:
        raise InputError(f"{folder}: {len(tables)} CSVs beside the pictures", "one CSV holds their coefficients")
    header = next(bounded_lines(tables[0], _LONGEST_LINE, _MOST_LINES), (0, ""))[1]
    if "image" in {cell.strip().strip('"').lower() for cell in header.split(",")}:
        return _plan_named(folder, tables[0], options)
    return [_plan_numbered(folder, tables[0], options)]


def _plan_numbered(folder: Path, table: Path, options: Options) -> PlannedTake:
    """A numbered sequence by time; or, without a rate, row by row when there are as many pictures as rows."""
    recording = read_livelink_csv(table)
    media = replace(MediaRef.from_user(str(folder)), rate=options.image_rate)
    numbers = sorted(media.files().names)
    frames = [number - numbers[0] for number in numbers]
    name = safe_name(folder.resolve().name)
    skips: tuple[Skip, ...] = ()
    if options.image_rate is None:
        if len(frames) != len(recording.rows):
            raise InputError(
                f"{table.name}: {len(recording.rows)} rows, {len(frames)} pictures in {folder}",
                "give the pictures' rate (--image-rate), or a column `image` with their names",
            )
        matched = list(zip(frames, range(len(frames)), strict=True))
    else:
        rate = options.image_rate
        start = Fraction(recording.rows[0].ticks, TICKS_PER_SECOND) if recording.rows else Fraction(0)
        clock = VideoClock(start, tuple(n / rate for n in range(frames[-1] + 1)), rate, "the CSV's first row")
        found = align(recording, table, clock, options.rate, short_video=options.short_video)
        matched = [(match.frame, match.row) for match in found.matches]
        skips = tuple(Skip(name, None, reason, at) for at, reason in found.left_out)
    pairs = []
    for frame, place in matched:
        row = recording.rows[place]
        if row.coefficients is None:
            skips = (*skips, Skip(name, frame, "the row has no coefficients"))
            continue
        time = 0.0 if options.image_rate is None else float(frame / options.image_rate)
        pairs.append(Pair(frame, row.coefficients, time, row.timecode))
    content = hashlib.sha256(table.read_bytes()).hexdigest()
    subject = options.subjects.get(name, name)
    facts = {"take": name, "images": str(media.pattern)}
    return PlannedTake(name, subject, media, tuple(pairs), skips, facts, content=content)


def _plan_named(folder: Path, table: Path, options: Options) -> list[PlannedTake]:
    records = []
    lines = bounded_lines(table, _LONGEST_LINE, _MOST_LINES)
    _, header = next(lines)
    names = [cell.strip() for cell in next(csv.reader([header]))]
    keys = [canonical_name(cell) or cell.lower() for cell in names]
    missing = [name for name in CSV_ORDER if name not in keys]
    if missing:
        raise InputError(f"{table.name}, line 1: no column {', '.join(missing[:5])}", "61 columns of coefficients")
    for number, line in lines:
        if line.strip():
            cells = dict(zip(keys, next(csv.reader([line])), strict=False))
            where = f"{table.name}, line {number}"
            values = {name: _number(cells.get(name, ""), name, where) for name in CSV_ORDER}
            records.append((where, {**cells, "coefficients": values}))
    return _plan_records(records, folder, folder, options)


def plan_json_lines(file: Path, options: Options) -> list[PlannedTake]:
    """Objects with `image` (relative to the file), `coefficients`, and if wanted `subject`, `take`, `frame`, `time`,
    `tags`, `script`, `split`. Raises InputError that names file and line."""
    records = []
    for number, line in bounded_lines(file, _LONGEST_LINE, _MOST_LINES):
        if not line.strip():
            continue
        where = f"{file.name}, line {number}"
        try:
            data = json.loads(line)
            if not isinstance(data, dict) or not isinstance(data.get("coefficients"), dict):
                raise ValueError("no object with image and coefficients")
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: {error}") from error
        given = {canonical_name(str(name)) or str(name): value for name, value in data["coefficients"].items()}
        unknown = [name for name in given if name not in CSV_ORDER]
        missing = [name for name in CSV_ORDER if name not in given]
        if unknown or missing:
            raise InputError(f"{where}: coefficients {', '.join((unknown + missing)[:5])} are unknown or missing")
        values = {name: _number(value, name, where) for name, value in given.items()}
        records.append((where, {**data, "coefficients": values}))
    return _plan_records(records, file.parent, file.with_suffix(""), options)


def _plan_records(
    records: list[tuple[str, dict[str, Any]]], base: Path, fallback: Path, options: Options
) -> list[PlannedTake]:
    """Rows that name their picture, put together by take."""
    takes: dict[str, tuple[str, list[Pair]]] = {}
    for where, record in records:
        image = base / str(record.get("image") or "")
        if not record.get("image") or not image.is_file():
            raise MediaError(f"{where}: picture {str(image)!r} is not there", "a row needs its picture")
        name = safe_name(str(record.get("take") or fallback.resolve().name))
        subject = options.subjects.get(name, str(record.get("subject") or name))
        known, pairs = takes.setdefault(name, (subject, []))
        if known != subject:
            raise InputError(f"{where}: take {name} shows {subject!r} here and {known!r} before", "one subject a take")
        try:
            frame = int(record["frame"]) if record.get("frame") not in (None, "") else len(pairs)
            time = float(record.get("time") or 0.0)
            split = Split(record["split"]) if record.get("split") else None
        except (ValueError, TypeError) as error:
            raise InputError(f"{where}: {error}") from error
        tags = record.get("tags") or ()
        tags = tuple(tags.split()) if isinstance(tags, str) else tuple(str(tag) for tag in tags)
        text = str(record.get("timecode") or "")
        script = str(record.get("script") or "")
        pairs.append(Pair(frame, record["coefficients"], time, text, str(image.resolve()), tags, script, split))
    return [
        PlannedTake(name, subject, None, tuple(pairs), facts={"take": name, "rows": len(pairs)})
        for name, (subject, pairs) in takes.items()
    ]


def plan_backend_take(path: Path, options: Options) -> PlannedTake:
    """A take of the backend: what its engine said, frame by frame. Raises TakeError, MediaError."""
    take = read_take(path)
    if take.header.source.get("sent"):
        raise TakeError(f"{path}: its pictures were sent to the backend, not read from a file", "they are not kept")
    media = MediaRef.from_dict(take.header.source)
    name = safe_name(path.resolve().name)
    good = [result for result in take.results if result.status is Status.OK and result.coefficients]
    chosen = good if options.rate is None else _thinned(good, options.rate)
    pairs = tuple(
        Pair(result.frame, dict(result.coefficients or {}), result.time or 0.0, tags=(PSEUDO,)) for result in chosen
    )
    skips = tuple(
        Skip(name, result.frame, f"the engine has no result: {result.status}")
        for result in take.results
        if result.status is not Status.OK
    )
    facts: Mapping[str, Any] = {"take": name, "labels": "pseudo", "engine": str(take.header.engine.get("name", ""))}
    return PlannedTake(name, options.subjects.get(name, name), media, pairs, skips, facts, content=take.header.key)


def _thinned(results: list[Any], rate: Fraction) -> list[Any]:
    """The first result at or after each beat; results without a time are all kept."""
    out, beat = [], -1
    for result in results:
        at = beat + 1 if result.time is None else math.floor(Fraction(result.time) * rate + Fraction(1, 1000))
        if at > beat:
            out.append(result)
            beat = at
    return out


def _number(value: Any, name: str, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise InputError(f"{where}: {name} is {str(value)[:40]!r}, not a finite number")
    return number
