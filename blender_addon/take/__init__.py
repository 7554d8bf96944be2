# SPDX-License-Identifier: GPL-3.0-or-later
"""Working with a take: where it lies, what it says at the playhead."""

SETTINGS: tuple[str, ...] = ()
REST: tuple[str, ...] = ("operators", "panel")
