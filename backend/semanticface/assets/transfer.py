"""Bytes from an address into a file: resumed, bounded in time and length, right to the last bit or not at all.

Pinned files and whole repositories both come through here. The standard library does it, and no hub's own client:
one verified, resumable path serves two hubs, their mirrors and the plain installation, which has no such library.
Proxies come from the environment as for every urllib program. What the server is told about the user (tokens) stays
with the host that it was meant for. Knows nothing of hubs or models.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.errors import AssetError

BLOCK = 1 << 18
_USER_HEADERS = ("Authorization", "Cookie", "Proxy-authorization")
_WEB = ("http", "https")

Tell = Callable[[int], None]
"""Called with the bytes of this file that are here."""


class SourceFailed(Exception):
    """One source did not give what was asked for; the text says why. `final`: asking it again is of no use."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a source is waited for, in seconds, and how often it is asked again.

    `answer`: until it answers at all; on an isolated machine the next source is what works. `stall`: without one byte,
    and the window in which at least `least` bytes must come. `retries`: attempts after one that brought nothing;
    an attempt that brought something starts the count anew. `pause`: before the first of them, doubled each time.
    """

    answer: float = 5.0
    stall: float = 30.0
    least: int = 16 << 10
    retries: int = 0
    pause: float = 1.0


ONCE = Limits()
PATIENT = Limits(answer=15.0, retries=5)
"""For repositories: a hub sends on to its storage before the first byte, and gigabytes rarely come in one piece."""


class Kind(StrEnum):
    """SHA-256 of the content, or git's name of a blob: SHA-1 over `blob SIZE`, a zero byte and the content."""

    SHA256 = "SHA-256"
    GIT = "git hash"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file as its source describes it: `size` in bytes, `digest` in lower-case hexadecimal."""

    url: str
    size: int
    digest: str
    kind: Kind = Kind.SHA256
    headers: Mapping[str, str] = field(default_factory=dict)


class Digests:
    """Hashes of a file of known length, fed block by block: SHA-256 always, git's where it is asked for."""

    def __init__(self, size: int, kind: Kind) -> None:
        self._sha256 = hashlib.sha256()
        start = b"blob %d\0" % size
        self._git = hashlib.sha1(start, usedforsecurity=False) if kind is Kind.GIT else None

    def update(self, block: bytes) -> None:
        self._sha256.update(block)
        if self._git is not None:
            self._git.update(block)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def wanted(self) -> str:
        """The hash of the kind that was asked for."""
        return (self._git or self._sha256).hexdigest()


def bring(wanted: Wanted, part: Path, limits: Limits, tell: Tell) -> str:
    """Leave the right file at `part`, going on from what is there; returns its SHA-256.

    A wrong file is fetched once more from its first byte, since what lay here may have been another file's half.
    Raises SourceFailed and leaves no wrong file; AssetError when this machine can't write it.
    """
    for _ in range(2):
        digests = _complete(wanted, part, limits, tell)
        found = digests.wanted
        if found == wanted.digest:
            return digests.sha256
        part.unlink(missing_ok=True)
    raise SourceFailed(
        f"the file it gives is wrong: its {wanted.kind} is {found} instead of {wanted.digest}", final=True
    )


def digests_of(path: Path, kind: Kind) -> Digests:
    """Hashes of a file on disk, read in blocks."""
    digests = Digests(path.stat().st_size, kind)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digests.update(block)
    return digests


def ask(url: str, headers: Mapping[str, str], limits: Limits) -> Any:
    """The open response of a GET, or SourceFailed after `limits.answer` seconds.

    A thread waits, because the time limit of a socket does not cover name resolution, which takes half
    a minute on some isolated machines.
    """
    if urllib.parse.urlsplit(url).scheme not in _WEB:
        raise SourceFailed(f"{url} is no http or https address", final=True)
    answers: queue.Queue[Any] = queue.Queue()
    late = threading.Event()

    def wait() -> None:
        try:
            request = urllib.request.Request(url, headers={"User-Agent": "semanticface", **headers})
            response = urllib.request.build_opener(_Redirects).open(request, timeout=limits.stall)
        except (OSError, http.client.HTTPException, ValueError) as error:
            answers.put(error)
            return
        if late.is_set():
            response.close()
        answers.put(response)

    threading.Thread(target=wait, daemon=True, name="semanticface-pull").start()
    try:
        answer = answers.get(timeout=limits.answer)
    except queue.Empty:
        late.set()
        raise SourceFailed(f"no answer within {limits.answer:g} s") from None
    if isinstance(answer, urllib.error.HTTPError):
        answer.close()
        final = 400 <= answer.code < 500 and answer.code not in {408, 429}
        raise SourceFailed(f"it answered {answer.code} {answer.reason}", final=final)
    if isinstance(answer, urllib.error.URLError):
        raise SourceFailed(f"not reachable ({answer.reason})")
    if isinstance(answer, BaseException):
        raise SourceFailed(f"not reachable ({answer or type(answer).__name__})")
    return answer


def read_text(url: str, headers: Mapping[str, str], limits: Limits, most: int) -> tuple[str, Mapping[str, str]]:
    """A small text of at most `most` bytes and the answer's headers."""
    with ask(url, headers, limits) as response:
        try:
            data = response.read(most + 1)
        except (http.client.HTTPException, OSError) as error:
            raise SourceFailed(f"broke off: {error or type(error).__name__}") from error
        if len(data) > most:
            raise SourceFailed(f"it sends more than {most:,} bytes", final=True)
        try:
            return data.decode("utf-8"), dict(response.headers.items())
        except UnicodeDecodeError:
            raise SourceFailed("what it sends is no text", final=True) from None


def read_json(url: str, headers: Mapping[str, str], limits: Limits, most: int) -> tuple[Any, Mapping[str, str]]:
    """The same for JSON."""
    text, answered = read_text(url, headers, limits, most)
    try:
        return json.loads(text), answered
    except (ValueError, RecursionError):
        raise SourceFailed("what it sends is no JSON (a proxy's page?)", final=True) from None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a hub to its storage without carrying the user's token there, and never from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if new.scheme not in _WEB or (old.scheme == "https" and new.scheme != "https"):
            raise urllib.error.URLError(f"it sends on to {new.scheme}://{new.netloc}, which is not followed")
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and (old.scheme, old.netloc) != (new.scheme, new.netloc):
            for name in _USER_HEADERS:
                request.remove_header(name)
        return request


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _complete(wanted: Wanted, part: Path, limits: Limits, tell: Tell) -> Digests:
    """Download until the file has its length, again and again while that helps."""
    if _size(part) > wanted.size:
        part.unlink()
    failures = 0
    while True:
        before = _size(part)
        try:
            return _download(wanted, part, limits, tell)
        except SourceFailed as error:
            failures = 1 if _size(part) > before else failures + 1
            if error.final or failures > limits.retries:
                raise
            time.sleep(limits.pause * 2 ** (failures - 1))


def _download(wanted: Wanted, part: Path, limits: Limits, tell: Tell) -> Digests:
    have = _size(part)
    if have == wanted.size and have:
        return digests_of(part, wanted.kind)
    headers = {**wanted.headers, **({"Range": f"bytes={have}-"} if have else {})}
    with ask(wanted.url, headers, limits) as response:
        resumes = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if response.status == 206 and not resumes:
            raise SourceFailed("it answered with another part of the file than was asked for", final=True)
        digests = _begin(part, wanted, resumes)
        have = have if resumes else 0
        with _opened(part, "ab" if resumes else "wb") as file:
            for block in _blocks(response, limits, lambda: _size(part)):
                have += len(block)
                if have > wanted.size:
                    break
                _write(file, block, part)
                digests.update(block)
                tell(have)
    if have > wanted.size:
        part.unlink(missing_ok=True)
        raise SourceFailed(f"it sends more than the {wanted.size:,} bytes of the file", final=True)
    if have < wanted.size:
        raise SourceFailed(f"it ended after {have:,} of {wanted.size:,} bytes")
    return digests


def _begin(part: Path, wanted: Wanted, resumes: bool) -> Digests:
    """Hashes that have seen what is there already."""
    digests = Digests(wanted.size, wanted.kind)
    if resumes:
        with part.open("rb") as file:
            while block := file.read(BLOCK):
                digests.update(block)
    return digests


def _blocks(response: Any, limits: Limits, have: Callable[[], int]) -> Any:
    """The body as it comes. A server that trickles is left like one that stalls."""
    window, came = time.monotonic(), 0
    while True:
        try:
            block = response.read1(BLOCK)
        except (http.client.HTTPException, OSError) as error:
            raise SourceFailed(f"broke off after {have():,} bytes: {error or type(error).__name__}") from error
        if not block:
            return
        yield block
        came += len(block)
        if time.monotonic() - window > limits.stall:
            if came < limits.least:
                raise SourceFailed(f"only {came:,} bytes in {limits.stall:g} s")
            window, came = time.monotonic(), 0


def _opened(part: Path, mode: str) -> Any:
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        return part.open(mode, buffering=0)
    except OSError as error:
        raise AssetError(f"can't write {part}: {error.strerror or error}") from error


def _write(file: Any, block: bytes, part: Path) -> None:
    try:
        view = memoryview(block)
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise AssetError(f"can't write {part}: {error.strerror or error}", "free some space and try again") from error
