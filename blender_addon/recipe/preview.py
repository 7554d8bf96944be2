# SPDX-License-Identifier: GPL-3.0-or-later
"""A recipe tried on the target before it is keyed: each change shows on a preview Action, the user's stays untouched.

Apply keys the take anew by the recipe, with fewer keys, as one undo step; discard goes back to what was there. Raw
results come from the takes that the Action was keyed from, and are kept in memory between two changes, together with
what each step of the recipe gave. Nothing of Blender's data is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import bpy
import numpy as np

from semanticface.curves.recipe import Recipe
from semanticface.curves.replay import Replay
from semanticface.curves.samples import samples_of
from semanticface.errors import InputError, SemanticFaceError

from .. import names, session
from ..compat import session_uid
from ..keying.actions import animation_of
from ..keying.build import Built, build
from ..keying.plan import KeyMode
from ..keying.signature import Gathered, Origin, gather, origins_in, signature_of, to_text
from ..properties import settings_of
from ..target.targets import check_plan
from . import pulse, standin
from .live import Live, begin_live, shown_on
from .state import recipe_of, show
from .writing import write_groups

log = logging.getLogger(__name__)

PRINT_PROPERTY = names.PREVIEW_PROPERTY + "_print"
"""Custom property of a preview Action in a saved file: `standin.print_of` its curves; 0 when somebody edited them."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The results that an Action with this signature was keyed from, ready to be replayed."""

    signature: str
    groups: tuple[Gathered, ...]
    replays: tuple[Replay, ...]

    @property
    def origins(self) -> tuple[Origin, ...]:
        return origins_in(self.signature)


@dataclass(slots=True)
class _Memory:
    """`shown` has, by session id of a data-block, the keys that we put onto its preview curves.

    `live` is the quick way to refill these; None where they are made anew.
    """

    loaded: Loaded | None = None
    live: Live | None = None
    shown: dict[int, standin.Shown] = field(default_factory=dict)


class _State:
    memory = _Memory()


def load(signature: str) -> Loaded:
    """Read the takes, unless that was done for this signature last time. Raises TakeError when they can't be read."""
    memory = _State.memory
    if memory.loaded is None or memory.loaded.signature != signature:
        groups = gather(signature)
        replays = tuple(Replay(samples_of(group.results, group.rate)) for group in groups)
        memory.loaded, memory.live = Loaded(signature, groups, replays), None
    return memory.loaded


def signature_here(settings: Any) -> str:
    """The signature of what animates the first chosen target that a take was keyed onto; "" where none is."""
    blocks = _chosen_blocks(settings)
    return next(filter(None, (signature_of(animation_of(block)) for block in blocks)), "")


def is_showing(settings: Any) -> bool:
    """Whether a preview Action animates a chosen target. Cheap enough to draw."""
    return any(standin.is_preview(animation_of(block)) for block in _chosen_blocks(settings))


def _chosen_blocks(settings: Any) -> list[bpy.types.ID]:
    meshes = [settings.mesh, *(item.mesh for item in settings.more_meshes)]
    keys = [mesh.data.shape_keys for mesh in meshes if getattr(mesh, "data", None) and mesh.type == "MESH"]
    controls = [settings.head, settings.left_eye, settings.right_eye]
    return [block for block in (*keys, *controls) if block is not None]


def refresh(scene: bpy.types.Scene, begin: bool = True) -> bool:
    """Bring the preview up to the sliders; whether one is shown now.

    Does nothing while the live preview is off, where no take animates the target, and, without `begin`, where there
    is no preview yet. Raises SemanticFaceError when takes can't be read or the target can't be keyed.
    """
    settings = settings_of(scene)
    showing = is_showing(settings)
    signature = signature_here(settings)
    if not settings.live_preview or not signature or not (begin or showing):
        return showing
    loaded, recipe = load(signature), recipe_of(settings)
    if not showing and all(origin.plan.recipe == recipe for origin in loaded.origins):
        return False
    whole = replace(recipe, reduction=None, prune=False)
    memory = _State.memory
    if showing and memory.live is not None and memory.live.refresh(whole, memory.shown):
        return True
    for group in loaded.groups:
        check_plan(replace(group.plan, mode=KeyMode.NEW))
    _stand_in(loaded, whole)
    return True


def builds(loaded: Loaded, recipe: Recipe) -> tuple[Built, ...]:
    """What the recipe makes of each group of results. Raises InputError when a target is gone."""
    return tuple(
        build(replace(group.plan, recipe=recipe), group.results, group.rate, replay)
        for group, replay in zip(loaded.groups, loaded.replays, strict=True)
    )


def _stand_in(loaded: Loaded, recipe: Recipe) -> None:
    """Make a preview Action of what the recipe gives, in place of one that is there."""
    built = builds(loaded, recipe)
    owners = list(dict.fromkeys(track.owner for one in built for track in one.tracks))
    if not owners:
        raise InputError("no frame of the take has a result to preview", "analyze again")
    present = standin.owners()
    kept = standin.actions_on(present) if touched(present) else []
    name = standin.preview_name(loaded.origins[-1].take.name)
    modes = [group.plan.mode for group in loaded.groups]
    standin.put_in(owners, lambda: write_groups(name, built, modes), keep=kept)
    made = standin.actions_on(owners)
    for action in made:
        action[names.ACTION_PROPERTY] = loaded.signature
    if len(made) == 1:
        made[0].name = name  # which the one before may have had
    memory = _State.memory
    memory.shown = shown_on(owners)
    memory.live = begin_live(loaded.groups[0], loaded.replays[0], recipe) if len(loaded.groups) == 1 else None


def touched(animated: Sequence[bpy.types.ID]) -> bool:
    """Whether somebody else than we changed keys of the preview Actions that animate these data-blocks."""
    shown = _State.memory.shown
    if animated and all(session_uid(owner) in shown for owner in animated):
        return any(not _same(shown[session_uid(owner)], standin.read_back(owner)) for owner in animated)
    prints = {int(action.get(PRINT_PROPERTY, 0)) for action in standin.actions_on(animated)}
    return bool(animated) and prints != {standin.print_of(animated)}


def _same(one: standin.Shown, other: standin.Shown) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def apply(scene: bpy.types.Scene) -> list[str]:
    """Key the take that animates the target anew by the recipe of the sliders; lines for the panel.

    The preview goes, and what it stood in for stays in the file. Raises SemanticFaceError with nothing changed when
    it can't be done.
    """
    settings = settings_of(scene)
    signature = signature_here(settings)
    if not signature:
        raise InputError("the target isn't animated by a take", "analyze footage, or choose the target")
    loaded, recipe = load(signature), recipe_of(settings)
    for group in loaded.groups:
        check_plan(replace(group.plan, mode=KeyMode.NEW))
    built = builds(loaded, recipe)
    if not any(one.tracks for one in built):
        raise InputError(
            "all curves are zero throughout, and such ones are left out", "switch that off, or raise gains"
        )
    animated = standin.owners()
    previews, edited = standin.actions_on(animated), touched(animated)
    origins = tuple(replace(one, plan=replace(one.plan, recipe=recipe)) for one in loaded.origins)
    made = write_groups(origins[-1].take.name, built, [group.plan.mode for group in loaded.groups])
    text = to_text(origins)
    for action in made:
        action[names.ACTION_PROPERTY] = text
    standin.take_out([owner for owner in animated if standin.is_preview(animation_of(owner))])
    kept = standin.dismiss(previews, edited)
    _follow(signature, text, origins)
    keys, values = sum(one.keys for one in built), sum(one.values for one in built)
    lines = [f"Applied the recipe: {', '.join(action.name for action in made)}, {keys:,} keys for {values:,} values"]
    return lines + _kept_lines(kept)


def discard(scene: bpy.types.Scene) -> list[str]:
    """Go back to what animated the targets before the preview, sliders too; lines for the panel."""
    settings = settings_of(scene)
    animated = standin.owners()
    previews, edited = standin.actions_on(animated), touched(animated)
    origins = origins_in(next((signature_of(action) for action in previews), ""))
    standin.take_out(animated)
    kept = standin.dismiss(previews, edited)
    standin.dismiss(standin.stray(), touched=False)
    _State.memory.shown, _State.memory.live = {}, None
    if origins:
        with pulse.held(tell=False):
            show(settings, origins[-1].plan.recipe)
    return ["The preview is gone; your Action is as it was", *_kept_lines(kept)]


def _kept_lines(kept: Sequence[str]) -> list[str]:
    return [f'The preview had been edited: it stays in the file as "{name}"' for name in kept]


def _follow(old: str, new: str, origins: tuple[Origin, ...]) -> None:
    """What was read stays read: the same takes, now under another signature."""
    memory, now = _State.memory, session.current()
    memory.shown, memory.live = {}, None
    if memory.loaded is not None and memory.loaded.signature == old:
        groups = tuple(
            replace(group, plan=replace(group.plan, recipe=origins[-1].plan.recipe)) for group in memory.loaded.groups
        )
        memory.loaded = Loaded(new, groups, memory.loaded.replays)
    if now.reading is not None and now.reading.signature == old:
        now.reading = replace(now.reading, signature=new, origins=origins)


def _on_change() -> None:
    _try_refresh(begin=True)


def _try_refresh(begin: bool) -> None:
    """Refresh and tell what went wrong: called from timers and handlers, where nobody catches anything."""
    scene = bpy.context.scene
    if scene is None:
        return
    try:
        refresh(scene, begin)
    except SemanticFaceError as error:
        session.current().tell([f"No preview: {error}"], failed=True)
    except Exception as error:
        session.current().surface(error)


@bpy.app.handlers.persistent
def _file_loaded(*_: Any) -> None:
    _State.memory = _Memory()


@bpy.app.handlers.persistent
def _undone(*_: Any) -> None:
    """Curves and sliders are those of another moment now; bring them together where there is a preview."""
    memory = _State.memory
    memory.shown = shown_on(standin.owners())
    if memory.live is not None:
        memory.live.forget()
    if bpy.app.background:
        _catch_up()
    elif not bpy.app.timers.is_registered(_catch_up):
        bpy.app.timers.register(_catch_up, first_interval=0.0)


def _catch_up() -> None:
    _try_refresh(begin=False)


@bpy.app.handlers.persistent
def _before_save(*_: Any) -> None:
    animated = standin.owners()
    if animated:
        number = 0 if touched(animated) else standin.print_of(animated)
        for action in standin.actions_on(animated):
            action[PRINT_PROPERTY] = number


_HANDLERS = (
    ("load_post", _file_loaded),
    ("undo_post", _undone),
    ("redo_post", _undone),
    ("save_pre", _before_save),
)


def register() -> None:
    _State.memory = _Memory()
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    pulse.listen(_on_change)


def unregister() -> None:
    pulse.listen(None)
    if bpy.app.timers.is_registered(_catch_up):
        bpy.app.timers.unregister(_catch_up)
    for name, handler in _HANDLERS:
        if handler in getattr(bpy.app.handlers, name):
            getattr(bpy.app.handlers, name).remove(handler)
    _State.memory = _Memory()
