"""Keys: who may connect at all, and under which key pair the backend is known.

On loopback the server's CURVE pair is made at each start and any client key is welcome: what admits a client is the
token from the run file. Beyond loopback a folder of keys is needed:

    KEYS/server.key, KEYS/server.key_secret    the server's pair, made at the first start, the same at every start
    KEYS/token                                 the token, made at the first start, mode 0600
    KEYS/clients/*.key                         public keys of the clients that may connect, as `zmq.auth` writes them

and a connection from another machine under a key that is not in the folder is refused by ZeroMQ before the first
message. The front answers ZeroMQ's questions (ZAP, RFC 27) in its own loop. This module knows nothing of messages.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import zmq
import zmq.auth

from semanticface.errors import OptionsError

log = logging.getLogger(__name__)

ZAP_ENDPOINT = "inproc://zeromq.zap.01"
ZAP_DOMAIN = b"semanticface"
_ADDRESS = re.compile(r"tcp://(?P<host>\[[0-9A-Fa-f:]+\]|[^:\[\]]+):(?P<port>\d{1,5}|\*)")


@dataclass(frozen=True, slots=True)
class Keys:
    """The server's CURVE pair in Z85, the hello token, and the folder of client keys (None: any key)."""

    public: bytes
    secret: bytes
    token: str
    clients: Path | None


def is_loopback(bind: str) -> bool:
    """Whether the address can be reached from this machine alone. Raises OptionsError when it is not an address."""
    match = _ADDRESS.fullmatch(bind)
    if match is None:
        raise OptionsError(
            f"'{bind[:200]}' is not an address to bind to", "write tcp://127.0.0.1:* or tcp://ADDRESS:PORT"
        )
    host = match["host"].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name or an interface: whatever it means, not surely loopback


def load_keys(bind: str, folder: Path | None) -> Keys:
    """The keys for this start. Raises OptionsError when it would listen beyond loopback without client keys."""
    if folder is None:
        if not is_loopback(bind):
            raise OptionsError(
                f"{bind} can be reached from other machines, and no keys were given",
                "give --keys FOLDER with the clients' public keys in FOLDER/clients, or bind to tcp://127.0.0.1:*",
            )
        public, secret = zmq.curve_keypair()
        return Keys(public, secret, secrets.token_urlsafe(32), None)
    clients = folder / "clients"
    if not is_loopback(bind) and not any(clients.glob("*.key")):
        raise OptionsError(f"{clients} holds no client's public key", "put each client's .key file there")
    try:
        public, secret = _server_pair(folder)
        return Keys(public, secret, _token(folder / "token"), clients)
    except (OSError, ValueError) as error:
        raise OptionsError(f"the keys in {folder} can't be used: {error}", "check the folder's files") from error


def _server_pair(folder: Path) -> tuple[bytes, bytes]:
    file = folder / "server.key_secret"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        zmq.auth.create_certificates(folder, "server")
        file.chmod(0o600)
    public, secret = zmq.auth.load_certificate(file)
    if secret is None:
        raise ValueError(f"{file} holds no secret key")
    return public, secret


def _token(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32))
    token = file.read_text().strip()
    if not 16 <= len(token) <= 200:
        raise ValueError(f"{file} holds no token of 16 to 200 characters")
    return token


class Doorkeeper:
    """Answers ZeroMQ's question whether a connection may come in: from this machine, or with an authorized key."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], clients: Path) -> None:
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind(ZAP_ENDPOINT)
        self._clients = clients

    def answer(self) -> None:
        """One request, which waits on the socket. The folder is read anew, so keys can be added and removed."""
        frames = self.socket.recv_multipart()
        version, number, _, address = frames[:4]
        allowed = frames[5] == b"CURVE" and len(frames) > 6 and self._may(address.decode(), frames[6])
        if not allowed:
            log.warning("a connection from %s under an unknown key is refused", address.decode("utf-8", "replace"))
        code, text = (b"200", b"OK") if allowed else (b"400", b"unknown key")
        self.socket.send_multipart([version, number, code, text, b"", b""])

    def _may(self, address: str, key: bytes) -> bool:
        try:
            if ipaddress.ip_address(address).is_loopback:
                return True
        except ValueError:
            return False
        return any(known == key for known in self._authorized())

    def _authorized(self) -> list[bytes]:
        keys = []
        for file in self._clients.glob("*.key"):
            try:
                keys.append(zmq.utils.z85.decode(zmq.auth.load_certificate(file)[0]))
            except (OSError, ValueError) as error:
                log.warning("%s is not a public key: %s", file, error)
        return keys
