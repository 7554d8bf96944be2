"""A language model behind the OpenAI chat protocol, such as vLLM serves: many questions at once, with retries.

The connection, its kinds of trouble and its patience are those of the backend's remote engine. Labels are scored by
the alternatives of the answer's first token, which is all that the protocol tells: see `label_scores`.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from semanticface.engines.remote.link import Link
from semanticface.engines.remote.settings import Server, parse_server
from semanticface.engines.remote.trouble import ASKS, Kind, Patience, Trouble, wait_before
from semanticface.engines.remote.wire import Reply
from semanticface.errors import EngineError
from semanticface_training.language.model import Chat, LabelScore, Sampling, Written

TOP_LOGPROBS = 20
"""The most that servers give by default."""
_OPTIONAL = ("chat_template_kwargs", "continue_final_message", "add_generation_prompt", "top_k", "seed")
"""Fields that not every server takes; one that a refusal names is left out from then on."""


class ServerModel:
    """Asks `concurrency` questions at a time. `seconds`: for one answer; `patience`: that the server may be away."""

    def __init__(
        self,
        url: str,
        model: str,
        key_variable: str = "",
        concurrency: int = 32,
        seconds: float = 300.0,
        patience: float = 120.0,
    ) -> None:
        """Raises OptionsError for an address or key that can't be, EngineError without httpx2."""
        fields = {"url": url, "model": model, "profile": "teacher", "key_variable": key_variable,
                  "concurrency": concurrency, "timeout": seconds, "patience": patience}  # fmt: skip
        self._server: Server = parse_server("teacher", fields)
        self._patience = Patience("teacher", self._server.url, patience)
        self._left_out: set[str] = set()
        self._link = Link(self._server)

    @property
    def name(self) -> str:
        return self._server.model

    def close(self) -> None:
        self._link.close()

    def generate(self, chats: Sequence[Chat], sampling: Sampling) -> list[Written]:
        """One text a chat. One that the server fails to write is empty and says why; EngineError when it is gone."""
        replies = self._all([self._body(chat, sampling, place) for place, chat in enumerate(chats)])
        return [
            Written("", False, reply)
            if isinstance(reply, str)
            else Written(reply.text, reply.finish == "stop", "" if reply.text.strip() else "an answer without text")
            for reply in replies
        ]

    def score(self, chats: Sequence[Chat], labels: Sequence[str], begun: str = "") -> list[tuple[LabelScore, ...]]:
        """Raises EngineError when the server gives no probabilities, or fails on a question."""
        bodies = []
        for place, chat in enumerate(chats):
            body = self._body(chat, Sampling(temperature=0, max_tokens=1), place)
            body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
            if begun:
                body["messages"] = [*body["messages"], {"role": "assistant", "content": begun}]
                body |= {"continue_final_message": True, "add_generation_prompt": False}
            bodies.append(body)
        return [label_scores(self._whole(reply), labels) for reply in self._all(bodies)]

    def _whole(self, reply: Reply | str) -> Reply:
        if isinstance(reply, str):
            raise EngineError(f"the server at {self._server.url}: {reply}", "run it again: what is done is kept")
        return reply

    def _body(self, chat: Chat, sampling: Sampling, place: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._server.model,
            "messages": chat.messages(),
            "temperature": sampling.temperature,
            "max_tokens": sampling.max_tokens,
            "chat_template_kwargs": {"enable_thinking": False},
        }
        if sampling.temperature > 0:
            seed = (sampling.seed + 7919 * place) % 2**31
            body |= {"top_p": sampling.top_p, "top_k": sampling.top_k or -1, "seed": seed}
        return body

    def _all(self, bodies: Sequence[Mapping[str, Any]]) -> list[Reply | str]:
        async def ask_all() -> list[Reply | str]:
            return list(await asyncio.gather(*(self._ask(body) for body in bodies)))

        pending = self._link.submit(ask_all())
        try:
            return pending.result()
        except BaseException:
            pending.cancel()
            raise

    async def _ask(self, body: Mapping[str, Any]) -> Reply | str:
        """The reply, or in words why this question was given up."""
        failures: Counter[Kind] = Counter()
        while True:
            self._patience.check()
            sent = {name: value for name, value in body.items() if name not in self._left_out}
            try:
                reply = await self._link.chat(sent)
            except Trouble as trouble:
                failures[trouble.kind] += 1
                if trouble.kind in (Kind.FORBIDDEN, Kind.UNKNOWN):
                    hint = f"the model asked for is {self._server.model}; is it served there, and is the key right?"
                    raise EngineError(f"the server at {self._server.url}: {trouble.message}", hint) from None
                if trouble.kind is Kind.REFUSED:
                    named = {field for field in _OPTIONAL if field in trouble.complaint and field in sent}
                    if not named:
                        return trouble.message
                    self._left_out |= named
                    continue
                if trouble.kind in (Kind.AWAY, Kind.BUSY):
                    self._patience.away(trouble)
                elif failures[trouble.kind] >= ASKS.get(trouble.kind, 1):
                    self._patience.lost(trouble)
                    return trouble.message
                await asyncio.sleep(min(wait_before(failures[trouble.kind], trouble), self._server.patience))
                continue
            self._patience.answered()
            return reply


def label_scores(reply: Reply, labels: Sequence[str]) -> tuple[LabelScore, ...]:
    """How likely each label is, by the first token's alternatives: those that begin this label and no other one.

    Letter case and white space in front don't count. A label that no alternative begins gets the least probability
    listed: it has at most that. Raises EngineError when the reply has no alternatives.
    """
    if not reply.tokens or not reply.tokens[0].alternatives:
        raise EngineError("the server gives no probabilities of tokens", "ask one that does, such as vLLM")
    alternatives = [(data.decode("utf-8", "replace").strip().lower(), p) for data, p in reply.tokens[0].alternatives]
    least = min(p for _, p in alternatives)
    mass: dict[str, float] = dict.fromkeys(labels, 0.0)
    for text, p in alternatives:
        begun = [label for label in labels if text and label.lower().startswith(text)]
        if len(begun) == 1:
            mass[begun[0]] += math.exp(p)
    return tuple(LabelScore(math.log(mass[label]) if mass[label] > 0 else least, 1) for label in labels)
