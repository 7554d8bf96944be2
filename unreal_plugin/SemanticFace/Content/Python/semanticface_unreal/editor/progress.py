"""Run and Wait: the queue behind a slow task's window, with its bar and its Cancel button.

The loop calls the same `Run.step` as the ticks do; those that the window causes do nothing meanwhile. From a click
alone.
"""

from __future__ import annotations

import time

from semanticface_unreal.editor.notices import TITLE
from semanticface_unreal.editor.running import Run, status
from semanticface_unreal.editor.session import Session
from semanticface_unreal.engine import unreal

SLICE = 0.05
"""Seconds of work between two looks at the Cancel button."""
WORK = 1000.0
"""What the whole bar stands for."""


def run_and_wait(session: Session, run: Run) -> tuple[str, ...]:
    """Drive the run to its end, or to the end that the user asks for; lines for the user."""
    with session.alone(), unreal.ScopedSlowTask(WORK, f"{TITLE}: {len(run.progress.jobs)} jobs") as task:
        task.make_dialog(can_cancel=True)
        shown = 0.0
        while run.step(time.perf_counter() + SLICE):
            progress = run.progress
            reached = WORK * progress.fraction
            task.enter_progress_frame(max(0.0, reached - shown), f"{TITLE}: {status(progress)}")
            shown = max(shown, reached)
            if task.should_cancel():
                run.cancel()
            run.wait(SLICE)
    return session.end_run()
