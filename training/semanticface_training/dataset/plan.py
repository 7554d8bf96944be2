"""What a source comes to before anything is decoded: which frames become rows, which don't and why.

Data only. Whoever reads a source makes a `PlannedTake` of each recording in it; `build` turns them into a dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from semanticface.media.source import MediaRef
from semanticface_training.dataset.split import SplitRule
from semanticface_training.dataset.table import Split
from semanticface_training.dataset.writer import Skip

DEFAULT_RATE = Fraction(2)
"""Rows a second, as the paper samples its recordings: neighbouring frames of a video say much the same."""


@dataclass(frozen=True, slots=True)
class Options:
    """How sources are read and pictures kept.

    `rate` rows a second, None for every frame. `neutral` for takes that are not calibrated: `auto`, `none`, a file, or
    source frames of each take (`12` or `0-30`). `image_rate`: frames a second of folders of numbered pictures, None
    where each row of their CSV belongs to the picture of the same place. `start`: timecode of the first frame of
    videos that say nothing themselves, or `first-row` where it is that of their CSV's first row. `size`: longest side
    in pixels, 0 for any. `crop`: the face alone, with `margin` times its size around it. `short_video` drops rows that
    reach beyond the video, `overlap` allows two takes of a subject at one time. `subjects` renames: take -> subject.
    """

    rate: Fraction | None = DEFAULT_RATE
    neutral: str = "auto"
    image_rate: Fraction | None = None
    size: int = 1024
    quality: int = 92
    crop: bool = False
    margin: float = 0.25
    start: str = ""
    short_video: bool = False
    overlap: bool = False
    subjects: Mapping[str, str] = field(default_factory=dict)
    split: SplitRule = field(default_factory=SplitRule)

    def to_dict(self) -> dict[str, Any]:
        """What decides the rows, as plain values."""
        return {
            "rate": "every frame" if self.rate is None else str(self.rate),
            "neutral": self.neutral,
            "image_rate": None if self.image_rate is None else str(self.image_rate),
            "start": self.start,
            "size": self.size,
            "jpeg_quality": self.quality,
            "face_crop": self.margin if self.crop else None,
            "short_video": self.short_video,
            "subjects": dict(self.subjects),
            "split": self.split.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Pair:
    """One frame of a source and its coefficients. `file`: its picture, where the source is not a video or sequence."""

    frame: int
    coefficients: Mapping[str, float] = field(repr=False)
    time: float = 0.0
    timecode: str = ""
    file: str = ""
    tags: tuple[str, ...] = ()
    script: str = ""
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """When a take was recorded: `date` as its take.json has it, seconds since midnight, and the lines that say so."""

    date: str
    start: Fraction
    end: Fraction
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class PlannedTake:
    """A recording: `media` to read the frames of `pairs` from, None where each has a file. `facts` go into the card.

    `content` identifies what the coefficients were read from, so that the same recording is not taken twice.
    """

    name: str
    subject: str
    media: MediaRef | None
    pairs: tuple[Pair, ...]
    skips: tuple[Skip, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    span: Span | None = None
    content: str = ""
