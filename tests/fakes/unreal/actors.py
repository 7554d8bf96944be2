"""Actors of the level and their skeletal mesh components: what the user selects, and what a sequence possesses."""

from __future__ import annotations

from typing import Any

from unreal.checking import faked, known


@faked
class Actor(known("Object")):  # type: ignore[misc]
    """Components are its inner objects."""

    def _post_init(self) -> None:
        self._label, self._components = self._name, []

    def get_actor_label(self, create_if_none: bool) -> str:
        return str(self._label)

    def set_actor_label(self, new_actor_label: str, mark_dirty: bool) -> None:
        self._label = new_actor_label

    def get_components_by_class(self, component_class: Any) -> list[Any]:
        wanted = component_class._python if component_class is not None else known("ActorComponent")
        return [component for component in self._components if isinstance(component, wanted)]

    def get_component_by_class(self, component_class: Any) -> Any:
        return next(iter(self.get_components_by_class(component_class)), None)


@faked
class SkinnedMeshComponent(known("MeshComponent")):  # type: ignore[misc]
    def get_skinned_asset(self) -> Any:
        return self._mesh()

    def _mesh(self) -> Any:
        return self._values.get("skeletal_mesh_asset")


@faked
class SkeletalMeshComponent(SkinnedMeshComponent):
    """`skeletal_mesh_asset` is the property, the methods read and write it."""

    def get_skeletal_mesh_asset(self) -> Any:
        return self._mesh()

    def set_skeletal_mesh_asset(self, new_mesh: Any) -> None:
        self._values["skeletal_mesh_asset"] = new_mesh


@faked
class SkeletalMeshActor(Actor):
    """An actor whose component shows one mesh."""

    def _post_init(self) -> None:
        super()._post_init()
        self._components.append(known("SkeletalMeshComponent")(self, "SkeletalMeshComponent0"))

    def _get_skeletal_mesh_component(self) -> Any:
        return self._components[0]


def actor_of(label: str, meshes: dict[str, Any]) -> Any:
    """An actor with a skeletal mesh component for each mesh: as a MetaHuman's, whose face is one of them."""
    made = known("Actor")(None, label)
    made._label = label
    for name, mesh in meshes.items():
        component = known("SkeletalMeshComponent")(made, name)
        component.set_skeletal_mesh_asset(mesh)
        made._components.append(component)
    return made
