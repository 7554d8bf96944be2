"""`semanticface serve`, `status`, `unload` and `stop`: the backend process from the shell."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from semanticface.cli.output import ExitCode, console, print_json
from semanticface.client import Client
from semanticface.launch import live_run_file


def run_serve(bind: str, keys: Path | None, idle: float, lease: bool) -> ExitCode:
    """Run the front here; returns when it ends."""
    from semanticface.server.__main__ import ServeOptions, serve

    options = ServeOptions(idle=idle, keys=keys, lease_bound=lease)
    if bind:
        options = dataclasses.replace(options, bind=bind)
    return ExitCode(serve(options))


def run_status(as_json: bool) -> ExitCode:
    """Print the live backend's state; code BACKEND when none runs."""
    run = live_run_file()
    if run is None:
        if as_json:
            print_json({"running": False})
        else:
            console().print("no backend is running; it starts by itself when something needs it")
        return ExitCode.BACKEND
    with Client.connect(start=False, app="semanticface status") as client:
        state = client.status()
        engines = client.welcome["engines"]
    if as_json:
        print_json({"running": True, "pid": run.pid, "endpoint": run.endpoint, "engines": engines, **state})
        return ExitCode.OK
    out = console()
    out.print(f"backend {run.pid} at {run.endpoint}, state {state['state']}, up {state['uptime']:.0f} s")
    for worker in state["workers"]:
        process = f", process {worker['pid']}" if worker["pid"] else ""
        out.print(f"worker of {worker['engine']}: {worker['state']}{process}", markup=False)
    if state["auto"]:
        out.print(f"auto takes {state['auto']['engine']}: {state['auto']['reason']}", markup=False)
    for engine in engines:
        lacks = "" if engine["installed"] else f" — {engine['reason']}"
        out.print(f"engine {engine['name']}: {engine['title']}{lacks}", markup=False)
    for job in state["jobs"]:
        out.print(f"job {job['job']}: {job['state']}, {job['done']} of {job.get('total') or '?'} ({job['priority']})")
    return ExitCode.OK


def run_unload(engine: str, as_json: bool) -> ExitCode:
    """End the workers of the live backend, or one engine's; OK also when there was nothing to end."""
    run = live_run_file()
    ended: list[str] = []
    if run is not None:
        with Client.connect(start=False, app="semanticface unload") as client:
            ended = client.release(engine or None)
    if as_json:
        print_json({"running": run is not None, "ended": ended})
    elif run is None:
        console().print("no backend is running, so no memory is held")
    else:
        console().print(f"unloaded {', '.join(ended)}" if ended else "nothing was loaded", markup=False)
    return ExitCode.OK


def run_stop(as_json: bool) -> ExitCode:
    """Stop the live backend, if there is one."""
    run = live_run_file()
    if run is not None:
        with Client.connect(start=False, app="semanticface stop") as client:
            client.shutdown()
    if as_json:
        print_json({"stopped": run is not None})
    else:
        console().print("stopped" if run else "no backend was running")
    return ExitCode.OK
