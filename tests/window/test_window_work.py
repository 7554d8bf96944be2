"""An artist's first minutes in a real window: open the tab, choose footage, analyze, look, undo, redo."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from desk import Desk
from numpy.typing import NDArray

from semanticface.take import read_take

OpenDesk = Callable[..., Desk]
FACE = "SemanticFace Head Face"
HEAD = "SemanticFace Head"


def _truth(samples: Path, name: str) -> NDArray[np.float64]:
    with (samples / "rom_head.csv").open() as file:
        return np.array([float(row[name]) for row in csv.DictReader(file)])


def _at_frames(desk: Desk, thing: str, path: str, frames: range) -> NDArray[np.float64]:
    """What an animated number is on each scene frame."""
    return np.array(desk.ask("asked:values", thing=thing, path=path, frames=list(frames)))


def _shape(action: str) -> str:
    return f'shape:key_blocks["{action[0].lower()}{action[1:]}"].value'


def _same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first["keys"] == second["keys"] and first["actions"] == second["actions"]


def _animation(desk: Desk) -> dict[str, Any]:
    return {"keys": desk.ask("asked:keys"), "actions": desk.state()["actions"]}


def test_a_panel_closes_and_opens_by_a_click_on_its_header(open_desk: OpenDesk) -> None:
    desk = open_desk()
    assert "Not connected" in desk.text()
    footage = desk.headers()[1]
    assert "Footage" in desk.ask("places:drawn")
    desk.click(footage)
    desk.hover()
    assert "Footage" not in desk.ask("places:drawn")
    desk.click(footage)
    desk.hover()
    assert "Footage" in desk.ask("places:drawn")


def test_footage_is_analyzed_by_a_real_backend_and_one_undo_takes_the_take_back(
    open_desk: OpenDesk, face_movie: Path, samples: Path
) -> None:
    desk = open_desk()
    desk.press("semanticface.add_demo_head")
    assert FACE in desk.state()["objects"]
    desk.ask("asked:load_clip", movie=str(face_movie))
    before = _animation(desk)
    assert before == {"keys": {}, "actions": []}
    desk.press("semanticface.analyze_footage")
    desk.until(lambda state: state["job"] == "analyzing" and state["done"] > 3)
    assert "operator semanticface.cancel_analysis" in desk.text(), "the panel shows the job while it runs"
    state = desk.until(lambda state: state["job"] is None, timeout=120)
    assert not state["failed"], state["notes"]
    assert "Keyed 282 frames" in desk.text()
    assert len(read_take(Path(state["take"])).results) == 282
    _expect_the_face_of_the_footage(desk, samples)
    keyed = _animation(desk)
    assert keyed["actions"]
    desk.undo()
    assert _same(_animation(desk), before), "one Ctrl+Z takes all keys and Actions away"
    assert FACE in desk.state()["objects"], "and nothing else"
    desk.redo()
    assert _same(_animation(desk), keyed)


def _expect_the_face_of_the_footage(desk: Desk, samples: Path) -> None:
    """Jaw, lids and head move as the clip's true coefficients do, each on its own side, on its own scene frame."""
    frames = range(1, 283)
    for action, least in (("JawOpen", 0.85), ("EyeBlinkLeft", 0.85), ("MouthSmileRight", 0.9)):
        keyed = _at_frames(desk, FACE, _shape(action), frames)
        assert np.corrcoef(keyed, _truth(samples, action))[0, 1] > least, action
    sideways = _at_frames(desk, FACE, _shape("MouthLeft"), frames) - _at_frames(
        desk, FACE, _shape("MouthRight"), frames
    )
    true = _truth(samples, "MouthLeft") - _truth(samples, "MouthRight")
    assert np.corrcoef(sideways, true)[0, 1] > 0.9, "the mouth goes to the side to which it went"
    turned = [_at_frames(desk, HEAD, f"rotation_euler[{axis}]", frames) for axis in range(3)]
    yaw = _truth(samples, "HeadYaw")
    assert max(abs(np.corrcoef(turn, yaw)[0, 1]) for turn in turned) > 0.95
