"""Results as arrays and back: in order, with honest gaps, weights and times."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from semanticface.actions import CSV_ORDER
from semanticface.curves.samples import SURE, Mark, results_of, samples_of
from semanticface.results import Estimate, FrameResult, Status


def result(frame: int, value: float, **more: object) -> FrameResult:
    face = {name: value + 0.001 * index for index, name in enumerate(CSV_ORDER)}
    return FrameResult(frame, None, Status.OK, face, **more)


def test_rows_are_in_order_and_a_later_result_of_a_frame_holds():
    samples = samples_of([result(5, 0.5), result(2, 0.2), result(5, 0.6)], Fraction(30))
    assert samples.frames.tolist() == [2, 5]
    assert samples.column("EyeBlinkLeft").tolist() == [0.2, 0.6]


def test_a_frame_without_a_result_is_a_gap_and_never_a_face_at_rest():
    samples = samples_of([result(0, 0.1), FrameResult(1, None, Status.NO_FACE)], Fraction(30))
    assert samples.marks.tolist() == [Mark.GIVEN, Mark.ABSENT]
    assert np.isnan(samples.values[1]).all() and (samples.weights[1] == 0).all()


def test_times_are_the_footages_own_and_else_by_the_rate():
    given = replace(result(3, 0.1), time=0.5)
    assert samples_of([result(0, 0.1), given], Fraction(24000, 1001)).times.tolist() == [0.0, 0.5]
    assert samples_of([result(24, 0.1)], Fraction(24000, 1001)).times[0] == 1.001


def test_doubt_weighs_less():
    doubts = {name: Estimate(0.1, 0.1, SURE if name == "JawOpen" else 0.0) for name in CSV_ORDER}
    weights = samples_of([result(0, 0.1, confidence=0.8, estimates=doubts)], Fraction(30)).weights
    assert weights[0, CSV_ORDER.index("JawOpen")] == 0.4
    assert weights[0, CSV_ORDER.index("JawLeft")] == 0.8


def test_results_come_back_with_new_values_and_gaps_as_they_were():
    doubts = {name: Estimate(0.1, 0.1, 0.0) for name in CSV_ORDER}
    results = [result(0, 0.1, confidence=0.8, estimates=doubts), FrameResult(1, None, Status.NO_FACE)]
    samples = samples_of(results, Fraction(30))
    back = results_of(replace(samples, values=samples.values * 2), results)
    assert back[0].coefficients["EyeBlinkLeft"] == 0.2
    assert back[0].confidence == 0.8 and back[0].estimates is None
    assert back[1] == results[1]


def test_a_filled_gap_says_what_it_was_filled_with():
    results = [result(0, 0.1), FrameResult(1, None, Status.NO_FACE)]
    samples = samples_of(results, Fraction(30))
    filled = replace(samples, values=np.full((2, 61), 0.5), marks=np.array([0, Mark.HELD], np.int8))
    back = results_of(filled, results)[1]
    assert back.status is Status.OK and back.message == "held: no_face"
