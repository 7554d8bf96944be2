"""Which frames of which footage are analyzed, where their keys stand, and what is said of it beforehand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semanticface.mock_script import motion

Run = Callable[..., Any]
MOCK = {"frames": 60, "rate": "25/1"}


def _places(keyed: dict[str, Any]) -> list[float]:
    return [key[0] for key in keyed["keys"]]


def test_selected_markers_are_keyed_exactly_where_they_stand(blender: Run) -> None:
    places = [("one", 3, True), ("not this", 10, False), ("two", 30, True), ("late", 900, True)]
    keyed = blender("picking:markers", mock=MOCK, places=places)
    assert _places(keyed) == [3.0, 30.0]
    assert keyed["frames"] == [round(2 * 25 / 24), round(29 * 25 / 24)], "those that the scene shows there"
    assert any('marker "late"' in note for note in keyed["notes"])
    assert any('marker "late"' in line for line in keyed["lines"]["warnings"] + keyed["lines"]["plain"]) is False


def test_two_markers_over_one_source_frame_are_both_keyed(blender: Run) -> None:
    places = [("b", 11, True), ("a", 10, True), ("c", 14, True)]
    keyed = blender("picking:markers", mock={"frames": 60, "rate": "8/1"}, places=places)
    assert keyed["frames"] == [3, 4] and _places(keyed) == [10.0, 11.0, 14.0]


def test_markers_that_show_no_footage_are_refused(blender: Run) -> None:
    keyed = blender("picking:markers", mock=MOCK, places=[("unselected", 3, False)])
    assert "no timeline marker is selected" in keyed["error"] and not keyed["keys"]
    assert "no timeline marker is selected" in keyed["lines"]["refusal"], "said before the click"


def test_the_scene_range_takes_what_lies_in_it_and_the_preview_range_goes_before(blender: Run) -> None:
    keyed = blender("picking:scene_range", mock=MOCK, preview=None)
    assert _places(keyed) == [float(frame) for frame in range(11, 21)]
    assert keyed["frames"] == list(range(6, 16))
    keyed = blender("picking:scene_range", mock=MOCK, preview=[13, 19], step=3)
    assert _places(keyed) == [13.0, 16.0, 19.0]
    keyed = blender("picking:scene_range", mock=MOCK, preview=[213, 219])
    assert "lies at scene frames 213 to 219" in keyed["error"]


def test_an_order_takes_any_frames_each_to_its_own_place(blender: Run) -> None:
    keyed = blender("picking:listed", mock={"frames": 60, "rate": "24/1"})
    assert keyed["frames"] == [7, 13, 30]
    places = {12.0: 30, 14.0: 13, 50.5: 7}
    assert keyed["keys"][-3:] == [pytest.approx([at, motion(frame)["JawOpen"]]) for at, frame in places.items()]
    assert keyed["engine"] == "", "a named engine needs no reason"


def test_a_movie_strip_is_keyed_where_it_plays_with_both_its_trims(blender: Run, movie: Path) -> None:
    keyed = blender("picking:movie_strip", mock=MOCK, movie=str(movie), offset=5, skipped=3, end=10)
    # Source frame 3 plays at 11; frames to 15 are cut off, and ten at the end.
    assert keyed["frames"] == list(range(8, 50))
    assert _places(keyed) == [float(11 + frame - 3) for frame in range(8, 50)]
    assert "25 fps in 24 fps, one source frame per scene frame" in keyed["lines"]["plain"]
    assert "Source frames 8 to 49 at scene frames 16 to 57: 42 frames" in keyed["lines"]["plain"]
    assert any("4% slower" in line for line in keyed["lines"]["warnings"]), "the strip plays it so; it is said"


def test_a_strip_that_keeps_its_length_is_keyed_in_real_time(blender: Run, movie: Path) -> None:
    keyed = blender("picking:stretched_strip", mock=MOCK, movie=str(movie))
    if keyed is None:
        pytest.skip("this Blender adds such strips in a window only")
    frames = keyed["frames"]
    # 57 scene frames, the last at 67: twelve of them are trimmed away.
    assert (frames[0], frames[-1]) == (round(12 * 25 / 24), round(56 * 25 / 24)) and keyed["length"] == 45
    assert _places(keyed) == pytest.approx([11 + frame * 24 / 25 for frame in frames], abs=1e-4)
    # Where Blender counts a strip in scene frames alone, how it is played shows when the footage was looked at.
    assert all("Look at Footage" in line for line in keyed["lines"]["warnings"])


def test_images_of_a_strip_keep_their_places_where_numbers_are_left_out(blender: Run) -> None:
    keyed = blender("picking:image_strip", mock=MOCK, names=[11, 12, 15, 16, 19], lost=[], skipped=1)
    assert keyed["media"] == {"kind": "sequence", "pattern": "face_%d.png", "first": 11, "rate": [24, 1]}
    assert keyed["frames"] == [1, 4, 5, 8], "the first image is trimmed away"
    assert _places(keyed) == [21.0, 22.0, 23.0, 24.0]


def test_lost_images_of_a_strip_are_named(blender: Run) -> None:
    keyed = blender("picking:image_strip", mock=MOCK, names=[11, 12, 13, 14, 15], lost=[11, 13])
    assert keyed["lines"]["warnings"] == ["No file for 11, 13: nothing will be keyed at source frames 0, 2"]
    assert keyed["frames"] == [0, 1, 2, 3, 4]


def test_one_image_is_a_still(blender: Run) -> None:
    keyed = blender("picking:image_strip", mock={"frames": 1}, names=[7], lost=[])
    assert keyed["media"]["kind"] == "image"
    assert _places(keyed) == [21.0]


def test_footage_that_is_gone_or_of_no_use_is_said_before_anything_starts(blender: Run, movie: Path) -> None:
    seen = blender("picking:refused", mock=MOCK, movie=str(movie))
    assert any(text in seen["no editor"] for text in ("this scene has no strips", "no strip is active"))
    assert "no strip is active" in seen["no strip"]
    assert '"Grey" is a color strip' in seen["colour"]
    assert '"Gone" is played backwards' in seen["backwards"]
    assert 'the clip "moved.mp4"' in seen["clip gone"] and "no such file" in seen["clip gone"]
    assert "no such file" in seen["clip gone, operator"]
    assert 'the strip "Gone"' in seen["strip gone"] and "no such file" in seen["strip gone"]


def test_holes_of_a_sequence_are_named_before_the_analysis(blender: Run) -> None:
    seen = blender("picking:holes", mock=MOCK)
    expected = "No file for 1, 4-5, 8-9: nothing will be keyed at source frames 0, 3-4, 7-8"
    assert seen["clip"]["warnings"] == [expected], "also when the clip's own file is one of them"
    assert seen["file"]["warnings"] == ["No file for 4-5, 8-9: nothing will be keyed at source frames 2-3, 6-7"]


def test_the_rate_of_a_file_can_be_asked_for_first(blender: Run) -> None:
    seen = blender("picking:probed", mock={"frames": 60, "rate": "30000/1001"})
    assert "Source rate not known yet, scene 24 fps" in seen["before"]["plain"]
    assert seen["error"] == ""
    assert "29.97 fps in 24 fps, one source frame per scene frame" in seen["after"]["plain"]
    assert "Source frames 0 to 59 at scene frames 1 to 60: 60 frames" in seen["after"]["plain"]
    assert any("20% slower" in line for line in seen["after"]["warnings"])


def test_frames_that_matter_take_two_passes_and_a_few_keys(blender: Run) -> None:
    seen = blender("picking:matter", mock={"frames": 120, "rate": "24/1"})
    assert [name for name, _ in seen["phases"]] == [
        "waiting for the backend", "looking at the footage", "looking through all frames",
        "choosing the frames that matter", "analyzing", "done",
    ]  # fmt: skip
    totals = dict(seen["phases"])
    assert totals["looking through all frames"] == 120
    assert 5 <= totals["analyzing"] < 60
    assert len(seen["keys"]) == len(seen["frames"]) == totals["analyzing"]
    assert {0, 119} <= set(seen["frames"])
    assert f"{totals['analyzing']} of 120 frames matter" in seen["notes"]


def test_where_the_landmark_engine_was_asked_for_its_first_pass_will_do(blender: Run) -> None:
    mock = {"frames": 120, "rate": "24/1", "faults": {"50": "no_face", "51": "no_face"}}
    seen = blender("picking:matter", mock=mock, engine="landmarks", most_keys=9, within="RANGE", first=20, last=99)
    assert [name for name, _ in seen["phases"]][-2:] == ["choosing the frames that matter", "done"]
    assert seen["scanned"] == 80
    assert 4 <= len(seen["frames"]) <= 9
    assert [key[0] for key in seen["keys"]] == [1.0 + frame - 20 for frame in seen["frames"]]
    assert not {50, 51} & set(seen["frames"])
    assert f"{len(seen['frames'])} of 80 frames matter" in seen["notes"]
    assert "No face in 2 of 80 frames" in seen["notes"]


def test_no_face_in_any_frame_ends_the_search_with_the_reason(blender: Run) -> None:
    seen = blender("picking:matter", mock={"frames": 3, "faults": {"0": "no_face", "1": "no_face", "2": "no_face"}})
    assert seen["phases"][-1][0] == "failed"
    assert "no face was found in any of 3 frames" in seen["notes"][0]
    assert seen["failed"] and not seen["keys"]


@pytest.mark.parametrize(
    "during", ["looking at the footage", "looking through all frames", "choosing the frames that matter", "analyzing"]
)
def test_cancelling_works_in_each_phase(blender: Run, during: str) -> None:
    seen = blender("picking:stopped", mock={"frames": 80, "delay": 0.01}, during=during)
    assert seen["phase"] == "cancelled"
    assert not seen["animated"]
    assert "cancelled" in seen["notes"][0]


@pytest.mark.parametrize("fault", ["fail_job", "lose", "bad_result", "die"])
def test_a_first_pass_that_fails_keys_nothing(blender: Run, fault: str) -> None:
    seen = blender("picking:matter", mock={"frames": 20, "faults": {"8": fault}})
    assert seen["phases"][-1][0] == "failed"
    assert seen["failed"] and not seen["keys"]


@pytest.mark.clock
def test_no_tick_of_a_job_of_thousands_of_frames_takes_10_ms(blender: Run) -> None:
    """CPU time, which other programs on this computer don't lengthen; the keying at the end is one step by itself."""
    seen = blender("picking:long_job", mock={"frames": 3000}, count=3000)
    assert seen["phase"] == "done" and seen["frames"] == 3000
    assert seen["writing"] > 5, "the take is written in portions"
    assert seen["longest"] < 0.010, seen


def test_an_engine_that_the_backend_does_not_have_is_refused_before_any_work(blender: Run) -> None:
    seen = blender("picking:unusable_engine", mock={"frames": 4})
    assert seen["first"] == seen["mock"] == ""
    assert "this backend has no engine semanticface" in seen["refusal"]


@pytest.fixture
def backend() -> str:
    return f"{sys.executable} -m semanticface.server"


def test_the_landmark_engine_finds_and_keys_the_frames_that_matter(
    blender: Run, backend: str, samples: Path, face_landmarker: Path
) -> None:
    seen = blender(
        "picking:real", backend=backend, source=str(samples / "rom_head.mp4"),
        frames="MATTER", within="RANGE", first=0, last=89, timing="PER_FRAME",
    )  # fmt: skip
    assert seen["engine"] == "landmarks"
    assert seen["scanned"] == 90
    assert 3 <= len(seen["frames"]) < 45
    assert {0, 89} <= set(seen["frames"])
    assert [key[0] for key in seen["keys"]] == [1.0 + frame for frame in seen["frames"]]


def test_holes_are_named_in_the_summary(
    blender: Run, backend: str, samples: Path, face_landmarker: Path, tmp_path: Path
) -> None:
    cv2 = pytest.importorskip("cv2")
    video, folder = cv2.VideoCapture(str(samples / "rom_head.mp4")), tmp_path / "sequence"
    folder.mkdir()
    for number in range(1001, 1007):
        _, picture = video.read()
        if number != 1004:
            cv2.imwrite(str(folder / f"face_{number}.png"), picture)
    seen = blender("picking:real", backend=backend, source=str(folder / "face_1001.png"), sequence=True)
    assert len(seen["keys"]) == 5
    assert "No file for 1004: source frames 3" in seen["notes"]
    assert any("missing: source frames 3" in note for note in seen["notes"])
