"""Model files: what they are, where they lie, how they are fetched.

Every model that the product downloads is pinned in `registry` by name, size and SHA-256; `store` finds,
checks and imports files on this machine; `fetch` brings them from their sources. Standard library only.
This room never runs a model and never goes to the network unless `pull` is called.
"""

from __future__ import annotations

from semanticface.assets.fetch import OFFLINE_VARIABLE, pull
from semanticface.assets.manifest import MANIFEST, recorded_digests
from semanticface.assets.registry import (
    FACE_LANDMARKER,
    Asset,
    Source,
    UrlSource,
    WheelSource,
    find_asset,
    list_assets,
)
from semanticface.assets.store import MODELS_VARIABLE, Copy, copies, import_file, locate, model_roots, verify

__all__ = [
    "FACE_LANDMARKER",
    "MANIFEST",
    "MODELS_VARIABLE",
    "OFFLINE_VARIABLE",
    "Asset",
    "Copy",
    "Source",
    "UrlSource",
    "WheelSource",
    "copies",
    "find_asset",
    "import_file",
    "list_assets",
    "locate",
    "model_roots",
    "pull",
    "recorded_digests",
    "verify",
]
