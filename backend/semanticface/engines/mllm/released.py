"""The released checkpoint: where its parts are published, and its prompt, which is fetched and never shipped.

The prompt is published as the first line of the official repository's example.jsonl, a chat in the form that the
checkpoint was trained with. Only two texts are taken from it, and only if they look like that prompt.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semanticface.actions import ACTIONS
from semanticface.assets.hub import forbidden_by
from semanticface.assets.transfer import Limits, SourceFailed, read_text
from semanticface.engines.mllm.bases import RELEASED
from semanticface.engines.mllm.profile import Profile, parse_profile
from semanticface.errors import AssetError

NAME = "semanticface"
ADAPTER = "kangzejian/SemanticFace"
PROMPT_VARIABLE = "SEMANTICFACE_PROMPT_URL"
"""Names another place of example.jsonl, for networks that don't reach its host."""
PROMPT_URLS = tuple(
    f"https://raw.githubusercontent.com/kangzejian1896/SemanticFace/{revision}/example.jsonl"
    for revision in ("e40f669d44a120ddda01810d7634409ee61ff062", "main")
)
_MAX_FILE = 4 << 20
_MAX_TEXT = 50_000
_PICTURE = "<image>"
_BRING = "bring over example.jsonl of the official repository and give it with `--prompt FILE`"


def prompt_of(text: str, source: str) -> tuple[str, str]:
    """System and user text (without the picture's mark) of the first chat. Raises AssetError that names `source`."""
    try:
        chat = json.loads(text.lstrip("\ufeff").split("\n", 1)[0])
        (system, user) = (_content(chat["messages"][0], "system"), _content(chat["messages"][1], "user"))
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise AssetError(
            f"{source} does not hold the released prompt: its first line is no such chat", _BRING
        ) from error
    missing = [action.name for action in ACTIONS if f'"{action.name}"' not in user]
    if missing or not user.startswith(_PICTURE) or user.count(_PICTURE) != 1:
        what = f"it does not name {missing[0]}" if missing else f"it does not begin with {_PICTURE}"
        raise AssetError(f"{source} does not hold the released prompt: {what}", _BRING)
    return system, user.removeprefix(_PICTURE)


def _content(message: Mapping[str, Any], role: str) -> str:
    content = message["content"]
    if message["role"] != role or not isinstance(content, str) or not 0 < len(content) <= _MAX_TEXT:
        raise ValueError("a chat is a system's and a user's text")
    return content


def released_profile(system: str, user: str, name: str = NAME) -> Profile:
    """How the released checkpoint was trained: bare layout, one decimal, at most 1024 tokens a picture, no crop."""
    fields = {"version": 1, "name": name, "system": system, "user": user, "base": RELEASED, "decimals": 1}
    return parse_profile({**fields, "image_tokens": [4, 1024]})


def read_prompt(path: Path, name: str = NAME) -> Profile:
    """The released profile with the prompt of an example.jsonl on this machine."""
    try:
        if path.stat().st_size > _MAX_FILE:
            raise AssetError(f"{path} is larger than {_MAX_FILE:,} bytes: that is no example.jsonl")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AssetError(f"{path} can't be read: {error}") from error
    return released_profile(*prompt_of(text, str(path)), name)


def fetch_prompt(limits: Limits) -> Profile:
    """The released profile with the prompt from its host. Raises AssetError with what each address said."""
    forbidding = forbidden_by()
    if forbidding:
        raise AssetError(f"the prompt is not here, and {forbidding} forbids fetching it", _BRING)
    own = os.environ.get(PROMPT_VARIABLE)
    said = []
    for url in (own,) if own else PROMPT_URLS:
        try:
            text, _ = read_text(url, {}, limits, _MAX_FILE)
            return released_profile(*prompt_of(text, url))
        except SourceFailed as error:
            said.append(f"{url}: {error}")
    hint = f"{_BRING}, or name a mirror in {PROMPT_VARIABLE}"
    raise AssetError(f"could not fetch the prompt: {'; '.join(said)}", hint)
