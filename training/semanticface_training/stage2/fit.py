"""A training run from its settings to a checkpoint folder: look at the rows, say what it costs, train, judge, export.

    RUN/
      fit.json        what was asked, the data's digest, lengths of the rows, libraries
      log.jsonl       what happened; tensorboard/ has its numbers
      checkpoints/    to go on from, by step
      best/, last/    checkpoint folders for `semanticface models import`

Each process of `accelerate launch` calls `fit`; the first one writes.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from semanticface.engines.mllm.memory import Shape
from semanticface.errors import AssetError, OptionsError
from semanticface_training.dataset.table import Split
from semanticface_training.stage2 import launch, resume
from semanticface_training.stage2.config import FitConfig, Precision, Trainable
from semanticface_training.stage2.cost import Lengths, Plan, plan, survey
from semanticface_training.stage2.export import Origin, export, libraries
from semanticface_training.stage2.launch import Base, Place
from semanticface_training.stage2.log import RunLog, Tell, unheard
from semanticface_training.stage2.rows import Rows, open_rows, profile_of, spread
from semanticface_training.stage2.validate import Judge, Validation

BEST, LAST = "best", "last"
QUICK_ROWS = 200
"""Rows that a preview looks at."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """What came of a run. `best` is `last` where nothing was judged; `validation` belongs to `best`."""

    out: Path
    best: Path
    last: Path
    steps: int
    validation: Validation | None
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A run that is ready to begin."""

    config: FitConfig
    place: Place
    base: Base
    rows: Rows
    args: Any
    half: bool
    steps: int
    per_epoch: int

    @property
    def facts(self) -> dict[str, Any]:
        """On what the weights depend besides the settings."""
        words = {name: analysis.to_dict() for name, analysis in sorted(self.rows.examples.words.items())}
        digest = hashlib.sha256(json.dumps(words, ensure_ascii=False).encode()).hexdigest()
        return {"digest": self.rows.dataset.digest, "words": digest}


def preview(config: FitConfig) -> Plan:
    """What the run would cost, from a look at 200 rows. Raises what `fit` raises before it begins."""
    launch.offline()
    with _quiet():
        run = _ready(config)
        places = spread(range(len(run.rows.examples)), QUICK_ROWS)
        return _plan(run, survey(run.rows.examples, places))


def fit(
    config: FitConfig,
    *,
    resume_run: bool = False,
    resume_step: int | None = None,
    look_at: int = 0,
    tell: Tell = unheard,
) -> FitResult:
    """Train. `resume_run`: go on from the last whole checkpoint, or that of `resume_step`; begin where there is none.

    `look_at`: how many rows are read back before it begins, 0 for all: a row that can't be taught would end the run
    in the middle. Raises InputError for rows, descriptions or folders that don't suffice, AssetError for a base that
    isn't here, EngineError when the model fails.
    """
    launch.offline()
    began = time.monotonic()
    with _quiet():
        run = _ready(config)
        start, lengths = _begin(run, resume_run or resume_step is not None, resume_step, look_at)
        log_to = RunLog(config.out, tell) if run.place.main else None
        try:
            _train(run, lengths, start, log_to)
            result = _result(run, time.monotonic() - began)
            if log_to is not None:
                log_to.write("done", run.steps, best=result.best.name, total_seconds=round(result.seconds, 1))
        finally:
            if log_to is not None:
                log_to.close()
    return result


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the libraries' bars, reports and news of coming versions."""
    import logging

    from transformers.utils import logging as libraries_log

    libraries_log.disable_progress_bar()
    before = libraries_log.get_verbosity()
    libraries_log.set_verbosity(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            yield
        finally:
            libraries_log.set_verbosity(before)


def _ready(config: FitConfig) -> _Run:
    """Everything but the model."""
    from semanticface_training.stage2.trainer import arguments

    place = Place.of_environment()
    launch.one_card(place)
    base = launch.find(config.base)
    rows = open_rows(config, base.folder)
    cpu, half = _device(config)
    batches = math.ceil(len(rows.examples) / (config.schedule.batch * place.world))
    per_epoch = math.ceil(batches / config.schedule.accumulate(place.world))
    steps = config.schedule.steps or math.ceil(config.schedule.epochs * per_epoch)
    args = arguments(config, steps, per_epoch, place.world, cpu, half)
    return _Run(config, place, base, rows, args, half, steps, per_epoch)


def _device(config: FitConfig) -> tuple[bool, bool]:
    """Whether to compute on the processor, and whether in bfloat16. Raises OptionsError for what isn't here."""
    import torch

    card = torch.cuda.is_available()
    if config.device not in ("auto", "cpu", "cuda"):
        raise OptionsError(f"there is no device {config.device!r} to train on", "auto, cuda or cpu")
    if config.device == "cuda" and not card:
        raise OptionsError("no graphics card that torch can use is here", "take --device auto")
    cpu = config.device == "cpu" or not card
    if config.precision is Precision.AUTO:
        return cpu, not cpu and torch.cuda.is_bf16_supported()
    return cpu, config.precision is Precision.BF16


def _begin(run: _Run, again: bool, step: int | None, look_at: int) -> tuple[Path | None, Lengths]:
    """The checkpoint to start from, and the rows' lengths; the settings are on the disk afterwards."""
    from accelerate.utils import gather_object, wait_for_everyone

    config = run.config
    if again and (config.out / resume.SETTINGS_NAME).exists():
        settings = resume.check_same(config, run.facts)
        return resume.choose(config.out, step), Lengths(**settings["lengths"])
    places = spread(range(len(run.rows.examples)), look_at or len(run.rows.examples))
    mine = survey(run.rows.examples, places[run.place.rank :: run.place.world])
    lengths = Lengths.joined(gather_object([mine]))
    if run.place.main:
        facts = {**run.facts, "lengths": asdict(lengths), "libraries": libraries(), "processes": run.place.world}
        resume.begin(config, facts)
    wait_for_everyone()
    return None, lengths


def _plan(run: _Run, lengths: Lengths) -> Plan:
    shape = Shape.read(run.base.folder)
    rows, judged = len(run.rows.examples), len(run.rows.validation)
    return plan(run.config, shape, lengths, rows, judged, run.place.world, run.steps, run.per_epoch, run.half)


def _train(run: _Run, lengths: Lengths, start: Path | None, log_to: RunLog | None) -> None:
    """The training itself; `best/` and `last/` are written afterwards."""
    from semanticface_training.stage2.trainer import FitTrainer

    config, rows, place = run.config, run.rows, run.place
    if log_to is not None:
        log_to.write("plan", 0, **_plan(run, lengths).to_dict())
    profile = profile_of(config, run.base.name, lengths.words)
    origin = Origin(config, profile, run.base.folder, run.base.name, _data(run))
    model = load_model(config, run.base, run.half)
    sharded = launch.sharded()
    numbers = () if sharded else rows.validation
    batch = max(1, config.schedule.batch)
    judge = Judge(rows.dataset, numbers, profile, rows.tokenizer, config.form.actions, batch, place.rank, place.world)
    if not numbers:
        run.args.eval_strategy, run.args.metric_for_best_model = "no", None

    def keep(inner: Any, found: Validation | None) -> None:
        if place.main:
            export(inner, config.out / BEST, origin, trainer.state.global_step, found)
            if log_to is not None and found is not None:
                log_to.write("best", found.step, score=found.score)

    trainer = FitTrainer(model, run.args, rows.examples, rows.collator, config.loss, judge, keep, log_to)
    if start is not None and log_to is not None:
        log_to.write("resume", int(start.name.rpartition("-")[2]))
    if start is None or int(start.name.rpartition("-")[2]) < run.steps:
        trainer.train(resume_from_checkpoint=None if start is None else str(start))
    else:
        trainer._load_from_checkpoint(str(start))
    state = trainer.accelerator.get_state_dict(trainer.model) if sharded else None
    if place.main:
        last = trainer.validations[-1] if trainer.validations else None
        export(trainer.accelerator.unwrap_model(trainer.model), config.out / LAST, origin, run.steps, last, state)
    trainer.accelerator.wait_for_everyone()


def load_model(config: FitConfig, base: Base, half: bool) -> Any:
    """The base as it is to learn, seeded. Raises AssetError when weights are missing."""
    import torch
    from transformers import Qwen3VLForConditionalGeneration, set_seed

    from semanticface_training.stage2.lora import prepare

    set_seed(config.seed)
    narrow = half and config.trainable is Trainable.LORA
    model, info = Qwen3VLForConditionalGeneration.from_pretrained(
        base.folder,
        dtype=torch.bfloat16 if narrow else torch.float32,
        attn_implementation="sdpa",
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
    )
    missing = sorted(map(str, info["missing_keys"])) + sorted(map(str, info["mismatched_keys"]))
    if missing:
        raise AssetError(f"{base.folder} lacks {len(missing)} of the model's weights, for example {missing[0]}",
                         "fetch or copy the base model again")  # fmt: skip
    return prepare(model, config.trainable, config.lora, base.name, config.adapter)


def _data(run: _Run) -> Mapping[str, Any]:
    dataset = run.rows.dataset
    subjects = {row.subject for row in dataset.rows if row.split is Split.TRAIN}
    return {"digest": dataset.digest, "rows": len(run.rows.examples), "subjects": len(subjects)}


def _result(run: _Run, seconds: float) -> FitResult:
    out = run.config.out
    best = out / BEST if (out / BEST).is_dir() else out / LAST
    return FitResult(out, best, out / LAST, run.steps, judged_in(best), seconds)


def judged_in(folder: Path) -> Validation | None:
    """How the model in an exported folder was judged, None where it wasn't."""
    facts = json.loads((folder / "training.json").read_text(encoding="utf-8"))["validation"]
    return None if facts is None else Validation(**{**facts, "unread": tuple(map(tuple, facts["unread"]))})
