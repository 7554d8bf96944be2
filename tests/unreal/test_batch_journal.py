"""A journal outlives the death of its process, and tells where it can't be kept."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from batch_kit import PLUGIN
from semanticface_unreal.batch.job import Stage
from semanticface_unreal.batch.journal import Journal, Record

from semanticface.errors import InputError

ANALYSIS = {"analysis": "abc", "frames": 12, "failed": 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "batch.json.journal.jsonl"


def test_what_was_noted_is_there_for_the_next_run(path: Path) -> None:
    with Journal.open(path) as journal:
        assert journal.of("a") == Record()
        journal.note("a", Stage.ANALYZED, **ANALYSIS)
        journal.note("a", Stage.ANALYZED, writing="stamp")
        journal.note("b", Stage.FAILED, error={"kind": "media", "message": "gone", "hint": ""})
    with Journal.open(path) as journal:
        assert journal.of("a") == Record(Stage.ANALYZED, "abc", 12, 1, writing="stamp")
        assert journal.of("b").stage is Stage.FAILED
        journal.note("a", Stage.DONE, stamp="stamp", asset="/Game/A")
    with Journal.open(path) as journal:
        assert journal.of("a") == Record(Stage.DONE, "abc", 12, 1, "stamp", "/Game/A")


def test_a_torn_last_line_is_dropped_and_the_next_one_stands_alone(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.note("a", Stage.ANALYZED, **ANALYSIS)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"job": "a", "stage": "done", "sta')
    with Journal.open(path) as journal:
        assert journal.of("a").stage is Stage.ANALYZED
        journal.note("b", Stage.CANCELLED)
    lines = path.read_text().splitlines()
    assert path.read_bytes().startswith(whole) and len(lines) == 3
    assert json.loads(lines[-1])["job"] == "b"


def test_a_head_that_was_torn_is_written_anew(path: Path) -> None:
    path.write_bytes(b'{"format": "semantic')
    with Journal.open(path) as journal:
        journal.note("a", Stage.ANALYZED, **ANALYSIS)
    with Journal.open(path) as journal:
        assert journal.of("a").analysis == "abc"


def test_a_line_that_was_damaged_on_disk_costs_no_other(path: Path) -> None:
    with Journal.open(path) as journal:
        for name in "abc":
            journal.note(name, Stage.ANALYZED, **ANALYSIS)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1] + b"\xff\x00 rubbish\n" + lines[3])
    with Journal.open(path) as journal:
        assert [journal.of(name).stage for name in "abc"] == [Stage.ANALYZED, Stage.WAITING, Stage.ANALYZED]


@pytest.mark.parametrize(
    ("text", "words"),
    [("a,b\n", "not a batch's journal"), ('{"format": "semanticface-journal", "version": 9}\n', "version 9")],
)
def test_a_file_that_is_no_journal_is_left_alone(path: Path, text: str, words: str) -> None:
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        Journal.open(path)
    assert path.read_text() == text


def test_a_second_process_may_not_run_the_same_manifest(path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(PLUGIN)!r})\n"
        "from pathlib import Path; from semanticface_unreal.batch.journal import Journal\n"
        "journal = Journal.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=-1, stdout=-1)
    try:
        assert process.stdout is not None and process.stdout.readline() == b"open\n"
        with pytest.raises(InputError, match=r"batch\.json is being run by another process"):
            Journal.open(path)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
    Journal.open(path).close()  # whatever way it ended, the lock is free


def test_a_full_disk_is_told_and_leaves_no_half_line(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.note("a", Stage.ANALYZED, **ANALYSIS)
        before = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
        try:
            with pytest.raises(InputError, match=r"journal\.jsonl can't be written") as caught:
                journal.note("b", Stage.ANALYZED, **ANALYSIS)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "disk full" in caught.value.hint
        assert path.read_bytes() == before and journal.of("b") == Record()
        journal.note("b", Stage.ANALYZED, **ANALYSIS)
    with Journal.open(path) as journal:
        assert journal.of("b").analysis == "abc"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="can't be written"):
        Journal.open(tmp_path / "j.jsonl")
