"""What a synthetic set shows: exact labels, people in one split only, and pictures that don't depend on the set."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import islice

import numpy as np
import pytest

from semanticface.actions import BY_NAME, CSV_ORDER
from semanticface.errors import ExchangeError, OptionsError
from semanticface.exchange.livelink_csv import write_livelink_csv
from semanticface.results import FrameResult, Status
from semanticface_training.synthetic.expressions import AT, as_mapping, mirrored, read_pools, settled, sparse
from semanticface_training.synthetic.ict import EYE_RADIANS_PER_UNIT
from semanticface_training.synthetic.plan import Kind, Material, SetOptions, picture, slots
from semanticface_training.synthetic.variation import Prop

NOTHING = np.zeros((0, 61))
SPARSE = Material(NOTHING, NOTHING, 100, frozenset({"TongueOut"}))
OPTIONS = SetOptions(train=60, val=20, test=20, per_identity=5, sweeps=1, levels=5, mirror_pairs=6, seed=3)


@pytest.fixture(scope="module")
def pictures():
    return [picture(OPTIONS, SPARSE, slot) for slot in slots(OPTIONS, SPARSE.missing)]


def recording(path, rows):
    write_livelink_csv(
        path,
        [
            FrameResult(frame=k, time=k / 60, status=Status.OK, coefficients=dict.fromkeys(CSV_ORDER, 0.0) | row)
            for k, row in enumerate(rows)
        ],
    )
    return path


def test_eye_rotations_state_the_same_angle_as_the_eyelook_shapes(pictures):
    seen = 0
    for shown in pictures:
        value = as_mapping(shown.values)
        for side, out_is in (("Left", -1), ("Right", 1)):  # +yaw is to the subject's right
            out = value[f"EyeLookOut{side}"] - value[f"EyeLookIn{side}"]
            down = value[f"EyeLookDown{side}"] - value[f"EyeLookUp{side}"]
            assert value[f"{side}EyeYaw"] == pytest.approx(out_is * EYE_RADIANS_PER_UNIT * out, abs=1e-6)
            assert value[f"{side}EyePitch"] == pytest.approx(EYE_RADIANS_PER_UNIT * down, abs=1e-6)
            assert value[f"{side}EyeRoll"] == 0.0
            seen += out != 0
    assert seen > 30


def test_labels_stay_in_range_and_never_hold_opposites(pictures):
    for shown in pictures:
        value = as_mapping(shown.values)
        assert shown.values.dtype == np.float32
        assert shown.values[:52].min() >= 0 and shown.values[:52].max() <= 1
        assert value["TongueOut"] == 0.0  # the head has no such shape
        assert value["MouthClose"] <= value["JawOpen"]
        assert value["JawLeft"] * value["JawRight"] == value["EyeLookUpLeft"] * value["EyeLookDownLeft"] == 0


def test_no_identity_is_in_two_splits(pictures):
    people = {}
    for shown in pictures:
        people.setdefault(shown.person.weights.tobytes(), set()).add((shown.slot.split, shown.slot.subject))
    assert len(people) == 12 + 4 + 4
    assert all(len(places) == 1 for places in people.values())


def test_a_picture_does_not_depend_on_the_size_of_its_set():
    larger = replace(OPTIONS, train=600, val=0, sweeps=3)
    for slot in islice(slots(OPTIONS, SPARSE.missing), 0, 90, 7):
        one, other = picture(OPTIONS, SPARSE, slot), picture(larger, SPARSE, slot)
        assert one.values.tobytes() == other.values.tobytes()
        assert one.variation == other.variation
        assert one.person.look == other.person.look
    assert picture(replace(OPTIONS, seed=4), SPARSE, slot).variation != one.variation


def test_the_second_of_a_mirror_pair_is_the_first_in_a_mirror(pictures):
    pairs = [shown for shown in pictures if shown.slot.kind is Kind.MIRROR]
    assert len(pairs) == 12
    for first, second in zip(pairs[::2], pairs[1::2], strict=True):
        for name, action in BY_NAME.items():
            assert second.values[AT[action.mirror]] == action.mirror_sign * first.values[AT[name]]
        assert f"mirror:{second.slot.id}" in first.tags and f"mirror:{first.slot.id}" in second.tags
        lamp, other = first.variation.room.lamps[0].towards, second.variation.room.lamps[0].towards
        assert lamp == (-other[0], other[1], other[2])


def test_a_sweep_raises_one_action_alone_in_steps(pictures):
    swept = [shown for shown in pictures if "sweep:MouthSmileLeft" in shown.tags]
    assert [round(float(shown.values[AT["MouthSmileLeft"]]), 3) for shown in swept] == [0, 0.25, 0.5, 0.75, 1]
    assert all(np.count_nonzero(shown.values) <= 1 for shown in swept)
    assert len({shown.variation for shown in swept}) == 1
    yaw = [shown.values[AT["LeftEyeYaw"]] for shown in pictures if "sweep:LeftEyeYaw" in shown.tags]
    assert (np.diff(yaw) > 0.1).all()


def test_tags_say_what_is_in_the_picture(pictures):
    plain = [shown for shown in pictures if shown.slot.kind is Kind.PLAIN]
    for shown in plain:
        degrees = np.degrees(np.abs(shown.values[[AT["HeadYaw"], AT["HeadPitch"]]]))
        assert ("pose" in shown.tags) == bool(degrees[0] >= 20 or (degrees[1] >= 14 - 1e-4 and "pose" in shown.tags))
        assert ("occluded" in shown.tags) == (shown.variation.prop is not Prop.NONE)
        assert ("toon" in shown.tags) == shown.variation.finish.toon
    for tag in ("pose", "occluded", "toon"):
        assert 0 < sum(tag in shown.tags for shown in plain) < len(plain) / 2


def test_validation_and_test_take_rows_of_a_recording_that_training_never_sees(tmp_path):
    path = recording(tmp_path / "take.csv", [{"JawOpen": k / 1000} for k in range(1000)])
    train, held = read_pools([path])
    assert train[:, AT["JawOpen"]].max() + 0.05 < held[:, AT["JawOpen"]].min()
    stuff = Material(train, held, 22, frozenset())
    options = SetOptions(train=30, val=30, test=0, recorded=1.0)
    drawn = [picture(options, stuff, slot) for slot in slots(options, stuff.missing)]
    assert {shown.tags[0] for shown in drawn} == {"recorded"}
    limit = train[:, AT["JawOpen"]].max()
    assert all((shown.values[AT["JawOpen"]] <= limit) == (shown.slot.split == "train") for shown in drawn)


def test_favoured_actions_are_half_of_those_that_sparse_expressions_move():
    few = ("JawOpen", "MouthSmileLeft", "MouthSmileRight", "EyeLookUpLeft")
    shares = []
    for favoured in ((), few):
        rng = np.random.default_rng(1)
        rows = np.array([sparse(rng, frozenset({"TongueOut"}), favoured) for _ in range(800)])
        moved = (rows > 0.05).mean(axis=0)
        assert moved[AT["TongueOut"]] == 0 < moved[AT["CheekPuff"]]
        shares.append(moved)
    assert shares[1][AT["MouthSmileRight"]] > 3 * shares[0][AT["MouthSmileRight"]]
    assert shares[1][AT["EyeLookUpLeft"]] == pytest.approx(shares[0][AT["EyeLookUpLeft"]], abs=0.05)  # gazes are apart


def test_options_come_back_from_json_as_they_were():
    options = SetOptions(train=7, favoured=("JawOpen",))
    assert SetOptions.from_dict(json.loads(json.dumps(asdict(options)))) == options


def test_the_recorded_subjects_resting_gaze_is_taken_out(tmp_path):
    rows = [{"EyeLookDownLeft": 0.3, "EyeLookDownRight": 0.3}] * 50 + [{"EyeLookUpLeft": 0.2}] * 10
    train, held = read_pools([recording(tmp_path / "take.csv", rows)])
    assert np.abs(train[0, [AT["EyeLookDownLeft"], AT["EyeLookUpLeft"]]]).max() < 1e-6
    assert held[-1, AT["EyeLookUpLeft"]] == pytest.approx(0.5)


def test_mirroring_twice_changes_nothing():
    values = settled(np.random.default_rng(0).uniform(0, 1, 61))
    assert mirrored(mirrored(values)).tobytes() == values.tobytes()
    assert mirrored(values).tobytes() != values.tobytes()


def test_senseless_options_and_recordings_are_refused(tmp_path):
    for wrong in ({"train": -1}, {"recorded": 1.2}, {"size": 10}, {"levels": 1}, {"favoured": ("HeadYaw",)}):
        with pytest.raises(OptionsError):
            SetOptions(**wrong)
    with pytest.raises(ExchangeError, match=r"short\.csv"):
        read_pools([recording(tmp_path / "short.csv", [{}] * 5)])
