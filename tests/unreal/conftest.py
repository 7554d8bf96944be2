"""Puts the fake `unreal` and the plugin's own Python where the tests find them."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FAKES = TESTS / "fakes"
PLUGIN = TESTS.parent / "unreal_plugin" / "SemanticFace" / "Content" / "Python"
sys.path[:0] = [str(folder) for folder in (FAKES, PLUGIN) if str(folder) not in sys.path]
