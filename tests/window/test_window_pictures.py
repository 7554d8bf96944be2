"""The pictures of docs/, taken of the real window: `make pictures` writes them anew, the suite only takes them.

Each is cut to what it shows and stored with a palette.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk
from screen import Picture, Place

OpenDesk = Callable[..., Desk]
Keep = Callable[[str, Picture], None]
FOLDER_VARIABLE = "SEMANTICFACE_PICTURES"
MOST_BYTES = 200_000
COLOURS = 128
FRAME = 208
"""Scene frame on which the sample's mouth is open and its head turned."""


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """`keep(name, picture)` stores a picture."""
    image = pytest.importorskip("PIL.Image", reason="Pillow writes the pictures")
    folder = Path(os.environ.get(FOLDER_VARIABLE) or tmp_path / "pictures")
    folder.mkdir(exist_ok=True)

    def store(name: str, picture: Picture) -> None:
        path = folder / f"{name}.png"
        image.fromarray(picture).quantize(COLOURS, dither=image.Dither.NONE).save(path, optimize=True)
        assert path.stat().st_size < MOST_BYTES
        assert picture.std() > 5, "nothing but one colour"

    return store


def _cut(picture: Picture, place: Place) -> Picture:
    return picture[place.top : place.bottom, place.left : place.right]


def _panel(desk: Desk, label: str) -> Picture:
    """One panel, open, with the headers of the others closed around it."""
    place = desk.open_only(label)
    desk.hover()
    return _cut(desk.picture(), place)


def test_the_pictures_of_the_guide_show_what_they_say(open_desk: OpenDesk, face_movie: Path, keep: Keep) -> None:
    desk = open_desk(pretty=True, wider=170)
    desk.ask("asked:hide_default_things")
    desk.press("semanticface.add_demo_head")
    desk.ask("asked:frame_face", distance=1.9)
    keep("first", _cut(desk.picture(), desk.region("UI")))
    desk.ask("asked:load_clip", movie=str(face_movie))
    keep("footage", _panel(desk, "Footage"))
    keep("target", _panel(desk, "Target"))
    keep("mapping", _cut(desk.picture(), desk.open_part()))
    desk.open_only("Analyze")
    desk.press("semanticface.analyze_footage")
    desk.until(lambda state: state["done"] > 60)
    keep("analyzing", _panel(desk, "Analyze"))
    state = desk.until(lambda state: state["job"] is None, timeout=120)
    assert not state["failed"], state["notes"]
    desk.ask("asked:set_frame", frame=FRAME)
    for name, label in (("take", "Take"), ("recipe", "Recipe")):
        keep(name, _panel(desk, label))
    desk.open_only("Analysis of This Frame")
    desk.hover()
    assert "xpression" in desk.text()
    keep("keyed", desk.picture())
