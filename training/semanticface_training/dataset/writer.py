"""Writing a dataset: pictures and rows one by one, the table at the end, and nothing lost when the program is killed.

While it is being made a dataset has `building/`: what it is made from, and one file of lines a part. A row's line is
written after its picture, so a line always has its picture; a torn last line is cut off when the part is opened again.
Several processes may write at once, each into a part of its own; one of them, or a last one, calls `finish`, which
puts all parts together in the order of their ids. This module knows nothing of where rows come from.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from semanticface import __version__
from semanticface.actions import CSV_ORDER, SCHEMA_ID
from semanticface.errors import InputError
from semanticface.media.image_header import ImageFormat
from semanticface.media.image_header import read_header as read_image_header
from semanticface.take import write_atomic
from semanticface_training.dataset import table
from semanticface_training.dataset.table import Coefficients, Dataset, Row, Split

BUILDING_NAME = "building"
_META_NAME = "meta.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}")
_SUFFIX = {ImageFormat.JPEG: "jpg", ImageFormat.PNG: "png"}
MAX_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Meta:
    """What a dataset is made from: plain values of JSON, which together decide what its rows are.

    `kind` says who makes it (`takes`, `synthetic` ...), `licence` and `notes` go into the card. A build is gone on
    with only under the same `kind`, `sources` and `options`.
    """

    kind: str
    sources: Sequence[Mapping[str, Any]] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    notes: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        made = {"kind": self.kind, "sources": [dict(source) for source in self.sources], "options": dict(self.options)}
        return {**made, "licence": self.licence, "notes": list(self.notes)}

    @property
    def key(self) -> str:
        """A digest of what decides the rows."""
        deciding = [self.kind, [dict(source) for source in self.sources], dict(self.options), SCHEMA_ID]
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


SkipKey = tuple[str, int | None, str]


@dataclass(frozen=True, slots=True)
class Skip:
    """What became no row, and why: a `frame` of the source, or, where it is no frame, `at` what place of the source."""

    take: str
    frame: int | None
    reason: str
    at: str = ""

    @property
    def key(self) -> SkipKey:
        return self.take, self.frame, self.at


def safe_name(text: str) -> str:
    """A name for a take that is a folder's name on any system: all but letters, digits and `_.-` become -."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:120]
    return name or "take"


class DatasetWriter:
    """See the module. One process writes a part at a time; `stored` and `skipped` are what the part holds by now."""

    def __init__(self, path: Path | str, meta: Meta, part: str = "all") -> None:
        """Begin, or go on where a killed build stopped.

        Raises InputError when the folder holds a dataset of another `meta`, or something else than a dataset.
        """
        self.path = Path(path)
        self.meta = meta
        self.stored: dict[str, Row] = {}
        self.skipped: dict[SkipKey, Skip] = {}
        _checked(part, "part")
        try:
            self.finished = _claim(self.path, meta)
            self._stream = None
            if not self.finished:
                file = self.path / BUILDING_NAME / f"{part}.jsonl"
                length = _read_part(file, self.stored, self.skipped)
                self._stream = file.open("ab", buffering=0)
                self._stream.truncate(length)
        except OSError as error:
            raise InputError(f"{self.path} can't be written: {error.strerror or error}") from error

    def add(self, row: Row, image: bytes) -> Row:
        """Store a picture (JPEG or PNG, upright as it is) and its row; returns the row with the picture's facts.

        Raises InputError for a row that is there already, a take whose name is no folder's, a picture that is none.
        """
        where = f"row {row.id}"
        _checked(row.take, "take")
        if row.frame < 0:
            raise InputError(f"{where}: frames count from 0")
        if row.id in self.stored:
            raise InputError(f"{where} is there twice", "a take's frames are numbered, each number once")
        header = read_image_header(image, where)
        if header.format not in _SUFFIX or header.orientation != 1:
            raise InputError(f"{where}: the picture is {header.format}, turned by Exif or not JPEG or PNG")
        name = f"{table.IMAGES_NAME}/{row.take}/{row.frame:06d}.{_SUFFIX[header.format]}"
        whole = replace(
            row,
            coefficients=Coefficients.of(row.coefficients, where),
            sequence=row.sequence or row.take,
            image=name,
            image_sha256=hashlib.sha256(image).hexdigest(),
            width=header.width,
            height=header.height,
        )
        self._store_image(name, image)
        self._append(_plain(whole))
        self.stored[row.id] = whole
        return whole

    def skip(self, take: str, frame: int | None, reason: str, at: str = "") -> None:
        """Note what became no row; the card counts and lists it. The same one again is passed over."""
        skip = Skip(take, frame, reason, at)
        if skip.key not in self.skipped:
            self.skipped[skip.key] = skip
            self._append({"skip": [skip.take, skip.frame, skip.reason, skip.at]})

    def finish(self) -> Dataset:
        """Put all parts together: table, header, card. Raises InputError for no rows, one id twice, a split broken."""
        from semanticface_training.dataset.card import write_card

        if self.finished:
            return Dataset.open(self.path)
        self.close()
        try:
            rows, skips = _all_parts(self.path / BUILDING_NAME)
            table.check_splits(rows)
            table.write_table(self.path / table.TABLE_NAME, rows)
            header = _header(self.meta, rows, skips)
            write_card(self.path, header, rows, skips)
            write_atomic(self.path / table.HEADER_NAME, json.dumps(header, indent=1, ensure_ascii=False) + "\n")
            shutil.rmtree(self.path / BUILDING_NAME)
        except OSError as error:
            raise InputError(f"{self.path} can't be written: {error.strerror or error}", "is the disk full?") from error
        self.finished = True
        return Dataset.open(self.path)

    def close(self) -> None:
        """Let go of the part; may be called again. What is written stays for the next build."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _store_image(self, name: str, image: bytes) -> None:
        file = self.path / name
        part = file.with_name(f".{file.name}.{os.getpid()}.part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(image)
            part.replace(file)
        except OSError as error:
            raise InputError(f"{file} can't be written: {error.strerror or error}", "is the disk full?") from error

    def _append(self, data: Mapping[str, Any]) -> None:
        if self._stream is None:
            raise InputError(f"{self.path} is finished: nothing can be added", "build another dataset")
        line = json.dumps(data, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        try:
            self._stream.write(line)
        except OSError as error:
            raise InputError(f"{self.path} can't be written: {error.strerror or error}", "is the disk full?") from error


def _checked(name: str, what: str) -> None:
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise InputError(f"{what} {name!r} can't be a name on disk", "letters, digits and _.- (see safe_name)")


def _claim(path: Path, meta: Meta) -> bool:
    """Make the folder ours; whether the dataset is finished already. Raises InputError when it is something else."""
    other = f"{path} holds a dataset of other sources or settings"
    if (path / table.HEADER_NAME).is_file():
        if table.read_header(path).get("key") != meta.key:
            raise InputError(other, "choose another folder or remove it")
        shutil.rmtree(path / BUILDING_NAME, ignore_errors=True)  # killed after the header, before it was cleared away
        return True
    building = path / BUILDING_NAME
    note = building / _META_NAME
    if note.is_file():
        if json.loads(note.read_text(encoding="utf-8")).get("key") != meta.key:
            raise InputError(other, "choose another folder or remove it")
        return False
    if path.exists() and any(entry.name != BUILDING_NAME for entry in path.iterdir()):
        raise InputError(f"{path} exists and is not a dataset", "choose a new or an empty folder")
    building.mkdir(parents=True, exist_ok=True)
    write_atomic(note, json.dumps({"key": meta.key, **meta.to_dict()}, indent=1, ensure_ascii=False) + "\n")
    return False


def _plain(row: Row) -> dict[str, Any]:
    """A line's content. float32 values survive JSON: a float64 of the same value is written with all its digits."""
    out = {name: getattr(row, name) for name in Row.__dataclass_fields__ if name != "coefficients"}
    values = Coefficients.of(row.coefficients, row.id).vector
    return {**out, "tags": list(row.tags), "values": [float(value) for value in values]}


def _read_part(file: Path, rows: dict[str, Row], skips: dict[SkipKey, Skip]) -> int:
    """Add a part's rows and skips to the two maps; the length in bytes up to the last whole line."""
    length = 0
    if not file.is_file():
        return 0
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.endswith(b"\n"):
                break  # the torn tail of a killed build
            try:
                _take_in(json.loads(line), rows, skips)
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{file}, line {number} is damaged: {error}", "remove the folder, build anew"
                ) from error
            length += len(line)
    return length


def _take_in(data: dict[str, Any], rows: dict[str, Row], skips: dict[SkipKey, Skip]) -> None:
    if "skip" in data:
        skip = Skip(*data["skip"])
        skips[skip.key] = skip
        return
    values = dict(zip(CSV_ORDER, data.pop("values"), strict=True))
    tags, split = tuple(data.pop("tags")), Split(data.pop("split"))
    row = Row(coefficients=Coefficients.of(values, "a row"), tags=tags, split=split, **data)
    if row.id in rows:
        raise InputError(f"row {row.id} is there twice", "a take's frames are numbered, each number once")
    rows[row.id] = row


def _all_parts(building: Path) -> tuple[list[Row], list[Skip]]:
    rows: dict[str, Row] = {}
    skips: dict[SkipKey, Skip] = {}
    for file in sorted(building.glob("*.jsonl")):
        _read_part(file, rows, skips)
    if not rows:
        reasons = Counter(skip.reason for skip in skips.values()).most_common(3)
        why = "; ".join(f"{count} x {reason}" for reason, count in reasons)
        raise InputError(f"no frame became a row{': ' if why else ''}{why}", "nothing was written")
    ordered = sorted(rows.values(), key=lambda row: (row.take, row.frame))
    left = sorted(skips.values(), key=lambda skip: (skip.take, -1 if skip.frame is None else skip.frame, skip.at))
    return ordered, left


def _header(meta: Meta, rows: Sequence[Row], skips: Sequence[Skip]) -> dict[str, Any]:
    splits = Counter(row.split.value for row in rows)
    subjects = {split.value: sorted({row.subject for row in rows if row.split is split}) for split in Split}
    return {
        "format": table.FORMAT,
        "version": table.VERSION,
        "semanticface": __version__,
        "key": meta.key,
        "made_from": meta.to_dict(),
        "columns": [column.name for column in table.schema()],
        "digest": table.digest_of(rows),
        "subjects": subjects,
        "counts": {
            "rows": len(rows),
            "splits": {split.value: splits[split.value] for split in Split},
            "takes": len({row.take for row in rows}),
            "dropped": len(skips),
            "dropped_because": dict(Counter(skip.reason for skip in skips).most_common()),
        },
    }
