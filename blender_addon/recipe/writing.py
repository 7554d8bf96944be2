# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of results keyed again in the order in which they were keyed: onto a new Action, or into a copy of the old.

A take that was keyed on a new Action of its own gets a new one. What was only ever inserted into an Action of the
user's goes into a copy of that Action, so that every other key in it stays. Knows nothing of recipes or previews.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..keying.actions import assign
from ..keying.build import Built
from ..keying.fcurves import write_into, write_take
from ..keying.plan import KeyMode
from .standin import Former, former_of


def write_groups(name: str, built: Sequence[Built], modes: Sequence[KeyMode]) -> list[bpy.types.Action]:
    """Write all groups and assign the Actions; returns these, each once. No Action that exists is changed."""
    order = sorted(range(len(built)), key=lambda number: modes[number] is not KeyMode.NEW)
    owners = list(dict.fromkeys(track.owner for one in built for track in one.tracks))
    first = order[0]
    if modes[first] is KeyMode.NEW:
        made = write_take(name, built[first].tracks)
        order = order[1:]
        owners = [owner for owner in owners if owner not in {track.owner for track in built[first].tracks}]
    else:
        made = []
    made += _copies(name, [former_of(owner) for owner in owners])
    for number in order:
        span = built[number].span if modes[number] is KeyMode.REPLACE else None
        made += write_into(name, built[number].tracks, span)
    return list(dict.fromkeys(made))


def _copies(name: str, formers: Sequence[Former]) -> list[bpy.types.Action]:
    """Copies of what animates these data-blocks, previews aside, assigned to them."""
    copies: dict[bpy.types.Action, bpy.types.Action] = {}
    for former in formers:
        if former.action is None:
            if former.owner.animation_data is not None:
                former.owner.animation_data.action = None  # not a preview's, into which nothing may be written
            continue
        if former.action not in copies:
            copy = former.action.copy()
            copy.name, copy.use_fake_user = name, True
            copies[former.action] = copy
        copy = copies[former.action]
        slot = next((slot for slot in copy.slots if slot.handle == former.slot), None) if former.slot else None
        assign(former.owner, copy, slot)
    return list(copies.values())
