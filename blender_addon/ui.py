# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels share: their place in the sidebar, and text wrapped to its width. Draws, and knows of nothing else."""

from __future__ import annotations

import textwrap
from typing import Any

from . import names

PIXELS_PER_LETTER = 7


class Sidebar:
    """A panel of ours; `bl_order` sorts them."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = names.CATEGORY


def wrapped(context: Any, lines: Any) -> list[str]:
    """Lines wrapped to the width of the sidebar."""
    width = context.region.width if context.region is not None else 300
    parts = []
    for line in lines:
        indent = "    " if line.startswith(" ") else ""
        parts += textwrap.wrap(line, max(20, width // PIXELS_PER_LETTER), subsequent_indent=indent) or [""]
    return parts


def paragraphs(layout: Any, context: Any, lines: Any, icon: str) -> None:
    """Lines wrapped to the width of the sidebar; the first carries the icon."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for part in wrapped(context, lines):
        column.label(text=part, icon=icon)
        icon = "BLANK1"
