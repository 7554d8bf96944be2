"""Script of test_blender_package.py: the built zip in a profile of its own, as a user would install it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import bpy

MODULE = "bl_ext.user_default.semanticface"


def extensions(folder: str) -> bool:
    """Whether this Blender installs extensions at all."""
    return hasattr(bpy.types, "EXTENSIONS_OT_package_install_files") or "package_install_files" in dir(
        bpy.ops.extensions
    )


def install(folder: str, zip_file: str) -> dict[str, Any]:
    """Install, enable, analyze with a head of its own, disable, enable, uninstall."""
    had = importlib.util.find_spec("semanticface") is not None
    bpy.ops.wm.read_factory_settings(use_empty=True)
    done = bpy.ops.extensions.package_install_files(filepath=zip_file, repo="user_default", enable_on_install=True)
    import zmq

    import semanticface

    here = [name for name in ("semanticface", "zmq") if ".local" in Path(sys.modules[name].__file__ or "").parts]
    order = importlib.import_module(MODULE + ".backend.installing").order_of(bpy.context, "install", None, False)
    registered = [name for name in dir(bpy.types) if name.startswith("SEMANTICFACE_")]
    keyed = _analyze(folder)
    addon = bpy.context.preferences.addons[MODULE]
    addon.preferences.backend_command = "/somewhere/python"
    bpy.ops.preferences.addon_disable(module=MODULE)
    left = [name for name in dir(bpy.types) if name.startswith("SEMANTICFACE_")]
    bpy.ops.preferences.addon_enable(module=MODULE)
    again = hasattr(bpy.types, "SEMANTICFACE_PT_analyze")
    bpy.ops.preferences.addon_disable(module=MODULE)
    return {
        "done": list(done),
        "had": had,
        "bundled": here,
        "versions": [semanticface.__version__, zmq.__version__],
        "registered": registered,
        "left": left,
        "package": order.package.name if order.package is not None and order.package.is_file() else "",
        "keep_out": [str(place) for place in order.keep_out],
        "again": again,
        **keyed,
    }


def _analyze(folder: str) -> dict[str, Any]:
    bpy.ops.semanticface.add_demo_head()
    settings = bpy.context.scene.semanticface
    clip = Path(folder) / "clip.mp4"
    clip.write_bytes(b"x")
    settings.source, settings.filepath = "FILE", str(clip)
    finished = bpy.ops.semanticface.analyze_footage()
    session = importlib.import_module(MODULE + ".session").current()
    return {"finished": list(finished), "notes": list(session.notes), "take": settings.last_take}
