"""`semanticface export` and `semanticface show`: what a take holds, as a file or on the screen."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

from semanticface.cli.output import ExitCode, console, print_json, print_table
from semanticface.curves.recipe import MAX_TEXT, Recipe
from semanticface.curves.replay import apply
from semanticface.curves.samples import results_of, samples_of
from semanticface.errors import InputError, OptionsError, TakeError
from semanticface.exchange.jsonl import write_jsonl
from semanticface.exchange.livelink_csv import WithoutFace, write_livelink_csv
from semanticface.exchange.livelink_import import remarks_on, subject_of
from semanticface.media.timecode import nominal_rate, parse_timecode, timecode_at
from semanticface.results import FrameResult, Status
from semanticface.take import Take, read_take


def _warn_damaged(take: Take) -> None:
    if take.damaged:
        lines = ", ".join(str(number) for number in take.damaged[:10])
        console().print(f"[yellow]warning:[/] {len(take.damaged)} damaged lines were left out (lines {lines})")


def livelink_start(asked: str, take: Take) -> str:
    """The Live Link timecode of source frame 0: the footage's own for `source`, zero for "", else as written.

    A frame of SMPTE timecode becomes its share of a 60-frame second, so that labels agree in hours, minutes and
    seconds with the footage. Raises OptionsError when the footage has none.
    """
    text = take.header.timecode if asked == "source" else asked
    if asked == "source" and not text:
        raise OptionsError(
            f"the footage of {take.path} carries no timecode", "give --start HH:MM:SS:FF, or leave it out"
        )
    if not text:
        return "00:00:00:00.000"
    start = parse_timecode(text)
    sixtieths = start.frames * 60 / nominal_rate(take.header.rate or Fraction(60))
    return f"{start.hours:02d}:{start.minutes:02d}:{start.seconds:02d}:{sixtieths:06.3f}"


def cleaned(take: Take, recipe: Recipe) -> list[FrameResult]:
    """The take's results after the recipe, frame by frame; `reduction` and `prune` are of keys, which no file has.

    Stills without a rate count as far apart, so that none is smoothed into another.
    """
    samples = samples_of(take.results, take.header.rate or Fraction(1))
    return results_of(apply(recipe, samples), take.results)


def read_recipe(path: Path) -> Recipe:
    """Raises InputError that names the file."""
    try:
        with path.open(encoding="utf-8") as file:
            return Recipe.from_json(file.read(MAX_TEXT + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read as a recipe: {error}") from error
    except InputError as error:
        raise InputError(f"{path.name}: {error.message}", error.hint) from error


def run_export(
    path: Path, to: str, out: Path, missing: str, start: str, as_json: bool, recipe: Path | None = None
) -> ExitCode:
    """Write the take in the asked format; frames without a result are named, never filled in silently."""
    chosen = None if recipe is None else read_recipe(recipe)
    take = read_take(path)
    _warn_damaged(take)
    results = take.results if chosen is None else cleaned(take, chosen)
    in_unreal: dict[str, Any] = {}
    if to == "livelink-csv":
        policy, first = WithoutFace(missing), livelink_start(start, take)
        report = write_livelink_csv(out, results, without_face=policy, start=first, rate=take.header.rate)
        affected, written = list(report.without_coefficients), report.rows
        in_unreal = {"subject": subject_of(out), "remarks": remarks_on(out)}
    else:
        meta = take.header.to_dict() | ({} if chosen is None else {"recipe": chosen.to_dict()})
        write_jsonl(out, results, meta=meta)
        affected, written = [], len(results)  # each line carries its own status
    if as_json:
        print_json({"file": str(out), "rows": written, "gaps": affected, "gap_policy": missing, **in_unreal})
    else:
        console().print(f"{out}: {written} rows", markup=False)
        if in_unreal:
            console().print(f"Unreal's importer will call the subject {in_unreal['subject']}", markup=False)
            for remark in in_unreal["remarks"]:
                console().print(f"[yellow]remark:[/] {remark}")
        if affected:
            shown = ", ".join(str(number) for number in affected[:20])
            console().print(f"[yellow]{len(affected)} frames have no result ({missing}):[/] {shown}")
    return ExitCode.OK


def run_show(path: Path, frame: int | None, as_json: bool) -> ExitCode:
    """Print a take's counts and categories, or one frame."""
    take = read_take(path)
    _warn_damaged(take)
    if frame is not None:
        result = take.by_frame().get(frame)
        if result is None:
            raise TakeError(f"{path} has no frame {frame}", "semanticface show TAKE lists what it holds")
        _show_frame(result, take, as_json)
        return ExitCode.OK
    categories = Counter(result.analysis.expression_category for result in take.results if result.analysis)
    if as_json:
        print_json({"header": take.header.to_dict(), "counts": take.counts(), "categories": dict(categories)})
        return ExitCode.OK
    rows = [(status, str(count)) for status, count in take.counts().items()]
    print_table(f"{path} ({take.header.rate} fps, engine {take.header.engine.get('name')})", ("status", "frames"), rows)
    print_table("expressions", ("category", "frames"), [(name, str(n)) for name, n in categories.most_common()])
    return ExitCode.OK


def _show_frame(result: FrameResult, take: Take, as_json: bool) -> None:
    if as_json:
        print_json(result.to_dict())
        return
    out = console()
    time = "" if result.time is None else f", {result.time:.3f} s"
    header = take.header
    code = f", {timecode_at(header.timecode, result.frame, header.rate)}" if header.timecode and header.rate else ""
    faces = f", faces seen: {result.faces}" if result.faces or result.status is Status.NO_FACE else ""
    out.print(f"frame {result.frame}{time}{code}: {result.status.value}{faces}")
    if result.message:
        out.print(result.message)
    if result.analysis:
        out.print(result.analysis.to_text(), markup=False)
    active = sorted((result.coefficients or {}).items(), key=lambda item: -abs(item[1]))
    rows = [(name, f"{value:.3f}") for name, value in active if abs(value) >= 0.01]
    print_table("coefficients of 0.01 and more", ("action", "value"), rows)
