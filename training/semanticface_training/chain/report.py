"""The demo's numbers in words: what was drawn, what was trained in how long, how well unseen faces are read.

Says what was missed as plainly as what was reached. This module knows facts and results and computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semanticface_training.chain.plan import ACTIONS, Demo, Length
from semanticface_training.chain.results import AIMS, WATCHED, Reading, Results

Facts = Mapping[str, Mapping[str, Any]]


def text(demo: Demo, facts: Facts, results: Results, seconds: Mapping[str, float]) -> str:
    """The report as Markdown."""
    parts = [_made(demo, facts), _taught(facts), _read(results), _compared(results), _aims(demo, results)]
    return "\n\n".join([*parts, _times(seconds)]) + "\n"


def _made(demo: Demo, facts: Facts) -> str:
    drawn, rules, told, seen = (facts[name] for name in ("draw", "describe", "tell", "see"))
    head = "ICT-FaceKit" if demo.source.ict else "our demo head"
    moved = "half of the expressions from recordings" if demo.source.recordings else "sparse expressions alone"
    lines = [
        f"# The training chain, {demo.length.value} run",
        "",
        f"- Drawn: {drawn['train']:,} pictures of {drawn['train_people']} people to learn from, {drawn['test']:,} of "
        f"{drawn['test_people']} others to be read ({head}, {moved}).",
        f"- Stage I by rules: {rules['accepted']:,} of {rules['texts']:,} texts accepted.",
    ]
    if "left_out" in told:
        lines.append(f"- Stage I by a language model: left out ({told['left_out']}).")
    else:
        lines.append(
            f"- Stage I by {told['model']}: {told['accepted']} of {told['texts']} texts accepted "
            f"({told['acceptance']:.0%}); refused for {_listed(told['refused'])}."
        )
    lines.append(
        f"- Vision part: {seen['steps']:,} steps, squared error of all coefficients {seen['loss']:.4f} in the end "
        f"(the mean: {seen['mean_loss']:.4f}, over the pictures it learnt from); no face found in "
        f"{facts['look']['without']} of them."
    )
    return "\n".join(lines)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items()) or "nothing"


def _taught(facts: Facts) -> str:
    rows = [
        "| model | tokens a row | weights | steps | seconds | cross-entropy, first and last tenth |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in facts["teach"].items():
        rows.append(
            f"| {name.upper()} | {one['tokens']:.0f} | {one['weights']:,} | {one['steps']:,} | {one['seconds']:.0f} | "
            f"{one['loss_first']:.3f} to {one['loss_last']:.3f} |"
        )
    note = "Equal steps on the same rows; longer answers cost more seconds."
    return "\n".join(["## Stage II, the same vision part and budget for all", "", *rows, "", note])


def _read(results: Results) -> str:
    some = ", ".join(f"{name.upper()} {count}" for name, count in results.answered.items())
    if results.mean_mse is None:
        return f"## Held-out faces\n\nOf {results.asked} pictures the models read none together: {some}."
    note = (
        f"{results.identities} people never seen, {results.asked} pictures through the backend's engine; values read: "
        f"{some}; numbers over the {results.common} that all of them read. {len(ACTIONS)} actions; the training rows' "
        f"mean has an MSE of {results.mean_mse:.4f}. Intervals: people drawn anew."
    )
    rows = [
        f"| model, read | MSE | below the mean | 95 % | mean r | {' | '.join(WATCHED)} |",
        f"|---|---|---|---|---|{'---|' * len(WATCHED)}",
        *(_row(reading) for reading in results.readings),
    ]
    return "\n".join(["## Held-out faces", "", note, "", *rows])


def _row(reading: Reading) -> str:
    within = "-" if reading.low is None or reading.high is None else f"{reading.low:+.1%} to {reading.high:+.1%}"
    watched = " | ".join(_number(reading.pearson[name]) for name in WATCHED)
    return (
        f"| {reading.target.upper()}, {reading.way} | {reading.mse:.4f} | {reading.below_mean:+.1%} | {within} | "
        f"{_number(reading.mean_pearson)} | {watched} |"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _compared(results: Results) -> str:
    rows = [
        "| a against b | difference of MSE | relative | paired t, p | Wilcoxon, p | people drawn anew, 95 % |",
        "|---|---|---|---|---|---|",
    ]
    for one in results.comparisons:
        within = "-" if one["low"] is None else f"{one['low']:+.4f} to {one['high']:+.4f}"
        relative = "-" if one["relative"] is None else f"{one['relative']:+.1%}"
        rows.append(
            f"| {one['a']} - {one['b']} | {one['difference']:+.4f} | {relative} | {_p(one['p_t'])} | "
            f"{_p(one['p_wilcoxon'])} | {within} |"
        )
    note = "Below 0: a is better. One run with one seed: an order of models is this run's order."
    return "\n".join(["## Paired tests, the same pictures", "", *rows, "", note])


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _aims(demo: Demo, results: Results) -> str:
    if demo.length is Length.SHORT:
        return "## Aims\n\nA short run has none: it shows that the parts fit."
    lines = []
    for target, met in results.reached().items():
        missed = [f"{name} (aim {AIMS[name]:.2f})" for name, reached in met.items() if not reached]
        lines.append(f"- {target.upper()}: " + ("all reached" if not missed else f"missed {', '.join(missed)}"))
    aims = (
        f"At least {AIMS['expectation']:.0%} below the mean by expectation and {AIMS['greedy']:.0%} greedily; Pearson "
        f"{AIMS['JawOpen']} for JawOpen and {AIMS['MouthSmileLeft']} for the smiles."
    )
    return "\n".join(["## Aims", "", aims, "", *lines])


def _times(seconds: Mapping[str, float]) -> str:
    rows = [f"| {stage} | {spent:.0f} |" for stage, spent in seconds.items()]
    total = sum(seconds.values())
    return "\n".join(
        ["## Seconds", "", "| stage | s |", "|---|---|", *rows, f"| all | {total:.0f} ({total / 60:.1f} min) |"]
    )
