# SPDX-License-Identifier: GPL-3.0-or-later
"""Where takes are kept, and the take of a job whose backend kept none.

A backend on this computer writes the take itself, frame by frame. One that doesn't, or that died before its first frame
was on disk, leaves the results with us. This module knows nothing of keying.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path

import bpy

from semanticface.paths import data_dir
from semanticface.protocol import to_runs
from semanticface.take import TakeHeader, TakeWriter, is_take

from .. import names
from ..analysis.job import AnalysisJob
from ..compat import user_folder


def new_take_folder(label: str) -> Path:
    """A folder that doesn't exist yet: beside the saved .blend, else in the add-on's own place."""
    name = re.sub(r"[^\w.-]+", "_", label).strip("._") or "take"
    parent = _takes_parent()
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


def _takes_parent() -> Path:
    if bpy.data.filepath:
        return Path(bpy.data.filepath).resolve().parent / names.TAKES_FOLDER
    return user_folder(names.ADDON, "takes") or data_dir() / "takes"


def keep_results(job: AnalysisJob) -> None:
    """Write the take from the results that have come, when the backend wrote none. Raises TakeError when it can't."""
    folder = job.order.take
    if not job.results or is_take(folder):
        return
    media, options = dict(job.order.footage.media), dict(job.order.options)
    header = TakeHeader(
        source=media,
        rate=job.plan.time.source_rate,
        engine={},
        options=options,
        key=hashlib.sha256(json.dumps([media, options], sort_keys=True).encode()).hexdigest(),
        frames=tuple((first, last, step) for first, last, step in to_runs(job.frames)),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    with TakeWriter(folder, header) as writer:
        for result in job.results:
            writer.append(result)
