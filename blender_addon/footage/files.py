# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage that is named by its path: a video, an image, a numbered sequence. And what the other kinds share.

Footage is named, never decoded here: Blender's own decoder differs between versions, the backend's does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from semanticface.errors import InputError
from semanticface.media.source import MediaKind, MediaRef

from .disk import Seen
from .selection import Footage, spans
from .timing import exact_rate, near_rate

Look = Callable[[str, bool], Seen]
"""`look(path, sequence)`: what lies there."""


def scene_rate(scene: bpy.types.Scene) -> Fraction:
    return exact_rate(scene.render.fps, scene.render.fps_base)


def sequence_rate(settings: Any, scene: bpy.types.Scene) -> Fraction:
    """The rate of a sequence, which has none of its own."""
    return near_rate(settings.sequence_rate) or scene_rate(scene)


def file_footage(settings: Any, scene: bpy.types.Scene, look: Look) -> Footage:
    """Raises InputError or MediaError with the reason when no usable file is chosen."""
    if not settings.filepath.strip():
        raise InputError("no footage is chosen", "choose a file")
    path = bpy.path.abspath(settings.filepath)
    seen = look(path, settings.sequence)
    reference = seen.require()
    if reference.kind is not MediaKind.VIDEO:
        reference = replace(reference, rate=sequence_rate(settings, scene))
    first = min(seen.numbers, default=0)
    return Footage(
        media=reference.to_dict(),
        label=Path(path).stem,
        rate=reference.rate,
        anchor=None,
        anchor_scene=settings.scene_start,
        count=count_of(reference, seen, first),
        remarks=holes(seen.numbers, first),
    )


def count_of(reference: MediaRef, seen: Seen, first: int) -> int | None:
    """Source frames of an image or of a sequence that begins at file number `first`; of a video only a probe tells."""
    if reference.kind is MediaKind.IMAGE:
        return 1
    return max(seen.numbers) - first + 1 if seen.numbers else None


def holes(numbers: Collection[int], first: int, wanted: Collection[int] | None = None) -> tuple[str, ...]:
    """A remark on the file numbers that should be there (by default all from `first` to the last) and are not."""
    if wanted is None:
        wanted = range(first, max(numbers) + 1) if numbers else ()
        if numbers and min(numbers) == first and len(wanted) == len(numbers):
            return ()  # whole: nearly always, and a panel asks at each redraw
    gone = sorted(set(wanted) - set(numbers))
    if not gone:
        return ()
    places = spans([number - first for number in gone])
    return (f"No file for {spans(gone)}: nothing will be keyed at source frames {places}",)
