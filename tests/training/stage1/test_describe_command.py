"""`semanticface-train describe` on a dataset: rules without a model, a second run that does nothing, wrong options."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from stage1_kit import faces
from typer.testing import CliRunner

from semanticface.cli.output import ExitCode
from semanticface.errors import OptionsError
from semanticface_training.cli import app
from semanticface_training.dataset.table import Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.stage1.store import descriptions_path, read_descriptions


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "set"
    picture = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    writer = DatasetWriter(folder, Meta(kind="test"))
    for number, (_, values) in enumerate(faces(12)):
        writer.add(Row("take", number, "anna", Split.TRAIN, values), picture)
    writer.finish()
    return folder


@pytest.fixture
def dataset(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "set"))


def ask(*words: str):
    return CliRunner().invoke(app, ["describe", *words], catch_exceptions=True)


def test_every_row_is_described_once_and_the_rate_is_reported(dataset: Path):
    first = ask(str(dataset), "--json")
    assert first.exit_code == ExitCode.OK, first.output
    facts = json.loads(first.stdout.splitlines()[-1])
    assert (facts["rows"], facts["accepted"], facts["acceptance"]) == (12, 12, 1.0)
    assert facts["rate"] > 0 and facts["refused"] == {}
    assert set(read_descriptions(descriptions_path(dataset, "rules"))) == {f"take/{n}" for n in range(12)}
    again = json.loads(ask(str(dataset), "--json").stdout.splitlines()[-1])
    assert (again["kept"], again["texts"]) == (12, 0)


def test_a_table_is_printed_for_people(dataset: Path):
    said = ask(str(dataset), "--limit", "5")
    assert said.exit_code == ExitCode.OK and "different faces" in said.stdout and "5 (100.0%)" in said.stdout


def test_the_bench_describes_as_many_faces_as_asked_and_nothing_the_second_time():
    found = CliRunner().invoke(app, ["bench", "describe", "--faces", "40", "--json"], catch_exceptions=False)
    cost = json.loads(found.stdout)
    assert found.exit_code == ExitCode.OK and cost["met"]
    assert cost["faces"] == cost["accepted"] == cost["lines"] == 40 and cost["again_texts"] == 0
    assert 0 < cost["again_seconds"] < cost["seconds"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--teacher", "parrot"], "no teacher 'parrot'"),
        (["--listing", "half"], "--listing is sparse or full"),
        (["--teacher", "server"], "needs its address"),
        (["--teacher", "server", "--url", "ftp://x"], "http or https"),
    ],
)
def test_wrong_options_are_named(dataset: Path, words: list[str], complaint: str):
    result = ask(str(dataset), *words)
    assert isinstance(result.exception, OptionsError)
    assert complaint in str(result.exception)
