"""A recipe applied to samples: `apply` at once, or `Replay`, which remembers what each step gave.

All steps but key reduction and pruning, which make keys out of what comes out here. Steps run in the order of the
fields of `Recipe`. Nothing here knows how a step works.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from semanticface.curves import shaping
from semanticface.curves.gaps import fill_gaps
from semanticface.curves.neutral import subtract
from semanticface.curves.recipe import Recipe
from semanticface.curves.samples import Samples
from semanticface.curves.smoothing import smooth


@dataclass(frozen=True, slots=True)
class _Step:
    """`settings` names the fields of the recipe on which `run` depends, and no other."""

    settings: tuple[str, ...]
    run: Callable[[Samples, Recipe], Samples]

    def key(self, recipe: Recipe) -> tuple[Any, ...]:
        return tuple(getattr(recipe, name) for name in self.settings)


def _shape(change: Callable[[Any, Recipe], Any]) -> Callable[[Samples, Recipe], Samples]:
    def run(samples: Samples, recipe: Recipe) -> Samples:
        values = change(samples.values, recipe)
        return samples if values is samples.values else replace(samples, values=values)

    return run


_STEPS = (
    _Step(("gaps", "longest_gap"), lambda samples, recipe: fill_gaps(samples, recipe.gaps, recipe.longest_gap)),
    _Step(
        ("smoothing", "step", "weighted"),
        lambda samples, recipe: smooth(samples, recipe.smoothing, recipe.step, recipe.weighted),
    ),
    _Step(("neutral",), _shape(lambda values, recipe: subtract(values, recipe.neutral))),
    _Step(("symmetry",), _shape(lambda values, recipe: shaping.even_sides(values, recipe.symmetry))),
    _Step(("dead_zone",), _shape(lambda values, recipe: shaping.cut_small(values, recipe.dead_zone))),
    _Step(("gain", "head_gain", "eye_gain", "tunings"), _shape(shaping.amplify)),
    _Step(("mouth",), _shape(lambda values, recipe: shaping.keep_lips_apart(values, recipe.mouth))),
    _Step(("soft_clamp",), _shape(lambda values, recipe: shaping.bend_to_one(values, recipe.soft_clamp))),
)


def apply(recipe: Recipe, samples: Samples) -> Samples:
    """The samples after every step but `reduction` and `prune`. Pure: the input stays as it is."""
    for step in _STEPS:
        samples = step.run(samples, recipe)
    return samples


class Replay:
    """`apply` for the same samples again and again: a changed setting recomputes its step and those after it.

    `changed` are the columns whose values differ from the previous `apply`, all of them after the first.
    """

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._memory: list[tuple[tuple[Any, ...], Samples]] = []
        self._last: Samples | None = None
        self.changed: tuple[int, ...] = ()
        self.recomputed = 0
        """How many steps the last `apply` ran."""

    def apply(self, recipe: Recipe) -> Samples:
        """What `apply(recipe, samples)` gives."""
        samples, fresh = self._samples, False
        self.recomputed = 0
        for index, step in enumerate(_STEPS):
            key = step.key(recipe)
            if not fresh and index < len(self._memory) and self._memory[index][0] == key:
                samples = self._memory[index][1]
                continue
            if not fresh:
                del self._memory[index:]
                fresh = True
            samples = step.run(samples, recipe)
            self._memory.append((key, samples))
            self.recomputed += 1
        self._note_changes(samples)
        return samples

    def _note_changes(self, samples: Samples) -> None:
        last, self._last = self._last, samples
        if last is None:
            self.changed = tuple(range(samples.values.shape[1]))
        elif last is samples:
            self.changed = ()
        else:
            self.changed = shaping.differing(last.values, samples.values)
