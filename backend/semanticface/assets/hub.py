"""What a model hub says about a repository: its revision, and each file's size, digest and addresses.

Two hubs with one answer. Hugging Face (hub API: `/api/models/ID/revision/REV`, `/api/models/ID/tree/SHA`; files below
`/ID/resolve/SHA/`) gives SHA-256 for large files and git's blob name for small ones. ModelScope (the addresses of its
own SDK: `/api/v1/models/ID/repo/files`, `/api/v1/models/ID/repo?FilePath=`) gives SHA-256 for all. Whatever comes is
input: paths that leave the folder, missing digests and absurd sizes are refused. Writes nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

from semanticface.assets.fetch import OFFLINE_VARIABLE, is_offline
from semanticface.assets.manifest import safe_path
from semanticface.assets.transfer import Kind, Limits, SourceFailed, read_json

HUGGING_FACE = "https://huggingface.co"
MODELSCOPE = "https://www.modelscope.cn"
MAX_FILES = 10_000
MAX_PAGES = 20
MAX_BYTES = 400 << 30
_MAX_LISTING = 32 << 20
_TRUE = {"1", "on", "yes", "true"}


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file: `path` in the repository, `size` in bytes, `digest` of that `kind`, `urls` in the order to try."""

    path: str
    size: int
    digest: str
    kind: Kind
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one revision. `headers` go with each request for its files."""

    source: str
    revision: str
    files: tuple[HubFile, ...]
    headers: Mapping[str, str]


class Hub(Protocol):
    """A place that has repositories."""

    @property
    def title(self) -> str: ...

    def listing(self, repo: str, limits: Limits) -> Listing:
        """All files of the newest revision. Raises SourceFailed."""


def forbidden_by() -> str:
    """The variable that forbids going to a hub, "" when none does. Hugging Face's own ones forbid every hub."""
    if is_offline():
        return OFFLINE_VARIABLE
    foreign = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return next((name for name in foreign if os.environ.get(name, "").lower() in _TRUE), "")


def _endpoint(text: str) -> str:
    return (text if "://" in text else f"https://{text}").rstrip("/")


@dataclass(frozen=True, slots=True)
class HuggingFace:
    """Hugging Face or a mirror of it."""

    endpoint: str = HUGGING_FACE
    token: str = ""
    title: str = "Hugging Face"

    @classmethod
    def from_environment(cls) -> HuggingFace:
        """As HF_ENDPOINT and HF_TOKEN say."""
        return cls(_endpoint(os.environ.get("HF_ENDPOINT") or HUGGING_FACE), os.environ.get("HF_TOKEN", ""))

    def listing(self, repo: str, limits: Limits) -> Listing:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            return self._listing(repo, headers, limits)
        except SourceFailed as error:
            if error.final and not self.token and re.search(r"\b40[13]\b", str(error)):
                raise SourceFailed(f"{error}; a private or gated model needs HF_TOKEN", final=True) from None
            raise

    def _listing(self, repo: str, headers: Mapping[str, str], limits: Limits) -> Listing:
        about, _ = read_json(f"{self.endpoint}/api/models/{quote(repo)}/revision/main", headers, limits, _MAX_LISTING)
        sha = about.get("sha") if isinstance(about, Mapping) else None
        if not isinstance(sha, str) or not re.fullmatch(r"[0-9a-f]{40}", sha):
            raise SourceFailed("it names no commit", final=True)
        entries = self._tree(f"{self.endpoint}/api/models/{quote(repo)}/tree/{sha}?recursive=true", headers, limits)
        files = []
        for entry in entries:
            if entry.get("type") == "file":
                lfs = entry.get("lfs")
                large = isinstance(lfs, Mapping)
                digest = lfs.get("oid") if isinstance(lfs, Mapping) else entry.get("oid")
                size = lfs.get("size", entry.get("size")) if isinstance(lfs, Mapping) else entry.get("size")
                url = f"{self.endpoint}/{quote(repo)}/resolve/{sha}/{quote(str(entry.get('path')))}"
                files.append(_file(entry.get("path"), size, digest, Kind.SHA256 if large else Kind.GIT, (url,)))
        return Listing(f"{self.endpoint}/{repo}", sha, _bounded(files), headers)

    def _tree(self, url: str, headers: Mapping[str, str], limits: Limits) -> list[Mapping[str, Any]]:
        """All pages of a tree; the next one's address stands in the Link header."""
        entries: list[Mapping[str, Any]] = []
        for _ in range(MAX_PAGES):
            page, answered = read_json(url, headers, limits, _MAX_LISTING)
            if not isinstance(page, list) or not all(isinstance(entry, Mapping) for entry in page):
                raise SourceFailed("its list of files has an unknown form", final=True)
            entries += page
            links = next((value for name, value in answered.items() if name.lower() == "link"), "")
            found = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', links)
            if not found:
                return entries
            url = urljoin(url, found[1])
            if urlsplit(url)[:2] != urlsplit(self.endpoint)[:2]:
                raise SourceFailed("its list of files goes on at another host", final=True)
        raise SourceFailed("its list of files has no end", final=True)


@dataclass(frozen=True, slots=True)
class ModelScope:
    """ModelScope or a mirror of it."""

    endpoint: str = MODELSCOPE
    token: str = ""
    title: str = "ModelScope"

    @classmethod
    def from_environment(cls) -> ModelScope:
        """As MODELSCOPE_ENDPOINT or MODELSCOPE_DOMAIN (a host, as the SDK wants it) and MODELSCOPE_API_TOKEN say."""
        place = os.environ.get("MODELSCOPE_ENDPOINT") or os.environ.get("MODELSCOPE_DOMAIN") or MODELSCOPE
        return cls(_endpoint(place), os.environ.get("MODELSCOPE_API_TOKEN", ""))

    def listing(self, repo: str, limits: Limits) -> Listing:
        # The SDK sends its token as the session's cookie.
        token = self.token
        headers = {"Authorization": f"Bearer {token}", "Cookie": f"m_session_id={token}"} if token else {}
        start = f"{self.endpoint}/api/v1/models/{quote(repo)}/repo"
        data, _ = read_json(f"{start}/files?Revision=master&Recursive=true", headers, limits, _MAX_LISTING)
        inner = data.get("Data") if isinstance(data, Mapping) else None
        entries = inner.get("Files") if isinstance(inner, Mapping) else None
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            said = data.get("Message") if isinstance(data, Mapping) else ""
            raise SourceFailed(f"it lists no files{f' ({said})' if said else ''}", final=True)
        files = []
        for entry in entries:
            path = entry.get("Path")
            if entry.get("Type") == "blob":
                way = f"{start}?Revision=master&FilePath={quote(str(path), safe='')}"
                other = f"{self.endpoint}/models/{quote(repo)}/resolve/master/{quote(str(path))}"
                files.append(_file(path, entry.get("Size"), entry.get("Sha256"), Kind.SHA256, (way, other)))
        return Listing(f"{self.endpoint}/models/{repo}", "master", _bounded(files), headers)


_LENGTHS = {Kind.SHA256: 64, Kind.GIT: 40}


def _file(path: object, size: object, digest: object, kind: Kind, urls: tuple[str, ...]) -> HubFile:
    if not isinstance(path, str) or not safe_path(path):
        raise SourceFailed(f"it lists a file {str(path)[:100]!r}, which would lie outside of its folder", final=True)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_BYTES:
        raise SourceFailed(f"it gives {path} the size {str(size)[:40]}", final=True)
    if not isinstance(digest, str) or not re.fullmatch(rf"[0-9a-fA-F]{{{_LENGTHS[kind]}}}", digest):
        raise SourceFailed(f"it gives no {kind} for {path}, which could not be checked", final=True)
    return HubFile(path, size, digest.lower(), kind, urls)


def _bounded(files: Iterable[HubFile]) -> tuple[HubFile, ...]:
    listed = tuple(files)
    if len(listed) > MAX_FILES or sum(file.size for file in listed) > MAX_BYTES:
        raise SourceFailed(f"it lists {len(listed):,} files of {sum(file.size for file in listed):,} bytes", final=True)
    if len({file.path.casefold() for file in listed}) != len(listed):
        raise SourceFailed("it lists one path twice", final=True)
    return listed
