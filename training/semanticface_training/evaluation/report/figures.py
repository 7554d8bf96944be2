"""An evaluation's charts: bars of each coefficient, predicted over true, errors, retrieval and detection curves.

Bars and curves come from the numbers in `results.json`, clouds and histograms from the answers themselves. Nothing is
computed here that a table doesn't say otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from semanticface.actions import ACTIONS, BY_NAME, CSV_ORDER, Kind
from semanticface.report import charts
from semanticface_training.evaluation.report.answers import Answers, Doubles
from semanticface_training.evaluation.report.tables import mark_of, table_of
from semanticface_training.evaluation.report.views import shown
from semanticface_training.evaluation.results import EvaluationResults, Table

CLOUDS = 5
"""Coefficients that are shown one by one; those whose truth moves most."""
ERROR_LIMIT = 0.5
ANGLE_LIMIT = 20.0
"""Degrees."""


@dataclass(frozen=True, slots=True)
class BarCell:
    """One method's bar of one coefficient."""

    mark: str
    label: str
    bar: Markup
    text: str


@dataclass(frozen=True, slots=True)
class BarPanel:
    """`rows` are (coefficient, bars); a full bar stands for `full`."""

    title: str
    full: str
    rows: tuple[tuple[str, tuple[BarCell, ...]], ...]


@dataclass(frozen=True, slots=True)
class Multiples:
    """Small charts that belong together, one a method: (mark, label, chart)."""

    title: str
    charts: tuple[tuple[str, str, Markup], ...]


def bar_panels(results: EvaluationResults) -> list[BarPanel]:
    """Pearson, mean absolute error and MSE of each coefficient, method beside method."""
    found: list[tuple[str, str, Mapping[str, Mapping[str, float | None]]]] = []
    for place, method in enumerate(results.methods):
        table = table_of(method, Table.PER_COEFFICIENT)
        if table is not None:
            found.append((mark_of(place), method.label, {row["name"]: row for row in table["rows"]}))
    panels = []
    for key, title in (("pearson", "Pearson correlation"), ("mae", "Mean absolute error"), ("mse", "MSE")):
        values = [row.get(key) for _, _, rows in found for row in rows.values()]
        numbers = [value for value in values if value is not None]
        if not numbers:
            continue
        most = 1.0 if key == "pearson" else max(*numbers, 1e-9)
        rows = tuple(
            (name, tuple(_bar_cell(mark, label, per[name].get(key), most) for mark, label, per in found))
            for name in results.dataset.actions
            if all(name in per for _, _, per in found)
        )
        panels.append(BarPanel(title, shown(most, 3), rows))
    return panels


def _bar_cell(mark: str, label: str, value: float | None, most: float) -> BarCell:
    share = 0.0 if value is None else value / most
    return BarCell(mark, label, charts.bar(share, mark), shown(value, 3))


def clouds(answers: Answers, names: Sequence[str]) -> list[Multiples]:
    """Predicted over true: all shapes together, then the coefficients whose truth moves most."""
    if answers.truth is None or not answers.main.any():
        return []
    shapes = [name for name in names if BY_NAME[name].kind is Kind.SHAPE]
    groups = [("All blendshapes", shapes)] if shapes else []
    groups += [(name, [name]) for name in _moving(answers, names)]
    return [_cloud(answers, title, chosen) for title, chosen in groups]


def _moving(answers: Answers, names: Sequence[str]) -> list[str]:
    """Names by the spread of their truth, of two sides the first."""
    assert answers.truth is not None
    spread = answers.truth[answers.main].std(axis=0)
    ranked = sorted(names, key=lambda name: -spread[CSV_ORDER.index(name)])
    kept: list[str] = []
    for name in ranked:
        if spread[CSV_ORDER.index(name)] > 1e-6 and BY_NAME[name].mirror not in kept and len(kept) < CLOUDS:
            kept.append(name)
    return kept


def _cloud(answers: Answers, title: str, names: Sequence[str]) -> Multiples:
    columns = [CSV_ORDER.index(name) for name in names]
    angle = BY_NAME[names[0]].kind is not Kind.SHAPE
    true = _in_unit(answers.truth, answers, columns, angle)
    limits = _limits(true, angle)
    made = []
    for method in answers.methods:
        said = _in_unit(method.values, answers, columns, angle)
        seen = int(np.isfinite(said).sum())
        label = f"{title}, {method.label}: predicted over true, {seen:,} values"
        words = ("true, degrees", "predicted, degrees") if angle else ("true", "predicted")
        made.append(
            (
                method.mark,
                method.label,
                charts.scatter(true, said, charts.Axes(limits, limits), label, words, method.mark),
            )
        )
    return Multiples(title, tuple(made))


def _in_unit(values: Doubles | None, answers: Answers, columns: Sequence[int], angle: bool) -> Doubles:
    assert values is not None
    chosen: Doubles = values[answers.main][:, columns].ravel()
    return np.degrees(chosen) if angle else chosen


def _limits(true: Doubles, angle: bool) -> tuple[float, float]:
    if not angle:
        return 0.0, 1.0
    most = float(np.ceil(np.abs(true).max() / 5.0 + 1e-9) * 5.0)
    return -most, most


def error_histograms(answers: Answers, names: Sequence[str]) -> list[Multiples]:
    """Signed errors, predicted less true: blendshapes, and angles in degrees."""
    if answers.truth is None or not answers.main.any():
        return []
    made = []
    for title, angle, limit in (("Errors of blendshapes", False, ERROR_LIMIT), ("Errors of angles", True, ANGLE_LIMIT)):
        columns = [
            place
            for place, action in enumerate(ACTIONS)
            if action.name in names and (action.kind is not Kind.SHAPE) is angle
        ]
        if columns:
            made.append(_histograms(answers, title, columns, angle, limit))
    return made


def _histograms(answers: Answers, title: str, columns: Sequence[int], angle: bool, limit: float) -> Multiples:
    true = _in_unit(answers.truth, answers, columns, angle)
    words = ("predicted less true, degrees" if angle else "predicted less true", "% of values")
    found = []
    for method in answers.methods:
        errors = _in_unit(method.values, answers, columns, angle) - true
        label = f"{title}, {method.label}: {int(np.isfinite(errors).sum()):,} values"
        found.append((method.mark, method.label, charts.histogram(errors, (-limit, limit), label, words, method.mark)))
    return Multiples(title, tuple(found))


def retrieval_curve(results: EvaluationResults) -> Markup | None:
    """R@k over k, with ground truth and chance."""
    shared = results.shared.get(Table.RETRIEVAL.value)
    if not shared or shared["shuffle"]["undefined"]:
        return None
    batch = int(shared["batch"])
    lines = [charts.Line("chance", [(k, k / batch, None) for k in (1, batch)], "chance")]
    true = shared["shuffle"].get("ground_truth") or {}
    rows = [("truth", "ground truth", true.get("curve") or ())]
    for place, method in enumerate(results.methods):
        rows.append((mark_of(place), method.label, (table_of(method, Table.RETRIEVAL) or {}).get("curve") or ()))
    lines += [
        charts.Line(label, [(k, at, None) for k, at in enumerate(curve, 1)], mark)
        for mark, label, curve in rows
        if curve
    ]
    if len(lines) < 2:
        return None
    axes = charts.Axes((1.0, float(batch)), (0.0, 1.0), width=440, height=280)
    names = ("k: among how many answers the right one is", "R@k")
    ticks = [(1.0, "1"), *((float(k), str(k)) for k in range(5, batch + 1, 5))]
    return charts.line_chart(lines, axes, f"Retrieval: R@k of {len(rows)} methods in batches of {batch}", names, ticks)


def detection_curve(results: EvaluationResults) -> Markup | None:
    """F1 over the threshold from which an action counts as seen, on the 13 blendshapes."""
    lines = []
    for place, method in enumerate(results.methods):
        sweep = (table_of(method, Table.CROSS13) or {}).get("thresholds") or ()
        points = [(one["threshold"], one["f1"], None) for one in sweep if one["f1"] is not None]
        if points:
            lines.append(charts.Line(method.label, points, mark_of(place)))
    if not lines:
        return None
    xs = [point[0] for line in lines for point in line.points]
    axes = charts.Axes((min(xs), max(xs)), (0.0, 1.0), width=440, height=280)
    names = ("threshold", "F1, mean of the blendshapes")
    return charts.line_chart(lines, axes, "F1 over the threshold of detection", names)
