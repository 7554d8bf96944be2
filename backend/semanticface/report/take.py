"""The page of one take: footage, drawn face, words and curves side by side, and what a supervisor should look at.

Made for an artist or a supervisor who has nothing but a browser: everything is in the file, and it plays. This module
reads a take and its footage and writes nothing; it asks no backend.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.curves.extremes import frames_that_matter
from semanticface.curves.recipe import Recipe
from semanticface.curves.replay import apply
from semanticface.curves.samples import Samples, samples_of
from semanticface.diagnostics import without_folders
from semanticface.errors import InputError, ProtocolError, TakeError
from semanticface.media.frames import format_frames, parse_frames
from semanticface.media.timecode import timecode_at
from semanticface.protocol import expand_runs
from semanticface.report import charts, page
from semanticface.report.flags import Flag, Reason, flags_of
from semanticface.report.lanes import Lane, lanes_of
from semanticface.report.pictures import MOST_PICTURES, Pictures, choose_frames, source_name, take_pictures
from semanticface.results import FrameResult, Status
from semanticface.take import Take

KEY_POSES = 12
"""Pictures of the contact sheet, at most."""
MOST_FLAGS = 200
"""Rows of the list of flags; the strip over the curves has them all."""
STILL_RATE = Fraction(2)
"""Frames a second at which stills play."""
_STEPS = 32000


@dataclass(frozen=True, slots=True)
class TakeOptions:
    """What to show. `footage` names where the pictures are ("": where the take has it).

    `frames` is a frame expression ("": all), `recipe` what is drawn over the raw curves, `recipe_name` how it is
    called, `pictures` the most frames that are shown as pictures.
    """

    footage: str = ""
    frames: str = ""
    recipe: Recipe | None = None
    recipe_name: str = ""
    pictures: int = MOST_PICTURES


@dataclass(frozen=True, slots=True)
class TakePage:
    """A finished page: its text, and what is worth telling of it."""

    html: str
    frames: int
    flags: tuple[Flag, ...]
    pictures: int
    notes: tuple[str, ...]


def take_page(take: Take, options: TakeOptions) -> TakePage:
    """Build the page. Raises TakeError for a take without answers, OptionsError for frames that can't be meant."""
    results = _chosen(take, options.frames)
    rate = take.header.rate or STILL_RATE
    raw = samples_of(results, rate)
    if take.header.rate is None:
        raw = _evenly_timed(raw)
    shown = raw if options.recipe is None else apply(options.recipe, raw)
    flags = flags_of(results, raw)
    poses = _key_poses(raw)
    wanted = choose_frames([r.frame for r in results], [*poses, *(flag.at for flag in flags)], options.pictures)
    pictures = take_pictures(take.header, options.footage, take.results, wanted)
    notes = (*pictures.notes, *_notes(take, results, pictures, options.frames))
    context = _context(take, results, raw, shown, flags, poses, pictures, options) | {"notes": notes}
    html = page.render(
        "take.html", f"{take.path.name}: take report", context,
        styles=("take.css", "face.css"), scripts=("face.js", "take.js"),
    )  # fmt: skip
    return TakePage(html, len(results), tuple(flags), len(pictures.jpegs), notes)


def _chosen(take: Take, frames: str) -> list[FrameResult]:
    """The frames to show; their messages name files and no folders, since a page is passed on."""
    if not take.results:
        raise TakeError(f"{take.path} holds no answer yet", "analyze something into it first")
    results = list(take.results)
    if frames:
        wanted = set(parse_frames(frames, results[-1].frame + 1))
        results = [result for result in results if result.frame in wanted]
    if not results:
        raise TakeError(f"{take.path} has none of the frames {frames}", "`semanticface show TAKE` says what it holds")
    path = str(take.header.source.get("path", ""))
    known = {path: path.replace("\\", "/").rpartition("/")[2]}  # also where a folder's name has spaces in it
    return [replace(r, message=without_folders(r.message, known)) if r.message else r for r in results]


def _evenly_timed(samples: Samples) -> Samples:
    """Stills are no motion: one after the other."""
    return replace(samples, times=np.arange(len(samples.frames)) / float(STILL_RATE))


def _key_poses(samples: Samples) -> list[int]:
    if not samples.present.any():
        return []
    return [int(frame) for frame in frames_that_matter(samples, KEY_POSES)]


def _notes(take: Take, results: Sequence[FrameResult], pictures: Pictures, frames: str) -> list[str]:
    notes = []
    have = {result.frame for result in take.results}
    if absent := [frame for frame in _asked(take) if frame not in have]:
        notes.append(f"{len(absent)} frames that were asked for have no answer yet: {format_frames(absent, 6)}.")
    if take.damaged:
        notes.append(f"{len(take.damaged)} damaged lines of the take were left out.")
    if frames:
        notes.append(f"{len(results)} of the take's {len(take.results)} frames are shown: {frames}.")
    if len(pictures.jpegs) > 0 and pictures.wanted < len(results):
        notes.append(
            f"{pictures.wanted} of {len(results)} frames are shown as pictures: key poses, flagged frames, and even "
            "steps between them. Numbers, words and curves are of all frames."
        )
    remarks = Counter(result.message for result in results if result.message and result.status is Status.OK)
    notes += [f"The engine remarks on {count} frames: {text}" for text, count in remarks.most_common(3)]
    return notes


def _asked(take: Take) -> list[int]:
    """The frames that the take was made for; none where its header doesn't say so in a form that can be meant."""
    runs = take.header.frames or ()
    if any(step < 1 for _, _, step in runs):
        return []
    try:
        return expand_runs(runs)
    except ProtocolError:
        return []


def _timecodes(take: Take, frames: Sequence[int]) -> list[str]:
    header = take.header
    if not header.timecode or header.rate is None:
        return []
    try:
        return [str(timecode_at(header.timecode, frame, header.rate)) for frame in frames]
    except InputError:  # a label that is none; the facts show it as it stands
        return []


def _context(
    take: Take,
    results: Sequence[FrameResult],
    raw: Samples,
    shown: Samples,
    flags: Sequence[Flag],
    poses: Sequence[int],
    pictures: Pictures,
    options: TakeOptions,
) -> dict[str, Any]:
    places = _places(raw.times)
    lanes = lanes_of(raw, shown, places)
    by_frame = {result.frame: result for result in results}
    sheet = [frame for frame in poses if frame in pictures.jpegs]
    return {
        "name": take.path.name,
        "facts": _facts(take, results, raw, options),
        "counts": Counter(result.status.value for result in results),
        "flags": flags[:MOST_FLAGS],
        "css_of": css_of,
        "flags_left": len(flags[MOST_FLAGS:]),
        "tally": _tally(flags),
        "poses": [_pose(frame, by_frame[frame], pictures.jpegs.get(frame)) for frame in poses],
        "regions": _by_region([lane for lane in lanes if lane.active]),
        "still": [lane for lane in lanes if not lane.active],
        "strip": _strip(raw, flags, places),
        "confidence": _confidence(results, places),
        "ruler": _ruler(raw.times),
        "recipe": options.recipe is not None,
        "ratio": _ratio(pictures),
        "has_pictures": bool(pictures.jpegs),
        "data": page.data_block(_data(take, results, raw, shown, flags, pictures, sheet)),
    }


def _places(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F,) times in [0, 1]; one frame alone stands in the middle."""
    span = float(times[-1] - times[0])
    return (times - times[0]) / span if span > 0 else np.full(len(times), 0.5)


def _facts(take: Take, results: Sequence[FrameResult], raw: Samples, options: TakeOptions) -> list[tuple[str, str]]:
    header = take.header
    source, engine = header.source, header.engine
    size = f", {source['width']} × {source['height']}" if source.get("width") and source.get("height") else ""
    rate = "stills" if header.rate is None else f"{float(header.rate):.6g} fps"
    if header.rate is not None and header.rate.denominator != 1:
        rate += f" ({header.rate.numerator}/{header.rate.denominator})"
    model = str(engine.get("checkpoint") or engine.get("model") or "")
    facts = [
        ("Footage", source_name(source) + size),
        ("Engine", " ".join(str(engine[name]) for name in ("name", "version") if engine.get(name))),
        ("Model", model if len(model) < 80 else f"{model[:77]}..."),
        ("Frames", f"{len(results):,} ({format_frames([result.frame for result in results], 4)})"),
        ("Rate", rate + (" on average" if source.get("variable_rate") else "")),
        ("Length", "" if header.rate is None else f"{raw.times[-1] - raw.times[0] + 1 / float(header.rate):.2f} s"),
        ("Timecode", f"{header.timecode} at frame 0" if header.timecode else ""),
        ("Recipe", options.recipe_name if options.recipe is not None else "none: raw results"),
        ("Analyzed", header.created.replace("T", " ")[:16]),
    ]
    return [(name, text) for name, text in facts if text]


def _tally(flags: Sequence[Flag]) -> list[tuple[str, int]]:
    frames = Counter[str]()
    for flag in flags:
        frames[flag.reason.value] += flag.frames
    return [(reason.value, frames[reason.value]) for reason in Reason if frames[reason.value]]


def _pose(frame: int, result: FrameResult, jpeg: bytes | None) -> dict[str, Any]:
    return {
        "frame": frame,
        "uri": None if jpeg is None else page.picture_uri(jpeg),
        "says": result.analysis.expression_category if result.analysis else "",
    }


def _by_region(lanes: Sequence[Lane]) -> list[tuple[str, list[Lane]]]:
    regions: dict[str, list[Lane]] = {}
    for lane in lanes:
        regions.setdefault(lane.region, []).append(lane)
    return list(regions.items())


def _strip(raw: Samples, flags: Sequence[Flag], places: NDArray[np.float64]) -> Markup:
    """Where frames are flagged, worst on top."""
    row = {int(frame): number for number, frame in enumerate(raw.frames)}
    half = 0.5 / max(len(places), 1)
    order = list(Reason)
    rows = [
        (max(places[row[flag.first]] - half, 0.0), min(places[row[flag.last]] + half, 1.0), css_of(flag.reason))
        for flag in sorted(flags, key=lambda flag: -order.index(flag.reason))
    ]
    return charts.spans(rows, f"Flagged frames over time: {len(flags)} places")


def css_of(reason: Reason) -> str:
    """The class that colours a reason: without a result, doubtful, or a remark."""
    if reason in {Reason.FAILED, Reason.UNPARSEABLE, Reason.UNREADABLE, Reason.MISSING, Reason.NO_FACE}:
        return "none"
    return "remark" if reason in {Reason.FACES, Reason.TEXT} else "doubt"


def _confidence(results: Sequence[FrameResult], places: NDArray[np.float64]) -> Markup | None:
    values = np.array([np.nan if result.confidence is None else result.confidence for result in results])
    if not np.isfinite(values).any():
        return None
    return charts.lane(
        [("raw center", charts.curve_path(places, values, 0.0, 1.0))], "Confidence over time, 0 to 1", (0.5,)
    )


def _ruler(times: NDArray[np.float64]) -> list[tuple[str, str]]:
    """Marks of the time axis: place in percent, and seconds."""
    span = float(times[-1] - times[0])
    if span <= 0:
        return []
    ticks = charts.ticks_of(float(times[0]), float(times[-1]), 8)
    return [(f"{(value - times[0]) / span * 100:.3f}", f"{text} s") for value, text in ticks]


def _ratio(pictures: Pictures) -> str:
    wide, tall = (pictures.cut[2:] if pictures.cut else pictures.size) or (4, 3)
    return f"{wide} {tall}"


def _data(
    take: Take,
    results: Sequence[FrameResult],
    raw: Samples,
    shown: Samples,
    flags: Sequence[Flag],
    pictures: Pictures,
    in_sheet: Sequence[int],
) -> dict[str, Any]:
    """What the script plays: one entry a frame, texts once each, values as 16-bit numbers."""
    texts: dict[str, int] = {}
    analyses: dict[str, dict[str, Any]] = {}
    said = []
    for result in results:
        if result.analysis is None:
            said.append(-1)
            continue
        key = result.analysis.to_text()
        said.append(texts.setdefault(key, len(texts)))
        analyses.setdefault(key, result.analysis.to_dict())
    return {
        "names": CSV_ORDER,
        "frames": raw.frames.tolist(),
        "times": [round(float(time), 5) for time in raw.times - raw.times[0]],
        "places": [round(float(place), 5) for place in _places(raw.times)],
        "timecodes": _timecodes(take, raw.frames.tolist()),
        "status": [result.status.value for result in results],
        "messages": [result.message for result in results],
        "confidence": [None if r.confidence is None else round(r.confidence, 3) for r in results],
        "faces": [result.faces for result in results],
        "texts": list(analyses.values()),
        "said": said,
        "raw": packed(raw.values),
        "clean": None if shown is raw else packed(shown.values),
        "flags": [[flag.first, flag.last, flag.at, flag.reason.value, flag.detail] for flag in flags],
        "pictures": {str(n): page.picture_uri(jpeg) for n, jpeg in pictures.jpegs.items() if n not in set(in_sheet)},
        "sheet": list(in_sheet),
    }  # fmt: skip


def packed(values: NDArray[np.float64]) -> Mapping[str, Any]:
    """(F, 61) values for the script: 16-bit whole numbers, little-endian, row by row, times `step`; NaN is -32768."""
    seen = np.abs(values[np.isfinite(values)])
    step = max(float(seen.max()) if seen.size else 0.0, 1.0) / _STEPS
    whole = np.where(np.isfinite(values), np.round(np.nan_to_num(values) / step), -32768)
    return {"step": step, "data": base64.b64encode(whole.astype("<i2").tobytes()).decode()}
