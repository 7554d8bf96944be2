"""The channels that a table is about, by name. Knows nothing of values."""

from __future__ import annotations

from semanticface.actions import ACTIONS, CSV_ORDER, SHAPES, Kind

SBCA13: tuple[str, ...] = (
    *("EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight"),
    *("JawOpen", "MouthSmileLeft", "MouthSmileRight", "MouthUpperUpLeft", "MouthUpperUpRight"),
    *("BrowDownLeft", "BrowDownRight"),
)
"""The 13 most expressive blendshapes of Cross-Comparison (SemanticFace, appendix A.5; Li et al., arXiv 2601.08234)."""

TABLE1_14: tuple[str, ...] = (*SBCA13, "MouthLeft")
"""The rows of the paper's Tables 6 and 7 whose mean is its Table 1: the 13 and MouthLeft. Of all sets that differ from
the 13 by one or two channels it is the only one (`paper.reproduce`)."""

HEAD: tuple[str, ...] = tuple(action.name for action in ACTIONS if action.kind is Kind.HEAD)
ALL61: tuple[str, ...] = CSV_ORDER
SHAPES52: tuple[str, ...] = SHAPES
