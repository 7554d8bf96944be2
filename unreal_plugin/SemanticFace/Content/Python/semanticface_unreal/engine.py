"""The one place that imports `unreal`, and what may be missing from it.

Everything else says `from semanticface_unreal.engine import unreal`. Classes of plugins that may be off are asked for
by name with `optional`, and only those that `OPTIONAL` lists: all other names exist in every supported version.
"""

from __future__ import annotations

from typing import Any

import unreal

__all__ = ["OPTIONAL", "optional", "unreal"]

OPTIONAL = ("LiveLinkFaceImporterFactory",)
"""Names that are there only with their plugin: the Live Link Face Importer."""


def optional(name: str) -> Any | None:
    """The class, or None where its plugin is off. Raises KeyError for a name that OPTIONAL doesn't list."""
    if name not in OPTIONAL:
        raise KeyError(name)
    return getattr(unreal, name, None)
