"""The questions to the targets: each asks for what its answer holds and for nothing else.

A2 with all actions is the backend's own question. A0 and A1 ask for no words, since a model that is asked for what it
must not write learns to ignore the question. Short questions are for small models, whose prompts cost most of their
work. This module knows nothing of pictures or tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.prompt import OWN_SYSTEM, own_user_prompt
from semanticface.errors import EngineError
from semanticface_training.stage2.targets import Form, Target


class Wording(StrEnum):
    """How much a question explains."""

    FULL = "full"
    """Names, ranges and signs of all that is asked."""
    SHORT = "short"
    """A sentence."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a profile's `system` and `user` hold."""

    system: str
    user: str


NUMBERS_SYSTEM = (
    "You read faces for animators. From one picture of a person you report what the muscles of the face are doing, "
    "as numbers that drive an ARKit face."
)
SHORT_SYSTEM = "You read faces."

_LOOK = (
    "Look at the face in the picture and report only what is visible in it. Left and right are the person's own "
    "sides, as they would name them."
)
_SHORT = {
    Target.A0: "Give the {count} values of this face as a list.",
    Target.A1: "Give the {count} values of this face by name.",
    Target.A2: "Describe this face, then give its {count} values by name.",
}
_PARAGRAPHS = 4
"""Of the backend's question: what to look at, the words, the names, the ranges; then the form."""


def question(form: Form, wording: Wording = Wording.FULL) -> Question:
    """The question whose answer has this form."""
    if wording is Wording.SHORT:
        return Question(SHORT_SYSTEM, _SHORT[form.target].format(count=len(form.actions)))
    if form.target is Target.A2:
        return Question(OWN_SYSTEM, _own(form))
    return Question(NUMBERS_SYSTEM, f"{_LOOK}\n\n{_numbers(form, 'Give')}\n\n{_shape(form)}")


def _own(form: Form) -> str:
    """The backend's question, with the names and ranges of fewer actions where not all are asked."""
    whole = own_user_prompt(form.layout, form.decimals)
    if form.actions == CSV_ORDER:
        return whole
    paragraphs = whole.split("\n\n")
    if len(paragraphs) <= _PARAGRAPHS or not paragraphs[2].startswith("Follow with numbers"):
        raise EngineError("the backend's own question has another build than the training expects")
    behind = "\n\n".join(paragraphs[_PARAGRAPHS:])
    ends = {CSV_ORDER[0]: form.actions[0], CSV_ORDER[1]: form.actions[1], CSV_ORDER[-1]: form.actions[-1]}
    behind = re.sub(r'"(\w+)"', lambda key: f'"{ends.get(key[1], key[1])}"', behind)
    return "\n\n".join((*paragraphs[:2], _numbers(form, "Follow with"), behind))


def _numbers(form: Form, verb: str) -> str:
    """Which numbers are asked, and what they mean."""
    names = ", ".join(form.actions)
    asked = (
        f"{verb} numbers, one for every name in this list of {len(form.actions)}, in the order of the list, with "
        f"nothing missing and nothing added:\n{names}"
    )
    signed = form.signed
    shapes = "The names are muscle actions: 0 is at rest, 1 is as far as the action goes."
    if len(signed) == len(form.actions):
        shapes = "The names are angles in radians and may be negative:"
    elif signed:
        listed = ", ".join(signed)
        shapes = (
            "The names are muscle actions, for which 0 is at rest and 1 is as far as the action goes, except that "
            f"{listed} {'is an angle' if len(signed) == 1 else 'are angles'} in radians and may be negative:"
        )
    places = "1 digit" if form.decimals == 1 else f"{form.decimals} digits"
    return f"{asked}\n\n{shapes}{_signs(signed)} Give every number {places} after the point, as in {_zero(form)}."


def _signs(signed: tuple[str, ...]) -> str:
    """What grows which way, of the angles that are asked."""
    ways = {
        "Yaw": "yaw grows towards the person's right",
        "Pitch": "pitch grows downwards",
        "Roll": "roll grows as the top of the head leans towards the person's left",
    }
    told = [words for ending, words in ways.items() if any(name.endswith(ending) for name in signed)]
    return f" {', '.join(told)}." if told else ""


def _shape(form: Form) -> str:
    """How A0 and A1 are to be written."""
    zero, first, second, last = _zero(form), *form.actions[:2], form.actions[-1]
    if form.target is Target.A0:
        return f"Write the numbers alone, as one list on a single line, and stop there:\n[{zero}, {zero}, and so on]"
    example = f'{{"{first}": {zero}, "{second}": {zero}, and so on to "{last}": {zero}}}'
    return f"Write a single line of JSON and stop there:\n{example}"


def _zero(form: Form) -> str:
    return f"{0:.{form.decimals}f}"
