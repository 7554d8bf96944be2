"""The dataset on disk: pictures of faces, and the 61 coefficients of each, by name and exact as they were recorded.

    DATASET/
      dataset.json       format, version, what it was made from, columns, digest, counts
      frames.parquet     one row a frame
      images/<take>/<frame>.<jpg|png>
      README.md, card/   the dataset card and its pictures

Nothing in it is rounded, clipped or filled in: that is for those who read it. This module reads; `writer` writes.
It knows nothing of where rows come from or what they are for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError, MediaError

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "semanticface-dataset"
VERSION = 1
HEADER_NAME = "dataset.json"
TABLE_NAME = "frames.parquet"
IMAGES_NAME = "images"
CARD_NAME = "README.md"
MAX_HEADER = 64 << 20

_PLACE = {name: place for place, name in enumerate(CSV_ORDER)}


class Split(StrEnum):
    """What a row is for. No subject has rows in two of them."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Coefficients(Mapping[str, float]):
    """One row of the (N, 61) values, by name: a view that costs a few bytes where a dictionary costs kilobytes."""

    __slots__ = ("_values",)

    def __init__(self, values: NDArray[np.float32]) -> None:
        """`values`: (61,) float32 in `CSV_ORDER`."""
        self._values = values

    @classmethod
    def of(cls, coefficients: Mapping[str, float], where: str) -> Coefficients:
        """Raises InputError that names `where` when one of the 61 is absent or not finite."""
        if isinstance(coefficients, cls):
            return coefficients
        missing = [name for name in CSV_ORDER if name not in coefficients]
        if missing:
            raise InputError(f"{where}: no value of {', '.join(missing[:5])}", "a row has all 61 coefficients")
        values = np.array([coefficients[name] for name in CSV_ORDER], np.float32)
        if not np.isfinite(values).all():
            raise InputError(f"{where}: {CSV_ORDER[int(np.argmin(np.isfinite(values)))]} is not a finite number")
        return cls(values)

    def __getitem__(self, name: str) -> float:
        return float(self._values[_PLACE[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(CSV_ORDER)

    def __len__(self) -> int:
        return len(CSV_ORDER)

    @property
    def vector(self) -> NDArray[np.float32]:
        """(61,) float32 in `CSV_ORDER`."""
        return self._values


@dataclass(frozen=True, slots=True)
class Row:
    """One frame: whose face it is, which picture, and its coefficients by name.

    `frame` is the number in the source, `time` in seconds from the source's start, `timecode` as the source wrote it.
    `sequence` is what belongs together when a statistic resamples: the take where it is not given. `tags` say what is
    special about the picture (`toon`, `pose`, `sweep:JawOpen`, `mirror:<id>`), `script` what was being said.
    A writer fills in the four fields about the picture itself (`image` relative to the dataset, its SHA-256, pixels).
    """

    take: str
    frame: int
    subject: str
    split: Split
    coefficients: Mapping[str, float] = field(repr=False)
    time: float = 0.0
    timecode: str = ""
    sequence: str = ""
    tags: tuple[str, ...] = ()
    script: str = ""
    image: str = ""
    image_sha256: str = ""
    width: int = 0
    height: int = 0

    @property
    def id(self) -> str:
        """Unique in the dataset: `take/frame`."""
        return f"{self.take}/{self.frame}"


_FACTS = (
    *("id", "image", "image_sha256", "width", "height", "subject", "take", "sequence"),
    *("frame", "time", "timecode", "split", "tags", "script"),
)
_TEXTS = ("id", "image", "image_sha256", "subject", "take", "sequence", "timecode", "split", "script")


def schema() -> pa.Schema:
    """Columns of `frames.parquet`, in their order."""
    import pyarrow as pa

    kinds: dict[str, pa.DataType] = {name: pa.string() for name in _TEXTS}
    kinds |= {"width": pa.int32(), "height": pa.int32(), "frame": pa.int64(), "time": pa.float64()}
    kinds["tags"] = pa.list_(pa.string())
    columns = [(name, kinds[name]) for name in _FACTS] + [(name, pa.float32()) for name in CSV_ORDER]
    return pa.schema(columns)


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write `frames.parquet` (zstd), whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = values_of(rows)
    columns: dict[str, Any] = {}
    for column in schema():
        if column.name in _PLACE:
            columns[column.name] = values[:, _PLACE[column.name]]
        else:
            columns[column.name] = [_plain(getattr(row, column.name)) for row in rows]
    table = pa.Table.from_pydict(columns, schema=schema())
    part = path.with_name(f".{path.name}.part")
    pq.write_table(table, part, compression="zstd")
    part.replace(path)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def values_of(rows: Sequence[Row]) -> NDArray[np.float32]:
    """(N, 61) float32 in `CSV_ORDER`."""
    out = np.empty((len(rows), len(CSV_ORDER)), np.float32)
    for number, row in enumerate(rows):
        out[number] = Coefficients.of(row.coefficients, row.id).vector
    return out


def digest_of(rows: Iterable[Row]) -> str:
    """SHA-256 over each row's id, values (61 little-endian float32), picture and split, in the rows' order."""
    total = hashlib.sha256()
    for row in rows:
        values = Coefficients.of(row.coefficients, row.id).vector.astype("<f4").tobytes()
        total.update(b"\0".join((row.id.encode(), values, row.image_sha256.encode(), row.split.encode())) + b"\n")
    return total.hexdigest()


@dataclass(frozen=True, slots=True)
class Dataset:
    """An open dataset. `values` is (N, 61) float32 in `CSV_ORDER`; row i of it belongs to `rows[i]`.

    `header` is `dataset.json`; `digest` is what it says, which `check` compares with the rows.
    """

    path: Path
    header: Mapping[str, Any]
    rows: tuple[Row, ...] = field(repr=False)
    values: NDArray[np.float32] = field(repr=False)

    @classmethod
    def open(cls, path: Path | str) -> Dataset:
        """Raises InputError that names the file when it is not a whole dataset of a version that is understood."""
        path = Path(path)
        header = read_header(path)
        rows, values = _read_rows(path / TABLE_NAME)
        if len(rows) != header["counts"]["rows"]:
            raise InputError(
                f"{path / TABLE_NAME} has {len(rows)} rows, {HEADER_NAME} speaks of {header['counts']['rows']}",
                "the two don't belong together: build it again",
            )
        return cls(path, header, rows, values)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def digest(self) -> str:
        return str(self.header["digest"])

    def indices(self, split: Split | str) -> list[int]:
        """Numbers of the rows of one split, ascending. Raises InputError for a split that doesn't exist."""
        return [number for number, row in enumerate(self.rows) if row.split is _split(split, "this name")]

    def image_path(self, number: int) -> Path:
        return self.path / self.rows[number].image

    def image_bytes(self, number: int) -> bytes:
        """The encoded picture of a row. Raises MediaError that names row and file."""
        try:
            return self.image_path(number).read_bytes()
        except OSError as error:
            raise MediaError(
                f"row {self.rows[number].id}: {self.image_path(number)} can't be read: {error.strerror or error}",
                "the dataset is not whole: copy it again, or build it again",
            ) from error

    def check(self) -> None:
        """Decode each picture and compare it with its row. Raises MediaError or InputError that names row and file."""
        from semanticface.media.images import FILE_LIMITS, decode_image

        if digest_of(self.rows) != self.digest:
            raise InputError(f"{self.path / TABLE_NAME} is not what {HEADER_NAME} describes", "build it again")
        check_splits(self.rows)
        for number, row in enumerate(self.rows):
            data = self.image_bytes(number)
            where = f"row {row.id}: {self.image_path(number)}"
            if hashlib.sha256(data).hexdigest() != row.image_sha256:
                raise MediaError(f"{where} is not the picture that the row was made with", "copy it again")
            height, width = decode_image(data, FILE_LIMITS, where).shape[:2]
            if (width, height) != (row.width, row.height):
                raise MediaError(f"{where} has {width} x {height} pixels, the row says {row.width} x {row.height}")


def check_splits(rows: Iterable[Row]) -> None:
    """Raises InputError that names the first row whose subject is in another split already."""
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(row.subject, row)
        if other.split is not row.split:
            places = f"row {other.id} in {other.split}, row {row.id} in {row.split}"
            raise InputError(
                f"subject {row.subject!r} is in two splits: {places}",
                "a subject's rows belong to one split: what was seen in training proves nothing in a test",
            )


def read_header(path: Path) -> dict[str, Any]:
    """`dataset.json`. Raises InputError that names the file and what is wrong with it."""
    file = path / HEADER_NAME
    try:
        if file.stat().st_size > MAX_HEADER:
            raise ValueError(f"more than {MAX_HEADER} bytes")
        header = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise ValueError(f'it doesn\'t say "format": "{FORMAT}"')
        if header.get("version") != VERSION:
            raise ValueError(f"version {header.get('version')!r}; this program reads {VERSION}")
        _ = header["digest"], int(header["counts"]["rows"])
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is not a finished dataset: it has no {HEADER_NAME}", "build it; a build that ended early goes on"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is not the header of a dataset: {error}") from error
    return header


def _read_rows(file: Path) -> tuple[tuple[Row, ...], NDArray[np.float32]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{file} can't be read: {str(error)[:200]}", "build the dataset again") from error
    missing = [column.name for column in schema() if column.name not in table.column_names]
    if missing:
        raise InputError(f"{file}: no column {', '.join(missing[:5])}", f"it is not the table of a {FORMAT}")
    try:
        columns = [table[name].cast(pa.float32()).to_numpy() for name in CSV_ORDER]
        plain = table.select([column.name for column in schema() if column.name not in _PLACE]).to_pylist()
        values = np.ascontiguousarray(np.stack(columns, axis=1), np.float32)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise InputError(f"{file}: {str(error)[:200]}", "build the dataset again") from error
    if bad := np.argwhere(~np.isfinite(values)).tolist():
        raise InputError(f"{file}, row {plain[bad[0][0]]['id']}: {CSV_ORDER[bad[0][1]]} is not a finite number")
    return tuple(_row(file, fields, values[number]) for number, fields in enumerate(plain)), values


def _row(file: Path, fields: dict[str, Any], values: NDArray[np.float32]) -> Row:
    given = fields.pop("id")
    where = f"{file}, row {given}"
    place = PurePosixPath(fields["image"] or "")
    if not fields["image"] or place.is_absolute() or ".." in place.parts or "\\" in fields["image"]:
        raise InputError(f"{where}: image {fields['image']!r} is not a path inside the dataset")
    fields["split"] = _split(fields["split"], where)
    fields["tags"] = tuple(fields["tags"] or ())
    row = Row(coefficients=Coefficients(values), **fields)
    if row.id != given:
        raise InputError(f"{where}: take and frame make {row.id}")
    return row


def _split(name: Any, where: str) -> Split:
    try:
        return Split(name)
    except ValueError as error:
        raise InputError(f"{where}: {name!r} is not one of {', '.join(Split)}") from error
