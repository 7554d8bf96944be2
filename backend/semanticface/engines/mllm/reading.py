"""A decoded answer to a frame's result: parsed exactly, with coefficients and estimates off the digits' distributions.

What can't be read makes the frame UNPARSEABLE with its text kept; a value that isn't there is never made up. This
module knows answers and results and nothing of models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from semanticface.analysis.parse import ParsedAnswer, parse_answer
from semanticface.engines.base import FrameInput
from semanticface.engines.mllm.outcome import answered, unparseable
from semanticface.engines.mllm.profile import Profile
from semanticface.engines.mllm.skeleton.decode import Answer, Ending
from semanticface.engines.mllm.values import Reading, readings
from semanticface.errors import EngineError, UnparseableAnswer
from semanticface.results import FrameResult

_ENDINGS: Mapping[Ending, str] = {
    Ending.STOPPED: "the model ended its answer without values in a known layout",
    Ending.LIMIT: "the answer grew to its longest without values in a known layout",
}


def read_answer(
    frame: FrameInput, answer: Answer, options: Mapping[str, Any], profile: Profile, remarks: Sequence[str], **seen: Any
) -> FrameResult:
    """The result of one frame. `seen`: `faces` and `box` where a face was looked for. `remarks` go into its message.

    Raises EngineError when the text and the choices that made it disagree, which no answer can cause.
    """
    if answer.ending is Ending.LEFT:
        share = f"{answer.agreement:.0%}"
        why = f"the model does not write this format: of the checked digits {share} were its own choice"
        return unparseable(frame, answer.text, [*remarks, why, "does the profile belong to this model?"], **seen)
    try:
        parsed = parse_answer(answer.text, profile.actions)
    except UnparseableAnswer as error:
        before = [_ENDINGS[answer.ending]] if answer.ending in _ENDINGS else []
        return unparseable(frame, answer.text, [*remarks, *before, error.message], **seen)
    read = None
    if answer.ending is Ending.JSON:
        read = readings(answer.choices, profile.decimals)
        _compare(frame, parsed, read)
    return answered(frame, answer.text, parsed, read, options, profile, remarks, **seen)


def _compare(frame: FrameInput, parsed: ParsedAnswer, read: Mapping[str, Reading]) -> None:
    """The text and the digits that were chosen for it have to say the same, sign of zero included."""
    for name, value in parsed.coefficients.items():
        chosen = read[name].argmax if name in read else math.nan
        if chosen != value or math.copysign(1, chosen) != math.copysign(1, value):
            raise EngineError(f"frame {frame.frame}: {name} is {value} in the text and {chosen} by its digits")
