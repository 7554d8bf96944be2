"""Puts `tests/fakes` where the tests of the Unreal plugin find the fake `unreal` and its helpers."""

from __future__ import annotations

import sys
from pathlib import Path

FAKES = Path(__file__).resolve().parents[1] / "fakes"
if str(FAKES) not in sys.path:
    sys.path.insert(0, str(FAKES))
