"""Scripts of test_blender_backend.py: the backend installed, restarted, freed before a render, and diagnosed."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy
from panels_drawn import draw_all
from scene import attempt, choose_file, fresh, ready, tick_until

from blender_addon import session
from blender_addon.backend import installing, rendering, tasks
from blender_addon.backend.diagnostics import collect
from semanticface import installation
from semanticface.jobs import JobRequest
from semanticface.link import LinkState
from semanticface.provision.order import Work
from semanticface.provision.places import environments
from semanticface.pump import Answer, JobFinished


def _bare() -> None:
    """As in a Blender whose Python has no backend, with nothing named."""
    os.environ.pop("SEMANTICFACE_BACKEND", None)
    os.environ["PATH"] = os.pathsep.join(
        place for place in os.environ["PATH"].split(os.pathsep) if not (Path(place) / "semanticface").exists()
    )
    installation._this_python = lambda: None
    # What a test's machine is set up for must not help: the folder of wheels alone.
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        del os.environ[name]


def _own_files() -> list[str]:
    """What lies in the site-packages of the Python that Blender runs."""
    return sorted(str(file) for place in sys.path if "-packages" in place for file in Path(place).glob("*"))


def installed(folder: str, wheels: str, broken: str, model: str) -> dict[str, Any]:
    """From nothing to a working backend and back, from a folder of wheels."""
    _bare()
    fresh()
    now = session.current()
    before = _own_files()
    seen: dict[str, Any] = {"unknown": draw_all()}
    tasks.look(now)
    seen["nothing"] = [str(now.desk.view.state), draw_all()]
    seen["offline"] = attempt(bpy.ops.semanticface.install_backend, source="INDEX")
    seen["no folder"] = attempt(bpy.ops.semanticface.install_backend, source="FOLDER")
    seen["broken"] = attempt(bpy.ops.semanticface.install_backend, source="FOLDER", wheels=broken)
    seen["incomplete"] = [str(now.desk.view.state), draw_all()]

    order = installing.order_of(bpy.context, Work.INSTALL, Path(wheels), False)
    now.desk.begin(order)
    tasks.follow(now)
    lines: list[str] = []

    def note() -> bool:
        text = " ".join(now.desk.view.lines)
        if not lines or text != lines[-1]:
            lines.append(text)
            seen.setdefault("installing", draw_all())
        return not now.desk.busy

    seen["longest"] = tick_until(note, timeout=120)
    seen |= {"lines": lines, "notes": list(now.notes), "done": [str(now.desk.view.state), draw_all()]}
    seen["made"] = [place.folder.name for place in environments(order.folder)]
    seen["second"] = attempt(bpy.ops.semanticface.get_face_model)
    seen["imported"] = attempt(bpy.ops.semanticface.import_face_model, filepath=model)
    seen["ok"] = [str(now.desk.view.state), draw_all()]
    seen["removed"] = attempt(bpy.ops.semanticface.remove_backend)
    seen["end"] = str(now.desk.view.state)
    seen["untouched"] = _own_files() == before
    return seen


def cancelled(folder: str, wheels: str) -> dict[str, Any]:
    """Cancelled while it works; every tick stays short."""
    _bare()
    fresh()
    now = session.current()
    tasks.look(now)
    now.desk.begin(installing.order_of(bpy.context, Work.INSTALL, Path(wheels), False))
    tasks.follow(now)
    tick_until(lambda: "Making the environment" in now.desk.view.lines[0], timeout=60)
    polls = bpy.ops.semanticface.install_backend.poll(), bpy.ops.semanticface.cancel_install.poll()
    bpy.ops.semanticface.cancel_install()
    longest = tick_until(lambda: not now.desk.busy, timeout=30)
    return {"state": str(now.desk.view.state), "notes": list(now.notes), "longest": longest, "polls": polls}


def process(folder: str) -> dict[str, Any]:
    """Start, free, restart, end, with the mock."""
    ready(folder)
    now = session.current()
    bpy.ops.semanticface.connect_backend()
    tick_until(lambda: now.link.state is LinkState.CONNECTED)
    first = now.link.pump.run.pid
    drawn = draw_all()
    bpy.ops.semanticface.release_memory()
    freed = list(now.notes)
    bpy.ops.semanticface.restart_backend()
    tick_until(lambda: now.link.state is LinkState.CONNECTED)
    second = now.link.pump.run.pid
    bpy.ops.semanticface.stop_backend()
    refused = bpy.ops.semanticface.release_memory.poll()
    return {"pids": [first, second], "freed": freed, "drawn": drawn, "off": refused}


def _render() -> None:
    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    bpy.ops.render.render()


def _run_echo(movie: str) -> None:
    """A job of the echo engine, whose process holds memory afterwards."""
    pump = session.current().link.pump
    pump.submit(JobRequest(media={"path": movie}, frames=range(3), engine="echo"))
    _until(lambda events: any(isinstance(event, JobFinished) for event in events))


def _workers() -> list[str]:
    """Engines that hold a process, as the backend says."""
    pump = session.current().link.pump
    number = pump.request("status")
    found: list[Any] = []

    def answered(events: list[Any]) -> bool:
        found.extend(event.message["status"] for event in events if isinstance(event, Answer) and event.re == number)
        return bool(found)

    _until(answered)
    return [worker["engine"] for worker in found[0]["workers"] if worker["pid"]]


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition(session.current().link.pump.poll()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def rendered(folder: str, command: str, movie: str) -> dict[str, Any]:
    """A render frees what the backend holds, unless an analysis runs or the preference is off."""
    ready(folder)
    now = session.current()
    now.connect(command, start=True)
    tick_until(lambda: now.link.state is LinkState.CONNECTED, timeout=60)
    _run_echo(movie)
    seen: dict[str, Any] = {"before": _workers()}

    wanted = rendering.preferences.release_before_render
    rendering.preferences.release_before_render = lambda context: False
    _render()
    seen["off"] = [_workers(), len(now.tasks)]
    rendering.preferences.release_before_render = wanted

    now.job = object()  # one runs; what it is does not matter here
    _render()
    now.job = None
    seen["busy"] = [_workers(), list(now.notes)]

    seconds: list[float] = []
    handler = rendering._on_render
    index = bpy.app.handlers.render_init.index(handler)

    def timed(*arguments: Any) -> None:
        start = time.perf_counter()
        handler(*arguments)
        seconds.append(time.perf_counter() - start)

    bpy.app.handlers.render_init[index] = timed
    _render()
    bpy.app.handlers.render_init[index] = handler
    tick_until(lambda: not now.tasks)
    seen |= {"after": _workers(), "notes": list(now.notes), "seconds": seconds}
    now.link.pump.request("shutdown")
    now.disconnect()
    _render()
    return seen | {"disconnected": len(now.tasks)}


def from_a_thread(folder: str) -> dict[str, Any]:
    """Beside the window Blender calls the handler in a thread: it leaves a note and touches nothing."""
    import threading

    ready(folder)
    now = session.current()
    now.connect(None, start=True)
    tick_until(lambda: now.link.state is LinkState.CONNECTED)
    thread = threading.Thread(target=rendering._on_render)
    thread.start()
    thread.join()
    noted, asked = now.render_begins, len(now.tasks)
    rendering._on_timer()
    later = now.render_begins, len(now.tasks)
    tick_until(lambda: not now.tasks)
    return {"noted": noted, "asked": asked, "later": list(later), "notes": list(now.notes)}


def handlers(folder: str) -> list[int]:
    """How many handlers of ours stand there: registered, without, and again."""
    import blender_addon

    def ours() -> int:
        return sum(handler.__module__ == rendering.__name__ for handler in bpy.app.handlers.render_init)

    counts = [ours()]
    bpy.ops.wm.read_homefile(use_empty=True)
    counts.append(ours())
    blender_addon.unregister()
    counts.append(ours())
    blender_addon.register()
    return [*counts, ours()]


def diagnosed(folder: str) -> dict[str, Any]:
    """With a backend that runs and a failure in the panel; and written to a file."""
    settings = ready(folder)
    secret = Path(folder) / "Client X" / "secret project"
    secret.mkdir(parents=True)
    choose_file(settings, str(secret))
    now = session.current()
    now.connect(None, start=True)
    tick_until(lambda: now.link.state is LinkState.CONNECTED)
    tasks.look(now)
    now.tell(
        [f"can't read {secret / 'clip.mp4'} (check the path)", "https://anna:pass@index.example/simple"], failed=True
    )
    file = Path(folder) / "diagnostics.txt"
    bpy.ops.semanticface.save_diagnostics(filepath=str(file))
    refused = attempt(bpy.ops.semanticface.save_diagnostics, filepath="/proc/nowhere/x.txt")
    bpy.ops.semanticface.copy_diagnostics()
    return {"text": file.read_text(), "refused": refused, "plain": collect(bpy.context, now)}
