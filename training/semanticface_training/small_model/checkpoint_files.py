"""A checkpoint folder as the product reads it: `profile.json`, `adapter/`, and the base model in `base/`.

`base/` holds the files that the hub's folder of Qwen3-VL holds, under their names. Several checkpoints share one base
through hard links. Knows nothing of training.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semanticface.engines.mllm.profile import Profile
from semanticface_training.small_model.architecture import EMBEDDING_NAME, END, PAD
from semanticface_training.small_model.tokenizer import CONFIG_NAME, FILE_NAME

BASE, ADAPTER = "base", "adapter"
_GENERATION = {
    "bos_token_id": PAD,
    "pad_token_id": PAD,
    "eos_token_id": [END, PAD],
    "do_sample": True,
    "temperature": 0.7,
    "top_k": 20,
    "top_p": 0.8,
    "repetition_penalty": 1.0,
}
"""Sampling by default, as the hub's folder has it: whoever wants the greedy answer must say so."""
_PICTURES = {
    "image_processor_type": "Qwen2VLImageProcessorFast",
    "processor_class": "Qwen3VLProcessor",
    "size": {"shortest_edge": 65536, "longest_edge": 16777216},
    "patch_size": 16,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def save_base(model: Any, folder: Path, tokenizer: Path) -> None:
    """Write the base's folder. The embedding goes to the file as bfloat16, which holds it exactly."""
    folder.mkdir(parents=True)
    state = {name: weight for name, weight in model.state_dict().items() if name != "lm_head.weight"}
    state[EMBEDDING_NAME] = state[EMBEDDING_NAME].bfloat16()
    model.save_pretrained(str(folder), state_dict=state, max_shard_size="100GB")
    for name, content in (("generation_config.json", _GENERATION), ("preprocessor_config.json", _PICTURES)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(tokenizer, folder / FILE_NAME)
    settings = tokenizer.with_name(CONFIG_NAME)
    if settings.is_file():
        shutil.copyfile(settings, folder / CONFIG_NAME)


def save_checkpoints(profiles: Mapping[str, Profile], out: Path, base: Path, adapter: Path) -> None:
    """One checkpoint folder for each profile, named as it is keyed; their files are hard links to the two folders'."""
    for name, profile in profiles.items():
        (out / name).mkdir(parents=True)
        profile.save(out / name)
        _link(base, out / name / BASE)
        _link(adapter, out / name / ADAPTER)


def _link(source: Path, target: Path) -> None:
    target.mkdir()
    for path in sorted(source.iterdir()):
        path.chmod(0o644)  # safetensors writes files for their owner alone
        try:
            os.link(path, target / path.name)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, target / path.name)
