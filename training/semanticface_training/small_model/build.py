"""From nothing to checkpoint folders: examples, training, split into base and adapter, files, proof.

    DIR/released/  DIR/paper/    two checkpoints: profile.json, adapter/, base/ (one set of files, linked)
    DIR/examples/                the pictures, and examples.json with the exact answers
    DIR/built.json               the key that this build answers to, and how it went

A folder whose key is that of this code, these libraries and these inputs is left as it is.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semanticface.assets.lock import locked
from semanticface.engines.mllm import picture, profile, prompt
from semanticface.errors import AssetError
from semanticface_training.small_model.examples import CLIP, PROFILES, SAMPLES, Example, load_examples

BUILT, EXAMPLES, EXAMPLES_FILE = "built.json", "examples", "examples.json"
SEED = 3
_LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "safetensors")
_NO_INFLUENCE = {"__init__", "__main__", "tokenizer", "widen"}
Say = Callable[[str], None]


def _quiet(_: str) -> None: ...


def build(out: Path, tokenizer: Path, say: Say = _quiet) -> Path:
    """The folder of the small model, built unless it is there. Two builders of one folder wait for each other.

    Raises AssetError for a tokenizer that isn't Qwen3's, EngineError when the training doesn't reach its aim.
    """
    out = out.resolve()
    with locked(out.with_name(f".{out.name}.lock"), lambda: say("another process builds it: waiting")):
        examples = load_examples()
        key = build_key(examples, tokenizer)
        if built_key(out) == key:
            say(f"{out} is up to date")
            return out
        scratch = out.with_name(f".{out.name}.new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            facts = _make(scratch, examples, tokenizer, say)
            _write(scratch / BUILT, {"key": key, **facts})
            shutil.rmtree(out, ignore_errors=True)
            scratch.replace(out)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return out


def build_key(examples: Sequence[Example], tokenizer: Path) -> str:
    """A digest over everything that the built files depend on."""
    hasher = hashlib.sha256()
    own = sorted(path for path in Path(__file__).parent.glob("*.py") if path.stem not in _NO_INFLUENCE)
    inputs = [SAMPLES / CLIP, tokenizer, *(Path(module.__file__ or "") for module in (picture, profile, prompt))]
    for path in (*own, *inputs):
        hasher.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    for library in _LIBRARIES:
        hasher.update(f"{library} {importlib.metadata.version(library)}\n".encode())
    for example in examples:
        hasher.update(f"{example.question}\n{example.answer}\n".encode())
    return hasher.hexdigest()


def built_key(folder: Path) -> str:
    """The key that a finished build was made with; "" when there is none."""
    try:
        return str(json.loads((folder / BUILT).read_text(encoding="utf-8"))["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _make(folder: Path, examples: Sequence[Example], tokenizer: Path, say: Say) -> dict[str, Any]:
    """All files but `built.json`, and what to write there."""
    from semanticface_training.small_model.adapter import save_adapter, split
    from semanticface_training.small_model.checkpoint_files import ADAPTER, BASE, save_base, save_checkpoints
    from semanticface_training.small_model.verify import load_tokenizer, tokenised, verify

    began, cpu = time.monotonic(), time.process_time()
    questions = tokenised(examples, load_tokenizer(tokenizer))
    model, facts = _train(questions, say)
    facts["training_seconds"] = round(time.monotonic() - began, 1)
    wrapped = split(model, SEED)
    parts = folder / "parts"
    save_adapter(wrapped, parts / ADAPTER)
    save_base(wrapped.unload(), parts / BASE, tokenizer)
    save_checkpoints(PROFILES, folder, parts / BASE, parts / ADAPTER)
    shutil.rmtree(parts)
    _save_examples(folder / EXAMPLES, examples)
    say("checking the saved checkpoints")
    facts["least_margin"] = round(verify(folder, examples), 3)
    facts["answer_tokens"] = {e.question.name: len(q.answer) for e, q in zip(examples, questions, strict=True)}
    facts["seconds"], facts["cpu_seconds"] = round(time.monotonic() - began, 1), round(time.process_time() - cpu, 1)
    say(f"built in {facts['seconds']:.0f} s ({facts['cpu_seconds']:.0f} s of CPU)")
    return facts


def _train(questions: Sequence[Any], say: Say) -> tuple[Any, dict[str, Any]]:
    """The dense model that knows the answers, and how it got there."""
    import torch

    from semanticface_training.small_model.architecture import (
        IMAGE,
        VISION_END,
        VISION_START,
        Shape,
        compact_model,
        dense,
    )
    from semanticface_training.small_model.training import Recipe, collate, memorise

    shape, recipe = Shape(), Recipe()
    tokens = {token for question in questions for token in (*question.prompt.ids, *question.answer)}
    used = sorted(tokens | {IMAGE, VISION_START, VISION_END})
    place = {token: k for k, token in enumerate(used)}
    torch.manual_seed(SEED)
    model = compact_model(shape, used)
    batch = collate([question.lesson().renumbered(place) for question in questions], place[IMAGE])

    def report(step: int, loss: float, wrong: int, margin: float) -> None:
        if step % 10 == 0:
            say(f"step {step}: loss {loss:.4f}, {wrong} tokens wrong, least margin {margin:.2f}")

    outcome = memorise(model, batch, recipe, report)
    say(f"learnt in {outcome.steps} steps, least margin {outcome.margin:.2f}")
    facts = {
        "seed": SEED,
        "steps": outcome.steps,
        "tokens_in_use": len(used),
        "python": sys.version.split()[0],
        "versions": {library: importlib.metadata.version(library) for library in _LIBRARIES},
    }
    return dense(model, shape, used, SEED), facts


def _save_examples(folder: Path, examples: Sequence[Example]) -> None:
    import cv2

    folder.mkdir()
    records = []
    for example in examples:
        name = f"frame_{example.question.frame:03d}.png"
        if not cv2.imwrite(str(folder / name), cv2.cvtColor(example.image, cv2.COLOR_RGB2BGR)):
            raise AssetError(f"can't write {folder / name}")
        records.append(
            {
                "name": example.question.name,
                "image": name,
                "profile": example.question.profile,
                "frame": example.question.frame,
                "after": example.question.after,
                "answer": example.answer,
                "coefficients": dict(example.coefficients),
            }
        )
    _write(folder / EXAMPLES_FILE, records)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
