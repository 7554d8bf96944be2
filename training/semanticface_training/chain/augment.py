"""Pictures varied while they are learnt from: mirrored, moved by a pixel or two, in other light, with a little noise.

A mirrored face has its coefficients mirrored, too. This module knows nothing of models.
"""

from __future__ import annotations

import torch
from torch.nn import functional as fn

from semanticface.actions import ACTIONS, CSV_ORDER

_SHIFT = 2
"""Most pixels that a picture is moved by."""
_GAIN, _OFFSET, _NOISE = 0.15, 0.03, 0.013
"""Standard deviations of contrast, of each colour's level and of each pixel, on a scale from -1 to 1."""


def varied(pictures: torch.Tensor, mirror: torch.Tensor) -> torch.Tensor:
    """(B, 3, side, side), each another time otherwise; those where `mirror` (B,) holds are mirrored."""
    count, _, side, _ = pictures.shape
    turned = torch.where(mirror[:, None, None, None], pictures.flip(-1), pictures)
    wide = fn.pad(turned, (_SHIFT,) * 4, mode="replicate")
    moved = torch.empty_like(pictures)
    for row, (down, along) in enumerate(torch.randint(0, 2 * _SHIFT + 1, (count, 2)).tolist()):
        moved[row] = wide[row, :, down : down + side, along : along + side]
    gain = 1 + _GAIN * torch.randn(count, 1, 1, 1)
    return moved * gain + _OFFSET * torch.randn(count, 3, 1, 1) + _NOISE * torch.randn_like(moved)


def mirrored_values(values: torch.Tensor) -> torch.Tensor:
    """(B, 61) coefficients in `CSV_ORDER` of the mirrored face: sides exchanged, yaw and roll negated."""
    places = {name: place for place, name in enumerate(CSV_ORDER)}
    by_name = {action.name: action for action in ACTIONS}
    order = torch.tensor([places[by_name[name].mirror] for name in CSV_ORDER])
    signs = torch.tensor([float(by_name[name].mirror_sign) for name in CSV_ORDER])
    return values[:, order] * signs
