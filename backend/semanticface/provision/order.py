"""What an installation should do, as a host or a shell says it. Carried to the installer's process as arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from semanticface import __version__, paths

MODEL_FILE = "face_landmarker.task"
PACKAGE_PATTERN = "semanticface-{version}-*.whl"


class Work(StrEnum):
    INSTALL = "install"
    """Make the environment, go on with an interrupted one, or leave it as it is when it is whole and right."""
    REPAIR = "repair"
    """Make it anew; the old one stays in force until the new one has been checked."""
    MODEL = "model"
    """Fetch or import the face model alone."""
    REMOVE = "remove"


def default_folder() -> Path:
    return paths.data_dir() / "environment"


@dataclass(frozen=True, slots=True)
class Order:
    """`folder` takes the environments, each in a folder of its own.

    `package` is the wheel of semanticface itself; None: it is among `wheels` or in the index. `wheels`: a folder of
    wheels, from which all is installed without a network. `online`: whether the network may be used when there is no
    such folder. `extras` are those of the distribution. `index` is an additional package index. `keep_out`: folders
    of the host, in which nothing is ever written. `room`: bytes that must be free, None for what is known to be needed.
    """

    work: Work = Work.INSTALL
    folder: Path = field(default_factory=default_folder)
    version: str = __version__
    extras: tuple[str, ...] = ("backend",)
    package: Path | None = None
    wheels: Path | None = None
    online: bool = False
    python: str = ""
    index: str = ""
    model_file: Path | None = None
    keep_out: tuple[Path, ...] = ()
    room: int | None = None

    def requirement(self) -> str:
        """What pip is asked for. The wheel's own file where there is one: an index can't put another in its place."""
        extras = f"[{','.join(self.extras)}]"
        package = self.package or self._among_wheels()
        if package is not None:
            return f"semanticface{extras} @ {package.absolute().as_uri()}"
        return f"semanticface{extras}=={self.version}"

    def model_here(self) -> Path | None:
        """A model file that was handed over: the named one, else the one among the wheels."""
        beside = None if self.wheels is None else self.wheels / MODEL_FILE
        return self.model_file or (beside if beside is not None and beside.is_file() else None)

    def arguments(self) -> list[str]:
        """The same as arguments of `python -m semanticface.provision`."""
        words = ["--work", self.work, "--into", str(self.folder), "--version", self.version]
        words += [word for extra in self.extras for word in ("--extra", extra)]
        named: dict[str, object] = {
            "package": self.package,
            "wheels": self.wheels,
            "python": self.python,
            "index": self.index,
        }
        named |= {"model-file": self.model_file, "room": self.room}
        words += [
            word for name, value in named.items() if value not in (None, "") for word in (f"--{name}", str(value))
        ]
        words += [word for folder in self.keep_out for word in ("--keep-out", str(folder))]
        return words + (["--online"] if self.online else [])

    def _among_wheels(self) -> Path | None:
        if self.wheels is None:
            return None
        return next(iter(sorted(self.wheels.glob(PACKAGE_PATTERN.format(version=self.version)))), None)


def bundled_package(folder: Path, version: str = __version__) -> Path | None:
    """The wheel of semanticface that lies in a folder, such as an extension's `wheels`."""
    return next(iter(sorted(folder.glob(PACKAGE_PATTERN.format(version=version)))), None)
