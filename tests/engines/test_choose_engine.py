"""What `auto` means: the reason names what is missing, and the system's tools may lie, fail or never answer."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semanticface.assets import MODELS_VARIABLE
from semanticface.engines import cards
from semanticface.engines.choose import LANDMARKS, LIBRARIES, SEMANTICFACE, Choice, choose_engine, fit
from semanticface.engines.mllm.memory import QWEN3_VL_4B
from semanticface.engines.mllm.profile import Profile

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fake nvidia-smi is a shell script")

INSTALLED = dict.fromkeys(LIBRARIES, "2.9.0")


def versions(**changes: str) -> Callable[[str], str]:
    known = INSTALLED | changes
    return lambda library: known.get(library, "")


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No models, no tools, no settings."""
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("CUDA_VISIBLE_DEVICES", "SEMANTICFACE_DEVICE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def smi(tmp_path: Path) -> Callable[[str], Path]:
    """Puts an nvidia-smi on the path that runs these lines of shell."""

    def write(script: str) -> Path:
        path = tmp_path / "bin" / "nvidia-smi"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A whole checkpoint of the published size as far as small files tell: its weights are one number."""
    folder = tmp_path / "models" / "checkpoints" / "semanticface"
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    weights = struct.pack("<Q", len(header)) + header + bytes(4)
    for part in ("base", "adapter"):
        (folder / part).mkdir(parents=True)
    Profile("semanticface", "system", "user").save(folder)
    (folder / "base" / "config.json").write_text(json.dumps({"model_type": "qwen3_vl"} | dict(QWEN3_VL_4B)))
    (folder / "base" / "tokenizer.json").write_text("{}")
    (folder / "base" / "model.safetensors").write_bytes(weights)
    (folder / "adapter" / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
    (folder / "adapter" / "adapter_model.safetensors").write_bytes(weights)
    return folder


BIG = 'echo "NVIDIA GeForce RTX 4090, 24564, 23000"'


def test_without_a_checkpoint_it_is_landmarks_and_the_command_that_changes_it() -> None:
    choice = choose_engine(versions())
    assert choice == Choice(LANDMARKS, "no checkpoint is installed (semanticface models pull semanticface)")
    assert choice.describe().startswith("engine: landmarks — no checkpoint")


def test_a_broken_checkpoint_is_none(checkpoint: Path, smi: Any) -> None:
    smi(BIG)
    (checkpoint / "adapter" / "adapter_model.safetensors").unlink()
    assert "no checkpoint" in choose_engine(versions()).reason


def test_without_its_libraries_it_is_landmarks_and_the_line_that_installs_them(checkpoint: Path, smi: Any) -> None:
    smi(BIG)
    choice = choose_engine(versions(torch="", peft=""))
    assert choice == Choice(LANDMARKS, "torch, peft are not installed (pip install 'semanticface[mllm]')")


def test_a_card_with_room_takes_semanticface(checkpoint: Path, smi: Any) -> None:
    smi(BIG)
    choice = choose_engine(versions())
    assert choice.engine == SEMANTICFACE
    assert "fits the NVIDIA GeForce RTX 4090" in choice.reason and "24.1 GB free" in choice.reason


def test_a_card_that_is_full_is_named_with_what_is_free_and_what_is_needed(checkpoint: Path, smi: Any) -> None:
    smi('echo "NVIDIA GeForce RTX 3060, 12288, 2957"')
    choice = choose_engine(versions())
    assert choice.engine == LANDMARKS
    assert choice.reason.startswith("the NVIDIA GeForce RTX 3060 has 3.1 GB free, ")
    need = float(choice.reason.split("free, ")[1].split(" GB")[0])
    assert 8.5 < need < 14, "sixteen bit: there is nothing installed that makes it smaller"


def test_what_makes_weights_smaller_counts_where_it_is_installed(checkpoint: Path, smi: Any) -> None:
    smi('echo "NVIDIA GeForce RTX 3060, 12288, 8000"')
    assert choose_engine(versions()).engine == LANDMARKS
    assert choose_engine(versions(bitsandbytes="0.48")).engine == SEMANTICFACE


def test_a_torch_without_cuda_is_told(checkpoint: Path, smi: Any) -> None:
    smi(BIG)
    choice = choose_engine(versions(torch="2.9.0+cpu"))
    assert choice.engine == LANDMARKS and "torch can't use the NVIDIA GeForce RTX 4090" in choice.reason


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("", "names no card"),
        ('echo "No devices were found"', "names no card"),
        ('echo "NVIDIA X, [N/A], [Not Supported]"', "names no card"),
        ('printf "\\377\\376\\000rubbish,,,\\n,1,2\\n"', "names no card"),
        ('echo "NVIDIA-SMI has failed because it could not talk to the driver"; exit 9', "fails with code 9"),
    ],
)
def test_a_tool_that_fails_or_talks_rubbish_is_no_card(checkpoint: Path, smi: Any, script: str, reason: str) -> None:
    smi(script)
    choice = choose_engine(versions())
    assert choice.engine == LANDMARKS and reason in choice.reason


def test_a_tool_that_cannot_be_run_is_no_card(checkpoint: Path, smi: Any) -> None:
    smi("").write_bytes(b"\x7fELF rubbish")
    assert "can't be run" in choose_engine(versions()).reason


@pytest.mark.clock
def test_a_tool_that_hangs_costs_no_more_than_its_limit(
    checkpoint: Path, smi: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "TIME_LIMIT", 0.4)
    smi(f"echo $$ > {tmp_path / 'pid'}\nexec sleep 60")
    begun = time.monotonic()
    choice = choose_engine(versions())
    assert time.monotonic() - begun < 3
    assert choice.engine == LANDMARKS and "nvidia-smi did not answer" in choice.reason
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(int((tmp_path / "pid").read_text()), 0)
            time.sleep(0.02)


def test_without_any_tool_there_is_no_card(checkpoint: Path) -> None:
    assert choose_engine(versions()).reason == "no NVIDIA card and no Apple silicon was found"


def test_the_users_own_settings_decide_which_card_counts(
    checkpoint: Path, smi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi('echo "NVIDIA Small, 4096, 4000"; echo "NVIDIA Large, 49152, 48000"')
    assert "NVIDIA Small" in choose_engine(versions()).reason, "the first one, as torch takes it"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert choose_engine(versions()).engine == SEMANTICFACE
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert "hides all cards" in choose_engine(versions()).reason
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("SEMANTICFACE_DEVICE", "cuda:1")
    assert choose_engine(versions()).engine == SEMANTICFACE
    monkeypatch.setenv("SEMANTICFACE_DEVICE", "cuda:7")
    assert "no card number 7" in choose_engine(versions()).reason
    monkeypatch.setenv("SEMANTICFACE_DEVICE", "cpu")
    assert "asks for the processor" in choose_engine(versions()).reason


def test_options_that_only_the_landmark_engine_has_ask_for_it() -> None:
    model = Choice(SEMANTICFACE, "it fits")
    for options in ({}, {"mode": "full", "face": "largest"}, {"face": 1, "face_crop": 0.3}):
        assert fit(model, options) == model
    for options in ({"face": 1}, {"face": [0, 0, 9, 9]}, {"smoothing": False}):
        assert fit(model, options).engine == LANDMARKS
        assert next(iter(options)) in fit(model, options).reason
    landmarks = Choice(LANDMARKS, "no card")
    assert fit(landmarks, {"face": 1}) == landmarks


def test_choosing_loads_nothing_heavy(checkpoint: Path, smi: Any) -> None:
    smi(BIG)
    code = (
        "import sys; from semanticface.engines.choose import choose_engine\n"
        "assert choose_engine(lambda name: '2').engine == 'semanticface'\n"
        "heavy = {'numpy', 'torch', 'transformers', 'peft', 'cv2', 'PIL'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
