"""The sidebar is drawn in every state of the work, with nothing that Blender would refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def _text(lines: list[str]) -> str:
    """What was drawn as one text, labels unwrapped."""
    return " ".join(" ".join(line.removeprefix("label ") for line in lines).split())


def test_the_sidebar_says_what_is_going_on(blender: Run, movie: Path) -> None:
    mock = {"frames": 60, "rate": "24/1", "delay": 0.02, "faults": {"5": "no_face"}}
    drawn = blender("panels_drawn:states", mock=mock, movie=str(movie))
    seen = {name: _text(lines) for name, lines in drawn.items()}
    assert "Not connected" in seen["empty"]
    assert "operator semanticface.connect_backend" in seen["empty"]
    assert "operator semanticface.add_demo_head" in seen["empty"]
    assert "no footage is chosen" in seen["empty"]
    assert "52 of 52 shapes matched" in seen["targets"]
    assert "prop face_index" in seen["targets"]
    assert "prop sequence_rate" in seen["targets"]
    assert "operator semanticface.cancel_analysis" in seen["waiting"]
    assert "operator semanticface.analyze_footage" not in seen["waiting"]
    assert "Analyzing" in seen["running"]
    assert "of 60" in seen["running"]
    assert "Backend semanticface mock" in seen["running"]
    assert "Engine: mock — it is the only one that a mock has" in seen["running"], "which engine, and why"
    assert "Engine:" not in seen["empty"]
    assert "Keyed 59 frames on 61 channels" in seen["keyed"]
    assert "Source frame 24, scene frame 25, confidence 90%" in seen["keyed"]
    assert "Expression: test motion" in seen["keyed"]
    assert "operator semanticface.load_analysis" in seen["reopened"]
    assert "No key here: no face" in seen["gap"]
    assert "prop head_bone" in seen["clip"]
    assert "25 fps in 24 fps" in seen["clip"]
    assert "The playhead is at source frame" in seen["refused"]
    assert "prop backend_command" in seen["preferences"]


@pytest.mark.clock
def test_the_analysis_of_the_frame_in_work_is_seen_as_it_is_written(blender: Run) -> None:
    said = blender("panels_drawn:writing", mock={"frames": 3, "delay": 0.4})
    assert len(said["texts"]) >= 3
    assert all(later.startswith(earlier) for earlier, later in pairwise(said["texts"]))
    for text, lines in zip(said["texts"], said["drawn"], strict=True):
        drawn = _text(lines)
        assert "Source frame 1:" in drawn and " ".join(text.split()[-3:]) in drawn
    assert said["longest"] < 0.1, "a tick, with the keying of the take in it"
    assert not any(re.fullmatch(r"label Source frame \d+:( …)?", line) for line in said["after"])
    written = [line for line in said["long"] if line.startswith("label ") and "x" * 20 in line]
    assert 0 < len(written) <= 14 and said["long"][said["long"].index(written[0]) - 1] == "label Source frame 7: …"
    assert said["seconds"] < 0.05, "the whole sidebar, drawn with a text of 65,000 letters"


def test_a_failure_offers_what_can_be_done(blender: Run) -> None:
    mock = {"frames": 40, "faults": {"20": "die"}, "delay": 0.01}
    seen = _text(blender("panels_drawn:failed", mock=mock))
    assert "is lost" in seen
    assert "finished frames are in" in seen
    assert "operator semanticface.key_take" in seen
    assert "operator semanticface.copy_diagnostics" in seen
    assert "operator semanticface.connect_backend" in seen


def test_diagnostics_name_versions_and_no_home(blender: Run) -> None:
    text = blender("panels_drawn:diagnostics", mock={"frames": 2})
    for word in ("Blender:", "Python:", "pyzmq:", "Installation: ok", "Running: pid", "Note: Keyed 2 frames"):
        assert word in text
    assert str(Path.home()) not in text
