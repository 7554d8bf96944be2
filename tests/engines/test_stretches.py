"""Plans for several lanes: every wanted frame once, in order, warmed up, and hardly any work twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from semanticface.engines.stretches import Stretch, plan_stretches


def test_a_clip_is_cut_into_pieces_of_equal_work():
    first, second = plan_stretches(range(300), lanes=2, warmup=30, minimum=20)
    assert first == Stretch(tuple(range(165)), tuple(range(165)))
    assert second.frames == tuple(range(165, 300))
    assert second.warmup == tuple(range(135, 165))
    assert len(first.feed) == len(second.feed)


def test_a_short_clip_is_not_cut():
    assert len(plan_stretches(range(40), lanes=4, warmup=30, minimum=20)) == 1


def test_a_range_is_warmed_up_by_the_frames_before_it():
    (only,) = plan_stretches(range(100, 130), lanes=1, warmup=30, minimum=20)
    assert only.warmup == tuple(range(70, 100))
    (early,) = plan_stretches(range(10, 40), lanes=1, warmup=30, minimum=20)
    assert early.warmup == tuple(range(10))


def test_every_second_frame_is_tracked_at_its_own_rate():
    (only,) = plan_stretches(range(101, 161, 2), lanes=1, warmup=10, minimum=20)
    assert only.feed == tuple(range(81, 161, 2))
    assert only.frames == tuple(range(101, 161, 2))


def test_a_lone_pick_is_warmed_up_at_the_full_rate_wherever_the_others_lie():
    alone = plan_stretches([500], lanes=2, warmup=30, minimum=20)
    among = plan_stretches([10, 500, 900], lanes=2, warmup=30, minimum=20)
    assert alone == [Stretch(tuple(range(470, 501)), (500,))]
    assert alone[0] in among


def test_picks_nearer_than_a_warmup_are_passed_in_one_go():
    (only,) = plan_stretches([100, 110, 125], lanes=1, warmup=30, minimum=20)
    assert only.feed == tuple(range(70, 126))
    assert only.frames == (100, 110, 125)


def test_a_hole_in_a_run_is_tracked_through():
    wanted = [*range(50), *range(60, 90)]
    (only,) = plan_stretches(wanted, lanes=1, warmup=30, minimum=20)
    assert only.feed == tuple(range(90))
    assert only.frames == tuple(wanted)


def test_nothing_wanted_is_nothing_planned():
    assert plan_stretches([], lanes=2, warmup=30, minimum=20) == []


@given(
    st.sets(st.integers(0, 400), min_size=1, max_size=120),
    st.integers(1, 6),
    st.integers(0, 40),
    st.integers(1, 30),
)
def test_every_frame_is_kept_once_in_order_and_each_stretch_is_warm(frames, lanes, warmup, minimum):
    plan = plan_stretches(list(frames), lanes, warmup, minimum)
    assert [frame for stretch in plan for frame in stretch.frames] == sorted(frames)
    for stretch in plan:
        steps = {b - a for a, b in zip(stretch.feed, stretch.feed[1:], strict=False)}
        assert set(stretch.frames) <= set(stretch.feed)
        assert stretch.feed[-1] == stretch.frames[-1]
        assert len(steps) <= 1
        step = steps.pop() if steps else 1
        assert stretch.feed[0] >= 0
        assert len(stretch.warmup) == warmup or stretch.feed[0] < step
