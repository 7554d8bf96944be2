"""A Level Sequence that plays the AnimSequence, at the footage's exact rate, and the same motion on a Control Rig.

What a user adds to such a sequence stays when it is written anew: only the section that plays the asset is fitted.
Sequences that others made are never touched. Knows nothing of curves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from semanticface.errors import EngineError, InputError
from semanticface_unreal.engine import unreal
from semanticface_unreal.ports import AssetOrder, Existing
from semanticface_unreal.writing import assets
from semanticface_unreal.writing.names import split
from semanticface_unreal.writing.tags import PREFIX
from semanticface_unreal.writing.targets import Target, face_of

ANIMATION = PREFIX + "Animation"
"""Tag of a Level Sequence: the path of the AnimSequence that it was made to play."""
TICKS = 24000
"""A second of Sequencer has so many ticks where nobody asks for others."""
MOST_TICKS = 10**8


@dataclass(frozen=True, slots=True)
class Scene:
    """What goes into the Level Sequence. `face` is the component of an actor of the level; without one the mesh is
    spawned."""

    animation: unreal.AnimSequence
    rate: Fraction
    length: int
    target: Target
    face: unreal.SkeletalMeshComponent | None = None


def level_name(name: str) -> str:
    """`LS_Shot` for `AS_Shot`."""
    return "LS_" + name.removeprefix("AS_")


def wants_level(order: AssetOrder) -> bool:
    """Keys of a Control Rig stand in a Level Sequence too."""
    return order.level_sequence or bool(order.control_rig)


def check_level(order: AssetOrder, target: Target, actor: unreal.Actor | None) -> None:
    """Raises InputError where the Level Sequence of an order couldn't be made."""
    if not wants_level(order):
        return
    if order.control_rig:
        assets.need(order.control_rig, unreal.ControlRigBlueprint, "Control Rig")
        if "-run=" in unreal.SystemLibrary.get_command_line().lower():
            raise InputError(
                f"{order.path}: keys on a Control Rig are made by Sequencer, which needs an editor with a window",
                "leave out `control_rig` here, and write the asset from its take in the editor",
            )
    if target.mesh is None and fitting(actor, target) is None:
        raise InputError(
            f"{order.path}: a Level Sequence needs a mesh to show",
            "name the face mesh instead of its skeleton, or select the character in the level",
        )
    if order.existing is Existing.OVERWRITE:
        _standing(f"{order.folder.rstrip('/')}/{level_name(order.name)}")


def write_level(scene: Scene, order: AssetOrder) -> str:
    """Creates or fits the Level Sequence beside the asset and saves it; returns its path.

    Raises InputError or EngineError; one that was new is gone then.
    """
    folder, name = split(assets.path_of(scene.animation))
    wanted = level_name(name)
    level = _standing(f"{folder}/{wanted}") if order.existing is Existing.OVERWRITE else None
    made = level is None
    if level is None:
        wanted = wanted if order.existing is Existing.OVERWRITE else assets.unique(folder, wanted)
        level = assets.create(folder, wanted, unreal.LevelSequence, unreal.LevelSequenceFactoryNew())
    try:
        assets.check_out(level)
        _set_rate(level, scene.rate)
        level.set_playback_start(0)
        level.set_playback_end(scene.length)
        binding, section = _playing(level, scene)
        section.set_range(0, scene.length)
        if order.control_rig:
            _key_rig(level, binding, section, scene, order.control_rig)
        assets.set_tags(level, {ANIMATION: assets.path_of(scene.animation)})
        assets.save(level)
    except BaseException:
        if made:
            assets.forget(level)
        raise
    return assets.path_of(level)


def fitting(actor: unreal.Actor | None, target: Target) -> unreal.SkeletalMeshComponent | None:
    """The actor's face, if it has the skeleton that is written for."""
    component = None if actor is None else face_of(actor)
    if component is None or assets.path_of(component.get_skeletal_mesh_asset().skeleton) != assets.path_of(
        target.skeleton
    ):
        return None
    return component


def tick_resolution(rate: Fraction) -> Fraction:
    """Ticks a second so that every frame begins on a tick: 24000 where that will do, else the next multiple of the
    rate. 30000/1001 doesn't go into 24000."""
    if (TICKS / rate).denominator == 1:
        return Fraction(TICKS)
    multiple = rate * max(1, -(-TICKS // rate))
    return multiple if multiple.numerator <= MOST_TICKS else rate


def _standing(path: str) -> unreal.LevelSequence | None:
    """The one of an earlier run. Raises InputError for one that somebody else made, or that can't be written."""
    level = assets.find_here(path, unreal.LevelSequence, "a Level Sequence")
    if level is None:
        return None
    if ANIMATION not in assets.tags(level):
        raise InputError(f"{path} is there already and wasn't made by SemanticFace", "rename it, or write elsewhere")
    assets.check_writable(level)
    return level


def _set_rate(level: unreal.LevelSequence, rate: Fraction) -> None:
    ticks = tick_resolution(rate)
    level.set_tick_resolution(unreal.FrameRate(ticks.numerator, ticks.denominator))
    level.set_display_rate(unreal.FrameRate(rate.numerator, rate.denominator))


def _playing(
    level: unreal.LevelSequence, scene: Scene
) -> tuple[unreal.MovieSceneBindingProxy, unreal.MovieSceneSkeletalAnimationSection]:
    """The binding and section that play the asset: those that do already, or new ones."""
    kind = unreal.MovieSceneSkeletalAnimationTrack.static_class()
    for binding in level.get_bindings():
        for track in binding.find_tracks_by_type(kind):
            for section in track.get_sections():
                if isinstance(section, unreal.MovieSceneSkeletalAnimationSection) and _plays(section, scene.animation):
                    return binding, section
    binding = _bound(level, scene)
    section = binding.add_track(kind).add_section()
    if not isinstance(section, unreal.MovieSceneSkeletalAnimationSection):
        raise EngineError(f"the editor added no animation to {level.get_name()}", assets.IN_LOG)
    params = section.params  # a copy, as all structs are
    params.animation = scene.animation
    section.set_editor_property("params", params)
    return binding, section


def _plays(section: unreal.MovieSceneSkeletalAnimationSection, animation: unreal.AnimSequence) -> bool:
    played = section.params.animation
    return played is not None and assets.path_of(played) == assets.path_of(animation)


def _bound(level: unreal.LevelSequence, scene: Scene) -> unreal.MovieSceneBindingProxy:
    """The actor's face component, under its actor; or a skeletal mesh actor that the sequence spawns."""
    if scene.face is not None:
        owner = level.add_possessable(scene.face.get_typed_outer(unreal.Actor))
        binding = level.add_possessable(scene.face)
        binding.set_parent(owner)
        return binding
    binding = level.add_spawnable_from_class(unreal.SkeletalMeshActor.static_class())
    template = binding.get_object_template()
    if not isinstance(template, unreal.SkeletalMeshActor) or scene.target.mesh is None:
        raise EngineError(f"the editor gave {level.get_name()} no actor to show the face", assets.IN_LOG)
    template.skeletal_mesh_component.set_skeletal_mesh_asset(scene.target.mesh)
    return binding


def _key_rig(
    level: unreal.LevelSequence,
    binding: unreal.MovieSceneBindingProxy,
    section: unreal.MovieSceneSkeletalAnimationSection,
    scene: Scene,
    path: str,
) -> None:
    """Has the rig solve its controls from the asset, with a key a frame, and rests the section that plays the asset."""
    rig = assets.need(path, unreal.ControlRigBlueprint, "Control Rig").get_control_rig_class()
    library = unreal.ControlRigSequencerLibrary
    with _open_in_sequencer(level):
        track = library.find_or_create_control_rig_track(_world(), level, rig, binding)
        if track is None:
            raise EngineError(f"the editor put no track for {path} into {level.get_name()}", assets.IN_LOG)
        # Going to the time where Sequencer is evaluates it, and what is spawned is there. 5.4 has no force_update.
        unreal.LevelSequenceEditorBlueprintLibrary.set_local_position(unreal.MovieSceneSequencePlaybackParams())
        component = _component(level, binding, scene)
        loaded = component is not None and library.load_anim_sequence_into_control_rig_section(
            track.get_section_to_key() or track.get_sections()[0],
            scene.animation,
            component,
            unreal.FrameNumber(0),
            interpolation=unreal.MovieSceneKeyInterpolation.LINEAR,
        )
    if not loaded:
        raise EngineError(
            f"{path} took no keys from {assets.path_of(scene.animation)}",
            "the rig must have a backward solve and fit the mesh; run the job in an editor with a window",
        )
    section.set_is_active(False)


@contextmanager
def _open_in_sequencer(level: unreal.LevelSequence) -> Iterator[None]:
    """Nothing is bound unless Sequencer has the sequence open; afterwards it shows again what it showed before."""
    sequencer = unreal.LevelSequenceEditorBlueprintLibrary
    before = sequencer.get_current_level_sequence()
    sequencer.open_level_sequence(level)
    try:
        yield
    finally:
        if before is None:
            sequencer.close_level_sequence()
        elif assets.path_of(before) != assets.path_of(level):
            sequencer.open_level_sequence(before)


def _world() -> unreal.World:
    editor = unreal.get_editor_subsystem(unreal.UnrealEditorSubsystem)
    world = None if editor is None else editor.get_editor_world()
    if world is None:
        raise EngineError("no level is open", "open one, so that Sequencer can move a face in it")
    return world


def _component(
    level: unreal.LevelSequence, binding: unreal.MovieSceneBindingProxy, scene: Scene
) -> unreal.SkeletalMeshComponent | None:
    if scene.face is not None:
        return scene.face
    bound = unreal.LevelSequenceEditorBlueprintLibrary.get_bound_objects(level.get_binding_id(binding))
    for thing in bound:
        if isinstance(thing, unreal.SkeletalMeshComponent):
            return thing
        if isinstance(thing, unreal.Actor):
            return face_of(thing)
    return None
