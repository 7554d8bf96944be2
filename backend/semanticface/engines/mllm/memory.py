"""How much memory a model needs, worked out from its `config.json` alone: weights by part, cache, activations.

    python -m semanticface.engines.mllm.memory [CONFIG.json]        prints the table of docs/semanticface-engine.md

The count of weights equals the count of the model's own parameters; the activations are what the code of
transformers 5.23 was seen to hold at its peak (see `_vision_peak` and `_text_peak`), and tests hold both to the real
model. What a driver and an allocator take beside that is an allowance, not a measurement. This module imports nothing
heavy: the front reads it too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.errors import AssetError

GB = 10**9
IMAGE_TOKENS, TEXT_TOKENS, ANSWER_TOKENS = 1024, 752, 1046
"""What the table is made for: the released profile's largest picture, its prompt, and its longest known answer."""
LOGIT_PLACES = 64
"""Places of a row whose logits over the whole vocabulary are taken in one forward at most: a drafted analysis."""
ALLOWANCE_BYTES, ALLOWANCE_SHARE = 600_000_000, 0.05
"""Added for the driver's context and for holes in the allocator. Assumed: no graphics card was at hand."""
_BLOCK = 64
"""Weights that share a quantization constant in NF4; 256 of these share one in float32 (double quantization)."""


class Quantization(StrEnum):
    """How the language model's matrices are kept. Vision tower, embeddings and head stay as they are."""

    NONE = "none"
    INT8 = "int8"
    """8 bit, one constant a row (bitsandbytes' LLM.int8)."""
    NF4 = "nf4"
    """4 bit, one constant a block of 64 weights (bitsandbytes' NF4 with double quantization)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers of a Qwen3-VL `config.json` on which memory depends. Lengths of vectors unless it says otherwise."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    intermediate: int
    vocabulary: int
    tied: bool
    vision_hidden: int
    vision_depth: int
    vision_heads: int
    vision_intermediate: int
    vision_out: int
    vision_positions: int
    deepstack: int
    patch: int
    """Numbers in a patch: channels x frames x height x width."""
    merge: int
    """Patches that make one picture token."""

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """From the content of a `config.json`. Raises AssetError when it is not that of a Qwen3-VL."""
        try:
            text, vision = config["text_config"], config["vision_config"]
            heads = int(text["num_attention_heads"])
            return cls(
                hidden=int(text["hidden_size"]),
                layers=int(text["num_hidden_layers"]),
                heads=heads,
                kv_heads=int(text.get("num_key_value_heads") or heads),
                head=int(text.get("head_dim") or 128),
                intermediate=int(text["intermediate_size"]),
                vocabulary=int(text["vocab_size"]),
                tied=bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", False))),
                vision_hidden=int(vision["hidden_size"]),
                vision_depth=int(vision["depth"]),
                vision_heads=int(vision["num_heads"]),
                vision_intermediate=int(vision["intermediate_size"]),
                vision_out=int(vision["out_hidden_size"]),
                vision_positions=int(vision["num_position_embeddings"]),
                deepstack=len(vision["deepstack_visual_indexes"]),
                patch=int(vision.get("in_channels", 3))
                * int(vision.get("temporal_patch_size", 2))
                * int(vision.get("patch_size", 16)) ** 2,
                merge=int(vision.get("spatial_merge_size", 2)) ** 2,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AssetError(f"not the configuration of a Qwen3-VL model: {type(error).__name__}: {error}") from error

    @classmethod
    def read(cls, base: Path) -> Shape:
        """From a base model's folder. Raises AssetError."""
        path = base / "config.json"
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise AssetError(f"{path} can't be read: {error}") from error
        try:
            return cls.of(config)
        except AssetError as error:
            raise AssetError(f"{path}: {error.message}", error.hint) from None

    def matrices(self) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of the seven matrices of one layer of the language model: what is quantized and adapted."""
        query, key = self.heads * self.head, self.kv_heads * self.head
        attention = ((query, self.hidden), (key, self.hidden), (key, self.hidden), (self.hidden, query))
        mlp = ((self.intermediate, self.hidden), (self.intermediate, self.hidden), (self.hidden, self.intermediate))
        return attention + mlp


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many numbers each part holds."""

    vision: int
    embeddings: int
    """Embeddings, and the head where it is a matrix of its own."""
    layers: int
    """The matrices of the language model's layers."""
    norms: int

    @property
    def total(self) -> int:
        return self.vision + self.embeddings + self.layers + self.norms


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes by part. `allowance` is assumed (see ALLOWANCE_BYTES), the rest is derived."""

    weights: int
    cache: int
    activations: int
    logits: int
    allowance: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.activations + self.logits + self.allowance


def parameters(shape: Shape) -> Parameters:
    """The model's parameters, counted from its shape."""
    wide, merged = shape.vision_hidden, shape.vision_hidden * shape.merge
    qkv, proj = 3 * wide * (wide + 1), wide * (wide + 1)
    mlp = 2 * wide * shape.vision_intermediate + shape.vision_intermediate + wide
    block = 4 * wide + qkv + proj + mlp
    merger = merged * (merged + 1) + shape.vision_out * (merged + 1)
    vision = wide * (shape.patch + 1) + shape.vision_positions * wide + shape.vision_depth * block
    vision += (1 + shape.deepstack) * merger + 2 * wide + shape.deepstack * 2 * merged
    matrices = sum(rows * columns for rows, columns in shape.matrices())
    return Parameters(
        vision=vision,
        embeddings=shape.vocabulary * shape.hidden * (1 if shape.tied else 2),
        layers=shape.layers * matrices,
        norms=shape.layers * 2 * (shape.hidden + shape.head) + shape.hidden,
    )


def weight_bytes(shape: Shape, width: int, quantization: Quantization, adapter_rank: int = 0) -> int:
    """Bytes of all weights; `width` is bytes of an unquantized value.

    `adapter_rank` counts an adapter that stays beside quantized matrices, in float32; a merged one takes no room.
    """
    count = parameters(shape)
    layer = sum(_matrix_bytes(rows, columns, width, quantization) for rows, columns in shape.matrices())
    beside = 0 if quantization is Quantization.NONE else 4 * adapter_rank
    layer += sum(beside * (rows + columns) for rows, columns in shape.matrices())
    return (count.vision + count.embeddings + count.norms) * width + shape.layers * layer


def needs(
    shape: Shape,
    *,
    width: int = 2,
    quantization: Quantization = Quantization.NONE,
    batch: int = 1,
    image_tokens: int = IMAGE_TOKENS,
    text_tokens: int = TEXT_TOKENS,
    answer_tokens: int = ANSWER_TOKENS,
    adapter_rank: int = 0,
) -> Need:
    """What `batch` rows at once need, each with a picture of `image_tokens`, a prompt's text and an answer."""
    weights = weight_bytes(shape, width, quantization, adapter_rank)
    prompt = image_tokens + text_tokens
    cache = 2 * shape.layers * shape.kv_heads * shape.head * width * batch * (prompt + answer_tokens)
    # When rows of a batch part or meet, the cache is written anew, and is there twice for a moment.
    activations = max(_vision_peak(shape, width, batch * image_tokens), _text_peak(shape, width, batch, prompt), cache)
    # In the head's own format, and once more in float32 to choose from.
    logits = batch * LOGIT_PLACES * shape.vocabulary * (width + 4)
    known = weights + cache + activations + logits
    return Need(weights, cache, activations, logits, ALLOWANCE_BYTES + round(ALLOWANCE_SHARE * known))


def _matrix_bytes(rows: int, columns: int, width: int, quantization: Quantization) -> int:
    count = rows * columns
    if quantization is Quantization.INT8:
        return count + 4 * rows
    if quantization is Quantization.NF4:
        blocks = -(-count // _BLOCK)
        return -(-count // 2) + blocks + 4 * -(-blocks // 256)
    return count * width


def _vision_peak(shape: Shape, width: int, image_tokens: int) -> int:
    """Bytes at the peak of the vision tower, for pictures that pass through it together.

    Per patch, seen with a counter of live tensors: the larger of the MLP (two vectors of `intermediate`, four of
    `hidden`) and the turning of queries and keys, which is done in float32 (seven vectors of `hidden`, and five in the
    model's format); the patch in float32 as it came, and in the model's format; what went to the deepstack before.
    """
    mlp = width * (2 * shape.vision_intermediate + 4 * shape.vision_hidden)
    turning = (7 * 4 + 5 * width) * shape.vision_hidden
    patch = (4 + width % 4) * shape.patch + 4 * 2 * (shape.vision_hidden // shape.vision_heads)
    kept = shape.deepstack * shape.vision_out * width // shape.merge
    return image_tokens * shape.merge * (max(mlp, turning) + patch + kept)


def _text_peak(shape: Shape, width: int, batch: int, prompt: int) -> int:
    """Bytes at the peak of the prompt's way through a layer of the language model, seen as above.

    Per token the MLP's three vectors of `intermediate`, two of `hidden`, the angles of the positions, and a byte of
    attention mask for each other token; the pictures' vectors lie beside.
    """
    vectors = 3 * shape.intermediate + 2 * shape.hidden + 2 * shape.head
    pictures = (1 + shape.deepstack) * shape.hidden
    return batch * prompt * (width * (vectors + pictures) + prompt)


QWEN3_VL_4B: Mapping[str, Any] = {
    "tie_word_embeddings": True,
    "text_config": {
        "hidden_size": 2560,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "intermediate_size": 9728,
        "vocab_size": 151_936,
    },
    "vision_config": {
        "hidden_size": 1024,
        "depth": 24,
        "num_heads": 16,
        "intermediate_size": 4096,
        "out_hidden_size": 2560,
        "num_position_embeddings": 2304,
        "deepstack_visual_indexes": [5, 11, 17],
    },
}
"""The published shape of Qwen3-VL-4B-Instruct: 4,437,815,808 parameters."""


def table(shape: Shape) -> str:
    """The needs in gigabytes (10^9 bytes) as Markdown: 16, 8 and 4 bit, one picture at a time and four."""
    names = {Quantization.NONE: "16 bit", Quantization.INT8: "8 bit", Quantization.NF4: "4 bit"}
    lines = [
        "| | at once | weights | cache | activations | logits | allowance | in all |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for quantization, name in names.items():
        for batch in (1, 4):
            need = needs(shape, quantization=quantization, batch=batch, adapter_rank=8)
            parts = (need.weights, need.cache, need.activations, need.logits, need.allowance, need.total)
            lines.append(f"| {name} | {batch} | " + " | ".join(f"{part / GB:.2f}" for part in parts) + " |")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the table for a `config.json`, or for Qwen3-VL-4B."""
    config = json.loads(Path(arguments[0]).read_text(encoding="utf-8")) if arguments else QWEN3_VL_4B
    print(table(Shape.of(config)))


if __name__ == "__main__":
    main(sys.argv[1:])
