"""`semanticface-train evaluator`: train the judge of the retrieval table, show one and what it is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.output import console, print_json, print_table
from semanticface.errors import InputError, OptionsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from semanticface_training.evaluation.retrieval.evaluator import ImageSide
    from semanticface_training.evaluation.retrieval.files import Facts
    from semanticface_training.evaluation.retrieval.options import Epoch, Tell

evaluator = typer.Typer(no_args_is_help=True, help="The retrieval evaluator: train one, show one.")

Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]
Network = Annotated[Path | None, typer.Option(help="Folder of a Qwen3-VL-Embedding: its features instead of pixels.")]
Features = Annotated[Path | None, typer.Option(help="Folder to keep these features in. Default: beside the evaluator.")]
Device = Annotated[str, typer.Option(help="For the features: auto, cuda, cuda:1, mps or cpu.")]


@evaluator.command()
def fit(
    path: Annotated[Path, typer.Argument(help="A dataset's folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the evaluator. One that is there and the same is kept.")],
    network: Network = None,
    features: Features = None,
    device: Device = "auto",
    batch: Annotated[int, typer.Option(help="Pairs of a batch; chance is one in so many.", min=2)] = 32,
    size: Annotated[int, typer.Option(help="Side in px of what the small network sees.", min=32)] = 96,
    temperature: Annotated[float, typer.Option(help="Of InfoNCE.")] = 0.07,
    rate: Annotated[float, typer.Option(help="Learning rate; AdamW's weight decay is as large.")] = 1e-3,
    epochs: Annotated[int, typer.Option(help="At most; the rate falls to 0 over them.", min=1)] = 60,
    patience: Annotated[int, typer.Option(help="Epochs without a better R@1 before the end.", min=1)] = 10,
    augment: Annotated[bool, typer.Option(help="Mirror, shift and scale pictures while training.")] = True,
    seed: Annotated[int, typer.Option(min=0)] = 42,
    json: Json = False,
) -> None:
    """Train encoders of pictures and motions on a dataset's true pairs: the judge of R-Precision and distance."""
    from semanticface_training.dataset.table import Dataset
    from semanticface_training.evaluation.retrieval.evaluator import RetrievalEvaluator
    from semanticface_training.evaluation.retrieval.files import read_facts
    from semanticface_training.evaluation.retrieval.options import Options

    options = Options(
        batch=batch,
        size=size,
        temperature=temperature,
        rate=rate,
        decay=rate,
        epochs=epochs,
        patience=patience,
        augment=augment,
        seed=seed,
    )
    dataset = Dataset.open(path)
    side = _image_side(network, features or out.with_name(f"{out.name}-features"), device)
    if (out / "evaluator.json").is_file():
        facts = read_facts(out)
        if facts.same_training(dataset.digest, options, side.facts):
            _print_facts(out, facts, json)
            return
        raise InputError(
            f"{out} holds an evaluator of other data or options (dataset digest {facts.digest[:16]}, "
            f"here {dataset.digest[:16]})",
            "choose another folder",
        )
    trained = RetrievalEvaluator.fit(dataset, options, side, _tell(json))
    trained.save(out)
    _print_facts(out, trained.facts, json)


@evaluator.command()
def show(
    path: Annotated[Path, typer.Argument(help="An evaluator's folder.")],
    dataset: Annotated[Path | None, typer.Option(help="Measure ground truth, chance and shuffled pairs on it.")] = None,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    network: Network = None,
    features: Features = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """What an evaluator was trained on and how far it came; with a dataset, what it is worth there."""
    from semanticface_training.evaluation.retrieval.files import read_facts

    _print_facts(path, read_facts(path), json)
    if dataset is None:
        return
    from semanticface_training.dataset.table import Dataset
    from semanticface_training.evaluation.retrieval import table
    from semanticface_training.evaluation.retrieval.evaluator import RetrievalEvaluator

    found = Dataset.open(dataset)
    side = _image_side(network, features or path.with_name(f"{path.name}-features"), device)
    judge = RetrievalEvaluator.load(path, images=side)
    measured = table(judge, found, found.indices(split), {})
    if json:
        print_json({"event": "table", "split": split, **measured})
        return
    if not measured["same_data"]:
        console().print("This evaluator was trained on another dataset.", markup=False)
    if measured["seen"]:
        console().print(f"It has seen {measured['seen']} of these rows: the figures flatter.", markup=False)
    for forming in ("shuffle", "same_sequence"):
        _print_block(forming, measured)


def _image_side(network: Path | None, features: Path, device: str) -> ImageSide:
    from semanticface_training.evaluation.retrieval.evaluator import ImageSide

    if network is None:
        return ImageSide()
    if not network.is_dir():
        raise OptionsError(f"--network {network} is no folder", "nothing is fetched: name a model's folder")
    from semanticface_training.evaluation.retrieval.qwen_embedding import QwenEmbedding

    return ImageSide(QwenEmbedding(network, device=device), features)


def _tell(as_json: bool) -> Tell:
    def tell(epoch: Epoch) -> None:
        if as_json:
            print_json({"event": "epoch", **_plain(epoch)})
        elif epoch.number % 5 == 0 or epoch.number == 1:
            words = f"epoch {epoch.number}: loss {epoch.loss:.3f}, R@1 {epoch.r1:.1%}"
            best = f"best {epoch.best:.1%} in epoch {epoch.best_epoch}, {epoch.seconds:.0f} s"
            console().print(f"{words}, {best}", markup=False)

    return tell


def _plain(epoch: Epoch) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(epoch)


def _print_facts(path: Path, facts: Facts, as_json: bool) -> None:
    if as_json:
        print_json({"event": "evaluator", "path": str(path), "key": facts.key, **facts.to_dict()})
        return
    side = facts.images.get("name", "the small network's pictures")
    rows = [
        ("dataset", f"{facts.dataset}, digest {facts.digest[:16]}"),
        ("rows", ", ".join(f"{count:,} {split}" for split, count in facts.rows.items())),
        ("image side", str(side)),
        ("best epoch", f"{facts.best.number} of {len(facts.epochs)}"),
        ("validation R@1", f"{facts.best.r1:.1%}, chance {1 / facts.options.batch:.1%}"),
        ("training", f"{facts.epochs[-1].seconds:.0f} s"),
        ("constant actions, ignored", ", ".join(facts.constant) or "none"),
    ]
    print_table(str(path), ("what", "value"), rows)


def _print_block(forming: str, measured: Mapping[str, Any]) -> None:
    block, size = measured[forming], measured["batch"]
    title = f"{forming}, batches of {size}, {measured['common']:,} of {measured['n']:,} rows"
    if block["undefined"]:
        console().print(f"{title}: undefined: {block['undefined']}", markup=False)
        return
    rows = [("chance", *(f"{block['chance'][f'r{k}']:.1%}" for k in (1, 2, 3)), "")]
    for name in ("ground_truth", "shuffled"):
        found = block[name]
        figures = (f"{found[f'r{k}']:.1%} ± {found['ci95'][k - 1]:.1%}" for k in (1, 2, 3))
        rows.append((name.replace("_", " "), *figures, f"{found['mm_dist']:.3f}"))
    print_table(title, ("pairs", "R@1", "R@2", "R@3", "distance"), rows)
