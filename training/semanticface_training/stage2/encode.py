"""Samples to tokens: the prompt as the backend asks it, the answer, and what each of the answer's tokens stands for.

A value's tokens are found by their places in the text, never by their ids: tokenizers join a sign with what stands
before it (`[-`, ` -`), and a description holds digits that are no values. Nothing is ever cut off: an answer that is
too long, or that has another shape than one token for each character of a number, is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from semanticface.engines.mllm.profile import Profile
from semanticface.engines.mllm.prompt import END, Prompt, Prompter
from semanticface.errors import InputError, SemanticFaceError
from semanticface_training.stage2.prompts import Question
from semanticface_training.stage2.sample import Sample
from semanticface_training.stage2.targets import Answer, Form, write

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

MAX_TOKENS = 4096
"""Of prompt and answer together. The paper's A2 with three decimals has about 2,000."""


class Kind(IntEnum):
    """What a token of an answer is."""

    WORDS = 0
    """The description."""
    TEMPLATE = 1
    """What is the same in every answer: brackets, keys, commas, points, and the space before a value without sign."""
    SIGN = 2
    """What stands before the first digit of a value that may be negative."""
    DIGIT = 3
    END = 4


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One sample as tokens. The answer has T tokens, the end token its last, and V values with D decimals.

    `kinds` (T,) int8 of `Kind`; `digits` (V, 1 + D) int64: where in the answer each value's digits stand, integer
    first; `signs` (V,) int64: where its sign does; `exact` (V,) float64: the values before they were rounded;
    `signed` (V,) bool: which may be negative.
    """

    id: str
    prompt: Prompt
    answer: tuple[int, ...]
    text: str
    kinds: NDArray[np.int8]
    digits: NDArray[np.int64]
    signs: NDArray[np.int64]
    exact: NDArray[np.float64]
    signed: NDArray[np.bool_]

    @property
    def tokens(self) -> int:
        """Of prompt and answer."""
        return len(self.prompt.ids) + len(self.answer)


class Encoder:
    """Samples to `Encoded`, all with one question and one form. Safe to use from several threads.

    `tokenizer` is the base model's. Raises AssetError where `Prompter` does.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        question: Question,
        form: Form,
        image_tokens: tuple[int, int] = (4, 256),
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        self.form = form
        self._tokenizer, self._max = tokenizer, max_tokens
        self._profile = Profile("training", question.system, question.user, image_tokens=image_tokens)
        self._prompter = Prompter(tokenizer, self._profile)
        self._end = tokenizer.encode(END, add_special_tokens=False).ids[0]
        self._special = frozenset(tokenizer.get_added_tokens_decoder())
        self._signed = np.array([name in form.signed for name in form.actions])

    @property
    def digit_ids(self) -> tuple[int, ...]:
        """The tokens of 0 to 9."""
        return tuple(int(self._tokenizer.encode(str(digit), add_special_tokens=False).ids[0]) for digit in range(10))

    def prompt(self, sample: Sample) -> Prompt:
        """The question about a sample's picture, for writing freely. Raises MediaError for a picture without shape."""
        return self._prompter.build(sample.image)

    def encode(self, sample: Sample) -> Encoded:
        """Raises InputError or MediaError that names the row for what can't be taught as it is."""
        try:
            return self._encode(sample, write(sample.coefficients, sample.analysis, self.form))
        except SemanticFaceError as error:
            raise type(error)(f"row {sample.id}: {error.message}", error.hint) from error

    def _encode(self, sample: Sample, answer: Answer) -> Encoded:
        whole = self._tokenizer.encode(answer.text, add_special_tokens=False)
        if self._special.intersection(whole.ids):
            raise InputError("its description holds a token that steers the model", "describe it anew")
        kinds = np.full(len(whole.ids) + 1, Kind.TEMPLATE, np.int8)
        begin, end = answer.words
        starts = np.array([offset[0] for offset in whole.offsets])
        kinds[:-1][(starts >= begin) & (starts < end)] = Kind.WORDS
        kinds[-1] = Kind.END
        digits, signs = self._places(answer, whole.offsets)
        kinds[signs[self._signed]] = Kind.SIGN
        kinds[digits.ravel()] = Kind.DIGIT
        exact = np.array([number.exact for number in answer.numbers])
        ids = (*map(int, whole.ids), self._end)
        prompt = self._prompter.build(sample.image)
        if len(prompt.ids) + len(ids) > self._max:
            raise InputError(
                f"{len(prompt.ids)} tokens of prompt and {len(ids)} of answer are more than {self._max}",
                "take fewer image tokens or decimals, or leave the row out; nothing is cut off",
            )
        return Encoded(sample.id, prompt, ids, answer.text, kinds, digits, signs, exact, self._signed)

    def _places(self, answer: Answer, offsets: list[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each value's digits (V, 1 + D) and sign (V,) stand among the answer's tokens."""
        starts = {start: index for index, (start, end) in enumerate(offsets) if end == start + 1}
        digits = np.empty((len(answer.numbers), 1 + self.form.decimals), np.int64)
        for row, number in zip(digits, answer.numbers, strict=True):
            letters = [at for at in range(number.start, number.end) if answer.text[at].isdigit()]
            found = [starts.get(at, -1) for at in letters]
            point = starts.get(letters[0] + 1, -1)
            if -1 in found or found[1:] != list(range(point + 1, point + len(found))) or point != found[0] + 1:
                raise InputError(
                    f"the tokenizer doesn't write {answer.text[number.start : number.end]} as a token a character",
                    "use the tokenizer of a Qwen3-VL",
                )
            row[:] = found
        return digits, digits[:, 0] - 1
