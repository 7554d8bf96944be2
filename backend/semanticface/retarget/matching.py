"""Finds out which shapes of a rig show which action: one decision for the whole set of names.

The vocabulary that explains most of the 52 actions holds, and its names go first; others fill what it leaves open.
What could be an accident is reported as doubtful instead of being linked. Works on names alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semanticface.actions import SHAPES
from semanticface.retarget.profile import Link, Profile
from semanticface.retarget.reading import Reading, Readings, is_exact, ranked, read
from semanticface.retarget.spellings import Spelling, Vocabulary, vocabularies

FEWEST = 3
"""Fewer matched actions than this may be an accident, unless they are spelled exactly as ARKit does."""
MOST_NAMED = 12

Shapes = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Match:
    """`matched`: mesh -> action -> the names of that mesh that show it (mostly one). `missing` actions have none.

    `unused`: mesh -> names that stand for nothing. `doubtful`: (mesh, name, action) that look like an action and are
    not linked. `duplicates`: (mesh, name, action) that spell an action a second time and are left alone. `example` is
    a name as this rig spells it. `convention` is "" where nothing matched.
    """

    profile: Profile
    convention: str
    matched: Mapping[str, Mapping[str, tuple[str, ...]]]
    missing: tuple[str, ...]
    unused: Mapping[str, tuple[str, ...]] = field(repr=False)
    doubtful: tuple[tuple[str, str, str], ...] = ()
    duplicates: tuple[tuple[str, str, str], ...] = ()
    example: str = ""

    @property
    def found(self) -> int:
        """How many of the 52 actions have a target."""
        return len(SHAPES) - len(self.missing)

    def lines(self) -> list[str]:
        """The report, a paragraph a line."""
        if not self.convention:
            out = ["No shape has a name that is known"]
        else:
            out = [f'{self.found} of {len(SHAPES)} shapes matched: {self.convention} names, such as "{self.example}"']
        if len(self.matched) > 1:
            counts = [f"{mesh} {len(actions)}" for mesh, actions in self.matched.items()]
            out.append("By mesh: " + ", ".join(counts))
        if self.convention and self.missing:
            out.append("Without a target: " + _named(self.missing))
        if self.duplicates:
            out.append("Named twice, left alone: " + _named([name for _, name, _ in self.duplicates]))
        if self.doubtful:
            out.append("Doubtful, not linked: " + _named([f"{name} ({action})" for _, name, action in self.doubtful]))
        return out


def match(shapes: Shapes) -> Match:
    """Match the shapes of a character's meshes: mesh name -> its shape names.

    Left and right are the subject's own. Names that a driver or the like holds must be left out by the caller.
    """
    known = vocabularies()
    read_by = {vocabulary.name: ranked(read(shapes, vocabulary)) for vocabulary in known}
    solved = {vocabulary.name: _solve(vocabulary, read_by[vocabulary.name]) for vocabulary in known}
    best = max(known, key=lambda vocabulary: len(solved[vocabulary.name]))
    chosen = {action: (best.name, spelling) for action, spelling in solved[best.name].items()}
    for vocabulary in known:
        for action, spelling in solved[vocabulary.name].items():
            if not spelling.rough:
                chosen.setdefault(action, (vocabulary.name, spelling))
    if len(chosen) < FEWEST:
        chosen = {action: entry for action, entry in chosen.items() if _is_certain(read_by[entry[0]], entry[1])}
    targets = {action: _targets(read_by[name], spelling) for action, (name, spelling) in chosen.items()}
    for action, by_mesh in targets.items():
        _serve_other_meshes(action, by_mesh, read_by)
    return _described(shapes, best.name if chosen else "", chosen, targets, read_by)


def _solve(vocabulary: Vocabulary, readings: Readings) -> dict[str, Spelling]:
    """Action -> its first spelling of which every part is there, on whichever mesh."""
    out = {}
    for action in SHAPES:
        complete = (row for row in vocabulary.spellings[action] if all(part in readings for part in row.parts))
        spelling = next(complete, None)
        if spelling is not None:
            out[action] = spelling
    return out


def _is_certain(readings: Readings, spelling: Spelling) -> bool:
    return any(is_exact(reading.name) for part in spelling.parts for reading in readings[part])


def _targets(readings: Readings, spelling: Spelling) -> dict[str, tuple[Reading, ...]]:
    """Mesh -> the reading of each part that it has. The first of a part on a mesh is its best."""
    out: dict[str, tuple[Reading, ...]] = {}
    for part in spelling.parts:
        for mesh in dict.fromkeys(reading.mesh for reading in readings[part]):
            first = next(reading for reading in readings[part] if reading.mesh == mesh)
            out[mesh] = (*out.get(mesh, ()), first)
    return out


def _serve_other_meshes(action: str, by_mesh: dict[str, tuple[Reading, ...]], read_by: Mapping[str, Readings]) -> None:
    """A mesh that has the action in another convention alone (brows from elsewhere) is moved by that."""
    for vocabulary in vocabularies():
        readings = read_by[vocabulary.name]
        for spelling in vocabulary.spellings[action]:
            if spelling.rough or not all(part in readings for part in spelling.parts):
                continue
            for mesh, found in _targets(readings, spelling).items():
                if len(found) == len(spelling.parts):
                    by_mesh.setdefault(mesh, found)


Chosen = Mapping[str, tuple[str, Spelling]]
Targets = Mapping[str, Mapping[str, tuple[Reading, ...]]]


def _described(
    shapes: Shapes, convention: str, chosen: Chosen, targets: Targets, read_by: Mapping[str, Readings]
) -> Match:
    actions = [action for action in SHAPES if action in chosen]
    matched = {
        mesh: {
            action: tuple(reading.name for reading in targets[action][mesh])
            for action in actions
            if mesh in targets[action]
        }
        for mesh in shapes
    }
    used = {(mesh, name) for mesh, found in matched.items() for names in found.values() for name in names}
    doubtful, duplicates = _left_over(read_by, used, chosen)
    known = used | {(mesh, name) for mesh, name, _ in (*doubtful, *duplicates)}
    example = next((name for found in matched.values() for names in found.values() for name in names), "")
    return Match(
        profile=Profile(convention, tuple(_links(shapes, chosen, targets))),
        convention=convention,
        matched={mesh: found for mesh, found in matched.items() if found},
        missing=tuple(action for action in SHAPES if action not in chosen),
        unused={mesh: tuple(name for name in listed if (mesh, name) not in known) for mesh, listed in shapes.items()},
        doubtful=doubtful,
        duplicates=duplicates,
        example=example,
    )


Found = tuple[tuple[str, str, str], ...]


def _left_over(read_by: Mapping[str, Readings], used: set[tuple[str, str]], chosen: Chosen) -> tuple[Found, Found]:
    """(doubtful, duplicates) among the names that read as an action and are not used."""
    doubtful: dict[tuple[str, str], str] = {}
    duplicates: dict[tuple[str, str], str] = {}
    for vocabulary in vocabularies():
        for key, readings in read_by[vocabulary.name].items():
            open_actions = [action for action in vocabulary.actions[key] if action not in chosen]
            for reading in readings:
                where = (reading.mesh, reading.name)
                if where in used:
                    continue
                if open_actions:
                    doubtful.setdefault(where, open_actions[0])
                else:
                    duplicates.setdefault(where, vocabulary.actions[key][0])
    return (
        tuple((*where, action) for where, action in doubtful.items() if where not in duplicates),
        tuple((*where, action) for where, action in duplicates.items()),
    )


def _links(shapes: Shapes, chosen: Chosen, targets: Targets) -> list[Link]:
    """One link for all meshes where they spell a target alike, else one for each mesh."""
    links = []
    for action in (action for action in SHAPES if action in chosen):
        rows = [row for vocabulary in vocabularies() for row in vocabulary.spellings[action]]
        gains = {part: row.gain for row in rows for part in row.parts}
        found = [reading for readings in targets[action].values() for reading in readings]
        for part in dict.fromkeys(reading.key for reading in found):
            named = {reading.mesh: reading.name for reading in found if reading.key == part}
            if _is_alike(named, shapes):
                links.append(Link(action, next(iter(named.values())), gain=gains[part]))
            else:
                links += [Link(action, name, owner=mesh, gain=gains[part]) for mesh, name in named.items()]
    return links


def _is_alike(named: Mapping[str, str], shapes: Shapes) -> bool:
    """Whether one name serves every mesh that has it: no mesh has it without being meant."""
    names = set(named.values())
    return len(names) == 1 and all(mesh in named or names.isdisjoint(listed) for mesh, listed in shapes.items())


def _named(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
