"""Sources into a dataset: plan everything, refuse what is wrong before anything is decoded, then decode by takes.

Each take is a part of its own in the writer, so takes can be decoded by several processes, and a build that was killed
goes on with the frames that are not there yet. Knows nothing of how sources are read.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from semanticface.errors import InputError, MediaError, SemanticFaceError
from semanticface.media.image_header import ImageFormat, read_header
from semanticface.media.images import FILE_LIMITS, decode_image
from semanticface.media.reader import Picture, open_media
from semanticface.results import Status
from semanticface_training.dataset import pictures
from semanticface_training.dataset.plan import Options, Pair, PlannedTake
from semanticface_training.dataset.sources import Source, check_together, find_sources, plan_source, raise_together
from semanticface_training.dataset.split import assign
from semanticface_training.dataset.table import Dataset, Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta

_In = TypeVar("_In")
_Out = TypeVar("_Out")
Tell = Callable[[str, int, int], None]
"""Told after each take: its name, rows of it, rows in all by now."""


@dataclass(frozen=True, slots=True)
class Work:
    """One take to decode, as a process gets it."""

    out: Path
    meta: Meta
    take: PlannedTake
    options: Options
    splits: Mapping[str, Split]


def build(
    paths: Sequence[Path], out: Path, options: Options, *, jobs: int = 1, licence: str = "", tell: Tell | None = None
) -> Dataset:
    """Build a dataset, or go on with one. Raises InputError and its kinds before anything is written.

    `jobs` processes decode one take each. A frame that can't be decoded is dropped with its reason.
    """
    takes = plan(paths, options, jobs)
    splits = splits_of(takes, options)
    sources = [_source(take) for take in takes]
    meta = Meta("takes", sources, options.to_dict(), licence)
    writer = DatasetWriter(out, meta, "build")
    writer.close()
    if writer.finished:
        return writer.finish()
    total = 0
    work = [Work(out, meta, take, options, splits) for take in takes]
    for name, rows in _each(decode_take, work, jobs):
        total += rows
        if tell is not None:
            tell(name, rows, total)
    return writer.finish()


def plan(paths: Sequence[Path], options: Options, jobs: int = 1) -> list[PlannedTake]:
    """All takes of all sources, checked together. Raises InputError that tells of every source that can't be taken."""
    work = [(source, options) for source in find_sources(paths)]
    takes: dict[Path, list[PlannedTake]] = {}
    errors: dict[Path, SemanticFaceError] = {}
    for source, found in _each(_plan_one, work, jobs):
        if isinstance(found, SemanticFaceError):
            errors[source.path] = found
        else:
            takes[source.path] = found
    order = [source.path for source, _ in work]
    raise_together([errors[path] for path in order if path in errors])
    checked = check_together([take for path in order for take in takes[path]], options)
    _check_renaming(checked, options)
    return checked


def splits_of(takes: Sequence[PlannedTake], options: Options) -> Mapping[str, Split]:
    """Subject -> split: by the rule, or as the sources themselves say. Raises InputError for a subject in two."""
    given: dict[str, tuple[Split, str]] = {}
    for take in takes:
        for pair in take.pairs:
            if pair.split is None:
                continue
            where = f"{take.name}/{pair.frame}"
            split, other = given.setdefault(take.subject, (pair.split, where))
            if split is not pair.split:
                raise InputError(
                    f"subject {take.subject!r} is in two splits: row {other} in {split}, row {where} in {pair.split}"
                )
    ruled = assign([take.subject for take in takes], options.split)
    return {subject: given[subject][0] if subject in given else split for subject, split in ruled.items()}


def _source(take: PlannedTake) -> dict[str, Any]:
    """What the card says of a take; the digest tells a recording that was changed from the one that was begun."""
    digest = hashlib.sha256()
    for pair in take.pairs:
        digest.update(json.dumps([pair.frame, list(pair.coefficients.values()), pair.file]).encode())
    return {**take.facts, "subject": take.subject, "rows": len(take.pairs), "labels_sha256": digest.hexdigest()[:16]}


def decode_take(work: Work) -> tuple[str, int]:
    """Decode what a take still lacks; its name and how many rows it has. Runs in any process."""
    take, options = work.take, work.options
    crop = None
    if options.crop:
        from semanticface.engines.mllm.crop import FaceCrop

        crop = FaceCrop()
    try:
        with DatasetWriter(work.out, work.meta, take.name) as writer:
            for skip in take.skips:
                writer.skip(skip.take, skip.frame, skip.reason, skip.at)
            known = {row.frame for row in writer.stored.values()} | {skip.frame for skip in writer.skipped.values()}
            missing = [pair for pair in take.pairs if pair.frame not in known]
            for pair, picture in _pictures(take, missing):
                where = f"row {take.name}/{pair.frame}: {pair.file}"
                image, reason = _encoded(where, picture, options, crop)
                if image is None:
                    writer.skip(take.name, pair.frame, reason)
                else:
                    writer.add(_row(take, pair, work.splits), image)
            return take.name, len(writer.stored)
    finally:
        if crop is not None:
            crop.close()


def _row(take: PlannedTake, pair: Pair, splits: Mapping[str, Split]) -> Row:
    return Row(
        take=take.name,
        frame=pair.frame,
        subject=take.subject,
        split=splits[take.subject],
        coefficients=pair.coefficients,
        time=pair.time,
        timecode=pair.timecode,
        tags=pair.tags,
        script=pair.script,
    )


def _pictures(take: PlannedTake, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Picture | bytes]]:
    """Each pair's frame: decoded from the take's media, or a file's bytes. Raises MediaError for a file unread."""
    if take.media is None:
        for pair in pairs:
            try:
                yield pair, Path(pair.file).read_bytes()
            except OSError as error:
                raise MediaError(f"row {take.name}/{pair.frame}: {pair.file} can't be read: {error}") from error
        return
    if not pairs:
        return
    with open_media(take.media) as reader:
        ordered = sorted(pairs, key=lambda pair: pair.frame)
        yield from zip(ordered, reader.read([pair.frame for pair in ordered]), strict=True)


def _encoded(where: str, picture: Picture | bytes, options: Options, crop: object) -> tuple[bytes | None, str]:
    """The picture as it is kept, or None and why not."""
    from semanticface.engines.mllm.crop import FaceCrop

    if isinstance(picture, bytes):
        if not isinstance(crop, FaceCrop) and _fits(picture, where, options.size):
            return picture, ""
        image = decode_image(picture, FILE_LIMITS, where)
    elif picture.status is not Status.OK or picture.image is None:
        words = {Status.MISSING: "the source has no such frame", Status.UNREADABLE: "the frame can't be decoded"}
        return None, words.get(picture.status, picture.status.value)
    else:
        image = picture.image
    if isinstance(crop, FaceCrop):
        face = pictures.face_alone(image, crop, options.margin)
        if face is None:
            return None, pictures.NO_FACE_TO_CROP
        image = face
    return pictures.encode(image, options.size, options.quality), ""


def _fits(data: bytes, where: str, size: int) -> bool:
    """Whether an encoded picture can be kept byte for byte: upright JPEG or PNG, not too large, and whole."""
    header = read_header(data, where)
    decode_image(data, FILE_LIMITS, where)
    kept = header.format in {ImageFormat.JPEG, ImageFormat.PNG} and header.orientation == 1
    return kept and (not size or max(header.width, header.height) <= size)


def _plan_one(work: tuple[Source, Options]) -> tuple[Source, list[PlannedTake] | SemanticFaceError]:
    source, options = work
    try:
        return source, plan_source(source, options)
    except SemanticFaceError as error:
        return source, error


def _check_renaming(takes: Iterable[PlannedTake], options: Options) -> None:
    unknown = sorted(set(options.subjects) - {take.name for take in takes})
    if unknown:
        raise InputError(f"a subject is given for take {unknown[0]!r}, which is not there", "names are folder names")


def _each(function: Callable[[_In], _Out], work: Sequence[_In], jobs: int) -> Iterator[_Out]:
    """Results as they come, from `jobs` processes; in this one when there is no use for more."""
    if jobs <= 1 or len(work) <= 1:
        yield from map(function, work)
        return
    context = multiprocessing.get_context("spawn")  # decoders have threads, which a fork would not carry over
    with ProcessPoolExecutor(min(jobs, len(work)), mp_context=context) as pool:
        waiting: set[Future[_Out]] = {pool.submit(function, item) for item in work}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BrokenProcessPool as error:
            raise SemanticFaceError("a process that decodes takes was ended", "run it again: it goes on") from error
        finally:
            for future in waiting:
                future.cancel()
