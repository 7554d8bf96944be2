# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage that is a movie clip of the file: a video or an image sequence, with its place in the scene."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from semanticface.errors import InputError
from semanticface.media.source import MediaKind

from .disk import number_of
from .files import Look, count_of, holes, sequence_rate
from .selection import Footage
from .timing import near_rate


def clip_footage(settings: Any, scene: bpy.types.Scene, look: Look) -> Footage:
    """Raises InputError or MediaError with the reason when no usable clip is chosen."""
    clip = settings.clip
    if clip is None:
        raise InputError("no footage is chosen", "choose a movie clip, or switch the source to File")
    path = bpy.path.abspath(clip.filepath, library=clip.library)
    seen = look(path, clip.source == "SEQUENCE")
    if seen.reference is None:
        reason = seen.error.message if seen.error is not None else "its file is gone"
        raise InputError(f'the clip "{clip.name}": {reason}', "find the file again in the Movie Clip editor")
    reference, rate = seen.reference, near_rate(clip.fps)
    count, remarks = clip.frame_duration or None, ()
    if reference.kind is not MediaKind.VIDEO:
        digits = number_of(Path(path)) if reference.kind is MediaKind.SEQUENCE else None
        first = None if digits is None else int(digits)
        rate = sequence_rate(settings, scene)
        reference = replace(reference, rate=rate, first=first)
        count, remarks = count_of(reference, seen, first or 0), holes(seen.numbers, first or 0)
    footage = Footage(
        media=reference.to_dict(),
        label=Path(path).stem,
        rate=rate,
        anchor=None,
        anchor_scene=settings.scene_start,
        count=count,
        remarks=remarks,
    )
    if not settings.follow_clip:
        return footage
    return replace(footage, anchor=clip.frame_offset, anchor_scene=float(clip.frame_start))
