"""The metadata tags of an asset: what it was made from. Plain strings; knows no Unreal.

They travel with the asset, can be read by any script (`EditorAssetLibrary.get_metadata_tag`), and can be shown in the
Content Browser where the project lists them under Asset Manager, Metadata Tags For Asset Registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from semanticface import __version__
from semanticface.media.frames import format_frames
from semanticface_unreal.curve_set import CurveSet
from semanticface_unreal.ports import STAMP, AssetOrder

PREFIX = "SemanticFace."
RATE = PREFIX + "Rate"
"""Frames a second, exact: `24000/1001`."""
FIRST = PREFIX + "FirstSourceFrame"
"""The source frame that lies on frame 0."""
LENGTH = PREFIX + "Length"
"""The last frame."""
POLICY = PREFIX + "UnsolvedPolicy"
UNSOLVED = PREFIX + "UnsolvedFrames"
"""Source frames without a result: `103-105,110`."""
REMARKS = PREFIX + "Remarks"
"""A JSON list of sentences."""
REPLACED = PREFIX + "Replaced"
"""A digest of the curves that stood there before: undo brings them back, and leaves all tags as they are."""
VERSION = PREFIX + "Version"
"""Of the product that wrote it."""


def tags_of(curves: CurveSet, order: AssetOrder) -> dict[str, str]:
    """All tags of the asset but the stamp, which comes last of all. Those of the order win over those of the curves;
    names without PREFIX get it."""
    made = {
        RATE: str(curves.rate),
        FIRST: str(curves.first),
        LENGTH: str(curves.length),
        POLICY: curves.policy.value,
        UNSOLVED: format_frames(curves.unsolved),
        REMARKS: json.dumps(list(curves.remarks), ensure_ascii=False),
        VERSION: __version__,
    }
    for name, value in (order.tags or {}).items():
        made[name if name.startswith(PREFIX) else PREFIX + name] = value
    made.pop(STAMP, None)
    return {name: value for name, value in made.items() if value}


def ours(tags: Mapping[str, str]) -> dict[str, str]:
    """Those of an asset's tags that the product wrote."""
    return {name: value for name, value in tags.items() if name.startswith(PREFIX)}
