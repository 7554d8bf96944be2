"""Control Rigs in a sequence: their tracks, and controls keyed from an AnimSequence.

The fake's rig has a control for each of the face's curves, called as the curve is; the real board's are wired in its
backward solve.
"""

from __future__ import annotations

from typing import Any

from unreal_process import editor

import unreal.movie  # noqa: F401  its sections are the base of those here
from unreal.checking import faked, known

CURVES = "ctrl_expressions_"
"""What curves the face's rig solves from."""


@faked
class Blueprint(known("BlueprintCore")):  # type: ignore[misc]
    def generated_class(self) -> Any:
        return self._generated_class()

    def _generated_class(self) -> Any:
        return None


@faked
class ControlRigBlueprint(known("RigVMBlueprint")):  # type: ignore[misc]
    """Its class is made when it is first asked for."""

    def get_control_rig_class(self) -> Any:
        return self._generated_class()

    def _generated_class(self) -> Any:
        if "_made" not in self.__dict__:
            base = known("ControlRig")
            self.__dict__["_made"] = type(base)(
                f"{self._name}_C", (base,), {"__module__": "unreal", "_blueprint": self}
            )
        return self.__dict__["_made"].static_class()


@faked
class MovieSceneControlRigParameterSection(known("MovieSceneParameterSection")):  # type: ignore[misc]
    """`_rig` is the path of its blueprint, `_bound` whether the rig has an object to move."""

    def _post_init(self) -> None:
        super()._post_init()
        self._rig, self._is_bound = "", False

    def get_parameter_names(self) -> list[str]:
        return list(self._channels)

    def _dump(self) -> dict[str, Any]:
        return {**super()._dump(), "rig": self._rig}

    def _load(self, said: dict[str, Any]) -> None:
        super()._load(said)
        self._rig = said["rig"]


@faked
class ControlRigSequencerLibrary(known("BlueprintFunctionLibrary")):  # type: ignore[misc]
    @classmethod
    def find_or_create_control_rig_track(
        cls, world: Any, level_sequence: Any, control_rig_class: Any, binding: Any, is_layered_control_rig: bool
    ) -> Any:
        """None where there is no world, sequence or binding, or the class is none of Control Rigs. The rig is bound
        where Sequencer has the sequence open."""
        found = binding._binding()
        wanted = control_rig_class._python if control_rig_class is not None else None
        if world is None or level_sequence is None or found is None:
            return None
        if wanted is None or not issubclass(wanted, known("ControlRig")):
            editor().log_file.write("error", "LogControlRig: the class is no Control Rig")
            return None
        blueprint = getattr(wanted, "_blueprint", None)
        rig = blueprint.get_path_name() if blueprint is not None else ""
        kind = known("MovieSceneControlRigParameterTrack")
        track = next((made for made in found.tracks if isinstance(made, kind) and made._sections[0]._rig == rig), None)
        if track is None:
            track = level_sequence._added(kind.static_class(), found.tracks)
            section = track.add_section()
            section._rig, section._range = rig, [None, None]
        track._sections[0]._is_bound = editor().desk.opened_sequence is level_sequence
        return track

    @classmethod
    def get_control_rigs(cls, level_sequence: Any) -> list[Any]:
        made = []
        for binding in level_sequence._movie.bindings if level_sequence is not None else ():
            for track in binding.tracks:
                if isinstance(track, known("MovieSceneControlRigParameterTrack")):
                    rig = editor().project.load(track._sections[0]._rig).get_control_rig_class()._python()
                    proxy = level_sequence._proxy(binding)
                    made.append(known("ControlRigSequencerBindingProxy")(proxy, rig, track))
        return made

    @classmethod
    def load_anim_sequence_into_control_rig_section(
        cls,
        movie_scene_section: Any,
        anim_sequence: Any,
        skel_mesh_comp: Any,
        start_frame: Any,
        time_unit: Any,
        key_reduce: bool,
        tolerance: float,
        interpolation: Any,
        reset_controls: bool,
    ) -> bool:
        """A key a display frame for each control. False where anything is missing or doesn't belong together."""
        section = movie_scene_section
        if not isinstance(section, known("MovieSceneControlRigParameterSection")) or not section._is_bound:
            return cls._refused("the section has no Control Rig that is bound; open the sequence in Sequencer")
        mesh = skel_mesh_comp.get_skeletal_mesh_asset() if skel_mesh_comp is not None else None
        if anim_sequence is None or mesh is None or mesh.skeleton is None:
            return cls._refused("there is no animation, or no mesh to bake it on")
        if mesh.skeleton is not anim_sequence.get_skeleton():
            return cls._refused("the mesh's skeleton is not the animation's")
        if key_reduce:
            raise NotImplementedError("the fake doesn't reduce keys of Control Rigs")
        section._track._sequence.modify()
        movie = section._movie()
        library = known("AnimationLibrary")
        begin = movie.from_unit(start_frame.value, time_unit)
        frames = round(anim_sequence.get_play_length() * movie.display)
        for name in library.get_animation_curve_names(anim_sequence, known("RawCurveTrackTypes").RCT_FLOAT):
            if not str(name).lower().startswith(CURVES):
                continue
            times, values = library.get_float_keys(anim_sequence, name)
            channel = section._channel(str(name))
            if reset_controls:
                channel._keys = {}
            for frame in range(frames + 1):
                value = between(list(times), list(values), float(frame / movie.display))
                channel._keys[begin + movie.to_ticks(frame)] = (value, interpolation.name)
        return True

    @classmethod
    def _refused(cls, why: str) -> bool:
        editor().log_file.write("error", f"LogControlRig: {why}")
        return False


def between(times: list[float], values: list[float], time: float) -> float:
    """On the straight line between the keys around; the end's value beyond the ends, 0 without keys."""
    if not times:
        return 0.0
    after = next((index for index, key in enumerate(times) if key >= time), len(times) - 1)
    before = max(after - 1, 0)
    span = times[after] - times[before]
    share = min(max((time - times[before]) / span, 0.0), 1.0) if span > 0 else 1.0
    return values[before] + (values[after] - values[before]) * share
