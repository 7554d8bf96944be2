"""The mirror, sides, sweeps; jitter and lag; text against numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from metrics_kit import Case, cases, close
from scipy import stats

from semanticface.actions import CSV_ORDER, mirrored
from semanticface.analysis.describe import describe
from semanticface.errors import InputError
from semanticface_training.evaluation.metrics.agreement import text_agreement
from semanticface_training.evaluation.metrics.consistency import (
    mirror_consistency,
    mirror_values,
    side_agreement,
    sweep_monotonicity,
)
from semanticface_training.evaluation.metrics.temporal import jitter_and_lag

PAIRS = ("JawOpen", "MouthSmileLeft", "MouthSmileRight", "HeadYaw", "HeadPitch", "LeftEyeYaw", "RightEyeYaw")
quick = settings(max_examples=15, deadline=None)


@quick
@given(cases(PAIRS))
def test_mirroring_is_that_of_the_action_table_and_a_consistent_method_differs_by_nothing(case: Case) -> None:
    flipped = mirror_values(case.predicted, PAIRS)
    for row, values in zip(flipped, case.predicted, strict=True):
        expected = mirrored(dict(zip(PAIRS, values.tolist(), strict=True)))
        assert dict(zip(PAIRS, row.tolist(), strict=True)) == expected
    perfect = mirror_consistency(case.predicted, flipped, PAIRS)
    assert perfect.mae == perfect.rms == 0.0 and perfect.n == len(case.truth)
    found = mirror_consistency(case.truth, flipped, PAIRS)
    gap = case.predicted - case.truth
    assert close(found.mae, np.abs(gap).mean()) and close(found.rms, np.sqrt((gap**2).mean()))
    for k, row in enumerate(found.rows):
        assert close(row.mae, np.abs(gap[:, k]).mean()) and close(row.rms, np.sqrt((gap[:, k] ** 2).mean()))


def test_the_mirror_needs_both_sides() -> None:
    with pytest.raises(InputError, match="no mirror partner for MouthSmileLeft"):
        mirror_values([[0.5]], ["MouthSmileLeft"])


def test_a_method_that_exchanges_sides_passes_the_mirror_and_is_caught_by_the_sides() -> None:
    random = np.random.default_rng(1)
    truth = random.random((100, len(PAIRS)))
    exchanged = truth[:, [0, 2, 1, 3, 4, 5, 6]]
    assert mirror_consistency(exchanged, mirror_values(exchanged, PAIRS), PAIRS).mae == 0.0
    found = side_agreement(truth, exchanged, PAIRS)
    assert found.exchanged == ("MouthSmileLeft",) and found.mean == pytest.approx(-1.0)
    unread = side_agreement(truth, random.random(truth.shape), PAIRS)
    assert unread.exchanged == () and abs(unread.mean) < 0.3
    fair = side_agreement(truth, truth + random.normal(0.0, 0.2, truth.shape), PAIRS)
    assert fair.exchanged == () and [row.left for row in fair.rows] == ["MouthSmileLeft"]


@quick
@given(cases(PAIRS, least=2))
def test_sides_are_the_correlation_of_left_less_right(case: Case) -> None:
    found = side_agreement(case.truth, case.predicted, PAIRS)
    left_less_right = [side[:, 1] - side[:, 2] for side in (case.truth, case.predicted)]
    moves = all(np.ptp(one) > 1e-6 for one in left_less_right)
    assert close(found.mean, stats.pearsonr(*left_less_right).statistic if moves else None)
    assert side_agreement(case.truth[:, :2], case.predicted[:, :2], PAIRS[:2]).rows == ()


def test_a_sweep_is_judged_by_rank_steps_slope_and_what_else_moves() -> None:
    names = ("JawOpen", "MouthSmileLeft", "MouthSmileRight", "HeadYaw")
    steps = np.linspace(0.0, 1.0, 6)
    truth, predicted = np.zeros((18, 4)), np.zeros((18, 4))
    truth[:6, 0], predicted[:6, 0] = steps, [0.0, 0.1, 0.1, 0.3, 0.2, 0.5]
    predicted[:6, 3] = 2 * steps  # the head's angle isn't crosstalk, but it moves most
    truth[6:12, 1], predicted[6:12, 2] = steps, 0.5 * steps  # the wrong side
    predicted[6:12, 1] = 0.25 * steps
    truth[12:, 1] = steps  # another person's, unanswered
    swept, people = ["JawOpen"] * 6 + ["MouthSmileLeft"] * 12, ["a"] * 12 + ["b"] * 6
    found = sweep_monotonicity(truth, predicted, names, swept, people)
    jaw, smile = found.rows
    assert close(jaw.spearman, stats.spearmanr(steps, predicted[:6, 0]).statistic)
    assert jaw.rising == pytest.approx(3 / 5) and jaw.gain == pytest.approx(np.polyfit(steps, predicted[:6, 0], 1)[0])
    assert jaw.strongest == "HeadYaw" and jaw.crosstalk == 0.0
    assert (smile.sweeps, smile.undefined, smile.n) == (2, 1, 12)
    assert smile.spearman == pytest.approx(1.0) and smile.rising == pytest.approx(0.5)
    assert smile.strongest == "MouthSmileRight" and smile.crosstalk == pytest.approx(2.0)
    assert smile.gain == pytest.approx(0.125)
    assert found.followed == 0 and (found.n, found.actions) == (18, 2)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["rows"][0]["action"] == "JawOpen"


def test_a_sweep_of_a_channel_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="swept, but not among the columns: TongueOut"):
        sweep_monotonicity([[0.1]], [[0.1]], ["JawOpen"], ["TongueOut"])
    with pytest.raises(InputError, match="2 swept actions for 1 rows"):
        sweep_monotonicity([[0.1]], [[0.1]], ["JawOpen"], ["JawOpen", "JawOpen"])


def test_jitter_is_the_second_difference_of_neighbours_in_time_only() -> None:
    values = np.array([0.0, 0.1, 0.0, 0.5, 0.5, 0.9, 0.2, 0.2])[:, None]
    times = [0.0, 0.1, 0.2, 0.3, 1.0, 1.1, 0.0, 0.1]  # a gap after the fourth, then another take
    takes = ["a"] * 6 + ["b"] * 2
    found = jitter_and_lag(np.zeros((8, 1)), values, ["JawOpen"], times, takes)
    assert found.jitter == pytest.approx((abs(0.0 - 0.2 + 0.0) + abs(0.5 - 0.0 + 0.1)) / 2)
    assert (found.sequences, found.runs, found.too_short, found.triples) == (2, 3, 2, 2)
    assert found.truth_jitter == 0.0 and found.ratio is None and found.lag_frames is None
    assert found.step_seconds == pytest.approx(0.1)
    order = np.random.default_rng(0).permutation(8)
    shuffled = jitter_and_lag(
        np.zeros((8, 1)), values[order], ["JawOpen"], np.array(times)[order], [takes[row] for row in order]
    )
    assert shuffled.jitter == pytest.approx(found.jitter) and shuffled.runs == 3


def test_single_frames_are_counted_and_have_no_jitter() -> None:
    found = jitter_and_lag([[0.1], [0.2]], [[0.1], [0.2]], ["JawOpen"], [0.0, 0.0], ["a", "b"])
    assert (found.n, found.runs, found.too_short, found.triples) == (2, 2, 2, 0)
    assert (found.jitter, found.ratio, found.lag_frames, found.step_seconds) == (None, None, None, None)
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("late", [-4, 0, 3])
def test_a_late_curve_has_its_lag_and_the_correlations_of_scipy(late: int) -> None:
    random = np.random.default_rng(late + 10)
    smooth = np.cumsum(random.normal(size=(90, 2)), axis=0)
    names = ("JawOpen", "MouthFunnel")
    said = np.roll(smooth, late, axis=0) + random.normal(0.0, 0.01, smooth.shape)
    found = jitter_and_lag(smooth, said, names, np.arange(90) / 30, ["a"] * 90, longest_lag=5)
    assert found.lag_frames == late and found.lag_seconds == pytest.approx(late / 30)
    core = slice(5, 85)
    r = [stats.pearsonr(smooth[core, k], said[5 + late : 85 + late, k]).statistic for k in range(2)]
    assert close(found.correlation, np.mean(r))
    plain = [stats.pearsonr(smooth[core, k], said[core, k]).statistic for k in range(2)]
    assert close(found.unshifted, np.mean(plain))


def test_two_frames_at_one_time_and_frames_without_one_are_refused() -> None:
    with pytest.raises(InputError, match="row 1 has the time of another frame"):
        jitter_and_lag([[0.1]] * 2, [[0.1]] * 2, ["JawOpen"], [0.5, 0.5], ["a", "a"])
    with pytest.raises(InputError, match="row 1 has no time"):
        jitter_and_lag([[0.1]] * 2, [[0.1]] * 2, ["JawOpen"], [0.5, float("nan")], ["a", "a"])


def test_texts_are_judged_against_the_numbers_and_frames_without_one_are_counted() -> None:
    rest = dict.fromkeys(CSV_ORDER, 0.0)
    smile = rest | {"MouthSmileLeft": 0.8, "MouthSmileRight": 0.8, "CheekSquintLeft": 0.5, "CheekSquintRight": 0.5}
    jaw = rest | {"JawOpen": 0.9}
    values = [[one[name] for name in CSV_ORDER] for one in (smile, jaw, smile, rest)]
    texts = [describe(smile), describe(jaw), describe(jaw), None]
    found = text_agreement(texts, values)
    assert (found.n, found.texts) == (4, 3) and found.agreeing == pytest.approx(2 / 3)
    assert found.kinds["omitted"] == 1 and found.kinds["inactive"] == 1 and found.per_text > 0
    assert 0 < found.upheld < 1
    nothing = text_agreement([None], [values[3]])
    assert (nothing.n, nothing.texts, nothing.agreeing, nothing.upheld) == (1, 0, None, None)
    with pytest.raises(InputError, match="60 absent"):
        text_agreement([None], [[0.1]], ["JawOpen"])
