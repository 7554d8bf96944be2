"""The rules on top of the table: sums, lips over an open jaw, frames without a face, and profiles as curves."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface.errors import InputError
from semanticface.results import FrameResult, Status
from semanticface.retarget.metahuman import (
    LIPS,
    LIPS_FADE,
    FaceOptions,
    arkit_curves,
    metahuman_curves,
    metahuman_profile,
    profile_curves,
)
from semanticface.retarget.profile import Link, Profile, TargetKind
from semanticface.retarget.store import read_profile
from semanticface.take import TakeHeader, TakeWriter

Floats = NDArray[np.float64]


def frames(count: int = 1, **actions: float | Floats) -> Floats:
    """(count, 61): at rest but for these actions."""
    out = np.zeros((count, len(CSV_ORDER)))
    for name, value in actions.items():
        out[:, CSV_ORDER.index(name)] = value
    return out


def lips(jaw: float | Floats, close: float | Floats) -> Floats:
    count = max(np.size(jaw), np.size(close))
    return metahuman_curves(frames(count, JawOpen=jaw, MouthClose=close))[LIPS[0]]


@pytest.fixture(scope="module")
def wild() -> Floats:
    """Values below 0 and above 1, as recordings and gains give them."""
    return np.random.default_rng(7).uniform(-0.3, 1.4, (400, len(CSV_ORDER)))


def test_sums_are_cut_and_their_shares_are_not() -> None:
    both = metahuman_curves(frames(BrowInnerUp=0.7, BrowOuterUpLeft=0.6, BrowOuterUpRight=-0.5))
    assert both["CTRL_expressions_browRaiseInL"][0] == 1.0
    assert both["CTRL_expressions_browRaiseInR"][0] == pytest.approx(0.2)
    assert both["CTRL_expressions_browRaiseOuterR"][0] == 0.0
    strong = metahuman_curves(frames(BrowInnerUp=1.4, BrowOuterUpLeft=-0.6))
    assert strong["CTRL_expressions_browRaiseInL"][0] == pytest.approx(0.8)


def test_everything_but_the_head_lies_from_0_to_1(wild: Floats) -> None:
    curves = metahuman_curves(wild)
    assert len(curves) == 80
    for series in curves.values():
        assert series.min() >= 0.0 and series.max() <= 1.0


def test_no_curve_carries_what_the_pose_asset_leaks() -> None:
    curves = metahuman_curves(frames(BrowDownLeft=1, BrowDownRight=1, MouthSmileRight=1, TongueOut=1, NoseSneerLeft=1))
    assert curves["CTRL_expressions_browLateralL"][0] == 0.0
    assert curves["CTRL_expressions_mouthDimpleR"][0] == 0.0
    assert "CTRL_expressions_tongueRight" not in curves
    assert not [name for name in curves if "noseWrinkleUpper" in name]


def test_an_open_jaw_closes_its_lips_by_the_quotient() -> None:
    assert lips(0.5, 0.2)[0] == pytest.approx(0.4)
    assert lips(0.5, 0.5)[0] == lips(0.4, 0.9)[0] == 1.0
    assert lips(0.9, -0.1)[0] == 0.0
    everywhere = metahuman_curves(frames(JawOpen=0.5, MouthClose=0.2))
    assert [everywhere[name][0] for name in LIPS] == pytest.approx([0.4] * 4)


@pytest.mark.parametrize("jaw", [0.0, -0.02, 1e-12])
def test_a_shut_jaw_has_no_lips_to_close(jaw: float) -> None:
    assert lips(jaw, 0.3)[0] == pytest.approx(0.0, abs=1e-9)


def test_the_lips_never_jump_as_the_jaw_opens() -> None:
    """No step is larger than the steepest slope of the quotient, wherever MouthClose stands."""
    jaw = np.linspace(-0.01, 0.2, 2101)
    for close in (0.0, 0.01, 0.03, 0.2):
        steps = np.abs(np.diff(lips(jaw, close)))
        assert lips(jaw, close)[0] == 0.0
        assert steps.max() <= 0.0001 / LIPS_FADE + 1e-9


def test_a_shut_mouth_flickers_less_than_half_as_much_as_by_the_bare_quotient() -> None:
    rng = np.random.default_rng(1)
    jaw, close = (np.clip(0.003 * rng.standard_normal(4000), 0, 1) for _ in range(2))
    bare = np.where(jaw > 0, np.clip(close / np.maximum(jaw, 1e-9), 0, 1), 0)
    assert np.abs(np.diff(lips(jaw, close))).mean() < 0.5 * np.abs(np.diff(bare)).mean()


def test_no_noise_comes_out_more_than_a_hundredfold() -> None:
    rng = np.random.default_rng(2)
    jaw, close = rng.uniform(0, 0.1, (2, 4000))
    for moved in (lips(jaw + 1e-4, close), lips(jaw, close + 1e-4)):
        assert np.abs(moved - lips(jaw, close)).max() <= 100 * 1e-4 + 1e-9


def test_resting_lips_part_by_less_than_three_thousandths_of_the_jaws_way() -> None:
    jaw = np.linspace(0.0001, 1.0, 10_000)
    assert (jaw * (1.0 - lips(jaw, jaw))).max() < 0.003


def test_frames_without_a_face_stay_so_in_every_curve(wild: Floats) -> None:
    values = wild.copy()
    values[[0, 17, 399]] = np.nan
    everything = metahuman_curves(values, FaceOptions(head=True)) | arkit_curves(values, head=True)
    for series in everything.values():
        assert np.flatnonzero(np.isnan(series)).tolist() == [0, 17, 399]


def test_the_input_is_left_alone_and_no_curve_shares_another_ones_array(wild: Floats) -> None:
    before = wild.copy()
    for curves in (metahuman_curves(wild, FaceOptions(head=True)), arkit_curves(wild, head=True)):
        series = list(curves.values())
        for one in series:
            one[:] = -9.0
        assert len({id(one) for one in series}) == len(series)
        assert np.array_equal(wild, before)


def test_the_table_as_a_profile_gives_the_same_curves_but_for_the_lips(wild: Floats) -> None:
    options = FaceOptions(head=True, head_factor=50.0)
    profile = Profile.from_json(metahuman_profile(options).to_json())
    by_profile, by_table = profile_curves(profile, wild), metahuman_curves(wild, options)
    assert set(by_table) - set(by_profile) == set(LIPS)
    for name, series in by_profile.items():
        assert np.array_equal(series, by_table[name]), name


def test_a_changed_profile_changes_its_curve_and_no_other(wild: Floats) -> None:
    profile = metahuman_profile()
    links = tuple(replace(link, gain=0.5) if link.action == "JawOpen" else link for link in profile.links)
    changed, before = profile_curves(replace(profile, links=links), wild), profile_curves(profile, wild)
    different = [name for name in before if not np.array_equal(before[name], changed[name])]
    assert different == ["CTRL_expressions_jawOpen"]


def test_a_link_for_several_objects_counts_once_and_different_ones_add_up() -> None:
    jaw = frames(JawOpen=0.4, MouthFunnel=0.2)
    links = (
        Link("JawOpen", "jaw", owner="Face"),
        Link("JawOpen", "jaw", owner="Teeth"),
        Link("JawOpen", "jaw", TargetKind.PROPERTY, "Rig", "chin", gain=0.5),
        Link("MouthFunnel", "jaw", owner="Teeth"),
    )
    assert profile_curves(Profile("", links), jaw)["jaw"][0] == pytest.approx(0.4 + 0.2 + 0.2)


def test_a_link_that_stands_twice_for_one_object_counts_twice() -> None:
    links = (Link("JawOpen", "jaw", owner="Face", gain=0.5),) * 2
    assert profile_curves(Profile("", links), frames(JawOpen=0.4))["jaw"][0] == pytest.approx(0.4)


def test_names_that_differ_by_case_are_one_curve() -> None:
    links = (Link("JawOpen", "Jaw_Open"), Link("MouthFunnel", "jaw_open", gain=0.5))
    curves = profile_curves(Profile("", links), frames(JawOpen=0.4, MouthFunnel=0.2))
    assert list(curves) == ["Jaw_Open"] and curves["Jaw_Open"][0] == pytest.approx(0.5)


def test_only_a_metahumans_controls_are_cut_for_the_user() -> None:
    links = (
        Link("JawOpen", "ctrl_EXPRESSIONS_jawOpen", gain=2.0),
        Link("JawOpen", "Jaw", gain=2.0),
        Link("HeadYaw", "Turn", gain=-60.0),
    )
    curves = profile_curves(Profile("", links), frames(JawOpen=0.8, HeadYaw=0.5))
    assert {name: series[0] for name, series in curves.items()} == {
        "ctrl_EXPRESSIONS_jawOpen": 1.0,
        "Jaw": pytest.approx(1.6),
        "Turn": pytest.approx(-30.0),
    }


def test_arkit_curves_keep_what_recordings_hold(wild: Floats) -> None:
    curves = arkit_curves(wild)
    assert list(curves) == list(SHAPES)
    assert max(series.max() for series in curves.values()) > 1.0


@pytest.mark.parametrize("make", [metahuman_curves, arkit_curves, lambda values: profile_curves(Profile(""), values)])
def test_values_of_another_shape_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(InputError, match=r"\(5, 52\)"):
        make(np.zeros((5, 52)))


@pytest.fixture
def documentation() -> str:
    """The part about MetaHumans."""
    text = (Path(__file__).parents[2] / "docs" / "retarget.md").read_text(encoding="utf-8")
    return text[text.index("## Onto a MetaHuman") : text.index("## Measured")]


def test_the_scripts_of_the_documentation_run(
    documentation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with TakeWriter(tmp_path / "shot.take", TakeHeader({}, Fraction(24), {}, {}, "key")) as writer:
        writer.append(FrameResult(0, 0.0, Status.OK, dict.fromkeys(CSV_ORDER, 0.25)))
    names: dict[str, Any] = {}
    exec("".join(re.findall(r"```python\n(.*?)```", documentation, re.DOTALL)), names)
    assert names["curves"]["CTRL_expressions_jawOpen"].tolist() == [0.25]
    assert read_profile(tmp_path / "metahuman.json") == metahuman_profile(FaceOptions(head=True))


def test_the_documentation_names_every_control(documentation: str) -> None:
    """Those of sides and corners by their stem or by the left one."""
    for name in metahuman_curves(frames()):
        stem = re.sub("[UD]?[LR]$", "", name.removeprefix("CTRL_expressions_"))
        assert re.search(rf"`{stem}[UD]?L?`", documentation), name


@pytest.mark.clock
def test_ten_thousand_frames_take_well_under_a_second() -> None:
    values = np.random.default_rng(0).uniform(0, 1, (10_000, len(CSV_ORDER)))
    start = time.process_time()
    metahuman_curves(values, FaceOptions(head=True))
    assert time.process_time() - start < 0.5
