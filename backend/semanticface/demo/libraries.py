"""Which system libraries the bpy wheel still lacks on this Linux, and which Debian package brings each."""

from __future__ import annotations

import ctypes
import sys

_PACKAGES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
}
"""Library to package; libEGL with Mesa is needed to render only."""


def missing_libraries() -> dict[str, str]:
    """Library name -> Debian package, for those that the loader can't find; empty off Linux."""
    if not sys.platform.startswith("linux"):
        return {}
    missing = {}
    for library, package in _PACKAGES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing[library] = package
    return missing
