"""What can go wrong when an environment is made: every cause has a name, a sentence and a remedy.

Knows what pip and the systems print, and nothing of how they are run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from semanticface.errors import InstallError

SAID = 600
"""Characters of a program's own words that go into a message."""


class Cause(StrEnum):
    NO_PYTHON = "no_python"
    BAD_FOLDER = "bad_folder"
    NOT_WRITABLE = "not_writable"
    FILES_HELD = "files_held"
    PATH_TOO_LONG = "path_too_long"
    DISK_FULL = "disk_full"
    NOT_ALLOWED = "not_allowed"
    NO_NETWORK = "no_network"
    PROXY = "proxy"
    CERTIFICATE = "certificate"
    INDEX_REFUSED = "index_refused"
    WHEEL_MISSING = "wheel_missing"
    WHEEL_BROKEN = "wheel_broken"
    CONFLICT = "conflict"
    NO_VENV = "no_venv"
    NO_PIP = "no_pip"
    UNUSABLE = "unusable"
    MODEL = "model"
    BACKEND_RUNS = "backend_runs"
    BUSY = "busy"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"


FOLDER_HINT = "or choose a folder of wheels, which needs no network"

HINTS: Mapping[Cause, str] = {
    Cause.NO_PYTHON: "install Python 3.11, 3.12 or 3.13 from python.org, or name one in the preferences",
    Cause.BAD_FOLDER: "choose another folder for the environment in the preferences",
    Cause.NOT_WRITABLE: "give yourself the right to write there, or choose another folder for the environment",
    Cause.FILES_HELD: "a virus scanner or a running program holds files: end the backend, wait a minute, and try again",
    Cause.PATH_TOO_LONG: "choose an environment folder with a shorter path, or enable long paths in Windows",
    Cause.DISK_FULL: "free some space, or choose a folder for the environment on another disk",
    Cause.NOT_ALLOWED: "allow online access in Preferences > System, " + FOLDER_HINT,
    Cause.NO_NETWORK: "check the connection, and whether a firewall stops Python, " + FOLDER_HINT,
    Cause.PROXY: "set https_proxy to your proxy with its name and password, " + FOLDER_HINT,
    Cause.CERTIFICATE: "let PIP_CERT or SSL_CERT_FILE name your network's certificates, " + FOLDER_HINT,
    Cause.INDEX_REFUSED: "check the package index's name and password in pip's configuration, " + FOLDER_HINT,
    Cause.WHEEL_MISSING: "take Python 3.11, 3.12 or 3.13, or a folder of wheels made for this Python and system",
    Cause.WHEEL_BROKEN: "fetch that wheel once more: a file in the folder, or on its way, is damaged",
    Cause.CONFLICT: "make the folder of wheels anew, all in one go, or remove constraints from pip's configuration",
    Cause.NO_VENV: "install the system's package for it (Debian, Ubuntu: python3-venv), or another Python",
    Cause.NO_PIP: "press Repair, which makes the environment anew",
    Cause.UNUSABLE: "press Repair; if it stays, copy the diagnostics into a report",
    Cause.MODEL: "press Get Face Model, or import face_landmarker.task from a file",
    Cause.BACKEND_RUNS: "press End Backend, or run `semanticface stop`, then try again",
    Cause.BUSY: "wait for its end, or cancel it",
    Cause.CANCELLED: "press Install to go on where it stopped",
    Cause.INTERRUPTED: "press Repair to go on where it stopped",
    Cause.UNKNOWN: "copy the diagnostics into a report; they hold the last lines",
}


class ProvisionError(InstallError):
    """An InstallError with its cause; the hint is the cause's own unless another one is given."""

    def __init__(self, cause: Cause, message: str, hint: str = "") -> None:
        super().__init__(message, hint or HINTS[cause])
        self.cause = cause


@dataclass(frozen=True, slots=True)
class _Sign:
    cause: Cause
    pattern: re.Pattern[str]
    sentence: str


def _sign(cause: Cause, sentence: str, *patterns: str) -> _Sign:
    return _Sign(cause, re.compile("|".join(patterns), re.IGNORECASE), sentence)


# In the order of what lies deeper: a full disk may end in a wheel that looks broken, a dead network in one not found.
_SIGNS = (
    _sign(
        Cause.DISK_FULL,
        "the disk is full",
        r"No space left on device",
        r"\[Errno (28|27|122)\]",
        r"WinError 112\b",
        r"not enough space on the disk",
        r"Disk quota exceeded",
    ),
    _sign(
        Cause.PATH_TOO_LONG,
        "a path is too long for this system",
        r"Windows Long Path",
        r"File name too long",
        r"WinError 206\b",
    ),
    _sign(
        Cause.FILES_HELD,
        "a file is held by another program",
        r"WinError (32|33)\b",
        r"being used by another process",
    ),
    _sign(
        Cause.NOT_WRITABLE,
        "a folder can't be written",
        r"Permission denied",
        r"\[Errno (13|30)\]",
        r"WinError 5\b",
        r"Access is denied",
        r"Read-only file system",
    ),
    _sign(
        Cause.PROXY,
        "the proxy refuses the connection",
        r"ProxyError",
        r"Cannot connect to proxy",
        r"407 Proxy Authentication",
        r"Tunnel connection failed",
    ),
    _sign(
        Cause.CERTIFICATE,
        "the package index's certificate is not trusted",
        r"CERTIFICATE_VERIFY_FAILED",
        r"SSLError",
        r"SSLCertVerificationError",
        r"certificate verify failed",
        r"problem confirming the ssl certificate",
        r"TLS CA certificate bundle",
    ),
    _sign(
        Cause.INDEX_REFUSED,
        "the package index refuses access",
        r"(HTTP error|HTTP status:?) 40[13]\b",
        r"\b40[13] (Client )?Error",
        r"\b(401 Unauthorized|403 Forbidden)",
        r"User for .*:",
    ),
    _sign(
        Cause.WHEEL_BROKEN,
        "a wheel is damaged",
        r"BadZipFile",
        r"not a zip file",
        r"Bad CRC-32",
        r"has an invalid wheel",
        r"Wheel .* is invalid",
        r"Invalid wheel",
        r"DO NOT MATCH THE HASHES",
        r"IncompleteRead",
        r"zlib\.error",
    ),
    _sign(
        Cause.CONFLICT,
        "the packages don't fit together",
        r"ResolutionImpossible",
        r"conflicting dependencies",
    ),
    _sign(
        Cause.NO_NETWORK,
        "the package index can't be reached",
        r"NewConnectionError",
        r"NameResolutionError",
        r"Name or service not known",
        r"name resolution",
        r"getaddrinfo failed",
        r"Network is unreachable",
        r"Connection (refused|reset|aborted|timed out)",
        r"(Connect|Read)Timeout",
        r"ConnectionError",
        r"Max retries exceeded",
        r"\b5\d\d Server Error",
        r"ProtocolError",
        r"URLError",
    ),
    _sign(
        Cause.WHEEL_MISSING,
        "a package has no wheel for this Python and system",
        r"No matching distribution found",
        r"Could not find a version that satisfies",
        r"is not a supported wheel on this platform",
        r"requires a different Python",
    ),
    _sign(
        Cause.NO_VENV, "this Python can't make environments", r"ensurepip is not", r"No module named '?(venv|ensurepip)"
    ),
    _sign(Cause.NO_PIP, "the environment has no working pip", r"No module named '?pip"),
)


def diagnose(lines: Sequence[str], doing: str) -> ProvisionError:
    """The cause in what a program printed before it failed. `doing`: what it was to do, for the message."""
    text = "\n".join(lines)
    for sign in _SIGNS:
        found = sign.pattern.search(text)
        if found:
            return ProvisionError(sign.cause, f"{doing} failed: {sign.sentence}: {_line_of(text, found.start())}")
    return ProvisionError(Cause.UNKNOWN, f"{doing} failed: {_last_words(lines)}")


def from_os_error(error: OSError, doing: str) -> ProvisionError:
    """The cause of a failed file operation of our own."""
    numbers = f"[Errno {error.errno}] WinError {getattr(error, 'winerror', 0)} {error}"
    found = diagnose([numbers], doing)
    return ProvisionError(found.cause, f"{doing} failed: {error}", found.hint)


def _line_of(text: str, place: int) -> str:
    """The line in which the sign stands, or the first line of an error near it that names a package."""
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    return text[start : end if end >= 0 else len(text)].strip()[:SAID]


def _last_words(lines: Sequence[str]) -> str:
    kept = [line.strip() for line in lines if line.strip()]
    errors = [line for line in kept if line.lower().startswith(("error", "fatal"))]
    return " ".join(errors[-2:] or kept[-3:])[-SAID:] or "it gave no reason"
