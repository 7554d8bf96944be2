"""Every table of an evaluation as a view, from `results.json` alone. Nothing is computed here but what is best.

N stands in each table; a method that has no number there has a dash, and the reason below. This module knows how the
metrics' plain values are called, and nothing of pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from semanticface_training.evaluation.report import columns
from semanticface_training.evaluation.report.views import Better, Column, Source, View, view
from semanticface_training.evaluation.results import EvaluationResults, MethodRow, Table

MOST_MARKS = 16
"""Pairs of colour and shape that a page has for methods."""
_KIND = "kind: "


def mark_of(place: int) -> str:
    """The class of the method at this place; after sixteen they begin again."""
    return f"s{place % MOST_MARKS}"


def all_views(results: EvaluationResults) -> list[View]:
    """The tables that have something to say, in the order in which they are read."""
    makers: tuple[Callable[[EvaluationResults], Iterator[View]], ...] = (
        *(_overview, _cross, _retrieval, _tests, _head_pose, _averages, _kinds, _detection),
        *(_probes, _temporal, _agreement, _per_coefficient),
    )
    return [made for maker in makers for made in maker(results)]


def table_of(method: MethodRow, table: Table) -> Mapping[str, Any] | None:
    """A method's plain values of this table; None where there are none."""
    found: Mapping[str, Any] | None = method.tables.get(table.value)
    return found


def _sources(
    results: EvaluationResults, table: Table, pick: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
) -> tuple[list[Source], list[str]]:
    """A row a method with what `pick` takes from its table, and a note for those that have none; empty where all do."""
    rows = []
    reasons: dict[str, list[str]] = {}
    for place, method in enumerate(results.methods):
        found = table_of(method, table)
        if found is None:
            reasons.setdefault(method.undefined.get(table.value, "not computed"), []).append(method.label)
        values = {} if found is None else pick(found) if pick else found
        rows.append(Source(method.label, values, mark_of(place)))
    if all(not row.values for row in rows):
        return [], []
    return rows, [f"{', '.join(labels)}: {why}." for why, labels in reasons.items()]


def _plain(
    name: str,
    title: str,
    caption: str,
    shown: Sequence[Column],
    found: tuple[Sequence[Source], Sequence[str]],
) -> Iterator[View]:
    if found[0]:
        yield view(name, title, caption, shown, found[0], found[1])


def _overview(results: EvaluationResults) -> Iterator[View]:
    rows = []
    for place, method in enumerate(results.methods):
        cover, own = method.coverage, table_of(method, Table.OWN) or {}
        values = {
            **(table_of(method, Table.MSE) or {}),
            "asked": cover.asked,
            "answered": cover.answered,
            "rate": _percent(cover.rate),
            "own": own.get("mean"),
            "own_n": own.get("n"),
            "ms": None if method.seconds is None else method.seconds * 1000,
        }
        rows.append(Source(method.label, values, mark_of(place)))
    truth = results.dataset.truth
    shown = [*columns.COVERAGE, *(columns.ERRORS if truth else ()), columns.SPEED]
    caption = f"On the {results.dataset.common:,} frames that all methods answered"
    if truth:
        caption += f", over {len(results.dataset.actions)} actions; median, std and P90 are of the frames' own errors"
    notes = _sources(results, Table.MSE)[1] if truth else []
    caption += ". Time is until the next answer; what an earlier method left in the cache is not in it"
    yield view("overview", "Methods", f"{caption}.", shown, rows, notes)


def _percent(rate: float | None) -> float | None:
    return None if rate is None else 100.0 * rate


def _cross(results: EvaluationResults) -> Iterator[View]:
    for table, what in ((Table.CROSS13, "13 dominant blendshapes"), (Table.CROSS14, "14 rows of the paper's Table 1")):
        found = _sources(results, table)
        first: Mapping[str, Any] = next((row.values for row in found[0] if row.values), {})
        caption = (
            f"Means over the {what}; detection at a threshold of {first.get('threshold', 0.5):g}, where seeing nothing "
            f"at all would be {first.get('never', 0.0):.3f} accurate."
        )
        yield from _plain(table.value, f"Cross-Comparison, {what}", caption, columns.CROSS, found)


def _retrieval(results: EvaluationResults) -> Iterator[View]:
    shared = results.shared.get(Table.RETRIEVAL.value)
    for forming, words in (("shuffle", "shuffled batches"), ("same_sequence", "batches of one sequence")):
        if not shared:
            return
        block, title = shared[forming], f"Retrieval, {words}"
        if block["undefined"]:
            yield view(f"retrieval_{forming}", title, f"Undefined: {block['undefined']}.", [columns.N], [])
            continue
        rows = [_retrieved("chance", block["chance"], "")]
        rows += [_retrieved(label, block[key], "") for key, label in _REFERENCES if block.get(key)]
        notes = []
        for place, method in enumerate(results.methods):
            found, why = _retrieval_of(method, forming)
            rows.append(_retrieved(method.label, found, mark_of(place)))
            notes += [f"{method.label}: {why}."] if why else []
        if shared.get("seen"):
            notes.append(f"The evaluator was trained on {shared['seen']} of these pictures: the figures flatter.")
        caption = f"Picture asks, {shared['batch']} motions answer; mean of {shared['repetitions']} repetitions ± 95 %."
        yield view(f"retrieval_{forming}", title, caption, columns.RETRIEVAL, rows, notes)


_REFERENCES = (("ground_truth", "ground truth"), ("shuffled", "true motions of other pictures"))


def _retrieval_of(method: MethodRow, forming: str) -> tuple[Mapping[str, Any], str]:
    """A method's plain values under one way to form batches, or the reason why there are none."""
    found = table_of(method, Table.RETRIEVAL)
    if found is None:
        return {}, method.undefined.get(Table.RETRIEVAL.value, "not computed")
    values: Mapping[str, Any] = found.get(forming) or {} if forming != "shuffle" else found
    return ({}, str(values["undefined"])) if values.get("undefined") else (values, "")


def _retrieved(label: str, found: Mapping[str, Any], mark: str) -> Source:
    halves = dict(zip(("r1", "r2", "r3"), found.get("ci95") or (None, None, None), strict=True))
    return Source(label, found, mark, competes=bool(mark), halves={**halves, "mm_dist": found.get("mm_ci95")})


def _tests(results: EvaluationResults) -> Iterator[View]:
    labels = {method.name: method.label for method in results.methods}
    rows, notes = [], []
    for one in results.comparisons:
        label = f"{labels.get(one.a, one.a)} − {labels.get(one.b, one.b)}"
        values = {**one.result, "percent": _percent(one.result.get("relative"))}
        if one.result.get("low") is not None:
            values["interval"] = f"{one.result['low']:.5f} to {one.result['high']:.5f}"
        rows.append(Source(label, values))
        notes += [f"{label}: {one.undefined}."] if one.undefined else []
    caption = (
        "Difference of per-frame MSE, below 0 where the first is better. Frames of one sequence are alike: the "
        "interval and the last two columns go by whole sequences, the others take frames for independent. Fewer than "
        "six sequences allow no interval."
    )
    if rows:
        yield view("tests", "Tests between methods", caption, columns.TESTS, rows, notes, head="Methods")


def _head_pose(results: EvaluationResults) -> Iterator[View]:
    rows = _rows_by_name(results, Table.HEAD_POSE, ("HeadYaw", "HeadPitch", "HeadRoll"))
    notes = _sources(results, Table.HEAD_POSE)[1]
    notes += [
        f"{method.label}: an angle follows another angle of the truth better than its own; they may be exchanged."
        for method in results.methods
        if (table_of(method, Table.HEAD_POSE) or {}).get("swapped")
    ]
    yield from _plain(
        "head_pose", "Head pose", "Angles in radians unless said.", columns.HEAD_POSE, (rows, notes if rows else ())
    )


def _rows_by_name(results: EvaluationResults, table: Table, names: Sequence[str]) -> list[Source]:
    """A row for each name and method; methods compete within a name."""
    rows = [
        (row["name"], method.label, mark_of(place), row)
        for place, method in enumerate(results.methods)
        for row in (table_of(method, table) or {"rows": ()})["rows"]
    ]
    return [
        Source(f"{name}: {label}", values, mark, group=name)
        for wanted in names
        for name, label, mark, values in rows
        if name == wanted
    ]


def _averages(results: EvaluationResults) -> Iterator[View]:
    found = _sources(results, Table.PER_COEFFICIENT, _average)
    caption = "Correlations over the channels for which they are defined, errors over those whose truth moves."
    yield from _plain("averages", "Means over coefficients", caption, columns.AVERAGES, found)


def _average(found: Mapping[str, Any]) -> Mapping[str, Any]:
    average: Mapping[str, Any] = found["average"]
    return average


def _kinds(results: EvaluationResults) -> Iterator[View]:
    tags = [table_of(method, Table.TAGS) or {} for method in results.methods]
    kinds = {kind: found["n"] for by_kind in tags for kind, found in by_kind.items()}
    labels = {kind: f"{kind} (N {count:,})" for kind, count in kinds.items()}
    if not kinds:
        return
    caption = "A picture counts under each of its kinds."
    for name, title, better in (
        ("kinds", "MSE by kind of picture", Better.LOW),
        ("kinds_pearson", "Mean Pearson by kind of picture", Better.HIGH),
    ):
        rows = [
            Source(method.label, {kind: _of_kind(found, better) for kind, found in by_kind.items()}, mark_of(place))
            for place, (method, by_kind) in enumerate(zip(results.methods, tags, strict=True))
        ]
        shown = [Column(kind, label, better, 4) for kind, label in labels.items()]
        yield view(name, title, caption, shown, rows, _sources(results, Table.TAGS)[1])


def _of_kind(found: Mapping[str, Any], better: Better) -> Any:
    return found["mean"] if better is Better.LOW else found["average"]["pearson"]


def _detection(results: EvaluationResults) -> Iterator[View]:
    lines = [(table_of(method, Table.DETECTION) or {"rows": ()})["rows"] for method in results.methods]
    kinds = {row["tag"] or "all": row["asked"] for rows in lines for row in rows}
    sources = [
        Source(method.label, {row["tag"] or "all": _percent(row["rate"]) for row in rows}, mark_of(place))
        for place, (method, rows) in enumerate(zip(results.methods, lines, strict=True))
    ]
    shown = [Column(kind, f"{kind} (N {asked:,})", Better.HIGH, 1) for kind, asked in kinds.items()]
    if kinds:
        yield view("detection", "Pictures with an answer, %", "By kind of picture.", shown, sources)


def _probes(results: EvaluationResults) -> Iterator[View]:
    caption = "Answers for pictures against those for their mirror images, mirrored back: 0 is perfect."
    yield from _plain("mirror", "Mirrored pictures", caption, columns.MIRROR, _sources(results, Table.CONSISTENCY))
    caption = "Pictures of one action from rest to its end: does the answer rise with it, and does it move most?"
    yield from _plain("sweep", "Sweeps of single actions", caption, columns.SWEEP, _sources(results, Table.SWEEP))
    caption = "Do the sides differ as the truth's do? Below 0 they are exchanged."
    yield from _plain("sides", "Left and right", caption, columns.SIDES, _sources(results, Table.SIDES, _sides))


def _sides(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**found, "exchanged": ", ".join(found["exchanged"]) or "none"}


def _temporal(results: EvaluationResults) -> Iterator[View]:
    caption = "Jitter is the mean absolute second difference; at a ratio of 1 it is the truth's. A lag above 0 is late."
    yield from _plain("temporal", "Over time", caption, columns.TEMPORAL, _sources(results, Table.TEMPORAL))


def _agreement(results: EvaluationResults) -> Iterator[View]:
    found = _sources(results, Table.AGREEMENT, _disagreements)
    kinds = sorted({key for row in found[0] for key in row.values if key.startswith(_KIND)})
    shown = [*columns.AGREEMENT, *(Column(key, key.removeprefix(_KIND)) for key in kinds)]
    caption = (
        "Does the text agree with the method's own numbers? The last columns count texts by what is wrong in them."
    )
    yield from _plain("agreement", "Text against numbers", caption, shown, found)


def _disagreements(found: Mapping[str, Any]) -> Mapping[str, Any]:
    shares = {name: _percent(found[name]) for name in ("agreeing", "upheld")}
    return {**found, **shares, **{f"{_KIND}{name}": count for name, count in found["kinds"].items()}}


def _per_coefficient(results: EvaluationResults) -> Iterator[View]:
    rows = _rows_by_name(results, Table.PER_COEFFICIENT, results.dataset.actions)
    caption = "Error is predicted less true. No correlation is given where truth or answer doesn't move."
    found = rows, _sources(results, Table.PER_COEFFICIENT)[1]
    yield from _plain("per_coefficient", "Each coefficient", caption, columns.COEFFICIENTS, found)
