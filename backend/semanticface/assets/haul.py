"""A repository's files on their way into a folder: from the first source that has them, checked one by one.

Files lie in a staging folder until all are right; whoever called gives it its name. What an earlier attempt brought is
checked and kept, and a half file is gone on with, whichever source it came from. Knows hubs, but not what the files
are for: `choose` picks them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from semanticface.assets.fetch import Progress
from semanticface.assets.hub import Hub, HubFile, Listing, forbidden_by
from semanticface.assets.manifest import MANIFEST
from semanticface.assets.transfer import Limits, SourceFailed, Tell, Wanted, bring, digests_of
from semanticface.errors import AssetError

SPARE = 64 << 20
"""Bytes to leave free on the disk."""
HALF = ".part"


@dataclass(frozen=True, slots=True)
class Choice:
    """The files to fetch, by the path that they get here; `remark` says what was decided on the way."""

    files: Mapping[str, HubFile]
    remark: str = ""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at a hub."""

    hub: Hub
    name: str

    def __str__(self) -> str:
        return f"{self.hub.title} ({self.name})"


@dataclass(frozen=True, slots=True)
class Hauled:
    """What arrived: from where, at which revision, and the SHA-256 of each file by its path here."""

    source: str
    revision: str
    digests: Mapping[str, str]


@dataclass
class Haul:
    """One repository's way here. `plan` asks what there is to fetch, `run` fetches it; sources are tried in turn.

    `choose` raises AssetError when a repository is not what was expected. `arrived` sees each finished file, and may
    raise AssetError to stop early: small files come first.
    """

    sources: Sequence[Repository]
    staging: Path
    choose: Callable[[Sequence[HubFile]], Choice]
    limits: Limits
    arrived: Callable[[Path], None] = lambda path: None
    _said: list[str] = field(default_factory=list)
    _next: int = 0
    _planned: tuple[Listing, Choice] | None = None

    def plan(self) -> Choice:
        """What the first source that answers has. Raises AssetError with what each of them said."""
        return (self._planned or self._ask())[1]

    def _ask(self) -> tuple[Listing, Choice]:
        forbidding = forbidden_by()
        if forbidding:
            names = ", ".join(dict.fromkeys(source.name for source in self.sources))
            hint = "unset it, or bring the folder over and run `semanticface models import DIR`"
            raise AssetError(f"{names} is not here, and {forbidding} forbids downloading it", hint)
        while self._next < len(self.sources):
            source = self.sources[self._next]
            self._next += 1
            try:
                listing = source.hub.listing(source.name, self.limits)
                self._planned = (listing, self.choose(listing.files))
                return self._planned
            except (SourceFailed, AssetError) as error:
                self._said.append(f"{source}: {error}")
        hint = "check network, proxy and mirrors, or bring the folder over and run `semanticface models import DIR`"
        raise AssetError(f"could not fetch it: {'; '.join(self._said) or 'no source was given'}", hint)

    def here(self) -> int:
        """Bytes of the planned files that an earlier attempt left."""
        return sum(self._left(path, file) for path, file in self.plan().files.items())

    def run(self, progress: Progress) -> Hauled:
        """Fetch all files; `progress` is told the bytes of this haul. Raises AssetError with what each source said."""
        listing, choice = self._planned or self._ask()
        while True:
            try:
                return self._fetch(listing, choice, progress)
            except SourceFailed as error:
                self._said.append(f"{self.sources[self._next - 1]}: {error}")
            listing, choice = self._ask()

    def _left(self, path: str, file: HubFile) -> int:
        for place in (self.staging / path, self.staging / f"{path}{HALF}"):
            if place.is_file():
                return min(place.stat().st_size, file.size)
        return 0

    def _fetch(self, listing: Listing, choice: Choice, progress: Progress) -> Hauled:
        digests, done = {}, 0
        for path, file in sorted(choice.files.items(), key=lambda item: (item[1].size, item[0])):
            digests[path] = self._one(listing, path, file, _shifted(progress, done, choice.size))
            self.arrived(self.staging / path)
            done += file.size
            progress(done, choice.size)
        return Hauled(listing.source, listing.revision, digests)

    def _one(self, listing: Listing, path: str, file: HubFile, tell: Tell) -> str:
        whole, half = self.staging / path, self.staging / f"{path}{HALF}"
        if whole.is_file():
            found = digests_of(whole, file.kind)
            if found.wanted == file.digest:
                return found.sha256
            whole.unlink()
        for number, url in enumerate(file.urls, 1):
            wanted = Wanted(url, file.size, file.digest, file.kind, listing.headers)
            try:
                digest = bring(wanted, half, self.limits, tell)
            except SourceFailed as error:
                if error.final and number < len(file.urls):
                    continue
                raise SourceFailed(f"{path}: {error}", final=error.final) from error
            half.replace(whole)
            return digest
        raise SourceFailed(f"{path}: it has no address", final=True)


def _shifted(progress: Progress, done: int, total: int) -> Tell:
    return lambda here: progress(done + here, total)


def free_bytes(folder: Path) -> int:
    """Free space on the disk that a folder, existing or not, lies on."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_space(folder: Path, needed: int, free: Callable[[Path], int] = free_bytes) -> None:
    """Raises AssetError when `needed` bytes don't fit on the folder's disk."""
    there = free(folder)
    if there < needed + SPARE:
        message = f"{folder} needs {needed / 1e9:.1f} GB more, its disk has {there / 1e9:.1f} GB free"
        raise AssetError(message, "free some space, or set SEMANTICFACE_HOME to a folder on a larger disk")


def check_ours(target: Path) -> None:
    """Raises AssetError when the folder that is to be replaced was not made by this program."""
    if target.exists() and not (target / MANIFEST).is_file():
        raise AssetError(f"{target} was not made by this program, so it stays", "move it away and try again")


def settle(staging: Path, target: Path) -> None:
    """Give the finished folder its name, in place of an older one that this program made. Raises AssetError."""
    check_ours(target)
    old = target.with_name(f".{target.name}.old")
    try:
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        staging.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise AssetError(f"can't write {target}: {error.strerror or error}", "check the folder's rights") from error
