"""Stage II of the demo: what all three models have in common is made once, then each learns in its own process.

They share pictures, vision part, tokenizer, number of steps and rows in a batch; they differ in what they are asked and
what they answer. Longer answers cost more seconds: the budget is steps, and the report says the seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

from semanticface.analysis.describe import describe
from semanticface.errors import EngineError, SemanticFaceError, from_wire
from semanticface_training.chain.architecture import Shape, new_model, whiten_patches
from semanticface_training.chain.checkpoint import form_of, question_of
from semanticface_training.chain.describing import analyses, written
from semanticface_training.chain.lessons import Lessons, make_lessons
from semanticface_training.chain.pictures import Pictures, prepare
from semanticface_training.chain.plan import SEED, Demo
from semanticface_training.chain.tokenizer import train_tokenizer
from semanticface_training.chain.tower import Head, TowerRecipe, pretrain
from semanticface_training.chain.vision import BatchedVision
from semanticface_training.dataset.table import Dataset
from semanticface_training.stage2.encode import Encoder
from semanticface_training.stage2.targets import Target, write

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

SHAPE = Shape()
_CHAT = "system\nuser\nassistant\n"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Classroom:
    """All that one model is trained with."""

    model: Any
    head: Head
    tokenizer: Tokenizer
    lessons: Lessons
    pictures: torch.Tensor
    values: torch.Tensor
    shape: Shape


def look(dataset: Dataset, demo: Demo, say: Say = lambda words: None) -> Pictures:
    """The training rows' faces."""
    return prepare(dataset, [int(number) for number in dataset.indices("train")], SHAPE.side, demo.pictures, say)


def make_tokenizer(dataset: Dataset, pictures: Pictures, demo: Demo) -> dict[str, Any]:
    """Train the tokenizer that all models share on all that is written and asked of the training rows."""
    words = analyses(dataset)
    texts = [_CHAT]
    for target in Target:
        asked = question_of(target)
        texts += [f"{asked.system}\n{asked.user}"]
        for number in pictures.numbers:
            row = dataset.rows[int(number)]
            texts.append(write(written(row.coefficients), words[row.id], form_of(target)).text)
    tokenizer = train_tokenizer(texts)
    tokenizer.save(str(demo.tokenizer))
    return {"vocabulary": tokenizer.get_vocab_size()}


def see(dataset: Dataset, pictures: Pictures, demo: Demo, say: Say) -> dict[str, Any]:
    """Pretrain the vision part and write it with its head."""
    from safetensors.torch import save_file

    tokenizer = _load_tokenizer(demo)
    model, head = _fresh(tokenizer)
    shown, values = pictures.tensor(), _values(dataset, pictures)
    whiten_patches(model.model.visual, shown, SEED)
    steps = demo.budget.tower_steps

    def tell(step: int, loss: float) -> None:
        if step % 100 == 0 or step == steps:
            say(f"vision part: step {step:,} of {steps:,}, squared error {loss:.4f}")

    found = pretrain(BatchedVision(model.model.visual, SHAPE.side), head, shown, values, TowerRecipe(steps), tell)
    state = {f"visual.{name}": weight.contiguous() for name, weight in model.model.visual.state_dict().items()}
    state |= {f"head.{name}": weight.contiguous() for name, weight in head.state_dict().items()}
    part = demo.tower.with_suffix(".part")
    save_file(state, part)
    part.replace(demo.tower)
    return {"steps": steps, "loss": round(found.loss, 5), "mean_loss": round(found.mean, 5)}


def classroom(demo: Demo, target: Target) -> Classroom:
    """What the stages before left, ready for one model. Raises InputError for a row that can't be taught."""
    dataset, tokenizer = Dataset.open(demo.dataset), _load_tokenizer(demo)
    pictures, words = look(dataset, demo), analyses(dataset)
    model, head = _fresh(tokenizer)
    _load_tower(demo.tower, model, head)
    encoder = Encoder(tokenizer, question_of(target), form_of(target), (SHAPE.tokens, SHAPE.tokens))
    rows = [dataset.rows[int(number)] for number in pictures.numbers]
    taught = [(row.id, written(row.coefficients), words[row.id]) for row in rows]
    lessons = make_lessons(encoder, tokenizer, taught, describe, SHAPE.side, SEED)
    return Classroom(model, head, tokenizer, lessons, pictures.tensor(), _values(dataset, pictures), SHAPE)


def _values(dataset: Dataset, pictures: Pictures) -> torch.Tensor:
    import torch

    return torch.from_numpy(dataset.values[pictures.numbers]).float()


def _load_tokenizer(demo: Demo) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(demo.tokenizer))


def _fresh(tokenizer: Tokenizer) -> tuple[Any, Head]:
    import torch

    from semanticface.actions import CSV_ORDER

    model = new_model(SHAPE, tokenizer.get_vocab(), SEED)
    torch.manual_seed(SEED)
    return model, Head(SHAPE.tokens, SHAPE.hidden, len(CSV_ORDER))


def _load_tower(file: Path, model: Any, head: Head) -> None:
    from safetensors.torch import load_file

    state = load_file(file)
    for module, name in ((model.model.visual, "visual."), (head, "head.")):
        module.load_state_dict({key.removeprefix(name): w for key, w in state.items() if key.startswith(name)})


def teach_all(demo: Demo, job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Train every model that isn't there yet, side by side, a thread each; returns their facts by target.

    Raises the error of the first that failed; the others are ended.
    """
    waiting = [target for target in Target if not demo.checkpoint(target.value).is_dir()]
    if waiting:
        with tempfile.TemporaryDirectory(prefix="semanticface-demo-") as folder:
            file = Path(folder) / "job.json"
            file.write_text(json.dumps(job), encoding="utf-8")
            _run(file, sorted(waiting, reverse=True), demo, say)
    files = {target.value: demo.checkpoint(target.value) / "training.json" for target in Target}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in files.items()}


def _run(job: Path, targets: Sequence[Target], demo: Demo, say: Say) -> None:
    """Processes at work, at most as many as cores, the longest answers first. They are ended, whatever happens."""
    lanes = max(1, min(demo.processes, len(targets)))
    threads = str(max(1, demo.processes // lanes))
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "0"}
    running: dict[Target, subprocess.Popen[bytes]] = {}
    lines: Queue[tuple[Target, bytes]] = Queue()
    waiting = list(targets)
    try:
        while waiting or running:
            while waiting and len(running) < lanes:
                target = waiting.pop(0)
                running[target] = _start(job, target, environment, lines)
            target, line = lines.get()
            if line:
                _tell(target, json.loads(line), demo, say)
                continue
            _ended(running.pop(target), job.with_name(f"{target.value}.err"))
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def _start(
    job: Path, target: Target, environment: dict[str, str], lines: Queue[tuple[Target, bytes]]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "semanticface_training.chain.worker", str(job), target.value]
    with job.with_name(f"{target.value}.err").open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment)

    def listen() -> None:
        for line in process.stdout or _nothing():
            lines.put((target, line))
        lines.put((target, b""))

    threading.Thread(target=listen, daemon=True).start()
    return process


def _nothing() -> Iterator[bytes]:
    yield from ()


def _tell(target: Target, line: dict[str, Any], demo: Demo, say: Say) -> None:
    steps = demo.budget.learn_steps
    if line["step"] % 100 == 0 or line["step"] == steps:
        say(f"{target.value.upper()}: step {line['step']:,} of {steps:,}, cross-entropy {line['cross_entropy']:.3f}")


def _ended(process: subprocess.Popen[bytes], errors: Path) -> None:
    if process.wait() == 0:
        return
    said = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = said[-1] if said else f"exit code {process.returncode}"
    try:
        error: SemanticFaceError = from_wire(json.loads(last))
    except ValueError:
        error = EngineError(f"a training process failed: {last}")
    raise error
