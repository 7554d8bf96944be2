# SPDX-License-Identifier: GPL-3.0-or-later
"""The map from source frames to scene frames in words, before anything is analyzed: a wrong rate is seen at once.

Knows nothing of Blender's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from semanticface.errors import SemanticFaceError

from .selection import Choice, Footage, Selection, choose_frames, frame_under_playhead, known, time_map
from .timing import TimeMap, Timing, rate_text


@dataclass(frozen=True, slots=True)
class Lines:
    """`plain` says what will be done, `warnings` what is probably not meant, `refusal` why it can't be done."""

    plain: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    refusal: str = ""


def describe(footage: Footage, chosen: Selection, info: Mapping[str, Any]) -> Lines:
    """`info` is the backend's probe of the footage, empty while it hasn't been asked."""
    footage = known(footage, info)
    time = time_map(footage, chosen, 0)
    plain = [_rates(footage, time)]
    warnings = [*footage.remarks, *_speed(footage, time)]
    if footage.count is None and chosen.frames in {"ALL", "MATTER"}:
        start = f"{time.to_scene(time.anchor):g}"
        plain.append(f"Source frame {time.anchor} at scene frame {start}; how many there are isn't known yet")
        return Lines(tuple(plain), tuple(warnings))
    try:
        choice = choose_frames(footage, info, chosen)
    except SemanticFaceError as error:
        return Lines(tuple(plain), tuple(warnings), str(error))
    plain += _span(choice, footage, chosen)
    return Lines(tuple(plain), tuple(dict.fromkeys([*warnings, *choice.remarks])))


def _rates(footage: Footage, time: TimeMap) -> str:
    scene = rate_text(time.scene_rate)
    if footage.rate is None:
        return f"Source rate not known yet, scene {scene} fps"
    if time.timing is Timing.PER_FRAME:
        return f"{rate_text(time.source_rate)} fps in {scene} fps, one source frame per scene frame"
    return f"{rate_text(time.source_rate)} fps in {scene} fps, in real time"


def _speed(footage: Footage, time: TimeMap) -> list[str]:
    """The warning about footage that is played at another speed than it was filmed."""
    if time.timing is not Timing.PER_FRAME or footage.rate is None or time.pins or footage.count == 1:
        return []
    if time.source_rate == time.scene_rate:
        return []
    change = float(time.scene_rate / time.source_rate - Fraction(1))
    pace = f"{abs(change):.0%} {'faster' if change > 0 else 'slower'}" if abs(change) >= 0.005 else "a little off"
    way = "set the scene's rate, or " + ("choose Real Time" if footage.timing is None else "turn Follow Strip off")
    text = f"The footage has {rate_text(time.source_rate)} fps and the scene {rate_text(time.scene_rate)}"
    unsure = "" if footage.played is None else ". Look at Footage to be sure how the strip plays it"
    return [f"{text}: frame by frame it plays {pace}. To keep its length {way}{unsure}"]


def _span(choice: Choice, footage: Footage, chosen: Selection) -> list[str]:
    frames, time = choice.frames, choice.time
    first, last = frames[0], frames[-1]
    if len(frames) == 1:
        line = f"Source frame {first} at scene frame {time.to_scene(first):g}"
    else:
        ends = sorted((time.to_scene(first), time.to_scene(last)))
        line = f"Source frames {first} to {last} at scene frames {ends[0]:.6g} to {ends[1]:.6g}: {len(frames)} frames"
    if chosen.matters:
        return [line, f"All {len(frames)} are looked through first; those that matter get a key"]
    if chosen.frames == "CURRENT":
        return [line, f"The playhead is at source frame {frame_under_playhead(footage, chosen)}"]
    return [line]
