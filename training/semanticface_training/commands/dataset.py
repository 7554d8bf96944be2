"""`semanticface-train dataset`: build a dataset from recordings, check one, show what is in one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.output import console, print_json, print_table
from semanticface.errors import OptionsError

if TYPE_CHECKING:
    from semanticface_training.dataset.table import Dataset

dataset = typer.Typer(no_args_is_help=True, help="Datasets: build from recordings, check, show.")

Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]
Folder = Annotated[Path, typer.Argument(help="A dataset's folder.")]


@dataset.command()
def build(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Live Link Face takes or folders of them, pictures with a CSV, .jsonl, takes of the backend."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The dataset's folder. Run again to go on after a stop.")],
    rate: Annotated[str, typer.Option(help="Rows a second (2, 30000/1001), or all.")] = "2",
    neutral: Annotated[
        str, typer.Option(help="For uncalibrated takes: auto (_neutral.csv), none, a file, or frames (0-30).")
    ] = "auto",
    train: Annotated[str, typer.Option(help="Subjects to train on, with commas. Default: all others.")] = "",
    val: Annotated[str, typer.Option(help="Subjects to validate on.")] = "",
    test: Annotated[str, typer.Option(help="Subjects to test on.")] = "",
    leave_out: Annotated[
        str, typer.Option(help="One subject to test on; the next one validates, the others train.")
    ] = "",
    subject: Annotated[list[str] | None, typer.Option(help="TAKE=NAME: whose face a take shows. Repeatable.")] = None,
    size: Annotated[int, typer.Option(help="Longest side of a picture; 0: as it is.", min=0)] = 1024,
    quality: Annotated[int, typer.Option(help="JPEG quality.", min=50, max=100)] = 92,
    face_crop: Annotated[bool, typer.Option("--face-crop", help="Keep the face alone.")] = False,
    image_rate: Annotated[str, typer.Option(help="Frames a second of folders of numbered pictures.")] = "",
    start: Annotated[
        str, typer.Option(help="First frame's timecode of videos that don't tell; first-row: that of the CSV's.")
    ] = "",
    short_video: Annotated[bool, typer.Option("--short-video", help="Drop rows that reach beyond the video.")] = False,
    overlap: Annotated[bool, typer.Option("--overlap", help="Two cameras may have recorded one performance.")] = False,
    licence: Annotated[str, typer.Option(help="Under which terms the recordings may be used, for the card.")] = "",
    jobs: Annotated[int, typer.Option(help="Processes, one take each.", min=1)] = 1,
    json: Json = False,
) -> None:
    """Build a dataset: frames paired with their coefficients by time, whole subjects to train, validate and test on."""
    from semanticface.media.source import parse_rate
    from semanticface_training.dataset.build import build as build_dataset
    from semanticface_training.dataset.plan import Options
    from semanticface_training.dataset.split import SplitRule

    options = Options(
        rate=None if rate == "all" else parse_rate(rate),
        neutral=neutral,
        image_rate=parse_rate(image_rate) if image_rate else None,
        size=size,
        quality=quality,
        crop=face_crop,
        start=start,
        short_video=short_video,
        overlap=overlap,
        subjects=_subjects(subject or []),
        split=SplitRule(_names(train), _names(val), _names(test), leave_out),
    )
    made = build_dataset(sources, out, options, jobs=jobs, licence=licence, tell=_tell(json))
    if json:
        print_json(_facts(made))
    else:
        _print_counts(made)


@dataset.command()
def check(path: Folder, json: Json = False) -> None:
    """Decode every picture and compare everything with the table; code 3 and the row's name when something is wrong."""
    from semanticface_training.dataset.table import Dataset

    found = Dataset.open(path)
    found.check()
    if json:
        print_json({"path": str(path), "rows": len(found), "digest": found.digest, "problem": ""})
    else:
        console().print(f"{path}: {len(found):,} rows, all right", markup=False)


@dataset.command()
def show(path: Folder, json: Json = False) -> None:
    """Counts, splits, what was dropped and why, and the actions."""
    from semanticface_training.dataset.statistics import constant_actions, describe_values
    from semanticface_training.dataset.table import Dataset

    found = Dataset.open(path)
    statistics = describe_values(found.values)
    if json:
        print_json({**_facts(found), "constant_actions": constant_actions(statistics)})
        return
    _print_counts(found)
    actions = [
        (s.action.name, f"{s.minimum:z.3f}", f"{s.mean:z.3f}", f"{s.maximum:z.3f}", f"{s.active:.0%}", s.bars)
        for s in statistics
    ]
    print_table("actions", ("action", "min", "mean", "max", "active", "histogram"), actions)


def _print_counts(found: Dataset) -> None:
    header = found.header
    rows = [
        (split, f"{count:,}", ", ".join(header["subjects"][split][:12]))
        for split, count in header["counts"]["splits"].items()
    ]
    print_table(f"{found.path}: {len(found):,} rows, digest {found.digest[:16]}", ("split", "rows", "subjects"), rows)
    dropped = [(reason, f"{count:,}") for reason, count in header["counts"]["dropped_because"].items()]
    if dropped:
        print_table(f"dropped: {header['counts']['dropped']:,}", ("why", "frames"), dropped)


def _tell(as_json: bool) -> Callable[[str, int, int], None]:
    if as_json:
        return lambda take, rows, total: print_json({"take": take, "rows": rows, "total": total})
    return lambda take, rows, total: console().print(f"{take}: {rows} rows, {total} in all", markup=False)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _subjects(wishes: list[str]) -> dict[str, str]:
    """TAKE=NAME as a map. Raises OptionsError."""
    out = {}
    for wish in wishes:
        take, mark, name = wish.partition("=")
        if not mark or not take.strip() or not name.strip():
            raise OptionsError(f"--subject {wish!r} is not TAKE=NAME", "such as --subject 20260101_scene_1=anna")
        out[take.strip()] = name.strip()
    return out


def _facts(found: Dataset) -> dict[str, Any]:
    header = found.header
    return {"path": str(found.path), "digest": found.digest, "counts": header["counts"], "subjects": header["subjects"]}
