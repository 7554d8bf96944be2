"""`semanticface models`: what is here, whether it is whole, and removing only what the program made."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from semanticface import paths
from semanticface.assets.manifest import make_manifest, write_manifest
from semanticface.cli.output import ExitCode
from semanticface.engines.mllm.profile import Profile

NAMES = {"semanticface", "Qwen/Qwen3-VL-4B-Instruct", "face_landmarker"}


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SEMANTICFACE_MODELS", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "ms"))
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEMANTICFACE_OFFLINE", "1")
    return paths.models_dir()


def tensors() -> bytes:
    header = json.dumps({"t": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(64)


def install(folder: Path, files: dict[str, bytes]) -> Path:
    """What `pull` leaves behind."""
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    write_manifest(folder, make_manifest(folder, digests, "a test"))
    return folder


@pytest.fixture
def base(models: Path) -> Path:
    files = {"config.json": b'{"model_type": "qwen3_vl"}', "tokenizer.json": b"{}", "model.safetensors": tensors()}
    return install(models / "bases" / "studio--face-base", files)


@pytest.fixture
def checkpoint(models: Path, base: Path) -> Path:
    files = {"adapter/adapter_config.json": b'{"peft_type": "LORA"}', "adapter/adapter_model.safetensors": tensors()}
    folder = install(models / "checkpoints" / "house", files)
    Profile(name="house", system="s", user="u", base="studio/face-base").save(folder)
    return folder


def run(*arguments: str, code: ExitCode = ExitCode.OK, text: str = "") -> list[dict]:
    """The JSON lines of `models ...`."""
    command = [sys.executable, "-c", "from semanticface.cli import main; main()", "models", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, input=text, timeout=60)
    assert done.returncode == code, (done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_list_names_what_could_be_here_and_what_is(checkpoint: Path, base: Path):
    found = {item["name"]: item for item in run("list")}
    assert set(found) == NAMES | {"house", "studio/face-base"}
    assert {name for name, item in found.items() if item["path"] is None} == NAMES
    assert found["house"]["path"] == str(checkpoint)
    assert found["house"]["bytes"] == sum(path.stat().st_size for path in checkpoint.rglob("*.*") if path.is_file())
    assert all(not item.get("problem") for item in found.values())


def test_list_says_what_is_wrong_with_a_broken_one(checkpoint: Path, base: Path):
    (base / "model.safetensors").unlink()
    found = {item["name"]: item for item in run("list")}
    assert "no model.safetensors" in found["studio/face-base"]["problem"]
    assert "studio/face-base" in found["house"]["problem"]


def test_verify_reads_every_byte_and_finds_the_changed_one(checkpoint: Path, base: Path):
    assert {item["name"]: item["problem"] for item in run("verify")} == {"house": "", "studio/face-base": ""}
    path = base / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    found = {item["name"]: item["problem"] for item in run("verify", code=ExitCode.ASSET)}
    assert found["house"] == ""
    assert "model.safetensors has another SHA-256" in found["studio/face-base"]
    assert [item["name"] for item in run("verify", "house")] == ["house"]


def test_verify_of_what_is_not_here_fails(checkpoint: Path):
    (line,) = run("verify", "semanticface", code=ExitCode.ASSET)
    assert "not on this machine" in line["error"]["message"]


def test_an_edited_prompt_is_no_damage(checkpoint: Path):
    Profile(name="house", system="other", user="u", base="studio/face-base").save(checkpoint)
    assert run("verify", "house")[0]["problem"] == ""


def test_remove_deletes_a_checkpoint_and_then_its_base(checkpoint: Path, base: Path):
    (line,) = run("remove", "studio/face-base", "--yes", code=ExitCode.ASSET)
    assert "base of house" in line["error"]["message"]
    run("remove", "house", "--yes")
    run("remove", "studio/face-base", "--yes")
    assert not checkpoint.exists()
    assert not base.exists()


def test_remove_asks_and_takes_no_for_an_answer(checkpoint: Path):
    assert run("remove", "house", code=ExitCode.CANCELLED, text="n\n") == []
    assert checkpoint.exists()
    run("remove", "house", text="y\n")
    assert not checkpoint.exists()


@pytest.mark.parametrize("foreign", ["notes.txt", "adapter/more.txt"])
def test_remove_refuses_a_folder_with_something_of_the_users(checkpoint: Path, foreign: str):
    (checkpoint / foreign).write_text("mine")
    run("remove", "house", "--yes", code=ExitCode.ASSET)
    assert (checkpoint / foreign).read_text() == "mine"


def test_remove_refuses_a_folder_that_it_did_not_make(checkpoint: Path):
    (checkpoint / "manifest.json").unlink()
    run("remove", "house", "--yes", code=ExitCode.ASSET)
    assert checkpoint.exists()


def test_remove_refuses_a_studios_folder(
    checkpoint: Path, models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("SEMANTICFACE_MODELS", str(models))
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "another"))
    run("remove", "house", "--yes", code=ExitCode.ASSET)
    assert checkpoint.exists()


@pytest.mark.parametrize(
    "manifest",
    ["[]", "{", '{"format": "semanticface-folder", "files": [{"path": "../../x", "size": 1, "sha256": "a"}]}'],
)
def test_a_manifest_that_cannot_be_trusted_is_said_and_stops_removal(checkpoint: Path, manifest: str):
    (checkpoint / "manifest.json").write_text(manifest)
    (found,) = run("verify", "house", code=ExitCode.ASSET)
    assert "manifest.json" in found["problem"]
    run("remove", "house", "--yes", code=ExitCode.ASSET)


def test_pull_of_an_unknown_name_lists_the_known_ones():
    (line,) = run("pull", "nothing", code=ExitCode.ASSET)
    assert "semanticface" in line["error"]["hint"]


def test_import_of_a_base_under_a_given_name_needs_no_network(base: Path, tmp_path: Path):
    base.rename(tmp_path / "stick")
    (line,) = run("import", str(tmp_path / "stick"), "--name", "studio/other", "--link")
    assert (line["kind"], line["name"]) == ("base", "studio/other")
    assert (Path(line["path"]) / "model.safetensors").samefile(tmp_path / "stick" / "model.safetensors")


def test_import_of_an_adapter_without_a_profile_fails_with_what_to_give(checkpoint: Path):
    (line,) = run("import", str(checkpoint / "adapter"), code=ExitCode.ASSET)
    assert "--profile" in line["error"]["hint"]


def test_the_doctor_says_which_checkpoint_is_there(checkpoint: Path):
    from semanticface.cli.doctor import _checkpoint

    assert _checkpoint().detail == "house on studio--face-base"
    (checkpoint / "profile.json").write_text("{}")
    found = _checkpoint()
    assert (found.good, found.required) == (False, False)
    assert "profile.json" in found.detail
