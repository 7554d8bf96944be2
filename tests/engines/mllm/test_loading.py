"""A checkpoint's folder becomes the model that was trained, offline, or an error that names the file."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import loading_kit as kit
import pytest
import torch
from safetensors.torch import load_file, save_file

from semanticface.engines.mllm import loading
from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.device import choose_device
from semanticface.engines.mllm.loading import Settings, load
from semanticface.engines.mllm.memory import Quantization
from semanticface.errors import AssetError, EngineError, OptionsError

HERE = Path(__file__).parent
quantized = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed (extra `quant`)"
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return kit.save_checkpoint(tmp_path_factory.mktemp("loading") / "tiny")


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(whole, tmp_path / "tiny"))


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=torch.tensor([[5, 6, 7, 8]])).logits


def on_cpu(folder: Path, **settings) -> loading.Loaded:
    return load(Checkpoint.at(folder), Settings(device="cpu", **settings))


def test_the_adapter_is_merged_and_answers_as_peft_does(whole):
    from peft import PeftModel
    from transformers import Qwen3VLForConditionalGeneration

    loaded = on_cpu(whole)
    base = Qwen3VLForConditionalGeneration.from_pretrained(whole / "base")
    bare = logits(base)
    expected = logits(PeftModel.from_pretrained(base, whole / "adapter"))
    assert type(loaded.model) is Qwen3VLForConditionalGeneration
    assert not any("lora" in name for name, _ in loaded.model.named_modules())
    torch.testing.assert_close(logits(loaded.model), expected, rtol=1e-4, atol=1e-4)
    assert (bare - expected).abs().max() > 0.1, "the adapter matters"
    assert not loaded.model.training
    assert not any(weight.requires_grad for weight in loaded.model.parameters())


def test_what_was_loaded_is_told(whole):
    loaded = on_cpu(whole)
    assert str(loaded) == "cpu float32"
    words = kit.tokenizer()
    assert set(loaded.stop_ids) == {words.token_to_id("<|im_end|>"), words.token_to_id("<|endoftext|>")}
    assert loaded.tokenizer.encode("jaw").ids == words.encode("jaw").ids
    assert loaded.quantization is Quantization.NONE


def test_the_number_format_can_be_chosen(whole):
    loaded = on_cpu(whole, dtype="bfloat16")
    assert loaded.model.dtype is torch.bfloat16
    assert str(loaded) == "cpu bfloat16"


def test_a_base_that_was_trained_itself_needs_no_adapter(folder):
    shutil.rmtree(folder / "adapter")
    profile = json.loads((folder / "profile.json").read_text())
    (folder / "profile.json").write_text(json.dumps({**profile, "adapter": False}))
    assert on_cpu(folder).model is not None


def test_an_adapter_whose_names_match_nothing_is_refused(folder):
    path = folder / "adapter" / "adapter_model.safetensors"
    renamed = {name.replace("language_model.", ""): weight for name, weight in load_file(path).items()}
    save_file(renamed, path)
    with pytest.raises(AssetError, match="adapter"):
        on_cpu(folder)


def test_an_adapter_that_changes_nothing_is_refused(folder):
    path = folder / "adapter" / "adapter_model.safetensors"
    save_file({name: weight * ("lora_B" not in name) for name, weight in load_file(path).items()}, path)
    with pytest.raises(AssetError, match="changes nothing"):
        on_cpu(folder)


def test_weights_that_are_cut_off_are_refused_by_name(folder):
    path = folder / "base" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(AssetError, match="base"):
        on_cpu(folder)


def test_weights_that_are_missing_are_not_made_up_at_random(folder):
    path = folder / "base" / "model.safetensors"
    weights = load_file(path)
    del weights["model.language_model.layers.1.mlp.down_proj.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(AssetError, match=r"layers\.1\.mlp\.down_proj"):
        on_cpu(folder)


def test_weights_of_another_size_are_refused(folder):
    path = folder / "base" / "model.safetensors"
    name = "model.language_model.layers.0.mlp.down_proj.weight"
    save_file({**load_file(path), name: torch.zeros(64, 90)}, path, metadata={"format": "pt"})
    with pytest.raises(AssetError):
        on_cpu(folder)


def test_another_kind_of_model_is_refused(folder):
    (folder / "base" / "config.json").write_text('{"model_type": "qwen2", "hidden_size": 64}')
    with pytest.raises(AssetError, match="config"):
        on_cpu(folder)


@pytest.mark.parametrize("content", [None, "{", '{"version": "1.0"}'])
def test_a_tokenizer_that_is_missing_or_broken_is_refused_by_name(folder, content):
    path = folder / "base" / "tokenizer.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(AssetError, match="tokenizer"):
        on_cpu(folder)


@pytest.mark.slow
def test_nothing_is_asked_of_a_network():
    """Any name that is looked up or connection that is opened ends this process with an error."""
    code = """
import sys, tempfile, pathlib
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"):
        print("NETWORK", event, arguments, flush=True)
        raise OSError("no network here")
sys.addaudithook(watch)
sys.path.insert(0, sys.argv[1])
import loading_kit
from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.loading import Settings, load
folder = pathlib.Path(sys.argv[2])
print(load(Checkpoint.at(folder), Settings(device="cpu")))
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))}
    environment["OMP_NUM_THREADS"] = "1"
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        folder = kit.save_checkpoint(Path(place) / "tiny")
        command = [sys.executable, "-c", code, str(HERE), str(folder)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "cpu float32"


def test_the_callers_environment_is_left_as_it_was(whole, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    before = dict(os.environ)
    on_cpu(whole)
    assert dict(os.environ) == before


def test_settings_come_from_the_environment():
    names = {
        "SEMANTICFACE_DEVICE": "cuda:1",
        "SEMANTICFACE_DTYPE": "float16",
        "SEMANTICFACE_QUANTIZATION": "nf4",
        "SEMANTICFACE_BATCH": "3",
    }
    assert Settings.of_environment(names) == Settings("cuda:1", "float16", "nf4", 3)
    assert Settings.of_environment({}) == Settings("auto", "auto", "auto", 0)
    with pytest.raises(OptionsError, match="SEMANTICFACE_BATCH"):
        Settings.of_environment({"SEMANTICFACE_BATCH": "many"})


def test_words_that_are_no_setting_are_refused(whole):
    with pytest.raises(OptionsError, match="fp4"):
        on_cpu(whole, quantization="fp4")
    with pytest.raises(OptionsError, match="gpu"):
        load(Checkpoint.at(whole), Settings(device="gpu"))


def test_memory_that_does_not_suffice_is_said_before_anything_is_read(whole, monkeypatch):
    poor = choose_device("cpu")
    poor = type(poor)(**{**{name: getattr(poor, name) for name in poor.__slots__}, "free": 1000})
    monkeypatch.setattr(loading, "choose_device", lambda *_: poor)
    monkeypatch.setattr(loading, "_load", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(EngineError, match=r"0\.0 GB free"):
        load(Checkpoint.at(whole), Settings(quantization="none"))


def test_a_load_that_runs_out_of_memory_goes_on_with_the_next_format(whole, monkeypatch):
    tried = []

    def scarce(checkpoint, device, plan, below):
        tried.append(plan.quantization)
        if plan.quantization is not Quantization.NF4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "loaded"

    monkeypatch.setattr(loading, "_load", scarce)
    monkeypatch.setattr(loading, "_rungs", lambda *_: tuple(Quantization))
    assert load(Checkpoint.at(whole), Settings(device="cpu")) == "loaded"
    assert tried == list(Quantization)


def test_a_load_that_runs_out_of_memory_in_the_last_format_is_an_engine_error(whole, monkeypatch):
    def scarce(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loading, "_load", scarce)
    with pytest.raises(EngineError, match="not enough memory"):
        load(Checkpoint.at(whole), Settings(device="cpu", quantization="none"))


@quantized
@pytest.mark.parametrize(("wanted", "tolerance"), [("int8", 0.15), ("nf4", 0.6)])
def test_quantized_layers_answer_nearly_the_same_and_keep_the_adapter_beside(whole, wanted, tolerance):
    fine, coarse = on_cpu(whole, quantization="none"), on_cpu(whole, quantization=wanted)
    layer = coarse.model.model.language_model.layers[0].mlp.down_proj
    assert "lora" in type(layer).__module__
    assert type(coarse.model.model.visual.merger.linear_fc1) is torch.nn.Linear, "the eyes stay as they are"
    assert type(coarse.model.lm_head) is torch.nn.Linear
    off = (logits(coarse.model) - logits(fine.model)).abs().mean()
    assert 0 < off < tolerance * logits(fine.model).abs().mean()


def test_a_wish_for_quantization_that_cannot_be_fulfilled_is_an_error(whole, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="bitsandbytes"):
        on_cpu(whole, quantization="nf4")
