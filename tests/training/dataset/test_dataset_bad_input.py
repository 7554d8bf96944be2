"""What can't be built is refused before anything is decoded, by the file's name and the row's line."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from take_kit import coefficients, picture, write_csv

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError, SemanticFaceError
from semanticface_training.dataset.build import build, plan
from semanticface_training.dataset.plan import Options
from semanticface_training.dataset.split import SplitRule

Take = Callable[..., Path]


def refusal(path: Path, out: Path, options: Options | None = None) -> str:
    """The error's words; nothing may have been written."""
    with pytest.raises(SemanticFaceError) as caught:
        build([path], out, options or Options())
    assert not out.exists()
    return str(caught.value)


def test_a_csv_without_a_video(take: Take, tmp_path: Path) -> None:
    folder = take()
    (folder / "scene_1_anna.mov").unlink()
    assert "scene_1_anna.csv: there is no video beside it" in refusal(folder, tmp_path / "out")


def test_a_csv_alone_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    write_csv(tmp_path / "alone" / "a_1_b.csv", [(Fraction(1), coefficients(1))])
    assert "a_1_b.csv: there is no video beside it" in refusal(tmp_path / "alone", tmp_path / "out")


def test_a_depth_take_says_that_it_has_no_coefficients(take: Take, tmp_path: Path) -> None:
    folder = take()
    (folder / "scene_1_anna.csv").unlink()
    (folder / "depth_data.bin").write_bytes(b"")
    assert "depth take of MetaHuman Animator" in refusal(folder, tmp_path / "out")


def test_a_wrong_header(take: Take, tmp_path: Path) -> None:
    folder = take()
    file = folder / "scene_1_anna.csv"
    file.write_text(file.read_text().replace("JawOpen", "JawWide", 1))
    assert "scene_1_anna.csv, line 1: no column JawOpen" in refusal(folder, tmp_path / "out")


def test_rows_that_go_backwards(take: Take, tmp_path: Path) -> None:
    folder = take(rows=lambda rows: rows[:20] + rows[10:])
    said = refusal(folder, tmp_path / "out")
    assert "scene_1_anna.csv, line 22: timecode 10:00:00:20.000 is not later than 10:00:00:38.000 in line 21" in said


def test_two_takes_of_a_subject_at_one_time(take: Take, tmp_path: Path) -> None:
    take("one")
    take("two", start=Fraction(36_001))
    said = refusal(tmp_path / "takes", tmp_path / "out")
    assert "time codes of subject 'anna' overlap: one from scene_1_anna.csv, line 2 (10:00:00:00.000)" in said
    assert len(plan([tmp_path / "takes"], Options(overlap=True))) == 2


def test_the_same_time_on_another_day_is_no_overlap(take: Take, tmp_path: Path) -> None:
    take("one")
    take("two", start=Fraction(36_001), date="2026-03-06T09:00:00Z")
    assert len(plan([tmp_path / "takes"], Options())) == 2


def test_the_same_recording_twice(take: Take, tmp_path: Path) -> None:
    take("one")
    take("two", date="")
    assert "one and two hold the same recording" in refusal(tmp_path / "takes", tmp_path / "out")


def test_a_subject_in_two_splits(take: Take, tmp_path: Path) -> None:
    options = Options(split=SplitRule(val=("anna",), test=("anna",)))
    assert "subject 'anna' is in two splits: val and test" in refusal(take(), tmp_path / "out", options)


def test_a_video_shorter_than_the_csv(take: Take, tmp_path: Path) -> None:
    def longer(rows: list) -> list:
        return rows + [(rows[-1][0] + Fraction(n, 30), rows[-1][1]) for n in range(1, 61)]

    folder = take(rows=longer)
    said = refusal(folder, tmp_path / "out")
    assert "scene_1_anna.csv, line 93: the video is shorter than the CSV by 2.0 s" in said
    found = build([folder], tmp_path / "out", Options(short_video=True))
    assert found.header["counts"]["dropped_because"] == {"the video ends before this row": 4}


def test_a_video_of_another_clock(take: Take, tmp_path: Path) -> None:
    folder = take(rows=lambda rows: [(time + 7200, values) for time, values in rows])
    said = refusal(folder, tmp_path / "out")
    assert "scene_1_anna.csv, line 2: timecode 12:00:00:00.000 is +7200.0 s from the video's start" in said


def test_a_video_that_is_none(take: Take, tmp_path: Path) -> None:
    folder = take()
    (folder / "scene_1_anna.mov").write_bytes(b"no video at all")
    assert "scene_1_anna.mov: can't be opened as a video" in refusal(folder, tmp_path / "out")


def test_a_damaged_frame_log(take: Take, tmp_path: Path) -> None:
    folder = take()
    (folder / "frame_log.csv").write_text("V,0,5,600,10:00:00:00.000,0\nV,1,25,0,10:00:00:02.000,0\n")
    assert "frame_log.csv, line 2" in refusal(folder, tmp_path / "out")


def test_several_bad_takes_are_told_of_at_once(take: Take, tmp_path: Path) -> None:
    (take("one") / "scene_1_anna.mov").unlink()
    (take("two", subject="ben") / "scene_1_ben.csv").write_text("Timecode\n")
    said = refusal(tmp_path / "takes", tmp_path / "out")
    assert "scene_1_anna.csv" in said and "scene_1_ben.csv, line 1" in said


def test_a_picture_that_cant_be_read(tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:-40])
    lines = [{"image": name, "take": "t", "coefficients": coefficients(1)} for name in ("a.png", "b.png")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InputError, match=r"row t/1: .*b\.png"):
        build([tmp_path / "rows.jsonl"], tmp_path / "out", Options())


def test_a_row_without_its_picture(tmp_path: Path) -> None:
    line = {"image": "nowhere.png", "coefficients": coefficients(1)}
    (tmp_path / "rows.jsonl").write_text(json.dumps(line) + "\n")
    said = refusal(tmp_path / "rows.jsonl", tmp_path / "out")
    assert "rows.jsonl, line 1" in said and "nowhere.png" in said


def test_a_row_with_a_coefficient_too_few(tmp_path: Path) -> None:
    values = {name: 0.0 for name in CSV_ORDER if name != "MouthLeft"}
    (tmp_path / "rows.jsonl").write_text(json.dumps({"image": "a.png", "coefficients": values}) + "\n")
    assert "rows.jsonl, line 1: coefficients MouthLeft" in refusal(tmp_path / "rows.jsonl", tmp_path / "out")


def test_a_folder_with_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "nothing to build a dataset from" in refusal(tmp_path / "empty", tmp_path / "out")
