"""Building from takes and other sources: whole subjects to a split, neutrals, several processes, a kill on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import pytest
from take_kit import coefficients, number_in_file, picture, timecode, write_csv, write_mov

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError, OptionsError
from semanticface.results import FrameResult, Status
from semanticface.take import TakeHeader, TakeWriter
from semanticface_training.dataset.build import build
from semanticface_training.dataset.plan import Options
from semanticface_training.dataset.split import SplitRule, assign
from semanticface_training.dataset.table import Dataset

Take = Callable[..., Path]
COMMAND = [sys.executable, "-c", "from semanticface_training.cli import main; main()", "dataset"]


def test_several_processes_make_the_same_dataset_as_one(take: Take, tmp_path: Path) -> None:
    for day, subject in enumerate(("anna", "ben", "cleo")):
        take(f"take_{subject}", subject=subject, start=Fraction(36_000 + 100 * day))
    options = Options(split=SplitRule(leave_out="ben"))
    one = build([tmp_path / "takes"], tmp_path / "one", options)
    two = build([tmp_path / "takes"], tmp_path / "two", options, jobs=2)
    assert one.digest == two.digest and len(one) == 18
    assert one.header["subjects"] == {"train": ["anna"], "val": ["cleo"], "test": ["ben"]}


def test_a_killed_build_goes_on_and_loses_or_doubles_nothing(take: Take, tmp_path: Path) -> None:
    for day, subject in enumerate(("anna", "ben")):
        take(f"take_{subject}", subject=subject, start=Fraction(36_000 + 100 * day), frames=300)
    out = tmp_path / "out"
    command = [*COMMAND, "build", str(tmp_path / "takes"), "--out", str(out), "--rate", "all", "--json"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    part = out / "building" / "take_anna.jsonl"
    deadline = time.monotonic() + 60
    while not (part.is_file() and part.stat().st_size > 40_000) and time.monotonic() < deadline:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (out / "dataset.json").exists()
    before = {file: file.stat().st_mtime_ns for file in sorted((out / "images").rglob("*.jpg"))[:20]}
    assert len(before) == 20
    found = build([tmp_path / "takes"], out, Options(rate=None))
    assert len(found) == 600 and len({row.id for row in found.rows}) == 600
    assert before == {file: file.stat().st_mtime_ns for file in before}
    assert all(number_in_file(found.image_path(place)) == found.rows[place].frame for place in range(0, 600, 97))


def test_a_finished_dataset_is_not_built_again(take: Take, tmp_path: Path) -> None:
    first = build([take()], tmp_path / "out", Options())
    image = first.image_path(0)
    image.unlink()
    assert build([tmp_path / "takes"], tmp_path / "out", Options()).digest == first.digest
    assert not image.exists()
    with pytest.raises(InputError, match="other sources or settings"):
        build([tmp_path / "takes"], tmp_path / "out", Options(rate=Fraction(5)))


def at_rest() -> dict[str, float]:
    return {name: 0.1 for name in CSV_ORDER} | {"HeadYaw": 0.05, "JawOpen": 0.0}


def raw_take(take: Take, **more: object) -> Path:
    """An uncalibrated take as the app leaves it: `_raw` and `_neutral`, no calibrated CSV."""
    folder = take(calibrated=False, **more)
    (folder / "scene_1_anna.csv").rename(folder / "scene_1_anna_raw.csv")
    write_csv(folder / "scene_1_anna_neutral.csv", [(Fraction(n, 30), at_rest()) for n in range(5)])
    return folder


def test_an_uncalibrated_take_loses_the_sessions_neutral(take: Take, tmp_path: Path) -> None:
    found = build([raw_take(take)], tmp_path / "out", Options())
    recorded = coefficients(15, "anna")
    row = found.rows[1].coefficients
    assert row["MouthLeft"] == pytest.approx(max((recorded["MouthLeft"] - 0.1) / 0.9, 0), abs=1e-6)
    assert row["HeadYaw"] == pytest.approx(-0.30, abs=1e-6)
    assert found.header["made_from"]["sources"][0]["calibrated"] == "by scene_1_anna_neutral.csv"


def test_a_calibrated_csv_comes_first_and_stays_as_it_is(take: Take, tmp_path: Path) -> None:
    folder = raw_take(take)
    shifted = [(36_000 + Fraction(n, 30), coefficients(n) | {"CheekPuff": 0.77}) for n in range(90)]
    write_csv(folder / "scene_1_anna_cal.csv", shifted)
    found = build([folder], tmp_path / "out", Options(neutral=str(folder / "scene_1_anna_neutral.csv")))
    assert found.rows[1].coefficients["CheekPuff"] == pytest.approx(0.77)


def test_frames_of_the_take_can_be_its_neutral(take: Take, tmp_path: Path) -> None:
    def resting(rows: list) -> list:
        return [(time, at_rest() if n < 10 else values) for n, (time, values) in enumerate(rows)]

    found = build([take(calibrated=False, rows=resting)], tmp_path / "out", Options(neutral="0-9"))
    assert found.rows[0].coefficients["MouthLeft"] == 0 and found.rows[0].coefficients["HeadYaw"] == 0
    assert found.rows[1].coefficients["HeadYaw"] == pytest.approx(-0.30, abs=1e-6)


def test_a_neutral_that_is_neither_file_nor_frames(take: Take, tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="neither a file nor source frames"):
        build([take(calibrated=False)], tmp_path / "out", Options(neutral="resting.csv"))


def test_leaving_one_out_needs_to_know_everybody() -> None:
    people = ["anna", "ben", "cleo", "dora"]
    rule = SplitRule(leave_out="dora")
    assert {name: split.value for name, split in assign(people, rule).items()} == {
        "anna": "val",
        "dora": "test",
        "ben": "train",
        "cleo": "train",
    }
    with pytest.raises(InputError, match="names 'eve', who is in no take"):
        assign(people, SplitRule(test=("eve",)))
    with pytest.raises(InputError, match="in no split: dora"):
        assign(people, SplitRule(train=("anna",), val=("ben",), test=("cleo",)))


def test_numbered_pictures_with_a_csv_are_timed_by_their_rate(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(24):
        cv2.imwrite(str(folder / f"face_{number + 101:04d}.png"), picture(number))
    write_csv(folder / "values.csv", [(Fraction(n, 60), coefficients(n * 24 // 60)) for n in range(60)])
    found = build([folder], tmp_path / "out", Options(rate=None, image_rate=Fraction(24)))
    assert [(row.frame, number_in_file(found.image_path(n))) for n, row in enumerate(found.rows)] == [
        (n, n) for n in range(24)
    ]
    assert found.rows[12].timecode == timecode(Fraction(1, 2))
    with pytest.raises(InputError, match="60 rows, 24 pictures"):
        build([folder], tmp_path / "other", Options(rate=None))


def test_a_csv_that_names_its_pictures_needs_no_times(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    lines = ["image,subject,take," + ",".join(CSV_ORDER)]
    for number, name in ((5, "zoe.png"), (9, "abe.png")):
        cv2.imwrite(str(folder / name), picture(number))
        values = coefficients(number)
        lines.append(f"{name},{name[:3]},{name[:3]}," + ",".join(str(values[action]) for action in CSV_ORDER))
    (folder / "faces.csv").write_text("\n".join(lines))
    found = build([folder], tmp_path / "out", Options(split=SplitRule(test=("zoe",))))
    assert [
        (row.subject, row.split.value, number_in_file(found.image_path(n))) for n, row in enumerate(found.rows)
    ] == [
        ("abe", "train", 9),
        ("zoe", "test", 5),
    ]
    assert found.image_path(0).read_bytes() == (folder / "abe.png").read_bytes()


def test_json_lines_may_name_their_split_but_not_tear_a_subject(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    line = {"image": "a.png", "coefficients": coefficients(1), "subject": "anna", "script": "Well."}
    lines = [{**line, "take": "one", "split": "val"}, {**line, "take": "two", "split": "test"}]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in lines))
    with pytest.raises(InputError, match="'anna' is in two splits: row one/0 in val, row two/0 in test"):
        build([file], tmp_path / "out", Options())
    file.write_text(json.dumps(lines[0]) + "\n")
    found = build([file], tmp_path / "out", Options())
    assert (found.rows[0].split.value, found.rows[0].script) == ("val", "Well.")


def test_a_take_of_the_backend_gives_pseudo_labels(tmp_path: Path) -> None:
    write_mov(tmp_path / "clip.mov", [Fraction(n, 30) for n in range(6)])
    header = TakeHeader({"kind": "video", "path": str(tmp_path / "clip.mov")}, Fraction(30), {"name": "x"}, {}, "key")
    with TakeWriter(tmp_path / "session" / "mine", header) as writer:
        for n in range(6):
            if n == 3:
                writer.append(FrameResult(n, n / 30, Status.NO_FACE))
            else:
                writer.append(FrameResult(n, n / 30, Status.OK, coefficients(n)))
    found = build([tmp_path / "session"], tmp_path / "out", Options(rate=None))
    assert [row.frame for row in found.rows] == [0, 1, 2, 4, 5]
    assert [number_in_file(found.image_path(n)) for n in range(5)] == [0, 1, 2, 4, 5]
    assert found.rows[0].tags == ("pseudo",)


def test_a_large_frame_is_made_smaller_and_a_small_one_never_larger(take: Take, tmp_path: Path) -> None:
    folder = take(frames=40)
    assert build([folder], tmp_path / "small", Options(size=96)).rows[0].width == 96
    assert build([folder], tmp_path / "whole", Options(size=4096)).rows[0].width == 192


def test_the_command_builds_checks_and_shows(take: Take, tmp_path: Path) -> None:
    folder, out = take(frames=40), tmp_path / "out"

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*COMMAND, *words, "--json"], capture_output=True, text=True, check=False, timeout=100)

    built = run("build", str(folder), "--out", str(out), "--subject", "20260305_scene_1=eve", "--test", "eve")
    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout.splitlines()[-1])["subjects"] == {"train": [], "val": [], "test": ["eve"]}
    assert json.loads(run("show", str(out)).stdout)["digest"] == Dataset.open(out).digest
    Dataset.open(out).image_path(0).unlink()
    checked = run("check", str(out))
    assert checked.returncode == 3 and "row 20260305_scene_1/0" in json.loads(checked.stdout)["error"]["message"]
