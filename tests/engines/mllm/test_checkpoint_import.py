"""What lies on this machine is taken when it is whole and fits, and is refused with what to do when not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

import loading_kit as kit
import numpy as np
from adapter_kit import profile, rename_tensors, save_adapter, save_base

from semanticface import paths
from semanticface.actions import ACTIONS
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.bases import RELEASED, find_base
from semanticface.engines.mllm.checkpoint import Checkpoint, find_checkpoint, list_checkpoints
from semanticface.engines.mllm.engine import SemanticFaceEngine
from semanticface.engines.mllm.importing import Wishes, import_path
from semanticface.engines.mllm.loading import Settings
from semanticface.engines.mllm.profile import Layout
from semanticface.errors import AssetError
from semanticface.results import Status

SOME = ("JawOpen", "MouthSmileLeft", "MouthSmileRight", "HeadYaw")


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SEMANTICFACE_MODELS", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "ms"))
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """base/ in shards and adapter/ as they come from a training run."""
    folder = tmp_path_factory.mktemp("made")
    save_base(folder / "base", shards=True)
    save_adapter(folder / "adapter", folder / "base")
    return folder


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "base", tmp_path / "stick" / "Qwen3-VL-4B-Instruct"))


@pytest.fixture
def adapter(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "adapter", tmp_path / "stick" / "run"))


@pytest.fixture
def complete(made: Path, tmp_path: Path) -> Path:
    """A checkpoint in our form with its own base."""
    folder = Path(shutil.copytree(made, tmp_path / "stick" / "complete"))
    profile().save(folder)
    return folder


def bring(path: Path, **wishes) -> list[tuple[str, str]]:
    return [(found.kind, found.name) for found in import_path(path, Wishes(**wishes))]


def test_a_checkpoint_in_our_form_is_copied_whole_and_found(complete: Path):
    assert bring(complete) == [("checkpoint", "trained")]
    found = find_checkpoint("trained")
    shutil.rmtree(complete)
    assert found == find_checkpoint()
    assert found.base == found.folder / "base"
    assert found.profile == profile()
    assert Checkpoint.at(found.folder).identity() == found.identity()


def test_a_checkpoint_gets_the_name_that_was_asked_for(complete: Path):
    bring(complete, name="second")
    assert [found.name for found in list_checkpoints()] == ["second"]
    assert find_checkpoint("second").profile.name == "second"


def trained_whole(made: Path, tmp_path: Path) -> Path:
    """A model of which all weights were trained: profile and base/, no adapter."""
    folder = tmp_path / "stick" / "scratch"
    shutil.copytree(made / "base", folder / "base")
    profile(adapter=False, layouts=(Layout.VECTOR,), actions=SOME).save(folder)
    return folder


def test_a_model_whose_weights_were_all_trained_is_taken_with_its_form(made: Path, tmp_path: Path):
    assert bring(trained_whole(made, tmp_path)) == [("checkpoint", "trained")]
    found = find_checkpoint("trained")
    assert found.adapter is None
    assert found.base == found.folder / "base"
    assert (found.profile.layouts, found.profile.actions) == ((Layout.VECTOR,), SOME)


def test_a_model_from_nothing_answers_after_its_import(tmp_path: Path):
    """Saved by transformers, with a tokenizer of its own; imported; found by name; loaded; asked; read."""
    model = kit.opening_lists(kit.fond_of_digits(kit.build(38, tied=False)))
    kit.save_base(tmp_path / "stick" / "base", model)
    profile(adapter=False, layouts=(Layout.VECTOR,), actions=SOME, image_tokens=(4, 16)).save(tmp_path / "stick")
    bring(tmp_path / "stick")
    engine = SemanticFaceEngine(find_checkpoint("trained"), Settings(device="cpu"))
    session = engine.session(RunOptions({"draft": "none"}), video=False)
    (result,) = session.analyze([FrameInput(3, None, np.zeros((64, 64, 3), np.uint8))])
    engine.close()
    assert result.status is Status.OK, (result.message, result.raw_text)
    assert result.raw_text.startswith("[") and result.raw_text.endswith("]")
    assert [name for name, value in result.coefficients.items() if value] != []
    assert {name for name, value in result.coefficients.items() if value} <= set(SOME)
    assert "reads 4 of 61 actions" in result.message


def test_without_its_model_it_says_where_that_belongs(made: Path, tmp_path: Path):
    folder = trained_whole(made, tmp_path)
    for file in (folder / "base").iterdir():
        file.rename(folder / file.name)
    (folder / "base").rmdir()
    with pytest.raises(AssetError, match="no base/ in it") as caught:
        bring(folder)
    assert "config.json" in caught.value.hint


def test_its_card_and_how_it_was_trained_go_along_and_are_looked_after(complete: Path):
    (complete / "README.md").write_text("# trained\n")
    (complete / "training.json").write_text('{"step": 400}\n')
    (complete / "optimizer.pt").write_bytes(b"\x80")
    bring(complete)
    found = find_checkpoint("trained")
    assert (found.folder / "training.json").read_text() == '{"step": 400}\n'
    recorded = {entry["path"] for entry in json.loads((found.folder / "manifest.json").read_text())["files"]}
    assert {"README.md", "training.json"} <= recorded
    assert not (found.folder / "optimizer.pt").exists()
    before = found.identity()
    (found.folder / "README.md").write_text("# trained, and looked at\n")
    assert found.identity() == before, "no answer hangs on a card"


def test_a_base_is_known_by_its_folders_name_and_its_shards_are_complete(base: Path):
    assert bring(base) == [("base", RELEASED)]
    assert find_base(RELEASED) == paths.models_dir() / "bases" / "Qwen--Qwen3-VL-4B-Instruct"
    assert len(list(find_base(RELEASED).glob("*.safetensors"))) > 2


def test_a_base_with_an_unknown_name_asks_for_one(base: Path):
    base = base.rename(base.with_name("weights"))
    with pytest.raises(AssetError) as caught:
        bring(base)
    assert "--name" in caught.value.hint
    assert bring(base, name="studio/face-base") == [("base", "studio/face-base")]


def test_a_bare_adapter_without_a_profile_says_what_to_give(adapter: Path, base: Path):
    bring(base)
    with pytest.raises(AssetError, match=r"profile\.json") as caught:
        bring(adapter)
    assert "--profile FILE" in caught.value.hint
    assert "example.jsonl" in caught.value.hint


def test_a_bare_adapter_finds_the_base_that_it_was_trained_on_by_its_last_name(adapter, base, tmp_path):
    """Its settings name /cluster/models/Qwen3-VL-4B-Instruct, which is a folder of another machine."""
    bring(base)
    mine = tmp_path / "mine.json"
    mine.write_text(profile().to_json())
    assert bring(adapter, profile=mine) == [("checkpoint", "trained")]
    found = find_checkpoint("trained")
    assert found.profile.base == RELEASED
    assert found.base == find_base(RELEASED)


def test_the_released_prompt_makes_a_bare_adapter_the_released_checkpoint(adapter, base, tmp_path):
    bring(base)
    user = "<image>Name " + ", ".join(f'"{action.name}"' for action in ACTIONS)
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": user}]
    (tmp_path / "example.jsonl").write_text(json.dumps({"messages": chat}) + "\n")
    assert bring(adapter, profile=tmp_path / "example.jsonl") == [("checkpoint", "semanticface")]
    assert find_checkpoint().profile.decimals == 1


def test_a_missing_base_is_named_with_the_ways_to_bring_it(adapter: Path):
    profile().save(adapter)
    with pytest.raises(AssetError, match="Qwen3-VL-4B-Instruct") as caught:
        bring(adapter)
    assert "--base DIR" in caught.value.hint


def test_a_base_folder_given_along_is_copied_into_the_checkpoint(adapter: Path, base: Path):
    profile(base=RELEASED).save(adapter)
    bring(adapter, base=str(base))
    found = find_checkpoint("trained")
    assert found.profile.base == ""
    assert found.base == found.folder / "base"


def test_of_a_training_runs_folders_the_highest_step_is_taken(made: Path, base: Path, tmp_path: Path):
    said: list[str] = []
    bring(base)
    run = tmp_path / "run"
    for step in (50, 400):
        shutil.copytree(made / "adapter", run / f"checkpoint-{step}")
    profile().save(run)
    bring(run, say=said.append)
    assert any("checkpoint-400" in text for text in said)
    assert any("28 tensors" in text for text in said)


def test_links_take_no_room_and_copies_do(complete: Path):
    bring(complete, name="linked", link=True)
    bring(complete, name="copied")
    weights = complete / "adapter" / "adapter_model.safetensors"
    assert weights.samefile(find_checkpoint("linked").adapter / weights.name)
    assert not weights.samefile(find_checkpoint("copied").adapter / weights.name)


def test_a_whole_models_folder_moves_to_another_machine(complete, base, adapter, tmp_path, monkeypatch):
    bring(base)
    profile(name="named").save(adapter)
    bring(adapter)
    bring(complete)
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "other"))
    brought = bring(tmp_path / "home" / "models")
    assert sorted(brought) == [("base", RELEASED), ("checkpoint", "named"), ("checkpoint", "trained")]
    assert find_checkpoint("named").folder.is_relative_to(tmp_path / "other")


def test_a_stick_that_lost_a_byte_is_noticed_by_its_manifest(complete: Path, tmp_path, monkeypatch):
    bring(complete)
    weights = find_checkpoint("trained").adapter / "adapter_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "other"))
    with pytest.raises(AssetError, match="manifest"):
        bring(weights.parents[1])
    assert list_checkpoints() == []


def test_a_checkpoint_in_a_studios_folder_is_found_and_nothing_is_written_there(complete, tmp_path, monkeypatch):
    studio = tmp_path / "studio"
    shutil.copytree(complete, studio / "checkpoints" / "house")
    before = sorted(studio.rglob("*"))
    monkeypatch.setenv("SEMANTICFACE_MODELS", os.pathsep.join([str(tmp_path / "absent"), str(studio)]))
    assert find_checkpoint("house").folder == studio / "checkpoints" / "house"
    assert sorted(studio.rglob("*")) == before


def test_the_released_checkpoint_comes_first_whatever_the_others_are_called(complete: Path):
    bring(complete, name="aaa")
    bring(complete, name="semanticface")
    assert [found.name for found in list_checkpoints()] == ["semanticface", "aaa"]
    assert find_checkpoint().name == "semanticface"


def test_a_changed_prompt_or_adapter_is_another_identity(complete: Path):
    bring(complete)
    found = find_checkpoint("trained")
    first = found.identity()
    profile(user="other").save(found.folder)
    second = find_checkpoint("trained").identity()
    weights = found.adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"\0")
    assert len({first, second, find_checkpoint("trained").identity()}) == 3


def test_a_name_that_is_taken_is_not_overwritten(complete: Path):
    bring(complete)
    with pytest.raises(AssetError, match="here already") as caught:
        bring(complete)
    assert "--name" in caught.value.hint


def spoil_shard(folder: Path) -> None:
    sorted((folder / "base").glob("model-*.safetensors"))[0].unlink()


def spoil_length(folder: Path) -> None:
    shard = sorted((folder / "base").glob("model-*.safetensors"))[0]
    shard.write_bytes(shard.read_bytes()[:-1])


def spoil_kind(folder: Path) -> None:
    config = folder / "base" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "model_type": "qwen2_vl"}))


def spoil_tokenizer(folder: Path) -> None:
    (folder / "base" / "tokenizer.json").unlink()


def spoil_adapter(folder: Path) -> None:
    (folder / "adapter" / "adapter_model.safetensors").rename(folder / "adapter" / "adapter_model.bin")


def spoil_keys(folder: Path) -> None:
    rename_tensors(folder / "adapter", lambda name: name.replace("language_model.", ""))


def spoil_header(folder: Path) -> None:
    (folder / "adapter" / "adapter_model.safetensors").write_bytes(b"\xff" * 64)


def spoil_profile(folder: Path) -> None:
    (folder / "profile.json").write_text("{}")


def spoil_index(folder: Path) -> None:
    index = folder / "base" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../../secret.safetensors"}}))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_shard, "lacks 1 of"),
        (spoil_length, "cut off"),
        (spoil_kind, "qwen2_vl"),
        (spoil_tokenizer, "tokenizer.json"),
        (spoil_adapter, "pickle"),
        (spoil_keys, "none of its 28 tensors"),
        (spoil_header, "no safetensors file"),
        (spoil_profile, "version"),
        (spoil_index, "outside of its folder"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_is_broken_is_refused_by_name_and_leaves_nothing_behind(complete: Path, spoil, words: str):
    spoil(complete)
    with pytest.raises(AssetError, match=words):
        bring(complete)
    folder = paths.models_dir() / "checkpoints"
    assert not folder.exists() or [entry.name for entry in folder.iterdir()] == [".trained.lock"]


def test_a_folder_of_pickled_weights_is_refused_as_such(tmp_path: Path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "pytorch_model.bin").write_bytes(b"\x80\x02")
    with pytest.raises(AssetError, match="pickled"):
        bring(tmp_path / "old")
