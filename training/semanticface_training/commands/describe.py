"""`semanticface-train describe`: Stage I, a description of every row of a dataset by rules or a language model."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.output import ExitCode, console, print_json, print_table
from semanticface.errors import OptionsError

if TYPE_CHECKING:
    from semanticface_training.stage1.run import Progress
    from semanticface_training.stage1.teacher import Teacher

Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]
DEFAULT_MODEL = "Qwen/Qwen3-14B"
_BATCHES = {"transformers": 16, "server": 256}


def describe(
    path: Annotated[Path, typer.Argument(help="A dataset's folder. Run again to go on after a stop.")],
    teacher: Annotated[str, typer.Option(help="rules, transformers or server.")] = "rules",
    name: Annotated[str, typer.Option(help="descriptions/NAME.jsonl in the dataset. Default: the teacher.")] = "",
    model: Annotated[str, typer.Option(help="A folder, a .gguf file or a hub name.")] = DEFAULT_MODEL,
    url: Annotated[str, typer.Option(help="Of the server, such as http://127.0.0.1:8000/v1.")] = "",
    key_variable: Annotated[str, typer.Option(help="Environment variable with the server's API key.")] = "",
    concurrency: Annotated[int, typer.Option(help="Questions to the server at once.", min=1, max=512)] = 32,
    listing: Annotated[str, typer.Option(help="Coefficients in the question: sparse or full.")] = "sparse",
    attempts: Annotated[int, typer.Option(help="Texts that may be written about one face.", min=1, max=100)] = 3,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse for shades of intensity and emotion, too.")] = False,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest words.", min=0.0)] = 0.7,
    top_p: Annotated[float, typer.Option(min=0.01, max=1.0)] = 0.8,
    top_k: Annotated[int, typer.Option(min=0)] = 20,
    max_tokens: Annotated[int, typer.Option(help="Of one description.", min=1)] = 640,
    seed: Annotated[int, typer.Option(help="Each further attempt takes another one.")] = 42,
    batch: Annotated[int, typer.Option(help="Questions of one call; 0: as fits the teacher.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="The first so many rows alone; 0: all.", min=0)] = 0,
    online: Annotated[bool, typer.Option("--online", help="The model may be downloaded from the hub.")] = False,
    json: Json = False,
) -> None:
    """Describe every row's coefficients in four parts, check each text against them, and keep what is faithful."""
    from semanticface_training.dataset.table import Dataset
    from semanticface_training.language.model import Sampling
    from semanticface_training.stage1.faithfulness import REFUSED, STRICT
    from semanticface_training.stage1.prompt import Listing
    from semanticface_training.stage1.run import describe_all
    from semanticface_training.stage1.store import Store, descriptions_path
    from semanticface_training.stage1.teacher import ModelTeacher, RuleTeacher

    if teacher not in ("rules", *_BATCHES):
        raise OptionsError(f"there is no teacher {teacher!r}", "rules, transformers or server")
    if listing not in list(Listing):
        raise OptionsError(f"--listing is sparse or full, not {listing!r}")
    rows = Dataset.open(path).rows[: limit or None]
    file = descriptions_path(path, name or teacher)
    sampling = Sampling(temperature, top_p, top_k, max_tokens, seed)
    with ExitStack() as stack:
        store = stack.enter_context(Store(file))
        writer: Teacher = RuleTeacher()
        if teacher != "rules":
            from semanticface_training.language.choose import open_model

            asked = stack.enter_context(open_model(teacher, model, url, key_variable, concurrency, online))
            writer = ModelTeacher(teacher, asked, sampling, Listing(listing), batch or _BATCHES[teacher])
        frames = ((row.id, row.coefficients) for row in rows)
        done = describe_all(frames, store, writer, attempts, STRICT if strict else REFUSED, _tell(json))
    _report(file, done, json)
    if done.given_up:
        raise typer.Exit(ExitCode.FRAMES)


def _tell(as_json: bool) -> Any:
    last = [0.0]

    def tell(progress: Progress) -> None:
        if progress.seconds - last[0] < 2.0 and progress.done < progress.contents:
            return
        last[0] = progress.seconds
        if as_json:
            print_json({"event": "progress", **_facts(progress)})
        else:
            words = f"{progress.done:,} of {progress.contents:,} described, {progress.rate:.1f} texts a second"
            console().print(f"{words}, {progress.acceptance:.0%} accepted", markup=False)

    return tell


def _report(file: Path, done: Progress, as_json: bool) -> None:
    if as_json:
        print_json({"event": "done", "path": str(file), **_facts(done)})
        return
    rows = [
        ("rows", f"{done.rows:,}"),
        ("different faces", f"{done.contents:,}"),
        ("rows described before", f"{done.kept:,}"),
        ("rows alike another", f"{done.copied:,}"),
        ("texts written now", f"{done.texts:,} in {done.seconds:.1f} s ({done.rate:.1f} a second)"),
        ("accepted", f"{done.accepted:,} ({done.acceptance:.1%})"),
        ("given up", f"{done.given_up:,}"),
        *((f"refused for {kind}", f"{count:,}") for kind, count in done.reasons.items()),
        *((f"remarked: {kind}", f"{count:,}") for kind, count in done.remarks.items()),
    ]
    print_table(str(file), ("what", "count"), rows)


def _facts(done: Progress) -> dict[str, Any]:
    counts = ("rows", "contents", "kept", "copied", "texts", "accepted", "given_up", "done")
    return {
        **{name: getattr(done, name) for name in counts},
        "refused": dict(done.reasons),
        "remarks": dict(done.remarks),
        "acceptance": round(done.acceptance, 4),
        "seconds": round(done.seconds, 3),
        "rate": round(done.rate, 3),
    }
