"""One face through the frames of a video, or through unrelated stills: the engine's state machine without its frame.

In a video the face is chosen once and then followed: each frame's region comes from the frame before, the
detector rests. A frame in which the followed region holds no face has no result, and the next one looks again, as
MediaPipe's video mode does it. Smoothing acts on the landmarks, so scores and pose follow from steadied points, while
the next region comes from the raw ones. Knows nothing of names, texts or sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.engines.base import FrameInput
from semanticface.engines.landmarks.bundle import Networks
from semanticface.engines.landmarks.choosing import Choice, InBox, Largest, Nth
from semanticface.engines.landmarks.detector import Face, detect, distinct, whole_picture
from semanticface.engines.landmarks.geometry import HeadAngles, PoseSolver, head_angles
from semanticface.engines.landmarks.mesh import Crop, Mesh, blendshape_scores, find_mesh
from semanticface.engines.landmarks.sampling import Image, Region, crop_exact, crop_fast
from semanticface.engines.landmarks.search import search_closer
from semanticface.engines.landmarks.smoothing import OneEuro

COUNT_EVERY = 30
"""Source frames between two counts of the faces while one is followed (about 0.1 ms a frame)."""
SEARCH_EVERY = 15
"""Source frames between two closer searches while a clip shows no face (about 6 ms a frame)."""
_ASSUMED_RATE = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """The options as the tracker uses them."""

    choice: Choice
    smoothing: bool
    small_faces: bool
    min_detection: float
    min_presence: float
    max_faces: int

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Settings:
        """From options that `options.complete` has checked."""
        face = options["face"]
        choice: Choice = Largest()
        if isinstance(face, int):
            choice = Nth(face)
        elif not isinstance(face, str):
            x, y, width, height = face
            choice = InBox((x, y, x + width, y + height))
        names = ("smoothing", "small_faces", "min_detection", "min_presence", "max_faces")
        return cls(choice, *(options[name] for name in names))


@dataclass(frozen=True, slots=True)
class Sighting:
    """The chosen face in one frame. `pixels` (478, 3) are steadied; `scores` (52,); `box` x, y, width, height."""

    pixels: NDArray[np.float64]
    scores: NDArray[np.float32]
    head: HeadAngles
    presence: float
    tongue: float
    box: tuple[float, float, float, float]


class Tracker:
    """Frames in order into sightings. `faces` is the count that belongs to the last frame (see `Tracker.faces`)."""

    def __init__(self, networks: Networks, pose: PoseSolver, settings: Settings, video: bool) -> None:
        self.networks = networks
        self._pose = pose
        self._settings = settings
        self._video = video
        self._filter = OneEuro()
        self._region: Region | None = None
        self._last: int | None = None
        self._just_lost = False
        self._found_closer = False
        self.faces = 0
        """How many faces the detector saw when it last looked: in this frame for a still; in a video when the
        face was found, and again whenever COUNT_EVERY source frames have passed (a face that only the closer
        search finds keeps the count of that search). Detections that proved to be no face don't count."""

    def look(self, frame: FrameInput) -> Sighting | None:
        """The chosen face in this frame, or None when it isn't there."""
        image = frame.image
        if self._region is None:
            mesh = self._acquire(image, self._may_search(frame.frame))
        else:
            mesh = self._follow(image, self._region, frame.frame)
        self._last = frame.frame
        if mesh is None:
            self._just_lost = self._region is not None
            self._region = None
            self._filter.reset()
            return None
        if self._video:
            self._region = mesh.next_region()
        return self._sighting(image, mesh, frame)

    def _passed(self, frame: int, every: int) -> bool:
        """Whether a multiple of `every` lies between the last frame and this one: the same for every split."""
        return self._last is None or frame // every != self._last // every

    def _may_search(self, frame: int) -> bool:
        if not self._settings.small_faces:
            return False
        return not self._video or self._just_lost or self._passed(frame, SEARCH_EVERY)

    def _follow(self, image: Image, region: Region, frame: int) -> Mesh | None:
        mesh = self._sound(image, region, crop_fast)
        if mesh is None:
            self.faces = 0
        elif self._passed(frame, COUNT_EVERY) and not self._found_closer:
            self.faces = max(1, len(self._detect(image)))
        return mesh

    def _detect(self, image: Image) -> list[Face]:
        found = detect(self.networks, image, whole_picture(image), self._settings.min_detection)
        return found[: self._settings.max_faces]

    def _sound(self, image: Image, region: Region, crop: Crop) -> Mesh | None:
        mesh = find_mesh(self.networks, image, region, crop)
        return mesh if mesh.presence > self._settings.min_presence else None

    def _acquire(self, image: Image, closer: bool) -> Mesh | None:
        """Find the chosen face anew: in the whole picture, then, if allowed, closer up."""
        faces = self._detect(image)
        mesh = self._chosen(image, faces)
        self._found_closer = False
        if mesh is None and closer:
            for found in search_closer(self.networks, image, self._settings.min_detection):
                faces = distinct([*faces, *found])[: self._settings.max_faces]
                mesh = self._chosen(image, faces)
                if mesh is not None:
                    self._found_closer = True
                    break
        self.faces = len(faces)
        return mesh

    def _chosen(self, image: Image, faces: list[Face]) -> Mesh | None:
        """The mesh of the chosen face. Removes detections from `faces` in which the mesh network sees no face."""
        while meant := self._settings.choice.order(faces):
            mesh = self._sound(image, meant[0].region(), crop_exact)
            if mesh is not None:
                return mesh
            faces.remove(meant[0])
        return None

    def _sighting(self, image: Image, mesh: Mesh, frame: FrameInput) -> Sighting:
        height, width = image.shape[:2]
        pixels = mesh.pixels
        if self._video and self._settings.smoothing:
            seconds = frame.frame / _ASSUMED_RATE if frame.time is None else frame.time
            pixels = self._filter(pixels, seconds)
        scores = blendshape_scores(self.networks, pixels)
        matrix = self._pose(pixels / (width, height, width), width, height)
        x0, y0, x1, y1 = Mesh(pixels, mesh.presence, mesh.tongue).box()
        box = (x0, y0, x1 - x0, y1 - y0)
        return Sighting(pixels, scores, head_angles(matrix), mesh.presence, mesh.tongue, box)
