"""The named servers that the user has written down: `servers.json` in the data folder, checked like all input.

A server is an address, a model's name there, and the profile that says how that model is asked. An API key is never
stored: the file names the environment variable that holds it. This module knows nothing of requests, and is light.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from semanticface import paths
from semanticface.errors import OptionsError

FILE_NAME = "servers.json"
VERSION = 1
MAX_BYTES = 8 << 20
MAX_SERVERS = 256


class GrammarStyle(StrEnum):
    """In which field of a request a server takes a regular expression that the answer must match."""

    AUTO = "auto"
    """Found out by asking."""
    STRUCTURED_OUTPUTS = "structured_outputs"
    """vLLM 0.12 and later."""
    GUIDED_REGEX = "guided_regex"
    """Older vLLM."""
    REGEX = "regex"
    """SGLang."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Server:
    """One server.

    `url`: where `/chat/completions` lies below. `model`: the name under which it serves base and adapter. `profile`:
    a checkpoint's name, or the fields of a profile. `key_variable`: the environment variable with the API key, "" for
    none. `concurrency`: most requests in flight. `timeout`: seconds for one answer. `patience`: seconds that the
    server may be away before the run fails. `ca`: a file of certificates to trust instead of the system's, "" for the
    system's. `jpeg`: 0 sends lossless PNG, else the quality of JPEG. `insecure`: a key may travel without TLS.
    """

    name: str
    url: str
    model: str
    profile: str | Mapping[str, Any]
    key_variable: str = ""
    concurrency: int = 8
    timeout: float = 120.0
    patience: float = 120.0
    ca: str = ""
    grammar: GrammarStyle = GrammarStyle.AUTO
    stream: bool = True
    jpeg: int = 0
    insecure: bool = False

    @property
    def local(self) -> bool:
        """Whether pictures stay on this machine."""
        return is_loopback(self.url)

    def key(self) -> str:
        """The API key, "" when the server wants none. Raises OptionsError that names the variable, never the key."""
        if not self.key_variable:
            return ""
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            hint = "set it where the backend is started, then `semanticface stop` and start again"
            raise OptionsError(f"server {self.name}: the environment variable {self.key_variable} is not set", hint)
        if not key.isascii() or not key.isprintable() or " " in key:
            raise OptionsError(f"server {self.name}: what {self.key_variable} holds can't be sent as a key")
        return key


def file() -> Path:
    return paths.data_dir() / FILE_NAME


def list_servers() -> list[Server]:
    """All servers by name. Raises OptionsError that says which entry of the file is wrong."""
    path = file()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise OptionsError(f"{path} is larger than {MAX_BYTES} bytes: that is no list of servers")
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise OptionsError(f"{path} can't be read: {error}", "repair or remove the file") from error
    servers = data.get("servers") if isinstance(data, dict) else None
    if not isinstance(servers, dict) or data.get("version") != VERSION:
        raise OptionsError(f"{path} needs `version` {VERSION} and a map `servers`", "repair or remove the file")
    try:
        return [parse_server(str(name), fields) for name, fields in sorted(servers.items())]
    except OptionsError as error:
        raise OptionsError(f"{path}: {error.message}", error.hint) from None


def find_server(name: str = "") -> Server:
    """The server of this name; "" means the only one. Raises OptionsError with the names otherwise."""
    servers = list_servers()
    found = [server for server in servers if name in ("", server.name)]
    if len(found) == 1:
        return found[0]
    if not servers:
        raise OptionsError("no server is set up", "add one: semanticface remote add NAME URL --model M --profile P")
    names = ", ".join(server.name for server in servers)
    if not name:
        raise OptionsError("there are several servers", f"say which, as in remote:{servers[0].name}; there are {names}")
    raise OptionsError(f"there is no server {name[:80]!r}", f"there are {names}")


def add_server(server: Server) -> Path:
    """Write the server down, in place of one with the same name. Returns the file."""
    others = [one for one in list_servers() if one.name != server.name]
    if len(others) >= MAX_SERVERS:
        raise OptionsError(f"there are {MAX_SERVERS} servers already", "remove one: semanticface remote remove NAME")
    return _write([*others, server])


def remove_server(name: str) -> None:
    """Forget a server. Raises OptionsError when there is none of this name."""
    find_server(name)
    _write([one for one in list_servers() if one.name != name])


def parse_server(name: str, data: Any) -> Server:
    """The checked server in plain data. Raises OptionsError that names the field."""
    if not isinstance(data, Mapping):
        raise OptionsError(f"server {name[:80]!r} needs a map of fields")
    unknown = set(data) - set(_CHECKS)
    if unknown:
        raise OptionsError(f"a server has no field {min(map(str, unknown))!r}", f"it has: {', '.join(_CHECKS)}")
    missing = {"url", "model", "profile"} - set(data)
    if missing:
        raise OptionsError(f"server {name}: the field {min(missing)!r} is missing")
    fields = {key: _CHECKS[key](key, value) for key, value in data.items()}
    server = Server(name=_name("name", name), **fields)
    if server.key_variable and not server.insecure and not server.local and urlsplit(server.url).scheme == "http":
        hint = "use https, or an SSH tunnel to a loopback address; --insecure sends it all the same"
        raise OptionsError(f"server {name}: an API key would travel unencrypted to {server.url}", hint)
    return server


def is_loopback(url: str) -> bool:
    """Whether an address can only mean this machine. A name other than localhost isn't looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _write(servers: list[Server]) -> Path:
    entries = {}
    for server in sorted(servers, key=lambda one: one.name):
        fields = asdict(server)
        entries[fields.pop("name")] = fields
    path = file()
    part = path.with_name(f"{FILE_NAME}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"version": VERSION, "servers": entries}, indent=2, ensure_ascii=False)
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise OptionsError(f"can't write {path}: {error.strerror or error}", "check the folder's rights") from error
    return path


def _wrong(name: str, needs: str) -> OptionsError:
    return OptionsError(f"a server's field {name!r} needs {needs}")


def _name(field: str, value: Any) -> str:
    letters = isinstance(value, str) and all(one.isascii() and (one.isalnum() or one in "-_.") for one in value)
    if not letters or not 1 <= len(value) <= 64 or not value[0].isalnum():
        raise _wrong(field, "1 to 64 letters, digits, dots, - or _, a letter or digit first")
    return str(value)


def _url(field: str, value: Any) -> str:
    """The address without a slash at its end; `/v1` is put on where the path is empty."""
    needs = "an http or https address without user, query or fragment, as in http://127.0.0.1:8000/v1"
    if not isinstance(value, str) or len(value) > 2000 or not value.isprintable() or " " in value:
        raise _wrong(field, needs)
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or "@" in parts.netloc:
        raise _wrong(field, needs)
    path = parts.path.rstrip("/") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


def _model(field: str, value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 500 or not value.isprintable():
        raise _wrong(field, "a text of 1 to 500 characters")
    return value


def _profile(field: str, value: Any) -> str | Mapping[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)  # its own fields are checked when the profile is made of them
    return _name(field, value)


def _variable(field: str, value: Any) -> str:
    """The name of an environment variable; a key that was given by mistake is refused without being repeated."""
    word = isinstance(value, str) and value.isascii() and len(value) <= 64
    if not word or (value and (not value.isidentifier() or value != value.upper())):
        raise _wrong(field, "the NAME of an environment variable in capitals, as STUDIO_KEY; the key itself stays out")
    return str(value)


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    def check(field: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _wrong(field, f"a whole number from {low} to {high}")
        return value

    return check


def _seconds(low: float, high: float) -> Callable[[str, Any], float]:
    def check(field: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise _wrong(field, f"a number of seconds from {low:g} to {high:g}")
        return float(value)

    return check


def _ca(field: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 4096:
        raise _wrong(field, "a path")
    return value


def _style(field: str, value: Any) -> GrammarStyle:
    if value not in list(GrammarStyle):
        raise _wrong(field, "one of " + ", ".join(GrammarStyle))
    return GrammarStyle(value)


def _flag(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(field, "true or false")
    return value


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "url": _url,
    "model": _model,
    "profile": _profile,
    "key_variable": _variable,
    "concurrency": _whole(1, 512),
    "timeout": _seconds(0.1, 3600),
    "patience": _seconds(0, 3600),
    "ca": _ca,
    "grammar": _style,
    "stream": _flag,
    "jpeg": _whole(0, 100),
    "insecure": _flag,
}
