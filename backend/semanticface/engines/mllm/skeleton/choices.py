"""What was chosen for one value, and the logits that it was chosen by: what `values` reads distributions from.

This module knows nothing of tokens or models; whoever has logits or log-probabilities of digits can fill a `Choice`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One value as it stands in the answer.

    `text` is the number without its space ("-0.0"). The logits are float32 and not normalised, so log-probabilities do
    as well: `sign` (2,) for plus and minus, None where there is no choice; `integer` (n,) for the digits 0 to n-1
    before the point; `digits` one (10,) for each digit after it, each given all that was chosen before it.
    """

    text: str
    sign: NDArray[np.float32] | None
    integer: NDArray[np.float32]
    digits: tuple[NDArray[np.float32], ...]

    @property
    def value(self) -> float:
        """The number in the text; "-0.0" keeps its sign."""
        return float(self.text)
