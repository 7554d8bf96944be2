"""The files of a report: `report/index.html`, `tables.md`, `tables.tex`, and a CSV for each table."""

from __future__ import annotations

from pathlib import Path

from semanticface.errors import InputError
from semanticface.take import write_atomic
from semanticface_training.evaluation.report.answers import load
from semanticface_training.evaluation.report.formats import as_csv, latex, markdown
from semanticface_training.evaluation.report.page import evaluation_page
from semanticface_training.evaluation.report.tables import all_views
from semanticface_training.evaluation.results import REPORT_NAME, EvaluationResults, read_results, read_run

PAGE_NAME = "index.html"
MARKDOWN_NAME = "tables.md"
LATEX_NAME = "tables.tex"
_PRINTED = "per_coefficient"
"""A table that is too long for a paper's column; it is in Markdown, CSV and the page."""


def write_report(out: Path) -> list[Path]:
    """Write the report of the evaluation in the folder `out`; returns its files, the page first.

    Raises InputError for a folder without results, and for what can't be written.
    """
    results = read_results(out)
    views = all_views(results)
    title = title_of(results)
    answers, why_none = load(out, results)
    notes = [*results.notes, *([why_none] if why_none else [])]
    beside = {label: Path(folder) for label, folder in read_run(out).beside.items()}
    texts = {
        PAGE_NAME: evaluation_page(results, views, answers, title, notes, beside),
        MARKDOWN_NAME: markdown(views, title, [*_facts(results), *results.notes]),
        LATEX_NAME: latex([one for one in views if one.name != _PRINTED], title),
        **{f"{one.name}.csv": as_csv(one) for one in views if one.rows},
    }
    folder = out / REPORT_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_atomic(folder / name, text)
    except OSError as error:
        raise InputError(f"{folder} can't be written: {error.strerror or error}") from error
    return [folder / name for name in texts]


def title_of(results: EvaluationResults) -> str:
    return f"{results.dataset.name}, split {results.dataset.split}: {results.protocol.value}"


def _facts(results: EvaluationResults) -> list[str]:
    data = results.dataset
    subjects = f"{len(data.subjects)} subjects, {data.sequences} sequences"
    return [
        f"{data.n:,} pictures, {subjects}; {data.common:,} answered by all methods; data {data.digest[:16]}",
        f"made {results.created}, version {results.code.get('version', 'unknown')}: {results.command}",
    ]
