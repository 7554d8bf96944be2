"""`semanticface analyze`: footage through the backend, with progress for people or JSON lines for pipelines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Never

from semanticface.cli.matter import FirstPass, wanted_of
from semanticface.cli.output import ExitCode, console
from semanticface.cli.screen import Bar, JsonLines, Screen
from semanticface.client import Client, JobProgress
from semanticface.errors import OptionsError
from semanticface.media.frames import parse_frames
from semanticface.media.source import MediaRef
from semanticface.results import Status

GOOD = {Status.OK, Status.NO_FACE}
_FLAGS: Mapping[str, tuple[str, str]] = {
    "face": ("--face", "name one that looks for faces with --engine, such as landmarks"),
    "smoothing": ("--no-smoothing", "it is the landmark engine's: add --engine landmarks"),
    "mode": ("--mode", "name an engine that writes its analysis with --engine, such as semanticface"),
}
"""Options that have a flag of their own: the flag, and what to do where an engine doesn't know it."""


@dataclass(frozen=True, slots=True)
class AnalyzeRequest:
    """The command's arguments as typed. `mode` is "" where nothing was typed; `options` are `key=value`."""

    source: str
    frames: str
    engine: str
    out: Path | None
    face: str
    smoothing: bool
    rate: str
    json: bool
    mode: str = ""
    options: tuple[str, ...] = ()
    follow: bool = False
    most: int = 0
    sensitivity: float = 0.5

    def engine_options(self) -> dict[str, Any]:
        """What the engine is asked for; `--option` wins over a flag. Raises OptionsError that says what is wrong."""
        flags = engine_options(self.face, self.smoothing) | ({"mode": self.mode} if self.mode else {})
        return flags | parse_options(self.options)


def engine_options(face: str, smoothing: bool) -> dict[str, Any]:
    """`--face` and `--smoothing` as engine options. Raises OptionsError that says what is wrong."""
    options: dict[str, Any] = {} if smoothing else {"smoothing": False}
    if face == "largest":
        return options
    try:
        numbers = [float(part) for part in face.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and numbers[0].is_integer() and numbers[0] >= 0:
        return options | {"face": int(numbers[0])}
    if len(numbers) == 4:
        return options | {"face": numbers}
    raise OptionsError(f"--face {face!r} is not understood", "largest, a number from the left, or a box x,y,w,h")


def parse_options(texts: Sequence[str]) -> dict[str, Any]:
    """`key=value` pairs, the values as JSON; a word or a whole path that is no JSON stands for itself.

    Raises OptionsError.
    """
    options: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise OptionsError(f"--option {text!r} is not understood", "write key=value, such as draft=none")
        try:
            options[key] = json.loads(value, parse_constant=_no_number)
        except ValueError:
            options[key] = _plain(key, value)
    return options


def _plain(key: str, value: str) -> str:
    if value.startswith("~/"):
        value = str(Path(value).expanduser())  # shells leave it alone behind an equals sign
    whole_path = PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()
    if whole_path or value.replace("-", "").replace("_", "").isalnum():
        return value
    hint = """a value is a number, true, false, null, a word, a whole path, or JSON such as '["a", 1]'"""
    raise OptionsError(f"--option {key}: {value!r} can't be read", hint)


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is no number")


def run_analyze(request: AnalyzeRequest) -> ExitCode:
    """Analyze and report. Results stream to standard output with --json; the take grows meanwhile."""
    options = request.engine_options()
    media = MediaRef.from_user(request.source, rate=request.rate or None).to_dict()
    with Client.connect(app="semanticface analyze") as client:
        info = client.probe(media)
        try:
            tally = _both_passes(client, request, media, info, options) or _one_pass(
                client, request, media, info, options
            )
        except OptionsError as error:
            raise _explained(error, options) from error
    return _summary(tally, request, info)


def _screen(request: AnalyzeRequest, total: int) -> Screen:
    return JsonLines(request.follow) if request.json else Bar(total, request.follow)


def _one_pass(
    client: Client,
    request: AnalyzeRequest,
    media: Mapping[str, Any],
    info: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Counter[Status]:
    frames = parse_frames(request.frames, info["frame_count"]) if request.frames else None
    total = len(frames) if frames is not None else info["frame_count"]
    return _analyze(client, request, media, frames, options, _screen(request, total))


def _both_passes(
    client: Client,
    request: AnalyzeRequest,
    media: Mapping[str, Any],
    info: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Counter[Status] | None:
    """First the frames that matter, then those alone; None where others were asked for."""
    wanted = wanted_of(request.frames, info["frame_count"], request.most, request.sensitivity)
    if wanted is None:
        return None
    first = FirstPass(client, media, request.out, options)
    first.run(wanted, info["rate"], len(wanted.within or range(info["frame_count"])), request.json)
    screen = _screen(request, len(first.frames))
    screen.say(first.summary())
    if first.answers(request.engine, options):
        return first.keep(request.out, screen)
    return _analyze(client, request, media, first.frames, options, screen)


def _analyze(
    client: Client,
    request: AnalyzeRequest,
    media: Mapping[str, Any],
    frames: Sequence[int] | None,
    options: Mapping[str, Any],
    screen: Screen,
) -> Counter[Status]:
    said = ""

    def progress(event: JobProgress) -> None:
        nonlocal said
        if event.message and event.message != said:
            said = event.message
            screen.say(said)

    tally: Counter[Status] = Counter()
    results = client.analyze(
        media,
        frames=frames,
        engine=request.engine,
        options=options,
        take=str(request.out.absolute()) if request.out else None,
        on_progress=progress,
        on_partial=screen.partial if request.follow else None,
    )
    with screen:
        for result in results:
            tally[result.status] += 1
            screen.result(result)
    return tally


def _explained(error: OptionsError, options: Mapping[str, Any]) -> OptionsError:
    """The engine's complaint, with the flag that the user typed where that is what it doesn't know."""
    for name, (flag, advice) in _FLAGS.items():
        if name in options and f"no option {name!r}" in error.message:
            return OptionsError(f"{flag}: {error.message}", advice)
    return error


def _summary(tally: Mapping[Status, int], request: AnalyzeRequest, info: Mapping[str, Any]) -> ExitCode:
    bad = sum(count for status, count in tally.items() if status not in GOOD)
    if not request.json:
        out = console()
        words = ", ".join(f"{count} {status.value}" for status, count in sorted(tally.items()))
        rate = f" ({info['rate']} fps)" if info["rate"] else ""
        out.print(f"{sum(tally.values())} frames of {request.source}{rate}: {words or 'none'}")
        if request.out:
            out.print(f"take: {request.out}")
    return ExitCode.FRAMES if bad else ExitCode.OK
