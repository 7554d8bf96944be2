"""What was read of an answer as a frame's result, for the model here as for one on a server.

This module knows readings and results and nothing of models, tokens or servers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semanticface.analysis.parse import ParsedAnswer
from semanticface.engines.base import FrameInput
from semanticface.engines.mllm.profile import ValueChoice
from semanticface.engines.mllm.values import Reading, coefficient
from semanticface.results import Estimate, FrameResult, Status


def answered(
    frame: FrameInput,
    text: str,
    parsed: ParsedAnswer,
    read: Mapping[str, Reading] | None,
    options: Mapping[str, Any],
    remarks: Sequence[str],
    **seen: Any,
) -> FrameResult:
    """A result with values: by the options `value` and `dead_zone` from the readings, as written where there are none.

    `confidence` is the mean certainty of the written values. `seen`: `faces` and `box` where a face was looked for.
    """
    values = parsed.coefficients
    if read is not None:
        choice = ValueChoice(options["value"])
        values = {name: coefficient(read[name], choice, options["dead_zone"]) for name in values}
    return FrameResult(
        frame=frame.frame,
        time=frame.time,
        status=Status.OK,
        coefficients=values,
        analysis=parsed.analysis,
        confidence=None if read is None else sum(one.certainty for one in read.values()) / len(read),
        message="; ".join([*remarks, *parsed.repairs]),
        raw_text=text,
        estimates=None if read is None else {name: _estimate(read[name]) for name in values},
        **seen,
    )


def unparseable(frame: FrameInput, text: str, said: Sequence[str], **seen: Any) -> FrameResult:
    """A result without values: what was said about it, and the text as it came."""
    message = "; ".join(said)
    return FrameResult(frame.frame, frame.time, Status.UNPARSEABLE, message=message, raw_text=text, **seen)


def _estimate(reading: Reading) -> Estimate:
    return Estimate(reading.argmax, reading.expectation, reading.deviation)
