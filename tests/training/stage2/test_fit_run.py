"""One short run, looked at from all sides: what learned, what was written and said, what the backend makes of it."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import fit_kit as kit
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from semanticface.engines.mllm.adapter import check_adapter
from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.importing import Wishes, import_path
from semanticface.engines.mllm.memory import Shape
from semanticface.errors import AssetError, InputError, OptionsError
from semanticface_training.stage2.config import Trainable
from semanticface_training.stage2.fit import fit, load_model, preview
from semanticface_training.stage2.launch import Base, find
from semanticface_training.stage2.log import read_log
from semanticface_training.stage2.lora import layers
from semanticface_training.stage2.losses import LossSettings, Soft, compute_loss
from semanticface_training.stage2.rows import open_rows, profile_of
from semanticface_training.stage2.validate import Judge


@pytest.fixture(scope="module")
def root(tmp_path_factory, qwen_tokenizer):
    folder = tmp_path_factory.mktemp("fit")
    kit.make_dataset(folder / "data")
    kit.make_base(folder / "base", qwen_tokenizer)
    return folder


@pytest.fixture(scope="module")
def rows(root):
    return open_rows(kit.settings(root, validation_rows=1), root / "base")


@pytest.fixture(scope="module")
def done(root):
    """Two steps of A1 with every term of the loss, judged after both."""
    loss = LossSettings(template=0.1, soft=Soft.GAUSSIAN, distance=0.3, expectation=2)
    return fit(kit.settings(root, schedule={"steps": 2}, validation_rows=1, loss=loss))


def test_the_adapter_alone_has_changed_and_fits_its_base(done):
    weights = load_file(done.last / "adapter" / "adapter_model.safetensors")
    assert any(bool(weight.any()) for name, weight in weights.items() if "lora_B" in name)
    report = check_adapter(done.last / "base", done.last / "adapter")
    assert (report.matched, report.rank) == (len(weights), 4)
    assert set(report.targets) == {f"{name}_proj" for name in ("q", "k", "v", "o", "gate", "up", "down")}


def test_each_step_and_judgement_is_in_the_log(done):
    lines = read_log(done.out)
    steps = [line for line in lines if line["event"] == "step"]
    assert [line["step"] for line in steps] == [1, 2]
    for line in steps:
        assert line["loss"] == pytest.approx(line["cross_entropy"] + line["distance"] + line["expectation"], rel=1e-4)
        assert min(line["distance"], line["expectation"], line["grad_norm"], line["seconds"]) > 0
    assert steps[0]["seconds_left"] > steps[1]["seconds_left"] == 0
    judged = [line for line in lines if line["event"] == "validation"]
    assert [line["step"] for line in judged] == [2]
    assert judged[0]["rows"] == judged[0]["read"] + len(judged[0]["unread"]) == 1
    assert list((done.out / "tensorboard").iterdir())
    assert lines[-1]["event"] == "done"


def test_an_untaught_models_row_is_named_as_unread_and_counts_as_the_mean(done):
    found = done.validation
    assert (found.read, found.mse) == (0, None)
    assert found.unread[0][0] == "takeval/5"
    assert found.score == found.mean > 0


def test_the_folder_says_what_it_is_made_from_and_not_where(done, root):
    facts = json.loads((done.best / "training.json").read_text())
    assert facts["step"] == 2
    assert facts["data"]["rows"] == 5
    assert facts["config"]["lora"]["rank"] == 4
    for path in ("training.json", "README.md", "profile.json", "adapter/adapter_config.json"):
        assert str(root) not in (done.best / path).read_text(), path


def test_the_folder_is_imported_as_it_is(done, own_home):
    (imported,) = import_path(done.best, Wishes(name="fitted"))
    checkpoint = Checkpoint.at(imported.path)
    assert checkpoint.profile.decimals == 1
    assert checkpoint.profile.layouts[0] == "values"
    assert checkpoint.profile.actions == kit.SOME


def test_nothing_but_the_language_layers_adapters_has_a_gradient(root, rows):
    config = kit.settings(root)
    model = load_model(config, find(config.base), half=False).train()
    loss, _ = compute_loss(model, rows.collator([rows.examples[0], rows.examples[1]]), config.loss)
    loss.total.backward()
    touched = {name for name, weight in model.named_parameters() if weight.grad is not None}
    assert touched == {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert touched == {
        name for name, _ in model.named_parameters() if ".language_model.layers." in name and "lora" in name
    }
    assert len(touched) == 2 * 7 * Shape.read(root / "base").layers
    moved = {name for name in touched if bool(dict(model.named_parameters())[name].grad.any())}
    assert moved == {name for name in touched if "lora_B" in name}  # a fresh B is 0, which hides A for one step


@pytest.mark.slow
def test_where_everything_learns_everything_has_a_gradient(root, rows):
    config = kit.settings(root, trainable=Trainable.ALL)
    model = load_model(config, find(config.base), half=True).train()
    loss, _ = compute_loss(model, rows.collator([rows.examples[0]]), config.loss)
    loss.total.backward()
    assert all(weight.grad is not None and weight.dtype == torch.float32 for weight in model.parameters())


def test_a_preview_says_what_it_will_cost(root):
    plan = preview(kit.settings(root, schedule={"steps": 0, "epochs": 2.0}))
    assert (plan.rows, plan.steps_per_epoch, plan.steps) == (5, 3, 6)
    assert plan.learning == 2 * 4 * sum(rows + columns for rows, columns in Shape.read(root / "base").matrices())
    assert plan.work > 0
    assert not (root / "none").exists()


def test_what_is_missing_is_named_before_anything_is_written(root, tmp_path):
    with pytest.raises(InputError, match=r"rows have no description|can't be read"):
        fit(kit.settings(root, "x", kit.WORDS, descriptions="other"))
    with pytest.raises(AssetError, match="base model nobody/nothing is not on this machine"):
        fit(replace(kit.settings(root, "x"), base="nobody/nothing"))
    with pytest.raises(AssetError, match="there is no folder"):
        fit(replace(kit.settings(root, "x"), base=str(tmp_path / "nothing")))
    with pytest.raises(OptionsError, match="can't be cut into batches of 2"):
        fit(kit.settings(root, "x", schedule={"global_batch": 3, "batch": 2}))
    assert not (root / "x").exists()


@pytest.mark.slow
def test_a_base_that_lacks_weights_is_refused(root, tmp_path, qwen_tokenizer):
    folder = kit.make_base(tmp_path / "base", qwen_tokenizer)
    weights = load_file(folder / "model.safetensors")
    gone = next(name for name in weights if name.endswith("layers.1.mlp.up_proj.weight"))
    save_file(
        {name: weight for name, weight in weights.items() if name != gone},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(AssetError, match="lacks 1 of the model's weights"):
        load_model(kit.settings(root), Base(folder, ""), half=False)


def test_judging_leaves_random_numbers_and_hooks_as_they_were(root, rows):
    config = kit.settings(root, validation_rows=1)
    model = load_model(config, find(config.base), half=False).train()
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    judge = Judge(rows.dataset, rows.validation, profile_of(config, "", 0), rows.tokenizer, kit.SOME)
    (answer,) = judge.answers(model)
    assert answer.greedy is None
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (random.getstate(), np.random.get_state()[1].tolist())
    assert model.training
    assert not any(layer._forward_pre_hooks for layer in layers(model))
