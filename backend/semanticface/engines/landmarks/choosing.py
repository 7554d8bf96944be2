"""Which of several faces is meant: the largest, the n-th from the left, or the one in a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semanticface.engines.landmarks.detector import Face, contains, overlap


@dataclass(frozen=True, slots=True)
class Largest:
    """The face with the largest box."""

    def order(self, faces: Sequence[Face]) -> list[Face]:
        """Largest first: when it turns out to be no face, the next one is meant."""
        return sorted(faces, key=lambda face: -face.area)

    def absent(self, seen: int) -> str:
        return "no face was found in the picture"


@dataclass(frozen=True, slots=True)
class Nth:
    """The face number `index`, counted from 0 from the picture's left to its right."""

    index: int

    def order(self, faces: Sequence[Face]) -> list[Face]:
        return sorted(faces, key=lambda face: face.centre[0])[self.index : self.index + 1]

    def absent(self, seen: int) -> str:
        return f"face number {self.index} (counted from 0, left to right) was asked for, and {seen} were found"


@dataclass(frozen=True, slots=True)
class InBox:
    """The face that overlaps the box (left, top, right, bottom, in pixels) best, and has its centre in it or
    the box's centre in its own."""

    box: tuple[float, float, float, float]

    def order(self, faces: Sequence[Face]) -> list[Face]:
        middle = ((self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2)
        meant = [face for face in faces if contains(self.box, face.centre) or contains(face.box, middle)]
        return sorted(meant, key=lambda face: -overlap(face.box, self.box))

    def absent(self, seen: int) -> str:
        return f"no face was found in the given box ({seen} in the picture)"


Choice = Largest | Nth | InBox
