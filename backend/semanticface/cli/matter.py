"""`analyze --frames matter` and `semanticface extremes`: which frames matter, and those alone analyzed.

The landmark engine looks through all frames first, which any computer does quickly; `curves.extremes` chooses. Where
the landmark engine is the one that was asked for, the first pass has the results already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semanticface.cli.output import ExitCode, console, print_json
from semanticface.cli.screen import Bar, Screen
from semanticface.client import Client
from semanticface.errors import InputError
from semanticface.media.frames import format_frames, parse_frames
from semanticface.protocol import to_runs
from semanticface.results import FrameResult, Status
from semanticface.take import Take, TakeWriter, read_take

if TYPE_CHECKING:
    from semanticface.take import TakeHeader

WORD = "matter"
LANDMARKS = "landmarks"
_OF_LANDMARKS = ("face", "smoothing")
_RATE = Fraction(30)
"""For takes of footage that has no rate and no times."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`within` are the source frames that are looked through, None for all. `most` 0: as many as it takes."""

    within: Sequence[int] | None
    most: int
    sensitivity: float


def wanted_of(text: str, count: int, most: int, sensitivity: float) -> Wanted | None:
    """What `--frames matter` or `--frames matter:0-119` asks for; None for any other choice. Raises OptionsError."""
    word, _, within = text.strip().partition(":")
    if word.lower() != WORD:
        return None
    return Wanted(parse_frames(within, count) if within else None, most, sensitivity)


def choose(results: Sequence[FrameResult], rate: Fraction | None, most: int, sensitivity: float) -> list[int]:
    """Source frames that matter, ascending. Raises InputError when no frame has a face, and for wrong settings."""
    from semanticface.curves.extremes import frames_that_matter
    from semanticface.curves.samples import samples_of

    if not any(result.status is Status.OK for result in results):
        raise InputError(f"none of {len(results)} frames has a result", "is there a face in the footage?")
    return [int(frame) for frame in frames_that_matter(samples_of(results, rate or _RATE), most or None, sensitivity)]


def run_extremes(path: Path, most: int, sensitivity: float, as_json: bool) -> ExitCode:
    """Print the frames of a take that matter."""
    take = read_take(path)
    frames = choose(take.results, take.header.rate, most, sensitivity)
    if as_json:
        print_json({"take": str(path), "of": len(take.results), "frames": frames})
        return ExitCode.OK
    print(format_frames(frames).replace(", ", ","))
    console().print(f"{len(frames)} of {len(take.results)} frames matter")
    return ExitCode.OK


class FirstPass:
    """The look through all frames. `results` are its own, `frames` those that matter, ascending."""

    def __init__(self, client: Client, media: Mapping[str, Any], out: Path | None, options: Mapping[str, Any]) -> None:
        self.results: list[FrameResult] = []
        self.frames: list[int] = []
        self._client, self._media = client, media
        self._out = None if out is None else out.absolute().with_name(f"{out.name}-all-frames")
        self._options = {name: options[name] for name in _OF_LANDMARKS if name in options}

    def run(self, wanted: Wanted, rate: str | None, total: int, quiet: bool) -> None:
        """Raises whatever ends the job, and InputError when no face was found."""
        shown = None if quiet else Bar(total, follow=False, title="looking through")
        results = self._client.analyze(
            self._media, frames=wanted.within, engine=LANDMARKS, options=self._options, take=self._out
        )
        if shown is None:
            self.results = list(results)
        else:
            with shown:
                for result in results:
                    self.results.append(result)
                    shown.result(result)
        self.frames = choose(self.results, Fraction(rate) if rate else None, wanted.most, wanted.sensitivity)

    def summary(self) -> str:
        return f"{len(self.frames)} of {len(self.results)} frames matter: {format_frames(self.frames, limit=20)}"

    def answers(self, engine: str, options: Mapping[str, Any]) -> bool:
        """Whether the engine that was asked for is the one of the first pass."""
        if engine != "auto":
            return engine == LANDMARKS and not set(options) - set(_OF_LANDMARKS)
        rows = self._client.welcome.get("engines") or []
        auto = next((row.get("name") for row in rows if isinstance(row, Mapping) and row.get("auto")), None)
        return (auto == LANDMARKS or bool(self._options)) and not set(options) - set(_OF_LANDMARKS)

    def keep(self, out: Path | None, screen: Screen) -> Counter[Status]:
        """Show the results of the frames that matter, and write them as a take of their own."""
        chosen = set(self.frames)
        kept = [result for result in sorted(self.results, key=lambda row: row.frame) if result.frame in chosen]
        with screen:
            for result in kept:
                screen.result(result)
        if out is not None and self._out is not None:
            _write(out.absolute(), read_take(self._out), kept)
        return Counter(result.status for result in kept)


def _write(out: Path, whole: Take, kept: Sequence[FrameResult]) -> None:
    with TakeWriter(out, _header(whole.header, kept)) as writer:
        for result in kept:
            if result.frame not in writer.stored:
                writer.append(result)


def _header(header: TakeHeader, kept: Sequence[FrameResult]) -> TakeHeader:
    runs = tuple((first, last, step) for first, last, step in to_runs([result.frame for result in kept]))
    return replace(header, frames=runs, key=f"{header.key}-{WORD}")
