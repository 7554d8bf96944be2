"""Whether a description may teach: its four parts are there, and it says nothing that the coefficients deny.

Built on `semanticface.analysis`, which reads claims out of prose. What it finds goes into the record whole; only the
kinds in `REFUSED` keep a description from being accepted, since shades of intensity are the teacher's own judgement.
This module knows nothing of teachers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from semanticface.analysis.check import DisagreementKind, check
from semanticface.analysis.parse_analysis import FIELDS, analysis_from_json, analysis_from_markdown
from semanticface.analysis.parse_json import Found, find_objects
from semanticface.results import Analysis

LONGEST = 4_000
"""Characters of a description; the paper's teacher wrote 700 to 1,900."""
MOST_NUMBERS = 3
"""Numbers with decimals that a description may hold; more, and it is the coefficients once more instead of words."""
_NUMBER = re.compile(r"(?<![\w.])-?[01]?\.\d+")


class FaultKind(StrEnum):
    """Why a description is refused, or what is remarked about it."""

    EMPTY = "empty"
    CUT = "cut"
    PARTS = "parts"
    LONG = "long"
    NUMBERS = "numbers"
    INACTIVE = "inactive"
    SYMMETRY = "symmetry"
    OMITTED = "omitted"
    INTENSITY = "intensity"
    CATEGORY = "category"
    EMOTION = "emotion"


_OF_CHECK: Mapping[DisagreementKind, FaultKind] = {
    DisagreementKind.INACTIVE: FaultKind.INACTIVE,
    DisagreementKind.SIDE: FaultKind.SYMMETRY,
    DisagreementKind.OMITTED: FaultKind.OMITTED,
    DisagreementKind.INTENSITY: FaultKind.INTENSITY,
    DisagreementKind.CATEGORY: FaultKind.CATEGORY,
    DisagreementKind.EMOTION: FaultKind.EMOTION,
}
REFUSED = frozenset(
    {
        *(FaultKind.EMPTY, FaultKind.CUT, FaultKind.PARTS, FaultKind.LONG, FaultKind.NUMBERS),
        *(FaultKind.INACTIVE, FaultKind.SYMMETRY),
    }
)
STRICT = frozenset(FaultKind)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a description, in words."""

    kind: FaultKind
    message: str

    def to_text(self) -> str:
        return f"{self.kind.value}: {self.message}"


def read_description(text: str) -> Analysis | None:
    """The four fields out of a teacher's text, Markdown or one JSON object; None when none of them is there."""
    found = next((one for one in find_objects(text) if isinstance(one, Found)), None)
    if found is not None:
        pairs = found.members.pairs
        inner = pairs[0][1] if len(pairs) == 1 and pairs[0][0].lower() == "analysis" else found.members
        return analysis_from_json(inner)[0]
    return analysis_from_markdown(text)[0]


def faults_of(text: str, analysis: Analysis | None, complete: bool, coefficients: Mapping[str, float]) -> list[Fault]:
    """Everything that is wrong with a description, in the order of `FaultKind`."""
    if not text.strip():
        return [Fault(FaultKind.EMPTY, "no text came")]
    found = [] if complete else [Fault(FaultKind.CUT, "the text breaks off")]
    if analysis is None:
        return [*found, Fault(FaultKind.PARTS, "none of the four parts is there")]
    missing = [name for name in FIELDS if not getattr(analysis, name)]
    if missing:
        found.append(Fault(FaultKind.PARTS, f"no {', '.join(missing)}"))
    if len(text) > LONGEST:
        found.append(Fault(FaultKind.LONG, f"{len(text):,} characters, {LONGEST:,} at most"))
    numbers = len(_NUMBER.findall(text))
    if numbers > MOST_NUMBERS:
        found.append(Fault(FaultKind.NUMBERS, f"{numbers} numbers copied from the coefficients"))
    disagreements = check(analysis, coefficients).disagreements
    found += [Fault(_OF_CHECK[one.kind], one.message) for one in disagreements]
    order = list(FaultKind)
    return sorted(found, key=lambda fault: order.index(fault.kind))
