"""Sequencer's functions beside the sequences' own: the `...Extensions` classes, and the sequence that is open."""

from __future__ import annotations

import inspect
from typing import Any

from unreal_process import editor

from unreal.checking import faked, known
from unreal.sequencer import MovieSceneBindingProxy, MovieSceneSequence, has_mesh
from unreal.signatures import described


def forwarded(owner: str, name: str) -> Any:
    """A function of an `...Extensions` class: the same method on its first argument."""
    signature = described(owner).class_methods[name]
    names = ["cls", *(argument.name for argument in signature.arguments)]

    def call(cls: Any, thing: Any, *arguments: Any) -> Any:
        if thing is None:
            raise Exception(f"{owner}: Cannot call {name} on a null {signature.arguments[0].name}")
        return getattr(thing, name)(*arguments)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    call.__signature__ = inspect.Signature([inspect.Parameter(part, kind) for part in names])  # type: ignore[attr-defined]
    return classmethod(call)


def extensions(owner: str, behaviour: Any) -> Any:
    """The class with a forwarding function for each method that the fake gave a behaviour."""
    own = {
        key
        for base in behaviour.__mro__
        for key, value in vars(base).items()
        if getattr(value, "fake_behaviour", False)
    }
    functions = {name: forwarded(owner, name) for name in described(owner).class_methods if name in own}
    return faked(type(owner, (known("BlueprintFunctionLibrary"),), functions))


MovieSceneSequenceExtensions = extensions("MovieSceneSequenceExtensions", MovieSceneSequence)
MovieSceneBindingExtensions = extensions("MovieSceneBindingExtensions", MovieSceneBindingProxy)
MovieSceneTrackExtensions = extensions("MovieSceneTrackExtensions", known("MovieSceneTrack"))
MovieSceneSectionExtensions = extensions("MovieSceneSectionExtensions", known("MovieSceneSection"))


@faked
class LevelSequenceEditorBlueprintLibrary(known("BlueprintFunctionLibrary")):  # type: ignore[misc]
    """Sequencer. In a commandlet there is none: nothing opens."""

    @classmethod
    def open_level_sequence(cls, level_sequence: Any) -> bool:
        desk = editor().desk
        if level_sequence is None or not desk.slate:
            return False
        desk.opened_sequence = level_sequence
        for binding in level_sequence._movie.bindings:
            if has_mesh(binding):
                binding.spawned = known("SkeletalMeshActor")(None, f"{binding.name}_Spawned")
                mesh = binding.thing.skeletal_mesh_component.get_skeletal_mesh_asset()
                binding.spawned.skeletal_mesh_component.set_skeletal_mesh_asset(mesh)
        return True

    @classmethod
    def close_level_sequence(cls) -> None:
        desk = editor().desk
        if desk.opened_sequence is not None:
            for binding in desk.opened_sequence._movie.bindings:
                binding.spawned = None
        desk.opened_sequence = None

    @classmethod
    def get_current_level_sequence(cls) -> Any:
        return editor().desk.opened_sequence

    @classmethod
    def get_focused_level_sequence(cls) -> Any:
        return editor().desk.opened_sequence

    @classmethod
    def refresh_current_level_sequence(cls) -> None:
        return None

    @classmethod
    def force_update(cls) -> None:
        return None

    @classmethod
    def set_local_position(cls, playback_params: Any, time_unit: Any) -> None:
        return None

    @classmethod
    def get_bound_objects(cls, object_binding: Any) -> list[Any]:
        """What the binding stands for in the open sequence: nothing where none is open."""
        opened = editor().desk.opened_sequence
        found = opened._find(object_binding._values.get("_parts", ())) if opened is not None else None
        thing = None if found is None else found.spawned if found.spawnable else found.thing
        return [] if thing is None else [thing]
