"""What the names of a rig say: which of them are keys of a vocabulary, and behind which prefixes.

A prefix (`head_`, `blendShape1.`, `A14_`, the mesh's own name) is taken off when it is a usual one, or when many names
share it. A prefix that says that the shape is something else (`old_`, `corrective_`), or that names an action itself
(`jawOpen_mouthClose`, a corrective for both), is never taken off. Knows nothing of which vocabulary will hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from semanticface.actions import BY_NAME
from semanticface.retarget.spellings import Vocabulary, has_side, key_of, keys_behind, words_of

SHARED = 6
"""So many different keys behind one prefix make it a rig's own."""

_USUAL_WORDS = """
head face facial blend blendshape blendshapes shape shapes shapekey bs ctrl ctl control arkit morph morphs morpher
target key exp expr expression fcl vrm perfect sync perfectsync mesh geo body base cc facs tongue teeth m f
"""
_REFUSED_WORDS = """
old fix fixed corrective correctives corr combo backup bak copy test tmp temp not no un neg negative inv inverse minus
opposite wrinkle unused delete
"""
_USUAL = frozenset(_USUAL_WORDS.split())
_REFUSED = frozenset(_REFUSED_WORDS.split())
_CODE_WORDS = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """`name` on `mesh` has `key`, behind `prefix`; `style` is how it is spelled, to tell one set from another."""

    mesh: str
    name: str
    key: str
    prefix: tuple[str, ...]
    style: tuple[str, str, str]


Readings = Mapping[str, Sequence[Reading]]
"""By key, in the order of meshes and names."""


def read(shapes: Mapping[str, Sequence[str]], vocabulary: Vocabulary) -> Readings:
    """The names of each mesh that are keys of the vocabulary, prefixes looked through."""
    found = [reading for mesh, names in shapes.items() for name in names if (reading := _read(mesh, name, vocabulary))]
    behind: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for reading in found:
        behind[reading.prefix].add(reading.key)
    out: dict[str, list[Reading]] = defaultdict(list)
    for reading in found:
        if _taken_off(reading, vocabulary, len(behind[reading.prefix])):
            out[reading.key].append(reading)
    return out


def ranked(readings: Readings) -> dict[str, list[Reading]]:
    """The same, on each mesh the most likely first: ARKit's own spelling, then the style that most keys have."""
    styles = Counter(style for found in readings.values() for style in {reading.style for reading in found})
    return {
        key: sorted(found, key=lambda reading: (not is_exact(reading.name), -styles[reading.style]))
        for key, found in readings.items()
    }


def is_exact(name: str) -> bool:
    """Whether the name is ARKit's own, letter by letter (`jawOpen`)."""
    action = BY_NAME.get(name[:1].upper() + name[1:])
    return action is not None and action.arkit_name == name


def _read(mesh: str, name: str, vocabulary: Vocabulary) -> Reading | None:
    words, keys = keys_behind(name)
    for start, key in enumerate(keys):
        if key in vocabulary.actions:
            return Reading(mesh, name, key, words[:start], _style(mesh, name, words, start))
    return None


def _style(mesh: str, name: str, words: tuple[str, ...], start: int) -> tuple[str, str, str]:
    side = next((word for word in words[start:] if word in {"l", "r", "left", "right"}), "")
    length = "" if not side else "letter" if len(side) == 1 else "word"
    separator = next((mark for mark in "_ .-" if mark in name.strip(mark)), "")
    return _kind_of_prefix(mesh, words[:start]), separator, length


def _kind_of_prefix(mesh: str, prefix: tuple[str, ...]) -> str:
    if _is_code(prefix):
        return "#"
    return "@" if prefix and prefix == words_of(mesh) else " ".join(prefix)


def _is_code(prefix: tuple[str, ...]) -> bool:
    """`A14_` of Character Creator's ExPlus, also behind usual words (`Morpher_CC_Base_Tongue.A52_`)."""
    letter, number = ("", "", *prefix)[-_CODE_WORDS:]
    return len(letter) == 1 and number.isdigit() and set(prefix[:-_CODE_WORDS]) <= _USUAL


def _taken_off(reading: Reading, vocabulary: Vocabulary, sharing: int) -> bool:
    prefix = reading.prefix
    if not prefix:
        return True
    if not _REFUSED.isdisjoint(prefix) or has_side(prefix):
        return False
    if any(key_of(prefix[start:]) in vocabulary.actions for start in range(len(prefix))):
        return False
    usual = all(word in _USUAL or word.isdigit() for word in prefix)
    own = tuple(word for word in words_of(reading.mesh) if not word.isdigit())
    return usual or _is_code(prefix) or prefix == own or sharing >= SHARED
