"""What is run to fill an environment: venv, pip, a trial of the packages, and the fetching of the face model.

Every program's words go to the reporter; a failure is read for its cause. Knows nothing of the order of the steps.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from semanticface.provision import child
from semanticface.provision.order import Order
from semanticface.provision.places import Environment
from semanticface.provision.report import Reporter
from semanticface.provision.trouble import SAID, Cause, ProvisionError, diagnose

RAW_PROGRESS = (24, 1)
"""The first pip that can print its progress for programs."""
QUIET_PYTHON = ("-I", "-u", "-X", "utf8")
"""Nothing of the user's Python settings comes along, and each line comes at once."""
VENV_SECONDS = 300.0
PIP_SECONDS = 4 * 3600.0
RENEWAL_SECONDS = 120.0
TRIAL_SECONDS = 300.0
RETRIES, ANSWER_SECONDS = "2", "30"
"""pip's own patience with a connection."""

IMPORTS = {
    "": ("zmq", "msgpack", "semanticface.client"),
    "backend": ("numpy", "cv2", "av", "ai_edge_litert.interpreter", "typer", "rich", "semanticface.server.front"),
    "mllm": ("torch", "transformers", "peft", "accelerate", "PIL"),
    "quant": ("bitsandbytes",),
    "remote": ("httpx2", "PIL"),
}
"""What must be importable, by extra: a file that is there may still lack a system library."""

_TRIAL = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
    except BaseException as error:
        sys.exit("trial " + name + ": " + type(error).__name__ + ": " + " ".join(str(error).split()))
"""

_MODEL = """
import sys
from semanticface import assets
from semanticface.errors import SemanticFaceError
try:
    if sys.argv[1]:
        assets.import_file(__import__("pathlib").Path(sys.argv[1]))
    say = lambda done, total: print("Progress", done, "of", total, flush=True)
    print(assets.pull(assets.FACE_LANDMARKER, progress=say))
except SemanticFaceError as error:
    sys.exit("model " + " ".join(str(error).split()))
"""

_SIZE = re.compile(r"^Progress (\d+) of (\d+)")
_COLLECTING = re.compile(r"^(Collecting|Downloading|Using cached|Processing|Installing collected packages|Building)\b")


def make_venv(python: Path, folder: Path, report: Reporter) -> None:
    """An empty environment with pip in `folder`. Raises ProvisionError."""
    command = [str(python), *QUIET_PYTHON, "-m", "venv", str(folder)]
    _run(report, command, "making the environment", timeout=VENV_SECONDS)


def runs(environment: Environment, report: Reporter) -> bool:
    """Whether its Python starts and has pip."""
    return environment.python.is_file() and _pip_version(environment, report) is not None


def prepare_pip(environment: Environment, order: Order, report: Reporter) -> None:
    """Raises ProvisionError without a pip that works. A newer one is taken where it can be had, and not insisted on."""
    version = _pip_version(environment, report)
    if version is None:
        raise ProvisionError(Cause.NO_PIP, f"{environment.python} has no working pip")
    holds_pip = order.wheels is not None and any(order.wheels.glob("pip-*.whl"))
    if version < RAW_PROGRESS and (order.wheels is None or holds_pip):
        command = [*_pip(environment), "install", "--upgrade", *_sources(order), "pip"]
        done = child.run(
            command, offline=order.wheels is not None, line=report.said, watch=report.watch, timeout=RENEWAL_SECONDS
        )
        if done.code:
            report.said("# this pip will do")


def install(environment: Environment, order: Order, report: Reporter) -> None:
    """The packages with all that they need. Wheels only: nothing is compiled. Raises ProvisionError."""
    version = _pip_version(environment, report) or (0,)
    bar = "raw" if version >= RAW_PROGRESS else "off"
    command = [*_pip(environment), "install", "--only-binary", ":all:", "--progress-bar", bar, *_sources(order)]
    with tempfile.TemporaryDirectory(prefix="semanticface-pip-") as folder:
        words = Path(folder) / "pip.log"
        command += ["--log", str(words), order.requirement()]
        _run(report, command, "installing the packages", order.wheels is not None, PIP_SECONDS, words)


def faults(environment: Environment, report: Reporter) -> str:
    """Import what was installed, in a process of its own; "" when all of it works, else what doesn't."""
    names = [name for extra in ("", *environment.extras) for name in IMPORTS.get(extra, ())]
    command = [str(environment.python), *QUIET_PYTHON, "-c", _TRIAL, json.dumps(names)]
    try:
        done = child.run(
            command, line=report.said, watch=report.watch, began=report.began, timeout=TRIAL_SECONDS, offline=True
        )
    except OSError as error:
        return str(error)
    if done.code == 0:
        return ""
    return next((line.removeprefix("trial ") for line in done.lines if line.startswith("trial ")), _end_of(done.lines))


def get_model(python: Path, order: Order, report: Reporter) -> None:
    """The face model: the file that was handed over, else fetched if the network may be used. Raises ProvisionError."""
    here = order.model_here()
    offline = not order.online or order.wheels is not None
    command = [str(python), *QUIET_PYTHON, "-c", _MODEL, "" if here is None else str(here)]
    lines = _Lines(report, "face_landmarker.task")
    done = child.run(command, offline=offline, line=lines, watch=report.watch, began=report.began, timeout=PIP_SECONDS)
    if done.code:
        said = next((line.removeprefix("model ") for line in done.lines if line.startswith("model ")), "")
        raise ProvisionError(Cause.MODEL, f"the face model is not here: {said[:SAID] or _end_of(done.lines)}")


class _Lines:
    """Makes progress out of a program's lines."""

    def __init__(self, report: Reporter, what: str = "") -> None:
        self._report, self._what = report, what

    def __call__(self, line: str) -> None:
        size = _SIZE.match(line)
        if size:
            done, total = int(size[1]), max(1, int(size[2]))
            text = f"{self._what}, {done / 1e6:.0f} of {total / 1e6:.0f} MB"
            self._report.message(text, min(1.0, done / total))
            return
        self._report.said(line)
        text = line.strip()
        if _COLLECTING.match(text):
            word, _, rest = text.partition(" ")
            name = rest.split(" (")[0].rsplit("/", 1)[-1]
            self._what = name if word == "Downloading" else self._what
            self._report.message(f"{word.lower()} {name}"[:120])


def _run(
    report: Reporter,
    command: Sequence[str],
    doing: str,
    offline: bool = False,
    timeout: float = VENV_SECONDS,
    words: Path | None = None,
) -> None:
    """Raises ProvisionError with the cause that its words tell, or those in pip's own log, `words`."""
    report.said(f"# {doing}")
    done = child.run(
        command, offline=offline, line=_Lines(report), watch=report.watch, began=report.began, timeout=timeout
    )
    if done.code:
        raise diagnose([*done.lines, *_unsaid(words, report)], doing)


def _unsaid(words: Path | None, report: Reporter) -> list[str]:
    """Why an index gave nothing: pip tells it to its log alone, and then says that there is no such package."""
    if words is None or not words.is_file():
        return []
    with words.open(encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if "Could not fetch URL" in line][-20:]
    for line in lines:
        report.said(line)
    return lines


def _pip(environment: Environment) -> list[str]:
    return [str(environment.python), *QUIET_PYTHON, "-m", "pip"]


def _pip_version(environment: Environment, report: Reporter) -> tuple[int, ...] | None:
    try:
        done = child.run([*_pip(environment), "--version"], watch=report.watch, timeout=60.0)
    except OSError:
        return None
    found = re.match(r"pip (\d+)\.(\d+)", "\n".join(done.lines))
    return (int(found[1]), int(found[2])) if done.code == 0 and found else None


def _sources(order: Order) -> list[str]:
    """Where pip looks: in the folder and nowhere else, or in its configured index and the additional one."""
    if order.wheels is not None:
        return ["--no-index", "--find-links", str(order.wheels.absolute())]
    extra = ["--extra-index-url", order.index] if order.index else []
    return ["--retries", RETRIES, "--timeout", ANSWER_SECONDS, *extra]


def _end_of(lines: Sequence[str]) -> str:
    return " ".join(line.strip() for line in lines if line.strip())[-SAID:] or "it gave no reason"
