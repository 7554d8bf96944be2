# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place with state between two clicks: the link to the backend, the running job, what the panel has to say.

A timer calls `tick`, which never takes longer than a few milliseconds and holds no Blender data from one call to the
next: targets are found again by their session ids, which survive undo and end with the file. In background mode
no timer fires; scripts call `run` or `tick` themselves.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import bpy

from semanticface.errors import InputError, SemanticFaceError, TakeError
from semanticface.link import BackendLink, LinkState
from semanticface.provision.desk import Desk
from semanticface.pump import Connected, Event

from .analysis.job import AnalysisJob, Order, Phase
from .analysis.keeping import Keeper
from .compat import session_uid
from .footage.disk import Looker
from .footage.probing import Probes
from .keying.plan import Plan
from .take.reading import Reading

log = logging.getLogger(__name__)

BUDGET = 0.007
"""Seconds that one tick may spend on messages, tasks and the writing of a take, all together; each has a part more."""
LEAST = 0.001
"""Seconds that tasks and writing get of it at least, however many messages come."""
BUSY_INTERVAL = 0.05
TASK_INTERVAL = 0.015
IDLE_INTERVAL = 0.5
"""Seconds between ticks with something under way, with work in steps, and with neither; the lease needs one every few
seconds."""


class Task(Protocol):
    """Something that goes on in the background beside the analysis: it is called at each tick until it is done."""

    def tick(self, now: Session, events: Sequence[Event], deadline: float) -> bool:
        """Do a part of the work, until `deadline` (`time.perf_counter`) at the latest; whether there is more to do.

        `events` are those that came since the last tick. Must not keep Blender data from one call to the next. A
        SemanticFaceError ends the task and is shown.
        """


class Session:
    """`notes` is what the panel says about the last thing that ended, `failed` whether it went wrong."""

    def __init__(self) -> None:
        self.link = BackendLink(f"blender {bpy.app.version_string}")
        self.desk = Desk()
        self.render_begins = False
        """Set where a render has begun, in whatever thread Blender says so."""
        self.job: AnalysisJob | None = None
        self.notes: tuple[str, ...] = ()
        self.failed = False
        self._reading: Reading | None = None
        self.engine = ""
        """Which engine is taken and why."""
        self.unkeyed: tuple[str, Plan] | None = None
        """Folder and plan of a take that ended early, which may be keyed all the same."""
        self.tasks: list[Task] = []
        self.looker = Looker()
        self.probes = Probes()
        self._keeper: Keeper | None = None
        self._told: object = None

    @property
    def reading(self) -> Reading | None:
        """What was read from the face, of the take that is worked with."""
        return self._reading

    @reading.setter
    def reading(self, reading: Reading | None) -> None:
        from .take.following import follow  # which needs a session to attach its tasks to

        self._reading = reading
        follow(self, reading)

    @property
    def busy(self) -> bool:
        return bool(self.tasks) or self.job is not None or self.link.state in {LinkState.STARTING, LinkState.CONNECTING}

    def connect(self, command: str | None, start: bool) -> None:
        """Raises BackendMissing when none runs and none may be started."""
        self.link.open(command, start)
        ensure_timer()

    def disconnect(self) -> None:
        """Stop using the backend; a running analysis is cancelled."""
        job = self._let_go()
        if job is not None:
            job.cancel(None)
            self.tell(["Disconnected; the analysis was cancelled"], failed=True)
        self.link.close()
        self.redraw()

    def begin(self, order: Order) -> AnalysisJob:
        """Start a job; the connection may still be coming up. Raises InputError while another one runs."""
        if self.job is not None:
            raise InputError("an analysis is running", "wait for its end, or cancel it")
        self.job = AnalysisJob(order)
        self.notes, self.failed, self.unkeyed = (), False, None
        ensure_timer()
        return self.job

    def attach(self, task: Task) -> None:
        """Call the task at each tick from now on, until it says that it is done."""
        if task not in self.tasks:
            self.tasks.append(task)
        ensure_timer()

    def cancel(self) -> None:
        if self.job is not None:
            self.job.cancel(self.link.pump)
            self._settle(time.perf_counter() + BUDGET)

    def tick(self) -> None:
        """Go on with everything; the timer's work."""
        start = time.perf_counter()
        events = self.link.poll(BUDGET)
        for event in events:
            pump = self.link.pump
            if self.job is not None and (pump is not None or self.link.error is not None):
                self.job.handle(event, pump)
        if self.link.error is not None and self.job is None and events:
            self.tell([str(self.link.error)], failed=True)
        if self.job is not None and self.job.phase is Phase.WAITING and self.link.state is LinkState.CONNECTED:
            self.job.connected(self.link.pump)
        if self.job is not None:
            self.job.advance(self.link.pump)
            self.probes.keep(self.job.order.footage.media, self.job.info)
        self._note_engine(events)
        self._go_on(events, max(start + BUDGET, time.perf_counter() + LEAST))
        writing = self.job.writing if self.job else None
        self._settle(max(start + BUDGET, time.perf_counter() + LEAST))
        now = (self.link.describe(), self.engine, self.job.describe() if self.job else None, self.notes, writing)
        if now != self._told:
            self._told = now
            self.redraw()

    def _go_on(self, events: Sequence[Event], deadline: float) -> None:
        """One turn for each task; together they have until the deadline."""
        for task in tuple(self.tasks):
            try:
                more = task.tick(self, events, deadline)
            except SemanticFaceError as error:
                more = False
                self.tell([str(error)], failed=True)
            if not more and task in self.tasks:
                self.tasks.remove(task)

    def _note_engine(self, events: Sequence[Event]) -> None:
        if any(isinstance(event, Connected) for event in events):
            self.engine = self.link.engine()
        elif self.link.state is LinkState.OFF:
            self.engine = ""
        elif self.job is not None and self.job.engine:
            self.engine = self.job.engine

    def run(self, job: AnalysisJob, pause: float = 0.005) -> AnalysisJob:
        """Tick until this job has ended and its take is keyed. For scripts: it blocks."""
        while self.job is job:
            self.tick()
            time.sleep(pause)
        return job

    def tell(self, lines: Sequence[str], failed: bool = False) -> None:
        """Put lines into the panel."""
        self.notes, self.failed = tuple(lines), failed
        self.redraw()

    def surface(self, error: BaseException) -> None:
        """A fault of our own: log it, show it, and let go of the job, so that nothing goes on half done."""
        log.exception("SemanticFace: %s", error)
        job = self._let_go()
        self.tasks.clear()
        if job is not None and self.link.pump is not None:
            job.cancel(self.link.pump)
        self.tell([f"Internal fault, please report it: {type(error).__name__}: {error}"], failed=True)

    def redraw(self) -> None:
        """Have the sidebars drawn again, not what is beside them: a heavy scene would be drawn at each result."""
        for window in bpy.context.window_manager.windows:
            for area in window.screen.areas:
                for region in area.regions if area.type == "VIEW_3D" else ():
                    if region.type == "UI":
                        region.tag_redraw()

    @property
    def offered(self) -> list[Mapping[str, Any]]:
        """The engines of the backend, as it said when it was joined; empty while there is none."""
        welcome = None if self.link.pump is None else self.link.pump.welcome
        rows = None if welcome is None else welcome["engines"]
        return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []

    def close(self) -> None:
        self._let_go()
        self.tasks.clear()
        self.desk.close()
        self.link.close()

    def _let_go(self) -> AnalysisJob | None:
        """Have no job any more; returns the one that was there."""
        job, self.job = self.job, None
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.close()
        return job

    def _settle(self, deadline: float) -> None:
        """When the job has ended: see to its take, which may go on for some ticks; then key it, or say why not."""
        job = self.job
        if job is None or not job.phase.ended:
            return
        try:
            self._keeper = self._keeper or Keeper(job)
            if not self._keeper.step(deadline):
                return
        except TakeError as error:
            self._let_go()
            self.tell([f"Nothing was keyed: {error}"], failed=True)
            return
        self._let_go()
        if job.phase is Phase.DONE:
            self._key(job)
            return
        if job.results:
            self.unkeyed = (str(job.order.take), job.plan)
        self.tell(job.summary(), failed=job.phase is Phase.FAILED)

    def _key(self, job: AnalysisJob) -> None:
        take = str(job.order.take)
        try:
            plan = relocated(job.plan, job.order.uids)
        except InputError as error:
            self.unkeyed = (take, job.plan)
            self.tell([f"Nothing was keyed: {error}", f"The take is in {take}"], failed=True)
            return
        call_key_take(take, plan)
        self.tell([*self.notes, *job.remarks], self.failed)


def relocated(plan: Plan, uids: Mapping[str, int]) -> Plan:
    """The plan with the present names of its objects. Raises InputError when one of them is gone."""
    present = {session_uid(block): block.name for block in bpy.data.objects}
    gone = [name for name, uid in uids.items() if uid not in present]
    if gone:
        raise InputError(
            f'"{gone[0]}" is not in the open file any more', "open its file, then key the take from its folder"
        )
    return plan.renamed({name: present[uid] for name, uid in uids.items()})


def call_key_take(take: str, plan: Plan) -> None:
    """Run the keying operator with an undo step, also from a timer, where the context has no window of its own."""
    windows = bpy.context.window_manager.windows
    try:
        if windows and not bpy.app.background:
            with bpy.context.temp_override(window=bpy.context.window or windows[0]):
                bpy.ops.semanticface.key_take("EXEC_DEFAULT", True, directory=take, plan=plan.to_json())
        else:
            bpy.ops.semanticface.key_take("EXEC_DEFAULT", directory=take, plan=plan.to_json())
    except RuntimeError as error:  # how an operator's error report arrives; the operator has told the panel
        log.warning("SemanticFace: %s", error)


class _State:
    session: Session | None = None


def current() -> Session:
    """The session; made at the first call after registration."""
    if _State.session is None:
        _State.session = Session()
    return _State.session


def ensure_timer() -> None:
    """Persistent, because the lease and a running job outlive the loading of another file."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_on_timer):
        bpy.app.timers.register(_on_timer, first_interval=0.01, persistent=True)


def _on_timer() -> float | None:
    """Seconds to the next call, None for no more. Must not raise: Blender would drop the timer without a word."""
    session = current()
    try:
        session.tick()
    except SemanticFaceError as error:
        if session.job is not None:
            session.job.abandon(error)
        session.tell([str(error)], failed=True)
    except Exception as error:
        session.surface(error)
    if session.link.state is LinkState.OFF and session.job is None and not session.tasks:
        return None
    if session.tasks:
        return TASK_INTERVAL
    return BUSY_INTERVAL if session.busy else IDLE_INTERVAL


def register() -> None:
    _State.session = None


def unregister() -> None:
    if bpy.app.timers.is_registered(_on_timer):
        bpy.app.timers.unregister(_on_timer)
    session, _State.session = _State.session, None
    if session is not None:
        session.close()
