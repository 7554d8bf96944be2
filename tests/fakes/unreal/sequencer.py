"""Level Sequences: rates, playback range, bindings and tracks; and the one that is open in Sequencer.

Of the animation a section plays it keeps what was set. Nothing is evaluated but what Control Rigs load.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from unreal_process import editor

from unreal.checking import faked, known
from unreal.movie import SECTIONS, Binding, Movie, new_id, rate, rate_struct
from unreal.project import decode, encode


@faked
class MovieSceneSequence(known("MovieSceneSignedObject")):  # type: ignore[misc]
    """`_movie` is what a movie scene holds in the engine."""

    def set_display_rate(self, display_rate: Any) -> None:
        found = rate(display_rate)
        if found is not None:
            self.modify()
            self._movie.display = found

    def get_display_rate(self) -> Any:
        return rate_struct(self._movie.display)

    def set_tick_resolution(self, tick_resolution: Any) -> None:
        """What is there keeps its time in seconds, to the nearest new tick."""
        found = rate(tick_resolution)
        if found is None:
            return
        self.modify()
        movie, factor = self._movie, found / self._movie.ticks
        movie.start, movie.end, movie.ticks = round(movie.start * factor), round(movie.end * factor), found
        for track in self._all_tracks():
            for section in track._sections:
                section._range = [None if tick is None else round(tick * factor) for tick in section._range]
                for channel in section._channels.values():
                    channel._keys = {round(tick * factor): key for tick, key in channel._keys.items()}

    def get_tick_resolution(self) -> Any:
        return rate_struct(self._movie.ticks)

    def set_playback_start(self, start_frame: int) -> None:
        self.modify()
        self._movie.start = self._movie.to_ticks(start_frame)

    def set_playback_end(self, end_frame: int) -> None:
        self.modify()
        self._movie.end = self._movie.to_ticks(end_frame)

    def get_playback_start(self) -> int:
        return int(self._movie.to_frame(self._movie.start))

    def get_playback_end(self) -> int:
        return int(self._movie.to_frame(self._movie.end))

    def get_playback_start_seconds(self) -> float:
        return float(self._movie.start / self._movie.ticks)

    def get_playback_end_seconds(self) -> float:
        return float(self._movie.end / self._movie.ticks)

    def set_playback_start_seconds(self, start_time: float) -> None:
        self.modify()
        self._movie.start = round(Fraction(start_time) * self._movie.ticks)

    def set_playback_end_seconds(self, end_time: float) -> None:
        self.modify()
        self._movie.end = round(Fraction(end_time) * self._movie.ticks)

    def add_track(self, track_type: Any) -> Any:
        return self._added(track_type, self._movie.tracks)

    def get_tracks(self) -> list[Any]:
        return list(self._movie.tracks)

    def find_tracks_by_type(self, track_type: Any) -> list[Any]:
        return [track for track in self._movie.tracks if isinstance(track, track_type._python)]

    def remove_track(self, track: Any) -> bool:
        self.modify()
        found = track in self._movie.tracks
        self._movie.tracks = [kept for kept in self._movie.tracks if kept is not track]
        return found

    def add_possessable(self, object_to_possess: Any) -> Any:
        """Of an actor in the level or of a component of one."""
        if object_to_possess is None:
            raise Exception("MovieSceneSequence: add_possessable needs an object")
        label = getattr(object_to_possess, "_label", object_to_possess._name)
        return self._bind(Binding(new_id(), label, type(object_to_possess).__name__, object_to_possess))

    def add_spawnable_from_class(self, class_to_spawn: Any) -> Any:
        if class_to_spawn is None or not issubclass(class_to_spawn._python, known("Actor")):
            return self._proxy(None)
        template = class_to_spawn._python(self)
        return self._bind(Binding(new_id(), class_to_spawn._name, class_to_spawn._name, template, spawnable=True))

    def add_spawnable_from_instance(self, object_to_spawn: Any) -> Any:
        raise NotImplementedError("the fake spawns from classes alone")

    def get_bindings(self) -> list[Any]:
        return [self._proxy(binding) for binding in self._movie.bindings]

    def get_possessables(self) -> list[Any]:
        return [self._proxy(binding) for binding in self._movie.bindings if not binding.spawnable]

    def get_spawnables(self) -> list[Any]:
        return [self._proxy(binding) for binding in self._movie.bindings if binding.spawnable]

    def find_binding_by_name(self, name: str) -> Any:
        """An invalid binding where there is none."""
        return self._proxy(next((found for found in self._movie.bindings if found.name == name), None))

    def find_binding_by_id(self, binding_id: Any) -> Any:
        return self._proxy(self._find(guid_parts(binding_id)))

    def get_binding_id(self, binding: Any) -> Any:
        made = known("MovieSceneObjectBindingID")()
        made._values["_parts"] = guid_parts(binding.binding_id)
        return made

    # Helpers.

    def _find(self, parts: tuple[int, ...]) -> Binding | None:
        return next((binding for binding in self._movie.bindings if binding.id == parts), None)

    def _bind(self, binding: Binding) -> Any:
        self.modify()
        self._movie.bindings.append(binding)
        return self._proxy(binding)

    def _proxy(self, binding: Binding | None) -> Any:
        guid = known("Guid")()
        if binding is not None:
            guid._values.update(zip("abcd", binding.id, strict=True))
        return known("MovieSceneBindingProxy")(guid, self)

    def _added(self, track_type: Any, tracks: list[Any]) -> Any:
        """A track of a class that the fake knows; None for a class that is none of tracks."""
        wanted = track_type._python if track_type is not None else None
        if wanted is None or not issubclass(wanted, known("MovieSceneTrack")):
            return None
        if wanted.__name__ not in SECTIONS:
            raise NotImplementedError(f"the fake knows no tracks of {wanted.__name__}")
        self.modify()
        track = wanted(self)
        track._sequence = self
        tracks.append(track)
        return track

    def _all_tracks(self) -> list[Any]:
        return [*self._movie.tracks, *(track for binding in self._movie.bindings for track in binding.tracks)]


def guid_parts(guid: Any) -> tuple[int, ...]:
    return tuple(guid._values.get(letter, 0) for letter in "abcd")


@faked
class LevelSequence(MovieSceneSequence):
    """The asset. `_live_link` is what an import of a face recording put there: subject, source and keys."""

    def _post_init(self) -> None:
        self._movie, self._live_link = Movie(), None

    def _dump(self) -> dict[str, Any]:
        movie = self._movie
        tracks = [dump_track(track) for track in movie.tracks]
        bindings = [
            {**dump_binding(found), "tracks": [dump_track(track) for track in found.tracks]} for found in movie.bindings
        ]
        rates: dict[str, Any] = {"display": str(movie.display), "ticks": str(movie.ticks)}
        rates["live_link"] = self._live_link
        return {**rates, "start": movie.start, "end": movie.end, "tracks": tracks, "bindings": bindings}

    def _load(self, said: dict[str, Any]) -> None:
        self._movie = Movie(Fraction(said["display"]), Fraction(said["ticks"]), said["start"], said["end"])
        self._live_link = said["live_link"]
        for track in said["tracks"]:
            load_track(self, self._movie.tracks, track)
        for entry in said["bindings"]:
            binding = load_binding(self, entry)
            self._movie.bindings.append(binding)
            for track in entry["tracks"]:
                load_track(self, binding.tracks, track)

    def _state(self) -> Any:
        return {**super()._state(), "dumped": self._dump(), "things": [found.thing for found in self._movie.bindings]}

    def _restore(self, state: Any) -> None:
        super()._restore(state)
        self._load(state["dumped"])
        for binding, thing in zip(self._movie.bindings, state["things"], strict=True):
            binding.thing = thing


def dump_track(track: Any) -> dict[str, Any]:
    return {"class": type(track).__name__, "sections": [section._dump() for section in track._sections]}


def load_track(sequence: Any, tracks: list[Any], said: dict[str, Any]) -> None:
    track = known(said["class"])(sequence)
    track._sequence = sequence
    tracks.append(track)
    for entry in said["sections"]:
        track.add_section()._load(entry)


def dump_binding(binding: Binding) -> dict[str, Any]:
    """Of a spawnable's template its mesh is kept; what a possessable possesses is the level's, found by its name."""
    mesh = binding.thing.skeletal_mesh_component.get_skeletal_mesh_asset() if has_mesh(binding) else None
    names = {"name": binding.name, "class": binding.class_name, "display_name": binding.display_name}
    return {**names, "id": binding.id, "parent": binding.parent, "spawnable": binding.spawnable, "mesh": encode(mesh)}


def has_mesh(binding: Binding) -> bool:
    return binding.spawnable and isinstance(binding.thing, known("SkeletalMeshActor"))


def load_binding(sequence: Any, said: dict[str, Any]) -> Binding:
    id_, parent = tuple(said["id"]), said["parent"] and tuple(said["parent"])
    made = Binding(id_, said["name"], said["class"], None, said["spawnable"], parent, said["display_name"])
    if made.spawnable:
        made.thing = known(said["class"])(sequence)
        if has_mesh(made):
            made.thing.skeletal_mesh_component.set_skeletal_mesh_asset(decode(said["mesh"]))
    else:
        components = [component for actor in editor().desk.actors for component in actor._components]
        things = [*editor().desk.actors, *components]
        made.thing = next((thing for thing in things if getattr(thing, "_label", thing._name) == made.name), None)
    return made


@faked
class LevelSequenceFactoryNew(known("Factory")):  # type: ignore[misc]
    _supported = "LevelSequence"


@faked
class MovieSceneBindingProxy(known("StructBase")):  # type: ignore[misc]
    """Names a binding of a sequence. One that names none does nothing and gives nothing."""

    def _binding(self) -> Binding | None:
        sequence = self._values.get("sequence")
        return sequence._find(guid_parts(self._values["binding_id"])) if sequence is not None else None

    def is_valid(self) -> bool:
        return self._binding() is not None

    def get_id(self) -> Any:
        return self._values["binding_id"]

    def get_name(self) -> str:
        found = self._binding()
        return found.name if found else ""

    def get_display_name(self) -> str:
        found = self._binding()
        return (found.display_name or found.name) if found else ""

    def set_display_name(self, display_name: Any) -> None:
        found = self._changing()
        if found is not None:
            found.display_name = str(display_name)

    def set_name(self, name: str) -> None:
        found = self._changing()
        if found is not None:
            found.name = name

    def set_parent(self, parent_binding: Any) -> None:
        found, parent = self._changing(), parent_binding._binding()
        if found is not None and parent is not None:
            found.parent = parent.id

    def get_parent(self) -> Any:
        found = self._binding()
        sequence = self._values["sequence"]
        return sequence._proxy(sequence._find(found.parent) if found and found.parent else None)

    def get_child_possessables(self) -> list[Any]:
        found, sequence = self._binding(), self._values["sequence"]
        children = [child for child in sequence._movie.bindings if found is not None and child.parent == found.id]
        return [sequence._proxy(child) for child in children]

    def get_object_template(self) -> Any:
        found = self._binding()
        return found.thing if found is not None and found.spawnable else None

    def get_possessed_object_class(self) -> Any:
        found = self._binding()
        return None if found is None or found.spawnable else known(found.class_name).static_class()

    def add_track(self, track_type: Any) -> Any:
        found = self._binding()
        return None if found is None else self._values["sequence"]._added(track_type, found.tracks)

    def get_tracks(self) -> list[Any]:
        found = self._binding()
        return list(found.tracks) if found else []

    def find_tracks_by_type(self, track_type: Any) -> list[Any]:
        return [track for track in self.get_tracks() if isinstance(track, track_type._python)]

    def remove_track(self, track_to_remove: Any) -> None:
        found = self._changing()
        if found is not None:
            found.tracks = [track for track in found.tracks if track is not track_to_remove]

    def remove(self) -> None:
        found, sequence = self._changing(), self._values.get("sequence")
        if found is not None and sequence is not None:
            sequence._movie.bindings.remove(found)

    def _changing(self) -> Binding | None:
        found, sequence = self._binding(), self._values.get("sequence")
        if found is not None and sequence is not None:
            sequence.modify()
        return found
