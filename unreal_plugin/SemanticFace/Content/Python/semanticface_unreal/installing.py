"""The backend's own environment, made from inside Unreal: what is there, what to do about it, and the doing of it.

Nothing goes into Unreal's Python. The work is done by a process of its own, which survives the editor; here it is
started, looked at from tick to tick, and cancelled. No thread, no wait. Knows no Unreal: the editor's rooms hand over
what the user chose in a dialog, and show `progress`.

    installer = Installer(command=settings.backend, keep_out=(engine_folder, project_folder))
    installer.look()                              what is known without running anything
    installer.begin(Wish(online=True))            from a menu entry
    installer.step(deadline)                      from each tick, until it says that it is done
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semanticface.errors import SemanticFaceError
from semanticface.provision.desk import Desk
from semanticface.provision.order import Order, Work, bundled_package, default_folder
from semanticface.provision.overview import InstallState, Words, ending
from semanticface.provision.progress import Outcome, Progress
from semanticface.provision.trouble import HINTS, Cause, ProvisionError

PLUGIN = Path(__file__).resolve().parents[3]
"""The plugin's folder, in a built plugin."""
BACKEND_WHEEL = Path("Resources") / "Backend"
"""Folder in the plugin with the wheel that the backend is installed from."""
OFFLINE_VARIABLE = "SEMANTICFACE_OFFLINE"

TODO: Mapping[InstallState, str] = {
    InstallState.NOT_INSTALLED: "Install Backend makes an environment for it; Unreal's Python stays as it is",
    InstallState.INCOMPLETE: "Install Backend goes on where it stopped",
    InstallState.CANNOT_RUN: "Install Backend with Anew makes it once more, or name another backend in Settings",
    InstallState.TOO_OLD: "Install Backend installs the version that fits this plugin",
    InstallState.TOO_NEW: "Update this plugin, or install its own version with Install Backend",
    InstallState.NO_MODEL: "Install Backend fetches the face model (3.8 MB), or takes face_landmarker.task from a file",
}
"""What to do about a state, by the names of the plugin's menu."""

_HINTS: Mapping[Cause, str] = {
    Cause.NO_PYTHON: "install Python 3.11, 3.12 or 3.13 from python.org, or name one in the dialog",
    Cause.BAD_FOLDER: "choose another folder for the environment, outside of engine and project",
    Cause.NOT_ALLOWED: "allow the network in the dialog, or choose a folder of wheels, which needs none",
    Cause.NO_PIP: "install once more with Anew",
    Cause.UNUSABLE: "install once more with Anew; if it stays, send a report with the log",
    Cause.MODEL: "install once more, or name a face_landmarker.task that was brought here",
    Cause.BACKEND_RUNS: "stop the queue and run `semanticface stop`, then try again",
    Cause.CANCELLED: "Install Backend goes on where it stopped",
    Cause.INTERRUPTED: "Install Backend goes on where it stopped",
    Cause.UNKNOWN: "send a report with the log, which holds the last lines",
}
"""Remedies by the names of the plugin's menu; the others fit any host."""
_OWN_WORDS: Mapping[str, str] = {HINTS[cause]: text for cause, text in _HINTS.items()}
_LAST = "Last time: "


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user chose. `online`: fetch packages and face model from the network, this time; `wheels`: or install
    from this folder of wheels. `model_file`: a face_landmarker.task that is here. `mllm`: with the large model's
    libraries. `python`: what to build on, "" for the best one found. `index`: an additional package index. `folder`
    takes the environment, None for the user's data folder, which all hosts share."""

    work: Work = Work.INSTALL
    online: bool = False
    wheels: Path | None = None
    model_file: Path | None = None
    mllm: bool = False
    python: str = ""
    index: str = ""
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Installing:
    """How it stands. `state` is None before the first look, `lines` are for the user, `fraction` is that of the file
    under way, if known. `busy`: `step` has something to follow. `ended`: how the last work ended, None while there was
    none or it runs; then `lines` say how, what else was found, and what to do."""

    state: InstallState | None = None
    lines: tuple[str, ...] = ()
    fraction: float | None = None
    busy: bool = False
    ended: Outcome | None = None


class Installer:
    """One for an editor session. All of it returns within a few milliseconds, and is called on the game thread.

    `command` is the backend that the settings name ("" to look for one), `keep_out` are folders of the host, in which
    no environment is made: the engine's and the project's. `plugin` is the folder with our wheel in it.
    """

    def __init__(self, *, command: str = "", keep_out: Sequence[Path] = (), plugin: Path = PLUGIN) -> None:
        self._command = command or None
        self._keep_out = (*keep_out, plugin)
        self._plugin = plugin
        self._desk = Desk(Words(TODO, "This plugin brings {version}: Install Backend updates it"))
        self._folder = default_folder()
        self._ended: Outcome | None = None
        self._told: tuple[str, ...] = ()

    @property
    def progress(self) -> Installing:
        """A snapshot, made of what is known already."""
        view = self._desk.view
        if view is None:
            return Installing(busy=self._desk.busy)
        found = [line for line in view.lines if line not in self._told and not (self._told and line.startswith(_LAST))]
        lines = dict.fromkeys(_OWN_WORDS.get(line, line) for line in (*self._told, *found))
        return Installing(view.state, tuple(lines), view.fraction, self._desk.busy, self._ended)

    def look(self) -> Installing:
        """Look at the files. An installation that another program has begun is followed by `step`, too."""
        self._desk.look(self._command, self._folder)
        return self.progress

    def check(self) -> None:
        """Run the backend's Python to be sure of it; `step` brings the verdict."""
        self._desk.check(self._command, self._folder)

    def begin(self, wish: Wish) -> None:
        """Start it. Raises ProvisionError when it can't be started, is not allowed, or another one runs."""
        order = self._order(wish)
        self._desk.close()
        self._ended, self._told = None, ()
        self._folder = order.folder
        self._desk.begin(order)

    def cancel(self) -> None:
        """Ask for the end, which `step` brings within seconds. What was made stays, to be gone on with."""
        self._desk.cancel()

    def step(self, deadline: float = 0.0) -> bool:
        """Look how far it is, four times a second; whether it is done. Takes some milliseconds whatever `deadline` is.

        After a good end the backend is checked before it counts as done. Raises nothing.
        """
        try:
            ended = self._desk.step()
            if ended is not None:
                self._end(ended)
        except (SemanticFaceError, OSError) as error:
            self._ended, self._told = Outcome.FAILED, (str(error),)
        return not self._desk.busy

    def close(self) -> None:
        """Stop looking. An installation goes on by itself, and is found again by `look`."""
        self._desk.close()

    def _end(self, ended: Progress) -> None:
        self._ended = ended.outcome
        self._told = tuple(line for line in ending(ended) if line)
        if ended.outcome is Outcome.DONE and ended.work != Work.REMOVE:
            self._desk.check(self._command, self._folder)

    def _order(self, wish: Wish) -> Order:
        if wish.online and os.environ.get(OFFLINE_VARIABLE):
            raise ProvisionError(Cause.NOT_ALLOWED, f"{OFFLINE_VARIABLE} is set: the network may not be used")
        fetches = wish.work in {Work.INSTALL, Work.REPAIR} or (wish.work is Work.MODEL and wish.model_file is None)
        if fetches and not wish.online and wish.wheels is None:
            raise ProvisionError(Cause.NOT_ALLOWED, "the network may not be used", _HINTS[Cause.NOT_ALLOWED])
        package = bundled_package(self._plugin / BACKEND_WHEEL)
        if package is None and wish.wheels is None and wish.work in {Work.INSTALL, Work.REPAIR}:
            text = f"the plugin in {self._plugin} lacks the backend's wheel"
            raise ProvisionError(Cause.WHEEL_MISSING, text, "take the plugin from its zip, or a folder of wheels")
        return Order(
            work=wish.work,
            folder=wish.folder or default_folder(),
            extras=("backend", "mllm") if wish.mllm else ("backend",),
            package=package,
            wheels=wish.wheels,
            online=wish.online,
            python=wish.python or self._model_python(wish),
            index=wish.index,
            model_file=wish.model_file,
            keep_out=self._keep_out,
        )

    def _model_python(self, wish: Wish) -> str:
        """The model is fetched by the Python of the backend in use, which need not be in an environment of ours."""
        found = self._desk.found
        return found.command[0] if wish.work is Work.MODEL and found is not None and found.command else ""
