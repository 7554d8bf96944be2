"""Which probabilities stood behind each digit of an answer: the reply's tokens, laid against the text's values.

Nothing is guessed: where the tokens don't spell the text, where one holds more than one digit, or where a digit came
without alternatives, there are no choices and so no estimates. This module knows nothing of servers.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.engines.mllm.skeleton.choices import Choice
from semanticface.engines.remote.wire import Token

_VALUE = re.compile(rb'"(\w{1,32})":[ \n]*(-?)(\d)\.(\d{1,4})(?!\d)')
_LISTED = re.compile(rb"()(?<=[\[,])[ \n]*(-?)(\d)\.(\d{1,4})(?!\d)")
"""The same of a list's numbers, where the name is empty."""
_SHAPE_INTEGERS, _SIGNED_INTEGERS = 2, 4
_NEVER = -1e4
"""The logarithm for what was not among the alternatives: probability 0, and still finite."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """The `choices` of all values; `agreement`: the share of signs and digits that were likelier than any other token.

    A server that reports before its grammar shows by a low agreement that the grammar spoke and not the model.
    """

    choices: Mapping[str, Choice]
    agreement: float


def align(text: str, tokens: Sequence[Token], profile: Profile) -> Aligned | None:
    """Each of the checkpoint's values with the log-probabilities of its sign and digits; None where not told exactly.

    `text` is what the tokens spell. A digit or sign that the server did not list counts as impossible: at most
    ten times the least probability listed is lost. Distributions need not sum to 1: readers normalise over the digits,
    which is right for servers that report before their grammar and for those that report after it.
    """
    data = b"".join(token.data for token in tokens)
    if not tokens or not data.strip().startswith(text.strip().encode()):  # the end token may be listed as well
        return None
    stream = _Stream(data, tokens)
    out: dict[str, Choice] = {}
    for name, match in _values(data, profile):
        choice = _choice(stream, match, name in profile.signed)
        if choice is None or name in out or len(match[4]) != profile.decimals:
            return None
        out[name] = choice
    if out.keys() != set(profile.actions):
        return None
    return Aligned(out, sum(stream.agreed) / len(stream.agreed))


def _values(data: bytes, profile: Profile) -> Iterator[tuple[str, re.Match[bytes]]]:
    """The values that stand in the text, with their actions; none of a list that is longer or shorter than those."""
    if Layout.VECTOR in profile.layouts:
        found = list(_LISTED.finditer(data))
        yield from zip(profile.actions, found, strict=True) if len(found) == len(profile.actions) else ()
        return
    for match in _VALUE.finditer(data):
        name = match[1].decode("ascii", "replace")
        if name in profile.actions:
            yield name, match


class _Stream:
    """Tokens by their place in the text's bytes."""

    def __init__(self, data: bytes, tokens: Sequence[Token]) -> None:
        self.data = data
        self.agreed: list[bool] = []
        self._tokens = tokens
        self._starts = [0, *accumulate(len(token.data) for token in tokens)]

    def at(self, place: int) -> tuple[Token, int]:
        """The token that spells this byte, and where it begins. Of tokens that begin together the last has bytes."""
        index = bisect_right(self._starts, place) - 1
        return self._tokens[index], self._starts[index]

    def digits(self, place: int, count: int) -> NDArray[np.float32] | None:
        """(count,) float32: log-probabilities of the digits from 0 here; None unless it's a token of its own."""
        token, _ = self.at(place)
        return self._weights(token, [b"%d" % digit for digit in range(count)])

    def sign(self, place: int) -> NDArray[np.float32] | None:
        """(2,) float32: plus and minus, chosen in the token that ends before the digit at this byte."""
        token, start = self.at(place - 1)
        if start + len(token.data) != place or token.data == b"-":
            return None
        plus = token.data.removesuffix(b"-")
        return self._weights(token, [plus, plus + b"-"])

    def _weights(self, token: Token, wanted: Sequence[bytes]) -> NDArray[np.float32] | None:
        """Log-probabilities of the wanted spellings, in their order; None when what was chosen is not among them."""
        listed = {data: value for data, value in token.alternatives if not math.isnan(value)}
        if token.data not in wanted or listed.get(token.data, _NEVER) <= _NEVER:
            return None
        self.agreed.append(max(listed, key=lambda data: listed[data]) in wanted)
        return np.array([max(listed.get(spelling, _NEVER), _NEVER) for spelling in wanted], np.float32)


def _choice(stream: _Stream, match: re.Match[bytes], signed: bool) -> Choice | None:
    sign = stream.sign(match.start(3)) if signed else None
    integer = stream.digits(match.start(3), _SIGNED_INTEGERS if signed else _SHAPE_INTEGERS)
    digits = [stream.digits(place, 10) for place in range(match.start(4), match.end(4))]
    known = [one for one in digits if one is not None]
    if integer is None or len(known) < len(digits) or (signed and sign is None):
        return None
    return Choice(b"".join(match.group(2, 3)).decode() + "." + match[4].decode(), sign, integer, tuple(known))
