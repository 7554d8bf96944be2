"""Classes that Python defines for the engine are refused where the engine refuses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import unreal
from unreal_testing import FakeEditor


@pytest.fixture(autouse=True)
def editor(tmp_path: Path) -> Iterator[FakeEditor]:
    with FakeEditor(tmp_path) as opened:
        yield opened


def defined(base: Any = unreal.Object, **members: Any) -> Any:
    """A uclass with these members."""
    return unreal.uclass()(type(base)("Made", (base,), {"__module__": "made", **members}))


def override(function: Callable[..., Any]) -> Any:
    return unreal.ufunction(override=True)(function)


def test_properties_begin_at_nothing_and_are_of_their_type() -> None:
    made = defined(
        number=unreal.uproperty(int),
        share=unreal.uproperty(float),
        name=unreal.uproperty(str),
        on=unreal.uproperty(bool),
        folder=unreal.uproperty(unreal.DirectoryPath),
        rate=unreal.uproperty(unreal.FrameRate),
        mode=unreal.uproperty(unreal.AppReturnType),
        mesh=unreal.uproperty(unreal.SkeletalMesh),
        names=unreal.uproperty(unreal.Array(str)),
    )()
    assert (made.number, made.share, made.name, made.on, made.mesh) == (0, 0.0, "", False, None)
    assert (made.folder.path, made.mode, list(made.names)) == ("", unreal.AppReturnType.NO, [])
    made.share, made.names = 0.1, ["a"]
    assert made.share == pytest.approx(0.1) and made.share != 0.1, "32 bits"
    made.folder.path = "/lost"
    assert made.folder.path == "", "structs are copies"
    with pytest.raises(TypeError):
        made.number = 1.5
    with pytest.raises(TypeError):
        made.set_editor_property("mesh", unreal.DirectoryPath())
    with pytest.raises(Exception, match="Failed to find property"):
        made.set_editor_property("nunber", 1)


@pytest.mark.parametrize("kind", [list, dict, tuple, bytes, Path, object, "int", None, unreal.Array])
def test_what_the_engine_has_no_property_for_is_refused(kind: Any) -> None:
    with pytest.raises(Exception, match="Failed to create property"):
        defined(wrong=unreal.uproperty(kind))


@pytest.mark.parametrize(
    ("name", "function", "why"),
    [
        ("exectue", override(lambda self, context: None), "no method was found"),
        ("execute", unreal.ufunction(params=[unreal.ToolMenuContext])(lambda self, context: None), "override=True"),
        ("execute", override(lambda self: None), "number of arguments"),
        ("init_entry", override(lambda self, a, b, c, d, e, f: None), "not a blueprint event"),
        ("execute", unreal.ufunction(override=True, ret=bool)(lambda self, context: None), "cannot also specify"),
        ("fresh", unreal.ufunction(params=[int, int])(lambda self, one: None), "number of arguments"),
        ("fresh", unreal.ufunction(params=[list])(lambda self, one: None), "Failed to create property"),
        ("data", unreal.uproperty(int), "cannot override a property"),
        ("value", unreal.uvalue(1), "do not support ValueDef"),
        ("__init__", lambda self: None, "_post_init"),
    ],
)
def test_a_class_that_the_engine_cannot_make_is_refused(name: str, function: Any, why: str) -> None:
    with pytest.raises(Exception, match=why):
        defined(unreal.ToolMenuEntryScript, **{name: function})


def test_only_classes_of_the_engine_are_extended() -> None:
    with pytest.raises(Exception, match="not derived"):
        unreal.uclass()(type("Foreign", (), {}))


def test_post_init_sets_what_a_new_object_holds() -> None:
    made = defined(number=unreal.uproperty(int), _post_init=lambda self: setattr(self, "number", 3))
    assert (made().number, unreal.new_object(made).number) == (3, 3)


def test_enums_of_pythons_are_types_of_properties() -> None:
    def body(namespace: dict[str, Any]) -> None:
        namespace.update({"__module__": "made", "ONE": unreal.uvalue(0), "TWO": unreal.uvalue(1)})

    members: dict[str, Any] = {}
    body(members)
    kind = unreal.uenum()(type(unreal.EnumBase)("Choice", (unreal.EnumBase,), members))
    made = defined(choice=unreal.uproperty(kind))()
    assert made.choice is kind.ONE
    made.choice = kind.TWO
    assert made.get_editor_property("choice") is kind.TWO
    with pytest.raises(TypeError):
        made.choice = unreal.AppReturnType.NO
    with pytest.raises(TypeError):
        made.choice = 1


@pytest.mark.parametrize("value", [-1, 256, "a", True])
def test_enum_values_are_small_numbers(value: Any) -> None:
    members = {"__module__": "made", "ONE": unreal.uvalue(value)}
    with pytest.raises(Exception, match="from 0 to 255"):
        unreal.uenum()(type(unreal.EnumBase)("Choice", (unreal.EnumBase,), members))
