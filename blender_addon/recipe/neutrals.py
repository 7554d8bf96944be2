# SPDX-License-Identifier: GPL-3.0-or-later
"""A neutral from what was read at frames of the scene. Knows nothing of sliders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import bpy

from semanticface.curves.neutral import neutral_from
from semanticface.curves.recipe import Neutral, Recipe
from semanticface.curves.replay import apply
from semanticface.curves.samples import samples_of
from semanticface.errors import InputError

from ..footage.source import scene_rate
from ..take.reading import Reading

CALM = 0.5
"""Smoothing before the median: values that lie on steps have a step for their median otherwise."""


@dataclass(frozen=True, slots=True)
class Span:
    """Scene frames from `first` to `last`."""

    first: float
    last: float

    def describe(self) -> str:
        return f"frame {self.first:g}" if self.first == self.last else f"frames {self.first:g} to {self.last:g}"


def frame_of(scene: bpy.types.Scene) -> Sequence[Span]:
    return [Span(scene.frame_current_final, scene.frame_current_final)]


def selected_markers(scene: bpy.types.Scene) -> Sequence[Span]:
    """Raises InputError when none is selected."""
    found = [Span(marker.frame, marker.frame) for marker in scene.timeline_markers if marker.select]
    if not found:
        raise InputError("no timeline marker is selected", "select markers on frames that show the face at rest")
    return found


def neutral_at(reading: Reading, spans: Sequence[Span], name: str, scene: bpy.types.Scene) -> Neutral:
    """The face at rest in the raw results at these scene frames, their median. Raises InputError where there are none.

    A single frame stands for the result at or before it; of a span all results within it count.
    """
    rows: set[int] = set()
    for span in spans:
        here = reading.place(span.first)
        inside = {n for n, where in enumerate(reading.frames) if span.first <= where <= span.last}
        rows |= inside or ({here} if here is not None and span.first == span.last else set())
    if not rows:
        raise InputError("nothing was read at the frames chosen for the neutral", "choose frames of the take")
    rate = scene_rate(scene)
    results = [  # numbered anew, since takes of several footages may have the same source frames
        replace(result, frame=number, time=float(Fraction(where) / rate))
        for number, (where, result) in enumerate(zip(reading.frames, reading.results, strict=True))
    ]
    samples = apply(Recipe(smoothing=CALM), samples_of(results, rate))
    folders = {reading.origin(row).take.name for row in rows} if reading.sources else set()
    texts = [span.describe() for span in spans]
    said = ", ".join(texts[:4]) + (f" and {len(texts) - 4} more" if len(texts) > 4 else "")
    origin = f"{', '.join(sorted(folders)) or 'take'}, scene {said}"
    return neutral_from(samples, sorted(rows), name, origin)
