"""A run of frames through a server: as many questions in flight as it allows, results in the frames' order.

Questions start as frames come from the iterator. What happens while an answer is on its way is told from here, in the
caller's thread: text that grows, signs of life, and whether anybody still waits. This module knows nothing of HTTP.
"""

from __future__ import annotations

import concurrent.futures
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.crop import FaceCrop, cut
from semanticface.engines.mllm.profile import Profile
from semanticface.engines.remote.asker import Asker, Lost, Question
from semanticface.engines.remote.link import Link
from semanticface.engines.remote.reading import analysis_so_far, read_reply
from semanticface.engines.remote.settings import Server
from semanticface.engines.remote.wire import Reply, picture_url
from semanticface.errors import EngineError, MediaError
from semanticface.results import FrameResult, Status

TICK = 0.05
"""Seconds between looks at growing texts and at whether the run is cancelled."""
SIGN_OF_LIFE = 1.0


@dataclass(slots=True)
class Waiting:
    """A frame on its way: either its `result` is known, or `reply` will be. `text` is written by the link's thread."""

    frame: FrameInput
    result: FrameResult | None = None
    reply: Future[Reply] | None = None
    remark: str = ""
    text: str = ""
    told: str = ""
    faces: int = 0
    box: tuple[float, float, float, float] | None = None

    def hear(self, text: str) -> None:
        self.text = text

    @property
    def done(self) -> bool:
        return self.reply is None or self.reply.done()


class RemoteSession:
    """Implements `engines.base.Session`; one thread's own."""

    def __init__(
        self, link: Link, asker: Asker, server: Server, profile: Profile, run: RunOptions, values: Mapping[str, Any]
    ) -> None:
        """`values` are the completed options; `run.values` are not looked at."""
        self._link = link
        self._asker = asker
        self._server = server
        self._profile = profile
        self._run = run
        self._values = values
        self._tokens = (profile.image_tokens[0], int(values["image_tokens"]))
        self._looks = values["face_crop"] is not None or values["require_face"]
        self._faces = FaceCrop() if self._looks else None
        self._previous = ""
        self._alive = 0.0

    def analyze(self, frames: Iterable[FrameInput]) -> Iterator[FrameResult]:
        """One result per frame, in order; ends early once the run is cancelled. May be called again to go on.

        Raises EngineError when the server is gone, refuses the key or model, or answers no frame at all.
        """
        source, more = iter(frames), True
        waiting: deque[Waiting] = deque()
        try:
            while True:
                while more and len(waiting) < self._server.concurrency and not (waiting and waiting[0].done):
                    if self._run.cancelled():
                        return
                    frame = next(source, None)
                    more = frame is not None
                    if frame is not None:
                        waiting.append(self._begin(frame))
                if not waiting or not self._wait(waiting):
                    return
                yield self._finish(waiting.popleft())
        finally:
            for one in waiting:
                if one.reply is not None:
                    one.reply.cancel()

    def close(self) -> None:
        """Give the face finder's memory back. Closing twice does no harm."""
        if self._faces is not None:
            self._faces.close()

    def _begin(self, frame: FrameInput) -> Waiting:
        """Send the question about a frame on its way, or say at once why it can't be asked."""
        one = Waiting(frame)
        try:
            if (
                not isinstance(frame.image, np.ndarray)
                or frame.image.dtype != np.uint8
                or frame.image.shape[2:] != (3,)
            ):
                raise MediaError("the picture is not (H, W, 3) uint8 RGB")
            image = frame.image if self._faces is None else self._face(one, self._faces)
            if one.result is not None:
                return one
            picture = picture_url(image, self._tokens, self._server.jpeg)
        except MediaError as error:
            one.result = FrameResult(frame.frame, frame.time, Status.UNREADABLE, message=str(error))
            return one
        question = Question(
            picture=picture,
            analysis=self._values["mode"] == "full" or self._profile.layouts[0].wordless,
            probabilities=self._values["estimates"],
            draft=self._previous if self._values["draft"] == "previous" else "",
        )
        one.reply = self._link.submit(self._asker.ask(question, one.hear))
        return one

    def _face(self, one: Waiting, finder: FaceCrop) -> Any:
        """The picture to ask about, after looking for the face in it."""
        frame, margin = one.frame, self._values["face_crop"]
        seen = finder.found(frame.image, self._values["face"])
        one.faces, one.box = seen.faces, seen.box
        if seen.status is Status.UNREADABLE:
            raise MediaError(seen.message)
        if seen.box is None and self._values["require_face"]:
            message = seen.message or "no face was found, so the server was not asked"
            one.result = FrameResult(frame.frame, frame.time, Status.NO_FACE, faces=seen.faces, message=message)
        if margin is None:
            return frame.image
        image, box = cut(frame.image, seen.box, margin)
        one.remark = "" if box else "no face was found: the whole picture was sent"
        return image

    def _wait(self, waiting: deque[Waiting]) -> bool:
        """Until the first one is done; False once nobody waits for it any more."""
        head = waiting[0]
        while not head.done:
            if self._run.cancelled():
                return False
            if head.reply is not None:
                concurrent.futures.wait([head.reply], TICK)
            self._tell(waiting)
        return True

    def _tell(self, waiting: deque[Waiting]) -> None:
        """Tell how the answers grow, and now and then that the engine lives though nothing grows."""
        now = time.monotonic()
        for one in waiting:
            if one.text != one.told:
                one.told = one.text
                self._alive = now
                self._run.partial(one.frame, analysis_so_far(one.told, self._profile))
        if now - self._alive >= SIGN_OF_LIFE:
            self._alive = now
            self._run.partial(waiting[0].frame, analysis_so_far(waiting[0].told, self._profile))

    def _finish(self, one: Waiting) -> FrameResult:
        if one.result is not None or one.reply is None:
            return one.result or _failed(one.frame, "it was never asked")
        remarks = [one.remark] if one.remark else []
        try:
            reply = one.reply.result()
        except Lost as lost:
            return _failed(one.frame, "; ".join([*self._asker.take_remarks(), *remarks, str(lost)]))
        except CancelledError:
            raise EngineError(f"the remote engine was closed while frame {one.frame.frame} was on its way") from None
        self._previous = reply.text
        remarks = [*self._asker.take_remarks(), *remarks]
        return read_reply(one.frame, reply, self._values, self._profile, remarks, faces=one.faces, box=one.box)


def _failed(frame: FrameInput, message: str) -> FrameResult:
    return FrameResult(frame.frame, frame.time, Status.FAILED, message=message[:1900])
