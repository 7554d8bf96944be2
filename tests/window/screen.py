"""A display of its own in memory (Xvfb): its picture as an array, and a mouse and a keyboard that are real to X.

Knows nothing of Blender. Coordinates are pixels from the upper left corner.
"""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIZE = (1280, 900)
Picture = NDArray[np.uint8]
"""(height, width, 3): red, green, blue."""

LEFT, WHEEL_UP, WHEEL_DOWN = 1, 4, 5


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle; `right` and `bottom` lie outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def middle(self) -> tuple[int, int]:
        return (self.left + self.right) // 2, (self.top + self.bottom) // 2


class Screen:
    """Starts with the object, ends with `close`. Raises OSError or ValueError when Xvfb doesn't come up."""

    def __init__(self, folder: Path, size: tuple[int, int] = SIZE) -> None:
        self.size = size
        self._frame = folder / "Xvfb_screen0"
        reading, writing = os.pipe()
        geometry = f"{size[0]}x{size[1]}x24"
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", geometry, "-fbdir", str(folder)]
        command += ["-nolisten", "tcp", "+extension", "GLX"]
        self._server = subprocess.Popen(
            command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.display = f":{int(pipe.readline())}"  # written when the server can be connected to

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(10)

    def picture(self) -> Picture:
        """What is on the screen now."""
        data = self._frame.read_bytes()  # the format of xwd: numbers of 32 bits, the most significant byte first
        header = struct.unpack(">20I", data[:80])
        size, width, height, line, colours = header[0], header[4], header[5], header[12], header[19]
        start = size + 12 * colours
        rows = np.frombuffer(data, np.uint8, height * line, start).reshape(height, line)
        return rows[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1].copy()

    def move(self, x: int, y: int) -> None:
        self._do("mousemove", str(x), str(y))

    def click(self, x: int, y: int, button: int = LEFT, times: int = 1) -> None:
        """Move there and press a button or turn the wheel."""
        self.move(x, y)
        self._do("click", "--repeat", str(times), "--delay", "60", str(button))

    @contextlib.contextmanager
    def held_button(self) -> Iterator[None]:
        """The left button is down for a while."""
        self._do("mousedown", "1")
        yield
        self._do("mouseup", "1")

    def key(self, keys: str) -> None:
        """Press keys as xdotool names them, "ctrl+z"."""
        self._do("key", keys)

    def _do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=os.environ | {"DISPLAY": self.display}, timeout=10, check=True)


def where(mask: NDArray[np.bool_]) -> Place | None:
    """The rectangle around everything that is set, None when nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return Place(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def bands(mask: NDArray[np.bool_], least: int = 4) -> list[Place]:
    """The rectangles, from the top, around runs of at least `least` rows in which something is set."""
    full = np.concatenate([[False], mask.any(axis=1), [False]])
    edges = np.flatnonzero(full[1:] != full[:-1])
    found = []
    for top, bottom in zip(edges[::2], edges[1::2], strict=True):
        columns = np.flatnonzero(mask[top:bottom].any(axis=0))
        if bottom - top >= least:
            found.append(Place(int(columns[0]), int(top), int(columns[-1]) + 1, int(bottom)))
    return found
