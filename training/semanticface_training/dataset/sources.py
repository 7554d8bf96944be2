"""What a path is: a take of the app, a folder of them, pictures with a CSV, JSON lines, or a take of the backend.

Finds and plans; what is wrong in several recordings is told at once, so that nobody mends one error an hour.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations
from pathlib import Path

from semanticface import take
from semanticface.errors import InputError, SemanticFaceError
from semanticface_training.dataset.other_sources import image_files, plan_backend_take, plan_images, plan_json_lines
from semanticface_training.dataset.plan import Options, PlannedTake
from semanticface_training.dataset.takes import is_take_folder, plan_take

_DEEPEST = 4
_MOST_ERRORS = 8


class SourceKind(StrEnum):
    LIVE_LINK = "Live Link Face take"
    IMAGES = "pictures with a CSV"
    JSON_LINES = "JSON lines"
    BACKEND = "take of the backend"


@dataclass(frozen=True, slots=True)
class Source:
    kind: SourceKind
    path: Path


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """All sources at or below the given paths, in the order of their names. Raises InputError for a path with none."""
    out: dict[Path, Source] = {}
    for path in paths:
        found = _below(path, 0)
        if not found:
            raise InputError(
                f"{path}: nothing to build a dataset from",
                "a Live Link Face take, a folder of takes, pictures with a CSV, .jsonl, or a take of the backend",
            )
        out |= {source.path.resolve(): source for source in found}
    return list(out.values())


def _below(path: Path, depth: int) -> list[Source]:
    if path.is_file():
        return [Source(SourceKind.JSON_LINES, path)] if path.suffix.lower() == ".jsonl" else []
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder", "check the path")
    if _is_backend_take(path):
        return [Source(SourceKind.BACKEND, path)]
    if image_files(path) and not _has_take_files(path):
        return [Source(SourceKind.IMAGES, path)]
    if is_take_folder(path):
        return [Source(SourceKind.LIVE_LINK, path)]
    if depth >= _DEEPEST:
        return []
    folders = sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return [source for folder in folders for source in _below(folder, depth + 1)]


def _is_backend_take(path: Path) -> bool:
    """Both programs call their header take.json; ours says what it is."""
    file = path / take.HEADER_NAME
    if not file.is_file() or file.stat().st_size > take.MAX_HEADER:
        return False
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and data.get("format") == take.FORMAT


def _has_take_files(path: Path) -> bool:
    """A take has a thumbnail beside its video, which is no folder of pictures; nor is a take that lost its video."""
    names = {file.name.lower() for file in path.iterdir()}
    videos = any(name.endswith((".mov", ".mp4", ".m4v")) for name in names)
    return videos or "frame_log.csv" in names or "video_metadata.json" in names


def plan_source(source: Source, options: Options) -> list[PlannedTake]:
    """Raises InputError and its kinds, which name the file and, where it is a row, the line."""
    if source.kind is SourceKind.LIVE_LINK:
        return [plan_take(source.path, options)]
    if source.kind is SourceKind.IMAGES:
        return plan_images(source.path, options)
    if source.kind is SourceKind.JSON_LINES:
        return plan_json_lines(source.path, options)
    return [plan_backend_take(source.path, options)]


def raise_together(errors: Sequence[SemanticFaceError]) -> None:
    """Nothing for no error; one as it is; several as one InputError that tells of each."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        more = f"; and {len(errors) - _MOST_ERRORS} more" if len(errors) > _MOST_ERRORS else ""
        told = "; ".join(str(error) for error in errors[:_MOST_ERRORS])
        raise InputError(f"{len(errors)} sources can't be taken: {told}{more}")


def check_together(takes: Sequence[PlannedTake], options: Options) -> list[PlannedTake]:
    """The takes with names that are each there once. Raises InputError for the same recording twice, or overlaps.

    Two takes of one subject on one day that overlap in time are the same performance twice, or one with a wrong clock:
    in two splits of it the test would have been seen. `options.overlap` allows it, for two cameras on one face.
    """
    contents: dict[str, PlannedTake] = {}
    for planned in takes:
        other = contents.setdefault(planned.content, planned) if planned.content else planned
        if other is not planned:
            raise InputError(f"takes {other.name} and {planned.name} hold the same recording", "leave one out")
    for one, two in combinations(takes, 2) if not options.overlap else ():
        a, b = one.span, two.span
        if a is None or b is None or one.subject != two.subject or a.date != b.date:
            continue
        if a.start <= b.end and b.start <= a.end:
            raise InputError(
                f"time codes of subject {one.subject!r} overlap: {one.name} from {a.first} to {a.last}, "
                f"{two.name} from {b.first} to {b.last}",
                "the same performance twice? --overlap allows it, for two cameras on one face",
            )
    return _named_apart(takes)


def _named_apart(takes: Sequence[PlannedTake]) -> list[PlannedTake]:
    """Takes of the same name get numbers: two phones can write folders of one name."""
    counts = Counter(planned.name for planned in takes)
    seen: Counter[str] = Counter()
    out = []
    for planned in takes:
        seen[planned.name] += 1
        if counts[planned.name] == 1:
            out.append(planned)
            continue
        name = f"{planned.name}.{seen[planned.name]}"
        skips = tuple(replace(skip, take=name) for skip in planned.skips)
        out.append(replace(planned, name=name, skips=skips, facts={**planned.facts, "take": name}))
    return out
