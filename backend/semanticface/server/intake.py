"""From `submit` to a running job: the engine checks the options, the media are looked into, the take is opened.

Pictures that the client sends meanwhile wait here. What goes wrong fails the job with the error that says so. This
module knows nothing of sockets.
"""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from semanticface.errors import OptionsError, ProtocolError, SemanticFaceError, TakeError
from semanticface.protocol import MAX_FRAMES, WorkerState, expand_runs, to_runs
from semanticface.results import FrameResult, Status
from semanticface.server.channel import Envelope
from semanticface.server.feeds import ByteFeed, Feed, MediaFeed, Picture, Prepared
from semanticface.server.jobs import Job
from semanticface.server.pool import Pool
from semanticface.server.supervisor import Supervisor
from semanticface.take import TakeHeader, TakeWriter, is_take, read_header

if TYPE_CHECKING:
    from semanticface.server.front import Front


class Intake:
    """One job's way in, and the counter at which its pictures arrive."""

    def __init__(self, front: Front, job: Job) -> None:
        self._front = front
        self._job = job
        self._early: list[tuple[int, float | None, Picture]] = []
        self._numbers: set[int] = set()
        self._ended = False

    @property
    def held(self) -> int:
        """Bytes of this job's pictures in memory."""
        feed = self._job.feed
        return sum(picture.size for _, _, picture in self._early) + (0 if feed is None else feed.held)

    def start(self, pool: Pool) -> None:
        """Ask the engine's worker what the job depends on."""
        spec = self._job.spec
        fields = {
            "options": dict(spec.options),
            "video": spec.video,
            "media": None if spec.media is None else dict(spec.media),
        }

        def answer(reply: Envelope | SemanticFaceError) -> None:
            self._prepared(pool.supervisor, reply)

        pool.ask("prepare", fields, answer, needs_engine=True, job=self._job)

    def add(self, frame: int, moment: float | None, picture: Picture) -> None:
        """A picture has come. Raises ProtocolError when it may not have, which leaves the job as it was."""
        job = self._job
        if self._ended:
            raise ProtocolError(f"job {job.id}: frame {frame} came after the end")
        if frame in self._numbers:
            raise ProtocolError(f"job {job.id}: frame {frame} came twice", "give each picture its own number")
        window = self._front.limits.window
        if len(self._numbers) - job.out.sent >= window:
            raise ProtocolError(f"job {job.id}: {window} pictures are unanswered, frame {frame} is refused", "wait")
        if len(self._numbers) >= MAX_FRAMES:
            raise ProtocolError(f"job {job.id}: a job holds at most {MAX_FRAMES} frames", "make several jobs")
        self._numbers.add(frame)
        if isinstance(job.feed, ByteFeed):
            job.feed.add(frame, moment, picture)
        else:
            self._early.append((frame, moment, picture))

    def end(self) -> None:
        """The client has sent its last picture. Raises ProtocolError when it said so before."""
        if self._ended:
            raise ProtocolError(f"job {self._job.id} was ended before")
        self._ended = True
        if isinstance(self._job.feed, ByteFeed):
            self._job.feed.close()

    def _prepared(self, supervisor: Supervisor, reply: Envelope | SemanticFaceError) -> None:
        job = self._job
        if job.state.ended:
            return
        if isinstance(reply, SemanticFaceError):
            job.fail(reply)
            return
        if supervisor.info is None or supervisor.traits is None:
            return
        fields = {name: reply[name] for name in ("options", "fingerprint", "video", "info", "content")}
        prepared = Prepared(engine=supervisor.info.to_dict(), traits=supervisor.traits, **fields)
        frames = self._frames(prepared)
        if job.spec.media is not None and not frames:
            job.fail(OptionsError("no frames were chosen, or the source has none"))
        elif job.spec.take is None:
            self._begin(prepared, frames, None)
        else:
            self._front.in_files_thread(
                lambda: open_take(job, prepared, frames), lambda future: self._take_opened(prepared, frames, future)
            )

    def _frames(self, prepared: Prepared) -> tuple[int, ...]:
        if self._job.spec.frames is not None:
            return self._job.spec.frames
        return tuple(range(prepared.info.get("frame_count", 0)))

    def _take_opened(self, prepared: Prepared, frames: tuple[int, ...], future: Future[TakeWriter]) -> None:
        error = future.exception()
        if error is not None:
            self._job.fail(error if isinstance(error, SemanticFaceError) else TakeError(f"the take: {error}"))
        elif self._job.state.ended:
            future.result().close()
        else:
            self._begin(prepared, frames, future.result())

    def _begin(self, prepared: Prepared, frames: tuple[int, ...], take: TakeWriter | None) -> None:
        job, memory = self._job, self._front.cache
        feed: Feed
        if job.spec.media is None:
            feed = ByteFeed(job, prepared, memory)
            job.begin(feed, take, prepared.engine, {})
            early, self._early = self._early, []
            for frame, moment, picture in early:
                feed.add(frame, moment, picture)
            if self._ended:
                feed.close()
        else:
            kept = {} if take is None else finished(take.stored, frames)
            done = {index for index, frame in enumerate(frames) if frame in kept}
            feed = MediaFeed(job, frames, done, prepared, memory)
            job.begin(feed, take, prepared.engine, kept)
        job.tell(WorkerState.READY, time.monotonic())


def finished(stored: dict[int, FrameResult], frames: tuple[int, ...]) -> dict[int, FrameResult]:
    """The results of an earlier run that need not be computed again: all but FAILED, which is tried anew."""
    wanted = set(frames)
    return {n: result for n, result in stored.items() if n in wanted and result.status is not Status.FAILED}


def open_take(job: Job, prepared: Prepared, frames: tuple[int, ...]) -> TakeWriter:
    """The job's take, new or resumed. Raises TakeError. Reads the whole take, so it runs beside the loop."""
    if job.spec.take is None:
        raise TakeError(f"job {job.id} has no take")
    info, media = prepared.info, job.spec.media
    source = {"sent": True} if media is None else {**dict(info.get("media", media)), "content": prepared.content}
    facts = ("width", "height", "frame_count", "codec", "variable_rate", "rate_assumed", "first_number")
    source |= {name: info[name] for name in facts if name in info}
    old = read_header(job.spec.take) if is_take(job.spec.take) else None
    asked = set(frames) | set(expand_runs(old.frames or ()) if old is not None else ())
    header = TakeHeader(
        source=source,
        rate=None if info.get("rate") is None else Fraction(info["rate"]),
        engine=dict(prepared.engine),
        options=dict(prepared.options),
        key=take_key(prepared),
        frames=tuple((run[0], run[1], run[2]) for run in to_runs(sorted(asked))) if media is not None else None,
        timecode=info.get("timecode") or "",
        created=datetime.now(UTC).isoformat(timespec="seconds") if old is None else old.created,
    )
    return TakeWriter(job.spec.take, header)


def take_key(prepared: Prepared) -> str:
    """A digest of what every result of the take depends on: content, engine, options. Not the choice of frames."""
    parts: list[Any] = [prepared.content, prepared.fingerprint, dict(prepared.options)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
