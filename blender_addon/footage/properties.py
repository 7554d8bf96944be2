# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the Footage panel, as a part of `scene.semanticface`: the source, its frames, where they land."""

from __future__ import annotations

import bpy

from .timing import Timing


class FootageSettings:
    """Mixed into the scene's settings. Names are for scripts, too."""

    source: bpy.props.EnumProperty(
        name="Source",
        items=(
            ("CLIP", "Movie Clip", "A clip of this file, as in the Movie Clip editor"),
            ("FILE", "File", "A video, an image, or a numbered image sequence on this computer"),
            ("STRIP", "Strip", "A movie or image strip of the Video Sequencer, with its place and its trim"),
        ),
        default="CLIP",
    )
    clip: bpy.props.PointerProperty(type=bpy.types.MovieClip, name="Clip", description="Footage of the face")
    filepath: bpy.props.StringProperty(name="File", description="Footage of the face", subtype="FILE_PATH")
    strip: bpy.props.StringProperty(
        name="Strip", description="Strip of the Video Sequencer; empty: the active one", default=""
    )
    sequence: bpy.props.BoolProperty(
        name="Image Sequence", description="The file stands for the numbered sequence that it belongs to"
    )
    sequence_rate: bpy.props.FloatProperty(
        name="Sequence Rate",
        description="Frames per second of an image sequence; 0 takes the scene's",
        default=0.0,
        min=0.0,
        max=1000.0,
    )

    frames: bpy.props.EnumProperty(
        name="Frames",
        items=(
            ("CURRENT", "Current", "The source frame under the playhead, keyed on the current scene frame"),
            ("RANGE", "Range", "Source frames from first to last"),
            ("ALL", "All", "The whole source; of a strip or an offset clip what the scene shows of it"),
            ("MARKERS", "Selected Markers", "The frames under the selected timeline markers, keyed exactly there"),
            ("SCENE", "Scene Range", "What lies within the preview range, or within the scene's start and end"),
            (
                "MATTER",
                "Only Those That Matter",
                "The extremes of the pose. The landmark engine looks through all frames first, which takes seconds",
            ),
        ),
        default="ALL",
    )
    first: bpy.props.IntProperty(name="First", description="First source frame, counted from 0", default=0, min=0)
    last: bpy.props.IntProperty(name="Last", description="Last source frame, included", default=100, min=0)
    step: bpy.props.IntProperty(
        name="Every n-th", description="1 analyzes each frame, 5 every fifth", default=1, min=1, soft_max=50
    )
    within: bpy.props.EnumProperty(
        name="Look Through",
        description="Where the frames that matter are sought",
        items=(
            ("ALL", "All", "The whole source"),
            ("RANGE", "Range", "Source frames from first to last"),
            ("SCENE", "Scene Range", "What lies within the preview range, or within the scene's start and end"),
        ),
        default="ALL",
    )
    sensitivity: bpy.props.FloatProperty(
        name="Sensitivity",
        description="0 keeps large moves alone, 1 small ones, too",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    most_keys: bpy.props.IntProperty(
        name="Most Frames", description="The best so many frames; 0 takes as many as the motion needs", default=0, min=0
    )
    face: bpy.props.EnumProperty(
        name="Face",
        items=(
            ("LARGEST", "Largest", "The largest face in the picture"),
            ("INDEX", "By Number", "The n-th face from the left, counted from 0"),
        ),
        default="LARGEST",
    )
    face_index: bpy.props.IntProperty(name="Face Number", description="0 is the leftmost face", min=0, max=31)

    timing: bpy.props.EnumProperty(
        name="Timing",
        items=(
            (Timing.REAL_TIME, "Real Time", "Seconds are kept: 25 fps footage keeps its length in a 24 fps scene"),
            (Timing.PER_FRAME, "Frame by Frame", "One source frame on each scene frame, as the Clip Editor plays it"),
        ),
        default=Timing.REAL_TIME,
    )
    follow_clip: bpy.props.BoolProperty(
        name="Follow Clip",
        description="Start where the clip or strip starts in the scene; of a strip, play as it is played there",
        default=True,
    )
    scene_start: bpy.props.FloatProperty(
        name="Scene Start", description="Scene frame on which the first source frame lands", default=1.0, precision=2
    )
    whole_frames: bpy.props.BoolProperty(name="Whole Frames", description="Move keys to the nearest whole scene frame")
