# SPDX-License-Identifier: GPL-3.0-or-later
"""From a take on disk to keys in the file, and the report of what was keyed and what was not.

Frames without a result get no key, unless the recipe fills them, and are named. Reads `semanticface.take`; knows
nothing of the backend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bpy

from semanticface.protocol import to_runs
from semanticface.results import Status
from semanticface.take import Take

from ..target.targets import check_plan
from .build import Built, absent_shapes, build, driven_channels
from .fcurves import write_into, write_take
from .placing import time_of_anchor
from .plan import KeyMode, Plan
from .refusals import notes_on
from .signature import Gathered, Origin, gather, origins_in, sign, signature_of, signature_on

__all__ = [
    "Gathered",
    "Origin",
    "Report",
    "describe_frames",
    "gather",
    "key_take",
    "origins_in",
    "signature_of",
    "signature_on",
    "time_of_anchor",
]

MOST_NAMES = 12


@dataclass(frozen=True, slots=True)
class Report:
    """What was keyed. `gaps` maps a status to the source frames that got no key; `merged` shared a scene frame.

    `keys` are enough for `values`, the values of all curves. `filled` source frames took theirs from neighbours.
    """

    actions: tuple[str, ...]
    keyed: int
    channels: int
    gaps: Mapping[str, tuple[int, ...]]
    merged: int = 0
    absent: tuple[str, ...] = ()
    driven: tuple[str, ...] = ()
    keys: int = 0
    values: int = 0
    filled: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Lines for the panel and the info area."""
        out = [f"Keyed {self.keyed} frames on {self.channels} channels: {', '.join(self.actions) or 'nothing'}"]
        if self.keys < self.values:
            out.append(f"{self.keys:,} of {self.values:,} keys are enough")
        for status, frames in self.gaps.items():
            out.append(f"No key, {status.replace('_', ' ')}: source frames {describe_frames(frames)}")
        if self.filled:
            out.append(f"Filled from their neighbours: source frames {describe_frames(self.filled)}")
        if self.merged:
            out.append(f"{self.merged} source frames share a scene frame with a nearer one")
        if self.absent:
            rest = f" and {len(self.absent) - MOST_NAMES} more" if len(self.absent) > MOST_NAMES else ""
            out.append(f"No target for {', '.join(self.absent[:MOST_NAMES])}{rest}")
        if self.driven:
            out.append(f"Left to their drivers: {', '.join(self.driven)}")
        return out + list(self.notes)


def describe_frames(frames: Sequence[int], most: int = 12) -> str:
    """Frame numbers as runs: `3, 7-12, 20-40:2`; at most so many runs."""
    runs = to_runs(sorted(frames))
    texts = []
    for first, last, step in runs[:most]:
        span = f"{first}-{last}" if step == 1 else f"{first}-{last}:{step}"
        texts.append(str(first) if first == last else span)
    return ", ".join(texts) + (f" and {len(runs) - most} more runs" if len(runs) > most else "")


def key_take(take: Take, plan: Plan) -> Report:
    """Key a take as the plan says. Raises InputError with nothing changed when it can't be."""
    check_plan(plan)
    built = build(plan, take.results, take.header.rate or plan.time.source_rate)
    gaps = _gaps(take, built.filled)
    if not built.tracks:
        notes = ("All curves are zero throughout, and such ones are left out",) if built.keyed else ()
        return Report((), 0, 0, gaps, notes=notes)
    notes = notes_on(plan)
    actions = _write(take, plan, built)
    return Report(
        actions=tuple(action.name for action in actions),
        keyed=built.keyed,
        channels=sum(len(track.channels) for track in built.tracks),
        gaps=gaps,
        merged=built.merged,
        absent=absent_shapes(plan),
        driven=driven_channels(plan),
        keys=built.keys,
        values=built.values,
        filled=built.filled,
        notes=notes,
    )


def _gaps(take: Take, filled: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Status -> source frames that have no result and no values from elsewhere."""
    without: dict[str, list[int]] = {}
    for status in Status:
        for result in take.results:
            if status is not Status.OK and result.status is status and result.frame not in filled:
                without.setdefault(status.value, []).append(result.frame)
    return {status: tuple(frames) for status, frames in without.items()}


def _write(take: Take, plan: Plan, built: Built) -> list[bpy.types.Action]:
    """The Actions that hold the keys, each with what it was keyed from."""
    if plan.mode is KeyMode.NEW:
        actions = write_take(take.path.name, built.tracks, plan.push)
    else:
        actions = write_into(take.path.name, built.tracks, built.span if plan.mode is KeyMode.REPLACE else None)
    for action in actions:
        sign(action, (*origins_in(signature_of(action)), Origin(take.path, plan)))
    return actions
