"""The fake importer of Live Link Face CSVs takes, refuses and misreads what Unreal's does."""

from __future__ import annotations

import pytest
from unreal_livelink_csv import Refused, parsed, subject

HEAD = "Timecode,BlendshapeCount,JawRight,JawLeft\n"


def test_keys_lie_at_the_time_of_day_and_go_by_the_columns_names() -> None:
    found = parsed(HEAD + "13:13:04:30.000,61,0.25,0.5\n")
    assert found.keys == {
        "JawRight": [(47584 * 24000 + 12000, 0.25)],
        "JawLeft": [(47584 * 24000 + 12000, 0.5)],
    }
    assert found.source == (13, 13, 4, 30)
    assert found.errors == ()


def test_the_last_field_counts_sixtieths() -> None:
    assert parsed(HEAD + "00:00:01:06.000,61,1,0\n").keys["JawRight"] == [(24000 + 2400, 1.0)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Time,BlendShapeCount,A\n00:00:00:00,1,0\n", "first column"),
        ("Timecode,Count,A\n00:00:00:00,1,0\n", "second column"),
        ("Timecode,BlendShapeCount\n00:00:00:00,1\n", "more than 2 columns"),
    ],
)
def test_a_file_with_another_header_is_refused(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        parsed(text)


def test_both_spellings_of_the_count_are_taken() -> None:
    assert parsed(HEAD.replace("shape", "Shape") + "00:00:00:00.000,61,1,0\n").rows == 1


def test_a_row_with_an_empty_cell_ends_the_import() -> None:
    found = parsed(HEAD + "00:00:00:00.000,61,1,0\n00:00:00:01.000,61,,0\n00:00:00:02.000,61,1,0\n")
    assert found.rows == 1
    assert "found 3, expected 4). Aborting!" in found.errors[0]


def test_a_broken_timecode_loses_its_row_alone() -> None:
    found = parsed(HEAD + "00:00:00,61,1,0\n00:00:00:30.000,61,1,0\n")
    assert found.keys["JawRight"] == [(12000, 1.0)]
    assert "malformed timecode" in found.errors[0]


def test_a_header_alone_is_taken_for_a_recording_of_nothing() -> None:
    found = parsed(HEAD)
    assert (found.columns, found.rows) == ((), 0)


def test_an_extra_column_becomes_a_property() -> None:
    assert parsed("Timecode,BlendShapeCount,A,Note\n00:00:00:00.000,61,1,x\n").keys["Note"] == [(0, 0.0)]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("MySlate_1_iPhone_cal", "MySlate_1_iPhone"),
        ("MySlate_1_iPhone", "MySlate_1_iPhone"),
        ("My_Slate_1_iPhone", "iPhone"),
        ("Face", "Face"),
        ("a_b_c_d", "a_b_c_d"),
        ("_cal", "_cal"),
    ],
)
def test_the_subject_comes_from_the_assets_name(name: str, found: str) -> None:
    assert subject(name) == found
