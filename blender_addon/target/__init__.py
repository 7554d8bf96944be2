# SPDX-License-Identifier: GPL-3.0-or-later
"""What is keyed: meshes, controls, and how actions map onto them."""

SETTINGS: tuple[str, ...] = ()
REST: tuple[str, ...] = ("operators", "panel")
