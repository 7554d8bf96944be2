"""`semanticface stream`: a take as the Live Link Face app would send it, at its own pace.

Ends with the take, or with Ctrl-C (code 130); either way it says what went out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from semanticface.cli.export import cleaned, read_recipe
from semanticface.cli.output import ExitCode, console, print_json
from semanticface.curves.recipe import Recipe
from semanticface.errors import TakeError
from semanticface.exchange.livelink_live import Growing
from semanticface.exchange.livelink_stream import Stream, StreamOptions, stream_growing, stream_take
from semanticface.protocol import expand_runs
from semanticface.take import is_take, read_take

_LONGEST_SLEEP = 0.25
"""Seconds; Ctrl-C is heard in between on every system."""
_PATIENCE = 2.0
"""Seconds without a frame until it is said which one is awaited."""


@dataclass(frozen=True, slots=True)
class StreamRequest:
    take: Path
    options: StreamOptions
    recipe: Path | None = None
    follow: bool = False
    as_json: bool = False


def run_stream(request: StreamRequest) -> ExitCode:
    """Play the take. Raises InputError for what can't be played."""
    recipe = None if request.recipe is None else read_recipe(request.recipe)
    try:
        stream = _open_growing(request, recipe) if request.follow else _open(request, recipe)
    except KeyboardInterrupt:
        return ExitCode.CANCELLED
    interrupted = False
    began = time.perf_counter()
    with stream:
        _say_what(stream, request.options)
        try:
            _play(stream)
        except KeyboardInterrupt:
            interrupted = True
    _say_end(stream, time.perf_counter() - began, interrupted, request.as_json)
    return ExitCode.CANCELLED if interrupted else ExitCode.OK


def _open(request: StreamRequest, recipe: Recipe | None) -> Stream:
    take = read_take(request.take)
    if take.damaged:
        console().print(f"[yellow]warning:[/] {len(take.damaged)} damaged lines were left out")
    absent = set(expand_runs(take.header.frames or ())) - set(take.by_frame())
    if absent:
        console().print(f"[yellow]{len(absent)} frames are not analyzed yet and not played[/]; --follow waits for them")
    return stream_take(take, request.options, None if recipe is None else cleaned(take, recipe))


def _open_growing(request: StreamRequest, recipe: Recipe | None) -> Stream:
    """Waits for the take to appear: `analyze` writes it once its engine is there."""
    folder = request.take
    if not is_take(folder):
        if not folder.absolute().parent.is_dir():
            raise TakeError(f"{folder} is not a take, and its folder does not exist", "check the path")
        console().print(f"waiting for the take {folder} (Ctrl-C ends)", markup=False)
        while not is_take(folder):
            time.sleep(0.1)
    return stream_growing(folder, request.options, recipe)


def _play(stream: Stream) -> None:
    """Until the take's end. Says once that nobody listens, once that packets are lost, and which frame is awaited."""
    heard = lost = False
    last, awaited = time.perf_counter(), None
    while not stream.done:
        time.sleep(min(stream.due(), _LONGEST_SLEEP))
        if stream.send_due():
            last, awaited = time.perf_counter(), None
        if stream.sender.refused and not heard:
            heard = True
            console().print(f"[yellow]nothing listens at {stream.sender.to} yet; going on[/]")
        if stream.sender.lost and not lost:
            lost = True
            console().print(f"[yellow]packets are lost: {stream.sender.trouble}; going on[/]")
        if isinstance(stream.feed, Growing) and time.perf_counter() - last > _PATIENCE:
            frame = stream.feed.waits_for
            if awaited is None and stream.player.starved:
                awaited = frame
                what = "the next frame" if frame is None else f"frame {frame}"
                console().print(f"waiting for {what} of the analysis (Ctrl-C ends)")


def _say_what(stream: Stream, options: StreamOptions) -> None:
    frame, _ = stream.clock.stamp(0, 0.0)
    words = f"to {stream.sender.to} as {stream.voice.subject}, {stream.clock.rate} frames a second"
    words += "" if options.speed == 1 else f", speed {options.speed:g}"
    console().print(f"{words}, source frame 0 is frame {frame} of the day", markup=False)


def _say_end(stream: Stream, seconds: float, interrupted: bool, as_json: bool) -> None:
    played, refused = stream.played, stream.sender.refused
    if as_json:
        print_json(
            {
                "to": str(stream.sender.to),
                "subject": stream.voice.subject,
                "device": stream.voice.device,
                "packets": played.packets,
                "without_face": played.faceless,
                "lost": played.lost,
                "refused": refused,
                "stalls": played.stalls,
                "last_frame": played.frame,
                "seconds": round(seconds, 3),
                "interrupted": interrupted,
            }
        )
        return
    parts = [f"{played.packets} packets in {seconds:.1f} s"]
    parts += [f"{played.faceless} without a face"] if played.faceless else []
    parts += [f"{played.lost} lost ({stream.sender.trouble})"] if played.lost else []
    parts += [f"{refused} met no listener"] if refused else []
    parts += [f"{played.stalls} pauses of this computer"] if played.stalls else []
    parts += [f"interrupted after frame {played.frame}"] if interrupted else []
    console().print(", ".join(parts), markup=False)
