"""Makes takes as the Live Link Face app writes them, whose video shows each frame's number in black and white cells."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER

CELL = 16
BITS = 12
TICKS = 60_000


def picture(number: int) -> NDArray[np.uint8]:
    """(64, 192, 3) uint8: the number in binary over the whole picture, highest bit left."""
    bits = [255 if number >> (BITS - 1 - bit) & 1 else 0 for bit in range(BITS)]
    row = np.repeat(np.array(bits, np.uint8), CELL)
    return np.ascontiguousarray(np.repeat(np.tile(row, (64, 1))[:, :, None], 3, axis=2))


def number_in(image: NDArray[np.uint8]) -> int:
    """The number that `picture` drew."""
    means = image.mean(axis=2).reshape(image.shape[0], BITS, -1).mean(axis=(0, 2))
    return int("".join("1" if mean > 127 else "0" for mean in means), 2)


def number_in_file(path: Path) -> int:
    return number_in(cv2.imread(str(path)))


def coefficients(number: int, subject: str = "") -> dict[str, float]:
    """61 values, other ones left and right and for each subject; JawOpen is the frame's number / 4096."""
    values = {name: ((number * 7 + place * 13) % 100) / 100 for place, name in enumerate(CSV_ORDER)}
    return values | {"JawOpen": number / 4096, "HeadYaw": -0.25, "TongueOut": sum(map(ord, subject)) / 2048}


def timecode(seconds: Fraction, base: int = 60) -> str:
    whole = int(seconds) % 86_400
    frames = (seconds - int(seconds)) * base
    text = f"{float(round(frames * 1000) / Fraction(1000)):06.3f}"
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}:{text}"


def write_csv(path: Path, rows: Sequence[tuple[Fraction, Mapping[str, float] | None]], header: str = "") -> None:
    """Rows of (time of day, coefficients); None is a row without a face."""
    lines = [header or ",".join(("Timecode", "BlendshapeCount", *CSV_ORDER))]
    for time, values in rows:
        count = 0 if values is None else 61
        cells = ["" if values is None else f"{values[name]:.10f}" for name in CSV_ORDER]
        lines.append(",".join((timecode(time), str(count), *cells)))
    path.write_text("\n".join(lines) + "\n")


def write_mov(path: Path, times: Sequence[Fraction], start: str = "") -> None:
    """MJPEG with a frame at each time (seconds from 0), in a time base of 1/600; `start` makes a timecode track."""
    with av.open(str(path), "w", format="mov") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = BITS * CELL, 64, "yuvj420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 600)
        if start:
            stream.metadata["timecode"] = start
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = round(time * 600), Fraction(1, 600)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@dataclass
class TakeMaker:
    """A take of `frames` frames at 30 a second from `start` (seconds of the day); each test bends what it is about.

    `row_of(time)` gives the coefficients recorded at a time since the start; the default says which frame it is.
    """

    folder: Path
    subject: str = "anna"
    frames: int = 90
    start: Fraction = Fraction(36_000)
    row_rate: Fraction = Fraction(30)
    calibrated: bool | None = True
    date: str = "2026-03-05T09:00:00Z"
    log: bool = True
    timecode_track: str = ""
    log_base: int = 60
    lost: tuple[int, ...] = ()
    closed_up: bool = False  # the video's own times hide what was lost, as in a conformed copy
    rows: Callable[[list], list] = field(default=lambda rows: rows)

    def make(self) -> Path:
        self.folder.mkdir(parents=True)
        prefix = f"scene_1_{self.subject}"
        captured = [n for n in range(self.frames) if n not in self.lost]
        write_mov(
            self.folder / f"{prefix}.mov",
            [Fraction(place if self.closed_up else n, 30) for place, n in enumerate(captured)],
            self.timecode_track,
        )
        count = int(self.frames * self.row_rate / 30)
        rows = [
            (self.start + n / self.row_rate, coefficients(round(n * 30 / self.row_rate), self.subject))
            for n in range(count)
        ]
        write_csv(self.folder / f"{prefix}.csv", self.rows(rows))
        about = {"version": 1, "slate": "scene", "take": 1, "subject": self.subject, "date": self.date}
        about |= {"deviceModel": "iPhone", "frames": self.frames}
        if self.calibrated is not None:
            about["calibrated"] = self.calibrated
        (self.folder / "take.json").write_text(json.dumps(about))
        (self.folder / "video_metadata.json").write_text(json.dumps({"FrameRate": 30}))
        if self.log:
            self._write_log()
        return self.folder

    def _write_log(self) -> None:
        lines = []
        for n in range(self.frames):
            label = timecode(self.start + Fraction(n, 30), self.log_base)
            lines.append(f"V,{n},{500_000 + n * 20},600,{label},{int(n in self.lost)}")
            lines.append(f"A,{n},{500_000 + n * 20},600,{label},0")
        (self.folder / "frame_log.csv").write_text("\n".join(lines) + "\n")
