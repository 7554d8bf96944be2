"""The one place with state between two clicks: settings, the link to the backend, the run, the preview, the installer.

Two callbacks drive it with a few milliseconds a frame, while something is under way: Slate's tick hears the backend and
sends the preview, also while a dialog is open; a pulse of the engine's own loop does what touches assets, since saving
opens a window, and that inside Slate's tick crashes the editor. Both are called while the other works, and do nothing
then: loading and saving tick Slate themselves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from semanticface.errors import InputError, SemanticFaceError
from semanticface.link import BackendLink, LinkState
from semanticface_unreal.batch.manifest import Manifest, read_manifest
from semanticface_unreal.batch.progress import Outcome, Progress, counted
from semanticface_unreal.batch.runner import RunOptions
from semanticface_unreal.editor.notices import Notices
from semanticface_unreal.editor.places import Places
from semanticface_unreal.editor.preview import Preview
from semanticface_unreal.editor.pulse import Pulse
from semanticface_unreal.editor.running import Run, status, unready
from semanticface_unreal.engine import unreal
from semanticface_unreal.installing import Installer
from semanticface_unreal.ports import Editor
from semanticface_unreal.settings import Loaded, Settings, load, save, under

IDLE_SECONDS = 60.0
"""How long the backend is kept after a run, with its engine loaded; then its lease ends, and it frees its memory."""
IDLE_INTERVAL = 0.25
"""Seconds between two looks at a backend that has nothing to do."""

LISTENING = 0.25
"""Share of a frame's budget that goes to the backend's messages; the rest goes to assets."""


class Session:
    """`writer` makes what writes the assets of one run. `last` is the progress of the latest run that ended, None
    before the first, and `summary` the lines that said so."""

    def __init__(
        self, places: Places, writer: Callable[[], Editor], environment: Mapping[str, str] | None = None
    ) -> None:
        self.places = places
        self.notices = Notices()
        self._environment = os.environ if environment is None else environment
        self.loaded: Loaded = load(places.data, self._environment)
        self.link = BackendLink(f"unreal {unreal.SystemLibrary.get_engine_version().split('-')[0]}")
        self.installer = self._new_installer()
        self.run: Run | None = None
        self.last: Progress | None = None
        self.summary: tuple[str, ...] = ()
        self.preview: Preview | None = None
        self.writer = writer
        self._handle: object | None = None
        self._pulse = Pulse(self._on_pulse)
        self._inside = False
        self._again = False
        self._closed = False
        self._ended_at = 0.0
        self._looked = 0.0
        if self.loaded.troubles:
            self.notices.tell(self.loaded.troubles, failed=True)

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self.loaded.settings

    @property
    def failed(self) -> bool:
        """Whether something went wrong in the latest run."""
        return self.last is not None and self.last.outcome is Outcome.FAILED

    @property
    def busy(self) -> bool:
        """Whether there is something that ticks have to go on with."""
        things = (self.run is not None, self.preview is not None, self.installer.progress.busy)
        return any(things) or self.link.state is not LinkState.OFF

    def accept(self, own: Settings) -> None:
        """Take these settings over, under the environment, and save them. Raises InputError where they can't be saved;
        then they hold until the editor closes."""
        self.loaded = under(own, self._environment)
        if not self.installer.progress.busy:
            self.installer.close()
            self.installer = self._new_installer()
        save(own, self.places.data)

    def _new_installer(self) -> Installer:
        return Installer(command=self.settings.backend, keep_out=(self.places.engine, self.places.project))

    def describe(self) -> str:
        """For the status entry: what goes on, else what was last."""
        if self.run is not None:
            waits = unready()
            return f"{status(self.run.progress)}; waits: {waits}" if waits else status(self.run.progress)
        if self.installer.progress.busy:
            return next(iter(self.installer.progress.lines), "looking at the backend")
        if self.preview is not None:
            return f"playing {self.preview.describe()}"
        return status(self.last) if self.last is not None else "ready"

    def begin(self, manifest: Manifest | None = None, retry_failed: bool = False) -> Run:
        """Start to run the queue, or another manifest. Raises InputError while a run is on, and as `Run` does."""
        if self.run is not None:
            raise InputError("the queue is running", "wait for its end, or cancel it")
        if manifest is None and not self.places.queue.exists():
            raise InputError("the queue is empty", "choose Queue Footage first")
        options = RunOptions(self.settings.backend or None, ahead=self.settings.ahead, retry_failed=retry_failed)
        self.run = Run(manifest or read_manifest(self.places.queue), self.writer(), self.link, options)
        self.notices.tell([f"the queue runs: {counted(self.run.progress.jobs)}"])
        self.wake()
        return self.run

    def run_again(self) -> None:
        """Once the present run has ended, run the queue as it is then."""
        self._again = self.run is not None

    def cancel(self) -> None:
        """End the run and an installation; both end within seconds, from ticks."""
        self._again = False
        if self.run is not None:
            self.run.cancel()
        elif self.installer.progress.busy:
            self.installer.cancel()
        self.wake()

    def play(self, preview: Preview | None) -> None:
        """Let this preview play from now on; None for none."""
        old, self.preview = self.preview, preview
        if old is not None:
            old.close()
        self.wake()

    def wake(self) -> None:
        """Have ticks from now on, until there is nothing to do."""
        if self._handle is None and not self._closed and self.busy:
            self._handle = unreal.register_slate_post_tick_callback(self._on_tick)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While a slow task's loop drives the run itself, the ticks that it causes do nothing."""
        if self._inside:
            raise InputError("the queue is busy with one asset", "try again in a moment")
        self._inside = True
        try:
            yield
        finally:
            self._inside = False

    def end_run(self) -> tuple[str, ...]:
        """Close a run that has ended; lines for the user, who is told of them in the log."""
        run, self.run = self.run, None
        if run is None:
            return ()
        self.last = run.progress
        self._ended_at = time.monotonic()
        self.summary = run.finish()
        return self.summary

    def close(self) -> None:
        """The editor closes: let go of everything within 0.1 s. What is unfinished goes on with the next run."""
        self._closed = True
        self._pulse.close()
        self._let_go_of_ticks()
        run, self.run = self.run, None
        if run is not None:
            run.close()
        self.play(None)
        self.installer.close()
        self.link.close()

    def _let_go_of_ticks(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            unreal.unregister_slate_post_tick_callback(handle)

    def _on_tick(self, seconds: float) -> None:
        """Slate's. Must not raise: the editor would log the same at each frame."""
        self._turn(self._tick, LISTENING)
        if not self.busy:
            self._let_go_of_ticks()

    def _on_pulse(self) -> None:
        """The engine's, once for each time that it was asked for."""
        self._turn(self._work, 1 - LISTENING)

    def _turn(self, part: Callable[[float], object], share: float) -> None:
        """One of the two, unless the other is at it."""
        if self._inside or self._closed:
            return
        self._inside = True
        try:
            part(time.perf_counter() + share * self.settings.budget / 1000)
        except SemanticFaceError as error:
            self._abandon([str(error)])
        except Exception as error:  # a fault of our own: say it once, and let go of what caused it
            self._abandon(self.notices.fault(error))
        finally:
            self._inside = False

    def _tick(self, deadline: float) -> None:
        if self.preview is not None and (said := self.preview.step()):
            self.notices.tell([said])
        if self.installer.progress.busy and self.installer.step(deadline):
            ended = self.installer.progress
            self.notices.tell(ended.lines or ("the backend was looked at",))
        if self.run is None:
            self._idle()
        elif not self.run.listen(deadline):
            self._finish()
        elif self.run.has_work:
            self._pulse.ask()

    def _work(self, deadline: float) -> None:
        """What touches assets. The next pulse is asked for at once, not by the next tick."""
        if self.run is None:
            return
        if not self.run.step(deadline):
            self._finish()
        elif self.run.has_work:
            self._pulse.ask()

    def _finish(self) -> None:
        self.notices.tell(self.end_run(), self.failed)
        if self._again:
            self._again = False
            self.begin()

    def _idle(self) -> None:
        """Keep the lease of a backend that may be wanted again soon; then give it up."""
        now = time.monotonic()
        if self.link.state is LinkState.OFF or now - self._looked < IDLE_INTERVAL:
            return
        self._looked = now
        if now - self._ended_at > IDLE_SECONDS:
            self.link.close()
        else:
            self.link.poll(0.001)

    def _abandon(self, lines: list[str]) -> None:
        run, self.run = self.run, None
        if run is not None:
            run.close()
        preview, self.preview = self.preview, None
        if preview is not None:
            preview.close()
        self.notices.tell(lines, failed=True)
