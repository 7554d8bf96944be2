"""`semanticface models`: the model files of the engines."""

from __future__ import annotations

from pathlib import Path

from semanticface import assets
from semanticface.cli.output import ExitCode, console, print_json, print_table


def run_list(as_json: bool) -> ExitCode:
    """What is known, where it lies, its licence."""
    rows = []
    for asset in assets.list_assets():
        path = assets.locate(asset)
        if as_json:
            where = None if path is None else str(path)
            facts = {"name": asset.name, "version": asset.version, "licence": asset.licence}
            print_json({**facts, "description": asset.description, "path": where})
        size = f"{asset.size / 1e6:.1f} MB"
        place = "not here" if path is None else str(path)
        rows.append((asset.name, asset.description, asset.version, size, asset.licence, place))
    if not as_json:
        print_table("model files", ("name", "what", "version", "size", "licence", "where"), rows)
    return ExitCode.OK


def run_pull(name: str, as_json: bool) -> ExitCode:
    """Fetch one file, with a bar for people."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    asset = assets.find_asset(name)
    with Progress(TextColumn(asset.name), BarColumn(), DownloadColumn(), console=console(), disable=as_json) as bar:
        task = bar.add_task(asset.name, total=asset.size)
        path = assets.pull(asset, progress=lambda here, total: bar.update(task, completed=here, total=total))
    if as_json:
        print_json({"name": asset.name, "path": str(path)})
    else:
        console().print(f"{asset.name}: {path}")
    return ExitCode.OK


def run_verify(as_json: bool) -> ExitCode:
    """Check every copy; code ASSET when one is wrong."""
    wrong = False
    for asset in assets.list_assets():
        found = assets.copies(asset)
        wrong = wrong or any(copy.problem for copy in found)
        for copy in found:
            if as_json:
                print_json({"name": asset.name, "path": str(copy.path), "problem": copy.problem})
            else:
                console().print(f"{copy.path}: {copy.problem or 'right'}")
        if not found and not as_json:
            console().print(f"{asset.name}: not here (semanticface models pull {asset.name})")
    return ExitCode.ASSET if wrong else ExitCode.OK


def run_import(path: Path, as_json: bool) -> ExitCode:
    """Copy known model files from a file or folder into their place."""
    for installed in assets.import_file(path):
        if as_json:
            print_json({"path": str(installed)})
        else:
            console().print(f"imported {installed}")
    return ExitCode.OK
