"""From a run to an artist's picture: trained on, exported, imported as it is, and asked by a real backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.importing import Wishes, import_path
from semanticface.engines.mllm.profile import load_profile
from semanticface.take import read_take
from semanticface_training.dataset.table import Dataset, Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.stage1.run import describe_all
from semanticface_training.stage1.store import Store, descriptions_path
from semanticface_training.stage1.teacher import RuleTeacher
from semanticface_training.stage2.config import FitConfig, Schedule
from semanticface_training.stage2.fit import fit
from semanticface_training.stage2.prompts import Question


def dataset_of(example, small_model, folder):
    """The example's picture to learn from and to be judged by."""
    writer = DatasetWriter(folder, Meta("test"))
    picture = (small_model / "examples" / example["image"]).read_bytes()
    for number, split in enumerate((Split.TRAIN, Split.VAL)):
        writer.add(Row(split, number, split, split, example["coefficients"]), picture)
    writer.finish()
    with Store(descriptions_path(folder, "rules")) as store:
        describe_all(((row.id, row.coefficients) for row in Dataset.open(folder).rows), store, RuleTeacher(), 1)


def semanticface(*arguments):
    """The product's command, which starts a backend of its own in the tests' home."""
    command = [sys.executable, "-c", "from semanticface.cli import main; main()", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.slow
def test_a_checkpoint_that_was_trained_on_answers_through_the_backend(small_model, tmp_path, own_home):
    """The small model knows the answer to its own question; a careful step more must leave it so, all the way."""
    examples = json.loads((small_model / "examples" / "examples.json").read_text())
    example = next(one for one in examples if one["profile"] == "paper")
    dataset_of(example, small_model, tmp_path / "data")
    profile = load_profile(small_model / "paper")
    config = FitConfig(
        tmp_path / "data",
        str(small_model / "paper" / "base"),
        tmp_path / "run",
        name="trained-on",
        question=Question(profile.system, profile.user),
        adapter=small_model / "paper" / "adapter",
        image_tokens=profile.image_tokens,
        flips=0.0,
        schedule=Schedule(steps=1, global_batch=1, learning_rate=1e-6, warmup=0.0),
        validation_rows=1,
        device="cpu",
    )
    done = fit(config)
    assert done.validation is not None
    assert done.validation.read == 1
    assert done.validation.mse == pytest.approx(0, abs=1e-9)
    import_path(done.best, Wishes())
    picture = small_model / "examples" / example["image"]
    semanticface("analyze", str(picture), "--engine", "semanticface:trained-on", "--out", str(tmp_path / "take"))
    semanticface("stop")
    (result,) = read_take(tmp_path / "take").results
    truth = [round(example["coefficients"][name], 3) for name in CSV_ORDER]
    assert [result.coefficients[name] for name in CSV_ORDER] == pytest.approx(truth)
    assert result.analysis.expression_category
