"""Whose face it is: the skeleton of an AnimSequence, and the mesh that shows it.

An AnimSequence belongs to one skeleton. All MetaHumans up to 5.5 share the face archetype's; later ones may have it in
another folder, so it is looked for by name where the usual path has none.
"""

from __future__ import annotations

from dataclasses import dataclass

from semanticface.errors import InputError
from semanticface_unreal.engine import unreal
from semanticface_unreal.ports import AssetOrder
from semanticface_unreal.writing.assets import need, path_of

ARCHETYPE = "/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton"
ARCHETYPE_NAME = ARCHETYPE.rpartition("/")[2]
FACIAL_ROOT = "FACIAL_C_FacialRoot"
"""The bone that the face of a MetaHuman hangs from."""
FACE = "Face"
"""What the face's component is called in a MetaHuman's blueprint."""


@dataclass(frozen=True, slots=True)
class Target:
    """`mesh` is one of that skeleton, or None where only the skeleton is known."""

    skeleton: unreal.Skeleton
    mesh: unreal.SkeletalMesh | None = None


def target_of(order: AssetOrder) -> Target:
    """Skeleton and mesh that the order names. Raises InputError where they aren't there or don't go together."""
    mesh = need(order.preview_mesh, unreal.SkeletalMesh, "skeletal mesh") if order.preview_mesh else None
    if order.skeleton:
        target = _named(order.skeleton)
    elif mesh is not None:
        target = Target(_skeleton_of(mesh), mesh)
    else:
        return Target(archetype())
    if mesh is None:
        return target
    if path_of(_skeleton_of(mesh)) != path_of(target.skeleton):
        raise InputError(
            f"mesh {order.preview_mesh} has skeleton {path_of(_skeleton_of(mesh))}, not {path_of(target.skeleton)}",
            "take a mesh of the face whose skeleton is given, or leave one of them out",
        )
    return Target(target.skeleton, mesh)


def archetype() -> unreal.Skeleton:
    """The skeleton that the faces of MetaHumans share. Raises InputError where the project has none, or several."""
    if unreal.EditorAssetLibrary.does_asset_exist(ARCHETYPE):
        return need(ARCHETYPE, unreal.Skeleton, "skeleton")
    registry = unreal.AssetRegistryHelpers.get_asset_registry()
    kind = unreal.TopLevelAssetPath("/Script/Engine", "Skeleton")
    known = registry.get_assets_by_class(kind, True) or []
    found = sorted(str(data.package_name) for data in known if str(data.asset_name) == ARCHETYPE_NAME)
    if not found:
        raise InputError(
            "this project has no MetaHuman face skeleton",
            "add a MetaHuman to it, or name the skeleton or face mesh to write for",
        )
    if len(found) > 1:
        raise InputError(f"there are several face skeletons: {', '.join(found)}", "name the one to write for")
    return need(found[0], unreal.Skeleton, "skeleton")


def moves_faces(skeleton: unreal.Skeleton) -> bool:
    """Whether it has the bones of a MetaHuman's face."""
    names = skeleton.get_reference_pose().get_bone_names()
    return any(str(name).lower() == FACIAL_ROOT.lower() for name in names)


def face_of(actor: unreal.Actor) -> unreal.SkeletalMeshComponent | None:
    """The component of an actor that shows its face: the one called Face, or the only one. None where it is unclear."""
    shown = [
        component
        for component in actor.get_components_by_class(unreal.SkeletalMeshComponent.static_class())
        if isinstance(component, unreal.SkeletalMeshComponent) and component.get_skeletal_mesh_asset() is not None
    ]
    named = [component for component in shown if component.get_name() == FACE]
    chosen = named or shown
    return chosen[0] if len(chosen) == 1 else None


def mesh_path_of(actor: unreal.Actor) -> str:
    """The path of the mesh of an actor's face, which can stand as the order's `skeleton` and `preview_mesh`; "" for
    actors without one."""
    component = face_of(actor)
    return "" if component is None else path_of(component.get_skeletal_mesh_asset())


def _named(path: str) -> Target:
    asset = need(path, unreal.Object, "skeleton or skeletal mesh")
    if isinstance(asset, unreal.SkeletalMesh):
        return Target(_skeleton_of(asset), asset)
    return Target(need(path, unreal.Skeleton, "skeleton or skeletal mesh"))


def _skeleton_of(mesh: unreal.SkeletalMesh) -> unreal.Skeleton:
    skeleton = mesh.skeleton
    if skeleton is None:
        raise InputError(f"mesh {path_of(mesh)} has no skeleton", "assign one in its editor, or choose another mesh")
    return skeleton
