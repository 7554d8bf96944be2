"""Proof that a built model is what it should be, through the libraries' own loading and their own `generate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from semanticface.engines.mllm.prompt import Prompt, Prompter
from semanticface.errors import AssetError, EngineError
from semanticface_training.small_model.architecture import END, IMAGE, PAD
from semanticface_training.small_model.checkpoint_files import ADAPTER, BASE
from semanticface_training.small_model.examples import PROFILES, Example
from semanticface_training.small_model.tokenizer import FILE_NAME
from semanticface_training.small_model.training import Lesson, collate, least_margin

LEAST_MARGIN = 1.0
"""What every token's logit must lie above the next best; ways to compute it in float32 differ by some 1e-4."""
_OPENING = 24


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """An example as tokens: its prompt, and its answer with the end token."""

    prompt: Prompt
    answer: list[int]

    def lesson(self) -> Lesson:
        return Lesson(self.prompt.ids, self.answer, self.prompt.patches, self.prompt.grid)


def load_tokenizer(path: Path) -> Tokenizer:
    """Raises AssetError for a file that is no tokenizer, or another one than Qwen's."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise AssetError(f"{path} can't be read as a tokenizer: {error}") from error
    if tokenizer.token_to_id("<|im_end|>") != END or tokenizer.token_to_id("<|image_pad|>") != IMAGE:
        raise AssetError(f"{path} is another tokenizer than Qwen3's")
    return tokenizer


def tokenised(examples: Sequence[Example], tokenizer: Tokenizer) -> list[Question]:
    """The examples as the product asks them."""
    prompters = {name: Prompter(tokenizer, profile) for name, profile in PROFILES.items()}
    return [
        Question(
            prompters[example.question.profile].build(example.image),
            [*tokenizer.encode(example.answer, add_special_tokens=False).ids, END],
        )
        for example in examples
    ]


def load_plain(folder: Path, adapter: bool = True) -> Any:
    """A checkpoint folder's model through `from_pretrained`, the adapter merged in unless it is to be left out."""
    from peft import PeftModel
    from transformers import Qwen3VLForConditionalGeneration

    model = Qwen3VLForConditionalGeneration.from_pretrained(str(folder / BASE), dtype=torch.float32)
    if adapter:
        model = PeftModel.from_pretrained(model, str(folder / ADAPTER)).merge_and_unload()
    return model.eval()


def greedy(model: Any, prompts: Sequence[Prompt], most: int) -> list[list[int]]:
    """What `generate` writes greedily after prompts of one length, up to and without the end token."""
    ids = torch.tensor([prompt.ids for prompt in prompts])
    model.model.rope_deltas = None
    with torch.inference_mode():
        written = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == IMAGE).int(),
            pixel_values=torch.cat([prompt.patches for prompt in prompts]),
            image_grid_thw=torch.tensor([prompt.grid for prompt in prompts]),
            max_new_tokens=most,
            do_sample=False,
            temperature=None,
            top_k=None,
            top_p=None,
            eos_token_id=END,
            pad_token_id=PAD,
        )
    rows = [row[ids.shape[1] :].tolist() for row in written]
    return [row[: row.index(END)] if END in row else row for row in rows]


def verify(folder: Path, examples: Sequence[Example]) -> float:
    """Raise EngineError unless the checkpoints in `folder` answer exactly and the base alone doesn't; the least margin.

    Each token of each answer must be the likeliest after those before it, which makes the greedy answer the whole
    text, and by a margin that no rounding crosses. The openings are written by `generate` besides.
    """
    first = folder / next(iter(PROFILES))  # the checkpoints share base and adapter
    model, questions = load_plain(first), tokenised(examples, load_tokenizer(first / BASE / FILE_NAME))
    least = least_margin(model, collate([question.lesson() for question in questions], IMAGE))
    if least < LEAST_MARGIN:
        raise EngineError(f"the saved model's least margin is {least:.2f}, below {LEAST_MARGIN}")
    alone = load_plain(first, adapter=False)
    for example, question in zip(examples, questions, strict=True):
        opening = question.answer[:_OPENING]
        if greedy(model, [question.prompt], _OPENING)[0] != opening:
            raise EngineError(f"the saved model writes another answer to {example.question.name}")
        if greedy(alone, [question.prompt], _OPENING)[0] == opening:
            raise EngineError("the base without its adapter answers as well: the adapter has nothing to do")
    return least
