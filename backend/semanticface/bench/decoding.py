"""Skeleton decoding against `generate` of transformers: the same weights, prompts and answers, interleaved in one run.

It takes a checkpoint folder with pictures beside it, as `make small-model` builds them (`wide/` has the cost of a
bigger model), or any installed checkpoint and pictures of yours. Reported are the JSON part (the analysis is given to
both, the first forward is not counted), the whole answer (everything counted), a batch, and a shot whose frames repeat.
Every answer is compared with `generate`'s, text for text.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.analysis.parse import parse_answer
from semanticface.bench.plain_generate import Generate, Timed, timed
from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.loading import Loaded, load
from semanticface.engines.mllm.profile import Layout
from semanticface.engines.mllm.prompt import Prompt, Prompter
from semanticface.engines.mllm.skeleton.decode import Decoder, Draft, Mode, Request
from semanticface.errors import OptionsError
from semanticface.media.images import decode_image

BATCH = 4
TARGETS = {"JSON part": 3.0, "JSON part, batch of 4": 5.0, "whole answer": 2.3, "whole answer in a repeating shot": 4.0}
"""What is asked at least, as `generate`'s time over ours."""
OBJECT = '{"EyeBlinkLeft"'


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to ask about: its name, (H, W, 3) uint8 RGB, and the answer that it was trained on ("" unknown)."""

    name: str
    image: NDArray[np.uint8]
    answer: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Both ways on the same prompts."""

    plain: Timed
    ours: Timed

    @property
    def equal(self) -> bool:
        return self.plain.texts == self.ours.texts


class Bench:
    """One loaded checkpoint with both ways to decode."""

    def __init__(self, loaded: Loaded, checkpoint: Checkpoint) -> None:
        self.profile = checkpoint.profile
        stops = sorted(loaded.stop_ids)
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._decoder = Decoder(loaded.model, loaded.tokenizer, self.profile, stop_ids=stops)
        self._generate = Generate(loaded.model, loaded.tokenizer, stops)
        self._prompter = Prompter(loaded.tokenizer, self.profile)

    def prompt(self, picture: Picture) -> Prompt:
        return self._prompter.build(picture.image)

    def past_analysis(self, picture: Picture, answer: str) -> Prompt:
        """The prompt with the answer's analysis already given: what is left is the object."""
        prompt = self.prompt(picture)
        encoded = self._tokenizer.encode(answer, add_special_tokens=False)
        start = answer.index(OBJECT)
        given = [token for token, (first, _) in zip(encoded.ids, encoded.offsets, strict=True) if first < start]
        return replace(prompt, ids=[*prompt.ids, *given])

    def plain(self, prompts: Sequence[Prompt]) -> Timed:
        return self._generate.run(prompts)

    def ours(self, requests: Sequence[Request]) -> Timed:
        return timed(self._model, lambda: [answer.text for answer in self._decoder.decode(requests)])


def run(folder: Path | None, pictures: Sequence[Path], rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure and compare; `folder` is a checkpoint's, None for the installed one. Figures are medians of `rounds`.

    Raises OptionsError when there are no pictures or the checkpoint writes another layout than the bare one.
    """
    checkpoint = Checkpoint.at(folder) if folder is not None else _installed()
    if checkpoint.profile.layouts[0] is not Layout.BARE:
        raise OptionsError("the JSON part is measured on the bare layout", "choose a checkpoint that writes it")
    shots = [read_picture(path) for path in pictures] or examples(checkpoint)
    loaded = load(checkpoint)
    bench = Bench(loaded, checkpoint)
    parameters = sum(one.numel() for one in loaded.model.parameters())
    say(f"{checkpoint.name}: {parameters / 1e6:.0f} M parameters on {loaded}, {len(shots)} pictures")
    parts = [measure(bench, shots, say) for _ in range(max(1, rounds))]
    out: dict[str, Any] = {
        "checkpoint": checkpoint.name,
        "parameters, millions": parameters / 1e6,
        "rounds": len(parts),
    }
    for name, target in TARGETS.items():
        pairs = [part[name] for part in parts]
        out[name] = _figures(pairs, target)
    out["every answer equal"] = all(pair.equal for part in parts for pair in part.values())
    return out


def measure(bench: Bench, shots: Sequence[Picture], say: Callable[[str], None]) -> dict[str, Pair]:
    """One round: the four measurements, each with `generate` and ours side by side."""
    first, *others = shots
    whole = {shot.name: _whole(bench, shot, say) for shot in (first, *others[:1])}
    answers = {name: pair.plain.texts[0] for name, pair in whole.items()}
    answers |= {shot.name: shot.answer for shot in others[1:] if shot.answer}
    rows = list(islice(cycle(shot for shot in shots if shot.name in answers), BATCH))
    one, batch = ([bench.past_analysis(row, answers[row.name]) for row in some] for some in ([first], rows))
    return {
        "JSON part": _json(bench, one),
        "JSON part, batch of 4": _json(bench, batch),
        "whole answer": whole[first.name],
        "whole answer in a repeating shot": _shot(bench, shots, whole),
    }


def _whole(bench: Bench, shot: Picture, say: Callable[[str], None]) -> Pair:
    prompt = bench.prompt(shot)
    pair = Pair(bench.plain([prompt]), bench.ours([Request(prompt)]))
    say(f"whole answer to {shot.name}: generate {pair.plain.total:.1f} s, ours {pair.ours.total:.1f} s")
    return pair


def _json(bench: Bench, prompts: list[Prompt]) -> Pair:
    """Only the object, on both sides after a first forward that reads prompt, picture and analysis."""
    pair = Pair(bench.plain(prompts), bench.ours([Request(prompt, Mode.COEFFICIENTS) for prompt in prompts]))
    return Pair(_without_first(pair.plain), _without_first(pair.ours))


def _shot(bench: Bench, shots: Sequence[Picture], whole: dict[str, Pair]) -> Pair:
    """A picture, the same again, its neighbour, the neighbour again, back: each with the one before as its draft.

    `generate` knows no frame before, so its time for a picture is the one that was just measured.
    """
    a, b = shots[0], shots[1] if len(shots) > 1 else shots[0]
    last = whole[a.name].plain.texts[0]
    ours: list[Timed] = []
    for shot in (a, b, b, a):
        ours.append(bench.ours([Request(bench.prompt(shot), draft=draft_of(last))]))
        last = ours[-1].texts[0]
    return Pair(_sum([whole[shot.name].plain for shot in (a, b, b, a)]), _sum(ours))


def draft_of(answer: str) -> Draft:
    """An answer as the draft for the next frame."""
    return Draft(answer[: answer.index(OBJECT)], parse_answer(answer).coefficients)


def _without_first(one: Timed) -> Timed:
    return replace(one, total=one.rest, prefill=0.0)


def _sum(many: Sequence[Timed]) -> Timed:
    return Timed(
        tuple(text for one in many for text in one.texts),
        sum(one.total for one in many),
        sum(one.prefill for one in many),
        sum(one.forwards for one in many),
    )


def _figures(pairs: Sequence[Pair], target: float) -> dict[str, Any]:
    ratios = [pair.plain.total / pair.ours.total for pair in pairs]
    return {
        "times faster": statistics.median(ratios),
        "asked": target,
        "generate s": statistics.median(pair.plain.total for pair in pairs),
        "ours s": statistics.median(pair.ours.total for pair in pairs),
        "forwards": f"{pairs[0].plain.forwards} and {pairs[0].ours.forwards}",
        "equal": all(pair.equal for pair in pairs),
    }


def read_picture(path: Path) -> Picture:
    return Picture(path.name, decode_image(path.read_bytes()), "")


def examples(checkpoint: Checkpoint) -> list[Picture]:
    """The pictures that a checkpoint of `make small-model` was trained on, near-identical neighbours first."""
    beside = checkpoint.folder.parent / "examples"
    try:
        rows = json.loads((beside / "examples.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionsError(
            f"{checkpoint.name} has no example pictures: {error}", "name pictures to ask about"
        ) from error
    mine = [row for row in rows if row["profile"] == checkpoint.folder.name]
    follower = next((row for row in mine if row.get("after")), None)
    if follower is not None:
        before = next(row for row in mine if row["name"] == follower["after"])
        mine = [before, follower, *(row for row in mine if row is not before and row is not follower)]
    return [replace(read_picture(beside / row["image"]), answer=row["answer"]) for row in mine]


def _installed() -> Checkpoint:
    from semanticface.engines.mllm.checkpoint import find_checkpoint

    return find_checkpoint()
