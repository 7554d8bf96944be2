"""`semanticface models`: pinned files, checkpoints and base models: list, fetch, verify, import, remove.

Words and progress for people, JSON lines for programs. What a model is, its own rooms know.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from semanticface import assets
from semanticface.cli.output import ExitCode, console, print_json, print_table
from semanticface.errors import AssetError

_EVERY = 1.0
"""Seconds between two progress lines in JSON."""


def run_list(as_json: bool) -> ExitCode:
    """What is known or installed, where it lies, whether it is whole."""
    from semanticface.engines.mllm.inventory import list_items

    rows = []
    for asset in assets.list_assets():
        path = assets.locate(asset)
        if as_json:
            where = None if path is None else str(path)
            facts = {"kind": "file", "name": asset.name, "version": asset.version, "licence": asset.licence}
            print_json({**facts, "description": asset.description, "bytes": asset.size, "path": where})
        place = "not here" if path is None else str(path)
        rows.append((asset.name, asset.description, _size(asset.size), asset.licence, place))
    for item in list_items():
        if as_json:
            where = None if item.path is None else str(item.path)
            facts = {"kind": item.kind, "name": item.name, "licence": item.licence, "description": item.description}
            print_json({**facts, "bytes": item.size, "path": where, "problem": item.problem})
        place = "not here" if item.path is None else str(item.path)
        state = f"{place}: {item.problem}" if item.problem and item.path else place
        rows.append((item.name, item.description, _size(item.size), item.licence, state))
    if not as_json:
        print_table("models", ("name", "what", "size", "licence", "where"), rows)
    return ExitCode.OK


def _size(count: int) -> str:
    return "" if not count else f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def run_pull(name: str, prompt: Path | None, as_json: bool) -> ExitCode:
    """Fetch a pinned file, a published checkpoint or, by its hub name, a base model."""
    if any(name in {asset.name, asset.file_name} for asset in assets.list_assets()):
        with _progress(name, as_json) as progress:
            path = assets.pull(assets.find_asset(name), progress=progress)
    else:
        path = _pull_model(name, prompt, as_json)
    if as_json:
        print_json({"name": name, "path": str(path)})
    else:
        console().print(f"{name}: {path}", markup=False)
    return ExitCode.OK


def _pull_model(name: str, prompt: Path | None, as_json: bool) -> Path:
    from semanticface.engines.mllm.pulling import Ways, pull_base, pull_checkpoint
    from semanticface.engines.mllm.released import NAME

    if name != NAME and "/" not in name:
        known = ", ".join([NAME, *(asset.name for asset in assets.list_assets())])
        raise AssetError(f"there is no model named {name!r}", f"known are: {known}; or a base model as OWNER/NAME")
    with _progress(name, as_json) as progress:
        ways = Ways(progress, _say(as_json))
        return pull_base(name, ways) if name != NAME else pull_checkpoint(name, ways, prompt).folder


def _say(as_json: bool) -> Callable[[str], None]:
    if as_json:
        return lambda text: print_json({"remark": text})
    return lambda text: console().print(text, markup=False)


@contextmanager
def _progress(name: str, as_json: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar with speed and remaining time on standard error, or at most one JSON line a second."""
    if as_json:
        last = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _EVERY:
                last = time.monotonic()
                print_json({"progress": name, "bytes": done, "total": total})

        yield tell
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    speed = (TransferSpeedColumn(), TimeRemainingColumn())
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), *speed)
    with Progress(*columns, console=console()) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def run_verify(name: str, as_json: bool) -> ExitCode:
    """Check every copy, or those of one name, to the last byte; code ASSET when one is wrong or not here."""
    from semanticface.engines.mllm.inventory import verify_items

    found: list[tuple[str, Path | None, str]] = []
    for asset in assets.list_assets():
        if name in {"", asset.name, asset.file_name}:
            found += [(asset.name, copy.path, copy.problem) for copy in assets.copies(asset)]
    found += [(item.name, item.path, item.problem) for item in verify_items(name)]
    for title, path, problem in found:
        if as_json:
            print_json({"name": title, "path": str(path), "problem": problem})
        else:
            console().print(f"{path}: {problem or 'right'}", markup=False)
    if name and not found:
        raise AssetError(f"{name} is not on this machine", "`semanticface models list` shows what is")
    if not found and not as_json:
        console().print("no models are here (semanticface models pull face_landmarker)")
    return ExitCode.ASSET if any(problem for _, _, problem in found) else ExitCode.OK


def run_import(path: Path, name: str, base: str, profile: Path | None, link: bool, as_json: bool) -> ExitCode:
    """Take model files, a checkpoint, an adapter or a base that is on this machine."""
    from semanticface.engines.mllm.importing import Wishes, import_path

    for done in import_path(path, Wishes(name, base, profile, link, _say(as_json))):
        if as_json:
            print_json({"kind": done.kind, "name": done.name, "path": str(done.path)})
        else:
            console().print(f"imported {done.path}", markup=False)
    return ExitCode.OK


def run_remove(name: str, yes: bool, as_json: bool) -> ExitCode:
    """Delete a checkpoint or base that `pull` or `import` made, after asking."""
    from semanticface.engines.mllm.inventory import find_removable, remove

    item = find_removable(name)
    if not yes:
        console().print(f"Delete {item.path} ({_size(item.size)})? y/N ", end="", markup=False)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            return ExitCode.CANCELLED
    remove(item)
    if as_json:
        print_json({"name": item.name, "path": str(item.path), "removed": True})
    else:
        console().print(f"removed {item.path}", markup=False)
    return ExitCode.OK
