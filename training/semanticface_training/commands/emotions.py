"""`semanticface-train dataset emotions`: emotion vectors of script lines, their map and their balance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from semanticface.cli.output import ExitCode, print_json, print_table
from semanticface.errors import InputError, OptionsError
from semanticface_training.commands.describe import DEFAULT_MODEL, Json

_LONGEST_FILE = 16 << 20


def emotions(
    source: Annotated[Path, typer.Argument(help="A dataset with scripts, or a text file with a line each.")],
    out: Annotated[Path, typer.Option(help="Folder for the CSV, the tables and the pictures.")],
    mode: Annotated[
        str, typer.Option(help="score (probabilities of the labels) or json (the model writes them).")
    ] = "score",
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Score each label against what it gets for an empty line.")
    ] = False,
    teacher: Annotated[str, typer.Option(help="transformers or server.")] = "transformers",
    model: Annotated[str, typer.Option(help="A folder, a .gguf file or a hub name.")] = DEFAULT_MODEL,
    url: Annotated[str, typer.Option(help="Of the server, such as http://127.0.0.1:8000/v1.")] = "",
    key_variable: Annotated[str, typer.Option(help="Environment variable with the server's API key.")] = "",
    concurrency: Annotated[int, typer.Option(help="Questions to the server at once.", min=1, max=512)] = 32,
    online: Annotated[bool, typer.Option("--online", help="The model may be downloaded from the hub.")] = False,
    json: Json = False,
) -> None:
    """Weigh seven emotions in each script line, draw the lines as a map, and show how evenly they are spread."""
    from semanticface_training.emotions.report import facts, write_report
    from semanticface_training.emotions.vectors import Mode, emotion_vectors
    from semanticface_training.language.choose import open_model

    if mode not in list(Mode):
        raise OptionsError(f"--mode is score or json, not {mode!r}")
    lines = script_lines(source)
    with open_model(teacher, model, url, key_variable, concurrency, online) as asked:
        vectors = emotion_vectors(lines, asked, Mode(mode), calibrate)
        made = {"model": asked.name, "mode": mode, "calibrated": calibrate, "lines": len(lines)}
    found = write_report(out, vectors, made)
    if json:
        print_json({"path": str(out), **made, **facts(found)})
    else:
        rows = [(s.emotion, f"{s.lines:,}", f"{s.share:.1%}", f"{s.mean_weight:.3f}") for s in found.shares]
        print_table(f"{out}: {len(lines):,} lines, balance {found.balance:.3f}",
                    ("emotion", "lines", "share", "mean weight"), rows)  # fmt: skip
    if found.unread:
        raise typer.Exit(ExitCode.FRAMES)


def script_lines(source: Path) -> list[str]:
    """The different lines in their order, from a dataset's column `script` or a text file. Raises InputError."""
    if source.is_dir():
        from semanticface_training.dataset.table import Dataset

        found = [row.script for row in Dataset.open(source).rows]
    else:
        try:
            if source.stat().st_size > _LONGEST_FILE:
                raise InputError(f"{source} has more than {_LONGEST_FILE >> 20} MB: that is no list of script lines")
            found = source.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{source} can't be read: {error}", "a dataset, or a text file in UTF-8") from error
    lines = list(dict.fromkeys(line.strip() for line in found if line.strip()))
    if not lines:
        raise InputError(f"{source} holds no script line", "give a text file with one line each")
    return lines
