# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage that is a strip of the Video Sequencer: a movie or images, with place, trim and playback rate.

A movie strip whose rate isn't the scene's is played in real time or frame by frame, by a choice made when it was
added; its length tells which. The images of a strip may be any of a sequence, so that neighbours in the strip are none
in the footage: then each gets a place of its own. Blender names strips by version: `sequences` until 4.4, `strips`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from semanticface.errors import InputError
from semanticface.media.numbering import NamePattern, pattern_of_member
from semanticface.media.source import MediaKind, MediaRef

from .files import Look, holes, scene_rate, sequence_rate
from .selection import NOTICED, Footage, Played
from .timing import TimeMap, Timing, near_rate

_USABLE = "choose a movie or image strip in the Video Sequencer"


def sequencer_scene(scene: bpy.types.Scene) -> bpy.types.Scene:
    """The scene whose strips the sequencer shows: since Blender 5.0 it need not be the active one."""
    shown = getattr(bpy.context, "sequencer_scene", None)
    return shown if shown is not None and shown.sequence_editor is not None else scene


def strips_of(editor: Any) -> tuple[str, Any]:
    """Name and collection of the editor's strips, those within meta strips included."""
    name = "strips_all" if hasattr(editor, "strips_all") else "sequences_all"
    return name, getattr(editor, name)


def chosen_strip(settings: Any, scene: bpy.types.Scene) -> Any:
    """The strip that is named, or the active one. Raises InputError when there is none that shows footage."""
    editor = sequencer_scene(scene).sequence_editor
    if editor is None:
        raise InputError("this scene has no strips", "add the footage in the Video Sequencer, or choose another source")
    strip = strips_of(editor)[1].get(settings.strip) if settings.strip else editor.active_strip
    if strip is None:
        text = f'there is no strip "{settings.strip}"' if settings.strip else "no strip is active"
        raise InputError(text, _USABLE)
    if strip.type not in {"MOVIE", "IMAGE"}:
        raise InputError(f'"{strip.name}" is a {strip.type.replace("_", " ").lower()} strip', _USABLE)
    if strip.use_reverse_frames:
        raise InputError(f'"{strip.name}" is played backwards', "turn Reverse Frames off, or choose its file")
    return strip


def strip_footage(settings: Any, scene: bpy.types.Scene, look: Look) -> Footage:
    """Raises InputError or MediaError with the reason when no usable strip is chosen."""
    strip = chosen_strip(settings, scene)
    if strip.type == "MOVIE":
        footage = _movie(strip, scene, look)
    elif len(strip.elements) == 1:
        footage = _still(strip, scene, look)
    else:
        footage = _images(strip, sequence_rate(settings, scene), scene, look)
    if settings.follow_clip:
        return footage
    return replace(footage, anchor=None, anchor_scene=settings.scene_start, timing=None, pins=())


def _found(strip: Any, path: str, sequence: bool, look: Look) -> Any:
    seen = look(path, sequence)
    if seen.reference is None:
        reason = seen.error.message if seen.error is not None else "its file is gone"
        raise InputError(f'the strip "{strip.name}": {reason}', "choose the file again in the Video Sequencer")
    return seen


def _absolute(path: str, scene: bpy.types.Scene) -> str:
    return bpy.path.abspath(path, library=sequencer_scene(scene).library)


def _movie(strip: Any, scene: bpy.types.Scene, look: Look) -> Footage:
    path = _absolute(strip.filepath, scene)
    reference = _found(strip, path, False, look).reference
    rate, clock = near_rate(strip.fps), scene_rate(sequencer_scene(scene))
    skipped = strip.animation_offset_start
    whole = strip.frame_final_duration + strip.frame_offset_start + strip.frame_offset_end
    timing, remarks = _played(strip, whole, 1.0 if rate is None else float(clock / rate), rate == clock)
    map_ = TimeMap(skipped, float(strip.frame_start), rate or clock, clock, timing)
    return Footage(
        media=reference.to_dict(),
        label=Path(path).stem,
        rate=rate,
        anchor=skipped,
        anchor_scene=float(strip.frame_start),
        count=(skipped + strip.frame_duration + strip.animation_offset_end) or None,
        timing=timing,
        shown=(map_.to_source(strip.frame_final_start), map_.to_source(strip.frame_final_end - 1)),
        remarks=remarks,
        played=None if remarks else Played(whole, strip.frame_final_start, strip.frame_final_end, clock),
    )


def _played(strip: Any, length: float, stretch: float, same: bool) -> tuple[Timing, tuple[str, ...]]:
    """How a strip of this length (before trimming, in scene frames) plays its footage."""
    by_frame, in_time = abs(length - strip.frame_duration), abs(length - strip.frame_duration * stretch)
    if min(by_frame, in_time) > NOTICED or len(getattr(strip, "retiming_keys", ())) > 2:
        remark = f'"{strip.name}" is retimed in the sequencer; keys follow the footage\'s own clock'
        return Timing.REAL_TIME, (remark,)
    return (Timing.PER_FRAME if by_frame < in_time and not same else Timing.REAL_TIME), ()


def _still(strip: Any, scene: bpy.types.Scene, look: Look) -> Footage:
    """One image for as long as the strip lasts: it is keyed where the strip starts, or under the playhead."""
    path = str(Path(_absolute(strip.directory, scene)) / strip.elements[0].filename)
    reference = _found(strip, path, False, look).reference
    start = float(strip.frame_final_start)
    label = Path(path).stem
    return Footage(reference.to_dict(), label, None, 0, start, 1, Timing.PER_FRAME, (0, 0), ((0, start),))


def _images(strip: Any, rate: Any, scene: bpy.types.Scene, look: Look) -> Footage:
    folder = Path(_absolute(strip.directory, scene))
    names = [element.filename for element in strip.elements]
    pattern, numbers = _numbers(strip, names)
    seen = _found(strip, str(folder / names[0]), True, look)
    first, skipped, start = min(numbers), strip.animation_offset_start, float(strip.frame_start)
    shown = numbers[skipped : skipped + strip.frame_duration]
    low = max(0, strip.frame_final_start - strip.frame_start)
    visible = list(enumerate(shown))[int(low) : int(strip.frame_final_end - strip.frame_start)]
    places = tuple(sorted((number - first, start + place) for place, number in visible))
    straight = all(number == shown[0] + place for place, number in enumerate(shown))
    return Footage(
        media=MediaRef(MediaKind.SEQUENCE, str(folder), str(pattern), rate, first).to_dict(),
        label=Path(names[0]).stem,
        rate=rate,
        anchor=shown[0] - first if shown else 0,
        anchor_scene=start,
        count=max(numbers) - first + 1,
        timing=Timing.PER_FRAME,
        shown=(places[0][0], places[-1][0]) if places else (0, 0),
        pins=() if straight else places,
        remarks=holes(seen.numbers, first, [number for _, number in visible]),
    )


def _numbers(strip: Any, names: Sequence[str]) -> tuple[NamePattern, list[int]]:
    """The pattern that all images of the strip follow, and their numbers. Raises InputError when they follow none."""
    pattern = pattern_of_member(names[0]) if names else None
    numbers = [None if pattern is None else pattern.number_of(name) for name in names]
    if pattern is None or None in numbers:
        odd = names[numbers.index(None)] if None in numbers else ""
        raise InputError(
            f'the images of "{strip.name}" are not one numbered sequence: {odd[:80]}',
            "give them numbers (face_0001.png), or choose a file",
        )
    return pattern, [int(number) for number in numbers if number is not None]
