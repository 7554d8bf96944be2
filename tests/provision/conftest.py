"""A home of its own for each test, and a pip that knows nothing but what the test names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from semanticface import paths
from semanticface.installation import BACKEND_VARIABLE


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv(paths.HOME_VARIABLE, str(folder))
    monkeypatch.delenv(BACKEND_VARIABLE, raising=False)
    return folder


@pytest.fixture
def plain_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration, no index but one that nobody serves, no proxy."""
    for name in [name for name in os.environ if name.upper().startswith("PIP_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
