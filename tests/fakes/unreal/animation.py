"""AnimSequence with its controller and its data model; AnimationLibrary stands on its own.

What the controller calls an error reaches Python as RuntimeError, as the editor turns script errors of a call into
exceptions; what it calls a warning goes to the log, and the call returns False.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from unreal_process import crash, editor

from unreal.assets import BlueprintFunctionLibrary, Factory, Interface
from unreal.checking import faked, known
from unreal.curves import FloatCurve, Key, Model, ModelError
from unreal.objects import Object
from unreal.project import Project
from unreal.values import StructBase

FLOAT = "RCT_FLOAT"


@faked
class AnimationCurveIdentifier(StructBase):
    """`_values` hold what has no editor property: name and type."""

    def set_curve_identifier(self, name: Any, curve_type: Any) -> None:
        self._values["_name"], self._values["_type"] = str(name), curve_type

    def is_valid(self) -> bool:
        return self._values.get("_name", "None").lower() != "none"

    def get_name(self) -> str:
        return str(self._values.get("_name", "None"))

    def get_type(self) -> Any:
        return self._values.get("_type", known("RawCurveTrackTypes").RCT_FLOAT)


@faked
class AnimationCurveIdentifierExtensions(BlueprintFunctionLibrary):
    @classmethod
    def set_curve_identifier(cls, out_identifier: Any, name: Any, curve_type: Any) -> Any:
        """The one that was handed over stays as it was: structs go by value."""
        made = out_identifier.copy()
        made.set_curve_identifier(name, curve_type)
        return made

    @classmethod
    def is_valid(cls, identifier: Any) -> Any:
        return identifier if identifier.is_valid() else None

    @classmethod
    def get_name(cls, identifier: Any) -> Any:
        return identifier.get_name(), identifier

    @classmethod
    def get_type(cls, identifier: Any) -> Any:
        return identifier.get_type(), identifier


@faked
class AnimationDataController(Interface):
    """The one of a sequence, `_sequence`; `_depth` counts open brackets, `_bracketed` those that transact."""

    _sequence: Any = None
    _depth = 0

    def open_bracket(self, title: Any, should_transact: bool) -> None:
        if self._depth == 0:
            self._titled = should_transact
            if should_transact:
                editor().undo_history.begin(str(title))
        self._depth += 1

    def close_bracket(self, should_transact: bool) -> None:
        """Closing what isn't open ends the editor here, though it reports an error: it is never meant."""
        if self._depth == 0:
            crash("Attempt to close bracket that was not previously opened")
        self._depth -= 1
        if self._depth == 0 and self._titled:
            editor().undo_history.end()

    def _change(self, title: str, should_transact: bool, change: Callable[[Model], Any]) -> None:
        """Replace the model by `change(model)`, in a transaction of its own where none is open."""
        history, sequence = editor().undo_history, self._sequence
        try:
            changed = change(sequence._model)
        except ModelError as error:
            raise RuntimeError(f"AnimationDataController: {sequence.get_package()._name} : {error}") from None
        model, warning = changed if isinstance(changed, tuple) else (changed, "")
        if warning:
            self._warn(warning)
        own = should_transact and history.depth == 0
        if own:
            history.begin(title)
        if should_transact:
            history.touch(sequence)
        sequence._model = model
        sequence.get_package()._dirty = True
        if own:
            history.end()

    def _warn(self, text: str) -> bool:
        path = self._sequence.get_package()._name
        editor().log_file.write("warning", f"AnimationDataController: {path} : {text}")
        return False

    def set_frame_rate(self, frame_rate: Any, should_transact: bool) -> None:
        rate = (frame_rate.numerator, frame_rate.denominator)
        self._change("Setting Frame Rate", should_transact, lambda model: model.with_rate(*rate))

    def set_number_of_frames(self, new_length_in_frames: Any, should_transact: bool) -> None:
        frames = new_length_in_frames.value
        self._change("Resizing Play Length", should_transact, lambda model: model.with_frames(frames))

    def add_curve(self, curve_id: Any, curve_flags: int, should_transact: bool) -> bool:
        name = str(curve_id.get_name())
        if not curve_id.is_valid():
            return self._warn(f"Invalid curve identifier provided: name: {name}")
        if curve_id.get_type().name != FLOAT:
            raise NotImplementedError("the fake keeps float curves alone")
        if name.lower() in self._sequence._model.curves:
            return self._warn(f"Curve with name {name} and type {FLOAT} (0) already exists")
        self._change("Adding Animation Curve", should_transact, lambda model: model.with_curve(name, curve_flags))
        return True

    def remove_curve(self, curve_id: Any, should_transact: bool) -> bool:
        name = str(curve_id.get_name())
        if name.lower() not in self._sequence._model.curves:
            return self._warn(f"Unable to find curve: {name} of type {FLOAT}")
        self._change("Removing Animation Curve", should_transact, lambda model: model.without(name))
        return True

    def remove_all_curves_of_type(self, supported_curve_type: Any, should_transact: bool) -> None:
        if supported_curve_type.name == FLOAT:
            for curve in list(self._sequence._model.curves.values()):
                self._change("Deleting All Animation Curve", should_transact, lambda m, n=curve.name: m.without(n))

    def set_curve_keys(self, curve_id: Any, curve_keys: Any, should_transact: bool) -> bool:
        """Replaces all keys."""
        name, keys = str(curve_id.get_name()), tuple(rich_key(key) for key in curve_keys._items)
        self._change("Setting Curve Keys", should_transact, lambda model: model.with_keys(name, keys))
        return True

    def set_curve_key(self, curve_id: Any, key: Any, should_transact: bool) -> bool:
        """One key, at its place; a key at the very same time is replaced."""
        name, new = str(curve_id.get_name()), rich_key(key)
        self._change("Setting Curve Key", should_transact, lambda model: with_key(model, name, new))
        return True

    def set_curve_flags(self, curve_id: Any, flags: int, should_transact: bool) -> bool:
        return str(curve_id.get_name()).lower() in self._sequence._model.curves

    def get_model_interface(self) -> Any:
        return self._sequence._data


def rich_key(key: Any) -> Key:
    values = key._values
    modes = tuple(values[name].name for name in ("interp_mode", "tangent_mode", "tangent_weight_mode"))
    return Key(values["time"], values["value"], modes)  # type: ignore[arg-type]


def with_key(model: Model, name: str, new: Key) -> Model:
    curve = model.curves.get(name.lower(), FloatCurve(name))
    keys = [key for key in curve.keys if key.time != new.time] + [new]
    return model.with_keys(name, tuple(sorted(keys, key=lambda key: key.time)))


@faked
class AnimationDataModel(Interface):
    """What the controller's model says; read only."""

    _sequence: Any = None

    def get_animation_sequence(self) -> Any:
        return self._sequence

    def get_frame_rate(self) -> Any:
        model = self._sequence._model
        return known("FrameRate")(model.numerator, model.denominator)

    def get_number_of_frames(self) -> int:
        return int(self._sequence._model.frames)

    def get_number_of_keys(self) -> int:
        return int(self._sequence._model.frames) + 1

    def get_number_of_float_curves(self) -> int:
        return len(self._sequence._model.curves)

    def get_number_of_transform_curves(self) -> int:
        return 0

    def get_num_bone_tracks(self) -> int:
        return 0

    def get_bone_track_names(self) -> Any:
        return []

    def get_play_length(self) -> float:
        return float(self._sequence._model.length)


@faked
class AnimationAsset(Object):
    def get_skeleton(self) -> Any:
        return self._values.get("skeleton")

    def _get_skeleton(self) -> Any:
        return self._values.get("skeleton")

    def get_play_length(self) -> float:
        return float(self._model.length)

    def set_preview_skeletal_mesh(self, preview_mesh: Any) -> None:
        self.modify()
        self._preview = preview_mesh


@faked
class AnimSequenceBase(AnimationAsset):
    def _get_controller(self) -> Any:
        return self._controller

    def _get_data_model_interface(self) -> Any:
        return self._data

    def _get_sequence_length(self) -> float:
        return float(self._model.length)


@faked
class AnimSequence(AnimSequenceBase):
    _preview: Any = None

    def _post_init(self) -> None:
        self._model = Model()
        self._controller = AnimationDataController(self, "Controller")
        self._data = AnimationDataModel(self, "DataModel")
        self._controller._sequence = self._data._sequence = self

    def _get_number_of_sampled_frames(self) -> int:
        return self._model.frames

    def _get_number_of_sampled_keys(self) -> int:
        return self._model.frames + 1

    def _state(self) -> Any:
        """Without the metadata tags, which are the package's: undo leaves them as they are."""
        return {"_values": dict(self._values), "model": self._model}

    def _restore(self, state: Any) -> None:
        super()._restore(state)
        self._model = state["model"]
        if self._outer is not None:
            self._outer._dirty = True

    def _dump(self) -> Any:
        curves = [
            {"name": curve.name, "flags": curve.flags, "keys": [[key.time, key.value, key.modes] for key in curve.keys]}
            for curve in self._model.curves.values()
        ]
        model = {"rate": [self._model.numerator, self._model.denominator], "frames": self._model.frames}
        preview = self._preview.get_path_name() if self._preview is not None else ""
        return {"values": super()._dump(), "model": model, "curves": curves, "preview": preview}

    def _load(self, data: Any) -> None:
        super()._load(data["values"])
        curves = {
            said["name"].lower(): FloatCurve(
                said["name"],
                tuple(Key(time, value, tuple(modes)) for time, value, modes in said["keys"]),
                said["flags"],
            )
            for said in data["curves"]
        }
        self._model = Model(*data["model"]["rate"], data["model"]["frames"], curves)
        self._preview = editor().project.load(data["preview"]) if data["preview"] else None


@faked
class AnimSequenceFactory(Factory):
    _supported = "AnimSequence"

    def _create(self, path: str, class_: Any) -> Any:
        made = super()._create(path, class_)
        made._values["skeleton"] = self.target_skeleton
        made._preview = self.preview_skeletal_mesh
        return made


@dataclass(frozen=True)
class SequenceState:
    """What tests see of a sequence: `curves` as name -> [(frame, value)], `frames` its length, `tags` its metadata."""

    rate: Fraction
    frames: int
    curves: dict[str, list[tuple[int, float]]]
    tags: dict[str, str]
    skeleton: str
    preview_mesh: str
    dirty: bool


def sequence_state(project: Project, path: str) -> SequenceState:
    """Raises KeyError where there is no sequence."""
    found = project.load(path)
    if not isinstance(found, AnimSequence):
        raise KeyError(path)
    model, skeleton = found._model, found._values.get("skeleton")
    curves = {
        curve.name: [(round(key.time * float(model.rate)), key.value) for key in curve.keys]
        for curve in model.curves.values()
    }
    return SequenceState(
        model.rate,
        model.frames,
        curves,
        dict(found._outer._tags),
        skeleton.get_path_name() if skeleton is not None else "",
        found._preview.get_path_name() if found._preview is not None else "",
        found._outer._dirty,
    )
