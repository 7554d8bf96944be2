"""Every error that the product raises on purpose, in one tree.

    SemanticFaceError
    ├── InputError            something that the user handed over
    │   ├── OptionsError      an option or argument outside its range
    │   ├── MediaError        an image or video that can't be read
    │   ├── TakeError         a take folder that can't be read or written
    │   └── ExchangeError     a CSV, JSON or UDP packet that breaks its format
    ├── AssetError            a model file that is missing, wrong or can't be fetched
    ├── EngineError           an engine that can't start or failed on its own account
    ├── UnparseableAnswer     a language model's answer that can't be read exactly
    ├── ProtocolError         a message that breaks the protocol or its limits
    └── BackendError          the backend process
        ├── BackendMissing    no installation that could be started
        ├── InstallError      its own environment can't be made, repaired or removed
        ├── BackendLost       it died or stopped answering
        ├── VersionMismatch   it speaks another protocol version
        ├── JobFailed         it ended the job without finishing it
        └── JobCancelled      somebody cancelled the job

Each error says what happened, to which file, frame or message, and, in `hint`, what the user can do.
The same three strings travel over the wire (`to_wire`, `from_wire`), so that a client in the host
raises the class that the backend raised. This module knows nothing of where errors happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class SemanticFaceError(Exception):
    """Base of all errors raised on purpose; `kind` is the stable name used on the wire and in JSON output."""

    kind: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InputError(SemanticFaceError):
    kind = "input"


class OptionsError(InputError):
    kind = "options"


class MediaError(InputError):
    kind = "media"


class TakeError(InputError):
    kind = "take"


class ExchangeError(InputError):
    kind = "exchange"


class AssetError(SemanticFaceError):
    kind = "asset"


class EngineError(SemanticFaceError):
    kind = "engine"


class UnparseableAnswer(SemanticFaceError):
    kind = "unparseable"


class ProtocolError(SemanticFaceError):
    kind = "protocol"


class BackendError(SemanticFaceError):
    kind = "backend"


class BackendMissing(BackendError):
    kind = "backend_missing"


class InstallError(BackendError):
    kind = "install"


class BackendLost(BackendError):
    kind = "backend_lost"


class VersionMismatch(BackendError):
    kind = "version"


class JobFailed(BackendError):
    kind = "job_failed"


class JobCancelled(BackendError):
    kind = "job_cancelled"


def _tree(base: type[SemanticFaceError]) -> dict[str, type[SemanticFaceError]]:
    found = {base.kind: base}
    for child in base.__subclasses__():
        found |= _tree(child)
    return found


def to_wire(error: BaseException) -> dict[str, str]:
    """The error as plain strings: `kind`, `message`, `hint`. Foreign exceptions become kind `error`."""
    if isinstance(error, SemanticFaceError):
        return {"kind": error.kind, "message": error.message, "hint": error.hint}
    return {"kind": SemanticFaceError.kind, "message": f"{type(error).__name__}: {error}", "hint": ""}


def from_wire(data: Mapping[str, Any]) -> SemanticFaceError:
    """Rebuild an error from `to_wire`; an unknown kind becomes the base class, never an exception here."""
    made = _tree(SemanticFaceError).get(str(data.get("kind", "")), SemanticFaceError)
    return made(str(data.get("message", "unspecified error")), str(data.get("hint", "")))
