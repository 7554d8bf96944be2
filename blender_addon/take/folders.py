# SPDX-License-Identifier: GPL-3.0-or-later
"""Where takes are kept. This module knows nothing of keying."""

from __future__ import annotations

import re
from pathlib import Path

import bpy

from semanticface.paths import data_dir

from .. import names
from ..compat import user_folder


def new_take_folder(label: str) -> Path:
    """A folder that doesn't exist yet: beside the saved .blend, else in the add-on's own place."""
    name = re.sub(r"[^\w.-]+", "_", label).strip("._") or "take"
    parent = _takes_parent()
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


def _takes_parent() -> Path:
    if bpy.data.filepath:
        return Path(bpy.data.filepath).resolve().parent / names.TAKES_FOLDER
    return user_folder(names.ADDON, "takes") or data_dir() / "takes"
