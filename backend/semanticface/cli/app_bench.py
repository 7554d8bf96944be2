"""The table of `semanticface bench`, and the switch that every command has. See `app` for the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

bench = typer.Typer(no_args_is_help=True, help="Measure what the documentation claims.")

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]


@bench.command("landmarks")
def bench_landmarks(
    clips: Annotated[list[Path] | None, typer.Argument(help="Clips to run; default: the sample.")] = None,
    mediapipe_python: Annotated[Path | None, typer.Option(help="A Python that has mediapipe 1.2.2.")] = None,
    frames: Annotated[int, typer.Option(help="Frames a round of the speed test.")] = 40,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; medians are reported.")] = 9,
    write_reference: Annotated[
        Path | None, typer.Option(help="Store MediaPipe's answers for one clip, for tests that run without it.")
    ] = None,
    json: Json = False,
) -> None:
    """Landmark engine against MediaPipe: agreement, CPU time and frames per second, interleaved in one run."""
    from semanticface.cli.bench import run_landmarks, run_write_reference

    if write_reference is not None:
        raise typer.Exit(run_write_reference(clips or [], mediapipe_python, write_reference))
    raise typer.Exit(run_landmarks(clips or [], mediapipe_python, frames, rounds, json))


@bench.command("protocol")
def bench_protocol(frames: Annotated[int, typer.Option(help="Round trips.")] = 300, json: Json = False) -> None:
    """The way to the backend and back with 1080p JPEGs, and the client's import time."""
    from semanticface.cli.bench import run_protocol

    raise typer.Exit(run_protocol(frames, json))


@bench.command("keying")
def bench_keying(frames: Annotated[int, typer.Option(help="Frames to key.")] = 600, json: Json = False) -> None:
    """Bulk keying in Blender against keyframe_insert."""
    from semanticface.cli.bench import run_keying

    raise typer.Exit(run_keying(frames, json))


@bench.command("preview")
def bench_preview(frames: Annotated[int, typer.Option(help="Frames of the take.")] = 600, json: Json = False) -> None:
    """The preview of a recipe in Blender: from a slider's change to refilled curves on three meshes."""
    from semanticface.cli.bench import run_preview

    raise typer.Exit(run_preview(frames, json))


@bench.command("reduction")
def bench_reduction(
    recording: Annotated[Path, typer.Option(help="A Live Link Face CSV.")],
    json: Json = False,
) -> None:
    """Key reduction on a recording: keys left, largest error and time, against the targets."""
    from semanticface.cli.bench import run_reduction

    raise typer.Exit(run_reduction(recording, json))


@bench.command("curves")
def bench_curves(
    recording: Annotated[Path, typer.Option(help="A Live Link Face CSV.")],
    json: Json = False,
) -> None:
    """Smoothing and the other steps of a recipe on a recording that was spoilt, against the filters of libraries."""
    from semanticface.cli.bench import run_curves

    raise typer.Exit(run_curves(recording, json))


@bench.command("decoding")
def bench_decoding(
    pictures: Annotated[list[Path] | None, typer.Argument(help="Pictures; default: the checkpoint's examples.")] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="A checkpoint's folder (build/small-model-wide/released). Default: the installed."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; medians are reported.")] = 1,
    json: Json = False,
) -> None:
    """Skeleton decoding against transformers' generate on the same weights: time, and equality of every answer."""
    from semanticface.cli.bench import run_decoding

    raise typer.Exit(run_decoding(pictures or [], checkpoint, rounds, json))
