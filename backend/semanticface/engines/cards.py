"""The graphics card that a model could run on, asked of the system's own tools: NVIDIA's, or Apple's.

No torch: the front asks too, and must neither load a gigabyte of libraries nor hold memory on a card. What torch itself
can do with the card only the worker finds out. This module knows nothing of engines or models.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

NVIDIA_QUERY = ("--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
TIME_LIMIT = 3.0
"""Seconds for a tool to answer; nvidia-smi takes 0.05 to 0.5 s, and hangs for good when a driver does."""
APPLE_SHARE = 0.7
"""The part of unified memory that a model may take: macOS itself recommends two thirds to three quarters."""
_HIDING = "CUDA_VISIBLE_DEVICES"
_CHOOSING = "SEMANTICFACE_DEVICE"


@dataclass(frozen=True, slots=True)
class Card:
    """`total` and `free` are bytes; on Apple silicon `free` is what may be used of the memory that all share."""

    name: str
    total: int
    free: int
    kind: str


class NoCard(Exception):
    """There is none that can be used; the text says why, as a part of a sentence."""


def find_card(environment: Mapping[str, str] = os.environ) -> Card:
    """The card that the model would be loaded onto. Takes `TIME_LIMIT` seconds at most; raises NoCard."""
    wanted = environment.get(_CHOOSING, "auto").lower()
    if wanted == "cpu":
        raise NoCard(f"{_CHOOSING} asks for the processor")
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return _apple()
    hidden = environment.get(_HIDING)
    if hidden is not None and hidden.strip() in {"", "-1"}:
        raise NoCard(f"{_HIDING} hides all cards")
    cards = _nvidia()
    place = _place(wanted, hidden)
    if place >= len(cards):
        raise NoCard(f"there is no card number {place}: nvidia-smi names {len(cards)}")
    return cards[place]


def _place(wanted: str, hidden: str | None) -> int:
    """Which of the cards torch would take: the one that is named, else the first that is not hidden."""
    index = wanted.removeprefix("cuda:")
    chosen = int(index) if index.isdecimal() else 0
    visible = [part.strip() for part in (hidden or "").split(",")]
    if all(part.isdecimal() for part in visible) and chosen < len(visible):
        return int(visible[chosen])
    return chosen


def _nvidia() -> list[Card]:
    """What nvidia-smi lists, in its order."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        raise NoCard("no NVIDIA card and no Apple silicon was found")
    cards = []
    for line in _ask(tool, *NVIDIA_QUERY).splitlines():
        parts = [part.strip() for part in line.rsplit(",", 2)]
        if len(parts) == 3 and parts[0] and parts[1].isdecimal() and parts[2].isdecimal():
            cards.append(Card(parts[0][:80], int(parts[1]) << 20, int(parts[2]) << 20, "cuda"))
    if not cards:
        raise NoCard("nvidia-smi names no card and its memory")
    return cards


def _apple() -> Card:
    text = _ask("/usr/sbin/sysctl", "-n", "hw.memsize").strip()
    if not text.isdecimal():
        raise NoCard("sysctl does not tell the size of the memory")
    return Card("Apple silicon", int(text), int(int(text) * APPLE_SHARE), "mps")


def _ask(*command: str) -> str:
    """What a tool prints. Raises NoCard when it fails or does not answer in time.

    A tool that is late is killed and hardly waited for: one that is stuck in a broken driver doesn't even die.
    """
    name = os.path.basename(command[0])  # noqa: PTH119 - of a Windows path on Windows
    flags = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, creationflags=flags
        )
    except OSError as error:
        raise NoCard(f"{name} can't be run: {error.strerror}") from error
    try:
        output, _ = process.communicate(timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        raise NoCard(f"{name} did not answer within {TIME_LIMIT:.0f} s") from None
    if process.returncode:
        raise NoCard(f"{name} fails with code {process.returncode}")
    return output.decode("utf-8", "replace")
