"""What was read of an answer as a frame's result, for the model here as for one on a server.

A result always has 61 values. What a checkpoint does not write is 0, without spread, and each result says so. Words
that a checkpoint does not write are derived from the values, as those of the landmark engine are, and marked: a panel
and a report show words for each frame, and who wants none asks for coefficients alone.

This module knows readings and results and nothing of models, tokens or servers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.analysis.parse import ParsedAnswer
from semanticface.engines.base import FrameInput
from semanticface.engines.mllm.profile import Profile, ValueChoice
from semanticface.engines.mllm.values import Reading, coefficient
from semanticface.results import Estimate, FrameResult, Status

DERIVED = "the words are derived from the values: this checkpoint writes none"
UNREAD = Estimate(0.0, 0.0, 0.0)
"""Of an action that the checkpoint does not write."""


def answered(
    frame: FrameInput,
    text: str,
    parsed: ParsedAnswer,
    read: Mapping[str, Reading] | None,
    options: Mapping[str, Any],
    profile: Profile,
    remarks: Sequence[str],
    **seen: Any,
) -> FrameResult:
    """A result with values: by the options `value` and `dead_zone` from the readings, as written where there are none.

    `confidence` is the mean certainty of the written values. `seen`: `faces` and `box` where a face was looked for.
    """
    values = parsed.coefficients
    remarks = [*remarks, *parsed.repairs]
    if read is not None:
        choice = ValueChoice(options["value"])
        values = {name: coefficient(read[name], choice, options["dead_zone"]) for name in values}
    if len(values) < len(CSV_ORDER):
        remarks.append(f"this checkpoint reads {len(values)} of {len(CSV_ORDER)} actions")
    coefficients = {name: values.get(name, 0.0) for name in CSV_ORDER}
    analysis = parsed.analysis
    if analysis is None and profile.layouts[0].wordless and options["mode"] == "full":
        analysis = describe(coefficients)
        remarks.append(DERIVED)
    return FrameResult(
        frame=frame.frame,
        time=frame.time,
        status=Status.OK,
        coefficients=coefficients,
        analysis=analysis,
        confidence=None if read is None else sum(one.certainty for one in read.values()) / len(read),
        message="; ".join(remarks),
        raw_text=text,
        estimates=None if read is None else {n: _estimate(read[n]) if n in read else UNREAD for n in CSV_ORDER},
        **seen,
    )


def unparseable(frame: FrameInput, text: str, said: Sequence[str], **seen: Any) -> FrameResult:
    """A result without values: what was said about it, and the text as it came."""
    message = "; ".join(said)
    return FrameResult(frame.frame, frame.time, Status.UNPARSEABLE, message=message, raw_text=text, **seen)


def _estimate(reading: Reading) -> Estimate:
    return Estimate(reading.argmax, reading.expectation, reading.deviation)
