# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipes that a user keeps under a name: JSON files in the product's data folder, which every host may read.

Knows nothing of sliders or of Blender. A damaged file is named when somebody asks for it.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

from semanticface import paths
from semanticface.curves.recipe import MAX_TEXT, Recipe
from semanticface.errors import InputError
from semanticface.take import write_atomic

MOST = 500
MOST_BYTES = 240
"""Of a file's name; systems allow 255."""
SUFFIX = ".recipe.json"


def folder() -> Path:
    """Where recipes stand; made when the first one is saved."""
    return paths.data_dir() / "recipes"


def names() -> tuple[str, ...]:
    """Names of the stored recipes, in alphabetical order. Reads no file: the name is in its name."""
    found = (_name_in(path) for path in sorted(folder().glob(f"*{SUFFIX}"))[:MOST])
    return tuple(sorted(filter(None, found), key=str.casefold))


def load(name: str) -> Recipe:
    """The stored recipe of that name. Raises InputError when there is none, or when its file is damaged."""
    path = _path(name)
    if not path.exists():
        raise InputError(f'no recipe is stored as "{name}"', "save one under this name, or choose another")
    return read(path)


def save(name: str, recipe: Recipe) -> None:
    """Store a recipe, in place of one of that name. Raises InputError for a bad name, or when it can't be written."""
    path = _path(name)
    if not path.exists() and len(names()) >= MOST:
        raise InputError(f"{MOST} recipes are stored", "remove one first")
    write(path, recipe)


def remove(name: str) -> None:
    """Remove a stored recipe. Raises InputError when there is none of that name, or when it can't be removed."""
    try:
        _path(name).unlink()
    except FileNotFoundError as error:
        raise InputError(f'no recipe is stored as "{name}"', "choose one of the list") from error
    except OSError as error:
        raise InputError(f'the recipe "{name}" can\'t be removed: {error}', "check the folder's permissions") from error


def read(path: Path) -> Recipe:
    """A recipe from any file. Raises InputError that names the file and what is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_TEXT + 1)
        return Recipe.from_json(raw.decode())
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}", "choose another file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file", "choose a recipe, a .json file") from error
    except InputError as error:
        raise InputError(f"{path.name}: {error.message}", error.hint) from error


def write(path: Path, recipe: Recipe) -> None:
    """Write a recipe to any file, whole or not at all. Raises InputError when it can't be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, recipe.to_json())
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror or error}", "choose another folder") from error


def _path(name: str) -> Path:
    """The file of a name: its letters, digits, - and _ as they are, everything else as %XX in UTF-8."""
    file = f"{quote(name.strip(), safe=' ').replace('.', '%2E').replace('~', '%7E')}{SUFFIX}"
    if not name.strip() or len(file) > MOST_BYTES:
        raise InputError("a recipe needs a name", "of 1 to 60 letters")
    return folder() / file


def _name_in(path: Path) -> str:
    """The name that a file stands for; "" for a file that `_path` would not make."""
    name = unquote(path.name.removesuffix(SUFFIX))
    try:
        return name if _path(name).name == path.name else ""
    except InputError:
        return ""
