# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that say how a take becomes keys: on a new Action or in the present one. They live on the scene."""

from __future__ import annotations

from typing import Any

import bpy

from .plan import KeyMode

AUTO = "AUTO"
POSES = frozenset({"CURRENT", "MARKERS"})
"""Choices of frames that stand for single poses: these go into the present Action unless the user says otherwise."""


class KeyingSettings:
    """Mixed into the scene's settings."""

    key_mode: bpy.props.EnumProperty(
        name="Keys",
        description="Where the keys go",
        items=(
            (AUTO, "Automatic", "Single frames into the present Action, everything else onto a new one"),
            (
                KeyMode.NEW.value,
                "New Action",
                "A new Action of these keys alone; the old one stays in the file",
            ),
            (KeyMode.INSERT.value, "Insert", "Into the present Action, at the chosen frames. All other keys stay"),
            (
                KeyMode.REPLACE.value,
                "Replace Range",
                "Into the present Action, in place of the keys of the same channels from the first to the last frame",
            ),
        ),
        default=AUTO,
    )
    push_down: bpy.props.BoolProperty(
        name="Push Old Action Down",
        description="Put the Action that a new one replaces onto a muted NLA track, where it stands in time",
    )


def key_mode_of(settings: Any) -> KeyMode:
    """What the settings amount to for the frames that they choose."""
    if settings.key_mode != AUTO:
        return KeyMode(settings.key_mode)
    return KeyMode.INSERT if settings.frames in POSES else KeyMode.NEW
