# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipe that makes curves of raw results: its sliders, its preview, its presets."""

SETTINGS: tuple[str, ...] = ("properties",)
REST: tuple[str, ...] = ("operators", "neutral_operators", "preview", "panel")
