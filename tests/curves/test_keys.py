"""A curve of keys: it goes through its keys, leaves them with their slopes, and is what a Bezier draws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from semanticface.curves.keys import KeyCurve, evaluate
from semanticface.curves.recipe import KeyKind


def curve(kind: KeyKind = KeyKind.BEZIER, keys: int = 3) -> KeyCurve:
    frames = np.array([2.0, 6.0, 7.5])[:keys]
    values = np.array([0.1, 0.9, 0.3])[:keys]
    left, right = np.array([0.0, 0.2, -0.1])[:keys], np.array([0.5, -0.3, 0.0])[:keys]
    return KeyCurve(kind, frames, values, left, right)


@pytest.mark.parametrize("kind", KeyKind)
def test_curve_goes_through_its_keys_and_stands_still_outside(kind: KeyKind) -> None:
    at = np.array([-5.0, 2.0, 6.0, 7.5, 100.0])
    assert evaluate(curve(kind), at) == pytest.approx([0.1, 0.1, 0.9, 0.3, 0.3])


def test_curve_leaves_and_reaches_keys_with_their_own_slopes() -> None:
    tiny = 1e-6
    shown = evaluate(curve(), np.array([2.0, 2.0 + tiny, 6.0 - tiny, 6.0, 6.0 + tiny]))
    assert np.diff(shown)[[0, 2, 3]] / tiny == pytest.approx([0.5, 0.2, -0.3], abs=1e-4)


def test_linear_curve_is_straight_between_keys() -> None:
    assert evaluate(curve(KeyKind.LINEAR), np.array([3.0, 4.0, 5.0])) == pytest.approx([0.3, 0.5, 0.7])


def test_cubic_is_the_bezier_with_handles_a_third_of_the_way() -> None:
    keys = curve()
    third = (keys.frames[1] - keys.frames[0]) / 3
    points = [keys.values[0], keys.values[0] + third * keys.right[0]]
    points += [keys.values[1] - third * keys.left[1], keys.values[1]]
    while len(points) > 1:  # de Casteljau, a quarter of the way
        points = [0.75 * one + 0.25 * other for one, other in pairwise(points)]
    assert evaluate(keys, np.array([3.0])) == pytest.approx(points)


def test_one_key_is_a_constant_and_none_is_no_value() -> None:
    assert evaluate(curve(keys=1), np.array([0.0, 50.0])) == pytest.approx([0.1, 0.1])
    assert np.isnan(evaluate(curve(keys=0), np.array([0.0, 50.0]))).all()
