"""The second pass: own words where there are some, the teacher's elsewhere, and a run that goes on from the first."""

from __future__ import annotations

from dataclasses import replace

import fit_kit as kit
import pytest

from semanticface.errors import OptionsError
from semanticface.results import Analysis, FrameResult, Status
from semanticface_training.dataset.table import Dataset
from semanticface_training.stage1.store import Store, read_descriptions
from semanticface_training.stage2 import second
from semanticface_training.stage2.fit import FitResult, fit
from semanticface_training.stage2.launch import Place
from semanticface_training.stage2.log import read_log
from semanticface_training.stage2.second import second_pass

OWN = Analysis("surprise", {"jaw": "hangs open"}, "startled", "mostly symmetric")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("second")
    kit.make_dataset(folder / "data")
    return folder


def results(dataset):
    """Row 0 described, row 1 without an answer, row 2 without one of the four parts."""
    values = dataset.rows[0].coefficients
    yield FrameResult(0, None, Status.OK, values, OWN, raw_text="raw")
    yield FrameResult(1, None, Status.UNPARSEABLE, message="no values", raw_text="?")
    yield FrameResult(2, None, Status.OK, values, replace(OWN, symmetry=""))


def test_own_words_are_kept_with_their_rows_and_others_have_the_teachers(root):
    dataset, config = Dataset.open(root / "data"), kit.settings(root, form=kit.WORDS)
    folder = root / "written"
    with Store(folder / "0-of-1.jsonl") as store:
        second._write(store, dataset, "key", results(dataset))
    second.join(config, folder, 1, folder / second.JOINED)
    joined, teacher = (
        read_descriptions(folder / second.JOINED),
        read_descriptions(root / "data/descriptions/rules.jsonl"),
    )
    assert joined.keys() == teacher.keys()
    first, *others = [row.id for row in dataset.rows]
    assert joined[first].analysis == OWN
    assert joined[first].text == "raw"
    assert all(joined[row].analysis == teacher[row].analysis for row in others)


def test_what_was_tried_is_not_asked_again(root):
    dataset = Dataset.open(root / "data")
    with Store(root / "own.jsonl") as store:
        second._write(store, dataset, "key", results(dataset))
    with Store(root / "own.jsonl") as store:
        assert [second._tried(store, row.id, "key") for row in dataset.rows[:4]] == [True, True, True, False]
        assert not second._tried(store, dataset.rows[0].id, "another checkpoint")


def test_a_target_without_words_has_no_second_pass(root):
    first = FitResult(root, root / "best", root / "last", 1, None, 0.0)
    with pytest.raises(OptionsError, match="a1 has no words"):
        second_pass(kit.settings(root), first, 2)


@pytest.mark.slow
def test_the_second_run_goes_on_from_the_firsts_adapter(root, qwen_tokenizer):
    """The untaught model writes no answer, so its teacher's words stay; that it was asked is in the log."""
    kit.make_base(root / "base", qwen_tokenizer)
    config = kit.settings(root, form=kit.WORDS, schedule={"steps": 2})
    first = fit(config)
    done = second_pass(config, first, 2)
    assert done.out == config.out / "second"
    notes = [line["text"] for line in read_log(config.out) if line["event"] == "note"]
    assert notes == ["described 0 of 5 training rows itself"]
    losses = [[line["loss"] for line in read_log(run) if line["event"] == "step"] for run in (config.out, done.out)]
    assert max(losses[1]) < min(losses[0])
    assert second.write_own(config, first.best, config.out / "written" / "0-of-1.jsonl", Place()) == 0
    assert second_pass(config, first, 2).steps == 2
