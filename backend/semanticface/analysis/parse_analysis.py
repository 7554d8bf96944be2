"""The four fields of an analysis out of what a language model writes: Markdown headings and lists, or JSON.

Words stay as they are; only the marks around them (list bullets, numbers, bold) go. A field that isn't there stays
empty and is reported. This module knows nothing of coefficients.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from semanticface.analysis.parse_json import Members, Value, listed
from semanticface.results import Analysis

WHOLE_FACE = "face"
"""The region of sentences that stand under no region of their own."""
_LONGEST_TITLE = 60
_LONGEST_REGION = 40
_MOST_REGION_WORDS = 3

# What a heading or key must contain to mean a field; the first line that fits decides ("Symmetry of movements").
_FIELDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("symmetry", ("symmetr",)),
    ("muscle_movements", ("movement", "muscle")),
    ("emotional_implication", ("emotion", "implication")),
    ("expression_category", ("category", "expression")),
)
FIELDS = ("expression_category", "muscle_movements", "emotional_implication", "symmetry")

_NUMBERED = re.compile(r"(?:#{1,6} ?)?(?:\d{1,2}[.)] ?)?")
_BULLET = re.compile(r"(?:[-*+•]|\d{1,2}[.)]) +")


def analysis_from_markdown(text: str) -> tuple[Analysis | None, tuple[str, ...]]:
    """The analysis in numbered or titled paragraphs, and what is missing; None when no field is there at all."""
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        heading = _heading(line)
        if heading is not None:
            current = fields.setdefault(heading[0], [])
        words = line if heading is None else heading[1]
        if current is not None and words.strip():
            current.append(words)
    if not fields:
        return None, ()
    texts = {name: _plain(" ".join(line.strip() for line in lines)) for name, lines in fields.items()}
    return _analysis(texts, movements_by_region(fields.get("muscle_movements", [])))


def analysis_from_json(value: Value) -> tuple[Analysis | None, tuple[str, ...]]:
    """The analysis as an object of four fields (or as one text), and what is missing or was ignored."""
    if isinstance(value, str):
        found, notes = analysis_from_markdown(value)
        if found is None and value.strip():
            return _analysis({}, {WHOLE_FACE: _clean(value)})
        return found, notes
    if not isinstance(value, Members) or not value.pairs:
        return None, ()
    texts: dict[str, str] = {}
    movements: dict[str, str] = {}
    ignored: list[str] = []
    for key, content in value.pairs:
        name = _field(key)
        if name is None or name in texts:
            ignored.append(key)
            continue
        texts[name] = _clean(_words(content))
        if name == "muscle_movements":
            movements = _movements(content)
    found, notes = _analysis(texts, movements)
    return found, (f"analysis: ignored {listed(ignored)}", *notes) if ignored else notes


def movements_by_region(lines: Iterable[str]) -> dict[str, str]:
    """Lower-cased region to its words, from a list with regions as titles; the rest stands under `WHOLE_FACE`.

    What is indented below a region belongs to it. Items under `WHOLE_FACE` stay lines, those of a region are joined.
    """
    out: dict[str, list[str]] = {}
    region, region_indent = WHOLE_FACE, 0
    for line in lines:
        item = line.strip()
        bullet = _BULLET.match(item)
        indent = len(line) - len(line.lstrip()) if bullet else -1
        item = item[bullet.end() :] if bullet else item
        nested = bullet is not None and region != WHOLE_FACE and indent > region_indent
        title = None if nested else _region_title(item, bullet is not None)
        if title is not None:
            (region, item), region_indent = title, indent
        elif bullet and not nested:
            region = WHOLE_FACE
        words = _plain(item)
        if words:
            out.setdefault(region, []).append(f"\n{words}" if region == WHOLE_FACE and bullet else f" {words}")
    return {region: "".join(items).strip() for region, items in out.items()}


def _analysis(texts: Mapping[str, str], movements: Mapping[str, str]) -> tuple[Analysis | None, tuple[str, ...]]:
    category, emotion, symmetry = (texts.get(name, "") for name in (FIELDS[0], FIELDS[2], FIELDS[3]))
    missing = [name for name, there in zip(FIELDS, (category, movements, emotion, symmetry), strict=True) if not there]
    if len(missing) == len(FIELDS):
        return None, ()
    return Analysis(category, movements, emotion, symmetry), tuple(f"analysis: no {name}" for name in missing)


def _heading(line: str) -> tuple[str, str] | None:
    """The field that a line opens and the text behind its title: `2. **Detailed Muscle Movements**: ...`."""
    if line[:2].isspace():
        return None  # below something else
    bare = line.strip()
    marked = _NUMBERED.match(bare)
    start = marked.end() if marked else 0
    if not start and not bare.startswith("**"):
        return None  # a sentence, or an item of a list
    title, rest = _title(bare[start:].lstrip(), _LONGEST_TITLE, alone=bare.startswith("#"))
    name = _field(title)
    return None if name is None else (name, rest)


def _region_title(item: str, in_list: bool) -> tuple[str, str] | None:
    """Region and sentence of `**Eyes**: wide open` or, in a list, `Eyes: wide open`; None when there is no title."""
    bold = item.startswith("**")
    if not bold and not in_list:
        return None
    title, rest = _title(item, _LONGEST_REGION)
    title = _clean(title).lower()
    if not title or (not bold and len(title.split()) > _MOST_REGION_WORDS):
        return None
    return title, rest


def _title(text: str, longest: int, alone: bool = False) -> tuple[str, str]:
    """The words before a colon and those behind it, bold marks taken off; no words when there is no such colon.

    With `alone` (a Markdown heading), and for bold words with nothing behind them, no colon is needed.
    """
    if text.startswith("**"):
        end = text.find("**", 2, longest + 4)
        inside, rest = text[2:end].strip(), text[end + 2 :].lstrip()
        if end > 0 and (inside.endswith(":") or rest.startswith(":") or not rest):
            return inside.rstrip(":").strip(), rest.removeprefix(":").strip()
        return "", text
    title, colon, rest = text.partition(":")
    return (title.strip(), rest.strip()) if len(title) <= longest and (colon or alone) else ("", text)


def _field(title: str) -> str | None:
    lowered = title.lower()
    return next((name for name, words in _FIELDS if any(word in lowered for word in words)), None)


def _movements(content: Value) -> dict[str, str]:
    if isinstance(content, list):
        return movements_by_region(f"- {_clean(_words(item))}" for item in content)
    if not isinstance(content, Members):
        return movements_by_region(_clean(_words(content)).splitlines())
    out: dict[str, list[str]] = {}
    for key, value in content.pairs:
        words = _clean(_words(value))
        if words:
            out.setdefault(_clean(key).lower() or WHOLE_FACE, []).append(words)
    return {region: " ".join(sentences) for region, sentences in out.items()}


def _words(value: Value) -> str:
    """A value as text; what is nested in it becomes `key: words; key: words`."""
    if isinstance(value, str):
        return value
    if isinstance(value, Members):
        return "; ".join(f"{key}: {_words(content)}" for key, content in value.pairs)
    if isinstance(value, list):
        return "; ".join(_words(item) for item in value)
    return "" if value is None else str(value).lower()


def _plain(text: str) -> str:
    return _clean(text.replace("**", ""))


def _clean(text: str) -> str:
    """Without space around it, and without halves of surrogate pairs, which can't be stored or sent."""
    return text.encode("utf-8", "replace").decode("utf-8").strip()
