"""A behaviour that departs from Epic's signatures can't be given to the fake at all."""

from __future__ import annotations

from typing import Any

import pytest
import unreal
from unreal.checking import faked, faked_function

Object = unreal.Object


def unknown_class() -> Any:
    class AnimationBlueprintLibrary(Object):  # type: ignore[misc, valid-type]
        pass

    return AnimationBlueprintLibrary


def another_base() -> Any:
    class Skeleton(unreal.AnimationAsset):  # type: ignore[misc, name-defined]
        pass

    return Skeleton


def unknown_method() -> Any:
    class Skeleton(Object):  # type: ignore[misc, valid-type]
        def get_bones(self) -> Any: ...

    return Skeleton


def another_argument() -> Any:
    class Skeleton(Object):  # type: ignore[misc, valid-type]
        def add_compatible_skeleton(self, skeleton: Any) -> None: ...

    return Skeleton


def another_order() -> Any:
    class Skeleton(Object):  # type: ignore[misc, valid-type]
        def get_curve_identifier(self, curve_type: Any, name: Any) -> Any: ...

    return Skeleton


def another_default() -> Any:
    class SkeletalMesh(unreal.SkinnedAsset):  # type: ignore[misc, name-defined]
        def add_socket(self, socket: Any, add_to_skeleton: bool = True) -> None: ...

    return SkeletalMesh


def method_of_the_class_as_one_of_the_instance() -> Any:
    class AssetToolsHelpers(Object):  # type: ignore[misc, valid-type]
        def get_asset_tools(self) -> Any: ...

    return AssetToolsHelpers


def method_of_the_instance_as_one_of_the_class() -> Any:
    class Skeleton(Object):  # type: ignore[misc, valid-type]
        @classmethod
        def add_compatible_skeleton(cls, source_skeleton: Any) -> None: ...

    return Skeleton


def writing_what_is_read_only() -> Any:
    class Skeleton(Object):  # type: ignore[misc, valid-type]
        def _set_bone_tree(self, value: Any) -> None: ...

    return Skeleton


DEPARTURES = {
    unknown_class: "isn't in the signatures",
    another_base: "rests on Object, not on AnimationAsset",
    unknown_method: "Skeleton.get_bones isn't in the signatures",
    another_argument: r"takes \(source_skeleton\)",
    another_order: r"takes \(name, curve_type\)",
    another_default: "the default of add_to_skeleton is False",
    method_of_the_class_as_one_of_the_instance: "is a method of the class",
    method_of_the_instance_as_one_of_the_class: "is a method of the instance",
    writing_what_is_read_only: "no such property to set: bone_tree",
}


@pytest.mark.parametrize("departure", DEPARTURES, ids=lambda made: made.__name__)
def test_a_behaviour_that_departs_from_the_signatures_is_refused(departure: Any) -> None:
    with pytest.raises(TypeError, match=DEPARTURES[departure]):
        faked(departure())


def test_a_function_that_departs_from_the_signatures_is_refused() -> None:
    def log(text: Any) -> None: ...

    def logs(arg: Any) -> None: ...

    with pytest.raises(TypeError, match=r"takes \(arg\)"):
        faked_function(log)
    with pytest.raises(TypeError, match="isn't in the signatures"):
        faked_function(logs)


def test_a_behaviour_comes_before_the_class_is_used() -> None:
    made = type("Skeleton", (Object,), {})
    assert unreal.Skeleton is not made
    with pytest.raises(TypeError, match="exists already"):
        faked(made)
