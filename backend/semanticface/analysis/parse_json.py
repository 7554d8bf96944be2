"""JSON objects out of a language model's text: a reader that forgives spelling and never guesses.

Strict JSON plus what can be repaired without a choice: comments, a trailing comma, line breaks in a text, single
quotes around a text without quotes, closing braces missing at the very end. A scalar counts as read only when a comma
or a bracket follows it, so a number that is cut off is never taken for a shorter one. Time is linear in the text: each
token is a possessive match, nesting is bounded, and after a failure the search goes on where the reader stopped. It
knows nothing of faces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_DEPTH = 6
"""Objects and lists inside each other; an answer in the paper's dialect has up to four."""
MAX_OBJECTS = 64
"""Places that are tried as the start of an object."""
MAX_KEY = 80
"""Characters of a key; the longest that means something has 21."""
MAX_NUMBER = 32
"""Characters of a number; a double needs at most 24."""

_MOST_NAMED = 8

_OBJECT = re.compile(r"""\{(?=[ \t\r\n]*+(?:["'}/]|\Z))""")
_SPACE = re.compile(r"[ \t\r\n]*+")
_LINE = re.compile(r"[^\r\n]*+")
_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SINGLE = re.compile(r"'[^'\"\\\r\n]*+'")
_CONTROL = re.compile(r"[\x00-\x1f]")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
"""JSON's own number, nothing wider: `0.`, `.5`, `+1` and `01` leave room for doubt."""
_WORD = re.compile(r"[^\s,:{}\[\]]{1,24}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Members:
    """A JSON object: its pairs in the order of the text, repeated keys included."""

    pairs: tuple[tuple[str, Value], ...]


Value = float | str | bool | None | list["Value"] | Members


@dataclass(frozen=True, slots=True)
class Found:
    """An object at `text[start:end]`, and in words what had to be repaired to read it."""

    members: Members
    start: int
    end: int
    repairs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """What begins like an object at `start` and stops being one at `position`; `keys` are those read so far."""

    start: int
    position: int
    reason: str
    keys: tuple[str, ...]


class _Broken(Exception):
    """Raised and caught in this module: `reason`, and where reading stopped."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


def find_objects(text: str) -> list[Found | Failed]:
    """All outermost objects of the text in order, those that can't be read included.

    Stops after `MAX_OBJECTS` + 1, so that a caller can tell a full list from a cut one.
    """
    stop = _without_fence(text)
    out: list[Found | Failed] = []
    position = 0
    while len(out) <= MAX_OBJECTS and (match := _OBJECT.search(text, position, stop)):
        start = match.start()
        reader = _Reader(text, start, stop)
        try:
            members = reader.members(1)
            out.append(Found(members, start, reader.position, tuple(reader.repairs)))
            position = reader.position
        except _Broken as broken:
            out.append(Failed(start, broken.position, broken.reason, tuple(reader.keys)))
            position = max(broken.position, start + 1)
    return out


def place(text: str, position: int) -> str:
    """The position in words, counted from 1: `line 3, column 14`."""
    before = text[:position]
    return f"line {before.count(chr(10)) + 1}, column {position - before.rfind(chr(10))}"


def listed(names: Iterable[str]) -> str:
    """The names in one line, the first few if they are many."""
    every = list(names)
    rest = f" and {len(every) - _MOST_NAMED} more" if len(every) > _MOST_NAMED else ""
    return ", ".join(every[:_MOST_NAMED]) + rest


def _without_fence(text: str) -> int:
    """Where the text ends when white space and a closing code fence don't count."""
    stop = len(text.rstrip())
    return len(text[:stop].rstrip("`").rstrip()) if text.endswith("```", 0, stop) else stop


class _Reader:
    """A position in a text, and what was met on the way to it."""

    def __init__(self, text: str, position: int, stop: int) -> None:
        self.text = text
        self.position = position
        self.stop = stop
        self.repairs: dict[str, None] = {}  # in the order in which they were met, each once
        self.keys: list[str] = []

    def members(self, depth: int) -> Members:
        """The object that begins here. Its closing brace may be missing only at the end of the text."""
        self._enter(depth)
        pairs: list[tuple[str, Value]] = []
        while True:
            char = self._peek()
            if char in {"", "}"}:
                break
            key = self._key()
            value = self._value(depth)
            pairs.append((key, value))
            char = self._peek()
            if char == "" and not isinstance(value, Members):
                raise _Broken(f"the text ends right after the value of {key!r}, which may be cut off", self.position)
            if char != ",":
                break
            self.position += 1
            if self._peek() == "}":
                self._repair("removed a trailing comma")
        if char == "":
            self._repair("added a missing closing brace")
        elif char == "}":
            self.position += 1
        else:
            raise self._unexpected("a comma or a closing brace")
        return Members(tuple(pairs))

    def _array(self, depth: int) -> list[Value]:
        self._enter(depth)
        out: list[Value] = []
        while self._peek() != "]":
            out.append(self._value(depth))
            if self._peek() == "]":
                break
            if self._peek() != ",":
                raise self._unexpected("a comma or a closing bracket")
            self.position += 1
            if self._peek() == "]":
                self._repair("removed a trailing comma")
        self.position += 1
        return out

    def _enter(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _Broken(f"objects are nested more than {MAX_DEPTH} deep", self.position)
        self.position += 1

    def _key(self) -> str:
        start = self.position
        if self.text[start] not in "\"'":
            raise self._unexpected("a key in quotes")
        key = self._string()
        if len(key) > MAX_KEY:
            raise _Broken(f"a key of {len(key)} characters", self.position)
        if self._peek() != ":":
            raise self._unexpected(f"a colon after {key!r}")
        self.position += 1
        self.keys.append(key)
        return key

    def _value(self, depth: int) -> Value:
        char = self._peek()
        if char == "{":
            return self.members(depth + 1)
        if char == "[":
            return self._array(depth + 1)
        if char in ('"', "'"):
            return self._string()
        if number := NUMBER.match(self.text, self.position, self.stop):
            if len(number[0]) > MAX_NUMBER:
                raise _Broken(f"a number of {len(number[0])} characters", number.end())
            self.position = number.end()
            return float(number[0])
        word = _WORD.match(self.text, self.position, self.stop)
        if word is None or word[0] not in _WORDS:
            raise self._unexpected(f"a value for {self.keys[-1]!r}")
        self.position = word.end()
        return _WORDS[word[0]]

    def _string(self) -> str:
        single = self.text[self.position] == "'"
        match = (_SINGLE if single else _TEXT).match(self.text, self.position, self.stop)
        if match is None and single:
            raise _Broken("a text in single quotes that holds quotes or doesn't end", self.position)
        if match is None:
            raise _Broken("a text without its closing quote", self.stop)  # all the rest was read: don't read it again
        self.position = match.end()
        if single:
            self._repair("replaced single quotes")
            return match[0][1:-1]
        if _CONTROL.search(match[0]):
            self._repair("accepted a line break or control character inside a text")
        if "\\" not in match[0]:
            return match[0][1:-1]
        try:
            return str(_DECODER.decode(match[0]))
        except ValueError:
            raise _Broken("a text with a backslash that means nothing in JSON", match.end()) from None

    def _peek(self) -> str:
        """The next character that is neither white space nor comment, "" at the end; moves up to it."""
        while True:
            self.position = _at(_SPACE, self.text, self.position, self.stop)
            if self.text.startswith("//", self.position, self.stop):
                self.position = _at(_LINE, self.text, self.position, self.stop)
            elif self.text.startswith("/*", self.position, self.stop):
                end = self.text.find("*/", self.position + 2, self.stop)
                if end < 0:
                    raise _Broken("a comment without its end", self.stop)
                self.position = end + 2
            else:
                return self.text[self.position] if self.position < self.stop else ""
            self._repair("removed a comment")

    def _repair(self, words: str) -> None:
        self.repairs[words] = None

    def _unexpected(self, wanted: str) -> _Broken:
        if self.position >= self.stop:
            return _Broken(f"the text ends where {wanted} should stand", self.position)
        word = _WORD.match(self.text, self.position, self.stop)
        return _Broken(
            f"{(word[0] if word else self.text[self.position])!r} where {wanted} should stand", self.position
        )


def _at(pattern: re.Pattern[str], text: str, position: int, stop: int) -> int:
    match = pattern.match(text, position, stop)
    return match.end() if match else position
