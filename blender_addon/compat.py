# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender versions spell differently and more than one room needs, told apart by what is offered.

Knows nothing of the add-on's rooms. What only one room needs (slots of Actions, strips) stays there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy


class _Files:
    """How many files were opened since registration: what tells data-blocks of different files apart before 4.2."""

    opened = 0


@bpy.app.handlers.persistent
def _count_file(*_: Any) -> None:
    _Files.opened += 1


def session_uid(block: bpy.types.ID) -> int:
    """A number that finds a data-block again after undo and renaming, and never stands for one of another file.

    Blender's own since 4.2. Before, the block's address, which undo keeps, with the number of the opened file.
    """
    own = getattr(block, "session_uid", None)
    return own if own is not None else (_Files.opened << 64) | block.as_pointer()


def is_editable(block: bpy.types.ID) -> bool:
    """Whether the data-block can be edited in this file; where Blender doesn't say, whether it is no linked one."""
    return getattr(block, "is_editable", block.library is None)


def user_folder(package: str, path: str) -> Path | None:
    """The folder that Blender gives an extension for its files, made when missing; None where it gives none."""
    folder_of = getattr(bpy.utils, "extension_path_user", None)
    if folder_of is None:
        return None
    try:
        return Path(folder_of(package, path=path, create=True))
    except ValueError:  # registered by a script from a checkout, not as an extension
        return None


def register() -> None:
    if _count_file not in bpy.app.handlers.load_post and "session_uid" not in bpy.types.ID.bl_rna.properties:
        bpy.app.handlers.load_post.append(_count_file)


def unregister() -> None:
    if _count_file in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_count_file)
