# SPDX-License-Identifier: GPL-3.0-or-later
"""Between the sliders and the recipe that they amount to, both ways. Knows nothing of takes or keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from semanticface.curves.recipe import (
    GapPolicy,
    KeyKind,
    MouthRule,
    Neutral,
    Recipe,
    Reduction,
    Tuning,
)

_AS_THEY_ARE = ("smoothing", "longest_gap", "symmetry", "gain", "head_gain", "eye_gain", "dead_zone")
"""Numbers that are called the same in the settings and in the recipe."""


def recipe_of(settings: Any) -> Recipe:
    """What the sliders say; with the recipe switched off, one that leaves raw values as they are."""
    if not settings.use_recipe:
        return Recipe()
    return Recipe(
        neutral=neutral_of(settings),
        step=_as_set(settings.grid) if settings.use_grid else None,
        weighted=settings.weighted,
        gaps=GapPolicy(settings.gaps),
        tunings={item.action: _tuning_of(item) for item in settings.tunings},
        soft_clamp=_as_set(settings.soft_clamp) if settings.use_soft_clamp else None,
        mouth=MouthRule(settings.mouth_rule),
        reduction=Reduction(_as_set(settings.tolerance), KeyKind(settings.key_kind)) if settings.reduce else None,
        prune=settings.prune,
        **{name: _as_set(getattr(settings, name)) for name in _AS_THEY_ARE},
    )


def neutral_of(settings: Any) -> Neutral | None:
    """The neutral that is subtracted, if any."""
    try:
        values = json.loads(settings.neutral_values) if settings.neutral_values else {}
    except ValueError:
        values = {}  # a script wrote something else there
    if not isinstance(values, Mapping) or not values:
        return None
    return Neutral(settings.neutral_name, values, settings.neutral_origin)


def show_neutral(settings: Any, neutral: Neutral | None) -> None:
    """Put a neutral into the settings, or remove the one that is there."""
    settings.neutral_name = "" if neutral is None else neutral.name
    settings.neutral_origin = "" if neutral is None else neutral.origin
    settings.neutral_values = "" if neutral is None else json.dumps(dict(neutral.values))


def show(settings: Any, recipe: Recipe) -> None:
    """Put a recipe into the sliders, so that `recipe_of` gives it again."""
    settings.use_recipe = True
    show_neutral(settings, recipe.neutral)
    settings.use_grid = recipe.step is not None
    if recipe.step is not None:
        settings.grid = recipe.step
    settings.weighted, settings.prune = recipe.weighted, recipe.prune
    settings.gaps, settings.mouth_rule = recipe.gaps.value, recipe.mouth.value
    settings.use_soft_clamp = recipe.soft_clamp is not None
    if recipe.soft_clamp is not None:
        settings.soft_clamp = recipe.soft_clamp
    settings.reduce = recipe.reduction is not None
    if recipe.reduction is not None:
        settings.tolerance, settings.key_kind = recipe.reduction.tolerance, recipe.reduction.kind.value
    for name in _AS_THEY_ARE:
        setattr(settings, name, getattr(recipe, name))
    settings.tunings.clear()
    settings.tunings_index = 0
    for action, tuning in recipe.tunings.items():
        _fill(settings.tunings.add(), action, tuning)


def _tuning_of(item: Any) -> Tuning:
    maximum = _as_set(item.maximum) if item.use_maximum else None
    return Tuning(_as_set(item.gain), _as_set(item.offset), _as_set(item.dead_zone), maximum)


def _fill(item: Any, action: str, tuning: Tuning) -> None:
    item.action, item.gain, item.offset, item.dead_zone = action, tuning.gain, tuning.offset, tuning.dead_zone
    item.use_maximum = tuning.maximum is not None
    if tuning.maximum is not None:
        item.maximum = tuning.maximum


def _as_set(value: float) -> float:
    """A single-precision number as it was typed: 0.1, not 0.10000000149."""
    return float(f"{value:.7g}")
