# SPDX-License-Identifier: GPL-3.0-or-later
"""One analysis from the click to the finished take."""

SETTINGS: tuple[str, ...] = ()
REST: tuple[str, ...] = ("operators", "panel")
