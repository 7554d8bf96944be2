"""Runs inside Blender: enables the add-on and answers the test's calls from a timer, one at a time.

`blender -P control.py -- ADDRESS MODULE`: a REP socket at ADDRESS; a call is JSON, {"call": "module:function", "with":
{...}}, answered by {"value": ...} or {"error": traceback}. Functions stand in the modules beside this one.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

import addon_utils
import bpy
import zmq

INTERVAL = 0.01


def main(address: str, module: str) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    importlib.import_module("watch").prepare()
    importlib.import_module("asked").choose(module)
    socket = zmq.Context.instance().socket(zmq.REP)
    socket.linger = 0
    socket.bind(address)
    bpy.context.preferences.view.show_splash = False
    addon_utils.enable(module, default_set=True)

    def serve() -> float:
        try:
            request = json.loads(socket.recv(zmq.NOBLOCK))
        except zmq.Again:
            return INTERVAL
        socket.send_string(json.dumps(_answer(request)))
        return INTERVAL

    bpy.app.timers.register(serve, first_interval=0.5, persistent=True)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        name, function = request["call"].split(":")
        return {"value": getattr(importlib.import_module(name), function)(**request["with"])}
    except BaseException:
        return {"error": traceback.format_exc()}


main(*sys.argv[-2:])
