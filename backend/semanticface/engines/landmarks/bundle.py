"""The model bundle: three networks and the canonical face out of one zip file, run by LiteRT.

`Networks` holds one set of interpreters, which one thread may use at a time. It takes and gives plain arrays;
what they mean is said in `detector` and `mesh`.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from semanticface.engines.landmarks.geometry import CanonicalFace, read_canonical_face
from semanticface.errors import AssetError

Floats = NDArray[np.float32]

DETECTOR_SIZE = 128
MESH_SIZE = 256
_DETECTOR = "face_detector.tflite"
_MESH = "face_landmarks_detector.tflite"
_BLENDSHAPES = "face_blendshapes.tflite"
_GEOMETRY = "geometry_pipeline_metadata_landmarks.binarypb"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The bytes of the three networks and the canonical face."""

    detector: bytes
    mesh: bytes
    blendshapes: bytes
    canonical: CanonicalFace


def read_bundle(path: Path) -> Bundle:
    """Read `face_landmarker.task`. Raises AssetError when it is no such bundle."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = [archive.read(name) for name in (_DETECTOR, _MESH, _BLENDSHAPES, _GEOMETRY)]
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        hint = "run `semanticface models verify`"
        raise AssetError(f"{path} is not a face landmark bundle: {error}", hint) from error
    return Bundle(parts[0], parts[1], parts[2], read_canonical_face(parts[3]))


class _Network:
    """One interpreter. Tensors are copied in and out by hand: LiteRT refuses to run while a view is alive."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        details: list[dict[str, Any]] = self._interpreter.get_output_details()
        self._outputs = {tuple(int(n) for n in detail["shape"]): int(detail["index"]) for detail in details}

    def feed(self, values: NDArray[Any], scale: float = 1.0, shift: float = 0.0) -> None:
        """Write `values * scale + shift` as float32 into the input, without an array in between."""
        view = self._interpreter.tensor(self._input)()[0]
        np.multiply(values, np.float32(scale), out=view, dtype=np.float32)
        if shift:
            view += np.float32(shift)

    def run(self) -> None:
        self._interpreter.invoke()

    def output(self, *shape: int) -> Floats:
        """A copy of the output with that shape. Networks of the bundle differ in the shapes of their outputs."""
        out: Floats = self._interpreter.get_tensor(self._outputs[shape])
        return out


class Networks:
    """The three networks of one thread. About 25 MB and 60 ms to build, so sessions hand them on."""

    def __init__(self, bundle: Bundle) -> None:
        self._detector = _Network(bundle.detector)
        self._mesh = _Network(bundle.mesh)
        self._blendshapes = _Network(bundle.blendshapes)

    def detect(self, crop: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """(896, 16) box regressors and (896,) score logits for a (128, 128, 3) RGB crop."""
        self._detector.feed(crop, 2 / 255, -1.0)
        self._detector.run()
        return self._detector.output(1, 896, 16)[0], self._detector.output(1, 896, 1)[0, :, 0]

    def mesh(self, crop: NDArray[np.uint8]) -> tuple[Floats, float, float]:
        """(478, 3) points in crop pixels, presence logit and tongue score for a (256, 256, 3) RGB crop."""
        self._mesh.feed(crop, 1 / 255)
        self._mesh.run()
        points = self._mesh.output(1, 1, 1, 1434).reshape(478, 3)
        return points, float(self._mesh.output(1, 1, 1, 1)[0, 0, 0, 0]), float(self._mesh.output(1, 1)[0, 0])

    def blendshapes(self, points: Floats) -> Floats:
        """(52,) scores in [0, 1] for (146, 2) points in pixels of the picture."""
        self._blendshapes.feed(points)
        self._blendshapes.run()
        return self._blendshapes.output(52)
