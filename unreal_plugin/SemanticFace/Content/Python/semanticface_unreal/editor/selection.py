"""Which face the user means: what is selected in the content browser, else in the level.

Reads the selection and nothing else; which of an actor's meshes is its face, `writing.targets` knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from semanticface_unreal.editor.places import package_of
from semanticface_unreal.engine import unreal
from semanticface_unreal.writing import targets


@dataclass(frozen=True, slots=True)
class Face:
    """`skeleton` is the path of a Skeleton; `mesh` that of a SkeletalMesh, "" where a skeleton alone is selected.
    `label` is what the user knows it by."""

    skeleton: str
    mesh: str
    label: str


def selected_face() -> Face | None:
    """The one that is selected, None where there is none or nothing tells which. An animation doesn't count: those
    that were just written are selected, too."""
    for asset in unreal.EditorUtilityLibrary.get_selected_assets():
        face = None if isinstance(asset, unreal.AnimSequence) else face_of(asset)
        if face is not None:
            return face
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    for actor in actors.get_selected_level_actors() if actors is not None else ():
        face = _face_of_actor(actor)
        if face is not None:
            return face
    return None


def face_of(asset: unreal.Object | None) -> Face | None:
    """Of a Skeleton, a SkeletalMesh or an animation; None for anything else."""
    if isinstance(asset, unreal.Skeleton):
        return Face(package_of(asset.get_path_name()), "", asset.get_name())
    if isinstance(asset, unreal.SkeletalMesh):
        return _of_mesh(asset, asset.get_name())
    if isinstance(asset, unreal.AnimSequence):
        skeleton = asset.get_skeleton()
        return None if skeleton is None else Face(package_of(skeleton.get_path_name()), "", skeleton.get_name())
    return None


def selected_sequences() -> tuple[unreal.AnimSequence, ...]:
    """The AnimSequences selected in the content browser."""
    return tuple(
        asset for asset in unreal.EditorUtilityLibrary.get_selected_assets() if isinstance(asset, unreal.AnimSequence)
    )


def selected_actor() -> unreal.Actor | None:
    """The actor of the level whose face is selected: what a Level Sequence binds. None for no or several such."""
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    selected = actors.get_selected_level_actors() if actors is not None else ()
    found = [actor for actor in selected if targets.face_of(actor) is not None]
    return found[0] if len(found) == 1 else None


def show_assets(paths: list[str]) -> None:
    """Select these in the content browser, which opens their folder."""
    if paths:
        unreal.EditorAssetLibrary.sync_browser_to_objects(paths)


def _of_mesh(mesh: unreal.SkeletalMesh, label: str) -> Face | None:
    skeleton = mesh.skeleton
    if skeleton is None:
        return None
    return Face(package_of(skeleton.get_path_name()), package_of(mesh.get_path_name()), label)


def _face_of_actor(actor: unreal.Actor) -> Face | None:
    component = targets.face_of(actor)
    return None if component is None else _of_mesh(component.get_skeletal_mesh_asset(), actor.get_actor_label())
