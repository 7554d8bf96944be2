# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Action of ours remembers: the takes that it was keyed from, each with its plan, as a text that stays short.

Profiles and recipes stand in it once, however many takes share them. When the text grows too long, the oldest
takes are forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from semanticface.actions import BY_NAME, SHAPES
from semanticface.curves.recipe import Recipe
from semanticface.errors import InputError
from semanticface.results import FrameResult, Status
from semanticface.retarget.profile import Link, Profile
from semanticface.take import Take, read_take

from .. import names
from .actions import animation_of
from .addresses import find_object
from .placing import same_map
from .plan import KeyMode, Plan, lean_profile

MOST_ORIGINS = 200
"""Takes that an Action remembers: a keyframe artist's single frames add up in one Action."""
MOST_TEXT = 1 << 18
"""Characters of a signature. One take with a profile of 156 links needs some 10,000."""
VERSION = 2
_NO_PROFILE, _NO_RECIPE = Profile(""), Recipe()


@dataclass(frozen=True, slots=True)
class Origin:
    """A take's folder and the plan by which it was keyed."""

    take: Path
    plan: Plan


@dataclass(frozen=True, slots=True)
class Gathered:
    """Results of one footage that were keyed by one time map, by source frame; `rate` is the footage's.

    `plan` is that of the last whole take among them, or of the last single frames when there are no others.
    """

    results: tuple[FrameResult, ...]
    rate: Fraction
    plan: Plan


def signature_of(action: bpy.types.Action | None) -> str:
    """The text that an Action of ours carries; "" for one that is not."""
    text = None if action is None else action.get(names.ACTION_PROPERTY)
    return text if isinstance(text, str) else ""


def signature_on(objects: Sequence[str]) -> str:
    """The signature of what animates the first of these objects that a take was keyed onto; "" where none was.

    Raises InputError when one of them is gone.
    """
    for name in objects:
        owner = find_object(name)
        for block in (getattr(owner.data, "shape_keys", None), owner):
            signature = signature_of(animation_of(block)) if block is not None else ""
            if signature:
                return signature
    return ""


def sign(action: bpy.types.Action, origins: Sequence[Origin]) -> None:
    """Let the Action remember these, the newest of them at least."""
    action[names.ACTION_PROPERTY] = to_text(origins)


def to_text(origins: Sequence[Origin]) -> str:
    """The signature for these, oldest first; as many of the newest as there is room for, and one in any case."""
    kept = list(origins[-MOST_ORIGINS:])
    text = _text(kept)
    while len(text) > MOST_TEXT and len(kept) > 1:
        kept = kept[(len(kept) + 1) // 2 :]
        text = _text(kept)
    return text


def _text(origins: Sequence[Origin]) -> str:
    profiles: list[Profile] = []
    recipes: list[Recipe] = []
    entries = []
    for origin in origins:
        plan = replace(origin.plan, profile=_NO_PROFILE, recipe=_NO_RECIPE).to_dict()
        plan["profile"], plan["recipe"] = _place(profiles, origin.plan.profile), _place(recipes, origin.plan.recipe)
        entries.append({"take": str(origin.take), "plan": plan})
    shared = {
        "profiles": [lean_profile(profile) for profile in profiles],
        "recipes": [recipe.to_dict() for recipe in recipes],
    }
    return json.dumps({"version": VERSION, **shared, "origins": entries}, separators=(",", ":"))


def _place(known: list[Any], one: Any) -> int:
    """Where it stands among those known, to which it is added."""
    if one not in known:
        known.append(one)
    return known.index(one)


def origins_in(signature: str) -> tuple[Origin, ...]:
    """What an Action with this signature was keyed from, oldest first; empty when there is none."""
    if not signature:
        return ()
    try:
        data = json.loads(signature)
        if isinstance(data, list):
            return tuple(_first_version(entry) for entry in data)
        profiles = [Profile.from_dict(profile) for profile in data["profiles"]]
        recipes = [Recipe.from_dict(recipe) for recipe in data["recipes"]]
        return tuple(_origin(entry, profiles, recipes) for entry in data["origins"])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, InputError):
        return ()  # somebody edited the property by hand


def _origin(entry: Any, profiles: Sequence[Profile], recipes: Sequence[Recipe]) -> Origin:
    """Profiles are read once for all takes: a large one takes a millisecond."""
    data = entry["plan"]
    plan = Plan.from_dict(data | {"profile": _NO_PROFILE.to_dict(), "recipe": _NO_RECIPE.to_dict()})
    return Origin(Path(entry["take"]), replace(plan, profile=profiles[data["profile"]], recipe=recipes[data["recipe"]]))


def _first_version(entry: Any) -> Origin:
    """Plans of version 0.1 had one mesh, whose shape keys are called as ARKit calls them, and no recipe."""
    old = json.loads(entry["plan"])
    links = tuple(Link(action, BY_NAME[action].arkit_name) for action in SHAPES)
    plan = {
        "meshes": [old["mesh"]] if old["mesh"] else [],
        "rotations": old["rotations"],
        "time": old["time"],
        "profile": Profile("ARKit", links).to_dict(),
        "recipe": Recipe().to_dict(),
        "mode": KeyMode.NEW.value,
        "push": False,
    }
    return Origin(Path(entry["take"]), Plan.from_dict(plan))


def gather(signature: str) -> tuple[Gathered, ...]:
    """All results that an Action was keyed from, grouped by footage and time map, the group keyed last at the end.

    In a group a later origin's frames stand in place of earlier ones. Raises TakeError when the last take can't be
    read; earlier ones that are gone are left out.
    """
    groups: list[tuple[Any, Gathered]] = []
    origins = origins_in(signature)
    for origin in origins:
        if origin is not origins[-1] and not origin.take.exists():
            continue
        take = read_take(origin.take)
        footage = tuple(take.header.source.get(name) for name in ("kind", "path", "pattern"))
        place = next((n for n, (of, group) in enumerate(groups) if of == footage and _fits(group, origin)), None)
        before = groups.pop(place)[1] if place is not None else None
        groups.append((footage, _joined(before, take, origin.plan)))
    return tuple(group for _, group in groups)


def _fits(group: Gathered, origin: Origin) -> bool:
    return same_map(group.plan.time, origin.plan.time, group.results)


def _joined(before: Gathered | None, take: Take, plan: Plan) -> Gathered:
    """Frames that came without a result leave what is there, unless their whole range was replaced."""
    if before is None:
        rate = take.header.rate or plan.time.source_rate
        return Gathered(tuple(sorted(take.results, key=lambda result: result.frame)), rate, plan)
    merged = {result.frame: result for result in before.results}
    if plan.mode is KeyMode.REPLACE and take.results:
        frames = [result.frame for result in take.results]
        merged = {frame: result for frame, result in merged.items() if not min(frames) <= frame <= max(frames)}
    for result in take.results:
        if result.status is Status.OK or result.frame not in merged:
            merged[result.frame] = result
    keep = plan.mode is KeyMode.INSERT and before.plan.mode is not KeyMode.INSERT
    results = tuple(merged[frame] for frame in sorted(merged))
    return Gathered(results, before.rate, before.plan if keep else plan)
