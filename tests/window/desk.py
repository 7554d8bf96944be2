"""A Blender with a window of its own and the add-on enabled, as the tests use it: questions, and clicks at real places.

A place is found by colour: the guest (guest/places.py) paints a button, a tab or the panels' headers, the difference
shows on the screen, and the guest paints it back before the click.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zmq
from numpy.typing import NDArray
from screen import WHEEL_DOWN, WHEEL_UP, Picture, Place, Screen, bands, where

ROOT = Path(__file__).resolve().parents[2]
GUEST = Path(__file__).with_name("guest") / "control.py"
ADDON = "semanticface_addon"
CATEGORY = "SemanticFace"
REDRAWN = 0.15
"""Seconds until what Blender has drawn is in the display's memory: 0.05 was always enough on two busy cores."""


class Desk:
    """A Blender process on a screen. `environment` reaches the backend that the add-on starts, too."""

    def __init__(self, blender: str, screen: Screen, folder: Path, modules: Path, environment: dict[str, str]) -> None:
        self.screen = screen
        self.log = folder / "blender.log"
        _install_addon(folder / "scripts")
        address = f"ipc://{folder}/c"
        paths = os.pathsep.join(map(str, (modules, ROOT / "backend")))
        variables = os.environ | environment | {
            "DISPLAY": screen.display,
            "BLENDER_USER_SCRIPTS": str(folder / "scripts"),
            "BLENDER_USER_CONFIG": str(folder),
            "PYTHONPATH": paths,
        }  # fmt: skip
        geometry = ["--window-geometry", "0", "0", *map(str, screen.size), "--no-window-focus"]
        options = ["--factory-startup", "--python-use-system-env", *geometry, "-P", str(GUEST), "--", address, ADDON]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([blender, *options], env=variables, stdout=log, stderr=log)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.linger = 0
        self._socket.connect(address)

    def close(self) -> None:
        """Whatever still runs ends."""
        self._socket.close(0)
        self._context.term()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    def ask(self, function: str, timeout: float = 60.0, **arguments: Any) -> Any:
        """What a function of the guest returns. Raises AssertionError with its traceback, or when Blender is gone."""
        self._socket.send_string(json.dumps({"call": function, "with": arguments}))
        end = time.monotonic() + timeout
        while not self._socket.poll(200):
            assert self.process.poll() is None, f"Blender ended with {self.process.poll()}: {self.tail()}"
            assert time.monotonic() < end, f"no answer to {function} within {timeout} s: {self.tail()}"
        answer = json.loads(self._socket.recv())
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def state(self) -> dict[str, Any]:
        return self.ask("asked:state")

    def until(self, condition: Callable[[dict[str, Any]], bool], timeout: float = 60.0) -> dict[str, Any]:
        """The state as soon as the condition holds of it."""
        end = time.monotonic() + timeout
        while not condition(state := self.state()):
            assert time.monotonic() < end, f"still {state}: {self.tail()}"
            time.sleep(0.05)
        return state

    def text(self) -> str:
        """Everything that the open panels draw, labels joined to one text."""
        lines = [line for panel in self.ask("places:drawn").values() for line in panel]
        return " ".join(" ".join(line.removeprefix("label ") for line in lines).split())

    def picture(self) -> Picture:
        self.ask("places:redraw")
        time.sleep(REDRAWN)
        return self.screen.picture()

    def region(self, name: str) -> Place:
        left, top, width, height = self.ask("places:regions")[name]
        return Place(left, top, left + width, top + height)

    def click(self, place: Place) -> None:
        """Move the mouse into the middle of a place, and press its button when Blender has seen the mouse there."""
        self.screen.move(*place.middle)
        self._be_seen()
        self.screen.click(*place.middle)
        self._be_seen()

    def _be_seen(self) -> None:
        """Wait until Blender has been through its events a few times."""
        for _ in range(3):
            time.sleep(0.1)
            self.ask("asked:hello")

    def hover(self) -> None:
        """Put the mouse over the middle of the viewport, where keys mean the viewport's."""
        view = self.region("WINDOW")
        self.screen.move(view.left + 200, view.middle[1])
        self._be_seen()

    def show_sidebar(self, wider: int = 0) -> None:
        """Open the sidebar of the viewport on our tab, by a click on the tab; make it wider with the mouse."""
        self.hover()
        self.screen.key("n")
        self._settle(lambda: self.region("UI").right - self.region("UI").left > 20)
        self.open_tab()
        if wider:
            self._widen(wider)

    def _widen(self, pixels: int) -> None:
        """Drag the sidebar's edge, which is some pixels within the region and two pixels wide."""
        before = self.region("UI")
        for inside in (7, 6, 8, 5, 4, 2, 0):
            x, y = before.left + inside, before.top + 300
            self.screen.move(x, y)
            self._be_seen()
            with self.screen.held_button():
                for part in range(1, 4):
                    self.screen.move(x - pixels * part // 3, y)
                    self._be_seen()
            if self.region("UI").left < before.left:
                return
        raise AssertionError("the sidebar's edge can't be dragged")

    def open_tab(self) -> None:
        """Click the lowest tab, which is ours: it was added last."""
        tabs = [*self._painted("tab_inactive"), *self._painted("tab_active")]
        lowest = max(tabs, key=lambda tab: tab.bottom)
        self.click(lowest)
        self._settle(lambda: bool(self.ask("places:drawn")))

    def headers(self) -> list[Place]:
        """The headers of the panels that are in sight, from the top."""
        return self._painted("header")

    def close_panels(self) -> list[str]:
        """Close every panel by clicks on the headers; their labels, from the top."""
        self.scroll(-40)
        labels: list[str] = []
        while len(headers := self.headers()) > len(labels):
            before = set(self.ask("places:drawn"))
            self.click(headers[len(labels)])
            self.hover()
            after = set(self.ask("places:drawn"))
            if after > before:  # it was closed
                self.click(headers[len(labels)])
                self.hover()
            labels.append(self.ask("asked:outermost", labels=sorted(before ^ after)))
        return labels

    def toggle(self, number: int) -> Place:
        """Click the n-th header, all panels above it being closed; the place of the panel then, header included."""
        before = set(self.ask("places:drawn"))
        header = self.headers()[number]

        def toggled() -> bool:
            self.click(header)
            self.hover()
            return set(self.ask("places:drawn")) != before

        self._settle(toggled)
        return self.place_of_panel(number)

    def place_of_panel(self, number: int) -> Place:
        """Where the n-th panel is, header included, all panels above it being closed."""
        headers, side = self.headers(), self.region("UI")
        bottom = headers[number + 1].top if number + 1 < len(headers) else side.bottom
        return Place(side.left, headers[number].top, headers[number].right + 8, bottom)

    def open_part(self, panel: Place, label: str) -> None:
        """Open a closed panel within an open one by a click on its header, which is one of the lowest rows."""
        for row in range(1, 8):
            header = Place(panel.left, panel.bottom - 26 * row - 2, panel.right, panel.bottom - 26 * (row - 1) - 2)
            self.click(header)
            self.hover()
            if label in self.ask("places:drawn"):
                return
            self.click(header)
        raise AssertionError(f"{label} did not open: {self.text()}")

    def _painted(self, part: str) -> list[Place]:
        self.ask("places:paint", part=part)
        time.sleep(REDRAWN)
        picture = self.screen.picture().astype(int)
        self.ask("places:unpaint", part=part)
        side = self.region("UI")
        mask = np.zeros(picture.shape[:2], bool)
        inside = picture[side.top : side.bottom, side.left : side.right]
        mask[side.top : side.bottom, side.left : side.right] = (
            (inside[..., 0] > 150) & (inside[..., 1] < 100) & (inside[..., 2] > 150)
        )
        return bands(mask)

    def find(self, operator: str, text: str = "") -> Place | None:
        """Where a button or field is now, None when it isn't in sight."""
        before = _redness(self.picture())
        self.ask("places:mark", operator=operator, text=text)
        time.sleep(REDRAWN)
        marked = _redness(self.screen.picture())
        self.ask("places:unmark")
        time.sleep(REDRAWN)
        after = _redness(self.screen.picture())
        changed = (np.abs(marked - before) > 25) & (np.abs(marked - after) > 25)  # not what moves by itself meanwhile
        changed[:, : self.region("UI").left] = False
        return where(changed)

    def scroll(self, notches: int) -> None:
        """Turn the mouse wheel over the sidebar; downwards when positive."""
        self.screen.click(*self.region("UI").middle, WHEEL_DOWN if notches > 0 else WHEEL_UP, abs(notches))
        self._be_seen()

    def place_of(self, operator: str, text: str = "") -> Place:
        """Scroll until a button is in sight; raises AssertionError when it is nowhere."""
        found = self.find(operator, text)
        if found is not None and found.bottom - found.top >= 12:
            return found
        self.scroll(-40)
        for _ in range(12):
            found = self.find(operator, text)
            if found is not None and found.bottom - found.top >= 12:
                return found
            self.scroll(5)
        raise AssertionError(f"{operator} {text} is not in the sidebar, which says: {self.text()}")

    def press(self, operator: str, text: str = "") -> None:
        """Click a button of ours with the mouse, wherever it is in the sidebar."""
        place = self.place_of(operator, text)
        self.click(place)
        self.hover()

    def undo(self) -> None:
        self.hover()
        self.screen.key("ctrl+z")
        self._be_seen()

    def redo(self) -> None:
        self.hover()
        self.screen.key("ctrl+shift+z")
        self._be_seen()

    def _settle(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, f"nothing happened in the window: {self.tail()}"
            time.sleep(0.2)


def _redness(picture: Picture) -> NDArray[np.int16]:
    """How much more red than green each pixel is."""
    return picture[..., 0].astype(np.int16) - picture[..., 1]


def _install_addon(scripts: Path) -> None:
    """The add-on in the form of versions before 4.2, which have no extensions."""
    folder = scripts / "addons" / ADDON
    shutil.copytree(ROOT / "blender_addon", folder, ignore=shutil.ignore_patterns("__pycache__"))
    entry = folder / "__init__.py"
    info = 'bl_info = {"name": "SemanticFace", "blender": (3, 4, 0), "category": "Animation", "version": (0, 1, 0)}'
    entry.write_text(re.sub(r"\n(from importlib)", rf"\n{info}\n\1", entry.read_text(), count=1))


def kill(pid: int) -> None:
    """End a process as a crash would."""
    os.kill(pid, signal.SIGKILL)
