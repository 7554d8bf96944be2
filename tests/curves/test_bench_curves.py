"""The figures that smoothing must reach on the Live Link recording, and that the bench says when they are missed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semanticface.bench import curves as bench
from semanticface.bench.curves_events import BLINKS, JAW_OPENINGS, PLOSIVES, look
from semanticface.bench.curves_filters import best_of_each
from semanticface.curves.recipe import STANDARD
from semanticface.curves.samples import Samples
from semanticface.curves.smoothing import smooth
from semanticface.errors import OptionsError
from semanticface.exchange.livelink_csv import write_livelink_csv
from semanticface.results import FrameResult, Status

DRAWS = (6, 7, 8)


@pytest.fixture(scope="module")
def spoilt(recording: Samples) -> list[Samples]:
    return [bench.spoilt(recording, seed) for seed in DRAWS]


@pytest.fixture(scope="module")
def smoothed(spoilt: list[Samples]) -> list[np.ndarray]:
    return [smooth(one, STANDARD.smoothing, None, True).values for one in spoilt]


def part(samples: Samples, rows: slice) -> Samples:
    return Samples(*(getattr(samples, name)[rows] for name in ("frames", "times", "values", "weights", "marks")))


def test_the_error_is_at_most_half_of_the_rounded_inputs(recording, spoilt, smoothed):
    for readings, curves in zip(spoilt, smoothed, strict=True):
        assert bench.error(curves, recording.values) <= 0.42 * bench.error(readings.values, recording.values)


def test_each_library_filter_at_its_best_setting_leaves_more_error(recording, spoilt):
    rows, columns = slice(1000, 1300), slice(None, None, 3)  # the bench takes all of it, which takes a minute
    readings, truth = part(spoilt[0], rows), recording.values[rows, columns]
    ours = bench.error(smooth(readings, STANDARD.smoothing, None, True).values[:, columns], truth)
    best = best_of_each(readings.values[:, columns], truth, rate=30.0)
    assert {"Savitzky-Golay", "median", "One-Euro"} <= set(best)
    assert ours < 0.95 * min(bench.error(one.values, truth) for one in best.values())


def test_blinks_keep_their_height_and_their_frame(recording, smoothed):
    seen = [look(BLINKS, recording.values, curves, 30.0) for curves in smoothed]
    assert len(seen[0].loss) == 60
    assert bench.blinks_stay(seen)
    assert max(one.shift.max() for one in seen) <= 1


def test_a_filter_that_cuts_blinks_would_be_caught(recording, spoilt):
    from scipy.signal import savgol_filter

    cut = [look(BLINKS, recording.values, savgol_filter(one.values, 9, 2, axis=0), 30.0) for one in spoilt]
    assert not bench.blinks_stay(cut)


def test_lips_and_jaw_move_on_time(recording, smoothed):
    for kind in (PLOSIVES, JAW_OPENINGS):
        seen = [look(kind, recording.values, curves, 30.0) for curves in smoothed]
        delays = np.concatenate([one.delay for one in seen])
        assert abs(np.nanmean(delays)) < 0.25
        assert np.median(np.concatenate([one.loss for one in seen])) < 0.05


@pytest.mark.parametrize("keep", [2, 1])
def test_other_frame_rates_are_smoothed_as_well(recording, keep):
    """Every second row is 15 frames a second; the rows as if they were 24 a second."""
    rows = part(recording, slice(0, 1600, keep))
    slow = Samples(rows.frames, rows.times if keep == 2 else rows.frames / 24.0, rows.values, rows.weights, rows.marks)
    readings = bench.spoilt(slow, 9)
    curves = smooth(readings, STANDARD.smoothing, None, True).values
    assert bench.error(curves, slow.values) < (0.65, 0.5)[keep == 1] * bench.error(readings.values, slow.values)


def test_a_clean_recording_stays_nearly_itself(recording):
    assert bench.error(smooth(recording, STANDARD.smoothing, None, True).values, recording.values) < 0.002


def test_the_bench_reports_every_figure_and_what_was_missed(recording, tmp_path: Path, monkeypatch):
    file = tmp_path / "short.csv"
    names = bench.CSV_ORDER
    rows = recording.values[2000:2100]
    write_livelink_csv(
        file,
        [FrameResult(n, n / 30, Status.OK, dict(zip(names, row, strict=True))) for n, row in enumerate(rows.tolist())],
    )
    monkeypatch.setattr(bench, "DRAWS", (1,))
    monkeypatch.setattr(bench, "ROUNDS", 1)
    monkeypatch.setattr(bench, "MOST_MS", 0.0)
    figures = bench.run(file)
    assert figures["frames"] == 100 and figures["frames a second"] == 30
    assert figures["error"]["share"] < 0.5
    assert figures["met"] is False and figures["targets"]["within 0 ms"] is False


def test_a_recording_that_is_too_short_is_refused(tmp_path: Path):
    file = tmp_path / "short.csv"
    face = dict.fromkeys(bench.CSV_ORDER, 0.0)
    write_livelink_csv(file, [FrameResult(0, 0.0, Status.OK, face)])
    with pytest.raises(OptionsError, match="1 frames"):
        bench.run(file)
