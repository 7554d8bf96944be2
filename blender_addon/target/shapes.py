# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape keys of meshes, and what automatic matching makes of them.

A match is remembered by the names that went into it, so that asking again on each redraw costs no more than reading
the names. Changes nothing in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import bpy

from semanticface.retarget.matching import Match, match

from ..keying.addresses import find_object, shape_path

REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Names:
    """Of a mesh's shape keys, without the basis: `free` can be keyed, `driven` obey a driver."""

    mesh: str
    free: tuple[str, ...] = ()
    driven: tuple[str, ...] = ()


def names_of(mesh: bpy.types.Object) -> Names:
    """The names of an object's shape keys; none for what has none."""
    keys = getattr(mesh.data, "shape_keys", None)
    if keys is None:
        return Names(mesh.name)
    basis = keys.reference_key.name if keys.use_relative and keys.reference_key is not None else None
    listed = [key.name for key in keys.key_blocks if key.name != basis]
    paths = {curve.data_path for curve in keys.animation_data.drivers} if keys.animation_data else set()
    if not paths:
        return Names(mesh.name, tuple(listed))
    driven = {name for name in listed if shape_path(name) in paths}
    return Names(mesh.name, tuple(name for name in listed if name not in driven), tuple(sorted(driven)))


def match_of(meshes: Iterable[bpy.types.Object]) -> Match:
    """The automatic match of these meshes together; shape keys that a driver holds are left out."""
    return _match(tuple((names.mesh, names.free) for names in map(names_of, meshes)))


def driven_faces(meshes: Iterable[bpy.types.Object]) -> tuple[str, ...]:
    """Shape keys that would be matched if no driver held them."""
    every = [(names.mesh, (*names.free, *names.driven), set(names.driven)) for names in map(names_of, meshes)]
    found = _match(tuple((mesh, listed) for mesh, listed, _ in every))
    return tuple(
        name
        for mesh, _, driven in every
        for names in found.matched.get(mesh, {}).values()
        for name in names
        if name in driven
    )


def available(meshes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Mesh -> the shape keys that can be keyed, as `retarget.apply` asks for them. Raises InputError for one gone."""
    return {mesh: names_of(find_object(mesh)).free for mesh in meshes}


def has_face_shapes(candidate: Any) -> bool:
    """Whether an object is a mesh with shape keys that are known as facial actions, taken alone."""
    if candidate is None or candidate.type != "MESH" or candidate.data.shape_keys is None:
        return False
    return bool(match_of((candidate,)).found)


@lru_cache(REMEMBERED)
def _match(shapes: tuple[tuple[str, tuple[str, ...]], ...]) -> Match:
    return match(dict(shapes))
