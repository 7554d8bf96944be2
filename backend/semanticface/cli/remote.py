"""`semanticface remote`: the servers that the remote engine may ask."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from semanticface.cli.output import ExitCode, console, print_json, print_table
from semanticface.engines.remote import settings
from semanticface.engines.remote.settings import Server
from semanticface.errors import MediaError
from semanticface.results import Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from semanticface.engines.remote.trial import Trial


@dataclass(frozen=True, slots=True)
class Added:
    """What `remote add` was told; `fields` are those of `settings.Server` that were given."""

    name: str
    url: str
    model: str
    profile: str
    ca: Path | None
    fields: dict[str, Any]


def run_add(added: Added, as_json: bool) -> ExitCode:
    """Write a server down, and say what its use means."""
    from semanticface.engines.remote.profiles import profile_argument, profile_of

    fields = {"url": added.url, "model": added.model, "profile": profile_argument(added.profile), **added.fields}
    if added.ca is not None:
        fields["ca"] = str(added.ca.resolve())
    server = settings.parse_server(added.name, fields)
    if server.ca and not Path(server.ca).is_file():
        raise MediaError(f"there is no file {server.ca}", "name the PEM file of the studio's certificates")
    profile = profile_of(server)
    path = settings.add_server(server)
    remarks = _remarks(server)
    if as_json:
        print_json({**_shown(server), "file": str(path), "remarks": remarks})
        return ExitCode.OK
    out = console()
    out.print(f"server {server.name}: {server.model} at {server.url}, asked as {profile.name} ({path})", markup=False)
    for remark in remarks:
        out.print(f"note: {remark}", markup=False)
    out.print(f"try it: semanticface remote test {server.name}", markup=False)
    return ExitCode.OK


def run_list(as_json: bool) -> ExitCode:
    """All servers; never a key."""
    servers = settings.list_servers()
    if as_json:
        for server in servers:
            print_json(_shown(server))
        return ExitCode.OK
    rows = []
    for server in servers:
        profile = server.profile if isinstance(server.profile, str) else f"{server.profile.get('name', '?')} (in file)"
        rows.append((server.name, server.url, server.model, profile, server.key_variable or "-", _key_state(server)))
    print_table("servers", ("name", "address", "model", "profile", "key variable", "key"), rows)
    return ExitCode.OK


def run_test(name: str, picture: Path | None, as_json: bool) -> ExitCode:
    """Ask the server what it is, and about one picture. Code FRAMES when that has no result."""
    from semanticface.engines.remote.trial import trial

    server = settings.find_server(name)
    done = trial(server, _picture(picture))
    answered = done.result.status is Status.OK
    if as_json:
        print_json(_report(server, done))
    else:
        out = console()
        for line in _lines(server, done):
            out.print(line, markup=False)
    return ExitCode.OK if answered else ExitCode.FRAMES


def run_remove(name: str, as_json: bool) -> ExitCode:
    """Forget a server."""
    settings.remove_server(name)
    if as_json:
        print_json({"removed": name})
    else:
        console().print(f"removed {name}", markup=False)
    return ExitCode.OK


def _remarks(server: Server) -> list[str]:
    """What a user should know before the first picture leaves."""
    if server.local:
        return []
    host = urlsplit(server.url).hostname
    remarks = [f"every picture analyzed with remote:{server.name} leaves this machine and goes to {host}"]
    if urlsplit(server.url).scheme == "http":
        what = "pictures, answers and the API key" if server.key_variable else "pictures and answers"
        remarks.append(f"the address is http: {what} travel unencrypted; an SSH tunnel or https keeps them private")
    return remarks


def _key_state(server: Server) -> str:
    if not server.key_variable:
        return "none"
    return "set" if os.environ.get(server.key_variable, "").strip() else "not set here"


def _shown(server: Server) -> dict[str, Any]:
    fields = asdict(server)
    if not isinstance(server.profile, str):
        fields["profile"] = {"name": server.profile.get("name", "")}
    return {**fields, "local": server.local, "key": _key_state(server)}


def _picture(path: Path | None) -> NDArray[np.uint8]:
    """The picture (H, W, 3) uint8 RGB; without a path a grey one with a soft spot, which any model can answer about."""
    import numpy as np

    if path is not None:
        from semanticface.media.images import decode_image

        try:
            return decode_image(path.read_bytes(), where=path.name)
        except OSError as error:
            raise MediaError(f"{path}: can't be read: {error.strerror or error}") from error
    y, x = np.mgrid[-1:1:448j, -1:1:448j]
    level = 90 + 90 * np.exp(-3 * (x * x + y * y))
    return np.repeat(level[..., None], 3, axis=2).astype(np.uint8)


def _report(server: Server, done: Trial) -> dict[str, Any]:
    found = done.findings
    return {
        "server": server.name,
        "models": list(found.models),
        "model": server.model,
        "made_of": found.made_of,
        "grammar": found.abilities.grammar.value,
        "logprobs": found.abilities.logprobs and done.result.estimates is not None,
        "remarks": list(found.remarks),
        "seconds": round(done.seconds, 3),
        "status": done.result.status.value,
        "message": done.result.message,
        "picture_tokens": {"expected": done.expected_tokens, "counted": done.counted_tokens},
    }


def _lines(server: Server, done: Trial) -> list[str]:
    found = done.findings
    estimates = "yes" if done.result.estimates is not None else "no"
    counted = "not told" if done.counted_tokens < 0 else str(done.counted_tokens)
    lines = [
        f"server {server.name}: {server.url}",
        f"models: {', '.join(found.models) or 'not listed'}",
        f"grammar: {found.abilities.grammar.value}",
        f"probabilities: {estimates}",
        f"picture tokens: {done.expected_tokens} meant, {counted} counted by the server",
        f"one picture: {done.result.status.value} in {done.seconds:.1f} s",
        *(f"note: {remark}" for remark in found.remarks),
    ]
    if done.resizes:
        lines.append("note: the server resizes pictures, or its chat layout is not Qwen's: see docs/remote.md")
    return lines + ([f"note: {done.result.message}"] if done.result.message else [])
