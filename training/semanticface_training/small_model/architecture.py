"""Qwen3-VL in small: the real classes and token ids with few and narrow layers.

A *dense* model holds rows for all of the vocabulary. A *compact* one holds the rows of the tokens in use only, under
numbers of their own; it is what trains, because the real vocabulary would be nine tenths of the work. `dense` makes
the one of the other. Knows nothing of examples or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

VOCABULARY = 151_936
"""Rows of Qwen3-VL's embedding; its tokenizer has 151,669 entries."""
END, PAD = 151_645, 151_643
VISION_START, VISION_END, IMAGE, VIDEO = 151_652, 151_653, 151_655, 151_656
HEAD = 32
"""Width of an attention head."""
_ROPE = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_interleaved": True, "mrope_section": [6, 5, 5]}
EMBEDDING_NAME = "model.language_model.embed_tokens.weight"
EMBEDDING, UNUSED = 0.1, 0.02
"""Standard deviation of embedding rows in use, which a short training can't lift from the usual 0.02, and of others."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes: decoder layers, their width and that of their MLP, key/value heads, and the vision part's."""

    hidden: int = 192
    layers: int = 3
    intermediate: int = 512
    key_value_heads: int = 2
    vision_layers: int = 2
    vision_hidden: int = 64


def special_ids(vocabulary: int) -> dict[str, int]:
    """The ids that a config names: the real ones, or the last four of a vocabulary that is too small for them."""
    names = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    if vocabulary > VIDEO:
        return dict(zip(names, (VISION_START, VISION_END, IMAGE, VIDEO), strict=True))
    return dict(zip(names, range(vocabulary - 4, vocabulary), strict=True))


def decoder(shape: Shape, vocabulary: int, tied: bool = True) -> dict[str, Any]:
    """The text part of a Qwen3VLConfig of these sizes; `tied`: the embedding is the head, too."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.hidden // HEAD,
        "num_key_value_heads": shape.key_value_heads,
        "head_dim": HEAD,
        "rope_parameters": dict(_ROPE),
        "max_position_embeddings": 8192,
        "tie_word_embeddings": tied,
    }


def config(shape: Shape, vocabulary: int = VOCABULARY, ids: dict[str, int] | None = None, tied: bool = True) -> Any:
    """The Qwen3VLConfig of these sizes; `ids` as `special_ids` gives them; `tied`: the embedding is the head, too."""
    vision = {
        "depth": shape.vision_layers,
        "hidden_size": shape.vision_hidden,
        "intermediate_size": 2 * shape.vision_hidden,
        "num_heads": 2,
        "out_hidden_size": shape.hidden,
        "deepstack_visual_indexes": list(range(min(2, shape.vision_layers, shape.layers))),
    }
    return Qwen3VLConfig(
        text_config=decoder(shape, vocabulary, tied),
        vision_config=vision,
        tie_word_embeddings=tied,
        dtype="float32",
        **(ids or special_ids(vocabulary)),
    )


def random_model(
    seed: int,
    *,
    vocabulary: int = VOCABULARY,
    hidden: int = 64,
    layers: int = 2,
    intermediate: int = 128,
) -> Any:
    """A Qwen3VLForConditionalGeneration of seeded random weights, float32, in evaluation mode; about a second.

    Its logits differ widely from place to place, so that no decoder gets them right by luck. `hidden` is a multiple
    of 64 (two key/value heads of 32). A vocabulary too small for the real special ids has them as its last four.
    """
    shape = Shape(hidden=hidden, layers=layers, intermediate=intermediate, vision_layers=2, vision_hidden=32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen3VLForConditionalGeneration(config(shape, vocabulary, tied=False))
        spread(model)
        torch.nn.init.normal_(model.lm_head.weight, std=3 * hidden**-0.5)
        for layer in model.model.language_model.layers:
            torch.nn.init.constant_(layer.self_attn.q_norm.weight, 4.0)  # looks at single tokens, not at their mean
    return model.eval()


def spread(model: Any) -> None:
    """Draw the decoder's weights anew, so that a layer's output is as large as its input, and the embedding's."""
    for name, weight in model.model.language_model.named_parameters():
        if name.startswith("layers.") and weight.ndim == 2:
            torch.nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
    embedding = model.model.language_model.embed_tokens.weight
    with torch.no_grad():
        embedding.copy_(exact(embedding.normal_(0, EMBEDDING)))


def compact_model(shape: Shape, used: Sequence[int]) -> Any:
    """A model whose token k is `used[k]`; `used` (ascending) holds the picture's special ids."""
    place = {token: k for k, token in enumerate(used)}
    ids = {
        "vision_start_token_id": place[VISION_START],
        "vision_end_token_id": place[VISION_END],
        "image_token_id": place[IMAGE],
        "video_token_id": len(used),  # a row of its own, since no video is ever shown
    }
    model = Qwen3VLForConditionalGeneration(config(shape, len(used) + 1, ids))
    spread(model)
    return model


def dense(compact: Any, shape: Shape, used: Sequence[int], seed: int) -> Any:
    """The model over the whole vocabulary. Tokens that were never in use get small random rows, which never win."""
    model = Qwen3VLForConditionalGeneration(config(shape))
    state = dict(compact.state_dict())
    draw = torch.Generator().manual_seed(seed)
    rows = torch.empty(VOCABULARY, shape.hidden).normal_(0, UNUSED, generator=draw)
    rows = exact(rows)
    rows[torch.tensor(used)] = state[EMBEDDING_NAME][: len(used)]
    state[EMBEDDING_NAME] = state["lm_head.weight"] = rows
    model.load_state_dict(state)
    return model.eval()


def exact(weights: torch.Tensor) -> torch.Tensor:
    """Rounded to what bfloat16 can hold, so that a file of half the size loses nothing."""
    return weights.bfloat16().float()
