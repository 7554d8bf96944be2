"""`semanticface bench`: each measurement prints its figures, the target beside them, and whether it was met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semanticface.cli.output import ExitCode, console, print_json, print_table
from semanticface.errors import OptionsError


def _word(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _rows(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A row per figure; figures that stand side by side in one map, such as a mean and its percentiles, share one."""
    rows = []
    for name, value in data.items():
        label = f"{prefix}{name}"
        if not isinstance(value, Mapping):
            rows.append((label, _word(value)))
        elif any(isinstance(inner, Mapping) for inner in value.values()):
            rows += _rows(value, f"{label}, ")
        else:
            rows.append((label, ", ".join(f"{inner} {_word(one)}" for inner, one in value.items())))
    return rows


def _report(title: str, figures: Mapping[str, Any], as_json: bool) -> ExitCode:
    if as_json:
        print_json({"bench": title, **figures})
    else:
        print_table(title, ("figure", "value"), _rows(figures))
    return ExitCode.OK


def run_landmarks(
    clips: Sequence[Path], mediapipe_python: Path | None, frames: int, rounds: int, as_json: bool
) -> ExitCode:
    from semanticface.bench import landmarks
    from semanticface.demo.run import CLIP, checkout

    sources = list(clips) or [checkout() / "samples" / CLIP]
    return _report("landmarks", landmarks.run(sources, mediapipe_python, frames, rounds), as_json)


def run_write_reference(clips: Sequence[Path], mediapipe_python: Path | None, out: Path) -> ExitCode:
    """Needed again when the sample is rendered anew: its stored reference is what the engine's tests compare with."""
    from semanticface.bench import landmarks
    from semanticface.demo.run import CLIP, checkout

    if mediapipe_python is None or len(clips) > 1:
        raise OptionsError("--write-reference needs --mediapipe-python and at most one clip")
    landmarks.write_reference(next(iter(clips), checkout() / "samples" / CLIP), mediapipe_python, out)
    return ExitCode.OK


def run_protocol(frames: int, as_json: bool) -> ExitCode:
    from semanticface.bench import protocol

    return _report("protocol", protocol.run(frames), as_json)


def run_keying(frames: int, as_json: bool) -> ExitCode:
    from semanticface.bench import keying
    from semanticface.demo.run import checkout

    whole = keying.run_take(frames, addon=checkout())
    figures = {"insert": keying.run(frames, addon=checkout()), "take": whole, "met": whole["met"]}
    _report("keying", figures, as_json)
    return ExitCode.OK if whole["met"] else ExitCode.FAILED


def run_reduction(recording: Path, as_json: bool) -> ExitCode:
    from semanticface.bench import reduction

    figures = reduction.run(recording)
    _report("reduction", figures, as_json)
    return ExitCode.OK if figures["met"] else ExitCode.FAILED


def run_curves(recording: Path, as_json: bool) -> ExitCode:
    from semanticface.bench import curves

    figures = curves.run(recording)
    _report("curves", figures, as_json)
    return ExitCode.OK if figures["met"] else ExitCode.FAILED


def run_preview(frames: int, as_json: bool) -> ExitCode:
    from semanticface.bench import preview
    from semanticface.demo.run import checkout

    figures = preview.run(frames, addon=checkout())
    _report("preview", figures, as_json)
    return ExitCode.OK if figures["met"] else ExitCode.FAILED


def run_decoding(pictures: Sequence[Path], checkpoint: Path | None, rounds: int, as_json: bool) -> ExitCode:
    from semanticface.bench import decoding

    figures = decoding.run(checkpoint, pictures, rounds, lambda line: console().print(line))
    _report("decoding", figures, as_json)
    return ExitCode.OK if figures["every answer equal"] else ExitCode.FAILED
