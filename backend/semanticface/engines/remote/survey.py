"""What a server is and understands, found out by asking: its models, and each ability by its effect.

A server that doesn't know a field ignores it in silence, so a grammar counts only when an answer follows it. The
questions are a few words without a picture. This module knows nothing of frames.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from semanticface.engines.remote.abilities import Abilities, without
from semanticface.engines.remote.asker import hopeless
from semanticface.engines.remote.grammar import grammar_fields, styles
from semanticface.engines.remote.link import Link
from semanticface.engines.remote.settings import GrammarStyle, Server
from semanticface.engines.remote.trouble import Kind, Trouble, wait_before
from semanticface.engines.remote.wire import TOP_LOGPROBS, Malformed, Reply, parse_models
from semanticface.errors import EngineError

T = TypeVar("T")

_WATCHWORD = "SF-[0-9][0-9][0-9]"
"""Nothing that a model says of its own accord."""
_SAID = re.compile("SF-[0-9]")
_QUESTION = "Say hello."
_ATTEMPTS = 3
NO_GRAMMAR = "the server follows no grammar: answers are checked when they are read, not while they are written"
NO_LOGPROBS = "the server gives no probabilities: values are as written, without estimates"


@dataclass(frozen=True, slots=True)
class Findings:
    """`made_of`: what the server says its model is made of. `models`: all that it lists. `remarks`: for the user."""

    made_of: str
    models: tuple[str, ...]
    abilities: Abilities
    remarks: tuple[str, ...]


async def survey(link: Link, server: Server) -> Findings:
    """Ask the server what it is. Raises EngineError that says what to check when it isn't fit."""
    listed = await _models(link, server)
    names = tuple(name for name, _ in listed)
    made_of = dict(listed).get(server.model, "")
    if names and server.model not in names and server.model.rpartition(":")[0] not in names:  # SGLang: base:adapter
        hint = f"it has {', '.join(names)[:1000]}; is the adapter loaded there?"
        raise EngineError(f"server {server.name} at {server.url} has no model {server.model!r}", hint)
    abilities = await _abilities(link, server)
    remarks = []
    if abilities.grammar is GrammarStyle.NONE and server.grammar is not GrammarStyle.NONE:
        remarks.append(NO_GRAMMAR)
    if not abilities.logprobs:
        remarks.append(NO_LOGPROBS)
    return Findings(made_of, names, abilities, tuple(remarks))


async def _abilities(link: Link, server: Server) -> Abilities:
    """The first grammar style whose effect shows, and whether probabilities come."""
    abilities = Abilities()
    for style in styles(server.grammar):
        abilities, reply = await _try(link, server, replace(abilities, grammar=style))
        if not any(token.alternatives for token in reply.tokens):
            abilities = replace(abilities, logprobs=False)
        if abilities.grammar is style and _SAID.match(reply.text.strip()):
            return abilities
    return replace(abilities, grammar=GrammarStyle.NONE)


async def picture_tokens(link: Link, with_picture: Mapping[str, Any], without_it: Mapping[str, Any]) -> int:
    """How many prompt tokens a picture takes on the server, -1 when it doesn't count them. Raises Trouble.

    The arguments are two requests that differ in the picture alone.
    """
    counts = [(await link.chat({**body, "max_tokens": 1})).prompt_tokens for body in (with_picture, without_it)]
    return -1 if counts[0] is None or counts[1] is None else counts[0] - counts[1]


async def _models(link: Link, server: Server) -> list[tuple[str, str]]:
    """The models listed; none where the server has no list."""
    try:
        return parse_models(await _patiently(link, server, lambda: link.get("/models")))
    except (_Refused, Malformed):
        return []


async def _try(link: Link, server: Server, abilities: Abilities) -> tuple[Abilities, Reply]:
    """One small question with these abilities, less what the server refuses."""
    while True:
        body: dict[str, Any] = {
            "model": server.model,
            "messages": [{"role": "user", "content": _QUESTION}],
            "max_tokens": 12,
            "temperature": 0,
            **grammar_fields(abilities.grammar, _WATCHWORD),
        }
        if abilities.logprobs:
            body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        try:
            return abilities, await _patiently(link, server, partial(link.chat, body))
        except _Refused as refused:
            trouble = refused.trouble
            less = without(abilities, trouble.complaint) if trouble.kind is Kind.REFUSED else None
            if less is None:
                raise await hopeless(link, server, trouble) from None
            abilities = less[0]


class _Refused(Exception):
    """A request that the server won't have."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


async def _patiently(link: Link, server: Server, request: Callable[[], Awaitable[T]]) -> T:
    """The request's answer after a few attempts. Raises _Refused, or EngineError when the server can't be used."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await request()
        except Trouble as trouble:
            if trouble.kind in (Kind.REFUSED, Kind.UNKNOWN):
                raise _Refused(trouble) from None
            if trouble.kind is Kind.FORBIDDEN:
                raise await hopeless(link, server, trouble) from None
            if attempt == _ATTEMPTS or trouble.kind is Kind.SLOW:
                message = f"server {server.name} at {server.url} can't be used: {trouble.message}"
                hint = "is it running, and is the address right? `semanticface remote list` shows it"
                raise EngineError(message, hint) from None
            await asyncio.sleep(min(wait_before(attempt, trouble), server.patience))
    raise AssertionError("the last attempt returns or raises")
