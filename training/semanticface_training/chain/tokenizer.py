"""A tokenizer for a small model: Qwen's chat tokens and way of splitting text, a vocabulary of a few hundred.

Rows of an embedding that no text needs would be most of a small model. The vocabulary is trained on the texts that are
taught, falls back to bytes, and splits as Qwen's does, which the backend's decoder relies on: a digit is a token of its
own, and a value's space or sign stands apart from what is before it. This module knows nothing of faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
PICTURE_START, PICTURE_END, PICTURE, VIDEO = "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"
_SPECIAL = (END, START, STOP, PICTURE_START, PICTURE_END, "<|vision_pad|>", PICTURE, VIDEO)
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where Qwen2 and Qwen3 split a text before they merge anything (tokenizer.json of the published models)."""
LARGEST = 2000


def train_tokenizer(texts: Sequence[str], largest: int = LARGEST) -> Tokenizer:
    """A byte-level BPE tokenizer for these texts, with at most `largest` entries. The same texts give the same one."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(_SPLIT), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=largest,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=list(_SPECIAL),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
