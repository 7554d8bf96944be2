"""What every project of the fake starts with: MetaHuman's face, a skeleton that has none, a Control Rig."""

from __future__ import annotations

from typing import Any

from unreal.checking import known
from unreal.project import Project

FACE = "/Game/MetaHumans/Common/Face"
FACE_SKELETON = f"{FACE}/Face_Archetype_Skeleton"
FACE_MESH = f"{FACE}/SKM_Face_Archetype"
FACE_RIG = f"{FACE}/Face_ControlBoard_CtrlRig"
BODY_SKELETON = "/Game/Mannequins/SK_Mannequin_Skeleton"
BODY_MESH = "/Game/Mannequins/SKM_Mannequin"


def furnish(project: Project) -> None:
    """Adds what isn't on disk; it counts as saved."""
    for mesh, skeleton in ((FACE_MESH, FACE_SKELETON), (BODY_MESH, BODY_SKELETON)):
        bones = asset(project, skeleton, "Skeleton")
        asset(project, mesh, "SkeletalMesh")._values["skeleton"] = bones
    asset(project, FACE_RIG, "ControlRigBlueprint")


def asset(project: Project, path: str, class_name: str) -> Any:
    made = project.load(path)
    if made is None:
        made = project.add(path, known(class_name))
        made._outer._dirty = False
    return made
