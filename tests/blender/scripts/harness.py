"""Register the add-on, call a function, report what it returns, leave.

`python harness.py MODULE:FUNCTION JSON` in a Python that has bpy, `blender -b -P harness.py -- MODULE:FUNCTION JSON`.

Always leaves through os._exit after unregistering: the bpy module may crash or hang in its own clean-up.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def main(target: str, call: str) -> int:
    sys.path[:0] = [str(HERE), str(ROOT), str(ROOT / "backend")]
    import blender_addon

    module, function = target.split(":")
    bare = module.startswith("package")  # that one installs the built extension instead
    if bare:
        sys.path[:] = [entry for entry in sys.path if entry not in {str(ROOT), str(ROOT / "backend")}]
        for name in [name for name in sys.modules if name.split(".")[0] in {"blender_addon", "semanticface"}]:
            del sys.modules[name]
    else:
        blender_addon.register()
    try:
        result = getattr(importlib.import_module(module), function)(**json.loads(call))
        print("\nharness-result " + json.dumps(result), flush=True)
        return 0
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        if not bare:
            blender_addon.unregister()


if __name__ == "__main__":
    code = 1
    try:
        code = main(*sys.argv[-2:])
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
