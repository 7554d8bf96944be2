"""Runs inside Blender: redraws, colours parts of the window so that the test finds them, and says what panels drew."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy
from asked import panels, window

MAGENTA = (1.0, 0.0, 1.0)
_INNER = {"row", "column", "box", "split", "grid_flow", "column_flow", "panel_prop", "panel"}


def redraw() -> None:
    """Draw the whole window now, and wait until it is on the screen."""
    with bpy.context.temp_override(window=window()):
        for area in window().screen.areas:
            area.tag_redraw()
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)


def regions() -> dict[str, list[int]]:
    """Left, top, width, height of the regions of the 3D viewport by type, in pixels from the upper left corner."""
    area = next(area for area in window().screen.areas if area.type == "VIEW_3D")
    return {
        region.type: [region.x, window().height - region.y - region.height, region.width, region.height]
        for region in area.regions
    }


def show_sidebar() -> None:
    for area in window().screen.areas:
        if area.type == "VIEW_3D":
            area.spaces.active.show_region_ui = True


class _Paint:
    """Theme colours as they were, by what was painted."""

    before: ClassVar[dict[str, Any]] = {}


def paint(part: str) -> None:
    """Give all headers ("header"), panels in panels ("sub_back") or tabs ("tab_inactive", "tab_active") one colour."""
    colours = _colours(part)
    _Paint.before[part] = tuple(getattr(*colours))
    setattr(*colours, (*MAGENTA, 1.0)[: len(_Paint.before[part])])
    redraw()


def unpaint(part: str) -> None:
    setattr(*_colours(part), _Paint.before.pop(part))
    redraw()


def _colours(part: str) -> tuple[Any, str]:
    space = bpy.context.preferences.themes[0].view_3d.space
    return (space.panelcolors, part) if part in {"header", "sub_back"} else (space, part)


class _Layout:
    """A layout that writes down what is drawn and passes it on; what is wanted changes between grey and red."""

    def __init__(self, real: Any, lines: list[str], wanted: tuple[str, str]) -> None:
        for name, value in (("_real", real), ("_lines", lines), ("_wanted", wanted)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found):
            return found
        return lambda *args, **named: self._call(name, args, named)

    def _call(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if name in _INNER:
            return self._inner(getattr(self._real, name)(*args, **named))
        self._lines.append(" ".join([name, *self._named(name, args), str(named.get("text", ""))]).strip())
        real = self._real
        if self._is_wanted(name, args, named):
            real = real.row(align=True)
            real.alert = not real.alert
        return getattr(real, name)(*args, **named)

    def _named(self, name: str, args: tuple[Any, ...]) -> list[str]:
        """What an operator, property or list is called; nothing for what has no name."""
        return [str(args[0 if name == "operator" else 1])] if len(args) > (name != "operator") else []

    def _inner(self, made: Any) -> Any:
        if isinstance(made, tuple):  # `panel` gives a header and a body, which is None while it is closed
            return tuple(None if part is None else self._inner(part) for part in made)
        return _Layout(made, self._lines, self._wanted)

    def _is_wanted(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> bool:
        what, text = self._wanted
        if not what or (text and named.get("text") != text):
            return False
        return (name == "operator" and args[0] == what) or (name.startswith("prop") and args[1] == what)


class _Panel:
    """A panel whose layout is one of ours."""

    def __init__(self, real: Any, layout: _Layout) -> None:
        self.layout = layout
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Marked:
    """The draw functions as they were, and what was drawn since, by panel."""

    draws: ClassVar[dict[type, Any]] = {}
    lines: ClassVar[dict[str, list[str]]] = {}


def mark(operator: str = "", text: str = "") -> None:
    """Draw with everything written down; buttons and fields of that name (and text, if given) change colour."""
    unmark()
    for panel in panels():
        _Marked.draws[panel] = panel.__dict__["draw"]
        panel.draw = _marked_draw(panel, panel.draw, (operator, text))
    redraw()


def _marked_draw(panel: type, original: Any, wanted: tuple[str, str]) -> Any:
    def draw(self: Any, context: Any) -> None:
        lines = _Marked.lines[panel.bl_label] = []
        original(_Panel(self, _Layout(self.layout, lines, wanted)), context)

    return draw


def unmark() -> None:
    """Draw as before."""
    if _Marked.draws:
        for panel, original in _Marked.draws.items():
            panel.draw = original
        _Marked.draws.clear()
        redraw()


def drawn() -> dict[str, list[str]]:
    """What each open panel draws now, by its label: `label TEXT`, `operator NAME TEXT`, `prop NAME` ..."""
    _Marked.lines.clear()
    mark()
    seen = dict(_Marked.lines)
    unmark()
    return seen
