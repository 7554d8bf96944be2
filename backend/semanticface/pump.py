"""The non-blocking client, for hosts with an event loop of their own: call `poll` from a timer, act on its events.

One pump is one connection and one lease. It is made when the backend is known (`launch`), and thrown away when it
is lost or refused. Whatever the backend sends is validated here; what breaks the protocol becomes an event with
the error, never an exception in the host's timer. Not for use from two threads at once.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from semanticface.connection import Connection, ConnectionState
from semanticface.errors import BackendError, JobFailed, OptionsError, ProtocolError, SemanticFaceError, from_wire
from semanticface.jobs import ImageFrame, JobRequest, JobView
from semanticface.protocol import JobState, Message, WorkerState
from semanticface.results import FrameResult
from semanticface.runfile import RunFile

# Named tuples, and annotations that are not strings: eight frozen dataclasses would cost every host 5 ms at import.


class Connected(NamedTuple):
    """Hello was answered and versions agree; jobs may be submitted."""

    welcome: Message


class Lost(NamedTuple):
    """The end of this pump: BackendLost, or why the backend refused (VersionMismatch, ProtocolError)."""

    error: SemanticFaceError


class Answer(NamedTuple):
    """`media`, `status`, `done` or `pong`, as the answer to the request `re`."""

    re: int
    message: Message


class JobAccepted(NamedTuple):
    job: str
    total: int | None


class JobProgress(NamedTuple):
    job: str
    state: JobState
    worker: WorkerState
    done: int
    total: int | None
    message: str


class Partial(NamedTuple):
    """What is written of a frame so far: the whole text, in place of the last one. May be lost; never comes late."""

    job: str
    frame: int
    text: str


class JobResult(NamedTuple):
    """One frame is finished; `stored`: it came from the take or the cache."""

    job: str
    result: FrameResult
    stored: bool


class JobFinished(NamedTuple):
    """Always a job's last event. `counts` maps a status to its number of frames."""

    job: str
    state: JobState
    counts: Mapping[str, int]
    error: SemanticFaceError | None
    take: str | None
    engine: Mapping[str, Any]


class RequestFailed(NamedTuple):
    """A request that can't be done, or a message that breaks the protocol. After a refused `submit` no job exists."""

    re: int | None
    job: str | None
    error: SemanticFaceError


Event = Connected | Lost | Answer | JobAccepted | JobProgress | Partial | JobResult | JobFinished | RequestFailed


class Pump:
    """A connection and the jobs on it."""

    def __init__(self, run: RunFile, app: str = "python", *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._connection = Connection(run, app, clock=clock)
        self._jobs: dict[str, JobView] = {}
        self._requests: dict[int, str | None] = {}  # id -> the job that it submits, if it does
        self._told = ConnectionState.CONNECTING
        self._connection.open()

    @property
    def state(self) -> ConnectionState:
        return self._connection.state

    @property
    def error(self) -> SemanticFaceError | None:
        """Why the state is LOST or REFUSED."""
        return self._connection.error

    @property
    def welcome(self) -> Message | None:
        return self._connection.welcome

    @property
    def run(self) -> RunFile:
        return self._connection.run

    @property
    def jobs(self) -> Mapping[str, JobView]:
        """The jobs that have not ended."""
        return self._jobs

    @property
    def requests(self) -> tuple[int, ...]:
        """The requests, other than `submit`, whose answers are awaited."""
        return tuple(number for number, job in self._requests.items() if job is None)

    def poll(self, budget: float = 0.008) -> list[Event]:
        """What has happened since the last call, in order. Takes at most `budget` seconds and one message more."""
        deadline = self._clock() + budget
        events: list[Event] = []
        while (message := self._connection.receive()) is not None:
            events += self._news()
            events += self._event(message)
            if self._clock() >= deadline:
                break
        self._connection.busy = bool(self._jobs or self._requests)
        self._connection.tick()
        return events + self._news()

    def wait(self, seconds: float) -> None:
        """Block until there is something to poll, at most this long. Not for a host's main thread."""
        self._connection.wait(seconds)

    def request(self, kind: str, **fields: Any) -> int:
        """Send `probe`, `status`, `release`, `shutdown` or `ping`; returns the `re` of the Answer or RequestFailed."""
        self._require_connected()
        number = self._connection.request(kind, **fields)
        self._requests[number] = None
        return number

    def submit(self, request: JobRequest) -> str:
        """Start a job; returns its id. Raises OptionsError, ProtocolError for bad fields, BackendError when closed."""
        self._require_connected()
        job = request.job or os.urandom(16).hex()
        if job in self._jobs:
            raise OptionsError(f"job {job} is running already", "choose another id")
        view = JobView(job, request)
        self._requests[self._connection.request("submit", job=job, **request.fields())] = job
        self._jobs[job] = view
        return job

    def room(self, job: str) -> int:
        """How many pictures of this job may be sent now."""
        view = self._jobs.get(job)
        return 0 if view is None or self._connection.congested else view.room

    def send_frame(self, job: str, frame: ImageFrame) -> bool:
        """Send one picture; False, and nothing is sent, while the window is full or the job has ended.

        Raises OptionsError for a picture that can't be sent at all.
        """
        if self.room(job) == 0:
            return False
        frame.check(self.welcome["max_payload"] if self.welcome is not None else 0)
        self._jobs[job].send(frame.frame)
        fields: dict[str, Any] = {"frame": frame.frame, "format": frame.format, "time": frame.time}
        if frame.width is not None:
            fields |= {"width": frame.width, "height": frame.height, "bottom_up": frame.bottom_up}
        self._connection.send("frame", frame.data, job=job, **fields)
        return True

    def end(self, job: str) -> None:
        """Say that no more pictures will come; nothing happens when the job has ended."""
        view = self._jobs.get(job)
        if view is not None and not view.closed:
            view.closed = True
            self._connection.send("end", job=job)

    def cancel(self, job: str) -> None:
        """Ask for the end of a job; its JobFinished still comes. Nothing happens when it has ended."""
        if job in self._jobs and self.state is ConnectionState.CONNECTED:
            self._jobs[job].closed = True
            self._connection.send("cancel", job=job)

    def close(self) -> None:
        """Give up the lease, which cancels this pump's jobs, and free the socket, within 100 ms."""
        self._connection.close()
        self._jobs.clear()
        self._requests.clear()

    def _require_connected(self) -> None:
        if self.state is not ConnectionState.CONNECTED:
            raise self.error or BackendError(f"the connection is {self.state}", "wait for Connected")

    def _news(self) -> list[Event]:
        """The event for a change of the connection's state, once."""
        if self.state is self._told:
            return []
        self._told = self.state
        if self.state is ConnectionState.CONNECTED and self.welcome is not None:
            return [Connected(self.welcome)]
        if self.error is None:
            return []
        self._jobs.clear()
        self._requests.clear()
        return [Lost(self.error)]

    def _event(self, message: Message | ProtocolError) -> list[Event]:
        if isinstance(message, ProtocolError):
            return [RequestFailed(None, None, message)]
        if message.type == "error":
            return [self._failed(message)]
        if message.get("job") is None:
            if message.get("re") not in self._requests:
                return []  # nobody waits for it any more
            del self._requests[message["re"]]
            return [Answer(message["re"], message)]
        return self._job_event(message)

    def _failed(self, message: Message) -> RequestFailed:
        number, job = message.get("re"), message.get("job")
        if number in self._requests:
            job = self._requests.pop(number) or job
            if job is not None:
                self._jobs.pop(job, None)
        return RequestFailed(number, job, from_wire(message["error"]))

    def _job_event(self, message: Message) -> list[Event]:
        job = message["job"]
        view = self._jobs.get(job)
        if view is None:
            return []  # of a job that this client has given up
        try:
            return [_READERS[message.type](self, view, message)]
        except ProtocolError as error:
            return [RequestFailed(None, job, error)]

    def _accepted(self, view: JobView, message: Message) -> Event:
        self._requests.pop(message["re"], None)
        view.accept(message)
        return JobAccepted(view.job, view.total)

    def _progress(self, view: JobView, message: Message) -> Event:
        view.move(message["state"])
        view.total = message.get("total", view.total)  # of whole footage it is known only once the file was read
        return JobProgress(
            view.job, view.state, message["worker"], message["done"], view.total, message.get("message", "")
        )

    def _partial(self, view: JobView, message: Message) -> Event:
        view.partial(message["frame"])
        return Partial(view.job, message["frame"], message["text"])

    def _result(self, view: JobView, message: Message) -> Event:
        result = FrameResult.from_dict(message["result"])
        view.result(result)
        return JobResult(view.job, result, message["stored"])

    def _finished(self, view: JobView, message: Message) -> Event:
        del self._jobs[view.job]
        state: JobState = message["state"]
        error: SemanticFaceError | None = None
        if not state.ended:
            state, error = JobState.FAILED, ProtocolError(f"job {view.job} ended in the state {state}")
        elif message.get("error") is not None:
            error = from_wire(message["error"])
        elif state is JobState.FAILED:
            error = JobFailed(f"job {view.job} failed without a reason")
        if state is JobState.DONE:
            try:
                view.check_complete()
            except ProtocolError as incomplete:
                state, error = JobState.FAILED, incomplete
        view.state = state
        counts = {str(name): count for name, count in message["counts"].items() if isinstance(count, int)}
        engine = message.get("engine", {})
        return JobFinished(view.job, state, counts, error, message.get("take"), engine)


_READERS: Mapping[str, Callable[[Pump, JobView, Message], Event]] = {
    "accepted": Pump._accepted,
    "progress": Pump._progress,
    "partial": Pump._partial,
    "result": Pump._result,
    "finished": Pump._finished,
}
