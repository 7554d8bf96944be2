"""Take folders of the Live Link Face app: which files belong to a take, and its frames paired with its coefficients.

    <date>_<slate>_<take>/
      take.json, video_metadata.json, frame_log.csv, thumbnail.jpg
      <slate>_<take>_<subject>.mov
      <slate>_<take>_<subject>.csv                    or _cal.csv, _raw.csv and _neutral.csv

Only the video and one CSV are needed. A `_cal` CSV is taken as it is; so is a plain one whose take.json says that it
is calibrated. Everything else is uncalibrated: the session's neutral is subtracted where there is one. This module
decides what becomes a row; it decodes no frame but the video's first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from semanticface.errors import InputError, OptionsError
from semanticface.exchange.livelink_csv import TICKS_PER_SECOND, LiveLinkRecording, read_livelink_csv
from semanticface.media.frames import parse_frames
from semanticface.media.source import VIDEO_SUFFIXES, MediaKind, MediaRef
from semanticface_training.dataset.alignment import Alignment, VideoClock, align, day_ticks
from semanticface_training.dataset.neutral import calibrated, neutral_of_file, neutral_of_rows
from semanticface_training.dataset.plan import Options, Pair, PlannedTake, Span
from semanticface_training.dataset.video_clock import video_clock
from semanticface_training.dataset.writer import Skip, safe_name

TAKE_JSON = "take.json"
LOG_NAME = "frame_log.csv"
_KINDS = ("_cal", "_raw", "_neutral")
_MAX_JSON = 1 << 20
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class TakeFolder:
    """The files of one take. `calibrated` is what the files themselves say; `neutral` the session's resting face."""

    path: Path
    subject: str
    date: str
    video: Path
    csv: Path
    calibrated: bool
    neutral: Path | None
    log: Path | None
    device: str = ""


def is_take_folder(path: Path) -> bool:
    """Whether a folder looks like a take of the app: a video or depth data, and not a take of ours."""
    files = [file for file in path.iterdir() if file.is_file()]
    return any(file.suffix.lower() in VIDEO_SUFFIXES or file.name == "depth_data.bin" for file in files) or bool(
        _recordings(files)
    )


def read_take_folder(path: Path) -> TakeFolder:
    """Find out which file is what. Raises InputError that names the folder or the file and what is missing."""
    files = sorted(file for file in path.iterdir() if file.is_file())
    recordings = _recordings(files)
    if not recordings:
        depth = "it is a depth take of MetaHuman Animator, which has no coefficients"
        raise InputError(
            f"{path}: no CSV with coefficients",
            depth if (path / "depth_data.bin").exists() else "a Live Link Face take has one",
        )
    chosen = next((recordings[kind] for kind in ("_cal", "", "_raw") if kind in recordings), None)
    if chosen is None:
        raise InputError(f"{path}: only {recordings['_neutral'].name}, which is the face at rest", "add the recording")
    about = _about(path / TAKE_JSON)
    video = _video_of(path, files, chosen)
    told = bool(about.get("calibrated")) and chosen is recordings.get("")
    subject = " ".join(str(about.get("subject") or _subject_in(chosen) or path.name).split())[:_LONGEST_NAME]
    log = path / LOG_NAME
    return TakeFolder(
        path=path,
        subject=subject,
        date=str(about.get("date", ""))[:10],
        video=video,
        csv=chosen,
        calibrated=told or chosen is recordings.get("_cal"),
        neutral=recordings.get("_neutral"),
        log=log if log.is_file() else None,
        device=str(about.get("deviceModel", "")),
    )


def plan_take(path: Path, options: Options) -> PlannedTake:
    """Read a take folder's CSV, log and video index, and pair them.

    Raises InputError and its kinds, which name the file and, where it is a row, the line.
    """
    folder = read_take_folder(path)
    recording = read_livelink_csv(folder.csv)
    name = safe_name(path.resolve().name)
    clock = _clock(folder, recording, options)
    found = align(recording, folder.csv, clock, options.rate, short_video=options.short_video)
    rows, neutral = _calibrated(folder, recording, found, options)
    pairs = []
    for match in found.matches:
        values = rows[match.row]
        if values is not None:
            time, timecode = float(clock.times[match.frame]), recording.rows[match.row].timecode
            pairs.append(Pair(match.frame, values, time, timecode))
    facts = {
        "take": name,
        "calibrated": "by the app" if folder.calibrated else neutral or "no: no neutral was given",
        "video_start": clock.origin,
        "frames_a_second": str(clock.rate),
        "rows_in_csv": len(recording.rows),
        "rows_without_video": sum(1 for _, reason in found.left_out if reason.startswith("the video")),
        "device": folder.device,
    }
    return PlannedTake(
        name=name,
        subject=options.subjects.get(name, folder.subject),
        media=MediaRef(MediaKind.VIDEO, str(folder.video.resolve())),
        pairs=tuple(pairs),
        skips=tuple(Skip(name, None, reason, at) for at, reason in found.left_out),
        facts=facts,
        span=_span(folder, recording),
        content=hashlib.sha256(folder.csv.read_bytes()).hexdigest(),
    )


def _calibrated(
    folder: TakeFolder, recording: LiveLinkRecording, found: Alignment, options: Options
) -> tuple[list[Mapping[str, float] | None], str]:
    """Each row's coefficients as the options want them, and in words which neutral was taken away ("" for none)."""
    plain = [row.coefficients for row in recording.rows]
    wish = options.neutral
    if folder.calibrated or wish == "none" or (wish == "auto" and folder.neutral is None):
        return plain, ""
    if wish == "auto" and folder.neutral is not None:
        return calibrated(recording, neutral_of_file(folder.neutral)), f"by {folder.neutral.name}"
    if Path(wish).is_file():
        return calibrated(recording, neutral_of_file(Path(wish))), f"by {Path(wish).name}"
    try:
        frames = set(parse_frames(wish))
    except OptionsError as error:
        raise OptionsError(
            f"neutral {wish!r} is neither a file nor source frames", "auto, none, FILE, 12 or 0-30"
        ) from error
    places = [match.row for match in _every(folder, recording, options) if match.frame in frames]
    neutral = neutral_of_rows(plain, places, f"{folder.csv.name}, frames {wish}")
    return calibrated(recording, neutral), f"by frames {wish} of the take"


def _clock(folder: TakeFolder, recording: LiveLinkRecording, options: Options) -> VideoClock:
    if not recording.rows:
        raise InputError(f"{folder.csv.name} has no rows", "nothing was recorded")
    first = Fraction(recording.rows[0].ticks, TICKS_PER_SECOND)
    return video_clock(folder.video, folder.log, options.start, first)


def _every(folder: TakeFolder, recording: LiveLinkRecording, options: Options) -> tuple[Any, ...]:
    clock = _clock(folder, recording, options)
    return align(recording, folder.csv, clock, None, short_video=options.short_video).matches


def _span(folder: TakeFolder, recording: LiveLinkRecording) -> Span | None:
    """When it was recorded, where take.json says on which day."""
    if not folder.date:
        return None
    ticks = day_ticks(recording, folder.csv)
    first, last = recording.rows[0], recording.rows[-1]
    start, end = (Fraction(tick, TICKS_PER_SECOND) for tick in (ticks[0], ticks[-1]))
    where = folder.csv.name
    return Span(
        folder.date,
        start,
        end,
        f"{where}, line {first.line} ({first.timecode})",
        f"{where}, line {last.line} ({last.timecode})",
    )


def _recordings(files: list[Path]) -> dict[str, Path]:
    """The take's CSVs by what the end of their names says: "", `_cal`, `_raw`, `_neutral`."""
    out: dict[str, Path] = {}
    for file in files:
        if file.suffix.lower() == ".csv" and file.name != LOG_NAME:
            out.setdefault(next((kind for kind in _KINDS if file.stem.lower().endswith(kind)), ""), file)
    return out


def _prefix(csv: Path) -> str:
    return next((csv.stem[: -len(kind)] for kind in _KINDS if csv.stem.lower().endswith(kind)), csv.stem)


def _video_of(path: Path, files: list[Path], csv: Path) -> Path:
    videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
    if not videos:
        raise InputError(
            f"{csv}: there is no video beside it",
            "a row needs its frame: copy the take's .mov into the folder",
        )
    named = [file for file in videos if file.stem.lower() == _prefix(csv).lower()]
    if len(named or videos) > 1:
        raise InputError(f"{path}: {len(videos)} videos, and none is named as {csv.name}", "keep one take in a folder")
    return (named or videos)[0]


def _subject_in(csv: Path) -> str:
    """The third part of `<slate>_<take>_<subject>`, "" where the name is not built so."""
    parts = _prefix(csv).split("_", 2)
    return parts[2] if len(parts) == 3 and parts[1].isdigit() else ""


def _about(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    try:
        if file.stat().st_size > _MAX_JSON:
            raise ValueError(f"more than {_MAX_JSON} bytes")
        data = json.loads(file.read_text(encoding="utf-8-sig"))
        if not isinstance(data, dict):
            raise ValueError("not an object")
    except (OSError, ValueError) as error:
        raise InputError(f"{file} is not what the app writes: {error}", "remove it to go on without it") from error
    return data
