"""The preview of a recipe in Blender: from a slider's change to refilled curves, on three meshes.

This module imports nothing of Blender; `preview_child` is the child process that does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semanticface.bench import keying

ASKED_MS = 50.0
"""One change of a slider, for 600 frames of 61 curves on 3 meshes."""


def run(frames: int = 600, addon: Path | None = None, python: Path | None = None) -> dict[str, Any]:
    """Time changes of three sliders: the gain of one action, the gain of all shapes, smoothing.

    Returns for each `median` and `slowest` milliseconds by the clock and the median of `processor` time; the time of
    the first change, which reads the take and makes the preview Action; and whether the clock's medians `met` what is
    asked. Arguments and errors as of `keying.run`.
    """
    figures = keying.run_child("preview_child.py", frames, addon, python)
    met = figures["shown"] and all(one["median"] < ASKED_MS for one in figures["ms"].values())
    return figures | {"asked ms": ASKED_MS, "met": met}
