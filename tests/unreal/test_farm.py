"""The farm's command line, from UnrealEditor-Cmd to its exit code. Real backend and echo engine in the fake editor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_kit import backend, footage
from farm_kit import Ran, assets, facts, make_project, run_farm

HEAD = {"format": "semanticface-batch", "version": 1}
DEFAULTS = {"engine": "echo", "rate": "24000/1001", "folder": "/Game/Shots"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with backend(folder):
        yield folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    footage(tmp_path / "in", "a b")
    return make_project(tmp_path / "project")


def run(project: Path, home: Path, jobs: list[dict[str, object]], *arguments: str) -> Ran:
    folder = project.parents[1]
    (folder / "jobs.json").write_text(json.dumps({**HEAD, "defaults": DEFAULTS, "jobs": jobs}))
    return run_farm(project, folder / "jobs.json", home, *arguments)


def job(name: str, **fields: object) -> dict[str, object]:
    return {"id": name, "source": f"in/{name[0]}", **fields}


def test_a_batch_that_went_well_exits_with_0_and_leaves_its_assets_in_the_project(project: Path, home: Path) -> None:
    ran = run(project, home, [job("a"), job("b")])
    assert ran.code == 0, ran.log
    assert ran.verdict == "SEMANTICFACE-BATCH RESULT=OK done=2 failed=0 skipped=0 cancelled=0"
    assert sorted(assets(project)) == ["/Game/Shots/AS_a", "/Game/Shots/AS_b"]
    report = json.loads((project.parents[1] / "jobs.summary.json").read_text())
    assert report["result"] == "OK" and {row["frames"] for row in report["jobs"]} == {3}


def test_the_log_of_the_editor_holds_the_lines(project: Path, home: Path) -> None:
    run(project, home, [job("a")])
    log = (project.parent / "farm.log").read_text()
    done = [facts(line) for line in log.splitlines() if 'SEMANTICFACE job="a" stage=done' in line]
    assert len(done) == 1 and done[0]["asset"] == "/Game/Shots/AS_a"
    assert "LogPython: Error" not in log and "Traceback" not in log


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"source": "in/nothing"}, "no such file or folder"),
        ({"skeleton": "/Game/Nobody"}, "/Game/Nobody"),
    ],
)
def test_a_job_that_failed_shows_in_the_exit_code_and_costs_no_other(
    project: Path, home: Path, broken: dict[str, object], words: str
) -> None:
    ran = run(project, home, [job("a", **broken), job("b")])
    assert ran.code not in {0, 3}
    assert ran.verdict == "SEMANTICFACE-BATCH RESULT=FAILED done=1 failed=1 skipped=0 cancelled=0"
    (failed,) = [facts(line) for line in ran.lines if "stage=failed" in line]
    assert failed["job"] == "a" and words in failed["error"]
    assert list(assets(project)) == ["/Game/Shots/AS_b"]


def test_arguments_reach_the_script_through_the_editors_command_line(project: Path, home: Path) -> None:
    report = project.parents[1] / "report.json"
    ran = run(project, home, [job("a"), job("b")], "--only", "b", "--report", str(report))
    assert ran.code == 0 and [row["id"] for row in json.loads(report.read_text())["jobs"]] == ["b"]


def test_a_second_run_finds_the_assets_on_disk_and_writes_nothing(project: Path, home: Path) -> None:
    run(project, home, [job("a"), job("b")])
    times = {file: file.stat().st_mtime_ns for file in project.parent.rglob("*.uasset")}
    ran = run(project, home, [job("a"), job("b")])
    assert ran.code == 0 and ran.verdict.endswith("RESULT=OK done=0 failed=0 skipped=2 cancelled=0")
    assert {file: file.stat().st_mtime_ns for file in project.parent.rglob("*.uasset")} == times


def test_a_manifest_that_is_wrong_is_told_in_the_last_line(project: Path, home: Path) -> None:
    ran = run(project, home, [job("a", fps=24)])
    assert ran.code != 0 and "job a has an unknown field 'fps'" in ran.verdict
    assert not assets(project)
