# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes to keys: the plan, the F-curves, what is refused."""

SETTINGS: tuple[str, ...] = ()
REST: tuple[str, ...] = ("operators",)
