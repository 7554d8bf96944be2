"""`semanticface-train fit`: its cost before it starts, lines for programs, and what it refuses."""

from __future__ import annotations

import json

import fit_kit as kit
import pytest
from typer.testing import CliRunner

from semanticface.errors import InputError, OptionsError
from semanticface_training.cli import app

SMALL = (
    "--target a1 --actions HeadYaw,JawOpen,MouthSmileLeft --wording short --image-tokens 4 --decimals 1 --device cpu"
)


@pytest.fixture(scope="module")
def root(tmp_path_factory, qwen_tokenizer):
    folder = tmp_path_factory.mktemp("command")
    kit.make_dataset(folder / "data")
    kit.make_base(folder / "base", qwen_tokenizer)
    return folder


def run(root, *arguments):
    words = ["fit", str(root / "data"), *SMALL.split(), "--base", str(root / "base"), *map(str, arguments)]
    return CliRunner().invoke(app, words, catch_exceptions=True)


@pytest.mark.slow
def test_the_cost_comes_first_and_then_each_step_as_a_line(root):
    dry = run(root, "--out", root / "dry", "--epochs", 2, "--global-batch", 2, "--dry-run", "--json")
    (plan,) = [json.loads(line) for line in dry.stdout.splitlines()]
    assert (plan["event"], plan["rows"], plan["steps"]) == ("plan", 5, 6)
    assert plan["memory"]["total"] > plan["memory"]["weights"] > 0
    assert not (root / "dry").exists()
    steps = ("--steps", 2, "--global-batch", 2, "--validation-rows", 1, "--workers", 0)
    done = run(root, "--out", root / "run", *steps, "--json", "--precision", "bf16")
    assert done.exit_code == 0, done.output[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    names = [line["event"] for line in lines]
    assert [name for name in names if name != "best"] == [
        "plan",
        "step",
        "step",
        "validation",
        "checkpoint",
        "done",
        "done",
    ]
    assert lines[-1]["path"] == str(root / "run" / "best")
    again = run(root, "--out", root / "run", *steps)
    assert isinstance(again.exception, InputError)
    assert "holds a training run already" in str(again.exception)


def test_a_wrong_word_is_refused_with_the_right_ones(tmp_path):
    for option, word, right in (("--target", "a9", "a0, a1, a2"), ("--soft", "mushy", "hard, gaussian, two_hot")):
        done = run(tmp_path, "--out", tmp_path / "wrong", option, word)
        assert isinstance(done.exception, OptionsError)
        assert f"{option} is '{word}'" in str(done.exception)
        assert right in str(done.exception)
    assert not (tmp_path / "wrong").exists()
