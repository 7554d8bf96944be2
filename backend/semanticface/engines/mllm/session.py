"""A run of frames through the model: as many at once as fit, results in the frames' order.

The last answer is the draft of the next ones: a draft is verified, so it changes how fast an answer comes and never
what it is. This module knows nothing of tensors or memory.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.crop import FaceCrop, cut
from semanticface.engines.mllm.picture import TOKEN
from semanticface.engines.mllm.preparation import levelled, squared
from semanticface.engines.mllm.profile import Preparation, Profile
from semanticface.engines.mllm.reading import read_answer
from semanticface.engines.mllm.runner import Question, Runner
from semanticface.engines.mllm.skeleton.decode import Answer, Draft, Ending, Mode
from semanticface.errors import AssetError, EngineError, MediaError
from semanticface.results import FrameResult, Status

TELL_SECONDS = 0.1
"""A frame's growing text is told at most this often."""
SIGN_OF_LIFE = 1.0
"""Seconds after which the same text is told once more."""


@dataclass(slots=True)
class _Asked:
    """A frame on its way: either its `result` is known, or its `question` is to be asked."""

    frame: FrameInput
    result: FrameResult | None = None
    question: Question | None = None
    remarks: list[str] = field(default_factory=list)
    seen: FrameResult | None = None
    told: float = 0.0
    text: str = ""

    def found(self) -> dict[str, Any]:
        """What is known of faces in the picture, for a result."""
        return {} if self.seen is None else {"faces": self.seen.faces, "box": self.seen.box}


class SemanticFaceSession:
    """Implements `engines.base.Session`; one thread's own."""

    def __init__(
        self, runner: Runner, faces: FaceCrop, profile: Profile, run: RunOptions, values: Mapping[str, Any]
    ) -> None:
        """`values` are the completed options; `run.values` are not looked at."""
        self._runner: Runner | None = runner
        self._faces = faces
        self._profile = profile
        self._run = run
        self._values = values
        self._previous: Draft | None = None

    def analyze(self, frames: Iterable[FrameInput]) -> Iterator[FrameResult]:
        """One result per frame, in order; ends early once the run is cancelled. May be called again to go on.

        Raises EngineError when the engine fails, AssetError when the landmark model is needed and missing.
        """
        source = iter(frames)
        while not self._run.cancelled():
            runner = self._working()
            asked = [self._prepare(frame) for frame in islice(source, self._size(runner))]
            if not asked:
                return
            if not self._answer(runner, asked):
                return
            for one in asked:
                if one.result is None:
                    raise EngineError(f"frame {one.frame.frame} was left without an answer")
                yield one.result

    def close(self) -> None:
        """The session can't be used afterwards; closing twice does no harm."""
        self._runner, self._previous = None, None

    def _working(self) -> Runner:
        if self._runner is None:
            raise EngineError("frames came to a session that is closed")
        return self._runner

    def _size(self, runner: Runner) -> int:
        wanted: int = self._values["batch"]
        return min(wanted, runner.batch) if wanted else runner.batch

    def _prepare(self, frame: FrameInput) -> _Asked:
        """The question about a frame, or why it can't be asked."""
        one = _Asked(frame)
        try:
            image = self._face(one)
            if one.result is None:
                limits = (self._profile.image_tokens[0], int(self._values["image_tokens"]))
                question = Question(image, limits, Mode(self._values["mode"]))
                self._working().tokens(question)
                one.question = replace(question, draft=self._draft(one))
        except MediaError as error:
            one.result = FrameResult(frame.frame, frame.time, Status.UNREADABLE, message=str(error), **one.found())
        return one

    def _face(self, one: _Asked) -> Any:
        """The picture to ask about, after looking for the face where that is wanted."""
        frame, margin = one.frame, self._values["face_crop"]
        if getattr(frame.image, "ndim", 0) != 3 or frame.image.shape[2] != 3 or frame.image.dtype != "uint8":
            raise MediaError("the picture is not (H, W, 3) uint8 RGB")
        levels = self._profile.preparation is Preparation.LEVELLED
        if margin is None and not self._values["require_face"] and not levels:
            return frame.image
        one.seen, points = self._faces.seen(frame.image, self._values["face"])
        if one.seen.status is Status.UNREADABLE:
            raise MediaError(one.seen.message)
        if one.seen.box is None and self._values["require_face"]:
            said = one.seen.message or "no face was found in the picture"
            message = f"{said}, so the model was not asked"
            one.result = FrameResult(frame.frame, frame.time, Status.NO_FACE, message=message, faces=one.seen.faces)
        if levels:
            return self._levelled(one, points)
        if margin is None:
            return frame.image
        image, box = cut(frame.image, one.seen.box, margin)
        if box is None:
            one.remarks.append("no face was found: the whole picture was used")
        return image

    def _levelled(self, one: _Asked, points: Any) -> Any:
        """The face as small models take it, as large as the profile's most tokens."""
        side = TOKEN * math.isqrt(self._profile.image_tokens[1])
        if points is None:
            one.remarks.append("no face was found: the whole picture was used")
            return squared(one.frame.image, side)
        return levelled(one.frame.image, points, side)

    def _draft(self, one: _Asked) -> Draft | None:
        """What the answer may be like."""
        wanted = self._values["draft"]
        if wanted in ("auto", "previous") and self._previous is not None:
            return self._previous
        if wanted in ("auto", "landmarks"):
            return self._landmarks(one)
        return None

    def _landmarks(self, one: _Asked) -> Draft | None:
        """The landmark engine's values; None when it isn't installed, fails or sees no face: it is but a guess."""
        seen = one.seen
        if seen is None:
            try:
                seen = self._faces.found(one.frame.image, self._values["face"])
            except (AssetError, EngineError):
                return None
        return None if seen.coefficients is None else Draft(values=seen.coefficients)

    def _answer(self, runner: Runner, asked: list[_Asked]) -> bool:
        """Ask about the frames that have a question and note their results. False once the run is cancelled."""
        open_ones = [(one, one.question) for one in asked if one.question is not None]
        for one, _ in open_ones:
            self._run.partial(one.frame, "")
            one.told = time.monotonic()
        replies = runner.ask(
            [question for _, question in open_ones],
            lambda index, text: self._tell(open_ones[index][0], text),
            self._run.cancelled,
            lambda: self._live(open_ones[0][0]),
        )
        if len(replies) < len(open_ones) or any(reply.answer.ending is Ending.CANCELLED for reply in replies):
            return False
        for (one, _), reply in zip(open_ones, replies, strict=True):
            remarks = [*one.remarks, *reply.remarks]
            one.result = read_answer(one.frame, reply.answer, self._values, self._profile, remarks, **one.found())
            self._remember(reply.answer)
        return True

    def _tell(self, one: _Asked, text: str) -> None:
        one.text = text
        now = time.monotonic()
        if now - one.told >= TELL_SECONDS:
            one.told = now
            self._run.partial(one.frame, text)

    def _live(self, one: _Asked) -> None:
        """Say that the model is at work though nothing has grown."""
        if time.monotonic() - one.told >= SIGN_OF_LIFE:
            self._tell(one, one.text)

    def _remember(self, answer: Answer) -> None:
        if answer.ending is Ending.JSON:
            values = {name: choice.value for name, choice in answer.choices.items()}
            self._previous = Draft(answer.free, values)
