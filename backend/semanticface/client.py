"""The blocking client: join or start the backend, hand over footage, iterate over results.

    with Client.connect() as client:
        for result in client.analyze("performance.mp4", frames=range(0, 120)):
            print(result.frame, result.coefficients["JawOpen"] if result.coefficients else result.status)

Built on the pump, with a thread that keeps the lease while the caller's own code runs between two results. Loads
within 100 ms: standard library, pyzmq and msgpack. This module knows nothing of engines or of how frames are decoded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from semanticface.connection import ConnectionState
from semanticface.errors import (
    BackendError,
    BackendLost,
    BackendMissing,
    JobCancelled,
    JobFailed,
    OptionsError,
    SemanticFaceError,
)
from semanticface.jobs import ImageFrame, JobRequest
from semanticface.protocol import THUMBNAILS_SINCE, JobState, Message, Priority, cut_payload
from semanticface.pump import (
    Answer,
    Connected,
    Event,
    JobAccepted,
    JobFinished,
    JobProgress,
    JobResult,
    Lost,
    Partial,
    Pump,
    RequestFailed,
)
from semanticface.results import FrameResult
from semanticface.runfile import RunFile, live_run_file

__all__ = [
    "Answer",
    "Client",
    "Connected",
    "ConnectionState",
    "Event",
    "ImageFrame",
    "JobAccepted",
    "JobFinished",
    "JobProgress",
    "JobRequest",
    "JobResult",
    "Lost",
    "Partial",
    "Pump",
    "RequestFailed",
]

Source = str | Path | Mapping[str, Any] | Iterable[ImageFrame]
"""Footage as a path, as a media map of `docs/protocol.md`, or as pictures."""

KEEP_INTERVAL = 1.0


@dataclass(slots=True)
class _Inbox:
    """A job's unread events, and apart from them the last text of each frame in work: it never queues."""

    events: deque[Event] = field(default_factory=deque)
    texts: dict[int, Partial] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.events)

    def put(self, event: Event) -> None:
        if isinstance(event, Partial):
            self.texts[event.frame] = event
            return
        if isinstance(event, JobResult):
            self.texts.pop(event.result.frame, None)
        self.events.append(event)

    def take(self) -> Event | None:
        """The next event, a text only when nothing else waits."""
        if self.events:
            return self.events.popleft()
        return self.texts.pop(next(iter(self.texts))) if self.texts else None


def _joined(run: RunFile, app: str, deadline: float) -> Pump:
    """A pump that is connected. Raises BackendLost, or what the backend refuses with."""
    pump = Pump(run, app)
    try:
        while pump.state is ConnectionState.CONNECTING:
            pump.wait(max(0.0, min(0.1, deadline - time.monotonic())))
            pump.poll()
            if time.monotonic() > deadline:
                raise BackendLost(f"no answer from {run.endpoint} in time", "restart the backend")
        if pump.state is not ConnectionState.CONNECTED:
            raise pump.error or BackendLost(f"the connection is {pump.state}")
    except BaseException:
        pump.close()
        raise
    return pump


class Client:
    """A connection for scripts. Methods may be called from several threads; each call waits for its own answer."""

    def __init__(self, pump: Pump) -> None:
        """Use `Client.connect`; this takes over a pump that is connected."""
        self._pump = pump
        self._lock = threading.RLock()
        self._jobs: dict[str, _Inbox] = {}
        self._answers: dict[int, Answer | RequestFailed] = {}
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=self._keep_lease, name="semanticface-lease", daemon=True)
        self._keeper.start()

    @classmethod
    def connect(
        cls, start: bool = True, app: str = "python", timeout: float = 30.0, run: RunFile | None = None
    ) -> Client:
        """Join the living backend, or start one where none lives; `run` names one to join instead.

        Raises BackendMissing, BackendLost, VersionMismatch, or ProtocolError where the backend refuses.
        """
        deadline = time.monotonic() + timeout
        found = run or live_run_file()
        try:
            if found is not None:
                return cls(_joined(found, app, deadline))
        except BackendLost:
            if run is not None or not start or time.monotonic() > deadline:
                raise
            # It may be on its way out: a killed process shuts its sockets before it is gone. The start below waits.
        if not start:
            raise BackendMissing("no backend is running", "start one with `semanticface serve`")
        from semanticface import launch  # a quarter of this module's import, and most clients join

        started = launch.start(timeout=max(0.0, deadline - time.monotonic()))
        return cls(_joined(started, app, deadline))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def welcome(self) -> Message:
        """What the backend said of itself: versions, engines, window, limits."""
        if self._pump.welcome is None:
            raise BackendLost("the client is not connected", "connect again")
        return self._pump.welcome

    def analyze(
        self,
        source: Source,
        *,
        frames: Sequence[int] | None = None,
        engine: str = "auto",
        options: Mapping[str, Any] | None = None,
        take: str | Path | None = None,
        priority: Priority = Priority.BATCH,
        video: bool = False,
        on_progress: Callable[[JobProgress], None] | None = None,
        on_partial: Callable[[Partial], None] | None = None,
    ) -> Iterator[FrameResult]:
        """Results as they arrive; footage in ascending frame order, each requested frame exactly once.

        The job starts at the first `next`, and closing the iterator early cancels it. Pictures are taken from
        `source` only as fast as results come back. `frames` are source frame numbers, None for all. `on_partial` gets
        the text of a frame in work as it grows, of an engine that writes; like `on_progress` it is called between two
        results. Raises the error that ended the job (MediaError, OptionsError, EngineError, ...), JobFailed,
        JobCancelled, BackendLost, and ProtocolError when a frame is missing, comes twice or was not asked for.
        """
        pictures: Iterator[ImageFrame] | None = None
        media: Mapping[str, Any] | None = None
        if isinstance(source, (str, Path)):
            media = {"path": str(Path(source).expanduser().absolute())}
        elif isinstance(source, Mapping):
            media = source
        else:
            pictures = iter(source)
        folder = None if take is None else str(Path(take).expanduser().absolute())
        follows = on_partial is not None
        request = JobRequest(media, frames, engine, dict(options or {}), priority, video, folder, partials=follows)
        request.fields()  # what can't be meant is refused here and not at the first result
        return self._results(request, pictures, on_progress, on_partial)

    def probe(self, source: str | Path | Mapping[str, Any]) -> dict[str, Any]:
        """Size, frame count, rate, timecode and holes of footage. Raises MediaError."""
        media = source if isinstance(source, Mapping) else {"path": str(Path(source).expanduser().absolute())}
        return dict(self._ask("probe", media=dict(media))["info"])

    def thumbnails(
        self, source: str | Path | Mapping[str, Any], frames: Sequence[int], side: int = 128
    ) -> dict[int, bytes]:
        """Small JPEG pictures of source frames, at most 64 at once, by frame; those that can't be read are left out.

        `side`: length of the longer side in pixels. Raises BackendError where the backend makes none.
        """
        if tuple(self.welcome["protocol"]) < THUMBNAILS_SINCE:
            raise BackendError("this backend makes no thumbnails", "update it")
        media = source if isinstance(source, Mapping) else {"path": str(Path(source).expanduser().absolute())}
        return cut_payload(self._ask("thumbnails", media=dict(media), frames=list(frames), side=side))

    def status(self) -> dict[str, Any]:
        """What the backend does: state, jobs, worker, clients, cache."""
        return dict(self._ask("status")["status"])

    def release(self, engine: str | None = None) -> list[str]:
        """End the engines' processes, or this engine's and its variants', which frees their memory and the GPU.

        Returns the engines whose processes were ended; the next job starts one again. Raises BackendError while jobs
        of theirs run, EngineError for a name that there isn't.
        """
        if engine is not None and tuple(self.welcome["protocol"]) < (1, 1):
            raise BackendError("this backend can only end all engines at once", "update it, or name no engine")
        return list(self._ask("release", engine=engine).get("ended", []))

    def shutdown(self) -> None:
        """End the backend, for all its clients."""
        self._ask("shutdown")
        self.close()

    def close(self) -> None:
        """Give up the lease, which cancels what still runs; within 100 ms, and may be called twice."""
        self._closed.set()
        with self._lock:
            self._pump.close()
        if threading.current_thread() is not self._keeper:
            self._keeper.join()

    def _results(
        self,
        request: JobRequest,
        pictures: Iterator[ImageFrame] | None,
        on_progress: Callable[[JobProgress], None] | None,
        on_partial: Callable[[Partial], None] | None,
    ) -> Iterator[FrameResult]:
        with self._lock:
            self._require_open()
            job = self._pump.submit(request)
            inbox = self._jobs[job] = _Inbox()
        try:
            while True:
                if pictures is not None and not self._feed(job, pictures, inbox):
                    pictures = None
                event = self._take(inbox)
                if isinstance(event, JobResult):
                    yield event.result
                elif isinstance(event, JobProgress) and on_progress is not None:
                    on_progress(event)
                elif isinstance(event, Partial) and on_partial is not None:
                    on_partial(event)
                elif isinstance(event, RequestFailed):
                    raise event.error
                elif isinstance(event, JobFinished):
                    _raise_unless_done(event)
                    return
        finally:
            with self._lock:
                self._jobs.pop(job, None)
                self._pump.cancel(job)

    def _feed(self, job: str, pictures: Iterator[ImageFrame], unread: Sized) -> bool:
        """Send pictures while window and reader keep up; False when there are no more."""
        while True:
            with self._lock:
                if self._pump.room(job) <= len(unread):
                    return True
            picture = next(pictures, None)  # the caller's own code, so without the lock
            with self._lock:
                if picture is None:
                    self._pump.end(job)
                    return False
                if not isinstance(picture, ImageFrame):
                    raise OptionsError(f"the source gave a {type(picture).__name__}", "give ImageFrame objects")
                while not self._pump.send_frame(job, picture):
                    if job not in self._pump.jobs:
                        return False  # it has ended meanwhile; its last event says how
                    self._pump.wait(0.01)
                    self._route(self._pump.poll())

    def _take(self, inbox: _Inbox) -> Event:
        """The next event of a job, as soon as there is one."""
        while (event := inbox.take()) is None:
            if not self._advance() and not inbox:
                raise self._ended()
        return event

    def _ask(self, kind: str, **fields: Any) -> Message:
        with self._lock:
            self._require_open()
            number = self._pump.request(kind, **fields)
        while number not in self._answers:
            if not self._advance() and number not in self._answers:
                raise self._ended()
        event = self._answers.pop(number)
        if isinstance(event, Answer):
            return event.message
        raise event.error

    def _advance(self) -> bool:
        """Wait a moment for something to happen, put it where its reader looks; False when nothing more will come."""
        with self._lock:
            self._route(self._pump.poll(0.05))
            if self._pump.state is not ConnectionState.CONNECTED:
                return False
            self._pump.wait(0.02)
            self._route(self._pump.poll(0.05))
            return True

    def _route(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, (Connected, Lost)):
                continue  # the pump's state tells
            if not isinstance(event, Answer) and event.job is not None:
                if event.job in self._jobs:
                    self._jobs[event.job].put(event)
            elif isinstance(event, (Answer, RequestFailed)):
                if event.re is None:
                    self._fail_all(event)
                else:
                    self._answers[event.re] = event

    def _fail_all(self, event: Answer | RequestFailed) -> None:
        """A message that can't be read may have been anyone's, so nobody may go on as if nothing was lost."""
        for inbox in self._jobs.values():
            inbox.put(event)
        for number in self._pump.requests:
            self._answers[number] = event

    def _keep_lease(self) -> None:
        while not self._closed.wait(KEEP_INTERVAL):
            if not self._lock.acquire(blocking=False):
                continue  # whoever holds it pumps
            try:
                if self._pump.state is not ConnectionState.CONNECTED:
                    return
                self._route(self._pump.poll())
            finally:
                self._lock.release()

    def _require_open(self) -> None:
        if self._pump.state is not ConnectionState.CONNECTED:
            raise self._ended()

    def _ended(self) -> SemanticFaceError:
        return self._pump.error or BackendLost("the client is closed", "connect again")


def _raise_unless_done(event: JobFinished) -> None:
    if event.state is JobState.DONE:
        return
    if event.state is JobState.CANCELLED:
        raise JobCancelled(f"job {event.job} was cancelled", "what was finished is kept; run it again to go on")
    error: SemanticFaceError = event.error or JobFailed(f"job {event.job} failed")
    raise error
