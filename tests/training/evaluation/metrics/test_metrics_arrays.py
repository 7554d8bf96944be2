"""What may be compared, and what a refusal says."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface.errors import InputError
from semanticface_training.evaluation.metrics.arrays import as_written, checked
from semanticface_training.evaluation.metrics.errors import mse_summary

NAMES = ("JawOpen", "MouthSmileLeft")
GOOD = [[0.0, 0.1], [0.2, 0.3], [0.4, 0.5]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("side", [0, 1])
def test_a_value_that_is_no_number_is_named_by_row_and_column(bad: float, side: int) -> None:
    sides = [np.array(GOOD), np.array(GOOD)]
    sides[side][2, 1] = bad
    with pytest.raises(InputError, match=rf"{('truth', 'predicted')[side]}: row 2, MouthSmileLeft .*1 of 3 rows"):
        mse_summary(*sides, NAMES)


@pytest.mark.parametrize(
    ("truth", "predicted", "names", "says"),
    [
        (GOOD, GOOD[:2], NAMES, "truth has 3 rows and predicted 2"),
        (GOOD, [[0.1]] * 3, NAMES, r"predicted has the shape \(3, 1\)"),
        (GOOD[0], GOOD[0], NAMES, r"truth has the shape \(2,\)"),
        (np.empty((0, 2)), np.empty((0, 2)), NAMES, "truth has no rows"),
        (GOOD, GOOD, ("JawOpen", "JawOpen"), "more than once: JawOpen"),
        (GOOD, GOOD, ("JawOpen", "jawopen"), "not a facial action: 'jawopen'"),
        (GOOD, GOOD, (), "no actions are named"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    truth: list, predicted: list, names: tuple[str, ...], says: str
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        checked(truth, predicted, names)
    assert caught.value.hint


def test_columns_are_chosen_by_name_and_a_missing_one_is_named() -> None:
    pair = checked(GOOD, GOOD, NAMES)
    assert pair.columns(["MouthSmileLeft", "JawOpen"]).truth.tolist() == [[0.1, 0.0], [0.3, 0.2], [0.5, 0.4]]
    with pytest.raises(InputError, match="no column TongueOut"):
        pair.columns(["JawOpen", "TongueOut"])


def test_rounding_as_a_text_does_leaves_no_negative_zero() -> None:
    assert as_written([[-0.04, 0.25, 0.151]], 1).tolist() == [[0.0, 0.2, 0.2]]
    assert str(as_written([[-0.04]], 1)[0, 0]) == "0.0"
