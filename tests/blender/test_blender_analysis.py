"""Analyses in real Blender against the mock backend: what is keyed where, and what happens when it goes wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semanticface.mock_script import motion
from semanticface.take import read_take

Run = Callable[..., Any]
ARKIT = {
    "jawOpen": "JawOpen",
    "mouthSmileLeft": "MouthSmileLeft",
    "mouthSmileRight": "MouthSmileRight",
    "JawLEFT": "JawLeft",
    "eyeBlinkLeft": "EyeBlinkLeft",
}
TURNS = {"Yaw": (2, -1), "Pitch": (0, 1), "Roll": (1, 1)}
"""Euler index and sign on an upright control that looks along -Y."""


def _expect(keyed: dict[str, Any], places: dict[int, float]) -> None:
    """Each source frame's values, and nothing else, stand at its scene frame."""
    assert set(keyed["shapes"]) == set(ARKIT)
    curves = [(keyed["shapes"][key], action, 1) for key, action in ARKIT.items()]
    for owner, actions in (("head", "Head"), ("left_eye", "LeftEye"), ("right_eye", "RightEye")):
        assert len(keyed[owner]) == 3
        for turn, (index, sign) in TURNS.items():
            curves.append((keyed[owner][f"rotation_euler[{index}]"], actions + turn, sign))
    for keys, action, sign in curves:
        assert [key[0] for key in keys] == pytest.approx(list(places.values()), abs=1e-4), action
        wanted = [sign * motion(frame)[action] for frame in places]
        assert [key[1] for key in keys] == pytest.approx(wanted, abs=1e-6), action


def test_25_fps_footage_keeps_its_length_in_a_24_fps_scene(blender: Run) -> None:
    keyed = blender("analysis:whole_clip", mock={"frames": 50, "rate": "25/1"}, fps=24, base=1.0, scene_start=101)
    assert keyed["error"] == ""
    _expect(keyed, {frame: 101 + frame * 24 / 25 for frame in range(50)})


def test_29_97_fps_footage_lands_on_exact_times_in_a_23_976_fps_scene(blender: Run) -> None:
    mock = {"frames": 200, "rate": "30000/1001"}
    keyed = blender("analysis:whole_clip", mock=mock, fps=24, base=1.001, step=7, frames="RANGE", first=3, last=160)
    _expect(keyed, {frame: 1 + (frame - 3) * 24 / 30 for frame in range(3, 161, 7)})


def test_whole_frames_take_the_nearest_source_frame_once(blender: Run) -> None:
    mock = {"frames": 60, "rate": "60/1"}
    keyed = blender("analysis:whole_clip", mock=mock, fps=24, base=1.0, whole_frames=True, scene_start=0)
    places = {}
    for scene_frame in range(round(59 * 24 / 60) + 1):
        nearest = min(range(60), key=lambda source: (abs(source * 24 - scene_frame * 60), source))
        places[nearest] = float(scene_frame)
    _expect(keyed, places)
    assert any("share a scene frame" in note for note in keyed["notes"])


def test_left_and_right_stay_on_their_sides(blender: Run) -> None:
    values = {"0": {"MouthSmileLeft": 0.9, "MouthSmileRight": 0.1, "JawLeft": 0.7, "JawRight": 0.2, "HeadYaw": 0.5}}
    keyed = blender("analysis:whole_clip", mock={"frames": 1, "values": values}, fps=24, base=1.0)
    shapes = {name: keys[0][1] for name, keys in keyed["shapes"].items()}
    assert shapes["mouthSmileLeft"] == pytest.approx(0.9)
    assert shapes["mouthSmileRight"] == pytest.approx(0.1)
    assert shapes["JawLEFT"] == pytest.approx(0.7)
    assert keyed["head"]["rotation_euler[2]"][0][1] == pytest.approx(-0.5)  # to the subject's right is -X


def test_switches_leave_their_channels_alone(blender: Run) -> None:
    keyed = blender("analysis:whole_clip", mock={"frames": 5}, fps=24, base=1.0, use_head=False, use_eyes=False)
    assert set(keyed["shapes"]) == set(ARKIT)
    assert keyed["head"] == keyed["left_eye"] == keyed["right_eye"] == {}


def test_frames_without_a_result_get_no_key_and_are_named(blender: Run) -> None:
    faults = {"4": "no_face", "5": "no_face", "9": "unreadable", "11": "failed"}
    keyed = blender("analysis:whole_clip", mock={"frames": 14, "rate": "24/1", "faults": faults}, fps=24, base=1.0)
    _expect(keyed, {frame: 1.0 + frame for frame in range(14) if str(frame) not in faults})
    notes = "\n".join(keyed["notes"])
    assert "no face: source frames 4-5" in notes
    assert "unreadable: source frames 9" in notes
    assert "failed: source frames 11" in notes


def test_footage_without_any_face_keys_nothing_and_says_so(blender: Run) -> None:
    keyed = blender(
        "analysis:whole_clip", mock={"frames": 2, "faults": {"0": "no_face", "1": "no_face"}}, fps=24, base=1.0
    )
    assert keyed["actions"] == []
    assert keyed["failed"]
    assert "no face: source frames 0-1" in "\n".join(keyed["notes"])


def test_takes_of_a_saved_file_stand_beside_it(blender: Run) -> None:
    seen = blender("analysis:saved_file", mock={"frames": 4, "faults": {"2": "no_face"}})
    assert seen == {
        "error": "",
        "takes": [str(Path("semanticface") / name) for name in ("clip-1", "clip-2")],
        "statuses": ["ok", "ok", "no_face", "ok"],
    }


def test_a_clip_is_keyed_where_it_stands_in_the_scene(blender: Run, movie: Path) -> None:
    mock = {"frames": 60, "rate": "25/1"}
    keyed = blender("analysis:from_clip", mock=mock, movie=str(movie), playhead=1, timing="PER_FRAME")
    _expect(keyed, {frame: 11.0 + frame - 5 for frame in range(5, 60)})
    keyed = blender(
        "analysis:from_clip", mock=mock, movie=str(movie), playhead=1, frames="RANGE", first=20, last=40, step=10
    )
    _expect(keyed, {frame: 11 + (frame - 5) * 24 / 25 for frame in (20, 30, 40)})


def test_the_current_frame_is_keyed_under_the_playhead(blender: Run, movie: Path) -> None:
    mock = {"frames": 60, "rate": "25/1"}
    keyed = blender("analysis:from_clip", mock=mock, movie=str(movie), playhead=31, frames="CURRENT")
    _expect(keyed, {5 + round(20 * 25 / 24): 31.0})
    keyed = blender(
        "analysis:from_clip", mock=mock, movie=str(movie), playhead=31.25, frames="CURRENT", timing="PER_FRAME"
    )
    _expect(keyed, {25: 31.25})
    keyed = blender("analysis:from_clip", mock=mock, movie=str(movie), playhead=900, frames="CURRENT")
    assert "which has 0 to 59" in keyed["error"]
    assert keyed["actions"] == []


def test_single_frames_add_up_and_the_later_one_holds(blender: Run) -> None:
    seen = blender("analysis:single_frames_add_up", mock={"frames": 100, "rate": "24/1"})
    assert seen["seen"] == [[10.0], [10.0, 30.0], [10.0, 30.0]]
    assert seen["reading"] == {"10": 9, "20": 9, "30": 29}
    assert seen["takes"] == 3


def test_a_take_is_a_new_action_and_one_undo_step(blender: Run) -> None:
    seen = blender("analysis:users_action", mock={"frames": 24, "rate": "24/1"}, mode="NEW")
    assert seen["error"] == ""
    keyed, undone, redone = seen["keyed"], seen["undone"], seen["redone"]
    assert keyed["action"] == "clip-1"
    assert keyed["by_hand"] == undone["by_hand"] == redone["by_hand"] == seen["before"]
    assert keyed["by_hand_kept"]
    assert keyed["head"]
    assert len(keyed["face"]["jawOpen"]) == 24
    assert "not an action" not in keyed["face"]
    assert undone["action"] == "By Hand"
    assert undone["face"] == seen["before"]
    assert undone["actions"] == ["By Hand"]
    assert not undone["head"]
    assert redone == keyed


def test_cancel_leaves_nothing_in_the_file(blender: Run) -> None:
    seen = blender("analysis:cancel", mock={"frames": 200, "delay": 0.02})
    assert seen["phase"] == "cancelled"
    assert seen["actions"] == []
    assert not seen["animated"]
    assert not seen["failed"]
    assert "cancelled" in seen["notes"][0]
    assert seen["link"] == "connected"


def test_a_dying_backend_is_told_and_its_partial_take_can_be_keyed(blender: Run) -> None:
    mock = {"frames": 40, "rate": "24/1", "faults": {"20": "die"}, "delay": 0.01}
    seen = blender("analysis:backend_dies", mock=mock)
    assert "is lost" in seen["error"]
    assert seen["seconds"] < 10
    assert seen["dead"]["failed"]
    assert "lost" in seen["dead"]["notes"][0]
    count = len(seen["kept"])  # what was on its way when it died is lost
    assert 10 <= count <= 20
    assert f"Nothing was keyed. {count} finished frames" in seen["dead"]["notes"][1]
    assert not seen["animated"]
    assert seen["link"] == "off"
    assert seen["kept"] == list(range(count))
    assert seen["late"] == ""
    _expect(seen["after"], {frame: 1.0 + frame for frame in range(count)})


def test_another_file_in_the_middle_of_a_job_is_left_alone(blender: Run) -> None:
    seen = blender("analysis:load_file", mock={"frames": 30, "delay": 0.02})
    assert seen["phase"] == "done"
    assert not seen["animated"]
    assert seen["failed"]
    assert "not in the open file any more" in seen["notes"][0]
    assert seen["kept"]


def test_a_renamed_target_is_found_again_after_an_undo(blender: Run) -> None:
    seen = blender("analysis:rename_and_undo", mock={"frames": 30, "rate": "24/1", "delay": 0.02})
    assert seen["mesh"] == "Hero"
    _expect(seen, {frame: 1.0 + frame for frame in range(30)})


@pytest.mark.clock
def test_unregistering_closes_everything_within_half_a_second(blender: Run) -> None:
    seen = blender("analysis:unregister_in_a_job", mock={"frames": 100, "delay": 0.02})
    assert seen["gone"]
    assert seen["closed"] == "closed"
    assert seen["seconds"] < 0.5
    assert seen["error"] == ""
    assert [len(keys) for keys in seen["again"]["shapes"].values()] == [4] * 5


def test_a_fault_of_our_own_is_shown_and_ends_the_job(blender: Run) -> None:
    seen = blender("analysis:own_fault", mock={"frames": 100, "delay": 0.02})
    assert seen["job"]
    assert "ZeroDivisionError" in seen["notes"][0]
    assert seen["interval"] is not None


@pytest.mark.clock
def test_a_backend_that_is_not_there_is_said_at_once(blender: Run) -> None:
    (missing, first, _), (ended, second, notes) = blender("analysis:no_backend")["errors"]
    assert "/nowhere/python" in missing
    assert first < 5
    assert "ended with code 1" in ended
    assert second < 10
    assert notes


@pytest.mark.parametrize("fault", ["lose", "twice", "strange", "bad_result", "malformed", "fail_job"])
def test_a_backend_that_breaks_the_protocol_keys_nothing(blender: Run, fault: str, bpy_python: str) -> None:
    seen = blender("analysis:whole_clip", mock={"frames": 10, "faults": {"6": fault}}, fps=24, base=1.0)
    assert seen["failed"]
    assert seen["actions"] == []
    assert seen["error"]


def test_the_partial_take_is_a_take(blender: Run) -> None:
    seen = blender("analysis:backend_dies", mock={"frames": 40, "rate": "25/1", "faults": {"20": "die"}, "delay": 0.01})
    take = read_take(Path(seen["after"]["take"]))
    assert take.header.rate == 25
    assert math.isclose(take.results[5].time or 0, 0.2)


def test_an_image_sequence_is_named_with_its_first_number_and_a_rate(blender: Run, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    numpy = pytest.importorskip("numpy")
    for number in (1001, 1002, 1004):
        cv2.imwrite(str(tmp_path / f"face_{number}.png"), numpy.zeros((8, 8, 3), numpy.uint8))
    seen = blender("analysis:sequence_footage", first=str(tmp_path / "face_1001.png"))
    assert seen["clip"]["kind"] == seen["file"]["kind"] == "sequence"
    assert seen["clip"]["path"] == seen["file"]["path"] == str(tmp_path)
    assert seen["clip"]["first"] == 1001
    assert seen["clip"]["rate"] == [24000, 1001]  # the scene's, since a sequence has none
    assert seen["file"]["rate"] == [30000, 1001]
    assert seen["still"]["kind"] == "image"
