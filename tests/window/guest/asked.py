"""Runs inside Blender: what the test wants to know or to have set up, in plain numbers and texts."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy


class _Chosen:
    addon = ""


def choose(addon: str) -> None:
    """The name of the add-on's package."""
    _Chosen.addon = addon


def part(name: str) -> Any:
    """A module of the add-on."""
    return importlib.import_module(f"{_Chosen.addon}.{name}")


def window() -> Any:
    return bpy.context.window_manager.windows[0]


def panels() -> list[Any]:
    """Panels of the add-on that Blender knows."""
    return [panel for panel in _every(bpy.types.Panel) if panel.__name__.startswith("SEMANTICFACE_PT_")]


def _every(base: Any) -> list[Any]:
    found = []
    for kind in base.__subclasses__():
        found += [kind, *_every(kind)] if getattr(kind, "is_registered", False) else _every(kind)
    return found


def settings() -> Any:
    return bpy.context.scene.semanticface


def hello() -> dict[str, Any]:
    return {"version": bpy.app.version_string, "enabled": _Chosen.addon in bpy.context.preferences.addons}


def load_clip(movie: str) -> None:
    """Choose a movie clip and let the scene run at its rate."""
    clip = bpy.data.movieclips.load(movie)
    chosen = settings()
    chosen.source, chosen.clip = "CLIP", clip
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(clip.fps), 1.0
    scene.frame_end = clip.frame_duration


def state() -> dict[str, Any]:
    """Where the work stands."""
    session = part("session").current()
    job = session.job
    return {
        "link": session.link.state.value,
        "job": None if job is None else job.phase.value,
        "done": 0 if job is None else job.done,
        "total": 0 if job is None else job.total,
        "notes": list(session.notes),
        "failed": session.failed,
        "unkeyed": session.unkeyed is not None,
        "take": settings().last_take,
        "actions": sorted(action.name for action in bpy.data.actions),
        "objects": sorted(bpy.data.objects.keys()),
        "file": bpy.data.filepath,
    }


def keys() -> dict[str, dict[str, list[list[float]]]]:
    """Object -> `path[index]` -> [[frame, value], ...] of everything that is animated in the file."""
    curves_of = part("keying.fcurves").curves_of
    found = {}
    for thing in bpy.data.objects:
        for owner in (thing, getattr(thing.data, "shape_keys", None)):
            curves = curves_of(owner) if owner is not None else []
            for curve in curves:
                points = [list(key.co) for key in curve.keyframe_points]
                found.setdefault(thing.name, {})[f"{curve.data_path}[{curve.array_index}]"] = points
    return found


def run(operator: str, **arguments: Any) -> list[str]:
    """Call an operator with the window and the 3D viewport as its context."""
    area = next(area for area in window().screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    module, name = operator.split(".")
    with bpy.context.temp_override(window=window(), area=area, region=region):
        return list(getattr(getattr(bpy.ops, module), name)(**arguments))


def save(path: str) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=path)


def set_frame(frame: int) -> None:
    bpy.context.scene.frame_set(frame)


def disable() -> bool:
    """Disable the add-on; whether any class of it is left."""
    import addon_utils

    addon_utils.disable(_Chosen.addon, default_set=True)
    return any(name.startswith("SEMANTICFACE_") for name in dir(bpy.types))


def enable() -> bool:
    import addon_utils

    return addon_utils.enable(_Chosen.addon, default_set=True) is not None


def leave() -> None:
    """Quit as the menu does, once this call is answered."""
    bpy.app.timers.register(lambda: bpy.ops.wm.quit_blender() and None, first_interval=0.2)


def draw_little() -> None:
    """Leave out of Blender's own drawing what takes a processor long, so that tests are quick."""
    bpy.context.preferences.system.viewport_aa = "OFF"
    for area in window().screen.areas:
        if area.type == "VIEW_3D":
            area.spaces.active.overlay.show_overlays = False
            area.spaces.active.show_gizmo = False
            area.spaces.active.shading.type = "WIREFRAME"


def frame_face() -> None:
    """Look at the demo head from the front."""
    bpy.context.preferences.view.smooth_view = 0
    for thing in bpy.context.scene.objects:
        thing.select_set(thing == settings().mesh)
    run("view3d.view_axis", type="FRONT")
    run("view3d.view_selected")
    area = next(area for area in window().screen.areas if area.type == "VIEW_3D")
    area.spaces.active.overlay.show_overlays = False


def hide_default_things() -> None:
    """An empty scene but for what the test adds."""
    for name in ("Cube", "Light", "Camera"):
        if name in bpy.data.objects:
            bpy.data.objects.remove(bpy.data.objects[name])


def take_on_disk(folder: str) -> bool:
    return (Path(folder)).is_dir()


def values(thing: str, path: str, frames: list[int]) -> list[float]:
    """An animated number on these scene frames. `path` is as in `keys`, with "shape:" before one of the shape keys."""
    owner = bpy.data.objects[thing]
    if path.startswith("shape:"):
        owner, path = owner.data.shape_keys, path.removeprefix("shape:") + "[0]"
    for curve in part("keying.fcurves").curves_of(owner):
        if f"{curve.data_path}[{curve.array_index}]" == path:
            return [curve.evaluate(frame) for frame in frames]
    raise KeyError(f"{thing}: {path}")


def outermost(labels: list[str]) -> str:
    """Of panels of ours, by their labels, the one that stands in no other."""
    return next(panel.bl_label for panel in panels() if panel.bl_label in labels and not hasattr(panel, "bl_parent_id"))
