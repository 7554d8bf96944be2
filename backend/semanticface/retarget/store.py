"""Profiles that a user keeps under a name: JSON files in the product's data folder, shared by all hosts.

Knows nothing of rigs. A damaged file is passed over in the list, and named when somebody asks for it.
"""

from __future__ import annotations

import os
import re
import zlib
from dataclasses import replace
from pathlib import Path

from semanticface import paths
from semanticface.errors import InputError
from semanticface.retarget.profile import MAX_TEXT, Profile

MOST_PROFILES = 500
MAX_NAME = 100


def folder() -> Path:
    """Where the profiles stand; made when the first one is saved."""
    return paths.data_dir() / "profiles"


def names() -> tuple[str, ...]:
    """The names of the stored profiles, in alphabetical order; without those whose files are damaged."""
    found = []
    for path in sorted(folder().glob("*.json"))[:MOST_PROFILES]:
        try:
            found.append(read_profile(path).name)
        except InputError:
            continue
    return tuple(sorted(found, key=str.casefold))


def load(name: str) -> Profile:
    """The stored profile of that name. Raises InputError when there is none, or when its file is damaged."""
    path = _path(name)
    if not path.exists():
        raise InputError(f'no retarget profile is stored as "{name}"', "save one under this name, or choose another")
    return read_profile(path)


def save(profile: Profile, name: str = "") -> Profile:
    """Store a profile under `name`, else under its own, in place of one of that name; returns it as stored.

    Raises InputError for a name that is none, and when it can't be written.
    """
    kept = replace(profile, name=(name or profile.name).strip())
    path = _path(kept.name)
    if not path.exists() and len(list(folder().glob("*.json"))) >= MOST_PROFILES:
        raise InputError(f"{MOST_PROFILES} retarget profiles are stored", "remove one first")
    write_profile(path, kept)
    return kept


def remove(name: str) -> None:
    """Remove a stored profile. Raises InputError when there is none of that name, or when it can't be removed."""
    try:
        _path(name).unlink()
    except FileNotFoundError as error:
        raise InputError(f'no retarget profile is stored as "{name}"') from error
    except OSError as error:
        raise InputError(
            f'the profile "{name}" can\'t be removed: {error}', "check the folder's permissions"
        ) from error


def read_profile(path: Path) -> Profile:
    """A profile from any file. Raises InputError that names the file and what is wrong."""
    try:
        size = path.stat().st_size
        if size > MAX_TEXT:
            raise InputError(f"{path} has {size} bytes, too many for a retarget profile", f"at most {MAX_TEXT}")
        return Profile.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file", "choose a profile, a .json file") from error
    except InputError as error:
        raise InputError(f"{path.name}: {error.message}", error.hint) from error


def write_profile(path: Path, profile: Profile) -> None:
    """Write a profile to any file, whole or not at all. Raises InputError when it can't be written."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(profile.to_json(), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        if temporary.exists():
            temporary.unlink()
        raise InputError(f"{path} can't be written: {error.strerror or error}", "choose another folder") from error


def _path(name: str) -> Path:
    name = name.strip()
    if not name or len(name) > MAX_NAME or any(ord(letter) < 32 for letter in name):
        raise InputError("a profile needs a name", f"of 1 to {MAX_NAME} letters")
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return folder() / f"{slug or 'profile'}-{zlib.crc32(name.encode()):08x}.json"
