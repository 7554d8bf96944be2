# SPDX-License-Identifier: GPL-3.0-or-later
"""Which footage and which of its frames, and where they land in the scene: clips, sequences, strips, files, markers."""

SETTINGS: tuple[str, ...] = ()
REST: tuple[str, ...] = ("operators", "panel")
