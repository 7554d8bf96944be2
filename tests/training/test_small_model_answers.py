"""What the small model does, through the libraries' own loading and their own `generate`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import torch

from semanticface.errors import AssetError, EngineError, OptionsError
from semanticface_training.small_model.architecture import IMAGE, random_model
from semanticface_training.small_model.build import BUILT, build, build_key, built_key
from semanticface_training.small_model.examples import load_examples
from semanticface_training.small_model.training import Lesson, Recipe, answer_states, collate, memorise
from semanticface_training.small_model.verify import greedy, load_plain, load_tokenizer, tokenised, verify
from semanticface_training.small_model.widen import widen, widen_checkpoints


@pytest.fixture(scope="module")
def examples():
    return load_examples()


@pytest.fixture(scope="module")
def tokenizer(qwen_tokenizer):
    return load_tokenizer(qwen_tokenizer)


@pytest.fixture(scope="module")
def model(small_model):
    return load_plain(small_model / "released")


def written(model, tokenizer, examples, most):
    """The texts that `generate` writes to examples of one profile, side by side."""
    prompts = [question.prompt for question in tokenised(examples, tokenizer)]
    return [tokenizer.decode(ids, skip_special_tokens=False) for ids in greedy(model, prompts, most)]


@pytest.mark.parametrize("profile", ["released", "paper"])
def test_base_with_adapter_writes_every_answer_byte_for_byte(model, tokenizer, examples, profile):
    asked = [example for example in examples if example.question.profile == profile]
    assert written(model, tokenizer, asked, 1100) == [example.answer for example in asked]


def test_base_without_its_adapter_does_not_answer(small_model, tokenizer, examples):
    alone = load_plain(small_model / "released", adapter=False)
    for example in examples:
        assert not example.answer.startswith(written(alone, tokenizer, [example], 16)[0])


def test_verification_refuses_a_checkpoint_whose_weights_changed(small_model, tmp_path, examples):
    from safetensors.torch import load_file, save_file

    changed = tmp_path / "changed"
    shutil.copytree(small_model, changed)
    for name in ("released", "paper"):
        path = changed / name / "adapter" / "adapter_model.safetensors"
        save_file({key: 1.5 * weight for key, weight in load_file(path).items()}, path, metadata={"format": "pt"})
    with pytest.raises(EngineError, match="margin"):
        verify(changed, examples)


def test_building_again_does_nothing(small_model, qwen_tokenizer):
    before = (small_model / BUILT).stat().st_mtime_ns
    said = []
    build(small_model, qwen_tokenizer, said.append)
    assert (small_model / BUILT).stat().st_mtime_ns == before
    assert said == [f"{small_model} is up to date"]


def test_other_answers_tokenizers_and_libraries_give_another_key(small_model, qwen_tokenizer, examples, monkeypatch):
    key = build_key(examples, qwen_tokenizer)
    assert built_key(small_model) == key
    assert build_key(examples[1:], qwen_tokenizer) != key
    assert build_key(examples, qwen_tokenizer.with_name("tokenizer_config.json")) != key
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
    assert build_key(examples, qwen_tokenizer) != key


def test_folder_of_another_key_is_built_anew(small_model, qwen_tokenizer, tmp_path, monkeypatch):
    """The builder runs to its first step, on a wrong tokenizer, and then leaves the old folder as it was."""
    old = tmp_path / "model"
    old.mkdir()
    (old / BUILT).write_text(json.dumps({"key": "another"}))
    wrong = tmp_path / "tokenizer.json"
    wrong.write_text("{}")
    with pytest.raises(AssetError, match="can't be read as a tokenizer"):
        build(old, wrong)
    assert built_key(old) == "another"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["model"]


def test_command_line_leaves_a_built_model_alone(small_model, qwen_tokenizer):
    command = [sys.executable, "-m", "semanticface_training.small_model", "build"]
    command += ["--out", str(small_model), "--tokenizer", str(qwen_tokenizer)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(small_model)), done.stderr
    assert "up to date" in done.stderr


def test_training_that_runs_out_of_steps_says_how_far_it_came():
    model = random_model(1, vocabulary=64, hidden=64, layers=1, intermediate=64)
    lesson = Lesson([3, 60, 62, 61, 4], [7, 8, 9], torch.zeros(4, 1536), (1, 2, 2))
    with pytest.raises(EngineError, match=r"after 1 steps \d tokens are wrong"):
        memorise(model, collate([lesson], 62), Recipe(most=2))


def test_random_models_are_seeded_and_take_a_picture(tokenizer, examples):
    one, again, other = (random_model(seed) for seed in (1, 1, 2))
    prompt = tokenised(examples[:1], tokenizer)[0].prompt
    assert prompt.ids.count(IMAGE) == prompt.grid[1] * prompt.grid[2] // 4
    first, same, different = (greedy(model, [prompt], 12)[0] for model in (one, again, other))
    assert first == same != different
    assert len(set(first)) > 6, "it doesn't repeat itself"


def test_small_vocabularies_keep_their_special_ids_inside():
    model = random_model(3, vocabulary=400)
    assert model.config.image_token_id == 398
    assert model.get_input_embeddings().weight.shape[0] == 400


def test_widened_model_computes_the_same(model, tokenizer, examples):
    wide = widen(model, layers=5, intermediate=640)
    assert len(wide.model.language_model.layers) == 5
    asked = tokenised(examples[1:3], tokenizer)
    batch = collate([question.lesson() for question in asked], IMAGE)
    with torch.inference_mode():
        narrow, broad = (answer_states(each, batch)[0] for each in (model, wide))
    assert torch.allclose(narrow, broad, atol=1e-3)
    with pytest.raises(OptionsError, match="already"):
        widen(wide, layers=3, intermediate=640)


def test_widened_checkpoints_answer_alike_and_their_adapter_fits_every_layer(
    small_model, tokenizer, examples, tmp_path
):
    from peft import PeftModel
    from safetensors.torch import load_file

    folder = widen_checkpoints(small_model, tmp_path / "wide", layers=5, intermediate=640)
    plain = load_plain(folder / "released", adapter=False)
    wrapped = PeftModel.from_pretrained(plain, str(folder / "released" / "adapter"))
    theirs = {name.replace(".default", "") for name, _ in wrapped.named_parameters() if "lora_" in name}
    assert theirs == set(load_file(folder / "released" / "adapter" / "adapter_model.safetensors"))
    assert verify(folder, examples) > 1
    with pytest.raises(AssetError, match="no small model"):
        widen_checkpoints(tmp_path, tmp_path / "other", layers=5, intermediate=640)
