"""A run describes each face once, keeps what it wrote through a kill, and asks again for what was refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from stage1_kit import SMILE, Dictated, face, faces, text

from semanticface.errors import InputError
from semanticface_training.stage1.faithfulness import STRICT
from semanticface_training.stage1.run import describe_all
from semanticface_training.stage1.store import Store, descriptions_path, read_descriptions
from semanticface_training.stage1.teacher import RuleTeacher

WRONG = text(symmetry="")


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(path: Path, rows, teacher, **options):
    with Store(path) as store:
        return describe_all(rows, store, teacher, **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return descriptions_path(tmp_path, "test")


def test_the_same_coefficients_are_described_once_for_all_their_rows(path: Path):
    teacher = Dictated(lambda frame, attempt: text())
    rows = [("a/1", face(**SMILE)), ("a/2", face(**SMILE)), ("b/1", {**face(**SMILE), "JawOpen": 0.0004})]
    done = run(path, rows, teacher)
    assert len(teacher.asked) == 1
    assert (done.rows, done.contents, done.copied, done.accepted) == (3, 1, 2, 1)
    assert {record.text for record in read_descriptions(path).values()} == {text()}
    assert list(read_descriptions(path)) == ["a/1", "a/2", "b/1"]


def test_a_second_run_writes_nothing_and_asks_nothing(path: Path):
    run(path, faces(20), RuleTeacher())
    before = path.read_bytes()
    teacher = RuleTeacher()
    done = run(path, faces(20), teacher)
    assert done.kept == 20 and done.texts == 0
    assert path.read_bytes() == before


def test_what_is_refused_is_asked_again_and_every_text_is_kept_raw(path: Path):
    teacher = Dictated(lambda frame, attempt: text() if attempt == 3 else WRONG)
    done = run(path, [("a/1", face(**SMILE))], teacher)
    assert [attempt for _, attempt in teacher.asked] == [1, 2, 3]
    assert [(line["accepted"], line["attempt"], line["text"]) for line in lines(path)] == [
        (False, 1, WRONG), (False, 2, WRONG), (True, 3, text()),
    ]  # fmt: skip
    assert "parts: no symmetry" in lines(path)[0]["faults"][0]
    assert done.reasons["parts"] == 2 and done.acceptance == pytest.approx(1 / 3)


def test_what_stays_unfaithful_is_given_up_and_is_in_no_reader(path: Path):
    rows = [("a/1", face(**SMILE)), ("a/2", face(JawOpen=0.9))]
    teacher = Dictated(lambda frame, attempt: text())  # a smile, also of the open jaw
    done = run(path, rows, teacher, attempts=2)
    assert done.given_up == 1 and done.accepted == 1
    assert set(read_descriptions(path)) == {"a/1"}
    again = Dictated(lambda frame, attempt: text())
    assert run(path, rows, again, attempts=2).given_up == 1 and not again.asked
    assert [a for _, a in (run(path, rows, again, attempts=3), again.asked)[1]] == [3]


def test_strict_refuses_for_what_is_only_remarked_otherwise(path: Path, tmp_path: Path):
    said = text(emotion="anger")
    done = run(path, [("a/1", face(**SMILE))], Dictated(lambda frame, attempt: said), attempts=1)
    assert done.accepted == 1 and done.remarks["emotion"] == 1
    assert any(fault.startswith("emotion: ") for fault in lines(path)[0]["faults"])
    strict = tmp_path / "strict.jsonl"
    teacher = Dictated(lambda frame, attempt: said)
    assert run(strict, [("a/1", face(**SMILE))], teacher, attempts=1, refused=STRICT).given_up == 1


def test_another_model_or_other_coefficients_are_described_anew_and_the_last_line_counts(path: Path):
    for said, name in (("first", "one"), ("second", "two")):
        run(path, [("a/1", face(**SMILE))], Dictated(lambda f, a, said=said: text(category=said), name=name))
    assert read_descriptions(path)["a/1"].analysis.expression_category == "second"
    teacher = Dictated(lambda f, a: "not asked", name="one")
    run(path, [("a/1", face(**SMILE))], teacher)
    assert not teacher.asked
    assert read_descriptions(path)["a/1"].analysis.expression_category == "first"


def test_an_id_that_comes_twice_is_refused_by_name(path: Path):
    with pytest.raises(InputError, match="row a/1 comes twice"):
        run(path, [("a/1", face()), ("a/1", face(JawOpen=1))], RuleTeacher())


def test_two_processes_do_not_write_one_file(path: Path):
    with Store(path), pytest.raises(InputError, match="another process"):
        Store(path)


def test_a_line_that_a_kill_cut_off_is_removed_and_a_damaged_one_is_named(path: Path):
    run(path, faces(3), RuleTeacher())
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    assert len(read_descriptions(path)) == 2
    run(path, faces(3), RuleTeacher())
    without_time = [{**line, "seconds": 0} for line in lines(path)]
    assert without_time == [{**json.loads(line), "seconds": 0} for line in whole.splitlines()]
    path.write_bytes(whole.replace(b'"accepted"', b'"accepted', 1))
    with pytest.raises(InputError, match="line 1"):
        read_descriptions(path)


def test_a_copy_for_a_row_that_a_kill_lost_needs_no_teacher(path: Path):
    rows = [("a/1", face(**SMILE)), ("a/2", face(**SMILE))]
    run(path, rows[:1], Dictated(lambda f, a: text()))
    teacher = Dictated(lambda f, a: "not asked")
    run(path, rows, teacher)
    found = read_descriptions(path)
    assert not teacher.asked
    assert replace(found["a/1"], id="a/2", seconds=0.0) == found["a/2"]


_CHILD = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from stage1_kit import faces
from semanticface_training.stage1.run import describe_all
from semanticface_training.stage1.store import Store
from semanticface_training.stage1.teacher import RuleTeacher
teacher = RuleTeacher()
teacher.batch = 7
with Store(Path(sys.argv[1])) as store:
    describe_all(faces(400), store, teacher)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_run_goes_on_with_nothing_lost_and_nothing_doubled(path: Path, tmp_path: Path):
    reference = tmp_path / "whole.jsonl"
    run(reference, faces(400), RuleTeacher())
    kills = 0
    for share in (0.15, 0.5, 0.8):
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(path), str(Path(__file__).parent)])
        try:
            until = time.monotonic() + 30
            while child.poll() is None and time.monotonic() < until:
                if path.exists() and path.read_bytes().count(b"\n") >= 400 * share:
                    break
                time.sleep(0.002)
            if child.poll() is None:
                os.kill(child.pid, signal.SIGKILL)
                kills += 1
        finally:
            child.kill()
            child.wait()
    assert kills, "every run was over before it could be killed"
    assert run(path, faces(400), RuleTeacher()).done == 400
    written = lines(path)
    assert max(Counter(line["id"] for line in written).values()) == 1
    assert [{**line, "seconds": 0} for line in written] == [{**line, "seconds": 0} for line in lines(reference)]
