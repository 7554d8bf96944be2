"""The chat protocol's requests and replies as data: what goes into a request, what is read out of a reply.

Text and pictures stand in the order in which they were trained: system text, then picture and user text (the picture
where the profile's text says `<image>`, else first). What comes back is untrusted: it is checked here, once. This
module knows nothing of connections.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semanticface.engines.mllm.picture import resized_size
from semanticface.engines.mllm.profile import Profile
from semanticface.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOP_LOGPROBS = 12
"""Alternatives asked for at each token: ten digits or two signs, and a little. Servers allow 20 at most by default."""
IMAGE_TAG = "<image>"
MAX_REPLY = 64 << 20
"""Bytes of one reply; a thousand tokens with their alternatives make about 1 MB."""
MAX_TOKENS = 20_000


class Malformed(Exception):
    """A reply that breaks the protocol; the message says how."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer as bytes, and what might have stood there with its natural logarithm of probability."""

    data: bytes
    alternatives: tuple[tuple[bytes, float], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `finish` is "stop", "length" ...; `tokens` is empty where no probabilities came."""

    text: str
    finish: str
    tokens: tuple[Token, ...] = ()
    prompt_tokens: int | None = None


def picture_url(image: NDArray[np.uint8], image_tokens: tuple[int, int], jpeg: int) -> str:
    """The picture as a data URL, resized exactly as the model takes it, so that the server's own resizing does nothing.

    `image` is (H, W, 3) uint8 RGB. `jpeg` 0 is lossless PNG. Raises MediaError for a shape that the model can't take.
    """
    import cv2
    import numpy as np
    from PIL import Image

    height, width = resized_size(image.shape[0], image.shape[1], *image_tokens)
    if image.shape[:2] != (height, width):  # pillow's filter, with which the model was trained
        image = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
    kind, settings = ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, jpeg]) if jpeg else ("png", [cv2.IMWRITE_PNG_COMPRESSION, 1])
    done, data = cv2.imencode(f".{kind}", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
    if not done:
        raise EngineError(f"a picture of {width} x {height} pixels can't be written as {kind}")
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode('ascii')}"


def messages(profile: Profile, picture: str, begun: str = "") -> list[dict[str, Any]]:
    """System, user with the picture, and what was begun of the answer if anything. `picture` "" leaves it out."""
    before, tag, after = profile.user.partition(IMAGE_TAG)
    if not tag:
        before, after = "", before
    if IMAGE_TAG in after:
        raise EngineError(f"profile {profile.name}: its user text names the picture more than once")
    content: list[dict[str, Any]] = [{"type": "text", "text": before}] if before else []
    if picture:
        content.append({"type": "image_url", "image_url": {"url": picture}})
    if after:
        content.append({"type": "text", "text": after})
    out: list[dict[str, Any]] = [{"role": "system", "content": profile.system}] if profile.system else []
    out.append({"role": "user", "content": content})
    if begun:
        out.append({"role": "assistant", "content": begun})
    return out


def parse_reply(data: bytes) -> Reply:
    """A whole reply. Raises Malformed."""
    gathered = Gathered()
    gathered.add(_object(data), "message")
    return gathered.reply()


class Gathered:
    """A reply as it comes in, in one piece or in a stream's events."""

    def __init__(self) -> None:
        self.text = ""
        self._finish = ""
        self._tokens: list[Token] = []
        self._prompt_tokens: int | None = None

    @property
    def finished(self) -> bool:
        """Whether the server said why it stopped."""
        return bool(self._finish)

    def event(self, data: str) -> None:
        """One event of a stream. Raises Malformed, also when it tells of an error."""
        body = _object(data)
        if "error" in body or body.get("object") == "error":
            raise Malformed(f"an error: {_complaint(body)}")
        self.add(body, "delta")

    def add(self, data: Mapping[str, Any], part: str) -> None:
        """One parsed piece, whose text stands under `part`."""
        usage = data.get("usage")
        if isinstance(usage, Mapping) and isinstance(usage.get("prompt_tokens"), int):
            self._prompt_tokens = usage["prompt_tokens"]
        choices = data.get("choices")
        if not isinstance(choices, list):
            raise Malformed("a reply without `choices`")
        if not choices or not isinstance(choices[0], Mapping):
            if part == "message":
                raise Malformed("a reply whose `choices` are empty")
            return  # the last event of a stream counts tokens and has none
        choice = choices[0]
        message = choice.get(part)
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, str):
            self.text += content
        self._tokens += _tokens(choice.get("logprobs"))
        if isinstance(choice.get("finish_reason"), str):
            self._finish = choice["finish_reason"]
        if len(self._tokens) > MAX_TOKENS or len(self.text) > MAX_REPLY:
            raise Malformed("a reply without end")

    def reply(self) -> Reply:
        """What has come. Raises Malformed when the server did not say that it is done."""
        if not self._finish:
            raise Malformed("a reply that breaks off")
        return Reply(self.text, self._finish, tuple(self._tokens), self._prompt_tokens)


def error_message(data: bytes) -> str:
    """The message in an error's body: OpenAI's, vLLM's and SGLang's forms; "" when it has none."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    return _complaint(body) if isinstance(body, Mapping) else ""


def _complaint(body: Mapping[str, Any]) -> str:
    for place in (body.get("error"), body.get("message"), body.get("detail")):
        if isinstance(place, Mapping) and isinstance(place.get("message"), str):
            return str(place["message"])
        if isinstance(place, str):
            return place
        if isinstance(place, list) and place:
            return str(place[0])[:500]
    return ""


def parse_models(data: bytes) -> list[tuple[str, str]]:
    """(name, what it is made of) of each model that the server lists. Raises Malformed."""
    entries = _object(data).get("data")
    if not isinstance(entries, list):
        raise Malformed("a list of models without `data`")
    out = []
    for entry in entries[:1000]:
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), str):
            made_of = [str(entry[field]) for field in ("root", "parent") if isinstance(entry.get(field), str)]
            out.append((entry["id"], " of ".join(made_of)))
    return out


def _object(data: bytes | str) -> Mapping[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("a reply that is no JSON, or is cut off") from None
    if not isinstance(body, dict):
        raise Malformed("a reply that is no JSON object")
    return body


def _tokens(logprobs: Any) -> list[Token]:
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(content, list):
        return []
    out = []
    for entry in content:
        if not isinstance(entry, Mapping):
            raise Malformed("token probabilities that are no objects")
        others = entry.get("top_logprobs")
        pairs = [_pair(other) for other in others if isinstance(other, Mapping)] if isinstance(others, list) else []
        out.append(Token(_pair(entry)[0], tuple(pairs)))
    return out


def _pair(entry: Mapping[str, Any]) -> tuple[bytes, float]:
    data, text, value = entry.get("bytes"), entry.get("token"), entry.get("logprob")
    if not isinstance(text, str) or isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Malformed("token probabilities without `token` or `logprob`")
    if isinstance(data, list) and all(isinstance(one, int) and 0 <= one < 256 for one in data):
        return bytes(data), float(value)
    return text.encode("utf-8", "replace"), float(value)
