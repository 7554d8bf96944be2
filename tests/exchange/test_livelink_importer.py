"""Exported files as Unreal's Live Link Face Importer reads them: every row, at its time, under the expected subject.

The importer is modelled here from what its source does, apart from all of our own reading and writing.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.cli.export import run_export
from semanticface.cli.output import ExitCode
from semanticface.exchange.livelink_import import remarks_on, subject_of
from semanticface.results import FrameResult, Status
from semanticface.take import TakeHeader, TakeWriter

TICKS = 24_000
"""Ticks a second of a Level Sequence. The importer rounds down to them."""
ONE_TICK = 1 / TICKS


@dataclass
class Imported:
    subject: str
    properties: list[str]
    keys: list[tuple[int, list[float]]]
    """(tick, values)"""
    source: tuple[int, int, int, float]
    base: int
    complaints: list[str]


def unreal_imports(path: Path, guesses: bool) -> Imported:
    """`guesses`: as in 5.8, where the base of the timecode's last field is found from the rows; before it was 60."""
    lines = [line for line in path.read_bytes().decode().replace("\r\n", "\n").split("\n") if line]
    header = culled(lines[0])
    assert len(lines) >= 2 and len(header) >= 3, "refused"
    assert [cell.lower() for cell in header[:2]] == ["timecode", "blendshapecount"], "refused"
    rows = [culled(line) for line in lines[1:]]
    base = 60
    if guesses and all(len(row[0].split(":")) == 4 for row in rows):
        base = 60 if any(float(row[0].split(":")[3]) > 30.0 for row in rows) else 30
    out = Imported(subject_rule(path.stem), header[2:], [], (0, 0, 0, 0.0), base, [])
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            out.complaints.append(f"line {number}: {len(row)} cells, aborting")
            break
        parts = row[0].split(":")
        if len(parts) != 4:
            out.complaints.append(f"line {number}: malformed timecode")
            out.keys.append((0, []))
            continue
        hours, minutes, seconds, part = int(parts[0]), int(parts[1]), int(parts[2]), float(parts[3])
        time = float(hours * 3600 + minutes * 60 + seconds) + part / base
        if not out.keys:
            out.source = (hours, minutes, seconds, part)
        out.keys.append((math.floor(time * TICKS), [float(cell) for cell in row[2:]]))
    return out


def culled(line: str) -> list[str]:
    return [cell for cell in line.split(",") if cell]


def subject_rule(name: str) -> str:
    asset = "".join("_" if letter in "\"' ,/.:|&!~\n\r\t@#(){}[]=;^%$`\\*?<>" else letter for letter in name)
    subject = asset.removesuffix("_cal").removesuffix("_raw").removesuffix("_neutral")
    tokens = subject.split("_")
    if len(tokens) > 3:
        tokens.pop(0)
        while tokens:
            if tokens.pop(0).replace(".", "", 1).lstrip("+-").isdecimal():
                break
        subject = "_".join(tokens) if tokens else subject
    return subject or asset


def take(folder: Path, rate: Fraction, frames: list[int], timecode: str = "", faceless: tuple[int, ...] = ()) -> Path:
    header = TakeHeader({}, rate, {"name": "mock"}, {}, "k", timecode=timecode)
    with TakeWriter(folder, header) as writer:
        for frame in frames:
            time = float(frame / rate)
            if frame in faceless:
                writer.append(FrameResult(frame, time, Status.NO_FACE))
                continue
            values = {name: round(0.01 * place + 1e-5 * frame, 6) for place, name in enumerate(CSV_ORDER)}
            writer.append(FrameResult(frame, time, Status.OK, values | {"HeadYaw": -0.25, "TongueOut": 1e-9}))
    return folder


def exported(tmp_path: Path, source: Path, start: str = "", missing: str = "skip", name: str = "shot") -> Path:
    out = tmp_path / f"{name}.csv"
    assert run_export(source, "livelink-csv", out, missing, start, False) is ExitCode.OK
    return out


RATES = [
    Fraction(12),
    Fraction(24),
    Fraction(25),
    Fraction(30),
    Fraction(48),
    Fraction(50),
    Fraction(60),
    Fraction(120),
]
RATES += [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(15000, 1001)]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_every_row_is_imported_at_its_time_to_one_tick(tmp_path, rate):
    frames = list(range(0, int(70 * rate), 31))
    path = exported(tmp_path, take(tmp_path / "take", rate, frames))
    for guesses in (False, True):
        seen = unreal_imports(path, guesses)
        assert seen.complaints == [] and len(seen.keys) == len(frames) and seen.base == 60
        left, right = seen.properties.index("JawLeft"), seen.properties.index("JawRight")
        for frame, (tick, values) in zip(frames, seen.keys, strict=True):
            assert abs(tick / TICKS - float(frame / rate)) < 1.5 * ONE_TICK
            assert (values[left], values[right]) == (round(0.16 + 1e-5 * frame, 6), round(0.15 + 1e-5 * frame, 6))
        ticks = [tick for tick, _ in seen.keys]
        assert ticks == sorted(set(ticks))


def test_all_61_values_arrive_under_their_names(tmp_path):
    seen = unreal_imports(exported(tmp_path, take(tmp_path / "take", Fraction(24), [0, 30])), True)
    assert sorted(seen.properties) == sorted(CSV_ORDER)
    values = dict(zip(seen.properties, seen.keys[0][1], strict=True))
    assert values["HeadYaw"] == -0.25 and values["MouthRight"] == pytest.approx(0.01 * CSV_ORDER.index("MouthRight"))
    assert values["MouthLeft"] == pytest.approx(0.01 * CSV_ORDER.index("MouthLeft"))


@pytest.mark.parametrize(("missing", "rows"), [("skip", 57), ("hold", 59), ("neutral", 60)])
def test_gaps_cost_no_other_row_its_place(tmp_path, missing, rows):
    source = take(tmp_path / "take", Fraction(24), list(range(60)), faceless=(0, 20, 21))
    seen = unreal_imports(exported(tmp_path, source, missing=missing), True)
    assert seen.complaints == [] and len(seen.keys) == rows
    by_frame = {round(tick / TICKS * 24): values for tick, values in seen.keys}
    assert by_frame[22][16] == pytest.approx(0.16022)
    assert (20 in by_frame) == (missing != "skip")
    if missing == "hold":
        assert by_frame[21] == by_frame[19] and 0 not in by_frame


@pytest.mark.parametrize(
    ("rate", "timecode", "source"),
    [
        (Fraction(24), "13:13:04:12", (13, 13, 4, 30.0)),
        (Fraction(30000, 1001), "01:00:00;02", (1, 0, 0, 4.0)),
        (Fraction(25), "00:59:59:24", (0, 59, 59, 57.6)),
        (Fraction(60), "23:00:00:59", (23, 0, 0, 59.0)),
    ],
)
def test_the_footages_timecode_is_where_the_sequence_begins(tmp_path, rate, timecode, source):
    frames = list(range(0, 100))
    path = exported(tmp_path, take(tmp_path / "take", rate, frames, timecode), start="source")
    for guesses in (False, True):
        seen = unreal_imports(path, guesses)
        assert seen.source == pytest.approx(source)
        first = source[0] * 3600 + source[1] * 60 + source[2] + source[3] / 60
        for frame, (tick, _) in zip(frames, seen.keys, strict=True):
            assert tick / TICKS - first == pytest.approx(float(frame / rate), abs=1.5 * ONE_TICK)


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("shot", "shot"),
        ("MySlate_1_iPhone", "MySlate_1_iPhone"),
        ("MySlate_1_iPhone_cal", "MySlate_1_iPhone"),
        ("My_Slate_1_iPhone", "iPhone"),
        ("sq010_sh020_hero_anim", "sq010_sh020_hero_anim"),
        ("shot_010_take_02", "take_02"),
        ("a_b_c_2", "a_b_c_2"),
        ("My shot 01.final", "final"),
        ("Zoë (close-up)", "Zoë__close-up_"),
        ("hero_raw", "hero"),
        ("_cal", "_cal"),
        ("x_-1.5_y_z", "5_y_z"),
    ],
)
def test_the_export_says_which_subject_the_files_name_gives(tmp_path, capsys, name, subject):
    path = exported(tmp_path, take(tmp_path / "take", Fraction(24), [0, 20]), name=name)
    assert unreal_imports(path, True).subject == subject == subject_of(path)
    assert f"will call the subject {subject}\n" in capsys.readouterr().err


def test_a_file_whose_times_the_importer_would_misread_is_remarked_on(tmp_path, capsys):
    source = take(tmp_path / "take", Fraction(24), list(range(13)))
    path = exported(tmp_path, source)
    seen = unreal_imports(path, True)
    assert seen.base == 30 and seen.keys[12][0] / TICKS == pytest.approx(1.0, abs=ONE_TICK)  # it lasts half of that
    assert "half its speed" in capsys.readouterr().err
    mended = exported(tmp_path, source, start="00:00:00:13")
    seen = unreal_imports(mended, True)
    assert (seen.keys[12][0] - seen.keys[0][0]) / TICKS == pytest.approx(0.5, abs=2 * ONE_TICK)
    assert capsys.readouterr().err.count("remark") == 0


def test_a_day_that_ends_and_a_file_without_rows_are_remarked_on(tmp_path):
    late = exported(tmp_path, take(tmp_path / "late", Fraction(24), list(range(40)), "23:59:59:00"), start="source")
    assert unreal_imports(late, True).keys[-1][0] < unreal_imports(late, True).keys[0][0]
    assert len(remarks_on(late)) == 1 and "midnight" in remarks_on(late)[0]
    empty = exported(tmp_path, take(tmp_path / "empty", Fraction(24), [0], faceless=(0,)), name="empty")
    assert len(remarks_on(empty)) == 1 and "no row was written" in remarks_on(empty)[0]


def test_a_single_frame_and_a_usual_take_need_no_remark(tmp_path):
    assert remarks_on(exported(tmp_path, take(tmp_path / "one", Fraction(24), [0]))) == ()
    assert remarks_on(exported(tmp_path, take(tmp_path / "usual", Fraction(24), list(range(14))))) == ()


def test_subject_and_remarks_are_in_the_json(tmp_path, capsys):
    source = take(tmp_path / "take", Fraction(24), [0, 5])
    run_export(source, "livelink-csv", tmp_path / "a_1_b_c.csv", "skip", "", True)
    line = json.loads(capsys.readouterr().out)
    assert line["subject"] == "b_c" and len(line["remarks"]) == 1
    run_export(source, "json", tmp_path / "a.jsonl", "skip", "", True)
    assert "subject" not in json.loads(capsys.readouterr().out)
