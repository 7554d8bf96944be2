"""One question to a server, for somebody who has just set it up: what it understands, and what it makes of a picture.

Besides the answer it compares how many tokens the server spends on the picture with how many the profile means: where
they differ, the server resizes pictures, and the model sees something else than it was trained on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.picture import TOKEN, resized_size
from semanticface.engines.mllm.profile import Profile
from semanticface.engines.remote.engine import RemoteEngine
from semanticface.engines.remote.link import Link
from semanticface.engines.remote.profiles import profile_of
from semanticface.engines.remote.settings import Server
from semanticface.engines.remote.survey import Findings, picture_tokens, survey
from semanticface.engines.remote.trouble import Trouble
from semanticface.engines.remote.wire import messages, picture_url
from semanticface.results import FrameResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MARKS = 2
"""Tokens around a picture in Qwen's chat layout."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`seconds` of the one answer. `expected_tokens` of the picture by the profile; `counted_tokens` by the server, -1
    when it doesn't say."""

    findings: Findings
    result: FrameResult
    seconds: float
    expected_tokens: int
    counted_tokens: int

    @property
    def resizes(self) -> bool:
        """Whether the server makes another picture of it."""
        return self.counted_tokens not in (-1, self.expected_tokens)


def trial(server: Server, image: NDArray[np.uint8]) -> Trial:
    """Ask about one (H, W, 3) uint8 RGB picture. Raises EngineError, OptionsError or AssetError as `connect` does."""
    profile = profile_of(server)
    link = Link(server)
    try:
        findings = link.submit(survey(link, server)).result()
        engine = RemoteEngine(server, profile, link, findings)
        counted = _counted(link, server, profile, image)
        began = time.perf_counter()
        session = engine.session(RunOptions(), video=False)
        result = next(iter(session.analyze([FrameInput(0, None, image)])))
        seconds = time.perf_counter() - began
        session.close()
    finally:
        link.close()
    height, width = resized_size(image.shape[0], image.shape[1], *profile.image_tokens)
    return Trial(findings, result, seconds, height * width // TOKEN**2, counted)


def _counted(link: Link, server: Server, profile: Profile, image: NDArray[np.uint8]) -> int:
    picture = picture_url(image, profile.image_tokens, server.jpeg)
    shown, hidden = (
        {"model": server.model, "messages": messages(profile, url), "temperature": 0} for url in (picture, "")
    )
    try:
        return max(-1, link.submit(picture_tokens(link, shown, hidden)).result() - MARKS)
    except Trouble:
        return -1  # a server that wants a picture in each question
