"""What a skeleton's bones are called: enough to tell a MetaHuman's face from a body."""

from __future__ import annotations

from typing import Any

from unreal.checking import faked, known

BODY = ("root", "pelvis", "spine_01", "neck_01", "head")
FACE = (*BODY, "FACIAL_C_FacialRoot", "FACIAL_C_Jaw", "FACIAL_L_Eye", "FACIAL_R_Eye")


@faked
class AnimPose(known("StructBase")):  # type: ignore[misc]
    """`_values["_bones"]` has no editor property."""

    def is_valid(self) -> bool:
        return bool(self._values.get("_bones"))

    def get_bone_names(self) -> list[str]:
        return list(self._values.get("_bones", ()))


@faked
class Skeleton(known("Object")):  # type: ignore[misc]
    """Those called after the face have its bones."""

    def get_reference_pose(self) -> Any:
        made = AnimPose()
        made._values["_bones"] = FACE if "face" in self._name.lower() else BODY
        return made
