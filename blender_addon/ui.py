# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels share: their place in the sidebar, and text wrapped to its width. Draws, and knows of nothing else."""

from __future__ import annotations

import textwrap
from typing import Any

from . import names

LETTER, BESIDE = 6.2, 84
"""Width of a letter, and what stands beside a text (icon, margins, tabs), in pixels at a resolution scale of 1.

Measured on the average label in Blender 3.4's font; a label that is too long ends in dots."""


class Sidebar:
    """A panel of ours; `bl_order` sorts them."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = names.CATEGORY


def wrapped(context: Any, lines: Any) -> list[str]:
    """Lines wrapped to the width of the sidebar."""
    scale = context.preferences.system.ui_scale
    width = context.region.width / scale if context.region is not None else 300
    letters = max(20, int((width - BESIDE) / LETTER))
    parts = []
    for line in lines:
        indent = "    " if line.startswith(" ") else ""
        parts += textwrap.wrap(line, letters, subsequent_indent=indent, break_on_hyphens=False) or [""]
    return parts


def paragraphs(layout: Any, context: Any, lines: Any, icon: str) -> None:
    """Lines wrapped to the width of the sidebar; the first carries the icon."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for part in wrapped(context, lines):
        column.label(text=part, icon=icon)
        icon = "BLANK1"
