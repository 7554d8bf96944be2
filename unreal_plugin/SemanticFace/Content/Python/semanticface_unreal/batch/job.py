"""One job of a batch: this footage, analyzed so, becomes that asset. Plain data; `manifest` reads and writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

from semanticface_unreal.curve_set import Unsolved
from semanticface_unreal.ports import Existing

RADIANS_TO_DEGREES = 57.29577951308232


class Stage(StrEnum):
    """Where a job stands, in this order; the last three are ends."""

    WAITING = "waiting"
    PROBED = "probed"
    """Footage and target were checked."""
    ANALYZED = "analyzed"
    """The take is whole on disk."""
    DONE = "done"
    """The asset is saved, and was read back and compared."""
    FAILED = "failed"
    CANCELLED = "cancelled"


class CurveNames(StrEnum):
    """Which curves are written."""

    METAHUMAN = "metahuman"
    """`CTRL_expressions_*`, which a MetaHuman's face reads."""
    ARKIT = "arkit"
    """The actions by ARKit's own names, for animation blueprints that read these."""
    PROFILE = "profile"
    """The targets of a retarget profile."""


@dataclass(frozen=True, slots=True)
class Job:
    """`id` is unique within a manifest, of letters, digits, `_`, `-` and `.`.

    Footage: `source` as for `semanticface analyze` (absolute path, pattern or folder), `rate` for image sequences
    (None: the footage's own), `frames` as `0-119:2,200` ("" for all). Analysis: `engine`, `options`. Curves: `names`,
    `profile` and `recipe` as data that their own readers take, `head` with `head_factor` (degrees for a radian),
    `unsolved`. Asset: as in `AssetOrder`. `take` is the folder of the take; "" for one beside the manifest.
    """

    id: str
    source: str
    rate: Fraction | None = None
    frames: str = ""
    engine: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)
    names: CurveNames = CurveNames.METAHUMAN
    profile: Mapping[str, Any] | None = None
    recipe: Mapping[str, Any] | None = None
    head: bool = False
    head_factor: float = RADIANS_TO_DEGREES
    unsolved: Unsolved = Unsolved.OMIT
    folder: str = "/Game/SemanticFace"
    asset: str = ""
    skeleton: str = ""
    preview_mesh: str = ""
    existing: Existing = Existing.OVERWRITE
    level_sequence: bool = False
    control_rig: str = ""
    take: str = ""

    @property
    def asset_name(self) -> str:
        """The name of the AnimSequence: `asset`, or `AS_` and the id."""
        return self.asset or f"AS_{self.id.replace('.', '_').replace('-', '_')}"
