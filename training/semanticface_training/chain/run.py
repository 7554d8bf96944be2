"""The stages of the demo in their order, each once: what is finished is not done again, however often it is killed.

draw -> describe, tell -> look -> see -> teach -> import -> read -> report. This module knows the order and nothing of
how a stage is done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface import assets
from semanticface.take import write_atomic
from semanticface_training.chain.ledger import Ledger
from semanticface_training.chain.plan import Demo
from semanticface_training.chain.results import Results, measure
from semanticface_training.dataset.table import Dataset
from semanticface_training.stage2.targets import Target
from semanticface_training.synthetic.build import Progress, synthesize

REPORT, RESULTS = "report.md", "results.json"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finished:
    """A whole run: its numbers, the report as text, and where both lie."""

    results: Results
    text: str
    folder: Path
    seconds: float


def run(demo: Demo, say: Say) -> Finished:
    """Do what is not done yet, and report. `say` gets a line now and then.

    Raises InputError for a folder of another run, AssetError for heads or landmark models that aren't there,
    EngineError when a process fails.
    """
    from transformers.utils import logging as libraries

    from semanticface_training.chain import describing, reading, report, teaching
    from semanticface_training.chain.worker import job_of

    libraries.disable_progress_bar()
    ledger = Ledger(demo.out, demo.key())
    line = _Line(ledger, say)
    line.stage("draw", lambda: _draw(demo, say))
    dataset = Dataset.open(demo.dataset)
    line.stage("describe", lambda: describing.by_rules(dataset))
    line.stage("tell", lambda: describing.by_language_model(dataset, demo, say))
    line.stage("look", lambda: _look(dataset, demo, say))
    line.stage("see", lambda: _see(dataset, demo, say))
    line.stage("teach", lambda: teaching.teach_all(demo, job_of(demo), say))
    line.stage("import", lambda: reading.import_all(demo))
    line.stage("read", lambda: reading.read_all(dataset, demo, say))
    results = measure(dataset, {t.value: reading.predictions(dataset, demo, t) for t in Target})
    seconds = line.seconds()
    words = report.text(demo, line.facts, results, seconds)
    everything = {"results": results.to_dict(), "stages": line.facts, "seconds": seconds, "length": demo.length.value}
    write_atomic(demo.out / RESULTS, json.dumps(everything, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write_atomic(demo.out / REPORT, words)
    return Finished(results, words, demo.out, sum(seconds.values()))


class _Line:
    """Stages one after the other; `facts` are those of all that are finished."""

    def __init__(self, ledger: Ledger, say: Say) -> None:
        self.facts: dict[str, dict[str, Any]] = {}
        self._ledger, self._say, self._seconds = ledger, say, dict[str, float]()

    def stage(self, name: str, work: Callable[[], Mapping[str, Any]]) -> None:
        known = self._ledger.facts(name)
        if known is None:
            began = time.monotonic()
            self._say(f"{name} ...")
            found = dict(work())
            known = {"facts": found, "seconds": round(time.monotonic() - began, 1)}
            self._ledger.note(name, known)
            self._say(f"{name}: {known['seconds']:.0f} s")
        else:
            self._say(f"{name}: done before")
        self.facts[name], self._seconds[name] = known["facts"], known["seconds"]

    def seconds(self) -> dict[str, float]:
        """By stage; what a run before a kill spent on an unfinished stage is not in it."""
        return dict(self._seconds)


def _draw(demo: Demo, say: Say) -> dict[str, Any]:
    last = [0.0]

    def tell(progress: Progress) -> None:
        now = time.monotonic()
        if now - last[0] >= 10 or progress.done == progress.total:
            last[0] = now
            say(f"{progress.done:,} of {progress.total:,} pictures drawn")

    dataset = synthesize(demo.dataset, demo.drawn(), demo.source, demo.processes, tell)
    out: dict[str, Any] = {"digest": dataset.digest}
    for split in ("train", "test"):
        rows = [dataset.rows[int(row)] for row in dataset.indices(split)]
        out |= {split: len(rows), f"{split}_people": len({row.subject for row in rows})}
    return out


def _look(dataset: Dataset, demo: Demo, say: Say) -> dict[str, Any]:
    from semanticface_training.chain import teaching

    if assets.locate(assets.FACE_LANDMARKER) is None:
        say(f"fetching {assets.FACE_LANDMARKER.name} ({assets.FACE_LANDMARKER.size / 1e6:.1f} MB)")
        assets.pull(assets.FACE_LANDMARKER)
    pictures = teaching.look(dataset, demo, say)
    return {"pictures": len(pictures.numbers), "without": pictures.without}


def _see(dataset: Dataset, demo: Demo, say: Say) -> dict[str, Any]:
    import torch

    from semanticface_training.chain import teaching

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # products this small gain a third from a second thread, and lose all of it when it's busy
    pictures = teaching.look(dataset, demo)
    words = teaching.make_tokenizer(dataset, pictures, demo)
    try:
        return {**words, **teaching.see(dataset, pictures, demo, say)}
    finally:
        torch.set_num_threads(threads)
