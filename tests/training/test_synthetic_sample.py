"""The shipped sample: clip and truth belong together, and the truth is what the module says."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface.exchange.livelink_csv import read_livelink_csv
from semanticface_training.synthetic.ict import gaze_from_shapes
from semanticface_training.synthetic.motion import (
    CROSSFADE,
    HEAD_LIMITS,
    head_motion,
    joined,
    read_recording,
    sample_truth,
)

ROOT = Path(__file__).parents[2]
CLIP, TRUTH = ROOT / "samples" / "rom_head.mp4", ROOT / "samples" / "rom_head.csv"
RECORDING = ROOT.parent / "shared" / "data" / "livelink" / "alex_rom_3.csv"


@pytest.fixture(scope="module")
def recording():
    if not RECORDING.exists():
        pytest.skip(f"no recording at {RECORDING}")
    return read_recording(RECORDING)


@pytest.fixture(scope="module")
def truth():
    return [row.coefficients for row in read_livelink_csv(TRUTH).rows]


def column(truth, name):
    return np.array([row[name] for row in truth])


def test_clip_and_truth_have_the_same_frames_at_the_same_times(truth):
    with av.open(str(CLIP)) as container:
        stream = container.streams.video[0]
        times = [float(frame.time) for frame in container.decode(stream)]
        assert stream.average_rate == 30
    assert len(times) == len(truth)
    assert 6 <= len(times) / 30 <= 10
    assert np.allclose(times, read_livelink_csv(TRUTH).elapsed(), atol=1e-4)


def test_clip_is_small_and_says_how_its_colours_are_meant():
    assert CLIP.stat().st_size < 1_000_000
    with av.open(str(CLIP)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)


def test_truth_is_in_range_and_covers_the_face(truth):
    for name in SHAPES:
        assert column(truth, name).min() >= 0
        assert column(truth, name).max() <= 1
    lively = "EyeBlinkLeft BrowInnerUp EyeLookOutLeft EyeLookOutRight MouthSmileLeft JawOpen MouthLeft MouthRight"
    for name in lively.split():
        assert np.ptp(column(truth, name)) > 0.4, name
    assert not column(truth, "TongueOut").any()


def test_head_really_turns_within_its_limits(truth):
    for name, limit in HEAD_LIMITS.items():
        assert np.degrees(np.abs(column(truth, name)).max()) == pytest.approx(limit, abs=0.01)
        assert truth[0][name] == 0


def test_gaze_in_the_truth_agrees_with_its_look_shapes(truth):
    for row in truth:
        for name, value in gaze_from_shapes(row).items():
            assert row[name] == pytest.approx(value, abs=1e-9)


def test_truth_has_frames_whose_sides_differ(truth):
    left, right = column(truth, "MouthLeft"), column(truth, "MouthRight")
    assert (left - right).max() > 0.5
    assert (right - left).max() > 0.3


def test_shipped_truth_is_what_the_recording_gives(recording, truth):
    made = sample_truth(recording, 30)
    assert len(made) == len(truth)
    difference = [abs(made[k][name] - truth[k][name]) for k in range(len(made)) for name in CSV_ORDER]
    assert max(difference) < 1e-9


def test_stretches_melt_into_each_other(recording):
    two = joined(recording, ((100, 130), (2000, 2030)))
    assert len(two) == 60 - CROSSFADE
    assert np.array_equal(two[: 30 - CROSSFADE], recording[100 : 130 - CROSSFADE])
    assert np.array_equal(two[30:], recording[2000 + CROSSFADE : 2030])


def test_head_motion_is_seeded_and_smooth():
    assert np.array_equal(head_motion(120, 30, seed=1), head_motion(120, 30, seed=1))
    assert not np.array_equal(head_motion(120, 30, seed=1), head_motion(120, 30, seed=2))
    steps = np.degrees(np.abs(np.diff(head_motion(282, 30), axis=0)))
    assert steps.max() < 2.5
