"""The fake refuses what the editor refuses: names, arguments, types, threads. Claim by claim."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import unreal
from unreal_testing import EditorCrash, FakeEditor

pytestmark = pytest.mark.usefixtures("editor")

LIBRARY = unreal.AnimationLibrary
TEXT = unreal.Text


def sequence(name: str = "AS_Shot") -> Any:
    factory = unreal.AnimSequenceFactory()
    factory.target_skeleton = unreal.load_asset("/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton")
    tools = unreal.AssetToolsHelpers.get_asset_tools()
    return tools.create_asset(name, "/Game/Shots", unreal.AnimSequence, factory)


def identifier(name: str = "CTRL_expressions_jawOpen") -> Any:
    empty = unreal.AnimationCurveIdentifier()
    kind = unreal.RawCurveTrackTypes.RCT_FLOAT
    return unreal.AnimationCurveIdentifierExtensions.set_curve_identifier(empty, name, kind)


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    # Names.
    "a class that isn't there": (lambda: unreal.AnimationBlueprintLibrary, AttributeError, "AnimationBlueprintLibrary"),
    "a class of a plugin that is off": (lambda: unreal.LiveLinkFaceImporterFactory, AttributeError, "no attribute"),
    "a module of the fake's own": (lambda: unreal.checking, AttributeError, "checking"),
    "a method that isn't there": (lambda: sequence().controller.set_keys(), AttributeError, "set_keys"),
    "a method of newer or older engines": (
        lambda: unreal.LevelSequence.add_master_track,
        AttributeError,
        "add_master_track",
    ),
    "an enum's member that isn't there": (lambda: unreal.RichCurveInterpMode.LINEAR, AttributeError, "LINEAR"),
    "an attribute that isn't there": (
        lambda: setattr(unreal.AnimSequenceFactory(), "skeleton", None),
        AttributeError,
        "skeleton",
    ),
    "an editor property that isn't there": (
        lambda: sequence().get_editor_property("skeletons"),
        Exception,
        "Failed to find property 'skeletons'",
    ),
    "writing a read-only property": (
        lambda: sequence().set_editor_property("skeleton", None),
        Exception,
        "read-only",
    ),
    "an editor property as an attribute": (lambda: sequence().rate_scale, AttributeError, "rate_scale"),
    # Numbers and names of arguments.
    "too few arguments": (
        lambda: sequence().controller.add_curve(),
        TypeError,
        r"required argument 'curve_id' \(pos 1",
    ),
    "too many arguments": (lambda: unreal.FrameRate(24, 1, 1), TypeError, "at most 2 arguments"),
    "an argument of another name": (
        lambda: sequence().controller.add_curve(identifier=identifier()),
        TypeError,
        "'identifier' is an invalid keyword argument",
    ),
    "an argument twice": (lambda: unreal.FrameRate(24, numerator=24), TypeError, "by name"),
    "arguments for a struct without any": (lambda: unreal.AnimationCurveIdentifier("jaw"), TypeError, "at most 0"),
    "a method of the instance on the class": (lambda: unreal.AssetTools.create_asset(), TypeError, "argument"),
    # Types.
    "str for a struct": (
        lambda: sequence().controller.add_curve("jawOpen"),
        TypeError,
        "Cannot nativize 'str' as 'CurveId'",
    ),
    "int for a struct": (
        lambda: sequence().controller.set_number_of_frames(10),
        TypeError,
        "Cannot nativize 'int' as 'NewLengthInFrames'",
    ),
    "another struct": (
        lambda: sequence().controller.set_frame_rate(unreal.FrameNumber(24)),
        TypeError,
        "Cannot nativize 'FrameNumber'",
    ),
    "float for an int": (lambda: unreal.FrameNumber(1.0), TypeError, "Cannot nativize 'float'"),
    "bool for an int": (lambda: unreal.FrameNumber(True), TypeError, "Cannot nativize 'bool'"),
    "bool for a float": (lambda: unreal.RichCurveKey(time=True), TypeError, "Cannot nativize 'bool'"),
    "int for a bool": (lambda: sequence().controller.close_bracket(1), TypeError, "Cannot nativize 'int'"),
    "str for a float": (lambda: unreal.RichCurveKey(time="0"), TypeError, "Cannot nativize 'str'"),
    "an int beyond 32 bits": (lambda: unreal.FrameNumber(2**31), TypeError, "out of range"),
    "int for an enum": (lambda: unreal.RichCurveKey(interp_mode=0), TypeError, "Cannot nativize 'int'"),
    "a member of another enum": (
        lambda: unreal.RichCurveKey(interp_mode=unreal.RichCurveTangentMode.RCTM_AUTO),
        TypeError,
        "Cannot nativize 'RichCurveTangentMode'",
    ),
    "int for a name": (lambda: LIBRARY.get_float_keys(sequence(), 3), TypeError, "Cannot nativize 'int'"),
    "a path for an object": (
        lambda: unreal.EditorAssetLibrary.save_loaded_asset("/Game/Shots/AS_Shot"),
        TypeError,
        "Cannot nativize 'str' as 'Object'",
    ),
    "an object of another class": (
        lambda: LIBRARY.get_num_frames(sequence().get_skeleton()),
        TypeError,
        "allowed Class type: 'AnimSequenceBase'",
    ),
    "a name for a class": (
        lambda: unreal.AssetToolsHelpers.get_asset_tools().create_asset("A", "/Game", "AnimSequence", None),
        TypeError,
        "Cannot nativize 'str' as 'Class'",
    ),
    "str for an array": (
        lambda: LIBRARY.add_float_curve_keys(sequence(), "a", "12", "12"),
        TypeError,
        "Cannot nativize 'str' as 'Array'",
    ),
    "an array with an element that doesn't fit": (
        lambda: LIBRARY.add_float_curve_keys(sequence(), "a", [0.0, "1"], [0.0, 1.0]),
        TypeError,
        "element 1",
    ),
    "an element that doesn't fit into an Array": (lambda: unreal.Array(float).append("x"), TypeError, "Array"),
    "a property's value of another type": (
        lambda: setattr(unreal.AnimSequenceFactory(), "target_skeleton", sequence()),
        TypeError,
        "to property 'TargetSkeleton'",
    ),
    "making a member of an enum": (lambda: unreal.RawCurveTrackTypes(), TypeError, "cannot create"),
    # Behaviour that the fake doesn't have is said, not guessed.
    "a method without behaviour": (
        lambda: sequence().controller.set_curve_color(identifier(), unreal.LinearColor()),
        NotImplementedError,
        "AnimationDataController.set_curve_color",
    ),
}


@pytest.mark.parametrize("claim", REFUSED)
def test_the_fake_refuses(claim: str) -> None:
    call, error, words = REFUSED[claim]
    with pytest.raises(error, match=words):
        call()


def test_arguments_are_coerced_where_the_editor_coerces_them() -> None:
    made = sequence()
    LIBRARY.add_curve(made, "jaw")  # str -> Name
    LIBRARY.add_float_curve_keys(made, unreal.Name("JAW"), (0,), [1])  # tuple and list -> Array, int -> float
    names = LIBRARY.get_animation_curve_names(made, unreal.RawCurveTrackTypes.RCT_FLOAT)
    assert (type(names), type(names[0]), str(names[0])) == (unreal.Array, unreal.Name, "jaw")
    assert unreal.EditorAssetLibrary.does_asset_exist(unreal.Name("/Game/Shots/AS_Shot"))  # Name -> str
    unreal.AssetToolsHelpers.get_asset_tools().create_asset("A", "/Game", unreal.AnimSequence, None)  # type -> Class


def test_a_call_from_another_thread_ends_the_editor(editor: FakeEditor) -> None:
    seen: list[BaseException] = []

    def elsewhere() -> None:
        try:
            unreal.log("hello")
        except BaseException as error:
            seen.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert isinstance(seen[0], EditorCrash) and "IsInGameThread" in editor.crashed
    with pytest.raises(EditorCrash, match="after the editor died"):
        unreal.log("is anybody there?")


def test_a_crash_is_no_exception_that_a_handler_could_swallow() -> None:
    assert not issubclass(EditorCrash, Exception)


def test_structs_go_by_value() -> None:
    rate = unreal.FrameRate(24, 1)
    copied = rate.copy()
    copied.numerator = 30
    assert (rate.numerator, copied.numerator) == (24, 30)
    section = unreal.MovieSceneSkeletalAnimationSection()
    section.get_editor_property("params").start_frame_offset = unreal.FrameNumber(7)  # changes a copy
    assert section.get_editor_property("params").start_frame_offset == unreal.FrameNumber(0)
    params = section.get_editor_property("params")
    params.start_frame_offset = unreal.FrameNumber(7)
    section.set_editor_property("params", params)
    assert section.get_editor_property("params").start_frame_offset.value == 7


def test_an_identifier_that_is_handed_over_stays_as_it_was() -> None:
    empty = unreal.AnimationCurveIdentifier()
    kind = unreal.RawCurveTrackTypes.RCT_FLOAT
    made = unreal.AnimationCurveIdentifierExtensions.set_curve_identifier(empty, "jaw", kind)
    assert (empty.is_valid(), made.is_valid(), str(made.get_name())) == (False, True, "jaw")


def test_enum_members_are_single_and_print_as_in_the_editor() -> None:
    kind = unreal.RawCurveTrackTypes.RCT_TRANSFORM
    assert kind is unreal.RawCurveTrackTypes.RCT_TRANSFORM
    assert (str(kind), kind.name, kind.value) == ("<RawCurveTrackTypes.RCT_TRANSFORM: 2>", "RCT_TRANSFORM", 2)


def test_keys_hold_32_bit_numbers() -> None:
    assert unreal.RichCurveKey(value=0.1).value == 0.10000000149011612
    assert unreal.FrameTime(sub_frame=0.5).sub_frame == 0.5


def test_names_know_no_case_and_keep_their_spelling() -> None:
    assert unreal.Name("JawOpen") == unreal.Name("jawopen") == "JAWOPEN"
    assert str(unreal.Name("JawOpen")) == "JawOpen"


def test_nothing_works_without_an_editor(editor: FakeEditor) -> None:
    editor.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="no fake editor runs"):
        unreal.log("too early")
