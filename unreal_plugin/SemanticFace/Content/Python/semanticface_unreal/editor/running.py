"""One run of the editor's queue: manifest, journal, runner and summary put together, and taken apart again.

Whoever drives it, a tick or a slow task, calls `step`; the end comes once, with `finish`. Opens no window.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from semanticface.errors import BackendMissing, InputError
from semanticface.link import BackendLink
from semanticface_unreal.batch.job import Stage
from semanticface_unreal.batch.journal import Journal
from semanticface_unreal.batch.manifest import Manifest
from semanticface_unreal.batch.progress import JobProgress, Progress
from semanticface_unreal.batch.runner import Runner, RunOptions
from semanticface_unreal.batch.summary import changed, job_line, result_line, summary, write_summary
from semanticface_unreal.engine import unreal
from semanticface_unreal.ports import Editor

MOST_NAMED = 5
"""Jobs that are named for one reason; the summary's file has them all."""


def unready() -> str:
    """Why the editor would refuse to load and save assets now, "" where it wouldn't. It answers each such call with
    None or False then, as if the asset weren't there."""
    levels = unreal.get_editor_subsystem(unreal.LevelEditorSubsystem)
    if levels is not None and levels.is_in_play_in_editor():
        return "the level is being played"
    if unreal.AssetRegistryHelpers.get_asset_registry().is_loading_assets():
        return "the editor is still looking for the project's assets"
    return ""


def check_ready() -> None:
    """For a click that touches assets at once. Raises InputError while the editor would refuse them."""
    if why := unready():
        raise InputError(why, "stop playing, or wait a moment, and try again")


class Run:
    """From the first `step` to `finish`. Holds the journal's lock, so that no farm runs the queue meanwhile."""

    def __init__(self, manifest: Manifest, editor: Editor, link: BackendLink, options: RunOptions) -> None:
        """Raises InputError where the queue is empty, is being run elsewhere, or its folder can't be written."""
        if not manifest.jobs:
            raise InputError("the queue is empty", "choose Queue Footage first")
        self.manifest = manifest
        self._listening = False
        self._journal = Journal.open(manifest.journal)
        self._runner = Runner(manifest, editor, link, self._journal, options, held=self._held)
        if not self._runner.progress.jobs:
            self._journal.close()
            raise InputError("no job of the queue has failed", "choose Run Queue")
        self._began = datetime.now(UTC)
        self._logged: Progress | None = None

    @property
    def progress(self) -> Progress:
        return self._runner.progress

    @property
    def has_work(self) -> bool:
        """Whether assets wait for a `step`, and the editor would take them."""
        return self._runner.has_work and not unready()

    def listen(self, deadline: float) -> bool:
        """As `step`, for the backend's messages alone: no asset is touched."""
        self._listening = True
        try:
            return self.step(deadline)
        finally:
            self._listening = False

    def step(self, deadline: float) -> bool:
        """Do a part until `deadline` (`time.perf_counter`), log what changed its stage; whether there is more to do."""
        more = self._runner.step(deadline)
        now = self._runner.progress
        for job in changed(self._logged, now):
            (unreal.log_warning if job.stage is Stage.FAILED else unreal.log)(job_line(job))
        self._logged = now
        return more

    def _held(self) -> bool:
        return self._listening or bool(unready())

    def wait(self, seconds: float) -> None:
        """Block a moment, for a loop that has nothing to do until the backend has."""
        self._runner.wait(seconds)

    def cancel(self) -> None:
        """Ask for the end; `step` brings it within seconds."""
        self._runner.cancel()

    def close(self) -> None:
        """Let go of it as it stands: what is done stays, the rest goes on when the queue is run again."""
        self._runner.cancel()
        self._journal.close()

    def finish(self) -> tuple[str, ...]:
        """The end: write the summary, free the journal; lines for the user."""
        progress = self._runner.progress
        self._journal.close()
        unreal.log(result_line(progress))
        lines = list(told(progress))
        try:
            write_summary(self.manifest.summary, summary(progress, self.manifest.path, self._began))
        except InputError as error:
            lines.append(str(error))
        return tuple(lines)


def told(progress: Progress) -> tuple[str, ...]:
    """How a run ended: the whole in one line, then each reason with the jobs that failed for it, then remarks."""
    lines = [progress.describe()]
    if progress.error is not None:
        lines.append(str(progress.error))
    reasons: dict[str, list[JobProgress]] = {}
    for job in progress.jobs:
        if job.error is not None and job.stage is Stage.FAILED:
            reasons.setdefault(str(job.error), []).append(job)
    lines += [f"{_listed(jobs)}: {reason}" for reason, jobs in reasons.items()]
    if any(isinstance(job.error, BackendMissing) for job in progress.jobs):
        lines.append("Install Backend in the plugin's menu makes one, Settings names one that is there")
    for job in progress.jobs:
        lines += [f"{job.id}: {remark}" for remark in job.remarks if job.stage is Stage.DONE]
    return tuple(lines)


def rows(progress: Progress) -> list[str]:
    """A line for each job; those that go on and those that failed come first."""
    jobs = sorted(progress.jobs, key=lambda job: (job.ended, job.stage is not Stage.FAILED))
    return [f"{job.id}: {job.describe()}" for job in jobs]


def _listed(jobs: Sequence[JobProgress]) -> str:
    names = ", ".join(job.id for job in jobs[:MOST_NAMED])
    return names if len(jobs) <= MOST_NAMED else f"{names} and {len(jobs) - MOST_NAMED} more"


def assets(progress: Progress) -> list[str]:
    """Paths of what the run left in the content browser."""
    return [path for job in progress.jobs if job.stage is Stage.DONE for path in (job.asset, *job.others) if path]


def status(progress: Progress) -> str:
    """For a menu's label: `12 of 50, shot_030 45 %, 1 failed`."""
    done, failed = progress.count(Stage.DONE), progress.count(Stage.FAILED)
    parts = [f"{done} of {len(progress.jobs)}"]
    going = next((job for job in progress.jobs if job.doing and not job.ended), None)
    if going is not None:
        parts.append(f"{going.id} {100 * going.fraction:.0f} %" if going.total else f"{going.id} {going.doing}")
    if failed:
        parts.append(f"{failed} failed")
    if progress.cancelled:
        parts.append("cancelled" if progress.ended else "cancelling")
    return ", ".join(parts)
