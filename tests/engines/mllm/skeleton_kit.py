"""Small real models that write answers on their own, and two plain ways to decode them.

`eager_model` is a Qwen3-VL with random weights and a few pushes: words lead to words and at last to the object, a colon
to a sign, a sign or a point to digits. Which word, which sign and which digit is the random weights' own decision, so
the free text and the values hang on all that went before.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import DynamicCache, LogitsProcessor, LogitsProcessorList, Qwen3VLConfig
from transformers import Qwen3VLForConditionalGeneration as Qwen3VL

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import SIGNED, WORDED, Layout, Profile
from semanticface.engines.mllm.prompt import Prompt

WORDS = [
    *("the", "brows", "rise", "slightly", "while", "both", "eyes", "stay", "wide", "open"),
    *("and", "mouth", "corners", "pull", "up", "strongly", "with", "cheeks", "tense"),
]
CUES = 40
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|vision_start|>", "<|vision_end|>")
PIECES = r"\p{L}+|\p{N}| ?\p{L}+| ?[^\s\p{L}\p{N}]+\n*|\s*\n+|\s+(?!\S)|\s+"


@cache
def tiny_tokenizer(lists: bool = False) -> Tokenizer:
    """Some 150 tokens: each name is one, spaces and punctuation fall as with Qwen's; `lists`: brackets too."""
    splitter = pre_tokenizers.Split(Regex(PIECES), "isolated")
    texts = [json.dumps(dict.fromkeys(CSV_ORDER, 0.0)), "-0.0 :-1.0 0123456789\n\n{", " ".join(WORDS), "\n\n", ".\n\n"]
    for indent in (None, 2):
        analysis = {"expression_category": "Neutral.", "muscle_movements": "None.", "symmetry": "Mostly symmetric."}
        analysis |= {"brows": {"Raised": "x"}}
        texts.append(json.dumps({"analysis": analysis, "arkit": {"HeadYaw": -0.1, "HeadRoll": 0.0}}, indent=indent))
    texts.append("1. **Facial Expression Category**: Neutral.\n\n" + texts[0])
    texts += ["[0.0, 0.0]", "[-0.0]"] if lists else []
    pieces = dict.fromkeys(piece for text in texts for piece, _ in splitter.pre_tokenize_str(text))
    vocabulary = {piece: index for index, piece in enumerate([*SPECIAL, "?", *pieces])}
    out = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    out.pre_tokenizer = splitter
    out.decoder = decoders.Fuse()
    out.add_special_tokens([*SPECIAL])
    return out


def profile(layout: Layout = Layout.BARE, decimals: int = 1, **more: Any) -> Profile:
    every = (layout,) if layout.wordless else (layout, *(other for other in WORDED if other is not layout))
    return Profile(**{"name": "kit", "system": "", "user": "", "layouts": every, "decimals": decimals, **more})


def token(tokenizer: Tokenizer, text: str) -> int:
    """The one token of a text."""
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert len(ids) == 1, (text, ids)
    return int(ids[0])


def config_of(tokenizer: Tokenizer, hidden: int = 64 + CUES, layers: int = 2) -> Qwen3VLConfig:
    special = {name: tokenizer.token_to_id(name) for name in SPECIAL}
    text = {
        "vocab_size": max(tokenizer.get_vocab().values()) + 1,
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "rope_parameters": {"rope_type": "default", "rope_theta": 5e6, "mrope_interleaved": True}
        | {"mrope_section": [4, 2, 2]},
        "tie_word_embeddings": False,
    }
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": hidden}
    return Qwen3VLConfig(
        text_config=text,
        vision_config=vision | {"deepstack_visual_indexes": [0], "num_position_embeddings": 256},
        image_token_id=special["<|image_pad|>"],
        video_token_id=special["<|endoftext|>"],
        vision_start_token_id=special["<|vision_start|>"],
        vision_end_token_id=special["<|vision_end|>"],
        tie_word_embeddings=False,
    )


def eager_model(
    tokenizer: Tokenizer,
    layout: Layout,
    seed: int = 0,
    *,
    eager: float = 1.0,
    end: str = "",
    first: str = CSV_ORDER[0],
) -> Any:
    """A random model that walks through `WORDS` and then writes `layout`'s object; or `end`, a token, instead of it.
    For a layout without words any word of a prompt leads there at once. `first`: the object's first action.

    Of its hidden dimensions the last `CUES` hold cues: a token's embedding sets one, the head reads it, and no layer
    writes there. The rest is random. `eager`: how much the cues count for.
    """
    torch.manual_seed(seed)
    config = config_of(tokenizer)
    model = Qwen3VL(config).eval()
    for name, weight in model.named_parameters():
        if weight.ndim > 1 and "embed" not in name and "lm_head" not in name:
            weight.data.normal_(0, 1.5 / weight[0].numel() ** 0.5)
        if "language_model" in name and "q_norm" in name:
            weight.data.fill_(3.0)  # attention that looks at a few tokens, so that these matter
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.data[-CUES:] = 0
    vectors = model.get_input_embeddings().weight.data.normal_(0, 1)
    head = torch.nn.Linear(config.text_config.hidden_size, config.text_config.vocab_size, bias=True)
    head.weight.data.normal_(0, 0.12)
    listed = ("[", "[-") if layout is Layout.VECTOR else ()
    letters = [token(tokenizer, text) for text in (" ", " -", *"0123456789", *listed)]
    head.weight.data[letters] *= 2  # what is written as a value hangs on much
    head.bias.data.zero_()
    model.lm_head = head
    for matrix in (vectors, head.weight.data):
        matrix[:, -CUES:] = 0
    words = [token(tokenizer, " " + word) for word in WORDS]
    head.bias.data[words] += 0.0 if layout.wordless else 3.0
    for cue, (before, after, strength) in enumerate(_cues(tokenizer, layout, words, end, first)):
        vectors[before, cue - CUES] = 4.0
        head.weight.data[after, cue - CUES] = eager * strength
    return model.requires_grad_(False)


def _cues(
    tokenizer: Tokenizer, layout: Layout, words: list[int], end: str, first: str
) -> list[tuple[list[int], list[int], float]]:
    """Tokens that make others likely, and how strongly."""
    paper = {Layout.PAPER: ' "arkit": {"', Layout.PAPER_INDENTED: ' "arkit": {\n    "'}
    chain = tokenizer.encode(end or paper.get(layout, '{"') + f'{first}":', add_special_tokens=False).ids
    space, minus, point = (token(tokenizer, text) for text in (" ", " -", "."))
    digits = [token(tokenizer, str(digit)) for digit in range(10)]
    numbers = [([space, minus], digits[:2], 5.0), ([point], digits, 5.0), (digits, digits, 2.5)]
    if layout.wordless:
        words = [*words, token(tokenizer, "\n")]  # how a chat's prompt ends
    if layout is Layout.VECTOR:
        signs = [token(tokenizer, text) for text in ("[", "[-")[: 1 + (first in SIGNED)]]
        return [(words, [token(tokenizer, end)] if end else signs, 6.0), (signs, digits[:2], 5.0), *numbers]
    out = [([before], [after], 1.7) for before, after in pairwise(words) if not layout.wordless]
    starts = words if layout.wordless else words[-1:]
    out += [(starts, chain[:1], 6.0), *(([before], [after], 6.0) for before, after in pairwise(chain))]
    return [*out, *numbers]


def prompt(tokenizer: Tokenizer, seed: int, height: int = 4, width: int = 4) -> Prompt:
    """A prompt with a random picture of `height` x `width` patches and a few random words."""
    source = np.random.default_rng(seed)
    words = " " + " ".join(source.choice(WORDS, source.integers(1, 9)))
    text = f"<|vision_start|>{'<|image_pad|>' * (height * width // 4)}<|vision_end|>{words}"
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    patches = torch.from_numpy(source.normal(0, 1, (height * width, 1536)).astype(np.float32))
    return Prompt(list(ids), patches, (1, height, width))


def prompts(tokenizer: Tokenizer, count: int = 4) -> list[Prompt]:
    """Prompts of different lengths with pictures of different sizes."""
    sizes = [(4, 4), (2, 8), (6, 4), (8, 8)]
    return [prompt(tokenizer, seed, *sizes[seed % len(sizes)]) for seed in range(count)]


class Grammar:
    """Which tokens may come next, told from the text so far: the plain way, one layout at a time."""

    def __init__(self, tokenizer: Tokenizer, layout: Layout, chosen: Profile) -> None:
        zero = f"{0:.{chosen.decimals}f}"
        encode: Callable[[str], list[int]] = lambda text: tokenizer.encode(text, add_special_tokens=False).ids  # noqa: E731
        self.tokenizer = tokenizer
        digits = encode("".join(map(str, range(10))))
        signed = [name in chosen.signed for name in chosen.actions]
        if layout is Layout.VECTOR:
            self.begin = ""
            self.allowed = [[one] for one in encode("[" + ", ".join([zero] * len(signed)) + "]")]
            starts = [index for index, (one,) in enumerate(self.allowed) if one in encode("[") + encode(" ")]
        else:
            gap, comma, close = " ", ", ", "}" if layout in (Layout.BARE, Layout.VALUES) else "}}"
            self.begin = '{"' if layout in (Layout.BARE, Layout.VALUES) else 'arkit": {"'
            if layout is Layout.PAPER_INDENTED:
                gap, comma, close, self.begin = " ", ",\n    ", "\n  }\n}", 'arkit": {\n    "'
            self.begin += f'{chosen.actions[0]}":'
            text = comma.join(f'"{name}":{gap}{zero}' for name in chosen.actions)
            ids = encode('x "' + self.begin.removesuffix(f'"{chosen.actions[0]}":') + text + close)
            pattern = encode(f": {zero}")[1:]
            found = [i for i in range(len(ids)) if ids[i : i + len(pattern)] == pattern]
            self.allowed = [[one] for one in ids[found[0] :]]
            starts = [start - found[0] for start in found]
        assert len(starts) == len(chosen.actions)
        for at, minus in zip(starts, signed, strict=True):
            if minus:
                self.allowed[at].append(token(tokenizer, tokenizer.decode(self.allowed[at]) + "-"))
            self.allowed[at + 1] = digits[:4] if minus else digits[:2]
            for place in range(at + 3, at + 3 + chosen.decimals):
                self.allowed[place] = digits

    def next(self, written: Sequence[int]) -> list[int] | None:
        """The tokens allowed after those written; None where any is, [] where the answer is whole."""
        text = self.tokenizer.decode(list(written))
        if self.begin not in text:
            return None
        ends = range(len(written) + 1)
        back = bisect_left(ends, True, key=lambda end: self.begin in self.tokenizer.decode(list(written[:end])))
        done = len(written) - back
        return self.allowed[done] if done < len(self.allowed) else []


@dataclass(frozen=True)
class Plain:
    """What plain decoding wrote: tokens, how it ended, and the logits of each choice among several tokens."""

    ids: list[int]
    ending: str
    logits: list[np.ndarray]


def greedy(
    scores: Callable[[list[int]], torch.Tensor | None],
    grammar: Grammar,
    stop: int,
    limit: int,
    opening: Sequence[int] = (),
) -> Plain:
    """Each token the best of the allowed ones, by what `scores` gives (V,) after the tokens so far (None: no more)."""
    ids: list[int] = []
    logits: list[np.ndarray] = []
    start = None
    while True:
        if start is None and (ids == list(opening) if opening else grammar.next(ids) is not None):
            start = len(ids)
        if start is not None and len(ids) - start == len(grammar.allowed):
            return Plain(ids, "json", logits)
        if start is None and len(ids) >= limit:
            return Plain(ids, "limit", logits)
        found = scores(ids)
        if found is None:
            return Plain(ids, "departed", logits)
        if start is None:
            ids.append(opening[len(ids)] if opening else int(found.argmax()))
            if ids[-1] == stop:
                return Plain(ids[:-1], "stopped", logits)
        else:
            allowed = grammar.allowed[len(ids) - start]
            ids.append(allowed[int(found[allowed].argmax())])
            if len(allowed) > 1:
                logits.append(found[allowed].numpy())


@torch.no_grad()
def plain_decode(model: Any, asked: Prompt, *rules: Any) -> Plain:
    """One row, one token at a time, as simply as it can be done. `rules`: those of `greedy`."""
    memory = DynamicCache(config=model.config)
    model.model.rope_deltas = None

    def scores(ids: list[int]) -> torch.Tensor:
        if not ids:
            return model(**inputs(model, [asked]), past_key_values=memory, use_cache=True).logits[0, -1]
        place = (len(asked.ids) + len(ids) - 1 + model.model.rope_deltas).expand(3, 1, 1)
        last = torch.tensor([ids[-1:]])
        return model(input_ids=last, position_ids=place, past_key_values=memory, use_cache=True).logits[0, -1]

    return greedy(scores, *rules)


@torch.no_grad()
def follow(model: Any, asked: Prompt, answer: Sequence[int], *rules: Any) -> Plain:
    """The greedy answer, if it is this one: all its tokens go through the model at once, with no memory at all."""
    whole = Prompt([*asked.ids, *answer], asked.patches, asked.grid)
    model.model.rope_deltas = None
    table = model(**inputs(model, [whole])).logits[0, len(asked.ids) - 1 :]
    return greedy(
        lambda ids: table[len(ids)] if len(ids) <= len(answer) and list(answer[: len(ids)]) == ids else None, *rules
    )


def inputs(model: Any, asked: Sequence[Prompt]) -> dict[str, torch.Tensor]:
    """What the model's own `forward` and `generate` take, padded on the left."""
    width = max(len(one.ids) for one in asked)
    ids = torch.tensor([[0] * (width - len(one.ids)) + one.ids for one in asked])
    mask = torch.tensor([[0] * (width - len(one.ids)) + [1] * len(one.ids) for one in asked])
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "mm_token_type_ids": (ids == model.config.image_token_id).int(),
        "pixel_values": torch.cat([one.patches for one in asked]),
        "image_grid_thw": torch.tensor([one.grid for one in asked]),
    }


class Constraint(LogitsProcessor):  # type: ignore[misc]
    """The grammar for `generate`: everything that it doesn't allow is impossible; the end follows the object."""

    def __init__(self, grammar: Grammar, start: int, stop: int) -> None:
        self.grammar, self.start, self.stop = grammar, start, stop

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        for row, ids in enumerate(input_ids[:, self.start :].tolist()):
            allowed = [self.stop] if self.stop in ids else self.grammar.next(ids)
            if allowed is not None:
                kept = scores[row, allowed or [self.stop]].clone()
                scores[row] = -torch.inf
                scores[row, allowed or [self.stop]] = kept
        return scores


@torch.no_grad()
def generate(
    model: Any, asked: Sequence[Prompt], stop: int, most: int, grammar: Grammar | None = None
) -> list[list[int]]:
    """`transformers`' own greedy answer, constrained or not, without the end token."""
    given = inputs(model, asked)
    start = given["input_ids"].shape[1]
    model.model.rope_deltas = None
    processors = LogitsProcessorList([Constraint(grammar, start, stop)] if grammar else [])
    out = model.generate(
        **given, do_sample=False, max_new_tokens=most, eos_token_id=stop, pad_token_id=stop, logits_processor=processors
    )
    rows = out[:, start:].tolist()
    return [row[: row.index(stop)] if stop in row else row for row in rows]
