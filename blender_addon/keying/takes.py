# SPDX-License-Identifier: GPL-3.0-or-later
"""From a take on disk to keys: which frames get one, where they land, and the report of those that got none.

Frames without a result are never filled in: they get no key and are named. Reads `semanticface.take`; knows nothing of
the backend.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from semanticface.errors import InputError
from semanticface.protocol import to_runs
from semanticface.results import FrameResult, Status
from semanticface.take import Take

from .. import names
from ..compat import session_uid
from ..footage.timing import TimeMap
from ..target.rotations import euler_angles
from ..target.targets import check_plan, match_shapes, rotation_control, rotation_path
from .addresses import find_object, shape_path
from .fcurves import SAME_FRAME, Channel, Track, animation_of, write_take
from .plan import KeyMode, Plan, RotationTarget

MOST_ORIGINS = 200
"""Takes that an Action remembers: a keyframe artist's single frames add up in one Action."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was keyed. `gaps` maps a status to the source frames that got no key; `merged` shared a scene frame."""

    actions: tuple[str, ...]
    keyed: int
    channels: int
    gaps: Mapping[str, tuple[int, ...]]
    merged: int = 0
    absent: tuple[str, ...] = ()
    driven: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Lines for the panel and the info area."""
        out = [f"Keyed {self.keyed} frames on {self.channels} channels: {', '.join(self.actions) or 'nothing'}"]
        for status, frames in self.gaps.items():
            out.append(f"No key, {status.replace('_', ' ')}: source frames {describe_frames(frames)}")
        if self.merged:
            out.append(f"{self.merged} source frames share a scene frame with a nearer one")
        if self.absent:
            out.append(f"The mesh has no shape key for {', '.join(self.absent)}")
        if self.driven:
            out.append(f"Left to their drivers: {', '.join(self.driven)}")
        return out


def describe_frames(frames: Sequence[int], most: int = 12) -> str:
    """Frame numbers as runs: `3, 7-12, 20-40:2`; at most so many runs."""
    runs = to_runs(sorted(frames))
    texts = []
    for first, last, step in runs[:most]:
        span = f"{first}-{last}" if step == 1 else f"{first}-{last}:{step}"
        texts.append(str(first) if first == last else span)
    return ", ".join(texts) + (f" and {len(runs) - most} more runs" if len(runs) > most else "")


def placed(results: Sequence[FrameResult], time: TimeMap) -> tuple[list[tuple[float, FrameResult]], int]:
    """(scene frame, result) for each frame that has coefficients, ascending, and how many gave way to a nearer one.

    Where several source frames land on one scene frame, the one whose own time is nearest to it stands, the earlier of
    two that are equally near.
    """
    anchor_time = time_of_anchor(results, time)
    exact = TimeMap(time.anchor, time.scene_frame, time.source_rate, time.scene_rate, time.timing, whole=False)
    nearest: dict[int, tuple[float, float, FrameResult]] = {}
    good = [result for result in results if result.status is Status.OK]
    for result in good:
        where = time.to_scene(result.frame, result.time, anchor_time)
        off = round(abs(exact.to_scene(result.frame, result.time, anchor_time) - where), 6)  # so that ties are ties
        cell = round(where / SAME_FRAME)
        if cell not in nearest or off < nearest[cell][0]:
            nearest[cell] = (off, where, result)
    ordered = sorted(nearest.values(), key=lambda entry: entry[1])
    return [(where, result) for _, where, result in ordered], len(good) - len(ordered)


def time_of_anchor(results: Sequence[FrameResult], time: TimeMap) -> float:
    """Seconds from the start of the source at which the map's anchor is shown."""
    for result in results:
        if result.frame == time.anchor and result.time is not None:
            return result.time
    return float(time.anchor / time.source_rate)


def key_take(take: Take, plan: Plan) -> Report:
    """Key a take as the plan says, onto new Actions. Raises InputError with nothing changed when it can't be."""
    check_plan(plan)
    gaps = {
        status.value: tuple(result.frame for result in take.results if result.status is status)
        for status in Status
        if status is not Status.OK
    }
    gaps = {status: frames for status, frames in gaps.items() if frames}
    keys, merged = placed(take.results, plan.time)
    matches = [match_shapes(find_object(mesh)) for mesh in plan.meshes]
    if not keys:
        return Report((), 0, 0, gaps)
    tracks = _tracks(plan, keys)
    keep = plan.mode is not KeyMode.NEW
    before = origins_in(signature_of(animation_of(tracks[0].owner))) if keep else ()
    actions = write_take(take.path.name, tracks, keep=keep)
    _sign(actions, (*before, Origin(take.path, plan)))
    return Report(
        actions=tuple(action.name for action in actions),
        keyed=len(keys),
        channels=sum(len(track.channels) for track in tracks),
        gaps=gaps,
        merged=merged,
        absent=tuple(sorted(set.intersection(*(set(match.absent) for match in matches)))) if matches else (),
        driven=tuple(name for match in matches for name in match.driven),
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """A take's folder and the plan by which it was keyed."""

    take: Path
    plan: Plan


def signature_of(action: bpy.types.Action | None) -> str:
    """The text that an Action of ours carries; "" for one that is not."""
    text = None if action is None else action.get(names.ACTION_PROPERTY)
    return text if isinstance(text, str) else ""


def origins_in(signature: str) -> tuple[Origin, ...]:
    """What an Action with this signature was keyed from, oldest first; empty when there is none."""
    if not signature:
        return ()
    try:
        return tuple(Origin(Path(entry["take"]), Plan.from_json(entry["plan"])) for entry in json.loads(signature))
    except (ValueError, KeyError, TypeError, InputError):
        return ()  # somebody edited the property by hand


def _sign(actions: Sequence[bpy.types.Action], origins: Sequence[Origin]) -> None:
    entries = [{"take": str(origin.take), "plan": origin.plan.to_json()} for origin in origins[-MOST_ORIGINS:]]
    for action in actions:
        action[names.ACTION_PROPERTY] = json.dumps(entries)


def _tracks(plan: Plan, keys: Sequence[tuple[float, FrameResult]]) -> list[Track]:
    frames = np.array([where for where, _ in keys], np.float32)  # (K,)
    rows = [result.coefficients or {} for _, result in keys]
    channels: dict[int, tuple[bpy.types.ID, list[Channel]]] = {}
    for name in plan.meshes:
        mesh = find_object(name)
        block = mesh.data.shape_keys
        channels[session_uid(block)] = (block, _shape_channels(match_shapes(mesh).keys, rows))
    for target in plan.rotations:
        block = find_object(target.object)
        channels.setdefault(session_uid(block), (block, []))[1].extend(_rotation_channels(target, rows))
    return [Track(owner, frames, tuple(made)) for owner, made in channels.values()]


def _column(rows: Sequence[Mapping[str, float]], action: str) -> NDArray[np.float64]:
    return np.array([row[action] for row in rows], np.float64)


def _shape_channels(keys: Mapping[str, str], rows: Sequence[Mapping[str, float]]) -> list[Channel]:
    return [
        Channel(shape_path(key), 0, names.GROUP_SHAPES, _column(rows, action).astype(np.float32))
        for action, key in keys.items()
    ]


def _rotation_channels(target: RotationTarget, rows: Sequence[Mapping[str, float]]) -> list[Channel]:
    turns = np.stack([_column(rows, action) for action in target.action_names()], axis=1)  # (K, 3)
    angles = euler_angles(turns, target.axes, rotation_control(target).rotation_mode)
    path = rotation_path(target)
    group = target.bone or names.GROUP_ROTATIONS
    return [Channel(path, index, group, angles[:, index]) for index in range(3)]
