"""Plays frames as Live Link packets at their own pace: no thread and no sleep, whoever owns the loop calls it.

    with Sender(parse_address("127.0.0.1")) as sender:
        player = Player(Recorded(take.results, clock), sender.send, Voice(subject="Hero"), clock.rate)
        while not player.done:
            time.sleep(player.due())     # a host's tick calls `send_due` alone, as often as it comes
            player.send_due()

Times are kept against the first packet, so that no delay adds up. A host that stood still for longer than LONGEST_STALL
goes on where it was instead of sending what it missed; a shorter delay is caught up. This module knows nothing of
sockets and files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from semanticface.actions import CSV_ORDER
from semanticface.errors import ExchangeError, OptionsError
from semanticface.exchange.livelink_clock import Clock
from semanticface.exchange.livelink_csv import WithoutFace
from semanticface.exchange.livelink_udp import check_name, check_rate, packet
from semanticface.results import FrameResult

LONGEST_STALL = 0.5
"""Seconds."""
POLL = 0.05
"""Seconds until a feed that had nothing is asked again."""
MOST_AT_ONCE = 100
"""Packets of one call: 2 to 3 ms."""
SLOWEST, FASTEST = 0.01, 100.0


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: `subject` is the name in Unreal's list; of one `device` Unreal keeps one subject, the latest."""

    subject: str
    device: str


@dataclass(frozen=True, slots=True)
class Cue:
    """One packet to be sent. `at`: seconds from the start of the source, ascending also over a loop.

    `frame` is the source frame, `stamp` its frame since midnight and sub-frame; None of `coefficients`: no face.
    """

    at: float
    frame: int
    stamp: tuple[int, float]
    coefficients: Mapping[str, float] | None


class Feed(Protocol):
    """Where cues come from."""

    @property
    def over(self) -> bool:
        """Whether there will be no more."""

    def next_cue(self) -> Cue | None:
        """The next one; None where there is none, or none yet."""


class StandIn:
    """What goes out for a frame without a face, by the policy: no values (as the app does), the last ones, or zeros."""

    def __init__(self, policy: WithoutFace) -> None:
        self._policy = policy
        self._last: Mapping[str, float] | None = None

    def values(self, result: FrameResult) -> Mapping[str, float] | None:
        if result.coefficients is not None:
            self._last = result.coefficients
            return result.coefficients
        if self._policy is WithoutFace.NEUTRAL:
            return dict.fromkeys(CSV_ORDER, 0.0)
        return self._last if self._policy is WithoutFace.HOLD else None


class Recorded:
    """A finished take's frames. With `loop` it begins again a frame after its end, while the stamps go on counting:
    a receiver that orders by time code would take frames that jump back for old ones."""

    def __init__(
        self,
        results: Sequence[FrameResult],
        clock: Clock,
        missing: WithoutFace = WithoutFace.SKIP,
        *,
        loop: bool = False,
    ) -> None:
        """Raises ExchangeError where there is nothing to play, or frames don't go forward in time."""
        if not results:
            raise ExchangeError("the take has no frames yet", "wait for the analysis, or follow it")
        self._results, self._clock, self._missing = results, clock, missing
        self._times = [clock.seconds(row.frame, row.time) for row in results]
        for before, after, row in zip(self._times, self._times[1:], results[1:], strict=False):
            if after <= before:
                raise ExchangeError(f"frame {row.frame} is not later than the frame before it")
        self._frames = self._turn_frames()
        self._loop, self._index, self._turns = loop, 0, 0
        self._stand_in = StandIn(missing)

    def _turn_frames(self) -> int:
        """Whole frames from a turn's first packet to the next turn's."""
        span = (Fraction(self._times[-1]) - Fraction(self._times[0])) * self._clock.rate
        return round(span) + 1

    @property
    def over(self) -> bool:
        return self._index == len(self._results) and not self._loop

    def next_cue(self) -> Cue | None:
        if self._index == len(self._results):
            if not self._loop:
                return None
            self._index, self._turns, self._stand_in = 0, self._turns + 1, StandIn(self._missing)
        result, at = self._results[self._index], self._times[self._index]
        self._index += 1
        later = self._turns * self._frames
        stamp = self._clock.stamp(result.frame, result.time, later)
        return Cue(at + float(later / self._clock.rate), result.frame, stamp, self._stand_in.values(result))


@dataclass(frozen=True, slots=True)
class Played:
    """What went out so far: `packets` in all, `faceless` of them without values, the last one's source frame.

    `stalls`: how often the host stood still for so long that the rest was put off. `lost`: what the system refused.
    """

    packets: int = 0
    faceless: int = 0
    lost: int = 0
    stalls: int = 0
    frame: int | None = None


class Player:
    """Plays a feed through `send`, which says whether a packet went out."""

    def __init__(
        self,
        feed: Feed,
        send: Callable[[bytes], bool],
        voice: Voice,
        rate: Fraction,
        *,
        speed: float = 1.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`rate` goes into the packets; `speed` 2 plays twice as fast, with the same stamps.

        Raises OptionsError for a speed out of bounds, ExchangeError for what no packet can hold.
        """
        if not SLOWEST <= speed <= FASTEST:
            raise OptionsError(f"a speed of {speed:g} is outside {SLOWEST:g} to {FASTEST:g}")
        check_rate(rate)
        check_name("device", voice.device)
        check_name("subject", voice.subject)
        self._feed, self._send, self._voice, self._rate = feed, send, voice, rate
        self._speed, self._clock = speed, clock
        self._next: Cue | None = None
        self._zero: float | None = None
        """When second 0 of the source is played."""
        self._starved = False
        self._packets = self._faceless = self._lost = self._stalls = 0
        self._frame: int | None = None

    @property
    def done(self) -> bool:
        """Whether all was played."""
        return self._next is None and self._feed.over

    @property
    def played(self) -> Played:
        return Played(self._packets, self._faceless, self._lost, self._stalls, self._frame)

    @property
    def starved(self) -> bool:
        """Whether it waits for frames that are not there yet."""
        return self._starved

    def due(self) -> float:
        """Seconds until `send_due` has something to do; 0 when it has."""
        cue = self._cue()
        if cue is None:
            return 0.0 if self.done else POLL
        if self._zero is None:
            return 0.0
        return max(0.0, self._zero + cue.at / self._speed - self._clock())

    def send_due(self) -> int:
        """Send what is due, at most MOST_AT_ONCE packets; how many there were. Raises ExchangeError for values that
        no packet can hold."""
        now, count = self._clock(), 0
        while count < MOST_AT_ONCE and (cue := self._cue()) is not None:
            place = cue.at / self._speed
            if self._zero is None:
                self._zero = now - place
            late = now - (self._zero + place)
            if late < 0:
                break
            if late > (POLL if self._starved else LONGEST_STALL):
                self._stalls += not self._starved
                self._zero = now - place
            self._starved = False
            self._next = None
            self._emit(cue)
            count += 1
        return count

    def _cue(self) -> Cue | None:
        if self._next is None:
            self._next = self._feed.next_cue()
            if self._next is None:
                self._starved = not self._feed.over and self._zero is not None
        return self._next

    def _emit(self, cue: Cue) -> None:
        number, share = cue.stamp
        voice = self._voice
        data = packet(
            cue.coefficients,
            device=voice.device,
            subject=voice.subject,
            frame=number,
            subframe=share,
            rate=self._rate,
        )
        if self._send(data):
            self._packets += 1
            self._faceless += cue.coefficients is None
        else:
            self._lost += 1
        self._frame = cue.frame
