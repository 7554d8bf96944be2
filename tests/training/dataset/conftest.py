"""Takes as the app writes them, made small for each test; see take_kit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from take_kit import TakeMaker


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., Path]:
    """Makes a take folder `name` in `takes/`; other arguments are TakeMaker's."""

    def make(name: str = "20260305_scene_1", **bent: Any) -> Path:
        return TakeMaker(tmp_path / "takes" / name, **bent).make()

    return make
