"""One method's numbers: each table from the frames that all methods answered, or the reason why there is none.

Sweeps and mirrored pairs are probes: they have tables of their own and count in no other, since a set that shows every
action alone is no sample of faces. This module knows which metric a table is, and nothing of files or methods' kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface_training.dataset.table import Row
from semanticface_training.evaluation.results import Table
from semanticface_training.evaluation.store import Predictions

SWEEP, MIRROR = "sweep:", "mirror:"
PLAIN = "plain"
"""The kind of a picture that no tag singles out."""
NOBODY = "no frame was answered by all methods"
_LANDMARKS = "landmarks"  # the engine whose words `analysis.describe` writes
_ORIGINS = frozenset({"recorded", "sparse", "pseudo"})
"""Tags that say where an expression comes from, not what the picture looks like."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The rows that are asked about, and what is compared on them.

    `truth`: (N, 61) float64 in `CSV_ORDER`, None without one. `common`: (N,) bool, answered by all methods that are
    compared. `probes`: (N,) bool, of sweeps and mirrored pairs. `names`: the actions that errors are computed over.
    """

    rows: tuple[Row, ...] = field(repr=False)
    truth: Doubles | None = field(repr=False)
    common: NDArray[np.bool_] = field(repr=False)
    probes: NDArray[np.bool_] = field(repr=False)
    names: tuple[str, ...] = CSV_ORDER

    @property
    def main(self) -> NDArray[np.bool_]:
        """(N,) bool: rows that are no probes and that all methods answered."""
        return np.asarray(self.common & ~self.probes)

    @property
    def columns(self) -> list[int]:
        return [CSV_ORDER.index(name) for name in self.names]


@dataclass(slots=True)
class Tables:
    """Collects tables; what a metric refuses to compute is kept with its reason."""

    made: dict[str, Any] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)

    def add(self, key: Table, compute: Callable[[], Mapping[str, Any]]) -> None:
        try:
            self.made[key.value] = compute()
        except InputError as error:
            self.undefined[key.value] = error.message


def are_probes(rows: Sequence[Row]) -> NDArray[np.bool_]:
    """(N,) bool: pictures that are there to show one action alone, or each other's mirror image."""
    return np.array([any(tag.startswith((SWEEP, MIRROR)) for tag in row.tags) for row in rows], bool)


def kinds(row: Row) -> list[str]:
    """The kinds of picture that a row counts under: `sweep:JawOpen` is a sweep, a row without a telling tag plain."""
    found = [tag.partition(":")[0] for tag in row.tags]
    telling = [tag for tag in found if tag not in _ORIGINS]
    return list(dict.fromkeys(([] if telling else [PLAIN]) + found))


def by_kind(rows: Sequence[Row]) -> dict[str, NDArray[np.bool_]]:
    """Kind -> (N,) bool, most rows first."""
    listed = [kinds(row) for row in rows]
    counts = Counter(kind for found in listed for kind in found)
    return {kind: np.array([kind in found for found in listed], bool) for kind, _ in counts.most_common()}


def detection_rates(rows: Sequence[Row], status: Sequence[str], answered: NDArray[np.bool_]) -> dict[str, Any]:
    """Figures 6 and 7: the share of pictures of each kind that got an answer at all. The first line is all pictures."""
    groups = {"": np.ones(len(rows), bool), **by_kind(rows)}
    lines = []
    for kind, members in groups.items():
        asked, got = int(members.sum()), int((answered & members).sum())
        statuses = Counter(status[place] for place in np.flatnonzero(members))
        line = {"tag": kind, "asked": asked, "answered": got, "rate": got / asked if asked else None}
        lines.append({**line, "statuses": dict(statuses.most_common())})
    return {"n": len(rows), "rows": lines}


def error_tables(scope: Scope, values: Doubles, answered: NDArray[np.bool_], tables: Tables, whole: bool) -> None:
    """Everything that needs the truth. `values`: (N, 61). `whole` False: the tables of the ablation alone."""
    from semanticface_training.evaluation.metrics import errors

    own = answered & ~scope.probes
    tables.add(Table.MSE, lambda: errors.mse_summary(*_pair(scope, values, scope.main), scope.names).to_dict())
    tables.add(Table.OWN, lambda: errors.mse_summary(*_pair(scope, values, own), scope.names).to_dict())
    if whole:
        _channel_tables(scope, values, tables)
        tables.add(Table.SWEEP, lambda: _sweep(scope, values))
        tables.add(Table.TEMPORAL, lambda: _temporal(scope, values))
        tables.add(Table.TAGS, lambda: _tags(scope, values))


def _channel_tables(scope: Scope, values: Doubles, tables: Tables) -> None:
    """Tables of channels, over the frames that all methods answered."""
    from semanticface_training.evaluation.metrics import coefficients, cross, detection, head_pose, subsets
    from semanticface_training.evaluation.metrics.consistency import side_agreement

    names = scope.names

    def compared() -> tuple[Doubles, Doubles]:
        return _pair(scope, values, scope.main)

    def each() -> dict[str, Any]:
        rows = coefficients.per_coefficient(*compared(), names)
        average = coefficients.average(rows).to_dict()
        return {"n": average["n"], "rows": [row.to_dict() for row in rows], "average": average}

    def crossed(subset: Sequence[str]) -> dict[str, Any]:
        found = cross.cross_comparison(*compared(), names, subset).to_dict()
        sweep = detection.threshold_sweep(*compared(), names, subset)
        return {**found, "thresholds": [one.to_dict() for one in sweep]}

    tables.add(Table.PER_COEFFICIENT, each)
    tables.add(Table.CROSS13, lambda: crossed(subsets.SBCA13))
    tables.add(Table.CROSS14, lambda: crossed(subsets.TABLE1_14))
    tables.add(Table.HEAD_POSE, lambda: _head(head_pose.head_pose(*compared(), names).to_dict()))
    tables.add(Table.SIDES, lambda: side_agreement(*compared(), names).to_dict())


def truthless_tables(scope: Scope, predictions: Predictions, values: Doubles, tables: Tables) -> None:
    """What needs no truth: mirrored pictures, and text against numbers."""
    from semanticface.engines.mllm.outcome import DERIVED
    from semanticface_training.evaluation.metrics.agreement import text_agreement

    tables.add(Table.CONSISTENCY, lambda: _consistency(scope, values))

    def agreement() -> dict[str, Any]:
        places = np.flatnonzero(scope.main)
        analyses = [predictions.analyses[place] for place in places]
        if not any(analyses):
            raise InputError("it writes no analysis")
        if predictions.method.engine == _LANDMARKS or any(DERIVED in message for message in predictions.messages):
            raise InputError("its words are derived from its values, with which they agree by construction")
        return text_agreement(analyses, values[places]).to_dict()

    tables.add(Table.AGREEMENT, agreement)


def _pair(scope: Scope, values: Doubles, chosen: NDArray[Any]) -> tuple[Doubles, Doubles]:
    """Truth and answers of these rows, in the columns of `scope.names`. Raises InputError without any."""
    if scope.truth is None:
        raise InputError("these pictures have no truth")
    if not len(np.flatnonzero(chosen) if chosen.dtype == bool else chosen):
        raise InputError(NOBODY)
    return scope.truth[chosen][:, scope.columns], values[chosen][:, scope.columns]


def _head(found: dict[str, Any]) -> dict[str, Any]:
    if not found["rows"]:
        raise InputError("no angle of the head is among the actions")
    return found


def _tags(scope: Scope, values: Doubles) -> dict[str, Any]:
    """A line of errors for each kind of picture, over the frames that all methods answered."""
    from semanticface_training.evaluation.metrics import coefficients, errors

    out: dict[str, Any] = {}
    for kind, members in by_kind(scope.rows).items():
        chosen = members & scope.main
        if not chosen.any():
            continue
        true, said = _pair(scope, values, chosen)
        average = coefficients.average(coefficients.per_coefficient(true, said, scope.names)).to_dict()
        out[kind] = {**errors.mse_summary(true, said, scope.names).to_dict(), "average": average}
    if not out:
        raise InputError(NOBODY)
    return out


def _sweep(scope: Scope, values: Doubles) -> dict[str, Any]:
    """Single actions from rest to their end; a sweep is one action of one identity."""
    from semanticface_training.evaluation.metrics.consistency import sweep_monotonicity

    swept = [next((tag[len(SWEEP) :] for tag in row.tags if tag.startswith(SWEEP)), "") for row in scope.rows]
    chosen = np.array([name in scope.names for name in swept], bool)
    if not chosen.any():
        raise InputError("no picture has a tag sweep:ACTION")
    places = np.flatnonzero(chosen & scope.common)
    if not len(places):
        raise InputError("no picture of a sweep was answered by all methods")
    actions, whose = [swept[place] for place in places], [scope.rows[place].subject for place in places]
    return sweep_monotonicity(*_pair(scope, values, places), scope.names, actions, whose).to_dict()


def _consistency(scope: Scope, values: Doubles) -> dict[str, Any]:
    """Pairs of pictures of which each is the other in a mirror, each pair once."""
    from semanticface_training.evaluation.metrics.consistency import mirror_consistency

    pairs = list(_pairs(scope))
    if not pairs:
        raise InputError("no two pictures are tagged as each other's mirror image (mirror:ID)")
    whole = [(one, other) for one, other in pairs if scope.common[one] and scope.common[other]]
    if not whole:
        raise InputError("no pair of mirrored pictures was answered by all methods")
    first, second = (np.array(side) for side in zip(*whole, strict=True))
    columns = scope.columns
    found = mirror_consistency(values[first][:, columns], values[second][:, columns], scope.names).to_dict()
    found["pairs"] = len(pairs)
    return found


def _pairs(scope: Scope) -> Iterator[tuple[int, int]]:
    place = {row.id: number for number, row in enumerate(scope.rows)}
    seen: set[int] = set()
    for number, row in enumerate(scope.rows):
        for tag in row.tags:
            partner = place.get(tag[len(MIRROR) :]) if tag.startswith(MIRROR) else None
            if partner is not None and partner != number and not {partner, number} & seen:
                seen |= {partner, number}
                yield number, partner


def _temporal(scope: Scope, values: Doubles) -> dict[str, Any]:
    from semanticface_training.evaluation.metrics.temporal import jitter_and_lag

    pair = _pair(scope, values, scope.main)
    rows = [scope.rows[place] for place in np.flatnonzero(scope.main)]
    if max(Counter(row.sequence for row in rows).values()) < 3:
        raise InputError("no sequence has three frames")
    if len({row.time for row in rows}) == 1:
        raise InputError("the pictures have no times: they are no video")
    times, sequences = [row.time for row in rows], [row.sequence for row in rows]
    found = jitter_and_lag(*pair, scope.names, times, sequences).to_dict()
    if not found["triples"]:
        raise InputError("no three neighbouring frames of a sequence were answered by all methods")
    return found
