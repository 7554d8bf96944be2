"""MediaPipe's own FaceLandmarker in a process of its own, fed through shared memory.

Stands alone: `bench.reference` starts it by its path, with a Python that has `mediapipe` and no `semanticface`. Reads
one JSON order a line from standard input, answers one JSON line. Video mode, one face, blendshapes and pose, all
thresholds at their default of 0.5.

Arguments: model file, file of pictures (uint8), file of answers (float64, one row of 69 a picture: presence, 52
scores, 16 numbers of the pose matrix).
"""

import importlib
import json
import os
import sys
import time
from typing import Any

import numpy as np

mp: Any = importlib.import_module("mediapipe")  # where this runs it is there; where our code is checked it is not

ROW = 69


def landmarker(model: str) -> Any:
    """A fresh landmarker in video mode."""
    options = mp.tasks.vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=model),
        running_mode=mp.tasks.vision.RunningMode.VIDEO,
        num_faces=1,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    return mp.tasks.vision.FaceLandmarker.create_from_options(options)


def fill(row: Any, answer: Any) -> None:
    """One answer as a row of numbers."""
    row[:] = 0
    if answer.face_blendshapes:
        row[0] = 1
        row[1:53] = [category.score for category in answer.face_blendshapes[0]]
        row[53:] = np.asarray(answer.facial_transformation_matrixes[0]).ravel()


def obey(order: dict[str, Any], task: Any, pictures_path: str, answers_path: str) -> dict[str, Any]:
    """Run one chunk. CPU and wall time cover detection alone; pictures are in memory before the clock starts."""
    shape = tuple(order["shape"])
    pictures = np.array(np.memmap(pictures_path, np.uint8, "r", shape=shape))
    answers = np.memmap(answers_path, np.float64, "r+", shape=(shape[0], ROW))
    got = []
    cpu, wall = time.process_time(), time.perf_counter()
    for picture, stamp in zip(pictures, order["stamps"]):  # noqa: B905 - any Python that has mediapipe
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
        got.append(task.detect_for_video(image, stamp))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    for row, answer in zip(answers, got):  # noqa: B905
        fill(row, answer)
    answers.flush()
    return {"cpu": cpu, "wall": wall}


def main() -> None:
    model, pictures_path, answers_path = sys.argv[1:4]
    print(json.dumps({"ready": True, "version": mp.__version__}), flush=True)
    tasks_made: list[Any] = []  # kept: closing one makes MediaPipe 1.x report over the network
    for line in sys.stdin:
        order = json.loads(line)
        if order["fresh"] or not tasks_made:
            tasks_made.append(landmarker(model))
        print(json.dumps(obey(order, tasks_made[-1], pictures_path, answers_path)), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
