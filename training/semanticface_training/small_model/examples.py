"""What the small model learns: frames of the shipped sample, asked in two dialects, with their true coefficients.

Two neighbouring frames differ in three values and a few words, as frames of a shot do; one picture is asked in both
dialects, so that only the prompt tells them apart. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.errors import MediaError
from semanticface.exchange.livelink_csv import read_livelink_csv
from semanticface.media import MediaRef, open_media
from semanticface_training.small_model.answers import answer, rounded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
CLIP, TRUTH = "rom_head.mp4", "rom_head.csv"
_SYSTEM = "You read faces."
_IMAGE_TOKENS = (4, 32)

RELEASED = Profile(
    name="small-released",
    system=_SYSTEM,
    user="Describe this face, then give its 61 values.",
    decimals=1,
    layouts=(Layout.BARE, Layout.PAPER, Layout.PAPER_INDENTED),
    image_tokens=_IMAGE_TOKENS,
)
PAPER = Profile(
    name="small-paper",
    system=_SYSTEM,
    user="Give one object with the analysis and the arkit values of this face.",
    decimals=3,
    layouts=(Layout.PAPER, Layout.PAPER_INDENTED, Layout.BARE),
    image_tokens=_IMAGE_TOKENS,
)
PROFILES: Mapping[str, Profile] = MappingProxyType({"released": RELEASED, "paper": PAPER})
"""Checkpoint folder to its profile."""


@dataclass(frozen=True, slots=True)
class Question:
    """A frame of the sample asked with a profile of `PROFILES`; `after` names the question of the frame before it."""

    name: str
    profile: str
    frame: int
    after: str = ""


QUESTIONS = (
    Question("frame_192", "released", 192),
    Question("frame_194", "released", 194, after="frame_192"),
    Question("frame_113", "released", 113),  # two values of 1.0, and a shorter analysis
    Question("frame_113_paper", "paper", 113),
    Question("frame_071_paper", "paper", 71),  # a value of 1.000
)


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A question with its picture, (H, W, 3) uint8 RGB, the coefficients that its answer holds, and the answer."""

    question: Question
    image: NDArray[np.uint8]
    coefficients: Mapping[str, float]
    answer: str

    @property
    def profile(self) -> Profile:
        return PROFILES[self.question.profile]


def load_examples(questions: Sequence[Question] = QUESTIONS, samples: Path = SAMPLES) -> list[Example]:
    """The questions with pictures and answers. Raises MediaError or ExchangeError when the sample is damaged."""
    rows = read_livelink_csv(samples / TRUTH).rows
    with open_media(MediaRef.from_user(str(samples / CLIP))) as clip:
        wanted = sorted({question.frame for question in questions})
        pictures = {picture.frame: picture.image for picture in clip.read(wanted)}
    out = []
    for question in questions:
        profile, truth, image = PROFILES[question.profile], rows[question.frame].coefficients, pictures[question.frame]
        if truth is None or image is None:
            raise MediaError(f"frame {question.frame} of {samples / CLIP} can't be read")
        text = answer(truth, profile.layouts[0], profile.decimals)
        out.append(Example(question, image, rounded(truth, profile.decimals), text))
    return out
