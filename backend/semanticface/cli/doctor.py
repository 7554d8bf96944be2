"""`semanticface doctor`: is this installation whole, and if not, what to do about it.

Each check is a function that returns one verdict; a failing check never stops the others.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from semanticface import __version__, assets, paths
from semanticface.cli.output import ExitCode, console, print_json
from semanticface.client import Client
from semanticface.errors import SemanticFaceError

PACKAGES = ("pyzmq", "msgpack", "numpy", "opencv-python-headless", "av", "ai-edge-litert", "typer", "rich")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict; `remedy` says what to do when `good` is False. `required` ones decide the exit code."""

    name: str
    good: bool
    detail: str
    remedy: str = ""
    required: bool = True


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    return Finding("python", good, f"{sys.version.split()[0]} at {sys.executable}", "use Python 3.11 or newer")


def _packages() -> Finding:
    versions, missing = [], []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    # Any build of OpenCV serves; the headless one is what the extra installs.
    if "opencv-python-headless" in missing and importlib.util.find_spec("cv2"):
        missing.remove("opencv-python-headless")
    detail = ", ".join(versions) if not missing else "missing: " + ", ".join(missing)
    return Finding("packages", not missing, detail, "pip install 'semanticface[backend]'")


def _models() -> Finding:
    model = assets.FACE_LANDMARKER  # the one that every installation needs; `models list` has them all
    path = assets.locate(model)
    remedy = f"semanticface models pull {model.name}, or models import FILE without a network"
    return Finding("landmark model", path is not None, str(path or f"{model.file_name} is missing"), remedy)


def _checkpoint() -> Finding:
    """The SemanticFace engine's model is optional: without one the landmark engine does the work."""
    from semanticface.engines.mllm.checkpoint import checkpoint_folders, find_checkpoint, list_checkpoints

    try:
        whole = list_checkpoints() or [find_checkpoint(next(iter(checkpoint_folders()), ""))]
    except SemanticFaceError as error:
        return Finding("checkpoint", False, error.message, error.hint, False)
    texts = [f"{found.name} on {found.base.name}" for found in whole]
    return Finding("checkpoint", True, ", ".join(texts), required=False)


def _folders() -> Finding:
    for folder in (paths.data_dir(), paths.cache_dir()):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            return Finding("folders", False, f"{folder}: {error.strerror}", f"set {paths.HOME_VARIABLE} elsewhere")
    return Finding("folders", True, f"{paths.data_dir()}, {paths.cache_dir()}")


def _backend() -> Finding:
    try:
        with Client.connect(app="semanticface doctor", timeout=30.0) as client:
            state = client.status()
            engines = ", ".join(engine["name"] for engine in client.welcome["engines"] if engine["installed"])
        return Finding("backend", True, f"answers, {state['state']}; engines: {engines}")
    except SemanticFaceError as error:
        return Finding("backend", False, error.message, error.hint or f"see the log in {paths.log_dir()}")


def _engine() -> Finding:
    """A grey picture through the landmark engine: it must load and find nothing."""
    try:
        import numpy as np

        from semanticface.engines.base import FrameInput, RunOptions
        from semanticface.engines.landmarks.engine import LandmarkEngine

        engine = LandmarkEngine()
        session = engine.session(RunOptions(engine.options({})), video=False)
        (result,) = session.analyze([FrameInput(0, None, np.full((96, 96, 3), 128, np.uint8))])
        session.close()
        engine.close()
        return Finding("landmark engine", True, f"runs; an empty picture gives {result.status.value}")
    except (SemanticFaceError, ImportError, OSError) as error:
        return Finding("landmark engine", False, str(error), "repair the packages and the model above")


def _auto() -> Finding:
    """Which engine `auto` takes; no fault either way: both work."""
    from semanticface.engines.choose import choose_engine

    choice = choose_engine()
    return Finding("engine auto", True, f"{choice.engine}: {choice.reason}", required=False)


def _blender() -> Finding:
    """bpy is only for the demonstration and headless work; a missing system library is named by the loader."""
    if importlib.util.find_spec("bpy") is None:
        return Finding("bpy", False, "not installed", "pip install 'semanticface[blender]' on Python 3.11", False)
    from semanticface.demo.libraries import missing_libraries

    missing = missing_libraries()
    remedy = "apt-get install " + " ".join(missing.values()) if missing else ""
    return Finding("bpy", not missing, ", ".join(missing) or "loads", remedy, False)


CHECKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _packages,
    _folders,
    _models,
    _checkpoint,
    _engine,
    _auto,
    _backend,
    _blender,
)


def run_doctor(register: bool, as_json: bool) -> ExitCode:
    """Run all checks; OK when every required one is good."""
    findings = [check() for check in CHECKS]
    if register:
        from semanticface.installation import write_register

        findings.append(Finding("register", True, f"recorded in {write_register()}"))
    if as_json:
        print_json({"version": __version__, "findings": [asdict(finding) for finding in findings]})
    else:
        out = console()
        out.print(f"semanticface {__version__}, {sys.platform}, {os.cpu_count()} cores, {Path(sys.prefix)}")
        for finding in findings:
            mark = "[green]good[/]" if finding.good else "[red]fault[/]" if finding.required else "[yellow]absent[/]"
            out.print(f"{mark:>6}  {finding.name}: {finding.detail}")
            if not finding.good and finding.remedy:
                out.print(f"        {finding.remedy}")
    return ExitCode.OK if all(finding.good or not finding.required for finding in findings) else ExitCode.FAILED
