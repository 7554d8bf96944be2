"""One thing to learn from: a picture, its coefficients and, where there is one, its description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semanticface.results import Analysis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """`id` is the dataset's row; `image` (H, W, 3) uint8 RGB; `coefficients` by name, exact as recorded."""

    id: str
    image: NDArray[np.uint8]
    coefficients: Mapping[str, float]
    analysis: Analysis | None = None
