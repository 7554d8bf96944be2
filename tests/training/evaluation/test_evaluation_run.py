"""`evaluate` from beginning to end: each row is asked once, N is told everywhere, numbers come from what is stored.

The echo engine answers a picture's brightness; the dataset's truth is made so that its errors are known.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluation_kit import png, truth
from typer.testing import CliRunner

from semanticface.actions import CSV_ORDER
from semanticface.cli.output import ExitCode
from semanticface.errors import EngineError, InputError, OptionsError
from semanticface_training.cli import app
from semanticface_training.commands.evaluate import as_shared
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.predict import Spec
from semanticface_training.evaluation.results import (
    EvaluationResults,
    Protocol,
    open_dataset,
    predictions_of,
    read_results,
    read_run,
)
from semanticface_training.evaluation.run import Progress, Request, evaluate, parse_actions

NO_FACES = "[7,8,9]"
"""Three of the plain test pictures: rows of the table are in the order of takes (pair, sweep, t0, t1, train)."""


@pytest.fixture
def dataset(echoed: Dataset) -> Dataset:
    return echoed


def run(dataset: Dataset | Path, out: Path, *engines: str, **more: object) -> EvaluationResults:
    path = dataset.path if isinstance(dataset, Dataset) else dataset
    return evaluate(Request(out, path, engines, report=False, **more))


def echo_errors(dataset: Dataset, indices: list[int]) -> np.ndarray:
    """Squared errors of what the echo engine says: it sees neither the smile nor the head."""
    blind = [CSV_ORDER.index("MouthSmileLeft"), CSV_ORDER.index("HeadYaw")]
    return dataset.values[indices][:, blind].astype(np.float64) ** 2


def plain(dataset: Dataset) -> list[int]:
    return [index for index in dataset.indices("test") if dataset.rows[index].take.startswith("t")]


def test_tables_are_those_of_the_known_errors_and_probes_are_kept_out(tmp_path: Path, dataset: Dataset) -> None:
    found = run(dataset, tmp_path / "r", "echo").method("echo")
    squared = echo_errors(dataset, plain(dataset))
    assert found.tables["mse"]["n"] == len(squared) == 24
    assert found.tables["mse"]["mean"] == pytest.approx(squared.sum() / (24 * 61), rel=1e-6)
    assert found.tables["sweep"]["rows"][0]["spearman"] == pytest.approx(1.0)
    assert (found.tables["consistency"]["n"], found.tables["consistency"]["pairs"]) == (1, 1)
    assert found.tables["detection"]["rows"][0] | {"statuses": {}} == {
        "tag": "", "asked": 31, "answered": 31, "rate": 1.0, "statuses": {},
    }  # fmt: skip
    assert found.tables["tags"]["toon"]["n"] == 6 and found.tables["tags"]["plain"]["n"] == 18
    assert found.undefined == {"retrieval": "no evaluator was given (--evaluator FOLDER)"}


def test_methods_are_compared_on_the_frames_that_all_answered(tmp_path: Path, dataset: Dataset) -> None:
    results = run(dataset, tmp_path / "r", "echo", f"shy=echo-batch,no_face_on={NO_FACES}")
    whole, shy = results.methods
    common = [index for index in plain(dataset) if index not in (7, 8, 9)]
    assert whole.tables["mse"]["n"] == shy.tables["mse"]["n"] == results.dataset.common == len(common) == 21
    expected = echo_errors(dataset, common).sum() / (21 * 61)
    assert whole.tables["mse"]["mean"] == pytest.approx(expected, rel=1e-6)
    assert (whole.tables["mse_own"]["n"], shy.tables["mse_own"]["n"]) == (24, 21)
    assert (shy.coverage.asked, shy.coverage.answered, dict(shy.coverage.statuses)) == (
        31,
        28,
        {"ok": 28, "no_face": 3},
    )
    assert any("on the 21 of 24 pictures" in note for note in results.notes)
    assert results.comparisons[0].result["n"] == 21


def test_a_method_without_any_answer_is_a_row_that_says_so_and_leaves_the_others_whole(
    tmp_path: Path, dataset: Dataset
) -> None:
    none = f"none=echo,no_face_on={json.dumps(list(range(31)))}"
    results = run(dataset, tmp_path / "r", "echo", none)
    assert results.method("echo").tables["mse"]["n"] == 24
    assert results.method("none").coverage.answered == 0
    assert results.method("none").undefined["mse"] == "it answered none of 31 frames"
    assert results.comparisons[0].undefined == "no frame was answered by both"
    assert any("none answered no picture" in note for note in results.notes)


def test_numbers_are_had_again_from_stored_predictions_alone(tmp_path: Path, dataset: Dataset) -> None:
    out = tmp_path / "r"
    first = run(dataset, out, "echo", "second=echo-batch")
    asked: list[Progress] = []
    again = evaluate(Request(out, metrics_only=True, report=False), asked.append)
    assert asked == [] and replace(again, created="", seconds=0) == replace(first, created="", seconds=0)
    assert read_results(out) == again
    ablation = evaluate(Request(out, metrics_only=True, protocol=Protocol.ABLATION, report=False))
    assert ablation.protocol is Protocol.ABLATION and "cross13" not in ablation.methods[0].tables
    assert ablation.methods[0].tables["mse"] == first.methods[0].tables["mse"]


def test_a_report_finds_dataset_and_predictions_by_the_folder_alone(tmp_path: Path, dataset: Dataset) -> None:
    results = run(dataset, tmp_path / "r", "echo")
    found = open_dataset(tmp_path / "r")
    read = predictions_of(tmp_path / "r", results.methods[0], found, found.indices(results.dataset.split))
    assert read.values.shape == (31, 61) and read.answered.all()
    assert str(tmp_path) not in (tmp_path / "r" / "results.json").read_text(encoding="utf-8")


def test_methods_are_added_to_what_is_there_without_asking_anybody_again(tmp_path: Path, dataset: Dataset) -> None:
    run(dataset, tmp_path / "r", "echo")
    told: list[Progress] = []
    results = evaluate(Request(tmp_path / "r", engines=("echo", "late=echo,salt=x"), report=False), told.append)
    assert [row.name for row in results.methods] == ["echo", "late"]
    ends = {one.method: (one.kept, one.done) for one in told}
    assert ends == {"echo": (31, 0), "late": (0, 31)}


def test_lanes_and_batches_give_each_picture_its_own_answer(tmp_path: Path, dataset: Dataset) -> None:
    results = run(dataset, tmp_path / "r", "lanes=echo", "batches=echo-batch,words=1")
    indices = dataset.indices("test")
    for row in results.methods:
        found = predictions_of(tmp_path / "r", row, dataset, indices)
        jaw = found.values[:, CSV_ORDER.index("JawOpen")]
        np.testing.assert_allclose(jaw, dataset.values[indices][:, CSV_ORDER.index("JawOpen")], atol=1e-6)


KILLED = """
import sys
from pathlib import Path
from semanticface_training.evaluation.run import Request, evaluate
evaluate(Request(Path(sys.argv[2]), Path(sys.argv[1]), ("slow=echo,delay=0.08",), report=False))
"""


def test_a_killed_run_goes_on_and_computes_no_frame_twice(tmp_path: Path, dataset: Dataset) -> None:
    out = tmp_path / "r"
    file = out / "predictions" / "slow" / "frames.jsonl"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(dataset.path), str(out)])
    deadline = time.monotonic() + 60
    while not (file.is_file() and file.read_bytes().count(b"\n") >= 6):
        assert process.poll() is None and time.monotonic() < deadline, "the run ended before it could be killed"
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = file.read_bytes()
    kept = kept[: kept.rfind(b"\n") + 1]
    count = kept.count(b"\n")
    assert 6 <= count < 31
    told: list[Progress] = []
    results = evaluate(Request(out, engines=("slow=echo,delay=0.08",), report=False), told.append)
    assert (told[-1].kept, told[-1].done) == (count, 31 - count)
    lines = file.read_bytes()
    assert lines.startswith(kept)
    ids = [json.loads(line)["id"] for line in lines.splitlines()]
    assert len(ids) == len(set(ids)) == 31 == results.methods[0].coverage.answered


def test_an_engine_that_fails_keeps_what_was_answered_and_metrics_count_the_rest_as_absent(
    tmp_path: Path, dataset: Dataset
) -> None:
    out = tmp_path / "r"
    with pytest.raises(EngineError, match="told to fail on frame 20"):
        run(dataset, out, "weak=echo-batch,fail_on=[20]")
    results = evaluate(Request(out, metrics_only=True, report=False))
    row = results.method("weak")
    assert (row.coverage.asked, row.coverage.answered, row.coverage.statuses["absent"]) == (31, 20, 11)


def test_a_picture_that_can_not_be_read_is_a_row_and_a_changed_one_is_refused(tmp_path: Path, dataset: Dataset) -> None:
    found = Dataset.open(shutil.copytree(dataset.path, tmp_path / "set"))
    found.image_path(7).unlink()
    row = run(found, tmp_path / "r", "echo").method("echo")
    assert dict(row.coverage.statuses) == {"ok": 30, "unreadable": 1}
    found.image_path(9).write_bytes(png(3))
    with pytest.raises(InputError, match=r"t0/2: .* is not the picture"):
        run(found, tmp_path / "again", "echo")


def test_pictures_without_truth_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder, level in (("cartoon", 40), ("cartoon", 60), ("real", 90), ("real/old", 120)):
        place = tmp_path / "wild" / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{level}.png").write_bytes(png(level))
    (tmp_path / "wild" / "real" / "broken.jpg").write_bytes(b"no picture")
    results = run(tmp_path / "wild", tmp_path / "r", "echo,no_face_on=[1]", protocol=Protocol.DOMAIN)
    lines = {line["tag"]: line for line in results.methods[0].tables["detection"]["rows"]}
    assert (lines["cartoon"]["asked"], lines["cartoon"]["answered"]) == (2, 1)
    assert (lines["real"]["asked"], lines["real"]["rate"]) == (3, pytest.approx(2 / 3))
    assert lines["real"]["statuses"] == {"ok": 2, "unreadable": 1} and lines[""]["asked"] == 5
    assert not results.dataset.truth and "mse" not in results.methods[0].tables
    with pytest.raises(OptionsError, match="judged by a trained evaluator"):
        run(tmp_path / "wild", tmp_path / "other", "echo")
    with pytest.raises(InputError, match="pictures without coefficients"):
        run(tmp_path / "wild", tmp_path / "other", "echo", protocol=Protocol.PAIRED)


def test_single_frame_sequences_leave_undefined_what_needs_time(tmp_path: Path, singles: Dataset) -> None:
    results = run(singles, tmp_path / "r", "echo", "b=echo-batch")
    row = results.methods[0]
    assert row.undefined["temporal"] == "no sequence has three frames"
    assert row.undefined["sweep"] == "no picture has a tag sweep:ACTION"
    assert row.undefined["consistency"].startswith("no two pictures are tagged")
    assert row.tables["mse"]["n"] == 3 and any("Each sequence is a single picture" in note for note in results.notes)


def test_errors_can_be_over_the_shapes_alone(tmp_path: Path, dataset: Dataset) -> None:
    results = run(dataset, tmp_path / "r", "echo", actions=parse_actions("shapes"))
    row = results.methods[0]
    assert row.tables["mse"]["channels"] == 52 and "head_pose" in row.undefined
    assert len(results.dataset.actions) == 52 and "Errors are over 52 of 61 actions." in results.notes
    with pytest.raises(OptionsError, match="'ArmUp' is no facial action"):
        parse_actions("JawOpen,ArmUp")


def test_the_truth_can_be_rounded_as_papers_do_and_it_is_said(tmp_path: Path, dataset: Dataset) -> None:
    results = run(dataset, tmp_path / "r", "echo", truth_decimals=1)
    indices = plain(dataset)
    jaw = dataset.values[indices][:, [CSV_ORDER.index("JawOpen")]].astype(np.float64)
    seen = 2 * (jaw - np.round(jaw, 1)) ** 2  # MouthClose is the same
    blind = [CSV_ORDER.index("MouthSmileLeft"), CSV_ORDER.index("HeadYaw")]
    unseen = np.round(dataset.values[indices][:, blind].astype(np.float64), 1) ** 2
    expected = (seen.sum() + unseen.sum()) / (24 * 61)
    assert results.methods[0].tables["mse"]["mean"] == pytest.approx(expected, rel=1e-5)
    assert results.dataset.truth_decimals == 1 and any("rounded to steps of 0.1" in note for note in results.notes)
    again = evaluate(Request(tmp_path / "r", metrics_only=True, truth_decimals=-1, report=False))
    assert again.dataset.truth_decimals is None


def test_digits_expectation_is_a_row_of_its_own(tmp_path: Path, dataset: Dataset) -> None:
    theirs = tmp_path / "theirs"
    run(dataset, theirs, "echo")
    file = theirs / "predictions" / "echo" / "frames.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["expectation"] = truth(0) | {name: 0.5 for name in ("JawOpen", "MouthClose")}
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    results = evaluate(Request(theirs, metrics_only=True, report=False))
    assert [row.name for row in results.methods] == ["echo", "echo+expectation"]
    one, other = results.methods
    assert other.reading == "expectation" and one.tables["mse"]["mean"] < other.tables["mse"]["mean"]
    jaw = predictions_of(theirs, other, dataset, dataset.indices("test")).values[:, CSV_ORDER.index("JawOpen")]
    assert set(jaw.tolist()) == {0.5}


@pytest.mark.parametrize(
    ("words", "more", "complaint"),
    [
        (["echo"], {"split": "val"}, "the split val has no rows"),
        (["echo"], {"split": "exam"}, "'exam' is not one of train, val, test"),
        ([], {}, "no method is named"),
        (["echo"], {"protocol": Protocol.ABLATION}, "at least two methods"),
        (["echo", "echo"], {}, "two engines are called echo"),
        (["parrot"], {}, "there is no engine 'parrot'"),
        (["checkpoint:"], {}, "checkpoint needs a value"),
        (["baseline:oracle"], {}, "there is no baseline 'oracle'"),
        (["predictions:nowhere.csv"], {}, "nowhere.csv does not exist"),
        (["echo,volume=11"], {}, "echo has no option 'volume'"),
        (["remote:http://127.0.0.1:9/v1"], {}, "needs to know the model"),
    ],
)
def test_what_can_not_be_evaluated_is_refused(
    tmp_path: Path, dataset: Dataset, words: list[str], more: dict[str, object], complaint: str
) -> None:
    with pytest.raises((InputError, EngineError), match=complaint):
        run(dataset, tmp_path / "r", *words, **more)


def test_another_dataset_or_split_is_refused_in_the_same_folder(
    tmp_path: Path, dataset: Dataset, singles: Dataset
) -> None:
    out = tmp_path / "r"
    run(dataset, out, "echo")
    with pytest.raises(InputError, match="other data or of another split"):
        run(dataset, out, "echo", split="train")
    with pytest.raises(InputError, match="other data or of another split"):
        run(singles, out, "echo")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError, match="exists and holds no evaluation"):
        run(dataset, tmp_path / "full", "echo")


def test_a_dataset_that_moved_is_found_where_it_is_now(tmp_path: Path, dataset: Dataset) -> None:
    moved = Path(shutil.copytree(dataset.path, tmp_path / "moved"))
    out = tmp_path / "r"
    run(moved, out, "echo")
    shutil.move(moved, tmp_path / "there")
    with pytest.raises(InputError, match="is neither a dataset nor a folder"):
        evaluate(Request(out, metrics_only=True, report=False))
    run(tmp_path / "there", out)
    assert read_run(out).dataset == str(tmp_path / "there")


def test_engines_are_written_in_one_line() -> None:
    spec = Spec.parse("a2=checkpoint:runs/a,b,value=expectation,mode=coefficients,batch=4")
    assert (spec.kind, spec.value, spec.name) == ("checkpoint", "runs/a,b", "a2")
    assert spec.options == {"value": "expectation", "mode": "coefficients", "batch": 4}
    assert Spec.parse("remote:http://127.0.0.1:8000/v1?x=1").value == "http://127.0.0.1:8000/v1?x=1"
    assert Spec.parse("checkpoint:runs/a0/").default_name == "a0"
    assert Spec.parse("predictions:/x/their file.csv").default_name == "their-file.csv"


@pytest.mark.parametrize(
    ("word", "shared"),
    [
        ("/home/anna/sets/d", "d"),
        ("~/sets/d", "d"),
        ("a0=checkpoint:/home/anna/runs/a0,value=argmax", "a0=checkpoint:a0,value=argmax"),
        ("x=remote:http://127.0.0.1:8000/v1,model=m,profile=/home/anna/p.json",
         "x=remote:http://127.0.0.1:8000/v1,model=m,profile=p.json"),
        ("t=predictions:C:\\Users\\anna\\t.csv", "t=predictions:t.csv"),
        ("predictions:theirs/t.csv", "predictions:theirs/t.csv"),
    ],
)  # fmt: skip
def test_the_command_in_the_results_names_no_folder_of_the_users(word: str, shared: str) -> None:
    assert as_shared(["evaluate", word]) == f"semanticface-train evaluate {shared}"


def test_the_command_prints_json_lines_and_a_table_with_n(tmp_path: Path, dataset: Dataset) -> None:
    words = ["evaluate", "--out", str(tmp_path / "r"), "--no-report"]
    said = CliRunner().invoke(app, [*words, "--dataset", str(dataset.path), "--engine", "echo", "--json"])
    assert said.exit_code == ExitCode.OK, said.output
    facts = json.loads(said.stdout.splitlines()[-1])
    assert facts["methods"][0] | {"mse": 0, "undefined": {}} == {
        "name": "echo", "asked": 31, "answered": 31, "n": 24, "mse": 0, "r1": None, "undefined": {},
    }  # fmt: skip
    shown = CliRunner().invoke(app, [*words, "--metrics-only"])
    assert shown.exit_code == ExitCode.OK and "31/31" in shown.stdout and "24 compared" in shown.stdout
    wrong = CliRunner().invoke(app, [*words, "--protocol", "blind"])
    assert isinstance(wrong.exception, OptionsError) and "no protocol 'blind'" in str(wrong.exception)
