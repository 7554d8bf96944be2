"""What the writer's tests share: curves, orders, and a look at what an editor holds and what lies on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import unreal
from semanticface_unreal.curve_set import Curve, CurveSet, Unsolved
from semanticface_unreal.ports import AssetOrder

FOLDER = "/Game/Shots"
PATH = f"{FOLDER}/AS_Shot"
LEFT, RIGHT = "CTRL_expressions_mouthCornerPullL", "CTRL_expressions_mouthCornerPullR"
"""Written with different values, so that a swap of sides is seen."""


def curve(name: str, *keys: tuple[int, float]) -> Curve:
    return Curve(name, np.array([frame for frame, _ in keys], np.int64), np.array([value for _, value in keys]))


def curves(
    *more: Curve, rate: Fraction = Fraction(24000, 1001), length: int = 20, first: int = 101, gain: float = 1.0
) -> CurveSet:
    """Two sides that differ, and what is added."""
    both = (curve(LEFT, (0, 0.0), (7, 0.75 * gain), (length, 0.1)), curve(RIGHT, (0, 0.2), (8, 0.3 * gain)))
    return CurveSet(rate, length, first, (*both, *more), Unsolved.HOLD, (first + 3,))


def long_curves(count: int, frames: int, rate: Fraction = Fraction(30)) -> CurveSet:
    """Many curves with a key a frame, each of its own."""
    at = np.arange(frames, dtype=np.int64)
    made = [Curve(f"CTRL_expressions_c{number}", at, np.sin(at / 7 + number)) for number in range(count)]
    return CurveSet(rate, frames - 1, 0, tuple(made), Unsolved.OMIT)


def order(**changes: Any) -> AssetOrder:
    return AssetOrder(**{"folder": FOLDER, "name": "AS_Shot", "stamp": "stamp-1", **changes})


def keys_of(made: CurveSet) -> dict[str, list[tuple[int, float]]]:
    """As the fake's desk shows them, rounded."""
    return {
        curve.name: [
            (int(frame), round(float(value), 5)) for frame, value in zip(curve.frames, curve.values, strict=True)
        ]
        for curve in made.curves
    }


def rounded(found: dict[str, Sequence[tuple[int, float]]]) -> dict[str, list[tuple[int, float]]]:
    return {name: [(frame, round(value, 5)) for frame, value in keys] for name, keys in found.items()}


def on_disk(project: Path, path: str) -> dict[str, Any] | None:
    """What the saved asset of a project holds; None where there is none."""
    file = project / "Content" / f"{path.removeprefix('/Game/')}.uasset"
    return json.loads(file.read_text("utf-8")) if file.is_file() else None


def face_mesh() -> str:
    """The path of the mesh whose skeleton is the face archetype."""
    registry = unreal.AssetRegistryHelpers.get_asset_registry()
    kind = unreal.TopLevelAssetPath("/Script/Engine", "SkeletalMesh")
    for data in registry.get_assets_by_class(kind, True) or ():
        mesh = data.get_asset()
        if mesh.skeleton.get_name() == "Face_Archetype_Skeleton":
            return str(data.package_name)
    raise AssertionError("the fake has no face mesh")


def other_skeleton() -> str:
    """The path of one that is no face's."""
    registry = unreal.AssetRegistryHelpers.get_asset_registry()
    known = registry.get_assets_by_class(unreal.TopLevelAssetPath("/Script/Engine", "Skeleton"), True)
    return next(str(data.package_name) for data in known or () if str(data.asset_name) != "Face_Archetype_Skeleton")
