"""The paper's tables out of each other through our aggregation, and what docs/evaluation.md says about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semanticface.actions import CSV_ORDER
from semanticface_training.evaluation.metrics.coefficients import average
from semanticface_training.evaluation.metrics.cross import aggregate
from semanticface_training.evaluation.metrics.head_pose import head_rows
from semanticface_training.evaluation.metrics.subsets import SBCA13, TABLE1_14
from semanticface_training.evaluation.paper.precision import counts_that_fit, sizes_that_fit, two_valued_rows
from semanticface_training.evaluation.paper.reproduce import reproduce, to_markdown
from semanticface_training.evaluation.paper.tables import TEST_FRAMES, per_coefficient_rows

ROWS = per_coefficient_rows()


def named(names: tuple[str, ...]) -> list:
    return [row for row in ROWS if row.name in names]


def test_the_typed_tables_hold_each_action_once_and_57_of_them_move() -> None:
    assert sorted(row.name for row in ROWS) == sorted(CSV_ORDER)
    assert [row.name for row in ROWS if not row.truth_varies] == [
        "MouthRight", "TongueOut", "LeftEyeRoll", "RightEyeRoll"
    ]  # fmt: skip


def test_the_typed_tables_are_the_printed_ones(shared: Path) -> None:
    text = (shared / "paper" / "semanticface.txt").read_text(encoding="utf-8")
    lines = re.findall(r"^\| (\w+) \| ([\d.]+) \| (\S+) \| (\S+) \| ([\d.]+) \|$", text, re.MULTILINE)
    printed = [tuple(None if cell == "-" else cell for cell in line) for line in lines if line[0] in CSV_ORDER]
    assert len(printed) == 61

    def cell(value: float | None) -> str | None:
        return None if value is None else f"{value:.4f}"

    assert printed == [(r.name, cell(r.mse), cell(r.pearson), cell(r.spearman), cell(r.err_std)) for r in ROWS]


def test_fourteen_rows_are_table_one_and_the_thirteen_are_not() -> None:
    """By hand: sums of the printed rows. S-Cor and Deviation are those printed when cut off, one more when rounded."""
    found = aggregate(named(TABLE1_14))
    assert (found.correlations, found.undefined) == (14, 0)
    assert found.p_corr == pytest.approx(9.8703 / 14, abs=1e-9) and round(found.p_corr, 4) == 0.7050
    assert found.s_corr == pytest.approx(8.8658 / 14, abs=1e-9) and int(found.s_corr * 1e4) == 6332
    assert found.msd == pytest.approx(0.0845 / 14, abs=1e-9) and round(found.msd, 4) == 0.0060
    assert found.deviation_std == pytest.approx(0.7765 / 14, abs=1e-9) and int(found.deviation_std * 1e4) == 554
    thirteen = aggregate(named(SBCA13))
    assert [round(value, 4) for value in (thirteen.p_corr, thirteen.s_corr, thirteen.msd)] == [0.7595, 0.6822, 0.0065]


def test_the_averages_are_over_57_rows_and_table_one_mse_over_61() -> None:
    found = average(ROWS)
    assert (found.channels, found.varying, found.correlated) == (61, 57, 57)
    printed = (found.mse_varying, found.pearson, found.spearman, found.err_std, found.mse)
    assert [round(value, 4) for value in printed] == [0.0036, 0.5966, 0.5429, 0.0456, 0.0034]


def test_the_heads_rows_are_table_five() -> None:
    assert [(row.p_corr, row.s_corr, row.msd, row.deviation_std) for row in head_rows(ROWS)] == [
        (0.5769, 0.5560, 0.0048, 0.0533),
        (0.7489, 0.7209, 0.0045, 0.0557),
        (0.5340, 0.5023, 0.0037, 0.0599),
    ]


def test_all_that_should_follow_from_the_tables_does_and_only_one_set_of_channels_fits() -> None:
    found = reproduce()
    others = {one.figure: one.verdict for one in found.confirmed if not one.to_the_digit}
    assert others == {
        "S-Cor, 14 channels": "to the digit when cut off",
        "Deviation, 14 channels": "to the digit when cut off",
        "mean MSE of A2, mean of 61": "within the rounding",
    }
    assert found.fitting_sets == ("the 13 and MouthLeft",) and found.tried == 1_892
    verdicts = {one.figure: one.verdict for one in found.contradicted}
    assert verdicts["P-Cor, the 13 channels of appendix A.5"] == "contradicts"
    assert verdicts["MMD below DeadFace"] == "contradicts"
    assert verdicts["MMD below DeadFace, above the truth's"] == "within the rounding"


def test_two_valued_channels_fit_one_decimal_and_more_frames_than_the_test_split_has() -> None:
    rows = two_valued_rows()
    assert [row.name for row in rows] == ["JawRight", "CheekPuff", "MouthLeft"]
    assert sizes_that_fit([TEST_FRAMES, 4_733, 4_734, 4_960, 4_989, 4_990]) == [4_734, 4_960, 4_989]
    assert all(counts_that_fit(row, 4_960) for row in rows)
    for n in (TEST_FRAMES, 4_960):  # "mean absolute difference", as the text has Deviation, is no way to make them
        assert not any(counts_that_fit(row, n, deviation_is_mae=True) for row in rows)


def test_the_documentation_quotes_these_figures() -> None:
    found = reproduce()
    guide = Path(__file__).resolve().parents[4] / "docs" / "evaluation.md"
    lines = set(guide.read_text(encoding="utf-8").splitlines())
    for line in (*to_markdown(found.confirmed).splitlines(), *to_markdown(found.contradicted).splitlines()):
        assert line in lines
