"""Scripts of test_blender_panels.py: panels drawn onto a layout that records, and checks by Blender's own tables."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import bpy
from scene import attempt, choose_file, ready, tick_until

from blender_addon import session
from blender_addon.analysis.operators import begin_analysis
from semanticface.pump import Partial

FUNCTIONS = bpy.types.UILayout.bl_rna.functions
ICONS = set(FUNCTIONS["label"].parameters["icon"].enum_items.keys())


class Layout:
    """Takes the calls of a UILayout and refuses what Blender would not draw."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def _check(self, function: str, icon: str = "NONE") -> None:
        assert function in FUNCTIONS, function
        assert icon in ICONS, icon

    def _inner(self, function: str) -> Layout:
        self._check(function)
        return Layout(self.lines)

    def row(self, align: bool = False) -> Layout:
        return self._inner("row")

    def column(self, align: bool = False) -> Layout:
        return self._inner("column")

    def box(self) -> Layout:
        return self._inner("box")

    def split(self, factor: float = 0.0, align: bool = False) -> Layout:
        return self._inner("split")

    def template_icon(self, icon_value: int, scale: float = 1.0) -> None:
        self._check("template_icon")
        self.lines.append("icon")

    def menu(self, name: str, text: str = "", icon: str = "NONE") -> None:
        self._check("menu", icon)
        self.lines.append(f"menu {name}")
        getattr(bpy.types, name).draw(SimpleNamespace(layout=self), bpy.context)

    def label(self, text: str = "", icon: str = "NONE", icon_value: int = 0) -> None:
        self._check("label", icon)
        self.lines.append(f"label {text}")

    def prop(
        self, data: Any, name: str, text: str | None = None, expand: bool = False, icon: str = "NONE",
        emboss: bool = True, slider: bool = False,
    ) -> None:  # fmt: skip
        self._check("prop", icon)
        assert name in data.bl_rna.properties, name
        self.lines.append(f"prop {name}")

    def prop_search(self, data: Any, name: str, source: Any, collection: str) -> None:
        self._check("prop_search")
        assert name in data.bl_rna.properties and collection in source.bl_rna.properties
        self.lines.append(f"prop {name}")

    def template_ID(self, data: Any, name: str, open: str = "") -> None:
        self._check("template_ID")
        assert name in data.bl_rna.properties
        self.lines.append(f"prop {name}")

    def template_list(
        self, kind: str, list_id: str, data: Any, name: str, active_data: Any, active_name: str, rows: int = 5
    ) -> None:
        self._check("template_list")
        assert name in data.bl_rna.properties and active_name in active_data.bl_rna.properties
        drawn = getattr(bpy.types, kind)  # raises AttributeError when there is no such list
        self.lines.append(f"list {name}")
        for index, item in enumerate(getattr(data, name)):
            drawn.draw_item(
                drawn, bpy.context, self, data, item, 0, active_data, active_name, *[index][: _extra(drawn)]
            )

    def operator(self, name: str, text: str = "", icon: str = "NONE") -> Any:
        self._check("operator", icon)
        module, _, function = name.partition(".")
        getattr(getattr(bpy.ops, module), function).get_rna_type()  # raises KeyError when there is no such operator
        self.lines.append(f"operator {name}")
        return SimpleNamespace()

    def progress(self, factor: float, text: str) -> None:
        self._check("progress")
        self.lines.append(f"progress {factor:.2f} {text}")


if "progress" not in FUNCTIONS:  # before 4.0
    del Layout.progress


def _extra(drawn: Any) -> int:
    """How many of its optional arguments a list's `draw_item` takes."""
    return drawn.draw_item.__code__.co_argcount - 8


def sidebar() -> list[Any]:
    """Every panel of ours that Blender knows, in the order in which it was registered."""
    return [panel for panel in bpy.types.Panel.__subclasses__() if panel.__name__.startswith("SEMANTICFACE_PT_")]


def draw_all() -> list[str]:
    lines: list[str] = []
    for panel in sidebar():
        panel.draw(SimpleNamespace(layout=Layout(lines)), bpy.context)
    return lines


def states(folder: str, movie: str) -> dict[str, list[str]]:
    """What the sidebar says in each state of the work."""
    seen = {}
    settings = ready(folder)
    settings.mesh = None
    settings.filepath = ""
    seen["empty"] = draw_all()
    bpy.ops.semanticface.add_demo_head()
    choose_file(settings, folder)
    settings.face, settings.sequence = "INDEX", True
    seen["targets"] = draw_all()
    settings.sequence = False
    job = begin_analysis(bpy.context)
    seen["waiting"] = draw_all()
    tick_until(lambda: job.done >= 3)
    seen["running"] = draw_all()
    tick_until(lambda: session.current().job is None)
    bpy.context.scene.frame_set(1 + 24)
    seen["keyed"] = draw_all()
    session.current().reading = None
    seen["reopened"] = draw_all()
    attempt(bpy.ops.semanticface.load_analysis)
    bpy.context.scene.frame_set(1 + 5)
    seen["gap"] = draw_all()
    settings.mesh, settings.head = None, _rig()
    settings.source, settings.clip, settings.frames = "CLIP", bpy.data.movieclips.load(movie), "RANGE"
    seen["clip"] = draw_all()
    settings.frames = "CURRENT"
    attempt(bpy.ops.semanticface.analyze_footage)
    seen["refused"] = draw_all()
    preferences = _preferences()
    return seen | {"preferences": preferences}


def writing(folder: str) -> dict[str, Any]:
    """The analysis of the frame in work grows in the panel; a text as long as the protocol allows costs no more."""
    settings = ready(folder)
    settings.frames, settings.last = "RANGE", 2
    job = begin_analysis(bpy.context)
    texts: list[str] = []
    drawn: list[list[str]] = []

    def note() -> bool:
        text = "" if job.writing is None or job.writing.frame != 1 else job.writing.text
        if text and (not texts or text != texts[-1]):
            texts.append(text)
            drawn.append(draw_all())
        return session.current().job is None

    longest = tick_until(note)
    job.writing = Partial("job", 7, "\n".join(f"line {number} " + "x" * 90 for number in range(650)))
    session.current().job = job
    start = time.perf_counter()
    long = draw_all()
    seconds = time.perf_counter() - start
    session.current().job = None
    return {"texts": texts, "drawn": drawn, "longest": longest, "long": long, "seconds": seconds, "after": draw_all()}


def failed(folder: str) -> list[str]:
    """The backend has died in the middle."""
    ready(folder)
    attempt(bpy.ops.semanticface.analyze_footage)
    return draw_all()


def diagnostics(folder: str) -> str:
    from blender_addon.backend.diagnostics import collect

    ready(folder)
    attempt(bpy.ops.semanticface.analyze_footage)
    return collect(bpy.context, session.current())


def _rig() -> Any:
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    return rig


def _preferences() -> list[str]:
    from blender_addon.preferences import SEMANTICFACE_AP_preferences

    lines: list[str] = []
    drawn = SimpleNamespace(layout=Layout(lines), bl_rna=SEMANTICFACE_AP_preferences.bl_rna)
    SEMANTICFACE_AP_preferences.draw(drawn, bpy.context)
    return lines
