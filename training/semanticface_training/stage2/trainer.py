"""transformers' Trainer with our loss, our judgement and our checkpoints.

What differs from its defaults: Qwen3-VL says that it takes no count of labels, so that the Trainer would divide a step
by its batches instead of its tokens; the count is switched on and the loss is ours. Evaluation is free writing. A
checkpoint gets its mark when it is whole. An epoch's lots are drawn for every kind of loader: accelerate tells the
dataset of an epoch with one process only, and not in an epoch that is gone on with.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from semanticface_training.stage2.collate import Collator
from semanticface_training.stage2.config import FitConfig
from semanticface_training.stage2.examples import Examples
from semanticface_training.stage2.log import RunLog
from semanticface_training.stage2.losses import LossSettings, compute_loss
from semanticface_training.stage2.resume import FOLDER, mark_whole
from semanticface_training.stage2.validate import Judge, Validation

TERMS = ("cross_entropy", "distance", "expectation")
Keep = Callable[[Any, Validation | None], None]
"""Exports the model in hand as a checkpoint folder; called on every process."""


def arguments(config: FitConfig, steps: int, per_epoch: int, processes: int, cpu: bool, half: bool) -> Any:
    """The Trainer's own settings. `steps` in all, `per_epoch` of them an epoch."""
    schedule = config.schedule
    judged = config.validation_rows > 0
    return TrainingArguments(
        output_dir=str(config.out / FOLDER),
        per_device_train_batch_size=schedule.batch,
        gradient_accumulation_steps=schedule.accumulate(processes),
        max_steps=steps,
        learning_rate=schedule.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(schedule.warmup * steps),
        weight_decay=schedule.weight_decay,
        **dict(zip(("adam_beta1", "adam_beta2"), schedule.betas, strict=True)),
        max_grad_norm=schedule.clip,
        optim="adamw_torch",
        bf16=half,
        use_cpu=cpu,
        ddp_backend="gloo" if cpu and processes > 1 else None,
        ddp_find_unused_parameters=False,
        gradient_checkpointing=config.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if config.gradient_checkpointing else None,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.save_every or per_epoch,
        save_total_limit=config.keep or None,
        eval_strategy="steps" if judged else "no",
        eval_steps=config.validate_every or per_epoch,
        metric_for_best_model="score" if judged else None,
        greater_is_better=False if judged else None,
        label_names=["labels"],
        remove_unused_columns=False,
        dataloader_num_workers=config.workers,
        dataloader_pin_memory=not cpu,
        seed=config.seed,
        data_seed=config.seed,
        disable_tqdm=True,
        report_to=[],
    )


class FitTrainer(Trainer):  # type: ignore[misc]
    """See the module. `log_to` is the main process's, None on others."""

    def __init__(
        self,
        model: Any,
        args: Any,
        examples: Examples,
        collator: Collator,
        settings: LossSettings,
        judge: Judge,
        keep: Keep,
        log_to: RunLog | None,
    ) -> None:
        super().__init__(
            model=model,
            args=args,
            train_dataset=examples,
            eval_dataset=list(judge.numbers) if judge.numbers else None,
            data_collator=collator,
        )
        self.remove_callback(PrinterCallback)
        self.add_callback(_Epochs(examples))
        self.model_accepts_loss_kwargs = True
        self.validations: list[Validation] = []
        self._settings, self._judge, self._keep, self._log_to = settings, judge, keep, log_to
        self._terms = torch.zeros(len(TERMS), dtype=torch.float64)
        self._pace = _Pace()

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The answer's loss; processes average their gradients, so each counts as many times as there are."""
        loss, outputs = compute_loss(model, inputs, self._settings, num_items_in_batch)
        parts = torch.stack([getattr(loss, name).detach() for name in TERMS])
        self._terms += parts.to("cpu", torch.float64)
        total = loss.total * self.accelerator.num_processes
        return (total, outputs) if return_outputs else total

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """A step's numbers: the Trainer's, each term of the loss, seconds a step and seconds left."""
        if "loss" in logs:
            terms = self.accelerator.reduce(self._terms.to(self.args.device, torch.float32), reduction="sum")
            logs |= dict(zip(TERMS, terms.tolist(), strict=True))
            self._terms.zero_()
            logs |= self._pace.step(self.state.global_step, self.state.max_steps)
        super().log(logs, start_time)
        if self._log_to is not None and "loss" in logs:
            facts = {name: value for name, value in logs.items() if isinstance(value, (int, float))}
            facts["epoch"] = round(float(self.state.epoch or 0), 4)
            self._log_to.write("step", self.state.global_step, steps=self.state.max_steps, **facts)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Free writing about the validation rows, all processes together; the best so far is exported."""
        began = time.monotonic()
        from accelerate.utils import gather_object

        model = self.accelerator.unwrap_model(self.model)
        answers = gather_object(self._judge.answers(model))
        found = self._judge.judged(self.state.global_step, answers, time.monotonic() - began)
        self.validations.append(found)
        self._pace.pause(found.seconds)
        best = self.state.best_metric is None or found.score < self.state.best_metric
        if self._log_to is not None:
            self._log_to.write("validation", found.step, **{**found.to_dict(), "best": best})
        if best:
            self._keep(model, found)
        self.accelerator.wait_for_everyone()
        metrics = {"eval_score": found.score}
        self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)  # it asks for no more of it
        return metrics

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """The weights that learn, in safetensors. peft would ask the hub about embeddings, which never learn here."""
        folder = Path(output_dir or self.args.output_dir)
        if not self.args.should_save:
            return
        folder.mkdir(parents=True, exist_ok=True)
        model = self.accelerator.unwrap_model(self.model)
        options = {"save_embedding_layers": False} if hasattr(model, "peft_config") else {}
        model.save_pretrained(str(folder), state_dict=state_dict, **options)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        began = time.monotonic()
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            mark_whole(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")
            if self._log_to is not None:
                self._log_to.write("checkpoint", self.state.global_step)
        self._pace.pause(time.monotonic() - began)


class _Epochs(TrainerCallback):  # type: ignore[misc]
    """Tells the examples which epoch it is, before its loader starts."""

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._examples.set_epoch(int((state.epoch or 0) + 1e-6))


class _Pace:
    """Seconds a step, over the last steps; judging and saving left out."""

    def __init__(self) -> None:
        self._last, self._left_out = time.monotonic(), 0.0
        self._recent: list[float] = []

    def pause(self, seconds: float) -> None:
        self._left_out += seconds

    def step(self, step: int, steps: int) -> dict[str, float]:
        now = time.monotonic()
        taken, self._last, self._left_out = now - self._last - self._left_out, now, 0.0
        self._recent = [*self._recent[-49:], taken]
        pace = sorted(self._recent)[len(self._recent) // 2]
        return {"seconds": round(taken, 4), "seconds_left": round(pace * (steps - step), 1)}
