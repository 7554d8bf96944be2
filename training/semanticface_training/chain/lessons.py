"""What is taught of each row, as tokens: the answer about the face, and the one about its mirror image.

Each also with the words of another row in front of the true values, of which only the values are taught. While it
learns a model is given the right words and the right values before the one that it writes, and learns to copy from them
instead of looking; when it writes by itself there is nothing right to copy. What can't be trusted isn't copied.

Encoded once, since only the picture varies from epoch to epoch; batches are put together by Stage II's own collator.
This module knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from semanticface.actions import mirrored
from semanticface.errors import InputError
from semanticface.results import Analysis
from semanticface_training.chain.tokenizer import END, PICTURE
from semanticface_training.stage2.collate import Collator
from semanticface_training.stage2.encode import Encoded, Encoder, Kind
from semanticface_training.stage2.sample import Sample
from semanticface_training.stage2.targets import Target

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNTAUGHT = Kind.SIGN
"""Borrowed for words that are not taught: no action of the demo has a sign, and the loss gives the kind no weight."""
Describe = Callable[[Mapping[str, float]], Analysis]


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """`plain` and `mirror`: N encoded rows each, without patches; all share one prompt.

    `misled` and `misled_mirror`: with another row's words, of the kind `UNTAUGHT`; the same rows where there are none.
    """

    plain: Sequence[Encoded]
    mirror: Sequence[Encoded]
    misled: Sequence[Encoded]
    misled_mirror: Sequence[Encoded]
    collator: Collator

    @property
    def tokens(self) -> float:
        """Mean tokens of prompt and answer."""
        return float(np.mean([row.tokens for row in self.plain]))

    @property
    def longest(self) -> Encoded:
        """The row with the most tokens."""
        return max((*self.plain, *self.mirror, *self.misled, *self.misled_mirror), key=lambda row: row.tokens)

    def batch(self, rows: Sequence[int], mirror: Sequence[bool], misled: Sequence[bool]) -> dict[str, Any]:
        """What `Collator` makes of these rows, and `places` (B, V, 1 + D): columns of each value's digits."""
        lists = {(False, False): self.plain, (True, False): self.mirror}
        lists |= {(False, True): self.misled, (True, True): self.misled_mirror}
        chosen = [lists[turned, wrong][row] for row, turned, wrong in zip(rows, mirror, misled, strict=True)]
        out = self.collator(chosen)
        before = len(chosen[0].prompt.ids)
        out["places"] = torch.from_numpy(np.stack([before + row.digits for row in chosen]))
        return out


def make_lessons(
    encoder: Encoder,
    tokenizer: Tokenizer,
    rows: Sequence[tuple[str, Mapping[str, float], Analysis | None]],
    describe: Describe,
    side: int,
    seed: int = 0,
) -> Lessons:
    """The lessons of (id, coefficients, description) rows; a mirrored row is described anew.

    Raises InputError that names a row which can't be taught.
    """
    if not rows:
        raise InputError("there is no row to learn from", "were faces found in the pictures?")
    blank = np.zeros((side, side, 3), np.uint8)
    plain = [Sample(name, blank, coefficients, analysis) for name, coefficients, analysis in rows]
    mirror = [
        Sample(one.id, blank, turned, describe(turned)) for one in plain for turned in [mirrored(one.coefficients)]
    ]
    right, left = ([_encoded(encoder, one) for one in some] for some in (plain, mirror))
    wrong, wrong_left = right, left
    if encoder.form.target is Target.A2:
        order = np.random.default_rng(seed).permutation(len(rows))
        after = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))  # a circle: no row has its own words
        wrong, wrong_left = (
            [_untaught(encoder, replace(one, analysis=some[after[k]].analysis)) for k, one in enumerate(some)]
            for some in (plain, mirror)
        )
    ids = tokenizer.get_vocab()
    return Lessons(right, left, wrong, wrong_left, Collator(ids[END], ids[PICTURE], encoder.digit_ids, mask=False))


def _encoded(encoder: Encoder, sample: Sample) -> Encoded:
    encoded = encoder.encode(sample)
    return replace(encoded, prompt=replace(encoded.prompt, patches=encoded.prompt.patches[:0]))


def _untaught(encoder: Encoder, sample: Sample) -> Encoded:
    """The sample with its words shown and not taught."""
    encoded = _encoded(encoder, sample)
    return replace(encoded, kinds=np.where(encoded.kinds == Kind.WORDS, UNTAUGHT, encoded.kinds).astype(np.int8))


def with_other_values(batch: Mapping[str, Any], share: float) -> torch.Tensor:
    """(B, L) token ids in which this share of values is another row's value of the same action. Labels stay."""
    ids: torch.Tensor = batch["input_ids"].clone()
    places: torch.Tensor = batch["places"]
    rows, values, digits = places.shape
    present = ids.gather(1, places.flatten(1)).view(rows, values, digits)
    order = torch.rand(rows, values).argsort(0)
    others = present.gather(0, order[..., None].expand(-1, -1, digits))
    chosen = torch.rand(rows, values) < share
    return ids.scatter(1, places.flatten(1), torch.where(chosen[..., None], others, present).flatten(1))
