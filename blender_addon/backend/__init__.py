# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend as Blender sees it: find, install, start, join, release, and tell what is wrong."""

SETTINGS: tuple[str, ...] = ()
REST: tuple[str, ...] = ("operators", "installing", "tasks", "rendering", "panel")
