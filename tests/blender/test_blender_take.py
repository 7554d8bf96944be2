"""Working with a take in Blender: the list, review, analyzing again, markers, comparison, files that are opened."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semanticface.mock_script import motion

Run = Callable[..., Any]
SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "rom_head.mp4"


def _text(lines: list[str]) -> str:
    return " ".join(" ".join(line.removeprefix("label ") for line in lines).split())


def test_the_list_shows_the_frames_that_are_asked_for(blender: Run) -> None:
    seen = blender("take_work:list_of_frames")
    assert seen["ALL"] == list(range(40)) and seen["rows"] == 40
    assert seen["REVIEW"] == [7, 12, 20], "failed, of low confidence, at odds with its numbers"
    assert seen["FAILED"] == [7] and seen["DISAGREE"] == [20]
    assert seen["sorted"][:2] == [7, 12] and sorted(seen["sorted"]) == list(range(40))
    assert seen["search"] == list(range(30, 40)), "the category, in any case"
    assert seen["number"] == [12]
    assert "0 of 3 reviewed" in _text(seen["drawn"])


def test_list_and_playhead_take_each_other_along(blender: Run) -> None:
    seen = blender("take_work:list_of_frames")
    assert seen["clicked"] == 26, "row 25 is source frame 25, which lies on scene frame 26"
    assert seen["followed"] == 15
    assert seen["left"] == 15, "it stays where it is when it does not follow"


def test_a_row_says_what_is_known_of_its_frame(blender: Run) -> None:
    text = _text(blender("take_work:drawn_rows"))
    assert "8 7 no face" in text
    assert "13 12 smile 20%" in text
    assert "26 25 smile 90%" in text


def test_the_panel_flags_text_at_odds_with_numbers_and_says_what_to_do_about_failures(blender: Run) -> None:
    seen = {name: _text(lines) for name, lines in blender("take_work:panels").items()}
    assert "No key here: no face" in seen["failed"] and "nobody is there" in seen["failed"]
    assert "Choose the face by its number" in seen["failed"]
    assert "Names an action that is not active: JawOpen 0.00" in seen["odds"]
    assert "Names an action" not in seen["fine"]
    assert "operator semanticface.reanalyze_frame" in seen["fine"]


def test_review_leads_from_frame_to_frame_and_keeps_its_marks_beside_the_results(blender: Run) -> None:
    seen = blender("take_work:review")
    assert seen["visited"] == [7, 12, 20]
    assert seen["counters"] == [[0, 3], [0, 3], [0, 3], [1, 3]]
    assert seen["stored"] == {"format": "semanticface-reviewed", "version": 1, "frames": [[12, 12, 1]]}
    assert seen["again"] == [1, 3], "the mark is read again"
    assert seen["rest"] == [7, 20], "what is reviewed is passed over"
    assert seen["gone"] == [0, 3], "and taken away again"
    assert seen["unchanged"], "raw results are never touched"
    assert "can't be written" in seen["refused"] and seen["left"] == []


def test_one_frame_is_analyzed_again_and_keyed_alone_as_one_undo_step(blender: Run) -> None:
    seen = blender("take_work:again", mock={"frames": 60})
    assert seen["error"] == "", seen["notes"]
    before, after = dict(map(tuple, seen["before"])), dict(map(tuple, seen["after"]))
    assert set(after) == set(before), "no key came, none went"
    assert after[11] == pytest.approx(motion(10)["JawOpen"], abs=1e-6) != before[11]
    assert {frame: value for frame, value in after.items() if frame != 11} == pytest.approx(
        {frame: value for frame, value in before.items() if frame != 11}, abs=1e-6
    )
    assert seen["takes"][0] == "take-a" and len(seen["takes"]) == 2 and seen["frames"] == 40
    assert seen["shown"] == pytest.approx(motion(10)["JawOpen"]) and seen["category"] == "test motion"
    assert seen["kept"] == pytest.approx(0.1), "the old result is still in its take"
    assert dict(map(tuple, seen["undone"])) == pytest.approx(before)
    assert seen["reading"] == pytest.approx(0.1), "after undo the old analysis is shown again"
    assert "is not there any more" in seen["moved"] and "clip.mp4" in seen["moved"]


def test_what_was_read_later_hides_what_its_keys_have_replaced_and_nothing_else(blender: Run) -> None:
    seen = blender("take_work:overlays")
    ten = [float(n) for n in range(10)]
    assert seen["INSERT"] == [[n, int(n in {4, 6})] for n in ten], "a frame that failed leaves the key that was there"
    assert seen["REPLACE"] == [[n, int(n in {4, 6, 8})] for n in ten if n not in {5, 7}]
    assert seen["NEW"] == [[4.0, 1], [6.0, 1], [8.0, 1]]


def test_markers_are_named_by_expression_and_never_replace_the_users_own(blender: Run) -> None:
    seen = blender("take_work:markers")
    own = [[1, "mine"], [200, "smile"]]
    assert seen["CHANGES"] == sorted([*own, [1, "smile"], [31, "odd pose"]])
    assert seen["REVIEW"] == sorted([*own, [8, "no face"], [13, "smile"], [21, "smile"]])
    assert len(seen["ALL"]) == 42
    assert seen["renamed"] == sorted([*own, [1, "smile"], [31, "odd pose"], [31, "the turn"]]), "renamed is the user's"
    assert len(seen["undone"]) == 42, "each run is one undo step"


@pytest.mark.parametrize("kind", ["FOLDER", "ACTION"])
def test_two_takes_are_compared_frame_by_frame(blender: Run, kind: str) -> None:
    seen = blender("take_work:comparison")
    part = seen[kind]
    moments = [frame for frame in range(5, 40) if frame not in {7}]
    assert part["frames"] == [frame + 1 for frame in moments]
    jaw = [frame / 50 - (0 if frame in {12, 20} else frame / 100) for frame in moments]
    rms = (sum(value**2 for value in jaw) / len(jaw)) ** 0.5
    assert part["actions"][0] == ["JawOpen", pytest.approx(rms)]
    assert part["actions"][1] == ["HeadYaw", pytest.approx((0.25**2 / len(jaw)) ** 0.5)]
    assert len(part["actions"]) == 2, "actions that are equal are not named"
    assert part["there"] == [["JawOpen", pytest.approx(0.33)], ["HeadYaw", pytest.approx(-0.25)]]


def test_the_panel_compares_at_the_playhead_and_switches_between_the_takes(blender: Run) -> None:
    seen = blender("take_work:comparison")
    text = _text(seen["drawn"])
    assert "A: odd pose" in text and "B: grin" in text
    assert "JawOpen 0.33 0.66 0.33" in text and "HeadYaw 0.00 -0.25 -0.25" in text
    assert f"Show {seen['names'][1]}" not in text and "operator semanticface.show_action" in text
    assert seen["went"] == "" and seen["frame"] > 1
    values = [value for value, _ in seen["jaw"]]
    assert values == pytest.approx([0.33, 0.66, 0.33]) and [keys for _, keys in seen["jaw"]] == [39, 45, 39]
    assert seen["shown"] == ["grin", "odd pose"], "the analysis goes along"
    assert seen["b"] == [seen["names"][0], seen["names"][1]], "what was A is B now"
    assert seen["undone"][0] == pytest.approx(0.66), "switching is one undo step"


@pytest.mark.clock
def test_a_file_brings_the_analysis_of_its_keys_along(blender: Run) -> None:
    seen = blender("take_work:opened_file")
    assert seen["empty"] and seen["loaded"] == seen["count"] == seen["rows"] == 40
    assert seen["longest"] < 0.05
    text = _text(seen["drawn"])
    assert (
        "take-aisgone" in text.replace(" ", "")
        and "put its folder back" in text
        and "operator semanticface.load_analysis" in text
    )
    assert seen["retried"] == "" and seen["back"] == 40


@pytest.mark.clock
def test_ten_thousand_frames_never_hold_blender_up(blender: Run) -> None:
    seen = blender("take_work:ten_thousand")
    assert seen["rows"] == 10_000 and seen["checked"] > 500, seen
    assert seen["asked"] < 0.01
    assert seen["busiest"] < 0.01, "the main thread's own time, whatever else runs on the machine"
    assert seen["over"] <= seen["ticks"] // 20, seen
    assert seen["filtering"] < 0.05 and seen["again"] < 0.02 and seen["moving"] < 0.01, seen


@pytest.mark.clock
def test_thumbnails_come_from_the_backend_and_are_kept(blender: Run) -> None:
    seen = blender("take_work:pictures", mock={"frames": 60, "faults": {"5": "unreadable"}})
    assert seen["without"] == 0
    assert seen["made"] == 39 and seen["failed"] == 1, "one file a frame that has a picture"
    assert seen["known"] == 40, "the one that has none isn't asked for again"
    assert not seen["free"] and seen["from_disk"] == 40, "kept files need no backend"
    assert seen["jpeg"] and seen["longest"] < 0.05


def test_thumbnails_of_real_footage_show_it(blender: Run) -> None:
    backend = f"{sys.executable} -m semanticface.server"
    seen = blender("take_work:pictures", footage=str(SAMPLE), backend=backend)
    assert seen["made"] == 40 and seen["failed"] == 0 and seen["jpeg"]
    assert Path(seen["first"]).stat().st_size > 500


def test_an_older_backend_is_not_asked_for_thumbnails(blender: Run) -> None:
    seen = blender("take_work:old_backend", mock={"protocol": [1, 1]})
    assert seen["made"] == 0 and seen["tasks"] == 0
    assert "list rows" in _text(seen["drawn"])
