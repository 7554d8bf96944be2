"""The child of `bench.preview`: `python preview_child.py CHECKOUT FRAMES`, in a Python that has bpy.

In background mode a slider's callback runs the whole way to the refilled curves before it returns.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy

character = import_module("keying_take_child")  # beside this file: the take and the character of that bench
CHANGES = 15


def keyed(path: Path, frames: int) -> Any:
    """A take on disk, keyed onto three meshes and three controls by the standard recipe; returns the settings."""
    takes, properties = (import_module(f"blender_addon.{name}") for name in ("keying.takes", "properties"))
    from semanticface.curves.recipe import STANDARD
    from semanticface.take import TakeHeader, TakeWriter, read_take

    header = TakeHeader({"path": "bench"}, Fraction(character.RATE), {}, {}, key="bench")
    with TakeWriter(path, header) as writer:
        for result in character.results(frames):
            writer.append(result)
    character.character()
    takes.key_take(read_take(path), character.plan_of(STANDARD))
    settings = properties.settings_of(bpy.context.scene)
    settings.mesh = bpy.data.objects[character.MESHES[0]]
    return settings


def timed(change: Callable[[float], None], values: list[float]) -> dict[str, float]:
    """Milliseconds: median and slowest by the clock, and the median of processor time, which a busy machine spares."""
    taken, worked = [], []
    for value in values:
        start, begin = time.perf_counter(), time.process_time()
        change(value)
        taken.append(1000 * (time.perf_counter() - start))
        worked.append(1000 * (time.process_time() - begin))
    return {"median": statistics.median(taken), "slowest": max(taken), "processor": statistics.median(worked)}


def main(checkout: str, frames: int) -> dict[str, Any]:
    sys.path[:0] = [checkout, f"{checkout}/backend"]
    addon, preview = import_module("blender_addon"), import_module("blender_addon.recipe.preview")
    addon.register()
    with TemporaryDirectory() as folder:
        settings = keyed(Path(folder) / "bench-1", frames)
        start = time.perf_counter()
        settings.tunings.add().action = "JawOpen"  # the first change reads the take and makes the preview Action
        settings.tunings[0].gain = 1.05
        first = 1000 * (time.perf_counter() - start)
        shown = preview.is_showing(settings)
        steps = [step / CHANGES for step in range(CHANGES)]
        sliders = {
            "gain of one action": timed(lambda value: setattr(settings.tunings[0], "gain", 1 + value), steps),
            "gain of all shapes": timed(lambda value: setattr(settings, "gain", 1 + value), steps),
            "smoothing": timed(lambda value: setattr(settings, "smoothing", 0.3 + value / 2), steps),
        }
    addon.unregister()
    return {
        "blender": bpy.app.version_string,
        "frames": frames,
        "meshes": len(character.MESHES),
        "shown": shown,
        "first change, ms": first,
        "ms": sliders,
    }


if __name__ == "__main__":
    report = main(str(Path(sys.argv[1])), int(sys.argv[2]))
    print("\nsemanticface-keying " + json.dumps(report), flush=True)
    os._exit(0)  # the bpy module may hang or crash in its own clean-up
