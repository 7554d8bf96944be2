"""A take on its way to Live Link: from what the user asked for to a player and its socket.

The editor's tick and the command line use this one door. It knows nothing of either.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from semanticface.curves.recipe import Recipe
from semanticface.errors import OptionsError, TakeError
from semanticface.exchange.livelink_clock import Clock, clock_of
from semanticface.exchange.livelink_csv import WithoutFace
from semanticface.exchange.livelink_live import Growing
from semanticface.exchange.livelink_player import Feed, Played, Player, Recorded, Voice
from semanticface.exchange.livelink_sender import Sender, parse_address
from semanticface.results import FrameResult
from semanticface.take import Take, TakeHeader, read_header

SUBJECT = "SemanticFace"


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """`to`: `HOST` or `HOST:PORT`. `subject` is the name that Unreal shows; `device` "" for one made of the subject.

    `start`: the timecode of source frame 0, see `clock_of`. `speed`: 2 is twice as fast. `bind`: an address of this
    machine to send from. `missing`: what goes out for a frame without a face.
    """

    to: str = "127.0.0.1"
    subject: str = SUBJECT
    device: str = ""
    start: str = ""
    speed: float = 1.0
    loop: bool = False
    missing: WithoutFace = WithoutFace.SKIP
    bind: str = ""


class Stream:
    """A player with its socket. Call `send_due` from a loop or a tick until `done`, then `close`."""

    def __init__(self, feed: Feed, clock: Clock, options: StreamOptions) -> None:
        voice = Voice(options.subject, options.device or device_of(options.subject))
        self.sender = Sender(parse_address(options.to), options.bind)
        try:
            self.player = Player(feed, self.sender.send, voice, clock.rate, speed=options.speed)
        except BaseException:
            self.sender.close()
            raise
        self.feed, self.clock, self.voice = feed, clock, voice

    @property
    def done(self) -> bool:
        return self.player.done

    @property
    def played(self) -> Played:
        return self.player.played

    def due(self) -> float:
        """Seconds until there is something to send."""
        return self.player.due()

    def send_due(self) -> int:
        """Send what is due and say how many packets that were. Never waits."""
        return self.player.send_due()

    def close(self) -> None:
        if isinstance(self.feed, Growing):
            self.feed.tail.close()
        self.sender.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def stream_take(take: Take, options: StreamOptions, results: Sequence[FrameResult] | None = None) -> Stream:
    """Play a finished take, or `results` made of it, by ascending frame: those that a recipe gave.

    Raises OptionsError for options that can't be, ExchangeError where nothing can be played or there is no way to the
    address, TakeError for a take without a rate.
    """
    clock = _clock(take.header, take.path, options)
    return Stream(
        Recorded(take.results if results is None else results, clock, options.missing, loop=options.loop),
        clock,
        options,
    )


def stream_growing(folder: Path, options: StreamOptions, recipe: Recipe | None = None) -> Stream:
    """Play a take while it is being written. Raises as `stream_take` does, and OptionsError for `loop` and for recipes
    that need more than one frame."""
    if options.loop:
        raise OptionsError("a take that is growing has no end to loop from", "loop it when it is finished")
    header = read_header(folder)
    clock = _clock(header, folder, options)
    return Stream(Growing(folder, header, clock, options.missing, recipe), clock, options)


def device_of(subject: str) -> str:
    """36 characters as a phone's identifier has, always the same for a subject, and of no machine."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"semanticface:livelink/{subject}")).upper()


def _clock(header: TakeHeader, path: Path, options: StreamOptions) -> Clock:
    if header.rate is None:
        raise TakeError(
            f"{path} has no frame rate, so its frames have no time", "analyze the footage again with its rate"
        )
    variable = bool(header.source.get("variable_rate", False))
    return clock_of(header.rate, header.timecode, options.start, variable=variable)
