"""An answer to a frame's result: parsed exactly, with estimates where probabilities came along.

Text that can't be read makes the frame UNPARSEABLE with the text kept; a value that isn't there is never made up.
This module knows nothing of servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semanticface.analysis.parse import ParsedAnswer, parse_answer
from semanticface.engines.base import FrameInput
from semanticface.engines.mllm.outcome import answered, unparseable
from semanticface.engines.mllm.profile import Layout, Profile, ValueChoice
from semanticface.engines.mllm.values import Reading, readings
from semanticface.engines.remote.choices import Aligned, align
from semanticface.engines.remote.wire import Reply
from semanticface.errors import UnparseableAnswer
from semanticface.results import FrameResult

LEAST_AGREEMENT = 0.5
"""Below this share of its own choices a model does not write this format: values would be made up."""


def analysis_so_far(text: str, profile: Profile) -> str:
    """What of a growing answer is analysis: the text before the values, and before what may be their first letters."""
    end = len(text)
    for mark in _marks(profile):
        begun = next(length for length in range(len(mark), -1, -1) if text.endswith(mark[:length]))
        found = text.find(mark)
        end = min(end, len(text) - begun if found < 0 else found)
    return text[:end].rstrip(" \n,{")


def _marks(profile: Profile) -> tuple[str, ...]:
    """What the values begin with: in a list; in the released layout, and in the paper's."""
    return ("[",) if Layout.VECTOR in profile.layouts else (f'{{"{profile.actions[0]}"', '"arkit"')


def read_reply(
    frame: FrameInput, reply: Reply, options: Mapping[str, Any], profile: Profile, remarks: list[str], **seen: Any
) -> FrameResult:
    """The result of one frame. `seen`: `faces` and `box` where a face was looked for. `remarks` go into its message."""
    try:
        parsed = parse_answer(reply.text, profile.actions)
        aligned = align(reply.text, reply.tokens, profile)
        _refuse_a_grammars_answer(aligned)
    except UnparseableAnswer as error:
        cut = "the answer was cut off at its longest; " if reply.finish == "length" else ""
        return unparseable(frame, reply.text, [*remarks, f"{cut}{error.message}"], **seen)
    read = _readings(aligned, parsed, profile) if options["estimates"] else None
    if read is None and options["value"] != ValueChoice.ARGMAX:
        remarks = [*remarks, f"values are as written: no probabilities came to take their {options['value']} of"]
    return answered(frame, reply.text, parsed, read, options, profile, remarks, **seen)


def _refuse_a_grammars_answer(aligned: Aligned | None) -> None:
    """Raises UnparseableAnswer where the digits were mostly not what the model would have written."""
    if aligned is not None and aligned.agreement < LEAST_AGREEMENT:
        share = f"{aligned.agreement:.0%}"
        raise UnparseableAnswer(f"only {share} of the digits were the model's own choice, the others the grammar's")


def _readings(aligned: Aligned | None, parsed: ParsedAnswer, profile: Profile) -> Mapping[str, Reading] | None:
    """Readings of all values, None where the tokens don't tell or tell another value than the text."""
    if aligned is None or any(aligned.choices[name].value != value for name, value in parsed.coefficients.items()):
        return None
    return readings(aligned.choices, profile.decimals)
