"""What is proposed to the model before it was asked: the same as in an earlier answer, or neutral digits.

A proposal costs room in the model's next run and, when it is right, saves one; a wrong one changes nothing in the
answer. How much is proposed at once is a window that grows while proposals hold and shrinks when they don't. This
module knows rows and tokens and nothing of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semanticface.actions import BY_NAME, CSV_ORDER, Side
from semanticface.engines.mllm.skeleton.script import Row
from semanticface.engines.mllm.skeleton.template import DIGIT, INTEGER, Place, Template

TEXT_START, TEXT_MOST = 16, 64
VALUES_START, VALUES_MOST = 16, len(CSV_ORDER)
"""Tokens of text and values that a draft proposes at first and at most in one run of the model.

Found by replaying the answers to 41 frames of samples/rom_head.csv, 838 tokens on average, each with the frame before
as its draft: 24 runs of the model per frame, 27 with starts of 8 and 4. After a wrong proposal the window is halved.
Going on in the draft as if one word alone had changed took half as many runs again.
"""
LONGEST = 8
"""Tokens of a text's end that are compared with the draft to find the place where it goes on."""


@dataclass(slots=True)
class Window:
    """How many are proposed at once: between `least` and `most`, twice as many after success, half after failure."""

    size: int
    least: int
    most: int

    def learn(self, right: bool) -> None:
        self.size = min(self.size * 2, self.most) if right else max(self.size // 2, self.least)


@dataclass(slots=True)
class Text:
    """Where in an earlier text a row is now. `at` is the draft's next token; `lost`: the row says something else now.

    A row that is lost is found again when its last two tokens or more stand in the draft.
    """

    ids: Sequence[int]
    at: int = 0
    lost: bool = False
    read: int = 0

    def follow(self, written: Sequence[int]) -> None:
        """Take note of what the row has written since."""
        for end in range(self.read + 1, len(written) + 1):
            if not self.lost and self.at < len(self.ids) and self.ids[self.at] == written[end - 1]:
                self.at += 1
            else:
                self._find(written[:end])
        self.read = len(written)

    def ahead(self, count: int) -> Sequence[int]:
        return () if self.lost else self.ids[self.at : self.at + count]

    def _find(self, written: Sequence[int]) -> None:
        """Go behind the longest end of the text that the draft has too, and of several to the nearest."""
        best, found = 1, self.at
        for end in range(2, len(self.ids) + 1):
            same = 0
            while same < min(LONGEST, end, len(written)) and self.ids[end - 1 - same] == written[-1 - same]:
                same += 1
            if same > best or (same == best > 1 and abs(end - self.at) < abs(found - self.at)):
                best, found = same, end
        self.at, self.lost = found, best == 1


@dataclass(slots=True)
class Proposer:
    """Proposals for one row: from a draft's text and values where it has them, else neutral ones.

    `hopes`: what was proposed last time, by place in the row's tokens, to learn from.
    """

    text: Text | None
    values: Mapping[str, float] | None
    text_window: Window
    values_window: Window
    hopes: dict[int, int] = field(default_factory=dict)
    spelled: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def propose(self, row: Row) -> None:
        """Append proposals to the row, up to a place whose token is not guessed or need not be."""
        self._learn(row)
        if row.template is None:
            self._propose_text(row)
        if row.template is not None:
            self._propose_values(row)

    def _learn(self, row: Row) -> None:
        if self.hopes:
            right = all(i < len(row.ids) and row.ids[i] == token for i, token in self.hopes.items())
            in_values = row.template is not None and row.start <= min(self.hopes)
            (self.values_window if in_values else self.text_window).learn(right)
        self.hopes = {}

    def _propose_text(self, row: Row) -> None:
        if self.text is not None:
            self.text.follow(row.ids)
        for token in self._ahead(row)[: row.rules.limit - len(row.ids) - 1]:
            self.hopes[len(row.ids)] = token
            row.push(token)
            if row.template is not None:
                return

    def _ahead(self, row: Row) -> Sequence[int]:
        """The tokens that may follow: the rest of a trigger that has begun, else the draft's."""
        for template in row.rules.templates:
            for begun in range(len(template.trigger) - 1, 0, -1):
                if tuple(row.ids[-begun:]) == template.trigger[:begun]:
                    return template.trigger[begun:]
        return () if self.text is None else self.text.ahead(self.text_window.size)

    def _propose_values(self, row: Row) -> None:
        """Fill values until the last digit of the window's last one, which is the model's to choose."""
        room = self.values_window.size
        row.push_forced()
        while not row.whole:
            place = row.place()
            token = self._guess(row, place)
            room -= place.last
            if token is not None:
                self.hopes[len(row.ids)] = token
            if token is None or room == 0:
                return
            row.push(token)
            row.push_forced()

    def _guess(self, row: Row, place: Place) -> int | None:
        """The likely token of a place; None when the digits before it are not the expected ones."""
        template = row.template
        assert template is not None
        spelled = self._spelled(row, template, place)
        first = row.start + template.firsts[place.value]
        if place.part > INTEGER and tuple(row.ids[first + INTEGER :]) != spelled[INTEGER : place.part]:
            return None
        return spelled[place.part]

    def _spelled(self, row: Row, template: Template, place: Place) -> tuple[int, ...]:
        """A value's expected tokens: the draft's; else those of the other side, when they are written; else zero's."""
        name = template.actions[place.value]
        if self.values is not None and name in self.values:
            if place.value not in self.spelled:
                self.spelled[place.value] = template.spell(place.value, self.values[name])
            return self.spelled[place.value]
        zero = template.spell(place.value, 0.0)
        side = template.mirrors[place.value]
        if side < 0 or side >= place.value or BY_NAME[name].side is Side.CENTER:
            return zero
        mirror = row.start + template.firsts[side]
        other = row.ids[mirror : mirror + DIGIT + template.decimals]
        return (zero[0], *other[INTEGER:])
