"""Agreement with MediaPipe 1.2.2 on the sample clip, against its stored answers, and with the clip's exact truth.

`rom_head_mediapipe.npz` is made by `semanticface.bench.landmarks.write_reference` with a Python that has MediaPipe.
Thresholds lie above what was measured on real footage, and below what is reached without smoothing (video) or with
another way of sampling (stills), so that they test both.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semanticface.bench.agreement import compare, spread, track_of
from semanticface.bench.clips import open_clip, read_frames
from semanticface.engines.stretches import SPLIT_TOLERANCE, plan_stretches
from semanticface.exchange.livelink_csv import read_livelink_csv


@pytest.fixture(scope="module")
def reference():
    with np.load(Path(__file__).with_name("rom_head_mediapipe.npz")) as data:
        return dict(data)


def test_a_video_agrees_with_mediapipe(reference, whole):
    ours = track_of(whole)
    assert (ours.present == reference["present"]).all()
    scores = spread(ours.scores - reference["scores"])
    angles = spread(ours.angles - reference["angles"])
    assert scores["mean"] <= 0.001
    assert scores["p99"] <= 0.008
    assert scores["max"] <= 0.06
    assert angles["max"] <= 0.3


def test_without_smoothing_a_video_does_not_agree(reference, engine, head, run):
    """So the test above does test the filter."""
    ours = track_of(run(engine, head, smoothing=False))
    assert spread(ours.scores - reference["scores"][: len(head)])["mean"] > 0.001


def test_stills_agree_to_the_last_digits(reference, engine, clip, run):
    with open_clip(clip) as reader:
        ours = track_of(run(engine, read_frames(reader, reference["stills"].tolist()), video=False))
    assert ours.present.all()
    assert spread(ours.scores - reference["still_scores"])["max"] <= 0.003
    assert spread(ours.angles - reference["still_angles"])["max"] <= 0.03


@pytest.mark.parametrize("lanes", [2, 4])
def test_a_split_clip_gives_what_one_pass_gives(engine, clip, whole, run, lanes):
    stretches = plan_stretches(range(len(whole)), lanes, engine.traits.warmup, minimum=20)
    assert len(stretches) == lanes
    results = []
    with open_clip(clip) as reader:
        for stretch in stretches:
            found = run(engine, read_frames(reader, stretch.feed))
            results += [result for result in found if result.frame in stretch.frames]
    assert [result.frame for result in results] == [result.frame for result in whole]
    assert [result.faces for result in results] == [result.faces for result in whole]
    figures = compare(track_of(results), track_of(whole))
    assert figures["presence differs"] == 0
    assert figures["scores"]["mean"] <= 0.0002
    assert figures["scores"]["p99"] <= 0.003
    assert figures["scores"]["max"] <= SPLIT_TOLERANCE


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("HeadYaw", 0.95),
        ("HeadPitch", 0.9),
        ("HeadRoll", 0.95),
        ("LeftEyeYaw", 0.9),
        ("RightEyeYaw", 0.9),
        ("LeftEyePitch", 0.85),
        ("EyeBlinkLeft", 0.8),
        ("EyeBlinkRight", 0.8),
        ("JawLeft", 0.8),
        ("JawOpen", 0.8),
        ("MouthLeft", 0.9),
        ("MouthRight", 0.7),
        ("MouthSmileLeft", 0.9),
        ("BrowOuterUpRight", 0.8),
    ],
)
def test_movement_goes_with_the_clips_truth_in_side_and_sign(whole, samples, name, least):
    truth = _truth(samples / "rom_head.csv", name)
    ours = np.array([result.coefficients[name] for result in whole])
    assert np.corrcoef(ours, truth[: len(ours)])[0, 1] >= least


def test_the_heads_turn_is_right_in_size(whole, samples):
    for name in ("HeadYaw", "HeadRoll"):
        truth = _truth(samples / "rom_head.csv", name)
        ours = np.array([result.coefficients[name] for result in whole])
        slope = np.polyfit(truth, ours, 1)[0]
        assert 0.75 <= slope <= 1.25


def _truth(path: Path, name: str) -> np.ndarray:
    return np.array([row.coefficients[name] for row in read_livelink_csv(path).rows])
