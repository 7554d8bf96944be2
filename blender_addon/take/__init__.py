# SPDX-License-Identifier: GPL-3.0-or-later
"""Working with a take: its frames and what was read from them, review, markers, comparison with another one."""

SETTINGS: tuple[str, ...] = ()
REST: tuple[str, ...] = (
    "state",
    "operators",
    "navigation",
    "reanalyze",
    "markers",
    "comparing",
    "listing",
    "panel_frames",
    "panel_reading",
    "panel_compare",
    "handlers",
)
