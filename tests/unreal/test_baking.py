"""Takes become curves at whole frames: places, rates, frames without a result, recipes, fewer keys."""

from __future__ import annotations

import random
import subprocess
import sys
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
import semanticface_unreal
from asymmetric import ASYMMETRIC, asymmetric_take, expected_controls, expected_head
from made_takes import NO_FACE, jaws, result, take_of, vfr
from semanticface_unreal.baking import BakeOptions, bake, baking, options_of
from semanticface_unreal.batch.job import CurveNames, Job
from semanticface_unreal.curve_set import Curve, CurveSet, Unsolved

from semanticface.actions import CSV_ORDER
from semanticface.curves.recipe import GapPolicy, KeyKind, Recipe, Reduction, Tuning
from semanticface.errors import InputError, SemanticFaceError, TakeError
from semanticface.results import FrameResult, Status
from semanticface.retarget.metahuman import LIPS, metahuman_profile
from semanticface.retarget.profile import Link, Profile
from semanticface.take import Take, read_take

JAW = "CTRL_expressions_jawOpen"


def curve(curves: CurveSet, name: str = JAW) -> Curve:
    return next(curve for curve in curves.curves if curve.name == name)


def keys(curves: CurveSet, name: str = JAW) -> list[tuple[int, float]]:
    found = curve(curves, name)
    return list(zip(found.frames.tolist(), np.round(found.values, 9).tolist(), strict=True))


# What arrives


def test_an_asymmetric_take_from_disk_arrives_at_the_published_controls(tmp_path: Path) -> None:
    curves = bake(read_take(asymmetric_take(tmp_path / "take")), BakeOptions(head=True))
    expected = expected_controls() | expected_head()
    assert {curve.name: curve.values[0] for curve in curves.curves} == pytest.approx(expected)
    assert all(curve.frames.tolist() == [0, 1, 2] for curve in curves.curves)
    later = expected_controls({name: 0.8 * value for name, value in ASYMMETRIC.items()})
    assert {name: value for name, value in later.items() if name not in LIPS} == pytest.approx(
        {curve.name: curve.values[2] for curve in curves.curves if curve.name in later and curve.name not in LIPS}
    )


def test_arkit_names_carry_the_values_themselves(tmp_path: Path) -> None:
    take = read_take(asymmetric_take(tmp_path / "take"))
    everything = bake(take, BakeOptions(CurveNames.ARKIT, head=True))
    assert {curve.name: curve.values[0] for curve in everything.curves} == dict(ASYMMETRIC)
    assert len(bake(take, BakeOptions(CurveNames.ARKIT)).curves) == 52


def test_a_profile_names_its_own_curves(tmp_path: Path) -> None:
    profile = Profile("Rig", tuple(Link(action, f"rig_{action}", gain=0.5) for action in CSV_ORDER))
    take = read_take(asymmetric_take(tmp_path / "take"))
    curves = bake(take, BakeOptions(CurveNames.PROFILE, profile))
    assert {curve.name: curve.values[0] for curve in curves.curves} == pytest.approx(
        {f"rig_{action}": 0.5 * value for action, value in ASYMMETRIC.items()}
    )


def test_a_profile_that_moves_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="no links"):
        bake(jaws(0.5), BakeOptions(CurveNames.PROFILE, Profile("empty")))


def test_the_heads_factor_is_the_users() -> None:
    take = take_of(result(0, 0.0, HeadYaw=0.2))
    curves = bake(take, BakeOptions(head=True, head_factor=50.0))
    assert keys(curves, "HeadRoll") == [(0, 10.0)] and keys(curves, "HeadControlSwitch") == [(0, 1.0)]


def test_what_a_curve_cannot_hold_is_refused_and_not_left_out() -> None:
    take = take_of(result(0, 0.5, HeadYaw=0.2))
    with pytest.raises(InputError, match="head factor of nan"):
        bake(take, BakeOptions(head=True, head_factor=float("nan")))
    with pytest.raises(InputError, match="curve jaw leaves all bounds"):
        bake(take, BakeOptions(CurveNames.PROFILE, Profile("", (Link("JawOpen", "jaw", gain=1e39),))))


def test_the_recipe_works_on_the_actions_before_they_are_named() -> None:
    recipe = Recipe(gain=0.5, tunings={"JawOpen": Tuning(offset=0.1)})
    assert keys(bake(jaws(0.4, 0.8), BakeOptions(recipe=recipe))) == [(0, 0.3), (1, 0.5)]


def test_the_take_stays_as_it_is() -> None:
    take = jaws(0.4, 0.8, NO_FACE)
    before = [row.to_dict() for row in take.results]
    bake(take, BakeOptions(recipe=Recipe(gain=0.5), unsolved=Unsolved.HOLD))
    assert [row.to_dict() for row in take.results] == before


# Where it stands in the sequence


def test_the_first_frame_that_was_asked_for_is_frame_0_of_the_sequence() -> None:
    take = take_of(*(result(frame, frame / 100) for frame in (40, 42, 44)), rate=Fraction(30000, 1001))
    curves = bake(take, BakeOptions())
    assert (curves.first, curves.length, curves.rate) == (40, 4, Fraction(30000, 1001))
    assert keys(curves) == [(0, 0.4), (2, 0.42), (4, 0.44)]


def test_a_job_may_take_some_of_the_frames() -> None:
    take = take_of(*(result(frame, frame / 100) for frame in range(20)), source={"frame_count": 20})
    curves = bake(take, BakeOptions(frames="4-8:2, 15-"))
    assert [frame for frame, _ in keys(curves)] == [0, 2, 4, 11, 12, 13, 14, 15]
    assert (curves.first, curves.length) == (4, 15)
    with pytest.raises(InputError, match="frames 0 to 19"):
        bake(take, BakeOptions(frames="20"))


def test_a_single_frame_makes_a_sequence_of_length_1() -> None:
    curves = bake(take_of(result(7, 0.5)), BakeOptions())
    assert (curves.length, keys(curves)) == (1, [(0, 0.5)])


def test_footage_without_a_rate_needs_the_jobs() -> None:
    still = take_of(result(0, 0.5), rate=None)
    with pytest.raises(InputError, match="frame rate") as refused:
        bake(still, BakeOptions())
    assert "`rate`" in refused.value.hint
    assert bake(still, BakeOptions(rate=Fraction(25))).rate == 25


@pytest.mark.parametrize("rate", [Fraction(0), Fraction(-24), Fraction(2**40, 2**35 + 1)])
def test_rates_that_no_sequence_can_have_are_refused(rate: Fraction) -> None:
    with pytest.raises(InputError, match="rate"):
        bake(take_of(result(0, 0.5), rate=rate), BakeOptions())


def test_an_assumed_rate_is_told() -> None:
    told = bake(take_of(result(0, 0.5), source={"rate_assumed": True}), BakeOptions())
    assert "assumed" in told.remarks[0] and "`rate`" in told.remarks[0]


def test_variable_rates_go_by_time_to_whole_frames_of_the_mean_rate() -> None:
    """29.85 frames a second on average: a frame was dropped after the second one."""
    curves = bake(vfr(*(result(n, n / 10, t) for n, t in enumerate((0.0, 0.034, 0.1, 0.1333)))), BakeOptions())
    assert curves.rate == 30 and keys(curves) == [(0, 0.0), (1, 0.1), (3, 0.2), (4, 0.3)]
    assert "29.85 on average" in curves.remarks[0] and "nearest of 30" in curves.remarks[0]


def test_of_two_on_one_frame_the_later_stands_and_it_is_told() -> None:
    curves = bake(
        vfr(result(0, 0.1, 0.0), result(1, 0.2, 0.033), result(2, 0.3, 0.040), rate=Fraction(30)), BakeOptions()
    )
    assert keys(curves) == [(0, 0.1), (1, 0.3)]
    assert any(remark.startswith("1 frame gave way") for remark in curves.remarks)


def test_a_frame_without_a_face_gives_way_to_one_with() -> None:
    take = vfr(result(0, 0.1, 0.0), result(1, 0.2, 0.033), result(2, NO_FACE, 0.040), rate=Fraction(30))
    for policy in Unsolved:
        assert keys(bake(take, BakeOptions(unsolved=policy))) == [(0, 0.1), (1, 0.2)]


def test_times_that_are_not_known_lie_between_their_neighbours_or_go_on_at_the_mean_rate() -> None:
    times = (None, 1.0, None, 1.2, None)
    curves = bake(vfr(*(result(n, n / 10, t) for n, t in enumerate(times)), rate=Fraction(30)), BakeOptions())
    assert [frame for frame, _ in keys(curves)] == [0, 1, 4, 7, 8]


def test_times_that_run_backwards_are_refused() -> None:
    with pytest.raises(InputError, match="frame 2 is shown before"):
        bake(vfr(result(0, 0.1, 0.0), result(1, 0.2, 0.1), result(2, 0.3, 0.05)), BakeOptions())


def test_a_rate_of_the_job_counts_frames_one_by_one() -> None:
    take = vfr(result(0, 0.1, 0.0), result(1, 0.2, 0.1), result(2, 0.3, 0.5))
    curves = bake(take, BakeOptions(rate=Fraction(24)))
    assert curves.rate == 24 and [frame for frame, _ in keys(curves)] == [0, 1, 2]


def test_sequences_without_an_end_are_refused() -> None:
    with pytest.raises(InputError, match="too long"):
        bake(take_of(result(0, 0.1), result(2_000_000_000, 0.2)), BakeOptions())
    with pytest.raises(InputError, match="too long"):
        bake(vfr(result(0, 0.1, 0.0), result(1, 0.2, 1e15)), BakeOptions())


def test_a_damaged_header_is_refused() -> None:
    for runs in (((0, 10, 0),), ((-3, 10, 1),), ((10, 0, 1),)):
        with pytest.raises(TakeError, match=r"shot\.take"):
            bake(take_of(result(0, 0.5), runs=runs), BakeOptions())
    with pytest.raises(SemanticFaceError, match="at most"):
        bake(take_of(result(0, 0.5), runs=((0, 10**12, 1),)), BakeOptions())


# Frames without a result

GAPPED = (NO_FACE, 0.2, NO_FACE, NO_FACE, 0.6, NO_FACE)


def test_omitted_frames_have_no_keys() -> None:
    curves = bake(jaws(*GAPPED), BakeOptions(unsolved=Unsolved.OMIT))
    assert keys(curves) == [(1, 0.2), (4, 0.6)]
    assert (curves.unsolved, curves.policy, curves.length) == ((0, 2, 3, 5), Unsolved.OMIT, 5)


def test_held_frames_have_the_values_before_and_at_the_start_those_after() -> None:
    curves = bake(jaws(*GAPPED), BakeOptions(unsolved=Unsolved.HOLD))
    assert keys(curves) == [(0, 0.2), (1, 0.2), (2, 0.2), (3, 0.2), (4, 0.6), (5, 0.6)]
    assert curves.unsolved == (0, 2, 3, 5)


def test_neutral_frames_are_a_face_at_rest_as_its_names_show_it() -> None:
    take = jaws(*GAPPED)
    curves = bake(take, BakeOptions(unsolved=Unsolved.NEUTRAL, head=True))
    assert keys(curves) == [(0, 0.0), (1, 0.2), (2, 0.0), (3, 0.0), (4, 0.6), (5, 0.0)]
    assert {value for _, value in keys(curves, "HeadControlSwitch")} == {1.0}
    profile = Profile("", (Link("JawOpen", "jaw", offset=0.1),))
    rested = bake(take, BakeOptions(CurveNames.PROFILE, profile, unsolved=Unsolved.NEUTRAL))
    assert keys(rested, "jaw")[0] == (0, 0.1)


@pytest.mark.parametrize(
    ("policy", "told"),
    [(Unsolved.OMIT, "no keys"), (Unsolved.HOLD, "held"), (Unsolved.NEUTRAL, "at rest")],
)
def test_it_is_told_what_became_of_them_and_why(policy: Unsolved, told: str) -> None:
    curves = bake(jaws(*GAPPED), BakeOptions(unsolved=policy))
    (remark,) = curves.remarks
    assert remark.startswith("4 frames have no result (4 no face), ") and remark.endswith(": 0, 2-3, 5")
    assert told in remark


def test_the_recipes_own_policy_comes_first() -> None:
    recipe = Recipe(gaps=GapPolicy.INTERPOLATE)
    curves = bake(jaws(*GAPPED), BakeOptions(recipe=recipe, unsolved=Unsolved.NEUTRAL))
    assert keys(curves)[1:5] == [(1, 0.2), (2, pytest.approx(1 / 3)), (3, pytest.approx(1.4 / 3)), (4, 0.6)]
    assert curves.unsolved == (0, 5)
    assert "2 frames without a result were interpolated by the recipe: 2-3" in curves.remarks


def test_frames_that_were_asked_for_and_never_analyzed_are_unsolved() -> None:
    take = take_of(result(0, 0.1), result(3, 0.4), runs=((0, 5, 1),))
    curves = bake(take, BakeOptions(unsolved=Unsolved.HOLD))
    assert (curves.unsolved, curves.length) == ((1, 2, 4, 5), 5)
    assert "4 not analyzed" in curves.remarks[0]


def test_a_take_without_any_face_is_no_animation() -> None:
    take = take_of(result(0, NO_FACE), FrameResult(1, None, Status.UNREADABLE, message="broken"))
    for policy in Unsolved:
        with pytest.raises(InputError, match=r"none of the 2 frames of shot\.take .* \(1 no face, 1 unreadable\)"):
            bake(take, BakeOptions(unsolved=policy))
    with pytest.raises(InputError, match="no frames"):
        bake(take_of(), BakeOptions())


def test_damaged_lines_are_told() -> None:
    take = jaws(0.1, 0.2)
    damaged = Take(take.path, take.header, take.results, (2, 5))
    assert "2 lines of the take can't be read" in bake(damaged, BakeOptions()).remarks[0]


# Fewer keys


def moving(count: int = 240) -> Take:
    """A jaw, a smile and a head that move, and a stretch without a face."""
    at = np.arange(count)
    jaw = (0.5 - 0.5 * np.cos(at / 9.0)).tolist()
    smile, yaw = (0.5 + 0.4 * np.sin(at / 23.0)).tolist(), (0.4 * np.sin(at / 31.0)).tolist()
    rows = [
        result(frame, jaw[frame], MouthSmileLeft=smile[frame], HeadYaw=yaw[frame])
        if not 100 <= frame < 110
        else result(frame, NO_FACE)
        for frame in range(count)
    ]
    return take_of(*rows)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_fewer_keys_stay_within_the_tolerance_on_straight_lines(kind: KeyKind) -> None:
    take, tolerance = moving(), 0.02
    dense = bake(take, BakeOptions(head=True))
    few = bake(take, BakeOptions(head=True, recipe=Recipe(reduction=Reduction(tolerance, kind))))
    assert few.keys < dense.keys / 4
    for before, after in zip(dense.curves, few.curves, strict=True):
        unit = np.degrees(1.0) if before.name in ("HeadRoll", "HeadPitch", "HeadYaw") else 1.0
        drawn = np.interp(before.frames, after.frames, after.values)
        assert np.abs(drawn - before.values).max() <= tolerance * unit, before.name
        assert {99, 110} <= set(after.frames.tolist())
    assert any("straight lines" in remark for remark in few.remarks) == (kind is KeyKind.BEZIER)


def test_a_heads_tolerance_is_in_radians_and_not_in_degrees() -> None:
    recipe = Recipe(reduction=Reduction(0.02, KeyKind.LINEAR))
    head = bake(moving(), BakeOptions(head=True, recipe=recipe))
    radians = bake(moving(), BakeOptions(CurveNames.ARKIT, head=True, recipe=recipe))
    assert curve(head, "HeadRoll").frames.tolist() == curve(radians, "HeadYaw").frames.tolist()


def test_curves_that_stay_at_zero_can_be_left_out() -> None:
    curves = bake(moving(), BakeOptions(head=True, recipe=Recipe(prune=True)))
    assert {curve.name for curve in curves.curves} == {
        JAW, "CTRL_expressions_mouthCornerPullL", "HeadRoll", "HeadControlSwitch"
    }  # fmt: skip
    assert "80 curves that stay at zero were left out" in curves.remarks
    still = take_of(result(0, 0.0), result(1, 0.0, HeadYaw=0.008))  # 0.46 degrees
    recipe = Recipe(prune=True, reduction=Reduction(0.01, KeyKind.LINEAR))
    assert [curve.name for curve in bake(still, BakeOptions(head=True, recipe=recipe)).curves] == ["HeadControlSwitch"]


# Work in steps, jobs, and what is loaded


def test_work_in_steps_gives_what_the_whole_gives() -> None:
    take, options = moving(1000), BakeOptions(recipe=Recipe(smoothing=0.5, reduction=Reduction(0.01)))
    work, steps = baking(take, options), 0
    while True:
        try:
            next(work)
        except StopIteration as end:
            stepped = end.value
            break
        steps += 1
    whole = bake(take, options)
    assert steps > len(take.results) / 200
    for one, other in zip(stepped.curves, whole.curves, strict=True):
        assert one.name == other.name and np.array_equal(one.frames, other.frames)
        assert np.array_equal(one.values, other.values)


def test_a_jobs_recipe_and_profile_are_read_and_refused_as_their_own_readers_do() -> None:
    recipe, profile = Recipe(gain=0.5), metahuman_profile()
    job = Job(
        "a", "shot.mov", rate=Fraction(24), frames="0-9", names=CurveNames.PROFILE, profile=profile.to_dict(),
        recipe=recipe.to_dict(), head=True, head_factor=50.0, unsolved=Unsolved.HOLD,
    )  # fmt: skip
    assert options_of(job) == BakeOptions(
        CurveNames.PROFILE, profile, recipe, True, 50.0, Unsolved.HOLD, Fraction(24), "0-9"
    )
    assert options_of(Job("a", "shot.mov")) == BakeOptions()
    with pytest.raises(InputError, match="gian"):
        options_of(Job("a", "shot.mov", recipe=recipe.to_dict() | {"gian": 2}))
    with pytest.raises(InputError, match="profile"):
        options_of(Job("a", "shot.mov", profile={"format": "x"}))
    with pytest.raises(InputError, match="`profile`"):
        options_of(Job("a", "shot.mov", names=CurveNames.PROFILE))


def test_whatever_a_take_holds_its_curves_are_such_as_unreal_survives() -> None:
    """CurveSet refuses others: keys twice, outside, out of order, or not finite."""
    rng = random.Random(11)
    for _ in range(60):
        count, step = rng.randint(1, 30), rng.randint(1, 3)
        faces = [rng.random() < 0.7 for _ in range(count)]
        faces[rng.randrange(count)] = True
        times = [0.0, *accumulate(rng.expovariate(30.0) for _ in range(count - 1))]
        rows = [
            result(5 + step * n, rng.random() if faces[n] else NO_FACE, times[n] if rng.random() < 0.9 else None)
            for n in range(count)
        ]
        reduction = Reduction(0.05, KeyKind.LINEAR) if rng.random() < 0.5 else None
        recipe = Recipe(gaps=rng.choice(list(GapPolicy)), smoothing=rng.choice([0.0, 0.5]), reduction=reduction)
        names, policy = rng.choice([CurveNames.METAHUMAN, CurveNames.ARKIT]), rng.choice(list(Unsolved))
        take = take_of(*rows, source={"variable_rate": rng.random() < 0.5})
        curves = bake(take, BakeOptions(names, recipe=recipe, unsolved=policy))
        assert curves.first == 5 and curves.length >= 1
        assert all(len(curve.frames) for curve in curves.curves)


def test_the_curves_load_no_unreal_no_sockets_and_nothing_heavy() -> None:
    script = (
        "import sys, semanticface_unreal.baking\n"
        "print(sorted({'unreal', 'zmq', 'cv2', 'av', 'scipy', 'typer', 'PIL'} & set(sys.modules)))"
    )
    plugin = Path(semanticface_unreal.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(plugin)}
    )
    assert done.stdout.strip() == "[]"
