"""What Live Link Face CSV files of ours and of the app hold, and what is refused."""

from __future__ import annotations

import csv
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.actions import CSV_ORDER
from semanticface.errors import ExchangeError, OptionsError
from semanticface.exchange.livelink_csv import (
    TICKS_PER_DAY,
    WithoutFace,
    format_timecode,
    parse_timecode,
    read_livelink_csv,
    write_livelink_csv,
)
from semanticface.results import FrameResult, Status

# As the app prints it; typed here and not taken from `actions`, so that a slip there shows.
PUBLISHED_HEADER = (
    "Timecode,BlendshapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)
ASYMMETRIC = {
    "JawLeft": 0.1,
    "JawRight": 0.2,
    "MouthLeft": 0.3,
    "MouthRight": 0.4,
    "MouthSmileLeft": 0.5,
    "MouthSmileRight": 0.6,
    "HeadYaw": -0.25,
    "HeadPitch": 0.125,
    "HeadRoll": -0.375,
    "LeftEyeYaw": 0.0625,
    "RightEyeYaw": -0.5,
}


def test_header_is_the_published_one(tmp_path, frame):
    write_livelink_csv(tmp_path / "out.csv", [frame(0, 0.0)])
    text = (tmp_path / "out.csv").read_bytes()
    assert text.startswith(PUBLISHED_HEADER.encode() + b"\n00:00:00:00.000,61,0.0000000000,")
    assert text.endswith(b"0.0000000000\n")
    assert b"\r" not in text


def test_asymmetric_frame_stands_in_the_right_columns(tmp_path, frame):
    write_livelink_csv(tmp_path / "out.csv", [frame(0, 0.0, **ASYMMETRIC)])
    lines = (tmp_path / "out.csv").read_text().splitlines()
    cells = dict(zip(PUBLISHED_HEADER.split(","), lines[1].split(","), strict=True))
    assert {name: float(cells[name]) for name in ASYMMETRIC} == ASYMMETRIC
    # By column number as well, counted in the published header: JawRight 17, JawLeft 18, MouthRight 23, MouthLeft 24.
    row = lines[1].split(",")
    assert [float(row[i]) for i in (17, 18, 23, 24)] == [0.2, 0.1, 0.4, 0.3]


def test_asymmetric_frame_survives_writer_and_reader(tmp_path, frame):
    path = tmp_path / "out.csv"
    write_livelink_csv(path, [frame(0, 0.0, **ASYMMETRIC)])
    values = read_livelink_csv(path).rows[0].coefficients
    assert values == dict.fromkeys(CSV_ORDER, 0.0) | ASYMMETRIC


def test_columns_are_read_by_name_in_any_order_case_and_spelling(tmp_path, frame):
    path = tmp_path / "out.csv"
    write_livelink_csv(path, [frame(0, 0.5, **ASYMMETRIC)])
    with path.open() as handle:
        rows = [list(reversed(row)) for row in csv.reader(handle)]
    rows[0] = [name.lower().replace("blendshapecount", "BlendShapeCount") for name in rows[0]]
    rows[0].append("Comment")
    rows[1].append("a note")
    path.write_bytes(("\ufeff" + "\r\n".join(",".join(row) for row in rows)).encode())
    recording = read_livelink_csv(path)
    assert recording.ignored_columns == ("Comment",)
    assert recording.rows[0].seconds == 0.5
    assert recording.rows[0].coefficients == dict.fromkeys(CSV_ORDER, 0.0) | ASYMMETRIC


def test_real_recording_round_trips(tmp_path, real_recording):
    recording = read_livelink_csv(real_recording)
    assert len(recording.rows) == 4030
    assert recording.rows[0].seconds == (13 * 3600 + 13 * 60 + 4) + 31.652 / 60
    times = recording.elapsed()
    frames = [
        FrameResult(i, times[i], Status.OK, row.coefficients)
        for i, row in enumerate(recording.rows)
        if row.coefficients
    ]
    out = tmp_path / "again.csv"
    report = write_livelink_csv(out, frames, start=recording.rows[0].timecode)
    assert report.rows == 4030 and report.without_coefficients == ()
    theirs, ours = (path.read_text().splitlines()[1:] for path in (real_recording, out))
    assert [line.split(",")[1:] for line in ours] == [line.split(",")[1:] for line in theirs]
    apart = [
        abs(parse_timecode(a.split(",")[0]) - parse_timecode(b.split(",")[0]))
        for a, b in zip(ours, theirs, strict=True)
    ]
    assert max(apart) <= 1  # in thousandths of a 1/60 s frame


@pytest.mark.parametrize(
    ("time", "printed"),
    [
        (0.0, "00:00:00:00.000"),
        (1 / 30, "00:00:00:02.000"),
        (1001 / 60000, "00:00:00:01.001"),
        (0.9999999, "00:00:01:00.000"),  # 59.999994 sixtieths: the carry goes up
        (59.9999999, "00:01:00:00.000"),
        (3599.9999999, "01:00:00:00.000"),
        (86400.5, "00:00:00:30.000"),
    ],
)
def test_timecode_counts_sixtieths_and_carries(tmp_path, frame, time, printed):
    write_livelink_csv(tmp_path / "out.csv", [frame(0, time)])
    assert (tmp_path / "out.csv").read_text().splitlines()[1].split(",")[0] == printed


@given(st.integers(0, TICKS_PER_DAY - 1))
def test_timecode_parses_back(ticks):
    assert parse_timecode(format_timecode(ticks)) == ticks


def test_passing_midnight_goes_on_counting(tmp_path, frame):
    path = tmp_path / "night.csv"
    write_livelink_csv(path, [frame(i, i / 2) for i in range(4)], start="23:59:59:00.000")
    assert [row.timecode[:8] for row in read_livelink_csv(path).rows] == ["23:59:59"] * 2 + ["00:00:00"] * 2
    assert read_livelink_csv(path).elapsed() == [0.0, 0.5, 1.0, 1.5]


def test_frames_without_a_face_follow_the_policy_and_are_counted(tmp_path, frame):
    path = tmp_path / "out.csv"
    faces = [frame(0, 0.0, face=False), frame(1, 0.1, JawOpen=0.5), frame(2, 0.2, face=False), frame(3, 0.3)]

    skip = write_livelink_csv(path, faces)
    assert (skip.rows, skip.skipped, skip.held, skip.neutral) == (2, (0, 2), (), ())
    assert [row.seconds for row in read_livelink_csv(path).rows] == [0.1, 0.3]

    hold = write_livelink_csv(path, faces, without_face=WithoutFace.HOLD)
    assert (hold.rows, hold.skipped, hold.held) == (3, (0,), (2,))
    assert [row.coefficients["JawOpen"] for row in read_livelink_csv(path).rows] == [0.5, 0.5, 0.0]

    neutral = write_livelink_csv(path, faces, without_face=WithoutFace.NEUTRAL)
    assert (neutral.rows, neutral.neutral, neutral.without_coefficients) == (4, (0, 2), (0, 2))


def test_stills_need_a_rate(tmp_path, frame):
    path = tmp_path / "out.csv"
    with pytest.raises(ExchangeError, match="frame 30 has no time"):
        write_livelink_csv(path, [frame(30, None)])
    write_livelink_csv(path, [frame(30, None)], rate=Fraction(30000, 1001))
    assert read_livelink_csv(path).rows[0].timecode == "00:00:01:00.060"


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path, frame):
    path = tmp_path / "out.csv"
    path.write_text("before")
    for bad in ([frame(0, 1.0), frame(1, 1.0)], [frame(0, 0.0, JawOpen=float("nan"))]):
        with pytest.raises(ExchangeError, match="frame"):
            write_livelink_csv(path, bad)
    with pytest.raises(OptionsError, match="start timecode"):
        write_livelink_csv(path, [], start="soon")
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    assert path.read_text() == "before"
    with pytest.raises(ExchangeError, match="can't be written"):
        write_livelink_csv(tmp_path / "nowhere" / "out.csv", [])


ZEROS = ",".join(["0.0"] * 61)


@pytest.mark.parametrize("row", ["00:00:00:01.000,0," + "," * 60, "00:00:00:01.000,0", "00:00:00:01.000,61,0.1,0.2"])
def test_a_row_without_a_face_has_a_time_and_no_coefficients(tmp_path, row):
    path = tmp_path / "lost.csv"
    path.write_text(f"{PUBLISHED_HEADER}\n{row}\n00:00:00:02.000,61,{ZEROS}\n")
    first, second = read_livelink_csv(path).rows
    assert first.coefficients is None and first.ticks == 1000
    assert second.coefficients is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a,b,c\n", "line 1: no column timecode"),
        (PUBLISHED_HEADER.replace("JawOpen", "JawOpne") + "\n", "line 1: no column JawOpen"),
        (PUBLISHED_HEADER + ",jawopen\n", "line 1: column jawopen is there twice"),
        (f"{PUBLISHED_HEADER}\n00:00:00:60.000,61,{ZEROS}\n", "line 2: '00:00:00:60.000' is not a timecode"),
        (f"{PUBLISHED_HEADER}\n00:00:00:00.000,61,nan{ZEROS[3:]}\n", "line 2: EyeBlinkLeft is 'nan'"),
        (f"{PUBLISHED_HEADER}\n00:00:00:00.000,61,1e999{ZEROS[3:]}\n", "line 2: EyeBlinkLeft is '1e999'"),
        (f"{PUBLISHED_HEADER}\n00:00:00:00.000,61,{ZEROS},7\n", "line 2: 64 cells under 63 columns"),
        (f"{PUBLISHED_HEADER}\n{'9' * 9000}\n", "line 2: longer than"),
    ],
)
def test_what_is_not_a_recording_is_refused_with_its_place(tmp_path, content, message):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(ExchangeError, match=r"bad\.csv") as caught:
        read_livelink_csv(path)
    assert message in str(caught.value)


def test_binary_and_absent_files_are_refused(tmp_path):
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    with pytest.raises(ExchangeError, match="not UTF-8"):
        read_livelink_csv(tmp_path / "image.csv")
    with pytest.raises(ExchangeError, match="can't be read"):
        read_livelink_csv(tmp_path / "absent.csv")


def test_a_recording_that_counts_thirtieths_is_known_by_its_rows_and_read_at_its_true_times(tmp_path):
    def written(name, base, rate, seconds):
        weights = ",".join(["0"] * 61)
        labels = [divmod(number * base, rate * base) for number in range(rate * seconds)]
        rows = [f"10:00:{whole:02}:{part / rate:06.3f},61,{weights}" for whole, part in labels]
        (tmp_path / name).write_text("\n".join([PUBLISHED_HEADER, *rows]) + "\n")
        return read_livelink_csv(tmp_path / name)

    for rate in (24, 30):
        thirtieths, sixtieths = written("30.csv", 30, rate, 4), written("60.csv", 60, rate, 4)
        assert (thirtieths.base, sixtieths.base) == (30, 60)
        true = [number / rate for number in range(rate * 4)]
        assert thirtieths.elapsed() == pytest.approx(true, abs=1e-4) == sixtieths.elapsed()
    # Too short, or too slow, to tell: as it has always been.
    assert written("short.csv", 30, 30, 2).base == 60
    assert written("slow.csv", 60, 2, 20).base == 60
