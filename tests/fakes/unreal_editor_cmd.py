"""`UnrealEditor-Cmd PROJECT.uproject -run=pythonscript -script="file.py args" ...` with the fake `unreal` inside.

What a farm sees of it: how arguments reach the script, which folders are on `sys.path`, `init_unreal.py` of the project
and its plugins first, the log on stdout and in `-abslog=`, and the exit code, which is the engine's (5.4 to 5.8):

- 255 (-1) where the script raised, SystemExit of any code included: the engine knows no `sys.exit(0)`;
- 1 where anything was logged as an error, which a line on stderr is too;
- 3 with `Fatal error:` in the log where the editor died;
- 0 otherwise.

No Slate ticks, no menus, no dialogs. What isn't saved is gone with the process.
"""

from __future__ import annotations

import io
import os
import signal
import site
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TextIO

import unreal_command_line
import unreal_plugins

FAILED, ERRORS, CRASHED = 255, 1, 3


class Log:
    """The editor's log: every line to stdout and to a file, and how many were errors."""

    def __init__(self, *files: TextIO) -> None:
        self._files = files
        self.errors = self.warnings = 0

    def write(self, level: str, text: str, category: str = "LogPython") -> None:
        """`level` is error, warning, display or log; each line of the text is one of the log."""
        self.errors += level == "error"
        self.warnings += level == "warning"
        mark = "" if level == "log" else f"{level.capitalize()}: "
        for line in text.splitlines() or [""]:
            self.raw(f"{category}: {mark}{line}")

    def raw(self, line: str) -> None:
        stamp = f"{datetime.now(UTC):%Y.%m.%d-%H.%M.%S}:{datetime.now(UTC).microsecond // 1000:03d}"
        for file in self._files:
            file.write(f"[{stamp}][  0]{line}\n")
            file.flush()


class LoggedStream(io.TextIOBase):
    """`sys.stdout` and `sys.stderr` inside the editor: whole lines become lines of its log."""

    encoding = "utf-8"

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._rest = write, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._write(line)
        return len(text)


class Requested:
    """Ctrl-C and SIGTERM: the engine notes the first and lets the commandlet run on, the second ends it.

    The embedded Python has no handlers of its own, so a script sees no KeyboardInterrupt.
    """

    def __init__(self, log: Log) -> None:
        self._log, self._asked = log, False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            os._exit(128 + number)
        self._asked = True
        self._log.write("log", "Engine exit requested (reason: signal)", "LogCore")


def main(arguments: list[str]) -> int:
    """Gives the exit code of the process."""
    line = unreal_command_line.joined(arguments)
    words = unreal_command_line.tokens(line)
    project = Path(words[0]) if words else Path()
    if project.suffix != ".uproject" or not project.is_absolute() or not project.is_file():
        print(f"Fatal error: no such project file: {project} (its path must be absolute)")
        return CRASHED
    if (unreal_command_line.value(line, "run") or "").lower() != "pythonscript":
        print("Fatal error: the fake editor runs -run=pythonscript and nothing else")
        return CRASHED
    default = project.parent / "Saved" / "Logs" / f"{project.stem}.log"
    path = Path(unreal_command_line.value(line, "abslog") or default)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        return run(project, line, Log(file, sys.stdout))


def run(project: Path, line: str, log: Log) -> int:
    """The editor's life from its start to its exit."""
    from unreal_testing import EditorCrash, FakeEditor

    requested = Requested(log)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, requested)
    asked = {name for name in (unreal_command_line.value(line, "EnablePlugins") or "").split(",") if name}
    plugins = unreal_plugins.enabled(project.parent, asked)
    streams = sys.stdout, sys.stderr, sys.argv
    try:
        with FakeEditor(
            project.parent,
            commandlet=True,
            unattended=unreal_command_line.switch(line, "unattended"),
            command_line=line,
            optional_plugins=unreal_plugins.optional_classes(project.parent, asked, plugins),
            on_log=log.write,
        ):
            sys.stdout = LoggedStream(lambda text: log.write("log", text))
            sys.stderr = LoggedStream(lambda text: log.write("error", text))
            paths = [path for plugin in plugins for path in plugin.python_paths]
            start(unreal_plugins.content_paths(project.parent / "Content") + paths, log)
            code = commandlet(line, log)
    except EditorCrash as crash:
        log.raw(f"LogWindows: Error: === Critical error: ===\nFatal error: {crash}")
        code = CRASHED
    finally:
        sys.stdout, sys.stderr, sys.argv = streams
    return code


def start(paths: list[Path], log: Log) -> None:
    """Puts the paths onto `sys.path` and runs each `init_unreal.py` on it; one that raises stops nothing."""
    for path in paths:
        if path.name == "site-packages":
            site.addsitedir(str(path))
        elif str(path) not in sys.path:
            sys.path.append(str(path))
    for entry in os.environ.get("UE_PYTHONPATH", "").split(os.pathsep):
        if entry:
            sys.path.append(entry)
    console = {"__name__": "__main__", "__builtins__": __builtins__}
    for folder in list(sys.path):
        script = Path(folder) / "init_unreal.py"
        if script.is_file():
            log.write("display", f"Running start-up script {script}...")
            execute(script, [""], console, log)


def commandlet(line: str, log: Log) -> int:
    """UPythonScriptCommandlet::Main, and the summary that the engine writes after a commandlet."""
    script = unreal_command_line.value(line, "script")
    if not script:
        log.write("error", "-Script argument not specified", "LogPythonScriptCommandlet")
        code = FAILED
    else:
        log.write("display", f"Running Python script: {script}", "LogPythonScriptCommandlet")
        done = command(script, log)
        result = ("display", "successfully") if done else ("error", "with errors")
        log.write(result[0], f"Python script executed {result[1]}", "LogPythonScriptCommandlet")
        code = 0 if done else FAILED
    counts = f"{log.errors} error(s), {log.warnings} warning(s)"
    if code:
        log.write("display", f"Commandlet->Main return this error code: {-1}\nWith {counts}", "LogInit")
    else:
        log.write("display", f"{'Failure' if log.errors else 'Success'} - {counts}", "LogInit")
        code = ERRORS if log.errors else 0
    return code


def command(script: str, log: Log) -> bool:
    """Runs a Python command: a file with arguments, or code."""
    found = unreal_command_line.python_file(script)
    scope = {"__name__": "__main__", "__builtins__": __builtins__}
    if found is None:
        return guarded(lambda: exec(compile(script, "<string>", "exec"), scope), log)
    for folder in ("", *sys.path):
        if (Path(folder) / found[0]).is_file():
            return execute(Path(folder, found[0]).absolute(), found[1], scope, log)
    log.write("error", f"Could not load Python file '{Path(found[0]).absolute()}' (resolved from '{found[0]}')")
    return False


def execute(script: Path, argv: list[str], scope: dict[str, object], log: Log) -> bool:
    """Runs a file as the editor does: its text, with `__file__` and `sys.argv` set; its folder is not on `sys.path`."""
    scope["__file__"] = str(script)
    sys.argv = argv
    done = guarded(lambda: exec(compile(script.read_text("utf-8"), str(script), "exec"), scope), log)
    scope.pop("__file__", None)
    sys.argv = [""]
    return done


def guarded(work: Callable[[], object], log: Log) -> bool:
    """Whether it raised nothing. An exception, SystemExit too, is logged as an error line by line."""
    try:
        work()
    except (Exception, SystemExit, KeyboardInterrupt):
        for text in traceback.format_exc().splitlines():
            log.write("error", text)
        return False
    return True


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
