# SPDX-License-Identifier: GPL-3.0-or-later
"""How Blender spells what can be keyed: objects by name, and the data paths of shape keys, rotations and properties.

Looks things up, changes nothing, judges nothing. What may be keyed is for `refusals` and `target.targets`.
"""

from __future__ import annotations

import bpy

from semanticface.errors import InputError


def find_object(name: str) -> bpy.types.Object:
    """The object of this file with that name, local ones first. Raises InputError when it is gone."""
    found = bpy.data.objects.get((name, None)) or bpy.data.objects.get(name)
    if found is None:
        raise InputError(f'the object "{name}" is not in this file', "choose the target again")
    return found


def shape_path(key_name: str) -> str:
    """The data path of a shape key's value, on the `Key` data-block."""
    return f'key_blocks["{bpy.utils.escape_identifier(key_name)}"].value'


def bone_prefix(bone: str) -> str:
    """What a pose bone's paths begin with; "" for the object itself."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"]' if bone else ""


def euler_path(bone: str) -> str:
    """The data path, on the object, of the Euler angles of a bone, or of the object when `bone` is ""."""
    prefix = bone_prefix(bone)
    return f"{prefix}.rotation_euler" if prefix else "rotation_euler"


def property_path(name: str, bone: str = "") -> str:
    """The data path, on the object, of a custom property of a bone, or of the object when `bone` is ""."""
    return f'{bone_prefix(bone)}["{bpy.utils.escape_identifier(name)}"]'
