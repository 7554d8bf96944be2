"""Live Link Face packets, version 6: what the app sends over UDP and Unreal's Live Link Face source listens for.

One datagram a frame, everything big-endian, texts as a 32-bit length in bytes and UTF-8:

    uint8    6, the version                 float32  sub-frame, from 0 to below 1
    text     device, a UUID of 36 letters   int32    rate, numerator
    text     subject                        int32    rate, denominator
    int32    frame, counted from midnight   uint8    61, and 61 float32 in `actions.UDP_ORDER`

Frame, sub-frame and rate are Unreal's qualified frame time. A packet of a frame without a face ends after the rate.
The 61 values stand in another order than in the app's CSV files, so they go in and come out by name. This module
knows nothing of sockets, takes or time.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from semanticface.actions import UDP_ORDER
from semanticface.errors import ExchangeError

VERSION = 6
PORT = 11111
"""Where Unreal's Live Link Face source listens, unless it was told another."""
MOST_TEXT = 250
"""Bytes of a device or a subject: a packet then has at most 770 bytes, and Unreal takes up to 774."""
MOST_BYTES = 1024
MOST_FRAME = 2**31 - 1

_LENGTH = struct.Struct(">i")
_TIME = struct.Struct(">ifii")
_VALUES = struct.Struct(f">B{len(UDP_ORDER)}f")
_BELOW_ONE = 1.0 - 2.0**-24
"""The largest float32 below 1: a sub-frame that were rounded up to 1 would be the next frame."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. `frame` counts frames from midnight at `rate` frames a second, `subframe` is a share of a frame.

    `coefficients` maps all 61 names to values as float32 holds them, or is None for a frame without a face.
    """

    device: str
    subject: str
    frame: int
    subframe: float
    rate: Fraction
    coefficients: Mapping[str, float] | None


def packet(
    coefficients: Mapping[str, float] | None, *, device: str, subject: str, frame: int, subframe: float, rate: Fraction
) -> bytes:
    """The bytes of one packet; without coefficients that of a frame without a face.

    Raises ExchangeError for a device or subject that is empty or too long, for a frame, sub-frame or rate that the
    fields can't hold, and for values that are absent or not finite.
    """
    if not 0 <= frame <= MOST_FRAME:
        raise ExchangeError(f"frame {frame} doesn't fit into a Live Link packet", "frames count from midnight")
    if not 0.0 <= subframe < 1.0:
        raise ExchangeError(f"sub-frame {subframe} of frame {frame} is not a share of a frame, from 0 to below 1")
    check_rate(rate)
    head = bytes([VERSION]) + _text("device", device) + _text("subject", subject)
    head += _TIME.pack(frame, min(subframe, _BELOW_ONE), rate.numerator, rate.denominator)
    return head if coefficients is None else head + _values(frame, coefficients)


def parse(data: bytes) -> Packet:
    """Read one packet. Raises ExchangeError that says what is wrong with it; nothing of it is guessed."""
    if len(data) > MOST_BYTES:
        raise ExchangeError(f"a packet of {len(data)} bytes is no Live Link Face packet")
    if not data or data[0] != VERSION:
        shown = f"version {data[0]}" if data else "no byte"
        raise ExchangeError(f"the packet has {shown}, this program reads version {VERSION}")
    device, at = _read_text("device", data, 1)
    subject, at = _read_text("subject", data, at)
    if len(data) < at + _TIME.size:
        raise _cut(data)
    frame, subframe, numerator, denominator = _TIME.unpack_from(data, at)
    if frame < 0 or not 0.0 <= subframe < 1.0 or numerator <= 0 or denominator <= 0:
        raise ExchangeError(f"the packet's time is none: frame {frame} + {subframe} at {numerator}/{denominator}")
    coefficients = _read_values(data, at + _TIME.size)
    return Packet(device, subject, frame, subframe, Fraction(numerator, denominator), coefficients)


def check_rate(rate: Fraction) -> None:
    """Raises ExchangeError for a rate that a packet can't hold."""
    if rate <= 0 or max(rate.numerator, rate.denominator) > MOST_FRAME:
        raise ExchangeError(f"a rate of {rate} frames a second doesn't fit into a Live Link packet")


def check_name(what: str, name: str) -> None:
    """Raises ExchangeError for a device or subject that a packet can't hold."""
    _text(what, name)


def _text(what: str, text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise ExchangeError(f"{what} {text!r} is not Unicode text") from error
    if not 1 <= len(data) <= MOST_TEXT or not text.isprintable() or text != text.strip():
        raise ExchangeError(
            f"{what} {text[:80]!r} can't be sent", f"1 to {MOST_TEXT} bytes of printable text without space around it"
        )
    return _LENGTH.pack(len(data)) + data


def _values(frame: int, coefficients: Mapping[str, float]) -> bytes:
    values = [coefficients.get(name, math.nan) for name in UDP_ORDER]
    bad = next((name for name, value in zip(UDP_ORDER, values, strict=True) if not math.isfinite(value)), None)
    if bad is not None:
        raise ExchangeError(f"frame {frame}: {bad} is absent or not a finite number")
    try:
        return _VALUES.pack(len(values), *values)
    except OverflowError as error:
        raise ExchangeError(f"frame {frame}: a value of {max(values, key=abs):g} is too large to send") from error


def _read_text(what: str, data: bytes, at: int) -> tuple[str, int]:
    if len(data) < at + _LENGTH.size:
        raise _cut(data)
    (length,) = _LENGTH.unpack_from(data, at)
    at += _LENGTH.size
    if not 1 <= length <= MOST_TEXT:
        raise ExchangeError(f"the packet's {what} has {length} bytes, from 1 to {MOST_TEXT} are possible")
    if len(data) < at + length:
        raise _cut(data)
    try:
        return data[at : at + length].decode(), at + length
    except UnicodeDecodeError as error:
        raise ExchangeError(f"the packet's {what} is not UTF-8 text") from error


def _read_values(data: bytes, at: int) -> dict[str, float] | None:
    if len(data) == at:
        return None
    if data[at] != len(UDP_ORDER):
        raise ExchangeError(f"the packet has {data[at]} values, {len(UDP_ORDER)} are known")
    if len(data) != at + _VALUES.size:
        raise _cut(data)
    values = _VALUES.unpack_from(data, at)[1:]
    if not all(map(math.isfinite, values)):
        bad = next(name for name, value in zip(UDP_ORDER, values, strict=True) if not math.isfinite(value))
        raise ExchangeError(f"the packet's {bad} is not a finite number")
    return dict(zip(UDP_ORDER, values, strict=True))


def _cut(data: bytes) -> ExchangeError:
    return ExchangeError(f"a packet of {len(data)} bytes is cut short or too long")
