"""`semanticface-train fit`: Stage II, a model that learns to read faces from a described dataset."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.output import console, print_json, print_table
from semanticface.errors import OptionsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from semanticface_training.stage2.config import FitConfig
    from semanticface_training.stage2.fit import FitResult
    from semanticface_training.stage2.log import Event

Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]
DEFAULT_BASE = "Qwen/Qwen3-VL-4B-Instruct"


def fit(
    path: Annotated[Path, typer.Argument(help="A dataset's folder.")],
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    base: Annotated[str, typer.Option(help="A base model's folder, or its hub name.")] = DEFAULT_BASE,
    start: Annotated[
        Path | None, typer.Option("--from", help="A checkpoint's folder: its adapter, its question.")
    ] = None,
    name: Annotated[str, typer.Option(help="The checkpoint's name.")] = "semanticface-trained",
    target: Annotated[str, typer.Option(help="a0: values; a1: names and values; a2: words, then both.")] = "a2",
    layout: Annotated[str, typer.Option(help="Of a2: paper, paper_indented or bare.")] = "paper",
    decimals: Annotated[int, typer.Option(min=1, max=3)] = 3,
    actions: Annotated[str, typer.Option(help="Those that are taught, by commas. Default: all 61.")] = "",
    wording: Annotated[str, typer.Option(help="The question: full or short.")] = "full",
    descriptions: Annotated[str, typer.Option(help="Their name in the dataset, or a .jsonl file.")] = "rules",
    image_tokens: Annotated[int, typer.Option(help="Most of a picture; one is 32 x 32 pixels.", min=1)] = 256,
    face_crop: Annotated[float, typer.Option(help="Cut the face out with this margin; below 0: don't.")] = -1.0,
    preparation: Annotated[str, typer.Option(help="none, or levelled: for small models from nothing.")] = "none",
    flips: Annotated[float, typer.Option(help="Share of mirrored rows.", min=0.0, max=1.0)] = 0.5,
    train: Annotated[str, typer.Option(help="What learns: lora or all.")] = "lora",
    rank: Annotated[int, typer.Option(help="Of LoRA.", min=1)] = 8,
    alpha: Annotated[float, typer.Option(help="Of LoRA.")] = 32.0,
    dropout: Annotated[float, typer.Option(help="Of LoRA.")] = 0.05,
    epochs: Annotated[float, typer.Option(min=0.0)] = 5.0,
    steps: Annotated[int, typer.Option(help="Instead of epochs.", min=0)] = 0,
    global_batch: Annotated[int, typer.Option(help="Rows of a step, over all processes.", min=1)] = 32,
    batch: Annotated[int, typer.Option(help="Rows in a process's memory at once.", min=1)] = 1,
    learning_rate: Annotated[float, typer.Option()] = 1e-4,
    warmup: Annotated[float, typer.Option(help="Share of the steps.")] = 0.05,
    weight_decay: Annotated[float, typer.Option()] = 0.1,
    soft: Annotated[str, typer.Option(help="Labels of digits: hard, gaussian or two_hot.")] = "hard",
    sigma: Annotated[float, typer.Option(help="Of Gaussian labels.")] = 0.015,
    distance: Annotated[float, typer.Option(help="Weight of the digits' distance, such as 0.3.")] = 0.0,
    expectation: Annotated[float, typer.Option(help="Weight of the mean value's squared error.")] = 0.0,
    template: Annotated[float, typer.Option(help="Weight of keys and brackets in cross-entropy.")] = 1.0,
    words: Annotated[float, typer.Option(help="Weight of the description in cross-entropy.")] = 1.0,
    value: Annotated[str, typer.Option(help="The reading that is judged: argmax, expectation, median.")] = "argmax",
    precision: Annotated[str, typer.Option(help="auto, bf16 or fp32.")] = "auto",
    checkpointing: Annotated[bool, typer.Option(help="Less memory, a third more work.")] = True,
    validate_every: Annotated[int, typer.Option(help="Steps; 0: each epoch.", min=0)] = 0,
    validation_rows: Annotated[int, typer.Option(help="Most that are read; 0: none.", min=0)] = 64,
    save_every: Annotated[int, typer.Option(help="Steps; 0: each epoch.", min=0)] = 0,
    keep: Annotated[int, typer.Option(help="Checkpoints that stay; 0: all.", min=0)] = 3,
    workers: Annotated[int, typer.Option(help="Processes that load pictures.", min=0)] = 2,
    device: Annotated[str, typer.Option(help="auto, cuda or cpu.")] = "auto",
    seed: Annotated[int, typer.Option()] = 42,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in --out stopped.")] = False,
    resume_step: Annotated[int, typer.Option(help="Go on from this step's checkpoint.", min=0)] = 0,
    look_at: Annotated[int, typer.Option(help="Rows that are read back first; 0: all.", min=0)] = 0,
    second_pass: Annotated[int, typer.Option(help="Steps more, on descriptions of its own.", min=0)] = 0,
    online: Annotated[bool, typer.Option("--online", help="The base may be fetched from the hub.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cost, and end.")] = False,
    json: Json = False,
) -> None:
    """Train on a dataset and write a checkpoint that `semanticface models import` takes."""
    config = _config(dict(locals()))
    from semanticface_training.stage2 import launch
    from semanticface_training.stage2.fit import fit as run
    from semanticface_training.stage2.fit import preview
    from semanticface_training.stage2.second import second_pass as again

    if online:
        launch.download(base)
    if dry_run:
        cost = preview(config)
        if json:
            print_json({"event": "plan", **cost.to_dict()})
        else:
            print_table(str(path), ("what", "cost"), cost.lines())
        return
    with _telling(json) as tell:
        done = run(config, resume_run=resume, resume_step=resume_step or None, look_at=look_at, tell=tell)
        if second_pass:
            done = again(config, done, second_pass, tell)
    if launch.Place.of_environment().main:
        _report(done, json)


def _config(given: dict[str, Any]) -> FitConfig:
    """The settings. Raises OptionsError that names the option with an unknown word."""
    from semanticface.actions import CSV_ORDER
    from semanticface.engines.mllm.profile import Layout, Preparation, ValueChoice
    from semanticface_training.stage2 import config as c
    from semanticface_training.stage2.losses import LossSettings, Soft
    from semanticface_training.stage2.prompts import Wording
    from semanticface_training.stage2.targets import Form, Target

    def word(option: str, kind: Any) -> Any:
        try:
            return kind(given[option])
        except ValueError:
            raise OptionsError(f"--{option} is {given[option]!r}", f"one of {', '.join(kind)}") from None

    names = tuple(name.strip() for name in given["actions"].split(",") if name.strip()) or CSV_ORDER
    form = Form(word("target", Target), word("layout", Layout), given["decimals"], names)
    weights = ("words", "template", "sigma", "distance", "expectation")
    loss = LossSettings(soft=word("soft", Soft), **{key: given[key] for key in weights})
    lengths = ("epochs", "steps", "global_batch", "batch", "learning_rate", "warmup", "weight_decay")
    schedule = c.Schedule(**{key: given[key] for key in lengths})
    kept = ("base", "out", "name", "descriptions", "flips", "validate_every", "validation_rows", "save_every", "keep")
    return c.FitConfig(
        dataset=given["path"],
        **{key: given[key] for key in (*kept, "workers", "device", "seed")},
        form=form,
        wording=word("wording", Wording),
        image_tokens=(min(4, given["image_tokens"]), given["image_tokens"]),
        face_crop=None if given["face_crop"] < 0 else given["face_crop"],
        preparation=word("preparation", Preparation),
        trainable=word("train", c.Trainable),
        lora=c.LoraSettings(given["rank"], given["alpha"], given["dropout"]),
        schedule=schedule,
        loss=loss,
        precision=word("precision", c.Precision),
        gradient_checkpointing=given["checkpointing"],
        value=word("value", ValueChoice),
        **_start(given["start"]),
    )


def _start(folder: Path | None) -> dict[str, Any]:
    """What a run takes from the checkpoint that it goes on from. Raises AssetError for a folder that is none."""
    if folder is None:
        return {}
    from semanticface.engines.mllm.checkpoint import check_adapter_files
    from semanticface.engines.mllm.profile import load_profile
    from semanticface_training.stage2.prompts import Question

    profile = load_profile(folder)
    check_adapter_files(folder / "adapter")
    return {"adapter": folder / "adapter", "question": Question(profile.system, profile.user)}


@contextmanager
def _telling(as_json: bool) -> Iterator[Callable[[Event], None]]:
    """What becomes of a run's events: JSON lines, or words and a bar."""
    if as_json:
        yield lambda event: print_json({"event": event.name, "step": event.step, **event.facts})
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[left]}"), console=console()) as bar:
        tasks: dict[int, Any] = {}

        def tell(event: Event) -> None:
            if event.name == "step":
                total = int(event.facts["steps"])
                if total not in tasks:
                    tasks[total] = bar.add_task("", total=total, left="")
                words = f"loss {event.facts['loss']:.4f}"
                left = f"{_span(event.facts['seconds_left'])} left"
                bar.update(tasks[total], completed=event.step, description=words, left=left)
            elif line := _words(event):
                bar.console.print(line, markup=False)

        yield tell


def _words(event: Event) -> str:
    """An event for people, "" for one that the bar shows."""
    facts = event.facts
    if event.name == "plan":
        need = facts["memory"]["total"] / 1e9
        return f"{facts['rows']:,} rows, {facts['steps']:,} steps, about {need:.1f} GB a card"
    if event.name == "validation":
        error = "no error" if facts["mse"] is None else f"error {facts['mse']:.5f} (the mean's {facts['mean']:.5f})"
        unread = "".join(f"\n  {row}: {why}" for row, why in facts["unread"])
        return f"step {event.step}: {facts['read']} of {facts['rows']} rows read, {error}{unread}"
    if event.name == "resume":
        return f"going on from step {event.step}"
    return str(facts["text"]) if event.name == "note" else ""


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _report(done: FitResult, as_json: bool) -> None:
    found = None if done.validation is None else done.validation.to_dict()
    if as_json:
        print_json({"event": "done", "path": str(done.best), "last": str(done.last), "steps": done.steps,
                    "validation": found, "seconds": round(done.seconds, 1)})  # fmt: skip
        return
    rows = [("steps", f"{done.steps:,} in {_span(done.seconds)}"), ("checkpoint", str(done.best))]
    if done.validation is not None and done.validation.mse is not None:
        rows.append(("validation", f"{done.validation.mse:.5f}, the training rows' mean {done.validation.mean:.5f}"))
    rows.append(("install it", f"semanticface models import {done.best}"))
    print_table(str(done.out), ("what", "result"), rows)
