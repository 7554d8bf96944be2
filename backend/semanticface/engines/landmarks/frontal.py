"""Landmarks turned to the front: head pose, distance and place taken out, so that what is left is shape and expression.

The canonical face's weighted points (those that MediaPipe's own pose fits) are laid onto the landmarks by a similarity,
which is then undone for all of them. Weak perspective: exact for a long lens, about a percent off at arm's length.
This module knows nothing of pictures, scores and names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.engines.landmarks.geometry import CanonicalFace, Matrix, fit_similarity

_IMAGE_TO_SPACE = np.array([1.0, -1.0, -1.0])  # pixels go down and depth goes away; space goes up and to the viewer


class Frontaliser:
    """The canonical face's weighted points, ready to be fitted."""

    def __init__(self, face: CanonicalFace) -> None:
        self._index = np.flatnonzero(face.weights)
        self._source = face.vertices[self._index]
        self._weights = face.weights[self._index]

    def __call__(self, pixels: NDArray[Any]) -> tuple[Matrix, Matrix]:
        """((478, 3) landmarks in the canonical face's frame, in cm, and the (3, 3) rotation from it to the camera).

        `pixels` are (478, 3) landmarks as `mesh.Mesh` has them. The frame: x to the subject's left, y up, z out of
        the face.
        """
        points = np.asarray(pixels, np.float64) * _IMAGE_TO_SPACE
        scale, rotation, translation = fit_similarity(self._source, points[self._index], self._weights)
        return (points - translation) @ rotation / scale, rotation
