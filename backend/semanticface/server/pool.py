"""One engine's work: which job's frames go to which lane of its worker, and what happens when the worker dies.

Interactive jobs go before batch jobs; among equals the one served longest ago goes first. Work goes out in units of a
few frames, sized so that a unit takes about a fifth of a second, but never smaller than the engine's batch. A lane gets
its next unit before it has done with the last one; not so when units take long, because what is handed out can't be
overtaken: an interactive job waits for the unit in hand at most, and shares none with batch jobs. When a worker dies,
the frames that it had become suspects: they run one at a time, nothing beside them, until they are answered; the frame
on which the worker has died `attempts` times is answered as FAILED and all others go on. This module knows nothing of
sockets or clients.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from semanticface.errors import EngineError, MediaError, ProtocolError, SemanticFaceError, from_wire
from semanticface.protocol import Priority
from semanticface.results import FrameResult, Status
from semanticface.server.channel import Envelope
from semanticface.server.feeds import Item, follows
from semanticface.server.jobs import Job
from semanticface.server.options import Limits
from semanticface.server.supervisor import Death, Life, Supervisor
from semanticface.server.units import Lane, Unit, has_own_session, order, together

log = logging.getLogger(__name__)

UNIT_SECONDS = 0.2
UNIT_FRAMES = 16
DEPTH = 2
"""Units on their way per lane: one that runs, and one so that the lane never waits for the front."""
LONG_UNIT = 1.0
"""Seconds; of units that take longer only one is on its way: the milliseconds between two don't count then."""

Send = Callable[[bytes, str, dict[str, Any], Sequence[Any]], None]
Answer = Callable[[Envelope | SemanticFaceError], None]
Store = Callable[[bytes, FrameResult, int], None]


@dataclass(slots=True)
class Question:
    """Something asked of the worker besides frames: to probe media, or to prepare a job."""

    number: int
    kind: str
    fields: dict[str, Any]
    answer: Answer
    needs_engine: bool
    job: Job | None = None
    sent_to: int = 0
    attempts: int = 0


class Pool:
    """The jobs, lanes and worker of one engine. `hindrance`: for whom its worker must wait before it may start.

    `computed` counts the results that its workers have given, whether or not somebody still waited for them.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        send: Send,
        store: Store,
        limits: Limits,
        hindrance: Callable[[], str] = lambda: "",
    ) -> None:
        self.supervisor = supervisor
        self.jobs: list[Job] = []
        self.seconds = 0.02
        self.measured = False
        self.computed = 0
        self.idle_since = 0.0
        self.hindered = ""
        self._hindrance = hindrance
        self._anew = False
        self._send = send
        self._store = store
        self._limits = limits
        self._lanes: list[Lane] = []
        self._suspects: list[Item] = []
        self._questions: dict[int, Question] = {}
        self._numbers = itertools.count(1)
        self._turns = itertools.count(1)

    @property
    def working(self) -> bool:
        """Whether the worker has something in hand."""
        return any(lane.units for lane in self._lanes)

    @property
    def busy(self) -> bool:
        """Whether anybody waits for something: then the worker is needed."""
        return bool(self.jobs or self._questions or self._suspects) or self.working

    @property
    def holds(self) -> bool:
        """Whether its worker takes memory, or is about to."""
        return self.supervisor.pid is not None or self.supervisor.life not in {Life.ABSENT, Life.UNFIT}

    def want(self, now: float, again: bool = False) -> None:
        """There is work: start the worker as soon as nothing is in its way. `again` retries an engine given up."""
        self._anew |= again
        self.hindered = "" if self.holds and self.supervisor.life is not Life.UNFIT else self._hindrance()
        if not self.hindered:
            anew, self._anew = self._anew, False
            self.supervisor.want(now, anew)

    def ask(
        self, kind: str, fields: dict[str, Any], answer: Answer, needs_engine: bool, job: Job | None = None
    ) -> None:
        """Put a question to the worker; `answer` gets its reply, or the error that prevents one.

        One that is asked for a job falls when the job ends: nothing is loaded for an answer that nobody waits for.
        """
        question = Question(next(self._numbers), kind, fields, answer, needs_engine, job)
        self._questions[question.number] = question

    def forget(self, job: Job) -> None:
        """The job has ended: nothing of it is computed any more, its sessions close."""
        self.jobs.remove(job)
        self._suspects = [item for item in self._suspects if item.job is not job]
        self._questions = {number: one for number, one in self._questions.items() if one.job is not job}
        for lane in self._lanes:
            lane.places.pop(job.id, None)
        if self.supervisor.connected:
            self._send(self.supervisor.secret, "forget", {"job": job.id}, ())

    def hear(self, report: Envelope, now: float) -> None:
        """A report of the living worker."""
        match report.kind:
            case "up":
                self.supervisor.up(now)
                self._send(self.supervisor.secret, "begin", {}, ())
            case "ready":
                self.supervisor.ready(report["info"], report["traits"], now)
                self._lanes = [Lane(number) for number in range(report["traits"]["lanes"])]
            case "unfit":
                self.supervisor.unfit(report["error"])
            case "result":
                self._result(report, now)
            case "partial" | "working":
                self._works(report, now)
            case "ended":
                self._ended(report)
            case "answer" | "refusal":
                question = self._questions.pop(report["number"], None)
                if question is not None:
                    question.answer(report if report.kind == "answer" else from_wire(report["error"]))
        self.supervisor.heard(now)

    def tick(self, now: float, idle: float) -> None:
        """Look after the worker: death, hanging, idleness."""
        death = self.supervisor.tick(now, self.busy, self.working or bool(self._questions))
        if death is not None:
            self._mourn(death)
        if self.supervisor.life is Life.UNFIT and not self._anew:
            self._give_up()
        if self.busy:
            self.idle_since = now
            self.want(now)
        elif idle > 0 and now - self.idle_since > idle and self.supervisor.life in {Life.READY, Life.UNFIT}:
            log.info("engine %s has been idle for %.0f s: ending its worker", self.supervisor.engine, idle)
            self.supervisor.stop()

    def pump(self, now: float) -> bool:
        """Hand out what can be handed out. Returns whether calling again at once may give more."""
        self._put_questions(now)
        again = any([job.flush() for job in list(self.jobs)])
        if self.supervisor.life is not Life.READY:
            return again
        if self._suspects:
            self._try_alone(now)
            return again
        depths = DEPTH if self.measured and self.seconds * self._unit_frames() <= LONG_UNIT else 1
        for depth in range(1, depths + 1):
            for lane in self._lanes:
                if len(lane.units) < depth:
                    again |= self._fill(lane, now)
        return again

    # Handing out.

    def _put_questions(self, now: float) -> None:
        supervisor = self.supervisor
        at_work = self.working or any(one.sent_to == supervisor.incarnation for one in self._questions.values())
        for question in self._questions.values():
            may = supervisor.life is Life.READY if question.needs_engine else supervisor.connected
            if may and question.sent_to != supervisor.incarnation:
                question.sent_to = supervisor.incarnation
                question.attempts += 1
                if not at_work:
                    supervisor.begins(now)
                self._send(supervisor.secret, question.kind, {**question.fields, "number": question.number}, ())

    def _unit_frames(self) -> int:
        """How many frames a unit holds: whole batches, however slow they are."""
        batch = self.supervisor.traits.batch if self.supervisor.traits else 1
        quick = min(UNIT_FRAMES, int(UNIT_SECONDS / max(self.seconds, 1e-4)))
        return batch * max(1, quick // batch)

    def _fill(self, lane: Lane, now: float) -> bool:
        """One unit for this lane, of one job, or of several whose frames the engine takes together."""
        limit = self._unit_frames()
        items: list[Item] = []
        again = False
        jobs = [job for job in self.jobs if job.runnable]
        for job in sorted(jobs, key=lambda job: (job.spec.priority is not Priority.INTERACTIVE, job.served)):
            feed = job.feed
            if feed is None or (items and not together(items[0].job, job)):
                continue
            cut = feed.cut(lane.number, limit - len(items))
            again |= feed.again
            if cut:
                job.served = next(self._turns)
                items += cut
            if len(items) >= limit or (items and has_own_session(items[0].job.feed)):
                break
        if items:
            self._hand_over(lane, items, now)
        return again

    def _try_alone(self, now: float) -> None:
        if self.working:
            return
        item = self._suspects.pop(0)
        home = next((lane for lane in self._lanes if item.job.id in lane.places), self._lanes[0])
        self._hand_over(home, [item], now)

    def _hand_over(self, lane: Lane, items: list[Item], now: float) -> None:
        """Send these items: in one unit, or in several where a tracker has to begin anew among them."""
        if not self.working:
            self.supervisor.begins(now)
        while items:
            feed = items[0].job.feed
            if feed is None:
                return
            owner = items[0].job.id if follows(feed.prepared) else ""
            unit = Unit(next(self._numbers), lane.number, {})
            rows, fresh = self._rows(lane, items, owner, unit)
            items = items[len(unit.waiting) :]
            lane.units.append(unit)
            self._send(self.supervisor.secret, "unit", *order(unit, rows, feed, owner, fresh))

    def _rows(self, lane: Lane, items: list[Item], owner: str, unit: Unit) -> tuple[list[tuple[Item, bool]], bool]:
        """The unit's pictures, each with whether its result is wanted, and whether its session begins anew."""
        incarnation, last = lane.places.get(owner, (0, None))
        if incarnation != self.supervisor.incarnation:
            last = None
        rows: list[tuple[Item, bool]] = []
        fresh = False
        for item in items:
            feed = item.job.feed
            anew, lead = (False, []) if feed is None else feed.lead(item, last, lane.number)
            if anew and rows:
                break
            fresh |= anew
            rows += [(one, False) for one in lead]
            unit.waiting[len(rows)] = last = item
            rows.append((item, True))
        if owner and last is not None:
            lane.places[owner] = (self.supervisor.incarnation, last)
        return rows, fresh

    # Hearing back.

    def _unit(self, number: int) -> tuple[Lane, Unit] | None:
        pairs = ((lane, unit) for lane in self._lanes for unit in lane.units)
        return next(((lane, unit) for lane, unit in pairs if unit.number == number), None)

    def _result(self, report: Envelope, now: float) -> None:
        self.supervisor.progressed(now)
        found = self._unit(report["unit"])
        item = None if found is None else found[1].waiting.pop(report["place"], None)
        if item is None:
            return
        self.computed += 1
        if self.supervisor.traits is None or self.supervisor.traits.batch == 1:
            self._measure(report["seconds"], 0.2)
        try:
            result = FrameResult.from_dict({**report["result"], "frame": item.frame})
        except ProtocolError as error:
            result = FrameResult(item.frame, item.time, Status.FAILED, message=f"the engine's answer: {error.message}")
        feed = item.job.feed
        item.job.deliver(item.index, result, stored=False)
        if feed is not None and result.status in {Status.OK, Status.NO_FACE}:
            self._store(feed.key(item), result, 0 if item.picture is None else item.picture.size)

    def _measure(self, seconds: float, weight: float) -> None:
        """Learn how long a frame takes. The results of a batch come all at once: there a unit as a whole tells."""
        self.seconds += weight * (seconds - self.seconds)
        self.measured = True

    def _works(self, report: Envelope, now: float) -> None:
        """The engine is at a frame: a sign of life, and with `partial` what it has written of it."""
        self.supervisor.works(now)
        found = self._unit(report["unit"]) if report.kind == "partial" else None
        item = None if found is None else found[1].waiting.get(report["place"])
        if item is not None:
            item.job.partial(item.frame, report["text"])

    def _ended(self, report: Envelope) -> None:
        found = self._unit(report["unit"])
        if found is None:
            return
        lane, unit = found
        lane.units.remove(unit)
        if self.supervisor.traits is not None and self.supervisor.traits.batch > 1 and report["frames"]:
            self._measure(report["seconds"] / report["frames"], 0.5 if self.measured else 1.0)
        left = [item for item in unit.waiting.values() if not item.job.state.ended]
        for item in left:
            lane.places.pop(item.job.id, None)
        if report["error"] is not None:
            log.warning("a unit failed: %s", report["error"]["message"])
            self._strike(left, report["error"]["message"])
        elif left:
            self._suspect(left)

    # When things go wrong.

    def _mourn(self, death: Death) -> None:
        left = [item for lane in self._lanes for unit in lane.units for item in unit.waiting.values()]
        for lane in self._lanes:
            lane.units.clear()
            lane.places.clear()
        self._strike([item for item in left if not item.job.state.ended], death.message)
        for question in [one for one in self._questions.values() if one.attempts >= 2]:
            if not question.needs_engine or question.kind == "prepare":
                self._questions.pop(question.number, None)
                question.answer(MediaError(f"reading the media failed: {death.message}"[:1900], "is the file damaged?"))

    def _strike(self, items: list[Item], message: str) -> None:
        """The worker failed with these on the table: give up those that had their chances, suspect the others."""
        for item in items:
            item.strikes += 1
        for item in [one for one in items if one.strikes >= self._limits.attempts]:
            text = f"given up after {item.strikes} attempts: {message}"[:1900]
            item.job.deliver(item.index, FrameResult(item.frame, item.time, Status.FAILED, message=text), stored=False)
        self._suspect([one for one in items if one.strikes < self._limits.attempts])

    def _suspect(self, items: list[Item]) -> None:
        self._suspects = sorted(
            {*self._suspects, *(item for item in items if not item.job.state.ended)},
            key=lambda item: (item.job.spec.priority is not Priority.INTERACTIVE, item.job.id, item.index),
        )

    def _give_up(self) -> None:
        """The engine can't be had: its jobs end with the reason, and so do questions that nobody is left to answer."""
        error = self.supervisor.error or EngineError(f"engine {self.supervisor.engine} can't be started")
        for job in list(self.jobs):
            job.fail(error)
        for question in list(self._questions.values()):
            if question.needs_engine or not self.supervisor.connected:
                self._questions.pop(question.number, None)
                question.answer(error)
