"""AnimationLibrary: the functions of the class that read and write curves, with what they do silently."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from unreal_process import editor

from unreal.animation import FLOAT, AnimationCurveIdentifier
from unreal.assets import BlueprintFunctionLibrary
from unreal.checking import faked, known
from unreal.curves import value_at
from unreal.nativize import single


@faked
class AnimationLibrary(BlueprintFunctionLibrary):
    @classmethod
    def add_curve(cls, animation_sequence_base: Any, curve_name: Any, curve_type: Any, meta_data_curve: bool) -> None:
        animation_sequence_base._controller.add_curve(identifier(curve_name, curve_type), 4)

    @classmethod
    def remove_curve(cls, animation_sequence_base: Any, curve_name: Any, remove_name_from_skeleton: bool) -> None:
        animation_sequence_base._controller.remove_curve(identifier(curve_name))

    @classmethod
    def remove_all_curve_data(cls, animation_sequence_base: Any) -> None:
        animation_sequence_base._controller.remove_all_curves_of_type(known("RawCurveTrackTypes").RCT_FLOAT)

    @classmethod
    def add_float_curve_keys(cls, animation_sequence_base: Any, curve_name: Any, times: Any, values: Any) -> None:
        """Silent where the curve isn't there; a warning where the numbers of times and values differ."""
        if len(times) != len(values):
            text = f"Number of Time values {len(times)} does not match the number of Values {len(values)}"
            editor().log_file.write("warning", f"LogAnimation: {text} in AddFloatCurveKeys")
            return
        if str(curve_name).lower() not in animation_sequence_base._model.curves:
            return
        for time, value in zip(times, values, strict=True):
            key = known("RichCurveKey")(time=time, value=value)
            animation_sequence_base._controller.set_curve_key(identifier(curve_name), key)

    @classmethod
    def add_float_curve_key(cls, animation_sequence_base: Any, curve_name: Any, time: float, value: float) -> None:
        cls.add_float_curve_keys(animation_sequence_base, curve_name, [time], [value])

    @classmethod
    def get_float_keys(cls, animation_sequence_base: Any, curve_name: Any) -> Any:
        curve = animation_sequence_base._model.curves.get(str(curve_name).lower())
        if curve is None:
            editor().log_file.write("warning", f"LogAnimation: curve {curve_name} wasn't found in GetFloatKeys")
            return [], []
        return [key.time for key in curve.keys], [key.value for key in curve.keys]

    @classmethod
    def get_float_value_at_time(cls, animation_sequence_base: Any, curve_name: Any, time: float) -> float:
        curve = animation_sequence_base._model.curves.get(str(curve_name).lower())
        return value_at(curve, time) if curve is not None else 0.0

    @classmethod
    def does_curve_exist(cls, animation_sequence_base: Any, curve_name: Any, curve_type: Any) -> bool:
        return curve_type.name == FLOAT and str(curve_name).lower() in animation_sequence_base._model.curves

    @classmethod
    def get_animation_curve_names(cls, animation_sequence_base: Any, curve_type: Any) -> Any:
        curves = animation_sequence_base._model.curves.values() if curve_type.name == FLOAT else ()
        return [curve.name for curve in curves]

    @classmethod
    def get_num_frames(cls, animation_sequence_base: Any) -> int:
        return int(animation_sequence_base._model.frames)

    @classmethod
    def get_num_keys(cls, animation_sequence_base: Any) -> int:
        return int(animation_sequence_base._model.frames) + 1

    @classmethod
    def get_sequence_length(cls, animation_sequence_base: Any) -> float:
        return float(animation_sequence_base._model.length)

    @classmethod
    def get_frame_at_time(cls, animation_sequence_base: Any, time: float) -> int:
        model = animation_sequence_base._model
        return min(max(round(time * float(model.rate)), 0), model.frames)

    @classmethod
    def get_time_at_frame(cls, animation_sequence_base: Any, frame: int) -> float:
        model = animation_sequence_base._model
        return single(float(Fraction(min(max(frame, 0), model.frames)) / model.rate))

    @classmethod
    def is_valid_time(cls, animation_sequence_base: Any, time: float) -> bool:
        return 0 <= time <= float(animation_sequence_base._model.length)


def identifier(name: Any, curve_type: Any = None) -> Any:
    made = AnimationCurveIdentifier()
    made.set_curve_identifier(name, curve_type or known("RawCurveTrackTypes").RCT_FLOAT)
    return made
