"""A row is paired with the picture that was taken when the row was: proved by reading the number off each picture."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from take_kit import coefficients, number_in_file, timecode

from semanticface.errors import InputError
from semanticface_training.dataset.alignment import CAMERA_DROPPED, NO_FACE, NO_ROW, TOO_LATE
from semanticface_training.dataset.build import build, plan
from semanticface_training.dataset.plan import Options
from semanticface_training.dataset.table import Dataset

EVERY = Options(rate=None)
Take = Callable[..., Path]


def shown_and_meant(found: Dataset) -> list[tuple[int, int]]:
    """(number in the picture, number that the coefficients were made for), row by row."""
    numbers = [round(row.coefficients["JawOpen"] * 4096) for row in found.rows]
    return [(number_in_file(found.image_path(place)), meant) for place, meant in enumerate(numbers)]


def reasons(found: Dataset) -> dict[str, int]:
    return dict(found.header["counts"]["dropped_because"])


def test_two_rows_a_second_by_default_each_with_its_own_picture(take: Take, tmp_path: Path) -> None:
    found = build([take(frames=70)], tmp_path / "out", Options())
    assert [row.frame for row in found.rows] == [0, 15, 30, 45, 60]
    assert shown_and_meant(found) == [(n, n) for n in (0, 15, 30, 45, 60)]
    assert [row.timecode for row in found.rows][1] == "10:00:00:30.000"


def test_values_are_the_recordings_own_by_name(take: Take, tmp_path: Path) -> None:
    found = build([take(frames=40)], tmp_path / "out", Options())
    wanted = coefficients(15, "anna")
    assert {name: pytest.approx(value, abs=1e-7) for name, value in wanted.items()} == dict(found.rows[1].coefficients)
    assert found.rows[1].coefficients["JawRight"] != found.rows[1].coefficients["JawLeft"]


def test_rows_at_sixty_hertz_meet_the_frames_at_thirty(take: Take, tmp_path: Path) -> None:
    found = build([take(frames=30, row_rate=Fraction(60))], tmp_path / "out", EVERY)
    assert shown_and_meant(found) == [(n, n) for n in range(30)]


def test_rows_that_drift_against_the_frames_keep_to_the_nearest(take: Take, tmp_path: Path) -> None:
    """59.904 rows a second, as newer recordings step by 1.0016 sixtieths."""
    folder = take(frames=90, row_rate=Fraction(59_904, 1000))
    found = build([folder], tmp_path / "out", EVERY)
    assert len(found) == 90
    assert all(abs(shown - meant) <= 1 for shown, meant in shown_and_meant(found))
    off = [abs(Fraction(row.frame, 30) - _seconds(row.timecode)) for row in found.rows]
    assert max(off) <= Fraction(1, 100)


def _seconds(label: str) -> Fraction:
    hours, minutes, seconds, frames = label.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + Fraction(frames) / 60 - 36_000


def test_a_video_that_starts_later_than_the_rows_is_shifted_by_its_timecode(take: Take, tmp_path: Path) -> None:
    early = take(rows=lambda rows: [(time - Fraction(1, 3), values) for time, values in rows])
    found = build([early], tmp_path / "out", EVERY)
    assert shown_and_meant(found) == [(n - 10, n) for n in range(10, 90)]


def test_frames_that_the_camera_lost_shift_nothing(take: Take, tmp_path: Path) -> None:
    """The picture at place 50 of the video is the one captured 53rd; the rows of the lost ones go."""
    found = build([take(lost=(20, 21, 40))], tmp_path / "out", EVERY)
    captured = [n for n in range(90) if n not in (20, 21, 40)]
    assert shown_and_meant(found) == list(enumerate(captured))
    assert reasons(found) == {CAMERA_DROPPED: 3}


def test_the_log_knows_of_lost_frames_that_the_videos_own_times_hide(take: Take, tmp_path: Path) -> None:
    found = build([take(lost=(20, 21, 40), closed_up=True)], tmp_path / "out", EVERY)
    assert shown_and_meant(found) == list(enumerate(n for n in range(90) if n not in (20, 21, 40)))


def test_a_log_that_counts_thirtieths_means_the_same_times(take: Take, tmp_path: Path) -> None:
    start = Fraction(36_000) + Fraction(7, 10)
    found = build([take(log_base=30, start=start)], tmp_path / "out", EVERY)
    assert shown_and_meant(found) == [(n, n) for n in range(90)]


def test_without_a_log_the_videos_timecode_track_tells_the_start(take: Take, tmp_path: Path) -> None:
    """The track counts thirtieths: 09:59:59:20 is a third of a second before the first row."""
    found = build([take(log=False, timecode_track="09:59:59:20", frames=60)], tmp_path / "out", EVERY)
    assert shown_and_meant(found) == [(n + 10, n) for n in range(50)]
    assert reasons(found) == {TOO_LATE: 10}


@pytest.mark.parametrize(("start", "shift"), [("10:00:00:15", 15), ("first-row", 0)])
def test_a_given_start_stands_in_where_nothing_tells(take: Take, tmp_path: Path, start: str, shift: int) -> None:
    found = build([take(log=False)], tmp_path / "out", Options(rate=None, start=start))
    assert shown_and_meant(found) == [(n - shift, n) for n in range(shift, 90)]


def test_without_any_start_the_take_is_refused(take: Take) -> None:
    with pytest.raises(InputError, match=r"scene_1_anna\.mov.*no frame_log\.csv.*no timecode track"):
        plan([take(log=False)], EVERY)


def test_midnight_is_passed_in_the_middle_of_a_take(take: Take, tmp_path: Path) -> None:
    found = build([take(start=Fraction(86_399))], tmp_path / "out", EVERY)
    assert shown_and_meant(found) == [(n, n) for n in range(90)]
    assert found.rows[0].timecode.startswith("23:59:59") and found.rows[-1].timecode.startswith("00:00:01")


def test_midnight_between_the_videos_start_and_the_first_row(take: Take, tmp_path: Path) -> None:
    folder = take(start=Fraction(86_400) - Fraction(1, 6), rows=lambda rows: rows[6:])
    found = build([folder], tmp_path / "out", EVERY)
    assert shown_and_meant(found)[0] == (6, 6) and len(found) == 84


def test_a_gap_in_the_rows_leaves_a_gap_and_moves_nothing(take: Take, tmp_path: Path) -> None:
    found = build([take(rows=lambda rows: rows[:25] + rows[50:])], tmp_path / "out", Options())
    assert shown_and_meant(found) == [(n, n) for n in (0, 15, 60, 75)]
    assert reasons(found) == {NO_ROW: 2}


def test_rows_without_a_face_become_no_rows(take: Take, tmp_path: Path) -> None:
    folder = take(rows=lambda rows: [(time, None if n == 15 else values) for n, (time, values) in enumerate(rows)])
    found = build([folder], tmp_path / "out", Options())
    assert [row.frame for row in found.rows] == [0, 30, 45, 60, 75]
    assert reasons(found) == {NO_FACE: 1}
    assert "the app had no face: line 17 (10:00:00:30.000)" in (tmp_path / "out" / "README.md").read_text()


def test_a_real_recording_finds_its_frames(take: Take, tmp_path: Path, shared: Path) -> None:
    """Rows of a range-of-motion recording by the app, at 30 Hz with its own gaps."""
    from semanticface.exchange.livelink_csv import read_livelink_csv

    rows = read_livelink_csv(shared / "data" / "livelink" / "alex_rom_3.csv").rows[:300]
    start = Fraction(rows[0].ticks, 60_000)
    real = [(Fraction(row.ticks, 60_000), row.coefficients) for row in rows]
    found = build([take(frames=310, start=start, rows=lambda _: real)], tmp_path / "out", EVERY)
    by_label = {timecode(time): values for time, values in real}
    assert len(found) > 290
    for place, row in enumerate(found.rows):
        assert number_in_file(found.image_path(place)) == row.frame
        assert abs(_seconds(row.timecode) + 36_000 - start - Fraction(row.frame, 30)) <= Fraction(1, 59)
        assert row.coefficients["JawOpen"] == pytest.approx(by_label[row.timecode]["JawOpen"], abs=1e-6)
