"""How much memory a training step needs on one card, worked out from `config.json` and the lengths of the rows.

    python -m semanticface_training.stage2.memory [CONFIG.json]      prints the table of docs/training.md

What is kept for the way back was derived from the code of transformers 5.23 and peft 0.21, and tests hold it to what
live tensors were counted to take (within 15 %). Per token and layer, in bytes, with 16-bit weights and LoRA on the
seven matrices (h hidden, q = heads x head, k = key/value heads x head, m intermediate):

    two norms              8 h            their input in float32
    q, k, v inputs         6 h + 3 h      a 16-bit copy for each adapter, and a dropout mask of a byte
    norms of q and k       4 (q + k)      in float32
    attention              4 q + 4 k      turned queries, keys, values, its output
    output's adapter       2 q + q
    gate, up inputs        4 h + 2 h
    SiLU and product       6 m
    down's adapter         2 m + m

Gradient checkpointing keeps 2 h of each layer and makes one layer's sum anew at a time. While a layer goes back, 15 h
+ 6 m lie beside it (fitted to counts at five shapes). The head takes 14 bytes for each label and entry of the
vocabulary: logits in 16 bit, the same in float32, their log-softmax, its gradient. Frozen weights have no gradient;
what learns has 16 bytes a number: itself, gradient and Adam's two moments in float32. The vision tower is frozen and
keeps nothing. All of this is per process: DDP has one copy each, FSDP shares weights and what learns among processes.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from semanticface.engines.mllm.memory import (
    ALLOWANCE_BYTES,
    ALLOWANCE_SHARE,
    GB,
    QWEN3_VL_4B,
    Shape,
    needs,
    parameters,
)

LEARNING_BYTES = 16
"""Of each number that learns: itself, its gradient, and Adam's two moments, float32 each."""
_LOGIT_BYTES = 14
_LOGIT_BYTES_FULL = 16
_MIXED = 0.7
"""Activations of a float32 model that is computed in bfloat16, beside one that is computed in float32; counted .67."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a process works on at once: `batch` rows of `tokens`, a picture of `image_tokens` and `labels` in each."""

    batch: int
    tokens: int
    image_tokens: int
    labels: int


@dataclass(frozen=True, slots=True)
class Way:
    """How it is trained. `rank` 0 trains every weight. `half`: computed in bfloat16. `shards`: FSDP's processes."""

    rank: int = 8
    dropout: bool = True
    half: bool = True
    checkpointing: bool = True
    shards: int = 1


@dataclass(frozen=True, slots=True)
class TrainingNeed:
    """Bytes by part. `allowance` is assumed as the backend assumes it; the rest is derived."""

    weights: int
    learning: int
    kept: int
    """Of all layers, until they go back."""
    working: int
    """The larger of the head with its logits, and one layer on its way back; and the vision tower's peak."""
    allowance: int

    @property
    def total(self) -> int:
        return self.weights + self.learning + self.kept + self.working + self.allowance


def lora_parameters(shape: Shape, rank: int) -> int:
    """Numbers of an adapter of this rank on all seven matrices of all language layers."""
    return shape.layers * rank * sum(rows + columns for rows, columns in shape.matrices())


def training_needs(shape: Shape, load: Load, way: Way) -> TrainingNeed:
    """What one process holds at the peak of a step."""
    count = parameters(shape).total
    width = 2 if way.half else 4
    if way.rank:
        learns = lora_parameters(shape, way.rank)
        weights, learning = count * width, learns * LEARNING_BYTES
    else:
        learns = count
        weights, learning = 0, count * LEARNING_BYTES
    copies = learns * 2 if way.half else 0  # autocast keeps what it has made 16-bit until the step's end
    weights, learning = weights // way.shards, learning // way.shards
    tokens = load.batch * load.tokens
    layer = layer_bytes(shape, way) * tokens
    residual = shape.hidden * (2 if way.half and way.rank else 4) * tokens
    if way.checkpointing:
        kept, again = shape.layers * residual, layer
    else:
        kept, again = shape.layers * layer, 0
    scale = 1 if way.half else 2
    back = again + scale * (15 * shape.hidden + 6 * shape.intermediate) * tokens
    each = _LOGIT_BYTES if way.half else _LOGIT_BYTES_FULL
    head = load.batch * load.labels * shape.vocabulary * each
    eyes = needs(shape, width=width, batch=load.batch, image_tokens=load.image_tokens, text_tokens=0, answer_tokens=0)
    vision = eyes.activations
    if not way.rank:
        kept += vision_bytes(shape, way) * load.batch * load.image_tokens
    working = max(back, head, vision) + copies
    known = weights + learning + kept + working
    return TrainingNeed(weights, learning, kept, working, ALLOWANCE_BYTES + round(ALLOWANCE_SHARE * known))


def layer_bytes(shape: Shape, way: Way) -> int:
    """Bytes that a token leaves in a language layer for the way back; the module says of what."""
    query, key = shape.heads * shape.head, shape.kv_heads * shape.head
    inputs = 5 * shape.hidden + query + shape.intermediate
    if way.rank:
        float32 = 4 * (2 * shape.hidden + query + key)
        width = 2 if way.half else 4
        attention = width * (2 * query + 2 * key)
        masks = inputs if way.dropout else 0
        return float32 + attention + width * (inputs + 3 * shape.intermediate) + masks
    whole = 4 * (2 * 3 * shape.hidden + 4 * query + 4 * key + 4 * shape.intermediate)
    return round(whole * _MIXED) if way.half else whole


def vision_bytes(shape: Shape, way: Way) -> int:
    """Bytes that a picture's token leaves in a vision tower that learns: its patches' vectors in every block."""
    block = 4 * (10 * shape.vision_hidden + 3 * shape.vision_intermediate)
    mergers = 4 * (1 + shape.deepstack) * (4 * shape.vision_hidden + shape.vision_out // shape.merge)
    whole = shape.merge * (shape.vision_depth * block + mergers)
    return round(whole * _MIXED) if way.half else whole


TABLE: tuple[tuple[str, Load, Way], ...] = (
    ("A2, one row, checkpointing", Load(1, 2000, 196, 1050), Way()),
    ("A2, one row", Load(1, 2000, 196, 1050), Way(checkpointing=False)),
    ("A2, four rows, checkpointing", Load(4, 2000, 196, 1050), Way()),
    ("A0, one row, checkpointing", Load(1, 1160, 196, 370), Way()),
    ("A2, four rows, checkpointing, FSDP on 8", Load(4, 2000, 196, 1050), Way(shards=8)),
)
"""Lengths of the paper's rows: 740 tokens of prompt, 196 of a 448 x 448 picture, 1,050 of an answer."""


def table(shape: Shape) -> str:
    """The needs of `TABLE` in gigabytes (10^9 bytes) as Markdown."""
    lines = ["| | weights | learning | kept | working | allowance | in all |", "|---|---|---|---|---|---|---|"]
    for name, load, way in TABLE:
        need = training_needs(shape, load, way)
        parts = (need.weights, need.learning, need.kept, need.working, need.allowance, need.total)
        lines.append(f"| {name} | " + " | ".join(f"{part / GB:.2f}" for part in parts) + " |")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the table for a `config.json`, or for Qwen3-VL-4B."""
    config = json.loads(Path(arguments[0]).read_text(encoding="utf-8")) if arguments else QWEN3_VL_4B
    print(table(Shape.of(config)))


if __name__ == "__main__":
    main(sys.argv[1:])
