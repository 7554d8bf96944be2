"""Scripts of test_blender_recipe.py: sliders, neutral, single actions and stored recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from recipe_room import keyed, values_of
from scene import attempt, fresh

from blender_addon.recipe import presets
from blender_addon.recipe.state import recipe_of, show
from semanticface.curves.neutral import load_neutrals
from semanticface.curves.recipe import STANDARD, GapPolicy, KeyKind, MouthRule, Neutral, Recipe, Reduction, Tuning


def there_and_back(folder: str) -> dict[str, Any]:
    """Recipes through the sliders and back."""
    settings = fresh()
    settings.use_recipe = True
    odd = Recipe(
        neutral=Neutral("Ada", {"JawOpen": 0.05, "HeadYaw": -0.1}, "take, frame 3"), smoothing=0.3, step=0.1,
        weighted=False, gaps=GapPolicy.HOLD, longest_gap=0.4, symmetry=0.25, gain=1.2, head_gain=-0.5, eye_gain=0.7,
        dead_zone=0.03, tunings={"JawOpen": Tuning(1.3, 0.01, 0.02, 0.9), "HeadRoll": Tuning(0.1)}, soft_clamp=0.85,
        mouth=MouthRule.LIMIT, reduction=Reduction(0.02, KeyKind.LINEAR), prune=True,
    )  # fmt: skip
    new = recipe_of(settings) == STANDARD
    same = []
    for recipe in (odd, STANDARD, Recipe()):
        show(settings, recipe)
        same.append(recipe_of(settings) == recipe)
    settings.use_recipe, settings.gain = False, 3.0
    off = recipe_of(settings) == Recipe()
    settings.use_recipe, settings.neutral_values = True, "not JSON"
    return {"new": new, "same": same, "off": off, "damaged": recipe_of(settings).neutral is None}


def neutrals(folder: str) -> dict[str, Any]:
    """Neutral from the playhead, from markers, from a range; kept, used again, removed."""
    settings = keyed(folder)
    scene, seen = bpy.context.scene, {}
    scene.frame_set(1)
    problem = attempt(bpy.ops.semanticface.take_neutral, frames="CURRENT")
    seen["current"] = [values_of()[0], settings.neutral_name, settings.neutral_origin]
    seen["unselected"] = attempt(bpy.ops.semanticface.take_neutral, frames="MARKERS")
    for frame in (1, 2, 51):
        scene.timeline_markers.new(f"rest{frame}", frame=frame).select = True
    problem += attempt(bpy.ops.semanticface.take_neutral, frames="MARKERS")
    seen["markers"] = settings.neutral_origin
    problem += attempt(bpy.ops.semanticface.take_neutral, frames="RANGE", first=1, last=5)
    seen["range"] = settings.neutral_origin
    seen["outside"] = attempt(bpy.ops.semanticface.take_neutral, frames="RANGE", first=500, last=600)
    settings.actor = "Ada"
    problem += attempt(bpy.ops.semanticface.save_actor)
    seen["kept"] = sorted(load_neutrals())
    kept = recipe_of(settings).neutral
    problem += attempt(bpy.ops.semanticface.remove_neutral)
    seen["removed"] = recipe_of(settings).neutral is None and values_of()[0] > 0.09
    problem += attempt(bpy.ops.semanticface.load_actor)
    seen["loaded"] = recipe_of(settings).neutral == kept and settings.neutral_name == "Ada"
    problem += attempt(bpy.ops.semanticface.forget_actor)
    settings.actor = "Ada"
    seen["forgotten"] = attempt(bpy.ops.semanticface.load_actor)
    return seen | {"problem": problem}


def stored(folder: str) -> dict[str, Any]:
    """Recipes under names and in files."""
    settings = fresh()
    settings.use_recipe, settings.gain, settings.recipe_name = True, 1.75, "Très / fou: 1.0"
    problem = attempt(bpy.ops.semanticface.save_recipe)
    names_then = presets.names()
    path = str(Path(folder) / "exported.json")
    problem += attempt(bpy.ops.semanticface.export_recipe, filepath=path)
    problem += attempt(bpy.ops.semanticface.reset_recipe)
    reset = recipe_of(settings) == STANDARD
    settings.recipe_name = names_then[0]
    problem += attempt(bpy.ops.semanticface.load_recipe)
    loaded = settings.gain
    problem += attempt(bpy.ops.semanticface.reset_recipe) + attempt(bpy.ops.semanticface.import_recipe, filepath=path)
    imported = settings.gain
    Path(path).write_text("{}")
    damaged = attempt(bpy.ops.semanticface.import_recipe, filepath=path)
    settings.recipe_name = names_then[0]
    problem += attempt(bpy.ops.semanticface.remove_recipe)
    settings.recipe_name = names_then[0]
    gone = attempt(bpy.ops.semanticface.load_recipe)
    settings.recipe_name = " "
    nameless = attempt(bpy.ops.semanticface.save_recipe)
    return {
        "problem": problem, "names": list(names_then), "reset": reset, "loaded": loaded, "imported": imported,
        "damaged": damaged, "left": list(presets.names()), "gone": gone, "nameless": nameless,
    }  # fmt: skip


def tuned(folder: str) -> dict[str, Any]:
    """The list of single actions by its buttons."""
    settings = fresh()
    for _ in range(3):
        bpy.ops.semanticface.add_tuning()
    listed = [item.action for item in settings.tunings]
    settings.tunings_index = 1
    bpy.ops.semanticface.remove_tuning()
    return {"listed": listed, "left": [item.action for item in settings.tunings], "index": settings.tunings_index}
