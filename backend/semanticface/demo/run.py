"""`semanticface demo`: the main job on the shipped sample, step by step, each step named as it runs.

Sample video -> backend -> take -> Live Link Face CSV -> Blender file with keyed head -> preview video, and the error
against the sample's exact truth. What can't run here (no bpy, a missing system library) is named with what to
install, and everything else still runs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from semanticface import assets
from semanticface.client import Client
from semanticface.demo.compare import RegionError, compare
from semanticface.errors import InputError
from semanticface.exchange.livelink_csv import read_livelink_csv, write_livelink_csv
from semanticface.take import Take, is_take, read_header, read_take

CLIP, TRUTH = "rom_head.mp4", "rom_head.csv"
BLENDER_TIMEOUT = 240.0


def checkout() -> Path:
    """The repository that this package was installed from in editable form."""
    return Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What was made: `files` to look at, `errors` against the truth, `rows` in the CSV, `seconds` for all of it."""

    files: tuple[Path, ...]
    errors: tuple[RegionError, ...]
    rows: int
    seconds: float


Say = Callable[[str], None]
"""Called with a line for people as each step ends."""


def run_demo(out: Path, sample: Path | None, say: Say) -> DemoReport:
    """Run all steps and write into `out`. Where only Blender can't run, its files are left out and the reason is said.

    Raises InputError when the sample is absent, and what the backend raises.
    """
    samples = sample or checkout() / "samples"
    if not (samples / CLIP).is_file():
        raise InputError(f"the sample {samples / CLIP} is not there", "run from a checkout or give --sample")
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    take = _analyze(samples / CLIP, out / "take", say)
    csv = write_livelink_csv(out / "rom_head.csv", take.results, rate=take.header.rate)
    errors = _errors(take, samples / TRUTH)
    with tempfile.TemporaryDirectory(prefix="semanticface-demo-") as frames:
        blend = _blender(samples / CLIP, out, Path(frames), say)
        preview = _preview(samples / CLIP, take, Path(frames), out / "preview.mp4") if blend else None
    files = (out / "take", out / "rom_head.csv", *(path for path in (blend, preview) if path))
    return DemoReport(files, tuple(errors), csv.rows, time.monotonic() - started)


def _analyze(clip: Path, folder: Path, say: Say) -> Take:
    model = assets.FACE_LANDMARKER
    if assets.locate(model) is None:
        say(f"fetching {model.name} ({model.size / 1e6:.1f} MB, {model.licence})")
        assets.pull(model)
    if is_take(folder) and Path(str(read_header(folder).source.get("path"))).name == clip.name:
        shutil.rmtree(folder)  # an earlier demonstration's; any other folder is the user's, and the backend refuses it
    with Client.connect(app="semanticface demo") as client:
        began = time.monotonic()
        results = list(client.analyze(str(clip), take=str(folder.absolute())))
        say(f"analyzed {len(results)} frames in {time.monotonic() - began:.1f} s through the backend")
    return read_take(folder)


def _errors(take: Take, truth: Path) -> list[RegionError]:
    rows = read_livelink_csv(truth).rows
    exact = {index: row.coefficients for index, row in enumerate(rows) if row.coefficients is not None}
    found = {result.frame: result.coefficients for result in take.results if result.coefficients is not None}
    return compare(found, exact)


def _blender(clip: Path, out: Path, frames: Path, say: Say) -> Path | None:
    """Key the take onto the demo head in a Blender process of its own; None where Blender can't run."""
    blend = out / "demo.blend"
    command = [sys.executable, "-m", "semanticface.demo.blend", "--addon", str(checkout()), "--take", str(out / "take")]
    command += ["--clip", str(clip), "--blend", str(blend), "--frames", str(frames)]
    began = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=BLENDER_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        say(f"Blender did not finish within {BLENDER_TIMEOUT:.0f} s and was left out")
        return None
    if done.returncode != 0:
        tail = (done.stdout + done.stderr).strip().splitlines()[-6:]
        say("the Blender part was left out: " + "\n  ".join(tail))
        return None
    say(f"keyed the head and rendered it in {time.monotonic() - began:.1f} s")
    return blend


def _preview(clip: Path, take: Take, rendered: Path, path: Path) -> Path:
    import cv2
    import numpy as np

    from semanticface.demo.preview import Image, compose, write_video
    from semanticface.media.reader import open_media
    from semanticface.media.source import MediaRef

    def frames() -> Iterator[Image]:
        results = take.by_frame()
        with open_media(MediaRef.from_user(str(clip))) as reader:
            for picture in reader.read(sorted(results)):
                head = cv2.imread(str(rendered / f"{picture.frame:05d}.png"), cv2.IMREAD_COLOR_RGB)
                analysis = results[picture.frame].analysis
                if picture.image is None or head is None or analysis is None:
                    continue
                lines = [f"{region}: {text}" for region, text in analysis.muscle_movements.items()]
                title = f"{picture.frame:3d}  {analysis.expression_category}"
                yield compose(picture.image, np.asarray(head, np.uint8), title, lines)

    if take.header.rate is None:
        raise InputError(f"{clip} has no frame rate")
    write_video(path, frames(), take.header.rate)
    return path
