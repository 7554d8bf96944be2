"""An evaluation's page and tables: the best is marked, N stands everywhere, and nothing that is undefined becomes 0."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from evaluation_report_kit import COUNT, LABELS, make_evaluation
from report_kit import EVIL
from test_report_take import Elements

from semanticface.actions import CSV_ORDER
from semanticface.report import charts
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.report import columns, write_report
from semanticface_training.evaluation.report.answers import load
from semanticface_training.evaluation.report.frames import worst_frames
from semanticface_training.evaluation.report.gallery import gallery
from semanticface_training.evaluation.report.tables import all_views, mark_of
from semanticface_training.evaluation.report.views import DASH, Better, Column, Source, shown, view
from semanticface_training.evaluation.results import PREDICTIONS_NAME, Protocol, read_results, read_run, write_run

Made = tuple[Path, Dataset, dict[str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The results' folder, its dataset, and the texts of the report by file name."""
    out, dataset = make_evaluation(tmp_path_factory.mktemp("evaluation"))
    files = write_report(out)
    assert files[0] == out / "report" / "index.html"
    return out, dataset, {file.name: file.read_text(encoding="utf-8") for file in files}


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_best_of_each_column_is_marked_by_its_direction() -> None:
    ends = {"low": Better.LOW, "high": Better.HIGH, "zero": Better.ZERO, "any": Better.NONE}
    heads = [Column(key, key, better, 2) for key, better in ends.items()]
    values = [{"low": 0.3, "high": 0.3, "zero": -0.1, "any": 0.3}, {"low": 0.2, "high": None, "zero": 0.5, "any": 0.2},
              {"low": 0.201, "high": 0.9, "zero": 0.2, "any": 0.1}]  # fmt: skip
    rows = [Source(str(place), one) for place, one in enumerate(values)]
    table = view("t", "t", "", heads, [*rows, Source("chance", {"low": 0.0}, competes=False)])
    marked = [[cell.best for cell in row.cells] for row in table.rows]
    assert marked == [
        [False, False, True, False],
        [True, False, False, False],
        [True, True, False, False],  # what looks the same is marked the same
        [False] * 4,
    ]
    equal = view("t", "t", "", heads, [Source("a", {"low": 0.1}), Source("b", {"low": 0.1})])
    assert not any(cell.best for row in equal.rows for cell in row.cells), "where all are equal, nobody is best"


def test_sixteen_methods_have_marks_of_their_own() -> None:
    keys = [str(charts.key_mark(mark_of(place))) for place in range(16)]
    shapes = [re.sub(r' s\d+"', '"', key) for key in keys]
    assert len({(place % 8, shape) for place, shape in enumerate(shapes)}) == 16, "colour and shape together"
    assert len(set(shapes[:8])) == 8, "shape alone, for those who see no colours"


def test_numbers_are_shown_with_their_digits_and_never_as_a_zero_that_they_are_not() -> None:
    assert shown(0.12345, 3) == "0.123" and shown(0.0, 3) == "0.000" and shown(-0.0, 3) == "0.000"
    assert shown(0.00001, 3) == "1.0e-05" and shown(None, 3) == DASH and shown(1234, None) == "1,234"


def test_every_table_says_of_how_many_frames_it_is(made: Made) -> None:
    views = all_views(read_results(made[0]))
    assert len(views) >= 12
    for one in views:
        assert any(column.label.startswith("N") or "(N " in column.label for column in one.columns), one.name
    tables = {name: shown for name, shown in vars(columns).items() if isinstance(shown, tuple) and name != "COVERAGE"}
    assert len(tables) == 12 and all(shown[0].label.startswith("N") for shown in tables.values()), "those not seen here"


def test_markdown_csv_and_page_say_the_same(made: Made) -> None:
    results, texts = read_results(made[0]), made[2]
    mse = results.method("close").tables["mse"]
    line = next(row for row in rows_of(texts["overview.csv"]) if row["method"] == LABELS["close"])
    assert float(line["mean"]) == mse["mean"] and int(line["n"]) == mse["n"] == COUNT - 1
    assert f"**{mse['mean']:.4f}**" in texts["tables.md"], "the closest is the best"
    assert f"<b>{mse['mean']:.4f}</b>" in texts["index.html"]
    assert rf"\textbf{{{mse['mean']:.4f}}}" in texts["tables.tex"]


def test_a_method_without_answers_has_a_row_of_dashes_and_a_reason(made: Made) -> None:
    texts = made[2]
    line = next(row for row in rows_of(texts["overview.csv"]) if row["method"] == f"'{LABELS['silent']}")
    assert (line["answered"], line["asked"], line["mean"]) == ("0", str(COUNT), "")
    assert f"it answered none of {COUNT} frames" in texts["tables.md"]
    assert f"it answered none of {COUNT} frames" in texts["index.html"]
    row = next(one for one in texts["tables.md"].splitlines() if one.startswith(f"| {LABELS['silent']}"))
    assert row.count(DASH) >= 8


def test_correlations_that_are_undefined_stay_empty(made: Made) -> None:
    still = [row for row in rows_of(made[2]["per_coefficient.csv"]) if row["method"].startswith("TongueOut:")]
    assert len(still) == 2 and all(row["pearson"] == "" and row["mse"] for row in still)


def test_labels_stay_labels_in_each_format(made: Made) -> None:
    texts = made[2]
    page = Elements(texts["index.html"])
    assert page.count("script") == 2 and EVIL in page.text
    assert all((a["src"] or "").startswith("data:image/jpeg") for tag, a in page.tags if tag == "img")
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert "<script>" not in re.sub(r"\\<", "", texts["tables.md"]), "escaped for Markdown"
    assert r"close\_to 100 \%" in texts["tables.tex"] and "</script>" not in texts["tables.tex"]
    assert rows_of(texts["overview.csv"])[2]["method"] == "'=1+1", "a spreadsheet reads it as text"


def test_retrieval_has_its_references_and_the_reason_where_a_batch_can_not_be_formed(made: Made) -> None:
    rows = {row["method"]: row for row in rows_of(made[2]["retrieval_shuffle.csv"])}
    assert float(rows["chance"]["r1"]) == 0.125 and float(rows["ground truth"]["r1"]) == 1.0
    assert float(rows[LABELS["close"]]["r1"]) > float(rows[EVIL]["r1"]) > 0.125
    assert "r1_half" in rows["chance"]
    assert "Undefined: no sequence fills a batch" in made[2]["tables.md"]


def test_the_worst_frames_are_those_with_the_greatest_error_and_show_both_values(made: Made) -> None:
    out, dataset, _ = made
    results = read_results(out)
    answers, why = load(out, results)
    assert answers is not None and why == ""
    worst = worst_frames(answers, results.dataset.actions)
    assert [method.label for method in worst] == [LABELS["close"], EVIL]
    errors = np.square(answers.methods[1].values - answers.truth).mean(axis=1)
    assert worst[1].frames[0].id == dataset.rows[int(np.nanargmax(errors))].id == "s0/7"
    first = worst[1].frames[0]
    np.testing.assert_allclose(first.true, answers.truth[7], atol=1e-4)
    np.testing.assert_allclose(first.said, answers.methods[1].values[7], atol=1e-4)
    name = first.differences[0].name
    gaps = np.abs(answers.methods[1].values[7] - answers.truth[7])
    assert name == CSV_ORDER[int(gaps.argmax())] and first.uri.startswith("data:image/jpeg")
    near = [frame.id for frame in worst[1].frames if frame.id.startswith("s0/")]
    assert all(abs(int(a[3:]) - int(b[3:])) >= 10 for a in near for b in near if a != b), "a second apart"


def test_other_methods_renders_stand_beside_the_faces_drawn_from_numbers(made: Made, tmp_path: Path) -> None:
    out, dataset, texts = made
    assert "Side by side" in texts["index.html"] and "flame" not in texts["index.html"]
    rendered, red = tmp_path / "flame", np.full((40, 30, 3), (0, 0, 255), np.uint8)
    named = [("s0", 2), ("s0", 9), ("s1", 4)]
    own = {(row.take, row.frame): Path(row.image).relative_to("images") for row in dataset.rows}
    for place, (take, frame) in enumerate(named):
        file = rendered / (own[take, frame].with_suffix(".png") if place else f"{take}_{frame}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(file), red)
    (rendered / own["s1", 5].with_suffix(".png")).write_text("no picture")
    answers, _ = load(out, read_results(out))
    assert answers is not None
    rows = gallery(answers, {"<b>flame</b>": rendered})
    assert {row.id for row in rows} == {"s0/2", "s0/9", "s1/4", "s1/5"}, "those that have renders go first"
    for row in rows:
        assert [tile.label for tile in row.tiles] == ["picture", "true", *LABELS.values(), "<b>flame</b>"]
        assert bool(row.tiles[-1].uri) == (row.id != "s1/5") and not row.tiles[-2].face, "silent has no answer"
        place = next(number for number, one in enumerate(dataset.rows) if one.id == row.id)
        np.testing.assert_allclose(row.tiles[1].face, answers.truth[place], atol=1e-4)
    run = read_run(out)
    write_run(out, replace(run, beside={"<b>flame</b>": str(rendered)}))
    page = write_report(out)[0].read_text(encoding="utf-8")
    write_run(out, run)
    assert "&lt;b&gt;flame&lt;/b&gt;" in page and "<b>flame" not in page and str(tmp_path) not in page


def test_the_frames_of_the_figure_differ_from_each_other(made: Made) -> None:
    answers, _ = load(made[0], read_results(made[0]))
    assert answers is not None and answers.truth is not None
    rows = gallery(answers, {}, most=3)
    places = [next(n for n, row in enumerate(answers.rows) if row.id == one.id) for one in rows]
    apart = min(np.linalg.norm(answers.truth[a] - answers.truth[b]) for a in places for b in places if a < b)
    compared = np.flatnonzero(answers.main)[:3]
    assert apart > min(np.linalg.norm(answers.truth[a] - answers.truth[b]) for a in compared for b in compared if a < b)


def test_without_the_dataset_the_page_keeps_its_tables_and_says_so(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    shutil.copytree(made[0], out)
    run = read_run(out)
    write_run(out, replace(run, dataset=str(tmp_path / "moved")))
    page = write_report(out)[0].read_text(encoding="utf-8")
    assert "Shown without pictures and single values" in page and "Cross-Comparison" in page
    assert str(tmp_path) not in page, "a page that is passed on names no folders"
    assert "Shown without" not in made[2]["index.html"]
    write_run(out, run)
    frames = out / PREDICTIONS_NAME / "close" / "frames.jsonl"
    lines = frames.read_text(encoding="utf-8").splitlines(keepends=True)
    lost = [{**json.loads(line), "status": "no_face", "values": None, "analysis": None} for line in lines[:5]]
    frames.write_text("".join(json.dumps(one) + "\n" for one in lost) + "".join(lines[5:]), encoding="utf-8")
    assert "the predictions have changed" in write_report(out)[0].read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [Protocol.ABLATION, Protocol.DOMAIN, Protocol.WILD])
def test_each_protocol_has_a_page(tmp_path: Path, protocol: Protocol) -> None:
    out, _ = make_evaluation(tmp_path, protocol)
    files = {file.name: file.read_text(encoding="utf-8") for file in write_report(out)}
    assert f"Evaluation, protocol {protocol.value}" in files["index.html"]
    wanted = {Protocol.ABLATION: "tests.csv", Protocol.DOMAIN: "detection.csv", Protocol.WILD: "retrieval_shuffle.csv"}
    assert wanted[protocol] in files
