"""What a farm sees: log lines that can be searched, a report that is written last, a verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from batch_kit import MemoryEditor, backend, batch, footage
from semanticface_unreal.batch.headless import Level, parse, run_headless
from semanticface_unreal.batch.journal import Journal
from semanticface_unreal.batch.manifest import Manifest
from semanticface_unreal.batch.progress import Outcome
from semanticface_unreal.batch.summary import FORMAT

from semanticface.errors import OptionsError

PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with backend(tmp_path_factory.mktemp("home")):
        yield


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    footage(tmp_path, "one two")
    each = {"bad": {"source": 'no "such" folder'}}
    return batch(tmp_path, "one two bad", each, options={"salt": str(tmp_path)})


def headless(editor: MemoryEditor, *arguments: object) -> tuple[Outcome, list[tuple[Level, str]]]:
    said: list[tuple[Level, str]] = []
    outcome = run_headless([str(one) for one in arguments], editor, lambda level, text: said.append((level, text)))
    return outcome, said


def facts(line: str) -> dict[str, Any]:
    """`key=value` pairs of a line, texts out of their quotes."""
    return {key: json.loads(value) if value.startswith('"') else value for key, value in PAIR.findall(line)}


def job_lines(said: Sequence[tuple[Level, str]], job: str) -> list[dict[str, Any]]:
    rows = [facts(text) for _, text in said if text.startswith("SEMANTICFACE job=")]
    return [row for row in rows if row["job"] == job]


def test_each_change_of_a_stage_is_a_line_and_the_last_line_is_the_verdict(manifest: Manifest) -> None:
    outcome, said = headless(MemoryEditor(), "--manifest", manifest.path)
    assert outcome is Outcome.FAILED
    one = job_lines(said, "one")
    assert one[-1]["stage"] == "done" and one[-1]["asset"] == "/Game/SemanticFace/AS_one"
    assert one[-1]["computed"] == "3" and one[-1]["skipped"] == "false"
    (bad,) = job_lines(said, "bad")
    assert bad["stage"] == "failed" and bad["kind"] == "media" and 'no "such" folder' in bad["error"]
    assert said[-1] == (Level.ERROR, "SEMANTICFACE-BATCH RESULT=FAILED done=2 failed=1 skipped=0 cancelled=0")
    assert all("\n" not in text for _, text in said if text.startswith("SEMANTICFACE"))


def test_the_report_holds_all_jobs_and_is_the_last_thing_written(manifest: Manifest) -> None:
    manifest.summary.write_text("of an earlier run")
    seen: list[bool] = []
    editor = MemoryEditor(on_write=lambda path: seen.append(manifest.summary.exists()))
    headless(editor, "--manifest", manifest.path)
    assert seen == [False, False]
    report = json.loads(manifest.summary.read_text())
    assert report["format"] == FORMAT and report["result"] == "FAILED"
    assert report["counts"] == {"done": 2, "skipped": 0, "failed": 1, "cancelled": 0}
    rows = {row["id"]: row for row in report["jobs"]}
    assert rows["two"]["frames"] == 3 and rows["two"]["keys"] > 0 and rows["two"]["take"].endswith("two")
    assert rows["bad"]["error"]["kind"] == "media"


def test_some_jobs_into_a_report_of_ones_own(manifest: Manifest, tmp_path: Path) -> None:
    report = tmp_path / "out" / "report.json"
    report.parent.mkdir()
    options = ["--manifest", manifest.path, "--only", "one, two", "--report", report]
    outcome, said = headless(MemoryEditor(), *options)
    assert outcome is Outcome.OK and [row["id"] for row in json.loads(report.read_text())["jobs"]] == ["one", "two"]
    assert said[-1] == (Level.INFO, "SEMANTICFACE-BATCH RESULT=OK done=2 failed=0 skipped=0 cancelled=0")
    assert not manifest.summary.exists()


def test_a_second_run_skips_and_a_retry_takes_up_what_failed(manifest: Manifest, tmp_path: Path) -> None:
    editor = MemoryEditor()
    headless(editor, "--manifest", manifest.path)
    footage(tmp_path, "three")
    (tmp_path / "three").rename(tmp_path / 'no "such" folder')
    outcome, said = headless(editor, "--manifest", manifest.path, "--retry-failed")
    assert outcome is Outcome.OK and said[-1][1].endswith("RESULT=OK done=1 failed=0 skipped=0 cancelled=0")
    _, said = headless(editor, "--manifest", manifest.path)
    assert said[-1][1].endswith("RESULT=OK done=0 failed=0 skipped=3 cancelled=0")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--manifest"),
        (["--manifest", "here.json"], "not an absolute path"),
        (["--manifest", "/nowhere/m.json"], "can't be read"),
        (["--manifest", "{manifest}", "--only", "four"], "no job four"),
        (["--manifest", "{manifest}", "--retry"], "unrecognized arguments"),
    ],
)
def test_a_run_that_can_not_begin_still_says_its_last_line(
    manifest: Manifest, arguments: list[str], words: str
) -> None:
    outcome, said = headless(MemoryEditor(), *(one.format(manifest=manifest.path) for one in arguments))
    assert outcome is Outcome.FAILED and all(level is Level.ERROR for level, _ in said)
    assert said[-1][1].startswith("SEMANTICFACE-BATCH RESULT=FAILED done=0 failed=0") and words in said[-1][1]


def test_a_manifest_that_runs_elsewhere_leaves_a_report_that_says_so(manifest: Manifest) -> None:
    with Journal.open(manifest.journal):
        outcome, said = headless(MemoryEditor(), "--manifest", manifest.path, "--report", manifest.path.parent / "r")
    assert outcome is Outcome.FAILED and "being run by another process" in said[-1][1]
    assert json.loads((manifest.path.parent / "r").read_text())["error"]["kind"] == "input"


def test_the_libraries_warnings_go_into_the_log_and_not_to_stderr(
    manifest: Manifest, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def warn(path: str) -> None:
        import logging

        logging.getLogger("semanticface.link").warning("the backend was lost")

    _, said = headless(MemoryEditor(on_write=warn), "--manifest", manifest.path)
    assert (Level.WARNING, "the backend was lost") in said
    assert capfd.readouterr().err == ""


def test_arguments_are_read_as_they_are() -> None:
    with pytest.raises(OptionsError, match="--manifest"):
        parse(["--manifest"])
    request = parse(["--manifest", "/a/m.json", "--only", "a,b", "--backend", "/venv/bin/python"])
    assert request.only == ("a", "b") and request.backend == "/venv/bin/python" and not request.retry_failed
