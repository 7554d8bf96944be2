"""A second pass: the model describes its own training pictures and learns the true values behind its own words.

In the first pass the words before the values come from a teacher who saw the values; in use they are the model's own.
Training once more on self-written words closes this gap (TRACT, Chiang et al., ACL 2025, arXiv 2503.04381, which does
so for scores). The words aren't checked against the values: it must learn to cope with words as they come. A row whose
answer has no description keeps its teacher's.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from semanticface.engines.base import FrameInput, RunOptions
from semanticface.errors import OptionsError
from semanticface.results import FrameResult
from semanticface_training.dataset.table import Dataset, Split
from semanticface_training.stage1.store import Record, Store, read_descriptions
from semanticface_training.stage2 import launch
from semanticface_training.stage2.config import FitConfig, Trainable
from semanticface_training.stage2.export import ADAPTER_NAME, BASE_NAME
from semanticface_training.stage2.fit import FitResult, fit
from semanticface_training.stage2.launch import Place
from semanticface_training.stage2.log import RunLog, Tell, unheard
from semanticface_training.stage2.rows import read_words
from semanticface_training.stage2.targets import Target

SECOND, WRITTEN, JOINED = "second", "written", "descriptions.jsonl"
_AT_ONCE = 64


def second_pass(config: FitConfig, first: FitResult, steps: int, tell: Tell = unheard) -> FitResult:
    """Describe the training rows with `first.best` and train on from it for `steps`; the run lies in OUT/second.

    Can be stopped and called again: what was described stays. Raises OptionsError for a target without words, and what
    `fit` raises.
    """
    if config.form.target is not Target.A2:
        raise OptionsError(f"{config.form.target.value} has no words of which a second pass could learn", "take a2")
    place = Place.of_environment()
    folder = config.out / WRITTEN
    write_own(config, first.best, folder / f"{place.rank}-of-{place.world}.jsonl", place, tell)
    words = folder / JOINED
    if place.world > 1:
        from accelerate.utils import wait_for_everyone

        wait_for_everyone()
    if place.main:
        join(config, folder, place.world, words)
    if place.world > 1:
        wait_for_everyone()
    changes = replace(config, out=config.out / SECOND, descriptions=str(words),
                      schedule=replace(config.schedule, steps=steps))  # fmt: skip
    if config.trainable is Trainable.LORA:
        changes = replace(changes, adapter=first.best / ADAPTER_NAME)
    else:
        changes = replace(changes, base=str(first.best / BASE_NAME))
    return fit(changes, resume_run=True, tell=tell)


def write_own(config: FitConfig, checkpoint: Path, file: Path, place: Place, tell: Tell = unheard) -> int:
    """Append the checkpoint's own descriptions of this process's training rows; how many it could write in all."""
    from semanticface.engines.mllm.checkpoint import Checkpoint
    from semanticface.engines.mllm.engine import SemanticFaceEngine
    from semanticface.engines.mllm.loading import Settings

    launch.offline()
    dataset = Dataset.open(config.dataset)
    whole = Checkpoint.at(checkpoint, config.name)
    key = hashlib.sha256(whole.identity().encode()).hexdigest()
    mine = dataset.indices(Split.TRAIN)[place.rank :: place.world]
    log_to = RunLog(config.out, tell) if place.main else None
    with Store(file) as store:
        left = [number for number in mine if not _tried(store, dataset.rows[number].id, key)]
        if left:
            settings = Settings(device="cpu" if config.device == "cpu" else "auto")
            engine = SemanticFaceEngine(whole, settings)
            try:
                session = engine.session(RunOptions({"draft": "previous"}), video=False)
                _write(store, dataset, key, session.analyze(_frames(dataset, left)))
                session.close()
            finally:
                engine.close()
    written = sum(dataset.rows[number].id in read_descriptions(file) for number in mine)
    if log_to is not None:
        log_to.write("note", 0, text=f"described {written:,} of {len(mine):,} training rows itself")
        log_to.close()
    return written


def _tried(store: Store, row: str, key: str) -> bool:
    own = hashlib.sha256(f"{key} {row}".encode()).hexdigest()
    return store.holds(row, own) or store.attempts(own) > 0


def _frames(dataset: Dataset, numbers: list[int]) -> Iterator[FrameInput]:
    from semanticface.media.images import FILE_LIMITS, decode_image

    for number in numbers:
        where = f"row {dataset.rows[number].id}: {dataset.image_path(number)}"
        yield FrameInput(number, None, decode_image(dataset.image_bytes(number), FILE_LIMITS, where))


def _write(store: Store, dataset: Dataset, key: str, results: Iterator[FrameResult]) -> None:
    waiting, began = [], time.monotonic()
    for result in results:
        row, now = dataset.rows[result.frame], time.monotonic()
        analysis = result.analysis
        whole = analysis is not None and all(analysis.to_dict().values())
        faults = () if whole else (f"{result.status.value}: {result.message or 'a part of the four is missing'}",)
        own = hashlib.sha256(f"{key} {row.id}".encode()).hexdigest()
        waiting.append(Record(row.id, own, analysis, result.raw_text, whole, faults, 1, round(now - began, 3)))
        began = now
        if len(waiting) >= _AT_ONCE:
            store.append(waiting)
            waiting = []
    store.append(waiting)


def join(config: FitConfig, folder: Path, world: int, out: Path) -> None:
    """One file of all processes' descriptions; where there is none of a row, the teacher's."""
    found: dict[str, Record] = {}
    for rank in range(world):
        found |= read_descriptions(folder / f"{rank}-of-{world}.jsonl")
    missing = {row: words for row, words in read_words(config).items() if row not in found}
    out.unlink(missing_ok=True)
    with Store(out) as store:
        store.append(list(found.values()))
        store.append([Record(row, "teacher", words, "", True, (), 1, 0.0) for row, words in missing.items()])
