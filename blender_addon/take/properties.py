# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of working with a take, which are the scene's: how the list is looked at, and what is compared."""

from __future__ import annotations

from typing import Any

import bpy

from .. import names
from ..keying.takes import signature_of
from .table import Show, Sort, View


def _is_ours(settings: Any, action: bpy.types.Action) -> bool:
    return bool(signature_of(action)) and action.get(names.PREVIEW_PROPERTY) is None


class TakeSettings:
    """Flat names on `scene.semanticface`."""

    list_show: bpy.props.EnumProperty(
        name="Show",
        items=(
            (Show.ALL, "All", "Every analyzed frame"),
            (Show.REVIEW, "To Review", "Frames that failed, are of low confidence or at odds, and not yet reviewed"),
            (Show.FAILED, "Failed", "Frames without a key"),
            (Show.DISAGREE, "At Odds", "Frames whose text and numbers disagree"),
        ),
        default=Show.ALL,
    )
    list_sort: bpy.props.EnumProperty(
        name="Sort",
        items=(
            (Sort.FRAME, "Frame", "By scene frame"),
            (Sort.CONFIDENCE, "Confidence", "The least certain first"),
        ),
        default=Sort.FRAME,
    )
    list_search: bpy.props.StringProperty(
        name="Search", description="Part of an expression's name, or a source frame", options={"TEXTEDIT_UPDATE"}
    )
    review_threshold: bpy.props.FloatProperty(
        name="Low Confidence",
        description="Frames with a confidence below this are to be reviewed",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    follow_playhead: bpy.props.BoolProperty(
        name="Follow Playhead", description="The list goes along with the playhead", default=True
    )
    markers_of: bpy.props.EnumProperty(
        name="Markers",
        items=(
            ("CHANGES", "At Changes", "Where the expression category changes"),
            ("ALL", "At Every Frame", "At each analyzed frame"),
            ("REVIEW", "To Review", "At frames to be reviewed"),
        ),
        default="CHANGES",
    )
    markers_made: bpy.props.StringProperty(description="The markers that we made", options={"HIDDEN"})
    compare_with: bpy.props.EnumProperty(
        name="Compare With",
        items=(
            ("ACTION", "Action", "An Action of this file that was keyed from a take"),
            ("FOLDER", "Folder", "A take on disk, placed as the present one is"),
        ),
        default="ACTION",
    )
    compare_action: bpy.props.PointerProperty(
        type=bpy.types.Action, name="Action", description="Take B: an Action keyed from a take", poll=_is_ours
    )
    compare_folder: bpy.props.StringProperty(name="Folder", description="Take B: its folder", subtype="DIR_PATH")


def view_of(settings: Any) -> View:
    """How the list is looked at, as plain data."""
    return View(Show(settings.list_show), Sort(settings.list_sort), settings.review_threshold, settings.list_search)
