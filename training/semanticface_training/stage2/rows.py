"""A run's rows: what it learns from and what it is judged by, out of a dataset, as the settings ask for them.

Pictures are prepared as the backend prepares them, so that a checkpoint sees in use what it saw in training. Knows
nothing of models but their tokenizer.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semanticface.analysis.describe import describe
from semanticface.engines.mllm.crop import FaceCrop
from semanticface.engines.mllm.picture import TOKEN
from semanticface.engines.mllm.preparation import levelled, squared
from semanticface.engines.mllm.profile import Layout, Preparation, Profile
from semanticface.engines.mllm.prompt import PICTURE
from semanticface.errors import AssetError, InputError
from semanticface.results import Analysis
from semanticface_training.dataset.table import Dataset, Split
from semanticface_training.stage1.store import descriptions_path, read_descriptions
from semanticface_training.stage2.collate import Collator
from semanticface_training.stage2.config import FitConfig
from semanticface_training.stage2.encode import Encoder
from semanticface_training.stage2.examples import Examples
from semanticface_training.stage2.targets import Form, Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

RULES = "rules"
"""Descriptions of this name are written anew for a mirrored row; all others are mirrored word by word."""
_PAD = "<|endoftext|>"
_WORDS_MORE = 1.5
"""A model may write so much more than the longest description it learnt from, before it is stopped."""


class Preparer:
    """Pictures as the backend's profile fields `face_crop` and `preparation` make them. Picklable, for processes.

    `side`: pixels of a levelled picture's sides.
    """

    def __init__(self, margin: float | None, preparation: Preparation, side: int) -> None:
        self.margin, self.preparation, self.side = margin, preparation, side
        self._faces: FaceCrop | None = None
        self._process = 0

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The largest face, cut out or levelled; the whole picture where none is found."""
        if self._faces is None or self._process != os.getpid():  # networks don't survive a fork
            self._faces, self._process = FaceCrop(), os.getpid()
        if self.preparation is Preparation.LEVELLED:
            points = self._faces.seen(image)[1]
            return squared(image, self.side) if points is None else levelled(image, points, self.side)
        return image if self.margin is None else self._faces.crop(image, self.margin)[0]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_faces": None, "_process": 0}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """`examples` to learn from; `validation`: numbers of the dataset's rows to be judged by."""

    dataset: Dataset
    examples: Examples
    validation: tuple[int, ...]
    encoder: Encoder
    collator: Collator
    tokenizer: Tokenizer


def open_rows(config: FitConfig, base: Path) -> Rows:
    """Raises InputError for a dataset or descriptions that don't suffice, AssetError for a base without tokenizer."""
    dataset = Dataset.open(config.dataset)
    train = dataset.indices(Split.TRAIN)
    if not train:
        raise InputError(f"{config.dataset} has no rows of the split {Split.TRAIN}", "a training needs some")
    tokenizer = read_tokenizer(base)
    encoder = Encoder(tokenizer, config.asked, config.form, config.image_tokens,
                      config.max_tokens)  # fmt: skip
    pad, picture = tokenizer.token_to_id(_PAD), tokenizer.token_to_id(PICTURE)
    if pad is None or picture is None:
        raise AssetError(f"the tokenizer of {base} has no {_PAD} or {PICTURE}", "the base has to be a Qwen3-VL")
    examples = Examples(
        dataset,
        train,
        encoder,
        read_words(config),
        flips=config.flips,
        seed=config.seed,
        describe=describe if config.form.target is not Target.A2 or config.descriptions == RULES else None,
        prepare=_preparer(config),
    )
    # Without a mask attention takes its faster causal way; see Collator.
    collator = Collator(pad, picture, encoder.digit_ids, mask=False)
    return Rows(dataset, examples, spread(dataset.indices(Split.VAL), config.validation_rows), encoder, collator,
                tokenizer)  # fmt: skip


def _preparer(config: FitConfig) -> Preparer | None:
    if config.face_crop is None and config.preparation is Preparation.NONE:
        return None
    return Preparer(config.face_crop, config.preparation, TOKEN * math.isqrt(config.image_tokens[1]))


def read_tokenizer(base: Path) -> Tokenizer:
    """The base's tokenizer. Raises AssetError."""
    from tokenizers import Tokenizer

    path = base / "tokenizer.json"
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception for whatever is wrong with the file
        raise AssetError(f"{path} can't be read as a tokenizer: {error}") from error


def read_words(config: FitConfig) -> dict[str, Analysis]:
    """The descriptions by row id, none unless they are taught. Raises InputError that names the file."""
    if config.form.target is not Target.A2:
        return {}
    given = Path(config.descriptions)
    path = given if given.suffix == ".jsonl" else descriptions_path(config.dataset, config.descriptions)
    records = read_descriptions(path)
    return {row: record.analysis for row, record in records.items() if record.analysis is not None}


def spread(numbers: Sequence[int], most: int) -> tuple[int, ...]:
    """At most so many of the numbers, evenly over all of them: neighbours are frames of one take and much alike."""
    if len(numbers) <= most:
        return tuple(numbers)
    return tuple(numbers[index * len(numbers) // most] for index in range(most))


def profile_of(config: FitConfig, base_name: str, longest_words: int) -> Profile:
    """What the checkpoint's `profile.json` says. `longest_words`: tokens of the longest description that was taught."""
    adapter = config.trainable == "lora"
    room = min(4096, max(64, -(-round(longest_words * _WORDS_MORE) // 64) * 64))
    return Profile(
        name=config.name,
        system=config.asked.system,
        user=config.asked.user,
        base=base_name if adapter else "",
        adapter=adapter,
        layouts=_layouts(config.form),
        decimals=config.form.decimals,
        actions=config.form.actions,
        signed=config.form.signed,
        image_tokens=config.image_tokens,
        analysis_tokens=room,
        value=config.value,
        face_crop=config.face_crop,
        preparation=config.preparation,
    )


def _layouts(form: Form) -> tuple[Layout, ...]:
    """The one that was trained, first; those that a model of such answers may slip into behind it."""
    own = Layout(form.layout_name)
    if form.target is not Target.A2:
        return (own,)
    return tuple(dict.fromkeys((own, Layout.BARE, Layout.PAPER, Layout.PAPER_INDENTED)))
