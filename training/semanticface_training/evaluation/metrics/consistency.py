"""What needs no likeness to the truth's scale: mirrored pictures, left against right, sweeps of a single action.

Mirror consistency and sides complement each other: a method that exchanges left and right throughout is perfectly
consistent under the mirror, and shows only in `side_agreement` and in the sweeps. Knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semanticface.actions import BY_NAME, Kind
from semanticface.errors import InputError
from semanticface_training.evaluation.metrics.arrays import (
    Floats,
    checked,
    checked_names,
    checked_rows,
    checked_values,
    mean_of,
    optional,
)
from semanticface_training.evaluation.metrics.correlation import pearson, spearman
from semanticface_training.evaluation.metrics.cross import group_rows

EXCHANGED = -0.3
"""A correlation of the sides from which down they are the wrong way round, and not merely unread."""


@dataclass(frozen=True, slots=True)
class MirrorRow:
    """One channel: mean absolute and root mean square difference, and r (None where either does not move)."""

    name: str
    mae: float
    rms: float
    pearson: float | None


@dataclass(frozen=True, slots=True)
class MirrorConsistency:
    """Answers for n pictures against those for their mirror images, mirrored back. 0 means that both tell the same."""

    n: int
    mae: float
    rms: float
    pearson: float | None
    rows: tuple[MirrorRow, ...]

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class SideRow:
    """One pair of channels: r of (left - right) as predicted with (left - right) as true. Below 0 the sides are
    exchanged."""

    left: str
    right: str
    correlation: float | None


@dataclass(frozen=True, slots=True)
class SideAgreement:
    """`mean` over the defined pairs; `exchanged` names the pairs whose sides are the wrong way round."""

    n: int
    mean: float | None
    rows: tuple[SideRow, ...]
    exchanged: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "rows": [asdict(row) for row in self.rows], "exchanged": list(self.exchanged)}


@dataclass(frozen=True, slots=True)
class SweepRow:
    """Sweeps of one action, n frames in `sweeps` of them, of which `undefined` have a prediction that does not move.

    `spearman`: mean rho of predicted and true. `rising`: mean share of steps up in the truth at which the prediction
    goes up, too. `gain`: mean slope of predicted over true. `strongest`: the channel that moves most over these sweeps,
    `crosstalk`: the largest movement of another blendshape divided by this action's own (None when that is 0).
    """

    action: str
    n: int
    sweeps: int
    undefined: int
    spearman: float | None
    rising: float | None
    gain: float | None
    strongest: str | None
    crosstalk: float | None


@dataclass(frozen=True, slots=True)
class SweepMonotonicity:
    """Over n frames; `spearman` is the mean over actions, `followed` counts the actions that are themselves
    `strongest`."""

    n: int
    actions: int
    spearman: float | None
    followed: int
    rows: tuple[SweepRow, ...]

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}


def mirror_values(values: ArrayLike, names: Sequence[str]) -> Floats:
    """(N, K) as the mirror shows it, in the same columns: sides exchanged, yaw and roll negated
    (`actions.mirrored`)."""
    known = checked_names(names)
    array = checked_values(values, known, "values")
    lone = [name for name in known if BY_NAME[name].mirror not in known]
    if lone:
        raise InputError(f"no mirror partner for {', '.join(lone)}", "give both sides of each action")
    places = [known.index(BY_NAME[name].mirror) for name in known]
    signs = np.asarray([BY_NAME[name].mirror_sign for name in known], dtype=np.float64)
    return np.asarray(array[:, places] * signs)


def mirror_consistency(predicted: ArrayLike, of_mirrored: ArrayLike, names: Sequence[str]) -> MirrorConsistency:
    """`predicted` (N, K) for pictures, `of_mirrored` (N, K) for the same pictures flipped from left to right."""
    pair = checked(predicted, mirror_values(of_mirrored, names), names)
    errors = pair.errors
    mae, rms = np.abs(errors).mean(axis=0), np.sqrt((errors**2).mean(axis=0))
    r = pearson(pair.truth, pair.predicted)
    rows = tuple(MirrorRow(name, float(mae[k]), float(rms[k]), optional(r[k])) for k, name in enumerate(pair.names))
    whole = float(np.sqrt((errors**2).mean()))
    return MirrorConsistency(pair.n, float(mae.mean()), whole, mean_of([row.pearson for row in rows]), rows)


def side_agreement(truth: ArrayLike, predicted: ArrayLike, names: Sequence[str]) -> SideAgreement:
    """Pearson's r of left less right, for each pair of blendshapes of which both sides are among `names`."""
    pair = checked(truth, predicted, names)
    lefts = [
        name for name in pair.names
        if BY_NAME[name].kind is Kind.SHAPE and BY_NAME[name].mirror in pair.names
        and name != BY_NAME[name].mirror and name.endswith("Left")
    ]  # fmt: skip
    rights = [BY_NAME[name].mirror for name in lefts]
    one, other = pair.columns(lefts), pair.columns(rights)
    r = pearson(one.truth - other.truth, one.predicted - other.predicted) if lefts else np.empty(0)
    rows = tuple(
        SideRow(left, right, optional(r[k])) for k, (left, right) in enumerate(zip(lefts, rights, strict=True))
    )
    exchanged = tuple(row.left for row in rows if row.correlation is not None and row.correlation <= EXCHANGED)
    return SideAgreement(pair.n, mean_of([row.correlation for row in rows]), rows, exchanged)


def sweep_monotonicity(
    truth: ArrayLike,
    predicted: ArrayLike,
    names: Sequence[str],
    swept: Sequence[str],
    groups: Sequence[Hashable] | None = None,
) -> SweepMonotonicity:
    """Pictures in which one action goes from rest to its end while all else rests.

    `swept` names the action of each row; `groups` (one a row) tells sweeps of one action apart, such as by identity.
    """
    pair = checked(truth, predicted, names)
    actions = checked_rows(swept, pair.n, "swept actions")
    absent = sorted({str(name) for name in actions} - set(pair.names))
    if absent:
        raise InputError(f"swept, but not among the columns: {', '.join(absent)}", "leave these sweeps out, and say so")
    whose = checked_rows(groups, pair.n, "groups") if groups is not None else [0] * pair.n
    rows = []
    for members in group_rows(actions):
        action = str(actions[int(members[0])])
        singles = [members[part] for part in group_rows([whose[row] for row in members])]
        rows.append(_sweep(pair.truth, pair.predicted, pair.names, action, singles))
    mean = mean_of([row.spearman for row in rows])
    return SweepMonotonicity(pair.n, len(rows), mean, sum(row.strongest == row.action for row in rows), tuple(rows))


def _sweep(truth: Floats, predicted: Floats, names: tuple[str, ...], action: str, sweeps: Sequence[Any]) -> SweepRow:
    place = names.index(action)
    rho, rising, gain, moved = [], [], [], np.zeros(len(names))
    for rows in sweeps:
        true, said = truth[rows, place], predicted[rows, place]
        rho.append(optional(spearman(true[:, None], said[:, None])[0]))
        up, follow, slope = _steps(true, said)
        rising.append(follow / up if up else None)
        gain.append(slope)
        moved += np.ptp(predicted[rows], axis=0) / len(sweeps)
    shapes = np.asarray([BY_NAME[name].kind is Kind.SHAPE for name in names])
    others = np.where(shapes & (np.arange(len(names)) != place), moved, 0.0)
    return SweepRow(
        action=action,
        n=sum(len(rows) for rows in sweeps),
        sweeps=len(sweeps),
        undefined=sum(value is None for value in rho),
        spearman=mean_of(rho),
        rising=mean_of(rising),
        gain=mean_of(gain),
        strongest=names[int(np.argmax(moved))] if moved.any() else None,
        crosstalk=float(others.max() / moved[place]) if moved[place] else None,
    )


def _steps(true: Floats, said: Floats) -> tuple[int, int, float | None]:
    """Steps up in the truth, those at which the prediction rises, and the least-squares slope of predicted over
    true."""
    order = np.argsort(true, kind="stable")
    true_step, said_step = np.diff(true[order]), np.diff(said[order])
    up = true_step > 0
    centred = true - true.mean()
    square = float(centred @ centred)
    slope = float(centred @ said) / square if square else None
    return int(up.sum()), int((said_step[up] > 0).sum()), slope
