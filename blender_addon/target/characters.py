# SPDX-License-Identifier: GPL-3.0-or-later
"""Which meshes belong to one character: those on the same armature, under the same parent, or in the same collection.

Names decide in the end: a mesh is of use only when its shape keys match in the character's convention.
"""

from __future__ import annotations

import bpy

from .shapes import match_of


def meshes_of_character(main: bpy.types.Object, scene: bpy.types.Scene) -> tuple[bpy.types.Object, ...]:
    """The other meshes of the character that `main` belongs to, whose shape keys match together with its own."""
    others = [one for one in scene.objects if one is not main and one.type == "MESH" and one.data.shape_keys]
    kin = [one for one in others if _armatures(one) & _armatures(main) or _root(one) == _root(main)]
    if not kin:
        home = {collection for collection in main.users_collection if collection is not scene.collection}
        kin = [one for one in others if home & set(one.users_collection)]
    found = match_of((main, *kin)).matched
    return tuple(one for one in kin if one.name in found)


def _armatures(one: bpy.types.Object) -> set[bpy.types.Object]:
    found = {modifier.object for modifier in one.modifiers if modifier.type == "ARMATURE" and modifier.object}
    parent = one.parent
    return found | ({parent} if parent is not None and parent.type == "ARMATURE" else set())


def _root(one: bpy.types.Object) -> bpy.types.Object:
    while one.parent is not None:
        one = one.parent
    return one
