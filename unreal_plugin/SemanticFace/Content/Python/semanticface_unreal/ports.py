"""What the batch needs of the editor it runs in: an interface that `writing` fills, so that the queue knows no Unreal.

All of it is called on the game thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Protocol

from semanticface.steps import Work
from semanticface_unreal.curve_set import CurveSet

STAMP = "SemanticFace.Key"
"""Metadata tag of an asset: a digest of all that its curves were made from."""


class Existing(StrEnum):
    """What happens where the asset is there already."""

    OVERWRITE = "overwrite"
    """Its curves are replaced, and its references stay."""
    UNIQUE = "unique"
    """A new one is made, with a number after its name: see `unique_paths`."""


@dataclass(frozen=True, slots=True)
class AssetOrder:
    """An AnimSequence to be written.

    `folder` is a content path (`/Game/Shots`), `name` the asset's name. `skeleton` is the path of a Skeleton or of a
    SkeletalMesh, "" for the MetaHuman face archetype; `preview_mesh` that of a mesh, or "". `stamp` goes into the tag
    STAMP, `tags` into tags of their own. With `level_sequence` a Level Sequence that plays it stands beside it, and
    with `control_rig` (the path of a Control Rig) its keys are on the rig's controls too.
    """

    folder: str
    name: str
    skeleton: str = ""
    preview_mesh: str = ""
    existing: Existing = Existing.OVERWRITE
    stamp: str = ""
    tags: Mapping[str, str] | None = None
    level_sequence: bool = False
    control_rig: str = ""

    @property
    def path(self) -> str:
        """`/Game/Shots/AS_Shot`."""
        return f"{self.folder.rstrip('/')}/{self.name}"


def unique_paths(path: str) -> Iterator[str]:
    """The path itself, then `<path>_1`, `<path>_2` and so on; a unique asset goes to the first that is free.

    Unreal's own way of counting would make `AS_sh011` of `AS_sh010`, which is another shot's name.
    """
    yield path
    for number in count(1):
        yield f"{path}_{number}"


@dataclass(frozen=True, slots=True)
class Written:
    """`asset` is the path of the AnimSequence that was saved, `curves` and `keys` what was read back from it and found
    equal. `others` are the paths of what stands beside it."""

    asset: str
    curves: int
    keys: int
    others: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Editor(Protocol):
    """Raises InputError where the user can put it right, EngineError where the editor refuses without a reason."""

    def check(self, order: AssetOrder) -> None:
        """Whether it could be written: names, skeleton, writable. Called before hours of analysis, writes nothing."""

    def stamp(self, path: str) -> str:
        """The tag STAMP of the saved asset; "" where there is no such asset or tag."""

    def writing(self, curves: CurveSet, order: AssetOrder) -> Work[Written]:
        """Create or replace, key, tag, save, read back and compare. In steps; closing the generator early leaves no
        bracket or transaction open."""
