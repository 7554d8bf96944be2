# SPDX-License-Identifier: GPL-3.0-or-later
"""What is keyed: meshes, controls, and how actions map onto them."""

SETTINGS: tuple[str, ...] = ("properties",)
REST: tuple[str, ...] = ("operators", "mapping_operators", "panel", "mapping_panel")
