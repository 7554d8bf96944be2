"""An evaluation as one page: tables with the charts that belong to them, worst frames, curves over time.

Tables and charts are made elsewhere; here they get their places. The page stands on the skeleton of
`semanticface.report`, so it asks no network and runs nothing that a label or a file name says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from semanticface.actions import CSV_ORDER
from semanticface.report import charts
from semanticface.report.page import data_block, render
from semanticface_training.evaluation.report import figures, formats
from semanticface_training.evaluation.report.answers import Answers
from semanticface_training.evaluation.report.frames import WorstOfMethod, worst_frames
from semanticface_training.evaluation.report.gallery import GalleryRow, gallery
from semanticface_training.evaluation.report.tables import mark_of
from semanticface_training.evaluation.report.timeline import timelines
from semanticface_training.evaluation.report.views import View
from semanticface_training.evaluation.results import EvaluationResults

PARTS = Path(__file__).with_name("parts")
_PLACES = (
    ("methods", "Methods", ("overview",)),
    ("cross", "Cross-Comparison", ("cross13", "cross14")),
    ("retrieval", "Retrieval", ("retrieval_shuffle", "retrieval_same_sequence")),
    ("tests", "Tests between methods", ("tests",)),
    ("coefficients", "Coefficients", ("averages", "per_coefficient")),
    ("errors", "Predicted and true", ()),
    ("head", "Head pose", ("head_pose",)),
    ("gallery", "Side by side", ()),
    ("worst", "Worst frames", ()),
    ("time", "Over time", ("temporal",)),
    ("kinds", "Kinds of pictures", ("kinds", "kinds_pearson", "detection")),
    ("sides", "Sides and single actions", ("sides", "mirror", "sweep")),
    ("text", "Text against numbers", ("agreement",)),
)
"""Sections in their order: anchor, title, and the tables that stand there."""
LONG = ("per_coefficient",)
"""Tables that are folded."""


def evaluation_page(
    results: EvaluationResults,
    views: Sequence[View],
    answers: Answers | None,
    title: str,
    notes: Sequence[str],
    beside: Mapping[str, Path] = MappingProxyType({}),
) -> str:
    """The page's text. Without `answers` it has tables, bars and curves alone. `beside`: see `gallery`."""
    names = results.dataset.actions
    by_name = {one.name: one for one in views}
    worst = worst_frames(answers, names) if answers else []
    rows = gallery(answers, beside) if answers else []
    drawn: dict[str, Any] = {
        "bars": figures.bar_panels(results),
        "clouds": figures.clouds(answers, names) if answers else [],
        "histograms": figures.error_histograms(answers, names) if answers else [],
        "retrieval_curve": figures.retrieval_curve(results),
        "detection_curve": figures.detection_curve(results),
        "worst": worst,
        "gallery": rows,
        "timelines": timelines(answers, names) if answers else [],
    }
    full = {"coefficients": drawn["bars"], "errors": drawn["clouds"] or drawn["histograms"], "worst": worst,
            "gallery": rows, "time": drawn["timelines"], "retrieval": drawn["retrieval_curve"]}  # fmt: skip
    sections = [
        (anchor, words, [by_name[name] for name in tables if name in by_name])
        for anchor, words, tables in _PLACES
        if full.get(anchor) or any(name in by_name for name in tables)
    ]
    context = {
        "results": results,
        "heading": formats.heading,
        "sections": sections,
        "long": LONG,
        "notes": notes,
        "legend": [(method.label, charts.key_mark(mark_of(place))) for place, method in enumerate(results.methods)],
        "key_mark": charts.key_mark,
        "data": data_block(_faces(rows, worst)),
        **drawn,
    }
    return render(
        "evaluation.html", title, context,
        folders=(PARTS,), styles=("evaluation.css", "face.css"), scripts=("face.js", "evaluation.js"),
    )  # fmt: skip


def _faces(rows: Sequence[GalleryRow], worst: Sequence[WorstOfMethod]) -> dict[str, Any]:
    """What the script draws, in the order of the page: the figure's faces, then pairs of true and predicted values."""
    frames = [frame for method in worst for frame in method.frames]
    figure = [[tile.face for tile in row.tiles if tile.face] for row in rows]
    return {"names": CSV_ORDER, "faces": [*figure, *([frame.true, frame.said] for frame in frames)]}
