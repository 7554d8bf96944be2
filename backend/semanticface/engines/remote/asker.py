"""One question to the server until it is answered or given up: requests, reactions to trouble, and their limits.

Asking again is safe: a question leaves nothing behind on the server. What a server refuses to understand is left out
from then on, for all questions, and said once. A grammar makes any model write 61 values, also one that never saw a
face; so it is held back until the model has written an answer of its own accord. This module knows nothing of frames;
it runs in the link's loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from semanticface.analysis.parse import parse_answer
from semanticface.engines.mllm.profile import Profile
from semanticface.engines.remote.abilities import Abilities, without
from semanticface.engines.remote.grammar import answer_tokens, grammar_fields, object_start, pattern, values_pattern
from semanticface.engines.remote.link import Link
from semanticface.engines.remote.settings import GrammarStyle, Server
from semanticface.engines.remote.trouble import ASKS, Kind, Patience, Trouble, wait_before
from semanticface.engines.remote.wire import TOP_LOGPROBS, Malformed, Reply, Token, messages, parse_models
from semanticface.errors import EngineError, UnparseableAnswer

DOUBTS = 4
"""So many answers that can't be read, before the first that can, and the model is taken for another one."""


@dataclass(frozen=True, slots=True)
class Question:
    """One picture (a data URL) to ask about. `analysis`: the whole answer is wanted, as the checkpoint writes it, with
    words or without; else the values alone. `draft` is an answer that may come again, "" for none."""

    picture: str
    analysis: bool = True
    probabilities: bool = True
    draft: str = ""


class Lost(Exception):
    """A question that was given up; the message says why. The server itself is still worth asking."""


class Asker:
    """Asks one server with one profile. `abilities` shrink when the server refuses one of them."""

    def __init__(self, link: Link, server: Server, profile: Profile, abilities: Abilities) -> None:
        self.abilities = abilities
        self._link = link
        self._server = server
        self._profile = profile
        self._patience = Patience(server.name, server.url, server.patience)
        self._remarks: list[str] = []
        self._proven = False
        self._doubts = 0

    def take_remarks(self) -> list[str]:
        """What there is to say about the server since the last call."""
        remarks, self._remarks = self._remarks, []
        return remarks

    async def ask(self, question: Question, told: Callable[[str], None]) -> Reply:
        """The answer's whole text with its tokens. Raises Lost, or EngineError when asking on makes no sense.

        `told` hears the text as it grows, in the link's thread; after a failed attempt it begins anew.
        """
        failures: Counter[Kind] = Counter()
        while True:
            self._patience.check()
            abilities = self.abilities
            begun = self._begun(question, abilities)
            freely = not self._proven and bool(question.analysis or begun)
            used = replace(abilities, grammar=GrammarStyle.NONE) if freely else abilities

            def hear(text: str, begun: str = begun) -> None:
                told(begun + text)

            try:
                reply = await self._link.chat(self._body(question, begun, used), hear if self._server.stream else None)
                if not reply.text.strip():
                    raise Trouble(Kind.BROKEN, "it sent an answer without text")
            except Trouble as trouble:
                failures[trouble.kind] += 1
                await self._react(trouble, failures, abilities)
                continue
            self._patience.answered()
            reply = _completed(reply, begun)
            if freely and abilities.grammar is not GrammarStyle.NONE:
                self._judge(reply)
            return reply

    def _judge(self, reply: Reply) -> None:
        """Whether the model wrote this by itself. Raises EngineError when it seems to be another model."""
        try:
            parse_answer(reply.text, self._profile.actions)
        except UnparseableAnswer:
            self._doubts += 1
        else:
            self._proven = True
        if not self._proven and self._doubts >= DOUBTS:
            asked = f"server {self._server.name}: model {self._server.model!r}"
            hint = "is the adapter loaded there, and is it this checkpoint's? try `semanticface remote test`"
            raise EngineError(f"{asked} does not write the answers that profile {self._profile.name} describes", hint)

    def _begun(self, question: Question, abilities: Abilities) -> str:
        """What is written of the answer before the model goes on."""
        if question.analysis:
            return ""
        if abilities.continues:
            return object_start(self._profile)
        if abilities.grammar is GrammarStyle.NONE:
            message = f"server {self._server.name} can't leave the analysis out: it neither goes on with an answer"
            raise EngineError(f"{message} that was begun for it nor follows a grammar", "use mode full")
        return ""

    def _body(self, question: Question, begun: str, abilities: Abilities) -> dict[str, Any]:
        profile = self._profile
        body: dict[str, Any] = {
            "model": self._server.model,
            "messages": messages(profile, question.picture, begun),
            "temperature": 0,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "max_tokens": answer_tokens(profile, question.analysis),
        }
        if question.analysis:
            body |= grammar_fields(abilities.grammar, pattern(profile))
        elif begun:
            body |= {"continue_final_message": True, "add_generation_prompt": False}
            body |= grammar_fields(abilities.grammar, values_pattern(profile))
        else:
            start = object_start(profile).replace("{", r"\{").replace("\n", r"\n")
            body |= grammar_fields(abilities.grammar, start + values_pattern(profile))
        if question.probabilities and abilities.logprobs:
            body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        if question.draft and abilities.prediction:
            body["prediction"] = {"type": "content", "content": question.draft}
        if self._server.stream and abilities.usage:
            body["stream_options"] = {"include_usage": True}
        return body

    async def _react(self, trouble: Trouble, failures: Counter[Kind], used: Abilities) -> None:
        """Wait until it makes sense to ask again. Raises Lost or EngineError when it doesn't."""
        if trouble.kind is Kind.REFUSED:
            less = without(used, trouble.complaint)
            if less is not None:
                if self.abilities == used:
                    self.abilities = less[0]
                    self._remarks += [less[1]] if less[1] else []
                return
        if trouble.kind in (Kind.FORBIDDEN, Kind.UNKNOWN):
            raise await hopeless(self._link, self._server, trouble)
        if trouble.kind in (Kind.AWAY, Kind.BUSY):
            self._patience.away(trouble)
        elif failures[trouble.kind] >= ASKS.get(trouble.kind, 1):
            self._patience.lost(trouble)
            raise Lost(f"server {self._server.name}: {trouble.message}")
        await asyncio.sleep(min(wait_before(failures[trouble.kind], trouble), max(1.0, self._server.patience)))


async def hopeless(link: Link, server: Server, trouble: Trouble) -> EngineError:
    """The error for what no second attempt mends: a wrong key, model or address."""
    message = f"server {server.name} at {server.url}: {trouble.message}"
    if trouble.kind is Kind.FORBIDDEN:
        held = f"the key in the environment variable {server.key_variable}" if server.key_variable else "no key"
        return EngineError(message, f"{held} was sent; set another with `semanticface remote add ... --key-variable`")
    try:
        names = ", ".join(name for name, _ in parse_models(await link.get("/models")))
    except (Trouble, Malformed):
        return EngineError(message, "is the address complete? most servers answer below /v1")
    if trouble.kind is Kind.REFUSED:
        return EngineError(message, "see the server's log")
    return EngineError(message, f"the model asked for is {server.model}; the server has {names[:1000] or 'none'}")


def _completed(reply: Reply, begun: str) -> Reply:
    """The reply with what was begun for the model in front, unless the server sends that itself."""
    if not begun or reply.text.lstrip().startswith("{"):
        return reply
    tokens = (Token(begun.encode(), ()), *reply.tokens) if reply.tokens else ()
    return Reply(begun + reply.text, reply.finish, tokens, reply.prompt_tokens)
