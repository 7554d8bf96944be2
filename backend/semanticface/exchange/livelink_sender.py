"""A UDP socket to one machine: an address as people type it, and sending that never waits.

Knows nothing of what it sends.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from semanticface.errors import ExchangeError, OptionsError
from semanticface.exchange.livelink_udp import PORT

_WITH_PORT = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[^:]*))?")
_FORMS = f"write HOST or HOST:PORT, {PORT} is Unreal's port; an IPv6 address with a port in brackets: [::1]:{PORT}"


@dataclass(frozen=True, slots=True)
class Address:
    """`host` is a name or an IPv4 or IPv6 address without brackets."""

    host: str
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """`HOST`, `HOST:PORT`, `[IPV6]:PORT` or a bare IPv6 address. Raises OptionsError that quotes what is wrong."""
    text = text.strip()
    if text.count(":") > 1 and "[" not in text:
        return Address(text)
    match = _WITH_PORT.fullmatch(text)
    if match is None:
        raise OptionsError(f"'{text[:80]}' is not an address", _FORMS)
    port = match["port"]
    if port is None:
        return Address(match["six"] or match["name"])
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65_535):
        raise OptionsError(f"'{port[:20]}' in '{text[:80]}' is not a port from 1 to 65535", _FORMS)
    return Address(match["six"] or match["name"], int(port))


class Sender:
    """Sends datagrams to one address. `refused` counts those that met a machine on which nothing listens there,
    `lost` those that the system did not take; `trouble` says why the last one was lost."""

    def __init__(self, to: Address, bind: str = "") -> None:
        """Looks the name up, which may take as long as the network lets it.

        `bind` is an address of this machine to send from, "" for the system's choice. Raises OptionsError for a name or
        address that isn't known, ExchangeError where there is no way to it.
        """
        self.to = to
        self.refused = self.lost = 0
        self.trouble = ""
        local = _resolve(bind, 0, "address to send from") if bind else None
        family, there = _resolve(to.host, to.port, "host", None if local is None else local[0])
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            if local is not None:
                self._bind(bind, local[1])
            self._socket.connect(there)
        except OSError as error:
            self._socket.close()
            hint = "one machine's address is wanted, not a broadcast" if isinstance(error, PermissionError) else ""
            raise ExchangeError(f"there is no way to {to}: {_why(error)}", hint or "is the network up?") from error
        except OptionsError:
            self._socket.close()
            raise

    def _bind(self, text: str, address: tuple[Any, ...]) -> None:
        try:
            self._socket.bind(address)
        except OSError as error:
            raise OptionsError(f"can't send from {text}: {_why(error)}", "give an address of this machine") from error

    def send(self, data: bytes) -> bool:
        """Whether the system took it. Never waits: what would have to wait is lost, as datagrams may be."""
        try:
            try:
                self._socket.send(data)
            except ConnectionError:
                # The news is of the datagram before, which nobody took; this one has not gone yet.
                self.refused += 1
                self._socket.send(data)
        except OSError as error:
            self.lost += 1
            self.trouble = _why(error)
            return False
        return True

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Sender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _resolve(
    host: str, port: int, what: str, family: int | None = None
) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """IPv4 where a name has both: that is where Unreal listens."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise OptionsError(
            f"{what} '{host[:80]}' isn't known: {_why(error)}", "check the name, or give its IP"
        ) from error
    fitting = [row for row in found if family is None or row[0] == family]
    if not fitting:
        raise OptionsError(f"'{host[:80]}' can't be reached from an address of another kind (IPv4, IPv6)")
    chosen = min(fitting, key=lambda row: row[0] != socket.AF_INET)
    return chosen[0], chosen[4]


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
