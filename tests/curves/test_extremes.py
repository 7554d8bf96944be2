"""The frames that matter: which they are on motion that is known exactly, and what they restore of a real recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.curves.extremes import frames_that_matter
from semanticface.curves.samples import Samples, samples_of
from semanticface.errors import InputError
from semanticface.exchange.livelink_csv import read_livelink_csv
from semanticface.results import FrameResult, Status

REST = dict.fromkeys(CSV_ORDER, 0.0)


def result(frame: int, rate: float, values: Mapping[str, float] | None) -> FrameResult:
    if values is None:
        return FrameResult(frame, frame / rate, Status.NO_FACE)
    return FrameResult(frame, frame / rate, Status.OK, REST | values)


def samples(rate: int = 30, gaps: Sequence[int] = (), step: int = 1, **lines: NDArray[np.float64]) -> Samples:
    """Samples in which the named actions follow these lines; all others rest."""
    count = len(next(iter(lines.values())))
    rows = [{name: float(line[row]) for name, line in lines.items()} for row in range(count)]
    results = [result(row * step, rate, None if row in gaps else rows[row]) for row in range(count)]
    return samples_of(results, Fraction(rate))


def wave(count: int, period: float, size: float = 0.6) -> NDArray[np.float64]:
    return size * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(count) / period))


def recording(shared: Path, rate: int) -> Samples:
    """The development recording, 30 frames a second, as footage of a lower rate would see it."""
    rows = read_livelink_csv(shared / "data" / "livelink" / "alex_rom_3.csv").rows
    taken = [rows[round(k * 30 / rate)] for k in range(len(rows) * rate // 30)]
    return samples_of([result(k, rate, row.coefficients) for k, row in enumerate(taken)], Fraction(rate))


def between(values: NDArray[np.float64], keys: NDArray[np.int64]) -> NDArray[np.float64]:
    """(F, 61): straight lines through the keys."""
    at = np.arange(len(values))
    return np.stack([np.interp(at, keys, values[keys, column]) for column in range(values.shape[1])], axis=1)


def rms(error: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(error**2)))


def evenly(count: int, keys: int) -> NDArray[np.int64]:
    return np.unique(np.round(np.linspace(0, count - 1, keys)).astype(np.int64))


def near(keys: NDArray[np.int64], frame: int) -> int:
    return int(np.abs(keys - frame).min())


def test_keys_stand_on_the_turns_of_a_swinging_jaw() -> None:
    keys = frames_that_matter(samples(JawOpen=wave(121, 40)))
    for turn in (0, 20, 40, 60, 80, 100, 120):
        assert near(keys, turn) == 0, turn
    assert len(keys) <= 7 + 12, "between two turns of an S no more than the two ends of its slope"


def test_a_hold_begins_and_ends_with_a_key_and_has_none_in_between() -> None:
    line = np.concatenate((np.zeros(30), np.linspace(0, 0.8, 11), np.full(400, 0.8), np.linspace(0.8, 0, 11)))
    keys = frames_that_matter(samples(MouthSmileLeft=line, MouthSmileRight=line))
    for corner in (0, 30, 40, 441, 451):
        assert near(keys, corner) <= 1, corner
    assert not np.any((keys > 45) & (keys < 436))


def test_noise_is_no_motion() -> None:
    noise = np.random.default_rng(7)
    lines = {name: 0.3 + noise.normal(0, 0.02, 300) for name in CSV_ORDER[:52]}
    assert frames_that_matter(samples(**lines)).tolist() == [0, 299]
    lines["JawOpen"] = lines["JawOpen"] + wave(300, 100)
    keys = frames_that_matter(samples(**lines))
    assert all(near(keys, turn) <= 6 for turn in (50, 100, 150, 200, 250)), "there it is within 0.02 of its extreme"
    assert len(keys) <= 9


@pytest.mark.parametrize("sensitivity", [0.0, 0.5, 1.0])
def test_each_blink_is_a_key_at_any_sensitivity(sensitivity: float) -> None:
    peaks, at = (25, 61, 66, 140), np.arange(180)
    lids = sum(0.9 * np.exp(-0.5 * ((at - peak) / 1.2) ** 2) for peak in peaks)
    keys = frames_that_matter(samples(EyeBlinkLeft=lids, EyeBlinkRight=lids, HeadYaw=wave(180, 90)), None, sensitivity)
    assert [near(keys, peak) for peak in peaks] == [0] * len(peaks)


def test_more_sensitivity_finds_smaller_moves() -> None:
    line = wave(240, 60, 0.6) + wave(240, 15, 0.05)
    counts = [len(frames_that_matter(samples(BrowInnerUp=line), None, value)) for value in (0.0, 0.5, 1.0)]
    assert counts[0] < counts[1] < counts[2]


def test_frames_at_a_gaps_edges_are_keys_and_those_in_it_are_not() -> None:
    keys = frames_that_matter(samples(gaps=[*range(33, 52), 80], JawOpen=wave(120, 60)))
    assert {0, 32, 52, 79, 81, 119} <= set(keys.tolist())
    assert not set(keys.tolist()) & {*range(33, 52), 80}
    assert frames_that_matter(samples(gaps=[0, 1, 59], JawOpen=np.zeros(60))).tolist() == [2, 58]


def test_source_frames_come_back_and_not_places_in_a_list() -> None:
    assert set(frames_that_matter(samples(step=3, JawOpen=wave(81, 40))).tolist()) >= {0, 60, 120, 180, 240}


@pytest.mark.parametrize("most", [2, 3, 7, 20])
def test_never_more_than_asked_for_and_the_best_of_that_number(most: int) -> None:
    swing = samples(gaps=(70, 71), JawOpen=wave(301, 50), EyeBlinkLeft=wave(301, 20))
    keys = frames_that_matter(swing, most)
    assert 2 <= len(keys) <= most
    assert {0, 300} <= set(keys.tolist())
    if most == 7:
        only = frames_that_matter(samples(JawOpen=wave(301, 100)), most)
        assert [near(only, turn) for turn in (0, 50, 100, 150, 200, 250, 300)] == [0] * 7


def test_what_is_not_there_has_no_frames_that_matter() -> None:
    assert len(frames_that_matter(samples(gaps=range(5), JawOpen=np.zeros(5)))) == 0
    assert len(frames_that_matter(samples_of([], Fraction(30)))) == 0
    assert frames_that_matter(samples(JawOpen=np.zeros(1))).tolist() == [0]
    assert frames_that_matter(samples(JawOpen=np.zeros(2))).tolist() == [0, 1]


def test_what_can_not_be_meant_is_refused() -> None:
    line = samples(JawOpen=np.zeros(9))
    for most, sensitivity in ((1, 0.5), (-3, 0.5), (None, 1.5), (None, float("nan"))):
        with pytest.raises(InputError):
            frames_that_matter(line, most, sensitivity)


def test_samples_stay_as_they_are() -> None:
    swing = samples(gaps=(9,), JawOpen=wave(60, 20))
    before = swing.values.copy()
    frames_that_matter(swing)
    assert np.array_equal(swing.values, before, equal_nan=True)


@pytest.mark.parametrize("rate", [15, 24, 30])
def test_blinks_of_the_recording_are_keys(shared: Path, rate: int) -> None:
    signal = pytest.importorskip("scipy.signal")
    takes = recording(shared, rate)
    keys = frames_that_matter(takes)
    for name in ("EyeBlinkLeft", "EyeBlinkRight"):
        peaks, _ = signal.find_peaks(takes.column(name), prominence=0.3, width=(None, 0.4 * rate))
        assert len(peaks) >= 20
        assert max(near(keys, int(peak)) for peak in peaks) <= 1, name


@pytest.mark.parametrize("rate", [15, 24, 30])
def test_they_restore_the_recording_far_better_than_keys_at_even_distances(shared: Path, rate: int) -> None:
    interpolate = pytest.importorskip("scipy.interpolate")
    takes = recording(shared, rate)
    values, count = takes.values, len(takes.frames)
    keys = frames_that_matter(takes)
    even = evenly(count, len(keys))
    assert len(keys) <= 0.28 * count
    straight = rms(between(values, keys) - values)
    assert rms(between(values, even) - values) >= 1.9 * straight
    twice = evenly(count, 2 * len(keys))
    assert rms(between(values, twice) - values) >= straight, "even twice as many keys at even distances are worse"
    at = np.arange(count)
    cubic = [rms(interpolate.PchipInterpolator(some, values[some])(at) - values) for some in (keys, even)]
    assert cubic[1] >= 1.9 * cubic[0]
