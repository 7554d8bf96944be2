"""The smoothing filters that libraries offer, each at the setting that suits a recording best.

Their settings are sought on the very data on which they are judged, which is as well as they could do. Nothing here
knows of our own smoothing.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import OptionsError

Floats = NDArray[np.float64]

WINDOWS = range(3, 32, 2)
ORDERS = range(5)
CUTOFFS = (0.25, 0.5, 1.0, 2.0, 4.0)
BETAS = (0.0, 1.0, 2.0, 4.0, 8.0)
DERIVATIVE_CUTOFFS = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Best:
    """A filter at its best: its `setting` in words, and what it made of the readings, (F, C)."""

    setting: str
    values: Floats


def best_of_each(readings: Floats, truth: Floats, rate: float) -> Mapping[str, Best]:
    """The three filters by name. `readings`, `truth` (F, C); `rate` in frames a second.

    Raises OptionsError when scipy or OneEuroFilter, which only development needs, is not installed.
    """
    try:
        from OneEuroFilter import OneEuroFilter
        from scipy.ndimage import median_filter
        from scipy.signal import savgol_filter
    except ImportError as error:
        raise OptionsError(f"{error.name} is not installed", 'pip install "semanticface[dev]"') from error

    def one_euro(cutoff: float, beta: float, derivative: float, both_ways: bool) -> Floats:
        def forwards(values: Floats) -> Floats:
            columns = []
            for column in values.T.tolist():
                one = OneEuroFilter(rate, cutoff, beta, derivative)
                columns.append([one(value) for value in column])
            return np.array(columns).T

        once = forwards(readings)
        return forwards(once[::-1])[::-1] if both_ways else once

    def search(
        make: Callable[..., Floats], settings: Iterable[tuple[float, ...]], words: str
    ) -> tuple[Best, tuple[float, ...]]:
        made = ((float(np.mean((make(*setting) - truth) ** 2)), setting) for setting in settings)
        setting = min(made)[1]
        return Best(words.format(*setting), make(*setting)), setting

    savgol, _ = search(
        lambda window, order: savgol_filter(readings, window, order, axis=0),
        [(window, order) for window in WINDOWS for order in ORDERS if order < window],
        "window {} frames, order {}",
    )
    median, _ = search(lambda window: median_filter(readings, (window, 1)), [(w,) for w in WINDOWS], "window {} frames")
    words = "cutoff {:.2g} Hz, beta {:.2g}, derivative cutoff {:.2g} Hz"
    euro = {}
    for name, both_ways in (("One-Euro", False), ("One-Euro there and back", True)):
        make = functools.partial(one_euro, both_ways=both_ways)
        _, (cutoff, beta, _) = search(make, itertools.product(CUTOFFS, BETAS, (1.0,)), words)
        _, (_, _, derivative) = search(make, itertools.product((cutoff,), (beta,), DERIVATIVE_CUTOFFS), words)
        around = itertools.product((cutoff / 1.4, cutoff, cutoff * 1.4), (beta / 1.4, beta, beta * 1.4), (derivative,))
        euro[name], _ = search(make, around, words)
    return {"Savitzky-Golay": savgol, "median": median, **euro}
