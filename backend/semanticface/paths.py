"""Where the product keeps its files, per user and per operating system.

Standard library only, because the add-ons read the run file and the register from here. Every place can be
moved with one environment variable, SEMANTICFACE_HOME, which studios and tests set. Nothing is created
until somebody writes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOME_VARIABLE = "SEMANTICFACE_HOME"


def _base(linux_variable: str, linux_default: str, windows_variable: str, mac_default: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home)
    if sys.platform == "win32":
        return Path(os.environ.get(windows_variable) or Path.home() / "AppData" / "Local") / "SemanticFace"
    if sys.platform == "darwin":
        return Path.home() / mac_default / "SemanticFace"
    return Path(os.environ.get(linux_variable) or Path.home() / linux_default) / "semanticface"


def data_dir() -> Path:
    """Model files and the register of installed backends."""
    return _base("XDG_DATA_HOME", ".local/share", "LOCALAPPDATA", "Library/Application Support")


def models_dir() -> Path:
    """Model files, one folder a model."""
    return data_dir() / "models"


def cache_dir() -> Path:
    """Stored results and other things that may be deleted at any time."""
    return _base("XDG_CACHE_HOME", ".cache", "LOCALAPPDATA", "Library/Caches") / "cache"


def run_dir() -> Path:
    """The run file of the live backend; created with mode 0700 by its writer."""
    return data_dir() / "run"


def log_dir() -> Path:
    """Log files of backend processes."""
    return data_dir() / "logs"
