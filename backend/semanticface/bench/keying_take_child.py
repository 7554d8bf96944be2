"""Second child of `bench.keying`: `python keying_take_child.py CHECKOUT FRAMES`, in a Python that has bpy.

A whole take on a character of three meshes: from results in memory to keys on assigned Actions, stage by stage.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy
import numpy as np

ROUNDS = 5
RATE = 24
NOISE = 0.02
MESHES = ("Face", "Lashes", "Teeth")
STAGES = {
    "samples": ("build", "samples_of"),
    "recipe": ("build", "apply"),
    "retarget": ("build", "drive"),
    "rotations": ("build", "euler_angles"),
    "reduction": ("build", "reduce"),
    "writing": ("takes", "_write"),
}
"""Stage -> module of the add-on and the function in it that does all of the stage."""


@dataclass(slots=True)
class Clock:
    """Seconds that each stage took since the last `reset`."""

    spent: dict[str, float] = field(default_factory=dict)

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.spent[stage] = self.spent.get(stage, 0.0) + time.perf_counter() - start

        return timed

    def reset(self) -> None:
        self.spent = dict.fromkeys(STAGES, 0.0)


def results(frames: int) -> list[Any]:
    """Motion as of a talking head, with noise: shapes in [0, 1] with blinks, rotations within half a radian."""
    from semanticface.actions import CSV_ORDER, SHAPES
    from semanticface.results import FrameResult, Status

    rng = np.random.default_rng(0)
    window = np.hanning(2 * RATE // 3)
    walk = rng.normal(size=(len(CSV_ORDER), frames + 2 * RATE))
    calm = np.array([np.convolve(row, window / window.sum(), "same")[RATE : RATE + frames] for row in walk])
    calm /= calm.std(axis=1, keepdims=True)
    values: dict[str, Any] = {}
    for row, name in zip(calm, CSV_ORDER, strict=True):
        noisy = rng.normal(0.0, NOISE, frames)
        values[name] = np.clip(0.2 + 0.2 * row + noisy, 0, 1) if name in SHAPES else 0.15 * row + 0.2 * noisy
    table = {name: np.round(row, 3).tolist() for name, row in values.items()}
    return [
        FrameResult(frame, frame / RATE, Status.OK, {name: row[frame] for name, row in table.items()})
        for frame in range(frames)
    ]


def character() -> None:
    """Three meshes with all 52 shape keys, and controls for head and eyes."""
    from semanticface.actions import BY_NAME, SHAPES

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    for name in MESHES:
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
        thing = bpy.data.objects.new(name, mesh)
        scene.collection.objects.link(thing)
        thing.shape_key_add(name="Basis")
        for shape in SHAPES:
            thing.shape_key_add(name=BY_NAME[shape].arkit_name)
    for name in ("Head", "LeftEye", "RightEye"):
        control = bpy.data.objects.new(name, None)
        control.rotation_mode = "YXZ"
        scene.collection.objects.link(control)


def plan_of(recipe: Any) -> Any:
    """Every shape on all meshes, nine rotations on three controls."""
    from semanticface.actions import BY_NAME, SHAPES
    from semanticface.retarget.profile import Link, Profile

    planning, timing = import_module("blender_addon.keying.plan"), import_module("blender_addon.footage.timing")
    links = tuple(Link(shape, BY_NAME[shape].arkit_name) for shape in SHAPES)
    axes = ("-Z", "X", "Y")
    turned = tuple(planning.RotationTarget(name, name, "", axes) for name in ("Head", "LeftEye", "RightEye"))
    time_map = timing.TimeMap(0, 1.0, Fraction(RATE), Fraction(RATE))
    return planning.Plan(MESHES, turned, time_map, Profile("bench", links), recipe)


def measure(takes: Any, take: Any, recipe: Any, clock: Clock) -> dict[str, Any]:
    """Medians in seconds: the whole of `key_take`, and each stage."""
    whole, stages = [], []
    for _ in range(ROUNDS + 1):
        character()
        clock.reset()
        start = time.perf_counter()
        report = takes.key_take(take, plan_of(recipe))
        whole.append(time.perf_counter() - start)
        stages.append({**clock.spent, "rest": whole[-1] - sum(clock.spent.values())})
    median: Callable[[list[float]], float] = statistics.median
    return {
        "seconds": median(whole[1:]),  # the first fills caches
        "slowest": max(whole[1:]),
        "keys": report.keys,
        "values": report.values,
        "channels": report.channels,
        "stages": {name: median([one[name] for one in stages[1:]]) for name in stages[0]},
    }


def main(checkout: str, frames: int) -> Mapping[str, Any]:
    sys.path[:0] = [checkout, f"{checkout}/backend"]
    from semanticface.curves.recipe import STANDARD, Recipe
    from semanticface.take import TakeHeader, TakeWriter, read_take

    clock = Clock()
    modules = {name: import_module(f"blender_addon.keying.{name}") for name in ("build", "takes")}
    for stage, (module, name) in STAGES.items():
        setattr(modules[module], name, clock.around(stage, getattr(modules[module], name)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bench-1"
        with TakeWriter(path, TakeHeader({"path": "bench"}, Fraction(RATE), {}, {}, key="bench")) as writer:
            for result in results(frames):
                writer.append(result)
        reading = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            take = read_take(path)
            reading.append(time.perf_counter() - start)
    return {
        "blender": bpy.app.version_string,
        "frames": frames,
        "meshes": len(MESHES),
        "standard": measure(modules["takes"], take, STANDARD, clock),
        "raw": measure(modules["takes"], take, Recipe(), clock),
        "read_seconds": statistics.median(reading),
    }


if __name__ == "__main__":
    report = main(str(Path(sys.argv[1])), int(sys.argv[2]))
    print("\nsemanticface-keying " + json.dumps(report), flush=True)
    os._exit(0)  # the bpy module may hang or crash in its own clean-up
