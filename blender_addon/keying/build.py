# SPDX-License-Identifier: GPL-3.0-or-later
"""From raw results to tracks: recipe, scene frames, retargeting, fewer keys. Nothing in the file is changed here.

Every number is made for all frames at once. Curves that several meshes share are made once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import bpy
import numpy as np
from numpy.typing import NDArray

from semanticface.actions import SHAPES
from semanticface.curves.keys import KeyCurve
from semanticface.curves.recipe import Recipe, Reduction
from semanticface.curves.reduction import reduce
from semanticface.curves.replay import Replay, apply
from semanticface.curves.samples import COLUMN, samples_of
from semanticface.results import FrameResult, Status
from semanticface.retarget.apply import drive, targets_of
from semanticface.retarget.profile import TargetKind

from .. import names
from ..compat import session_uid
from ..target.rotations import euler_angles
from ..target.shapes import available, names_of
from ..target.targets import rotation_control
from .addresses import euler_path, find_object, property_path, shape_path
from .fcurves import Channel, Track, dense
from .placing import places_of
from .plan import KeyMode, Plan, RotationTarget

Floats = NDArray[np.float64]
ZERO = 1e-4
"""Curves that stay below are zero throughout, where the recipe has no tolerance of its own."""


@dataclass(frozen=True, slots=True)
class Built:
    """`keys` stand in the tracks' curves where there are `values`, one for each curve and frame that has one.

    `keyed` frames of the scene have values, `merged` results gave way to nearer ones. `filled` are source frames
    without a result whose values came from their neighbours, `span` is the first and the last chosen scene frame.
    """

    tracks: tuple[Track, ...]
    keys: int
    values: int
    keyed: int
    merged: int
    filled: tuple[int, ...]
    span: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Wire:
    """A channel that has no keys yet: its values (K,), NaN in rows without."""

    path: str
    index: int
    group: str
    values: Floats


def tracks_of(
    plan: Plan, results: Sequence[FrameResult], rate: Fraction, replay: Replay | None = None
) -> tuple[Track, ...]:
    """The tracks of `build` alone."""
    return build(plan, results, rate, replay).tracks


def build(plan: Plan, results: Sequence[FrameResult], rate: Fraction, replay: Replay | None = None) -> Built:
    """What the plan makes of the results. `rate`: source frames per second, for results that don't know their time.

    `replay` must be one of the samples of these results; it spares the steps of the recipe that haven't changed.
    Raises InputError when a target is gone.
    """
    rows = [result for _, result in sorted({result.frame: result for result in results}.items())]
    recipe = recipe_in_force(plan, rows)
    samples = replay.apply(recipe) if replay is not None else apply(recipe, samples_of(rows, rate))
    places = places_of(rows, plan.time)
    standing = places.standing(samples.present)
    chosen = places.rows[standing]
    present = samples.present[chosen]
    answered = np.array([result.status is Status.OK for result in rows], bool)
    wires = _wires(plan, samples.values[chosen])
    if recipe.prune and plan.mode is KeyMode.NEW:
        wires = {uid: (block, _moving(those, recipe)) for uid, (block, those) in wires.items()}
    tracks = _tracks(wires, places.frames[standing], present, recipe.reduction) if present.any() else ()
    return Built(
        tracks=tracks,
        keys=sum(len(channel.keys) for track in tracks for channel in track.channels),
        values=int(present.sum()) * sum(len(those) for _, those in wires.values()),
        keyed=int(present.sum()),
        merged=int(answered[places.rows].sum() - answered[chosen].sum()),
        filled=tuple(rows[row].frame for row in chosen[present & ~answered[chosen]]),
        span=places.span if rows else (0.0, 0.0),
    )


def dense_tracks(plan: Plan, values: Floats, frames: Floats) -> tuple[Track, ...]:
    """Straight-line keys on each scene frame (K,), of values (K, 61) of the actions, none of them NaN.

    Raises InputError when a target is gone.
    """
    return _tracks(_wires(plan, values), frames, np.ones(len(frames), bool), None)


def recipe_in_force(plan: Plan, results: Sequence[FrameResult]) -> Recipe:
    """The plan's recipe; without smoothing and reduction where exactly the chosen frames are to be keyed."""
    if plan.mode is not KeyMode.INSERT and len(results) > 1:
        return plan.recipe
    return replace(plan.recipe, smoothing=0.0, reduction=None)


def driven_paths(block: bpy.types.ID) -> set[tuple[str, int]]:
    """(data path, index) of everything on the data-block that obeys a driver."""
    if block.animation_data is None:
        return set()
    return {(curve.data_path, curve.array_index) for curve in block.animation_data.drivers}


def absent_shapes(plan: Plan) -> tuple[str, ...]:
    """Those of the 52 that move nothing with this plan; none are named when it has no meshes."""
    if not plan.meshes:
        return ()
    links = targets_of(plan.profile, available(plan.meshes)).values()
    moving = {link.action for those in links for link in those}
    return tuple(action for action in SHAPES if action not in moving)


def driven_channels(plan: Plan) -> tuple[str, ...]:
    """What the plan would key but leaves to drivers, as texts for the user."""
    wanted = {link.target for link in plan.profile.links if link.kind is TargetKind.SHAPE}
    found = [key for name in plan.meshes for key in names_of(find_object(name)).driven if key in wanted]
    for target in plan.rotations:
        driven = driven_paths(find_object(target.object))
        if any((euler_path(target.bone), index) in driven for index in range(3)):
            found.append(f"the rotation of {target.bone or target.object}")
    return tuple(dict.fromkeys(found))


def _wires(plan: Plan, values: Floats) -> dict[int, tuple[bpy.types.ID, list[_Wire]]]:
    """Session id -> data-block and what is keyed on it, from values (K, 61) of the actions."""
    found: dict[int, tuple[bpy.types.ID, dict[tuple[str, int], _Wire]]] = {}

    def put(block: bpy.types.ID, wire: _Wire) -> None:
        _, wires = found.setdefault(session_uid(block), (block, {}))
        wires[wire.path, wire.index] = wire  # meshes may share their shape keys

    kinds = {(link.owner, link.bone, link.target): link.kind for link in plan.profile.links}
    for key, moved in drive(plan.profile, values, available(plan.meshes)).items():
        owner, bone, target = key
        if kinds.get(key) is TargetKind.PROPERTY:
            group = bone or names.GROUP_PROPERTIES
            put(find_object(owner), _Wire(property_path(target, bone), 0, group, moved))
        else:
            keys = find_object(owner).data.shape_keys
            put(keys, _Wire(shape_path(target), 0, names.GROUP_SHAPES, moved))
    for control in plan.rotations:
        for wire in _rotation_wires(control, values):
            put(find_object(control.object), wire)
    out = {}
    for uid, (block, wires) in found.items():
        driven = driven_paths(block)
        out[uid] = (block, [wire for at, wire in wires.items() if at not in driven])
    return out


def _rotation_wires(target: RotationTarget, values: Floats) -> list[_Wire]:
    turns = values[:, [COLUMN[action] for action in target.action_names()]]  # (K, 3)
    present = np.isfinite(turns).all(axis=1)
    angles = np.full(turns.shape, np.nan)
    angles[present] = euler_angles(turns[present], target.axes, rotation_control(target).rotation_mode)
    path, group = euler_path(target.bone), target.bone or names.GROUP_ROTATIONS
    return [_Wire(path, index, group, angles[:, index]) for index in range(3)]


def _moving(wires: list[_Wire], recipe: Recipe) -> list[_Wire]:
    least = recipe.reduction.tolerance if recipe.reduction is not None else ZERO
    return [wire for wire in wires if np.nanmax(np.abs(wire.values), initial=0.0) > least]


def _tracks(
    wires: dict[int, tuple[bpy.types.ID, list[_Wire]]],
    frames: Floats,
    present: NDArray[np.bool_],
    reduction: Reduction | None,
) -> tuple[Track, ...]:
    """The wires with keys. Equal curves, as those of lashes and face, are reduced once."""
    place: dict[bytes, int] = {}
    distinct: list[Floats] = []
    for _, those in wires.values():
        for wire in those:
            if place.setdefault(wire.values.tobytes(), len(distinct)) == len(distinct):
                distinct.append(wire.values)
    curves = _curves(distinct, frames, present, reduction)
    return tuple(
        Track(
            block,
            tuple(Channel(wire.path, wire.index, wire.group, curves[place[wire.values.tobytes()]]) for wire in those),
        )
        for block, those in wires.values()
        if those
    )


def _curves(
    columns: list[Floats], frames: Floats, present: NDArray[np.bool_], reduction: Reduction | None
) -> list[KeyCurve]:
    if reduction is not None and columns:
        return reduce(frames, np.stack(columns, axis=1), reduction)
    at = np.ascontiguousarray(frames[present])
    return [dense(at, column[present]) for column in columns]
