# SPDX-License-Identifier: GPL-3.0-or-later
"""The take of a job whose backend kept none, written in portions, so that no tick is long.

A backend on this computer writes the take itself, frame by frame. One that doesn't, or that died before its first frame
was on disk, leaves the results with us; so does a first pass of which a part is kept.
"""

from __future__ import annotations

import hashlib
import json
import time

from semanticface.protocol import to_runs
from semanticface.take import TakeHeader, TakeWriter, is_take

from .job import AnalysisJob


class Keeper:
    """Writes one ended job's results. Nothing is to be done where there are none, or the take is there."""

    def __init__(self, job: AnalysisJob) -> None:
        self._job = job
        self._left = [] if not job.results or is_take(job.order.take) else list(reversed(job.results))
        self._writer: TakeWriter | None = None

    def step(self, deadline: float) -> bool:
        """Write until `deadline` (`time.perf_counter`), at least one; whether all is written. Raises TakeError."""
        if self._left and self._writer is None:
            self._writer = TakeWriter(self._job.order.take, _header(self._job))
        while self._left and self._writer is not None:
            self._writer.append(self._left.pop())
            if time.perf_counter() >= deadline:
                break
        if self._left:
            return False
        self.close()
        return True

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _header(job: AnalysisJob) -> TakeHeader:
    media, options = dict(job.order.footage.media), dict(job.order.options)
    return TakeHeader(
        source=media,
        rate=job.plan.time.source_rate,
        engine=dict(job.engine_info),
        options=options,
        key=hashlib.sha256(json.dumps([media, options], sort_keys=True).encode()).hexdigest(),
        frames=tuple((first, last, step) for first, last, step in to_runs(job.frames)),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
