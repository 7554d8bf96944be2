"""Errors, rows a channel, Cross-Comparison, detection and head pose against scipy, scikit-learn and plain Python."""

from __future__ import annotations

import json
import statistics
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_kit import NAMES, Case, cases, close
from scipy import stats
from sklearn import metrics as sk

from semanticface.actions import CSV_ORDER
from semanticface.errors import OptionsError
from semanticface_training.evaluation.metrics.coefficients import average, per_coefficient
from semanticface_training.evaluation.metrics.cross import Averaging, cross_comparison
from semanticface_training.evaluation.metrics.detection import detection, threshold_sweep
from semanticface_training.evaluation.metrics.errors import mse_summary, per_frame_mse
from semanticface_training.evaluation.metrics.head_pose import head_pose
from semanticface_training.evaluation.metrics.subsets import HEAD, SBCA13, TABLE1_14

SHAPES = NAMES[:-1]
quick = settings(max_examples=15, deadline=None)


def scipy_correlations(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    if len(truth) < 2:
        return float("nan"), float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        return stats.pearsonr(truth, predicted).statistic, stats.spearmanr(truth, predicted).statistic


@quick
@given(cases())
def test_mse_and_its_spread_are_those_of_scikit_learn_and_the_standard_library(case: Case) -> None:
    found = mse_summary(case.truth, case.predicted, case.names)
    frames = [sk.mean_squared_error(t, p) for t, p in zip(case.truth, case.predicted, strict=True)]
    assert close(found.mean, sk.mean_squared_error(case.truth, case.predicted))
    assert close(found.median, statistics.median(frames))
    assert close(found.std, statistics.stdev(frames) if len(frames) > 1 else None)
    place = 0.9 * (len(frames) - 1)
    low, high = sorted(frames)[int(place)], sorted(frames)[min(int(place) + 1, len(frames) - 1)]
    assert close(found.p90, low + (high - low) * (place - int(place)))
    moving = [k for k in range(len(case.names)) if len(set(case.truth[:, k])) > 1]
    assert found.varying == len(moving)
    expected = sk.mean_squared_error(case.truth[:, moving], case.predicted[:, moving]) if moving else None
    assert close(found.mean_varying, expected)
    assert np.allclose(per_frame_mse(case.truth, case.predicted, case.names), frames, rtol=0, atol=1e-12)


@quick
@given(cases())
def test_rows_a_channel_are_those_of_scipy_and_scikit_learn(case: Case) -> None:
    rows = per_coefficient(case.truth, case.predicted, case.names)
    assert [row.name for row in rows] == list(case.names)
    for k, row in enumerate(rows):
        truth, predicted = case.truth[:, k], case.predicted[:, k]
        r, rho = scipy_correlations(truth, predicted)
        errors = [float(p - t) for t, p in zip(truth, predicted, strict=True)]
        assert row.n == len(truth)
        assert close(row.pearson, r) and close(row.spearman, rho)
        assert close(row.mse, sk.mean_squared_error(truth, predicted))
        assert close(row.mae, sk.mean_absolute_error(truth, predicted))
        assert close(row.bias, statistics.fmean(errors)) and close(row.err_std, statistics.pstdev(errors))
        assert close(row.truth_std, statistics.pstdev(map(float, truth)))
        assert close(row.mse, row.bias**2 + row.err_std**2)
    line = average(rows)
    assert close(line.pearson, np.mean([r.pearson for r in rows if r.pearson is not None] or [np.nan]))
    assert line.correlated == sum(row.pearson is not None for row in rows)


def test_channels_with_one_truth_count_once_and_angles_apart() -> None:
    names = ("EyeLookUpLeft", "EyeLookUpRight", "JawOpen", "TongueOut", "HeadYaw")
    truth = np.array([[0.1, 0.1, 0.2, 0.0, 0.1], [0.5, 0.5, 0.1, 0.0, -0.1]])
    found = mse_summary(truth, truth + np.array([0.1, 0.3, 0.2, 0.1, 0.4]), names)
    assert (found.varying, found.distinct, found.shapes) == (4, 3, 4)
    assert found.mean_distinct == pytest.approx(((0.01 + 0.09) / 2 + 0.04 + 0.16) / 3)
    assert found.mean_shapes == pytest.approx((0.01 + 0.09 + 0.04 + 0.01) / 4)
    assert mse_summary([[0.2]], [[0.1]], ["HeadYaw"]).mean_shapes is None


def test_a_channel_at_rest_has_no_correlation_whatever_noise_is_on_it() -> None:
    truth = np.column_stack([np.linspace(0, 1, 9), np.full(9, 0.25)])
    predicted = np.column_stack([np.full(9, 0.3) + 1e-16 * np.arange(9), np.linspace(0, 1, 9)])
    rows = per_coefficient(truth, predicted, ("JawOpen", "TongueOut"))
    assert [row.pearson for row in rows] == [None, None] == [row.spearman for row in rows]
    assert [(row.truth_varies, row.predicted_varies) for row in rows] == [(True, False), (False, True)]
    line = average(rows)
    assert line.pearson is None and line.varying == 1 and line.channels == 2
    assert line.mse_varying == rows[0].mse and line.mse == pytest.approx((rows[0].mse + rows[1].mse) / 2)


def test_a_single_frame_has_errors_and_no_correlations_nor_spread() -> None:
    found = mse_summary([[0.5]], [[0.25]], ["JawOpen"])
    assert (found.mean, found.std, found.n) == (0.0625, None, 1)
    (row,) = per_coefficient([[0.5]], [[0.25]], ["JawOpen"])
    assert row.pearson is None and row.spearman is None and row.err_std == 0


@quick
@given(cases(SHAPES), st.sampled_from((0.05, 0.1, 0.3, 0.5, 0.9)))
def test_detection_is_that_of_scikit_learn_with_undefined_channels_left_out(case: Case, threshold: float) -> None:
    found = detection(case.truth, case.predicted, case.names, SHAPES, threshold)
    truth, predicted = case.truth >= threshold, case.predicted >= threshold
    columns = range(len(SHAPES))
    accuracy = [sk.accuracy_score(truth[:, k], predicted[:, k]) for k in columns]
    f1 = [sk.f1_score(truth[:, k], predicted[:, k], zero_division=np.nan) for k in columns]
    both = [k for k in columns if len(set(truth[:, k])) == 2]
    balanced = [sk.balanced_accuracy_score(truth[:, k], predicted[:, k]) for k in both]
    defined = [value for value in f1 if np.isfinite(value)]
    assert close(found.accuracy, statistics.fmean(accuracy))
    assert close(found.f1, statistics.fmean(defined) if defined else None) and found.f1_channels == len(defined)
    assert close(found.balanced_accuracy, statistics.fmean(balanced) if both else None)
    assert found.balanced_channels == len(both)
    nothing = [sk.accuracy_score(truth[:, k], np.zeros(len(truth), bool)) for k in columns]
    assert close(found.never, statistics.fmean(nothing))


def test_the_sweep_asks_each_threshold_and_reaching_one_is_enough() -> None:
    truth, predicted = [[0.5], [0.2], [0.0]], [[0.6], [0.0], [0.0]]
    low, high = threshold_sweep(truth, predicted, ["JawOpen"], ["JawOpen"], (0.2, 0.5))
    assert (low.threshold, high.threshold) == (0.2, 0.5)
    assert low.accuracy == pytest.approx(2 / 3) and high.accuracy == 1.0
    with pytest.raises(OptionsError, match="HeadYaw"):
        detection([[0.5]], [[0.5]], ["HeadYaw"], ["HeadYaw"])


@quick
@given(cases(SHAPES, least=2), st.integers(1, 5))
def test_cross_comparison_averages_over_channels_sequences_or_all_at_once(case: Case, count: int) -> None:
    sequences = [f"take {row % count}" for row in range(len(case.truth))]
    pairs: dict[Averaging, list[tuple[float, float]]] = {averaging: [] for averaging in Averaging}
    pairs[Averaging.POOLED] = [scipy_correlations(case.truth.ravel(), case.predicted.ravel())]
    for k in range(len(SHAPES)):
        pairs[Averaging.CHANNEL].append(scipy_correlations(case.truth[:, k], case.predicted[:, k]))
        for name in sorted(set(sequences)):
            rows = [row for row, other in enumerate(sequences) if other == name]
            pairs[Averaging.SEQUENCE].append(scipy_correlations(case.truth[rows, k], case.predicted[rows, k]))
    for averaging, expected in pairs.items():
        found = cross_comparison(
            case.truth, case.predicted, case.names, SHAPES, averaging=averaging, sequences=sequences
        )
        defined = [pair for pair in expected if np.isfinite(pair[0])]
        assert close(found.p_corr, statistics.fmean(r for r, _ in defined) if defined else None)
        assert close(found.s_corr, statistics.fmean(rho for _, rho in defined) if defined else None)
        assert (found.correlations, found.undefined) == (len(expected), len(expected) - len(defined))
    assert close(found.msd, sk.mean_squared_error(case.truth, case.predicted))
    assert close(found.deviation_mae, sk.mean_absolute_error(case.truth, case.predicted))
    assert close(found.deviation_std, statistics.fmean(np.std(case.predicted - case.truth, axis=0)))


def test_correlations_within_sequences_need_the_sequences() -> None:
    with pytest.raises(OptionsError, match="sequence of each row"):
        cross_comparison([[0.5]], [[0.5]], ["JawOpen"], ["JawOpen"], averaging=Averaging.SEQUENCE)


def test_the_subsets_are_the_papers_thirteen_and_the_fourteen_with_mouth_left() -> None:
    assert len(set(SBCA13)) == 13 and (*SBCA13, "MouthLeft") == TABLE1_14
    assert set(TABLE1_14) <= set(CSV_ORDER)


def test_a_method_that_writes_yaw_into_pitch_is_told_from_one_that_cannot_see_it() -> None:
    random = np.random.default_rng(5)
    truth = random.normal(0.0, 0.2, (200, 3))
    found = head_pose(truth, truth[:, [1, 0, 2]] + random.normal(0.0, 0.02, truth.shape), HEAD)
    assert [row.likely for row in found.rows] == ["HeadPitch", "HeadYaw", "HeadRoll"] and found.swapped
    assert abs(found.rows[0].p_corr) < 0.2 and found.rows[2].p_corr > 0.98
    blind = head_pose(truth, random.normal(0.0, 0.2, truth.shape), HEAD)
    assert [row.likely for row in blind.rows] == [None] * 3 and not blind.swapped
    straight = head_pose(truth, truth + np.radians(2.0), HEAD)
    assert not straight.swapped and straight.rows[1].mae_degrees == pytest.approx(2.0)
    assert straight.rows[1].deviation_std == pytest.approx(0.0, abs=1e-12)
    assert straight.rows[1].msd == pytest.approx(np.radians(2.0) ** 2)


def test_a_head_that_never_moves_has_no_correlation_and_no_likely_angle() -> None:
    found = head_pose(np.zeros((4, 3)), np.eye(4, 3), HEAD)
    assert [(row.p_corr, row.likely) for row in found.rows] == [(None, None)] * 3 and found.n == 4
    assert head_pose([[0.1]], [[0.1]], ["JawOpen"]).rows == ()


def test_every_table_becomes_json_without_a_nan() -> None:
    truth, predicted = np.zeros((3, 61)), np.eye(3, 61)
    tables = [
        mse_summary(truth, predicted, CSV_ORDER),
        average(per_coefficient(truth, predicted, CSV_ORDER)),
        cross_comparison(truth, predicted, CSV_ORDER),
        head_pose(truth, predicted, CSV_ORDER),
        *per_coefficient(truth, predicted, CSV_ORDER),
        *threshold_sweep(truth, predicted, CSV_ORDER),
    ]
    for table in tables:
        plain = json.loads(json.dumps(table.to_dict(), allow_nan=False))
        assert plain["n"] == 3
