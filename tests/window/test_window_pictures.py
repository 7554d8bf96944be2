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


@pytest.mark.timeout(900)  # Blender draws on the processor here, and this is its most expensive view
def test_the_pictures_of_the_guide_show_what_they_say(open_desk: OpenDesk, face_movie: Path, keep: Keep) -> None:
    desk = open_desk(pretty=True, wider=110)
    desk.ask("asked:hide_default_things")
    desk.press("semanticface.add_demo_head")
    desk.ask("asked:frame_face")
    keep("first", _cut(desk.picture(), desk.region("UI")))
    labels = desk.close_panels()
    desk.ask("asked:load_clip", movie=str(face_movie))

    def keep_panel(name: str, label: str, part: str = "") -> None:
        """One open panel, with a part of it opened, and close it."""
        number = labels.index(label)
        place = desk.toggle(number)
        if part:
            desk.open_part(place, part)
            place = desk.place_of_panel(number)
        keep(name, _cut(desk.picture(), place))
        desk.toggle(number)

    keep_panel("footage", "Footage")
    keep_panel("target", "Target")
    keep_panel("mapping", "Target", "Mapping")
    number = labels.index("Analyze")
    desk.toggle(number)
    desk.press("semanticface.analyze_footage")
    desk.until(lambda state: state["done"] > 60)
    keep("analyzing", _cut(desk.picture(), desk.place_of_panel(number)))
    state = desk.until(lambda state: state["job"] is None, timeout=120)
    assert not state["failed"], state["notes"]
    desk.toggle(number)
    desk.ask("asked:set_frame", frame=FRAME)
    keep_panel("take", "Take")
    keep_panel("recipe", "Recipe")
    desk.toggle(labels.index("Analysis of This Frame"))
    assert "xpression" in desk.text()
    desk.scroll(40)
    desk.hover()
    keep("keyed", _cut(desk.picture(), desk.region("WINDOW")))
