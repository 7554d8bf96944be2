"""Agreement between text and numbers: does a method's analysis say what its coefficients say?

Built on `semanticface.analysis.check`, which reads claims out of prose and is lenient about shades. Judges the text
against the coefficients that it came with, or against the true ones. Knows nothing of models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import ArrayLike

from semanticface.actions import CSV_ORDER
from semanticface.analysis.check import DisagreementKind, check
from semanticface.errors import InputError
from semanticface.results import Analysis
from semanticface_training.evaluation.metrics.arrays import checked_names, checked_rows, checked_values


@dataclass(frozen=True, slots=True)
class TextAgreement:
    """Of n frames, `texts` have an analysis; the figures are over these, and None when there are none.

    `agreeing`: share of texts without a disagreement. `per_text`: disagreements a text. `claims`: claims about
    movements that were understood, a text. `upheld`: share of these claims that no disagreement is about. `kinds`:
    texts with at least one disagreement of each kind, by the kind's name.
    """

    n: int
    texts: int
    agreeing: float | None
    per_text: float | None
    claims: float | None
    upheld: float | None
    kinds: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def text_agreement(
    analyses: Sequence[Analysis | None], values: ArrayLike, names: Sequence[str] = CSV_ORDER
) -> TextAgreement:
    """`analyses` (N,), None where a method wrote none; `values` (N, 61) that they should be about, columns by `names`.

    Raises InputError unless all 61 actions are named: an absent one can't be told from one at rest.
    """
    known = checked_names(names)
    absent = [name for name in CSV_ORDER if name not in known]
    if absent:
        raise InputError(f"a text can't be judged without {', '.join(absent[:3])} ({len(absent)} absent)",
                         "give all 61 actions")  # fmt: skip
    array = checked_values(values, known, "values")
    written = checked_rows(analyses, len(array), "analyses")
    kinds: Counter[DisagreementKind] = Counter()
    texts = agreeing = total = claims = wrong = 0
    for analysis, row in zip(written, array, strict=True):
        if analysis is None:
            continue
        found = check(analysis, dict(zip(known, row.tolist(), strict=True)))
        texts += 1
        agreeing += found.agrees
        total += len(found.disagreements)
        claims += found.claims
        wrong += sum(bool(one.claim) and one.kind in _OF_CLAIMS for one in found.disagreements)
        kinds.update({one.kind for one in found.disagreements})
    return TextAgreement(
        n=len(array),
        texts=texts,
        agreeing=agreeing / texts if texts else None,
        per_text=total / texts if texts else None,
        claims=claims / texts if texts else None,
        upheld=1 - min(wrong, claims) / claims if claims else None,
        kinds={kind.name.lower(): kinds[kind] for kind in DisagreementKind},
    )


_OF_CLAIMS = frozenset({DisagreementKind.INACTIVE, DisagreementKind.INTENSITY, DisagreementKind.SIDE})
