"""`semanticface report`: a take as one page for a browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from semanticface.cli.export import read_recipe
from semanticface.cli.output import ExitCode, console, print_json
from semanticface.errors import OptionsError
from semanticface.report.page import write_page
from semanticface.report.take import TakeOptions, take_page
from semanticface.take import read_take

MOST = 1000


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """The command's arguments as typed; `out` None stands for a page beside the take."""

    take: Path
    out: Path | None
    footage: str
    frames: str
    recipe: Path | None
    pictures: int
    json: bool


def run_report(request: ReportRequest) -> ExitCode:
    """Write the page and say what is in it. Raises InputError for what can't be read or written."""
    if not 0 <= request.pictures <= MOST:
        raise OptionsError(f"--pictures {request.pictures} is outside 0 to {MOST}", "each takes some 20 kB of the page")
    recipe = None if request.recipe is None else read_recipe(request.recipe)
    name = "" if request.recipe is None else request.recipe.name
    folder = request.take.absolute()  # "." has no name, and a page needs one
    take = read_take(folder)
    options = TakeOptions(request.footage, request.frames, recipe, name, request.pictures)
    made = take_page(take, options)
    out = request.out or folder.with_name(f"{folder.name}.html")
    write_page(out, made.html)
    size = out.stat().st_size
    if request.json:
        flags = [{"reason": flag.reason.value, "first": flag.first, "last": flag.last, "worst": flag.at,
                  "detail": flag.detail} for flag in made.flags]  # fmt: skip
        facts = {"frames": made.frames, "pictures": made.pictures, "bytes": size}
        print_json({"page": str(out), **facts, "flags": flags, "notes": list(made.notes)})
        return ExitCode.OK
    say = console()
    say.print(f"{out}: {made.frames} frames, {made.pictures} pictures, {size / 1e6:.1f} MB", markup=False)
    say.print(f"{len(made.flags)} places are flagged", markup=False)
    for note in made.notes:
        say.print(note, markup=False)
    return ExitCode.OK
