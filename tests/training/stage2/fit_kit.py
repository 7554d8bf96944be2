"""A small dataset and a tiny base model on the disk, and settings of runs that take a second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load_file
from transformers import Qwen3VLForConditionalGeneration

from semanticface.actions import CSV_ORDER
from semanticface_training.dataset.table import Dataset, Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.small_model.architecture import Shape, config, spread
from semanticface_training.small_model.checkpoint_files import save_base
from semanticface_training.stage1.run import describe_all
from semanticface_training.stage1.store import Store, descriptions_path
from semanticface_training.stage1.teacher import RuleTeacher
from semanticface_training.stage2.config import FitConfig, LoraSettings, Schedule
from semanticface_training.stage2.prompts import Wording
from semanticface_training.stage2.targets import Form, Target

SOME = ("HeadYaw", "JawOpen", "MouthSmileLeft")
NUMBERS = Form(Target.A1, decimals=1, actions=SOME)
WORDS = Form(Target.A2, decimals=1, actions=SOME)


def make_dataset(folder: Path, train: int = 5, val: int = 2) -> Dataset:
    """Pictures of 64 pixels whose brightness is the jaw's opening; two subjects, described by rules."""
    writer = DatasetWriter(folder, Meta("test"))
    draw = np.random.default_rng(3)
    for number in range(train + val):
        split = Split.TRAIN if number < train else Split.VAL
        values = dict.fromkeys(CSV_ORDER, 0.0)
        values |= {"JawOpen": (number % 5) / 5, "HeadYaw": 0.3 - 0.1 * (number % 4), "MouthSmileLeft": 0.4}
        image = np.full((64, 64, 3), 50 + 30 * (number % 5), np.uint8) + draw.integers(0, 9, (64, 64, 3), np.uint8)
        data = cv2.imencode(".png", image)[1].tobytes()
        writer.add(Row(f"take{split}", number, f"subject-{split}", split, values), data)
    writer.finish()
    dataset = Dataset.open(folder)
    with Store(descriptions_path(folder, "rules")) as store:
        describe_all(((row.id, row.coefficients) for row in dataset.rows), store, RuleTeacher(), 1)
    return dataset


def make_base(folder: Path, tokenizer: Path) -> Path:
    """Two layers of 64, random; head and embedding are one, as in Qwen3-VL-4B."""
    shape = Shape(hidden=64, layers=2, intermediate=128, vision_layers=2, vision_hidden=32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = Qwen3VLForConditionalGeneration(config(shape))
        spread(model)
    save_base(model, folder, tokenizer)
    return folder


def settings(root: Path, name: str = "run", form: Form = NUMBERS, **more) -> FitConfig:
    """Six steps of two rows, one at once, mirrored by half, with dropout: all that a run that goes on must repeat."""
    schedule = {"steps": 6, "global_batch": 2, "batch": 1, "learning_rate": 3e-3} | more.pop("schedule", {})
    fields = {
        "form": form,
        "wording": Wording.SHORT,
        "image_tokens": (4, 4),
        "lora": LoraSettings(rank=4, dropout=0.1),
        "schedule": Schedule(**schedule),
        "validation_rows": 0,
        "device": "cpu",
        "save_every": 2,
        "keep": 0,
        "name": "tiny",
    }
    return FitConfig(root / "data", str(root / "base"), root / name, **(fields | more))


def same(one: Any, other: Any) -> bool:
    """Equal in type, shape and every bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool((one == other).all()) if hasattr(one, "all") else one == other


def assert_same_end(run: Path, other: Path, random: Sequence[str] = ("rng_state.pth",)) -> None:
    """Two runs of six steps have the same weights, optimiser, schedule and random numbers (one file a process)."""
    for name in ("optimizer.pt", "scheduler.pt", *random):
        ends = [
            torch.load(folder / "checkpoints" / "checkpoint-6" / name, weights_only=False) for folder in (run, other)
        ]
        assert same(*ends), name
    weights = [load_file(folder / "last" / "adapter" / "adapter_model.safetensors") for folder in (run, other)]
    assert same(*weights)
    assert any(bool(weight.any()) for name, weight in weights[0].items() if "lora_B" in name)
