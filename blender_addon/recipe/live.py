# SPDX-License-Identifier: GPL-3.0-or-later
"""The quick way from a moved slider to the curves of a preview: what changed is computed and written, nothing else.

For a take that was keyed by itself: one group of results, each of which is a key of each curve. Keeps numbers and
names, nothing of Blender's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import bpy
import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.curves.recipe import Recipe
from semanticface.curves.replay import Replay
from semanticface.curves.shaping import differing
from semanticface.errors import InputError

from ..compat import session_uid
from ..keying.actions import animation_of
from ..keying.build import dense_tracks, recipe_in_force
from ..keying.fcurves import refill
from ..keying.placing import places_of
from ..keying.plan import KeyMode, Plan
from ..keying.signature import Gathered
from . import standin


@dataclass(slots=True)
class Live:
    """`rows` (K,) of the samples are keys on scene `frames` (K,); `present` (F,) says which rows have values.

    `values` (K, 61) are those that the curves show.
    """

    group: Gathered
    replay: Replay
    present: NDArray[np.bool_]
    rows: NDArray[np.int64]
    frames: NDArray[np.float64]
    values: NDArray[np.float64]

    def refresh(self, recipe: Recipe, shown: dict[int, standin.Shown]) -> bool:
        """Bring the preview's curves, and `shown` with them, up to the recipe.

        False when they can't be: a target is gone or isn't previewed, curves were edited, other frames have values.
        """
        samples = self.replay.apply(recipe_in_force(replace(self.group.plan, recipe=recipe), self.group.results))
        if not np.array_equal(samples.present, self.present):
            return False
        values = samples.values[self.rows]
        changed = {CSV_ORDER[column] for column in differing(self.values, values)}
        try:
            self._write(part_of(self.group.plan, changed), values, shown)
        except InputError:
            return False
        self.values = values
        return True

    def forget(self) -> None:
        """The curves may show anything now: the next `refresh` writes all of them."""
        self.values = np.full_like(self.values, np.nan)

    def _write(self, plan: Plan, values: NDArray[np.float64], shown: dict[int, standin.Shown]) -> None:
        for track in dense_tracks(plan, values, self.frames):
            known = shown.get(session_uid(track.owner))
            if known is None or not standin.is_preview(animation_of(track.owner)):
                raise InputError(f'"{track.owner.name}" is not previewed', "make the curves anew")
            refill(track.owner, track.channels)
            for channel in track.channels:
                known[channel.path, channel.index][1::2] = channel.keys.values


def begin_live(group: Gathered, replay: Replay, recipe: Recipe) -> Live | None:
    """For curves that show this recipe now; None where they have to be made anew at each change."""
    if group.plan.mode is not KeyMode.NEW:
        return None  # among keys of the user's
    samples = replay.apply(recipe_in_force(replace(group.plan, recipe=recipe), group.results))
    places = places_of(group.results, group.plan.time)
    standing = places.standing(samples.present)
    standing = standing[samples.present[places.rows[standing]]]
    rows = places.rows[standing]
    return Live(group, replay, samples.present, rows, places.frames[standing], samples.values[rows])


def part_of(plan: Plan, actions: Collection[str]) -> Plan:
    """The plan with those links and controls alone whose targets any of these actions moves."""
    targets = {link.target for link in plan.profile.links if link.action in actions}
    links = tuple(link for link in plan.profile.links if link.target in targets)
    turned = tuple(one for one in plan.rotations if not set(one.action_names()).isdisjoint(actions))
    return replace(plan, profile=replace(plan.profile, links=links), rotations=turned)


def shown_on(owners: Collection[bpy.types.ID]) -> dict[int, standin.Shown]:
    """The keys on these data-blocks, by session id."""
    return {session_uid(owner): standin.read_back(owner) for owner in owners}
