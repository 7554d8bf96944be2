# SPDX-License-Identifier: GPL-3.0-or-later
"""Which engines there are to choose from, and what is to be said of the chosen one. Knows nothing of Blender's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .order import AUTO, LANDMARKS


def names_offered(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names for the panel's field: those that the backend has, or what every backend has while none is connected."""
    names = [str(row["name"]) for row in rows if row.get("installed") and isinstance(row.get("name"), str)]
    return list(dict.fromkeys([AUTO, *(names or [LANDMARKS])]))


def reason(engine: str, rows: Sequence[Mapping[str, Any]]) -> tuple[str, bool]:
    """What the backend says of the chosen engine, and whether it is in the way. "" while it has said nothing."""
    engine = engine.strip() or AUTO
    family = engine.partition(":")[0]
    for row in rows:
        if engine == AUTO and row.get("auto"):
            return f"auto takes {row.get('name')}: {row.get('reason')}"[:400], False
        if row.get("name") == family:
            if row.get("installed"):
                return str(row.get("title") or family)[:200], False
            return f"{family} can't be used: {row.get('reason') or 'it is not installed'}"[:400], True
    if rows and engine != AUTO:
        return f"this backend has no engine {family[:80]}", True
    return "", False
