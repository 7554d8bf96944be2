"""The life of one engine's worker process: started when wanted, restarted after death, given up, or put to rest.

    ABSENT -> STARTING -> LOADING -> READY          wanted; the process has called; the engine is built
    STARTING, LOADING, READY -> BACKOFF -> STARTING  it died; a pause that doubles with each death in a row
    STARTING, LOADING -> UNFIT                       the engine can't be built, or it died too often on the way
    any -> STOPPING -> ABSENT                        released, idle, or the front ends

Time is passed in and the process is made by a function, so that tests walk through it without either. This module
knows nothing of jobs: the pool tells it whether there is work.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from semanticface.engines.base import EngineInfo, Traits
from semanticface.errors import BackendError, EngineError, SemanticFaceError, from_wire
from semanticface.protocol import WorkerState
from semanticface.server.options import Limits
from semanticface.server.process import Process, exit_text

log = logging.getLogger(__name__)

MAX_PAUSE = 10.0


class Life(StrEnum):
    ABSENT = "absent"
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    BACKOFF = "backoff"
    UNFIT = "unfit"
    STOPPING = "stopping"

    @property
    def shown(self) -> WorkerState:
        """What clients are told."""
        return _SHOWN.get(self, WorkerState.NONE)


_SHOWN = {
    Life.STARTING: WorkerState.LOADING,
    Life.LOADING: WorkerState.LOADING,
    Life.BACKOFF: WorkerState.LOADING,
    Life.READY: WorkerState.READY,
    Life.UNFIT: WorkerState.FAILED,
}

TRANSITIONS: Mapping[Life, frozenset[Life]] = {
    Life.ABSENT: frozenset({Life.STARTING}),
    Life.STARTING: frozenset({Life.LOADING, Life.BACKOFF, Life.UNFIT, Life.STOPPING}),
    Life.LOADING: frozenset({Life.READY, Life.BACKOFF, Life.UNFIT, Life.STOPPING}),
    Life.READY: frozenset({Life.BACKOFF, Life.STOPPING, Life.ABSENT}),
    Life.BACKOFF: frozenset({Life.STARTING, Life.UNFIT, Life.ABSENT}),
    Life.UNFIT: frozenset({Life.STARTING, Life.STOPPING, Life.ABSENT}),
    Life.STOPPING: frozenset({Life.ABSENT}),
}


@dataclass(frozen=True, slots=True)
class Death:
    """A worker ended that nobody had told to. `message` says how, with the tail of its stderr."""

    message: str
    was: Life


class Supervisor:
    """Owns the worker process of one engine. `secret` names the living process on the channel."""

    def __init__(self, engine: str, spawn: Callable[[bytes], Process], limits: Limits) -> None:
        self.engine = engine
        self.life = Life.ABSENT
        self.incarnation = 0
        self.secret = b""
        self.info: EngineInfo | None = None
        self.traits: Traits | None = None
        self.error: SemanticFaceError | None = None
        self._spawn = spawn
        self._limits = limits
        self._process: Process | None = None
        self._deaths = 0
        self._wake = 0.0
        self._heard = 0.0
        self._progress = 0.0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def connected(self) -> bool:
        """Whether a process is there that takes orders; one with an UNFIT engine still reads media."""
        return self.life in {Life.LOADING, Life.READY} or (self.life is Life.UNFIT and self._process is not None)

    def want(self, now: float, again: bool = False) -> None:
        """There is work. `again` also retries an engine that was given up, for a new job after the user's repair."""
        if self.life is Life.UNFIT and again:
            self._drop()
            self._deaths = 0
            self._start(now)
        elif self.life is Life.ABSENT:
            self._start(now)

    def up(self, now: float) -> None:
        """The process has called and builds its engine."""
        if self.life is Life.STARTING:
            self._go(Life.LOADING)
        self._heard = now

    def ready(self, info: Mapping[str, Any], traits: Mapping[str, Any], now: float) -> None:
        self.info, self.traits = EngineInfo(**info), Traits(**traits)
        self._heard = self._progress = now
        self._go(Life.READY)

    def unfit(self, error: Mapping[str, Any]) -> None:
        """The engine can't be built. The process stays, to read media."""
        self.error = from_wire(error)
        self._go(Life.UNFIT)

    def heard(self, now: float) -> None:
        self._heard = now

    def progressed(self, now: float) -> None:
        """A result came: the process is sound, and earlier deaths no longer count."""
        self._heard = self._progress = now
        self._deaths = 0

    def works(self, now: float) -> None:
        """The engine itself says that it is at work: no hang, but no proof yet that it will get there."""
        self._heard = self._progress = now

    def begins(self, now: float) -> None:
        """Work is handed over to a worker that had none: its time to answer counts from here."""
        self._progress = now

    def stop(self) -> None:
        """End the process and give its memory back; ABSENT once it is gone (see `tick`)."""
        if self._process is not None:
            self._process.kill()
            self._go(Life.STOPPING)
        elif self.life is not Life.ABSENT:
            self._go(Life.ABSENT)

    def kill(self) -> None:
        """End a process that can't be trusted any more; `tick` then finds it dead."""
        if self._process is not None:
            self._process.kill()

    def tick(self, now: float, working: bool, at_work: bool = True) -> Death | None:
        """Look after the process. Returns a Death once for each that was not asked for.

        `working`: somebody needs it; `at_work`: it has something in hand, so that it may be late with it.
        """
        if self.life is Life.BACKOFF and now >= self._wake:
            if working:
                self._start(now)
            else:
                self._go(Life.ABSENT)
        if self._process is None:
            return None
        code = self._process.poll()
        if code is None:
            self._check_signs_of_life(now, working and at_work)
            return None
        if self.life is Life.STOPPING:
            self._drop()
            self._go(Life.ABSENT)
            return None
        return self._died(code, now, working)

    def _check_signs_of_life(self, now: float, working: bool) -> None:
        if self._process is None or self.life not in {Life.STARTING, Life.LOADING, Life.READY}:
            return
        silent = now - self._heard > self._limits.silence
        stalled = self.life is Life.READY and working and now - self._progress > self._limits.stall
        if silent or stalled:
            log.error(
                "worker %s of %s hangs (%s); killing it", self.pid, self.engine, "silent" if silent else "stalled"
            )
            self._process.kill()

    def _died(self, code: int, now: float, working: bool) -> Death:
        tail = "" if self._process is None else self._process.tail()
        message = f"the worker process of engine {self.engine} {exit_text(code)}"
        log.error("%s while %s\n%s", message, self.life, tail)
        death = Death(f"{message}; its last words:\n{tail}" if tail else message, self.life)
        self._drop()
        self._deaths += 1
        if death.was is Life.UNFIT:
            return death
        if death.was is not Life.READY and self._deaths >= self._limits.start_attempts:
            self.error = EngineError(death.message[:1900], f"engine {self.engine} was given up; try another engine")
            self._go(Life.UNFIT)
        elif working or death.was is not Life.READY:
            self._wake = now + min(MAX_PAUSE, self._limits.backoff * 2 ** (self._deaths - 1))
            self._go(Life.BACKOFF)
        else:
            self._go(Life.ABSENT)
        return death

    def _start(self, now: float) -> None:
        self._go(Life.STARTING)
        self.incarnation += 1
        self.secret = secrets.token_hex(16).encode()
        self.error = None
        self._heard = self._progress = now
        try:
            self._process = self._spawn(self.secret)
        except OSError as error:
            self.error = BackendError(f"the worker process can't be started: {error}", "is memory or disk exhausted?")
            self._go(Life.UNFIT)
        else:
            log.info("worker %s started for engine %s", self.pid, self.engine)

    def _drop(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._process = None
        self.secret = b""

    def _go(self, life: Life) -> None:
        if life not in TRANSITIONS[self.life]:
            raise RuntimeError(f"a worker can't go from {self.life} to {life}")
        log.debug("worker of %s: %s -> %s", self.engine, self.life, life)
        self.life = life
