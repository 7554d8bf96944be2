"""Puts the fake `unreal` and the plugin's own Python where the tests find them.

All state of the fake belongs to the `FakeEditor` that is open, so tests share the module `unreal` and nothing else.
That it stays loaded beyond this folder does no harm: nothing but the plugin asks for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from semanticface_unreal.writing.writer import AssetWriter
    from unreal_testing import FakeEditor

TESTS = Path(__file__).resolve().parents[1]
FAKES = TESTS / "fakes"
PLUGIN = TESTS.parent / "unreal_plugin" / "SemanticFace" / "Content" / "Python"
sys.path[:0] = [str(folder) for folder in (FAKES, PLUGIN) if str(folder) not in sys.path]


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[FakeEditor]:
    """An editor with a project that holds MetaHuman's face and a body."""
    from unreal_testing import FakeEditor

    with FakeEditor(tmp_path / "Project") as running:
        yield running


@pytest.fixture
def writer() -> AssetWriter:
    """The writer as the menu uses it."""
    from semanticface_unreal.writing.writer import AssetWriter

    return AssetWriter()
