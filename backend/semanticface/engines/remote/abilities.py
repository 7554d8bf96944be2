"""What a server was found to understand besides plain chat, and how a refusal takes one of these things away.

Servers say in words what they refuse; most ignore what they don't know. So abilities are found by their effect (see
`survey`), and given up one at a time when a request is refused. This module knows nothing of HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from semanticface.engines.remote.settings import GrammarStyle


@dataclass(frozen=True, slots=True)
class Abilities:
    """`grammar`: where a regular expression goes, NONE for nowhere. `logprobs`: probabilities of the tokens come with
    the answer. `continues`: an answer may be begun for the model. `prediction`: a draft of the answer is taken.
    `usage`: a stream tells its token counts."""

    grammar: GrammarStyle = GrammarStyle.NONE
    logprobs: bool = True
    continues: bool = True
    prediction: bool = True
    usage: bool = True


def without(abilities: Abilities, complaint: str) -> tuple[Abilities, str] | None:
    """The abilities less the one that a refusal talks about, and a remark for the user; None when it is about none.

    `complaint` is the server's own message.
    """
    words = complaint.lower()
    if abilities.usage and "stream_options" in words:
        return replace(abilities, usage=False), ""
    if abilities.prediction and "prediction" in words:
        return replace(abilities, prediction=False), "the server takes no drafts"
    if abilities.logprobs and ("logprob" in words or "log prob" in words):
        remark = "the server gives no probabilities: values are as written, without estimates"
        return replace(abilities, logprobs=False), remark
    if abilities.continues and ("continue_final_message" in words or "add_generation_prompt" in words):
        return replace(abilities, continues=False), "the server can't continue an answer that was begun for it"
    about_grammar = ("regex", "structured", "guided", "grammar", "xgrammar", "guidance", "outlines")
    if abilities.grammar is not GrammarStyle.NONE and any(word in words for word in about_grammar):
        remark = "the server refuses the grammar: answers are checked when they are read, not while they are written"
        return replace(abilities, grammar=GrammarStyle.NONE), remark
    return None
