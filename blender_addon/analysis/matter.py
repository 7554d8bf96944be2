# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice of the frames that matter, out of a first pass's results, in a thread: minutes of footage take a second.

The thread sees plain results and nothing of Blender's.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from fractions import Fraction

from semanticface.curves.extremes import frames_that_matter
from semanticface.curves.samples import samples_of
from semanticface.errors import InputError, SemanticFaceError
from semanticface.results import FrameResult, Status


class Chooser:
    """Works from its making on. `frames` and `error` may be asked for once `done` is true."""

    def __init__(self, results: Sequence[FrameResult], rate: Fraction, sensitivity: float, most: int) -> None:
        self.frames: tuple[int, ...] = ()
        self.error: SemanticFaceError | None = None
        self._asked = (tuple(results), rate, sensitivity, most)
        self._thread = threading.Thread(target=self._choose, name="frames that matter", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def _choose(self) -> None:
        results, rate, sensitivity, most = self._asked
        try:
            if not any(result.status is Status.OK for result in results):
                hint = "check the footage and, with several faces, Face in the Footage panel"
                raise InputError(f"no face was found in any of {len(results)} frames", hint)
            found = frames_that_matter(samples_of(results, rate), max(most, 2) if most else None, sensitivity)
            self.frames = tuple(int(frame) for frame in found)
        except SemanticFaceError as error:
            self.error = error
        except Exception as error:  # a thread that dies without a word would leave the job waiting for ever
            self.error = InputError(f"the frames that matter can't be chosen: {type(error).__name__}: {error}")
