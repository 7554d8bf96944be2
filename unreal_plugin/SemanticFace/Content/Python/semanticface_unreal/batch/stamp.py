"""Digests that say whether something has to be made again: an analysis, or an asset.

Two jobs with the same digest get the same result; whatever a result depends on is in it. This module reads files and
knows nothing of how they are made.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from semanticface.errors import MediaError
from semanticface.media.source import MediaKind, MediaRef
from semanticface.results import FrameResult
from semanticface.steps import Work
from semanticface.take import Take
from semanticface_unreal.batch.job import Job

MAKING = 1
"""How curves are made of a take. A higher number makes all assets anew."""
FILES_A_STEP = 50
ROWS_A_STEP = 10


def analysis_digest(job: Job, media: MediaRef) -> Work[str]:
    """Of what the take depends on: footage, choice of frames, engine, options. Files count by size and time.

    Raises MediaError when a file can't be looked at.
    """
    digest = hashlib.sha256(_plain([str(media.path), media.pattern, job.frames, job.engine, dict(job.options)]))
    files = [Path(media.path)]
    if media.kind is MediaKind.SEQUENCE:
        numbered = media.files()
        files = [numbered.folder / name for name in numbered.names.values()]
    for number, file in enumerate(files):
        try:
            status = file.stat()
        except OSError as error:
            raise MediaError(f"{file}: can't be read: {error.strerror or error}") from error
        digest.update(_plain([file.name, status.st_size, status.st_mtime_ns]))
        if number % FILES_A_STEP == 0:
            yield
    return digest.hexdigest()


def results_digest(take: Take) -> Work[str]:
    """Of the take's key and its results, in whatever order they came."""
    digest = hashlib.sha256(take.header.key.encode())
    for number, result in enumerate(take.results):
        digest.update(_row(result))
        if number % ROWS_A_STEP == 0:
            yield
    return digest.hexdigest()


def asset_stamp(job: Job, results: str) -> str:
    """Of all that an asset is made from; `results` is the digest of its take's."""
    made_of = [
        MAKING,
        results,
        None if job.rate is None else str(job.rate),
        job.frames,
        job.names,
        None if job.profile is None else dict(job.profile),
        None if job.recipe is None else dict(job.recipe),
        [job.head, job.head_factor, job.unsolved],
        [job.folder, job.asset_name, job.skeleton, job.preview_mesh, job.existing],
        [job.level_sequence, job.control_rig],
    ]
    return hashlib.sha256(_plain(made_of)).hexdigest()


def _row(result: FrameResult) -> bytes:
    return _plain(result.to_dict())


def _plain(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, ensure_ascii=False).encode() + b"\n"
