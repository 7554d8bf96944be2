"""Make the shipped sample: a clip of a rendered head and the exact coefficients of each of its frames.

    python -m semanticface_training.synthetic.sample --ict ict_facekit.npz --recording alex_rom_3.csv --out samples/

Frames are drawn at twice the clip's size and averaged down. The drawing happens in a process of its own (bpy may
hang at exit). Writes `rom_head.mp4` and `rom_head.csv`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.errors import EngineError, MediaError, SemanticFaceError
from semanticface.exchange.livelink_csv import write_livelink_csv
from semanticface.results import FrameResult, Status
from semanticface_training.synthetic.ict import load_head, pose
from semanticface_training.synthetic.motion import read_recording, sample_truth

RATE = 30
SIZE = 640
OVERSAMPLING = 2
CRF = 22
"""x264's quality: the clip stays under 1 MB."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line entry: render, encode, write the truth."""
    parser = argparse.ArgumentParser(description="Render the sample clip and its exact coefficients.")
    parser.add_argument("--ict", type=Path, required=True, help="ict_facekit.npz, the packed ICT-FaceKit model")
    parser.add_argument("--recording", type=Path, required=True, help="alex_rom_3.csv, a Live Link Face recording")
    parser.add_argument("--out", type=Path, default=Path("samples"), help="folder for rom_head.mp4 and rom_head.csv")
    parser.add_argument("--draw-into", type=Path, help=argparse.SUPPRESS)  # the drawing process's own argument
    options = parser.parse_args(arguments)
    try:
        if options.draw_into is not None:
            draw(options.ict, options.recording, options.draw_into)
        make(options.ict, options.recording, options.out)
    except SemanticFaceError as error:
        raise SystemExit(str(error)) from error


def make(ict: Path, recording: Path, out: Path) -> None:
    """Write `rom_head.mp4` and `rom_head.csv` into `out`. Raises SemanticFaceErrors for inputs and for drawing."""
    truth = sample_truth(read_recording(recording), RATE)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        print(f"drawing {len(truth)} frames, about half a second each", file=sys.stderr)
        _draw_apart(ict, recording, folder)
        encode(_pictures(Path(folder), len(truth)), out / "rom_head.mp4")
    write_truth(truth, out / "rom_head.csv")


def _draw_apart(ict: Path, recording: Path, folder: str) -> None:
    """Run `draw` in its own process. Raises EngineError with what that process last said when it failed."""
    command = [sys.executable, "-m", "semanticface_training.synthetic.sample", "--draw-into", folder]
    inputs = ["--ict", str(ict), "--recording", str(recording)]
    done = subprocess.run([*command, *inputs], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise EngineError(f"drawing the frames failed: {last[0]}", "it needs the bpy module and Mesa's libEGL")


def draw(ict: Path, recording: Path, folder: Path) -> None:
    """Draw all frames as `<frame>.png` into `folder`, then end this process: bpy can't be trusted to exit."""
    from semanticface_training.synthetic.scene import Scene

    head = load_head(ict)
    scene = Scene(head, SIZE * OVERSAMPLING)
    for frame, coefficients in enumerate(sample_truth(read_recording(recording), RATE)):
        scene.render(pose(head, coefficients), folder / f"{frame:05d}.png")
    os._exit(0)


def _pictures(folder: Path, count: int) -> Iterator[NDArray[np.uint8]]:
    """The drawn frames averaged down to SIZE, BGR uint8. Raises MediaError when the drawing stopped early."""
    for frame in range(count):
        large = cv2.imread(str(folder / f"{frame:05d}.png"))
        if large is None:
            raise MediaError(f"frame {frame} of {count} wasn't drawn", "is the temporary folder's disk full?")
        yield np.asarray(cv2.resize(large, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)


def encode(pictures: Iterable[NDArray[np.uint8]], path: Path) -> None:
    """Write BGR pictures as H.264 in MP4, 4:2:0, limited range, BT.709, all tagged so."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": str(CRF), "preset": "slow"})
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, RATE)
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = 1  # BT.709
        context.color_range = 1  # limited
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_truth(truth: Sequence[dict[str, float]], path: Path) -> None:
    """Write the coefficients as a Live Link Face CSV whose timecode starts at 00:00:00:00.000."""
    rows = (FrameResult(frame=k, time=k / RATE, status=Status.OK, coefficients=row) for k, row in enumerate(truth))
    write_livelink_csv(path, rows)


if __name__ == "__main__":
    main()
