"""An adapter that would change nothing, or only a part, is refused by name and reason, before weights are read."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

from adapter_kit import MATCHED, edit_settings, rename_tensors, save_adapter, save_base

from semanticface.engines.mllm.adapter import base_parameters, check_adapter
from semanticface.errors import AssetError


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(tmp_path_factory.mktemp("adapter"), base)


@pytest.fixture
def adapter(trained: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(trained, tmp_path / "adapter"))


def test_an_adapter_with_ms_swifts_targets_fits_and_is_described(base: Path, trained: Path):
    report = check_adapter(base, trained)
    assert (report.matched, report.modules) == (MATCHED, MATCHED // 2)
    assert (report.rank, report.alpha) == (4, 8)
    assert report.targets == ("down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj")
    assert report.trained_on == "/cluster/models/Qwen3-VL-4B-Instruct"


def test_the_bases_weights_are_not_needed_for_the_check(base: Path, trained: Path, tmp_path: Path):
    shutil.copy(base / "config.json", tmp_path)
    assert check_adapter(tmp_path, trained).matched == MATCHED


@pytest.mark.parametrize(
    "more",
    [
        {"modules_to_save": ["lm_head"]},
        {"use_dora": True},
        {"targets": ["q_proj", "embed_tokens"]},
        {"targets": ["qkv", "linear_fc1", "proj"]},
    ],
    ids=["modules_to_save", "dora", "embedding", "vision"],
)
def test_other_kinds_of_lora_that_peft_saves_fit_too(base: Path, tmp_path: Path, more: dict):
    assert check_adapter(base, save_adapter(tmp_path / "a", base, **more)).matched > 0


@pytest.mark.parametrize(
    ("rename", "words"),
    [
        (lambda name: name.replace("model.language_model.layers", "model.layers"), "4.52"),
        (lambda name: name.replace("model.model.language_model", "model.language_model"), "AutoModel"),
        (lambda name: "base_model.model." + name, "wrapped"),
        (lambda name: name.replace("self_attn", "attention").replace("mlp", "ff"), "another model"),
    ],
    ids=["older-names", "without-head", "wrapped", "foreign"],
)
def test_names_that_match_nothing_are_refused_with_one_of_each_side_and_the_cause(base, adapter, rename, words):
    rename_tensors(adapter, rename)
    with pytest.raises(AssetError, match=f"none of its {MATCHED} tensors") as caught:
        check_adapter(base, adapter)
    assert ".lora_A.weight" in caught.value.message
    assert "model.language_model.layers.0." in caught.value.message.split("like")[1]
    assert words in caught.value.hint


def test_an_adapter_of_which_only_a_part_matches_is_refused(base: Path, adapter: Path):
    rename_tensors(adapter, lambda name: name.replace("layers.1.", "layers.7."))
    with pytest.raises(AssetError, match=f"{MATCHED // 2} of its {MATCHED} tensors") as caught:
        check_adapter(base, adapter)
    assert "layers.7" in caught.value.message


def test_a_base_of_another_size_is_refused(adapter: Path, tmp_path: Path):
    other = save_base(tmp_path / "other", hidden=64)
    with pytest.raises(AssetError, match="shapes differ") as caught:
        check_adapter(other, adapter)
    assert "Qwen3-VL-4B-Instruct" in caught.value.hint


def test_half_a_pair_is_refused(base: Path, adapter: Path):
    from safetensors.torch import load_file, save_file

    path = adapter / "adapter_model.safetensors"
    tensors = load_file(path)
    del tensors[next(name for name in tensors if "lora_B" in name)]
    save_file(tensors, path)
    with pytest.raises(AssetError, match="no counterpart"):
        check_adapter(base, adapter)


def test_a_cut_off_file_is_refused_as_such(base: Path, adapter: Path):
    path = adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(AssetError, match="cut off"):
        check_adapter(base, adapter)


def test_what_is_no_lora_is_refused(base: Path, adapter: Path):
    edit_settings(adapter, peft_type="IA3")
    with pytest.raises(AssetError, match="IA3"):
        check_adapter(base, adapter)


def test_without_the_extra_the_missing_package_and_the_command_are_named(base: Path, trained: Path):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from semanticface.engines.mllm.adapter import check_adapter\n"
        f"check_adapter(Path({str(base)!r}), Path({str(trained)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "semanticface[mllm]" in done.stderr.splitlines()[-1]


def test_the_meta_model_names_what_the_real_one_has(base: Path):
    from safetensors import safe_open

    with safe_open(base / "model.safetensors", "pt") as file:
        assert set(file.keys()) <= set(base_parameters(base))
