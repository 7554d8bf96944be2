"""The two encoders of the retrieval evaluator: pictures and motions, each to unit vectors of one shared space.

Both stay small enough to be trained on 1,600 pictures by one processor core in a few minutes. What made small picture
networks learn faces from so few pictures is local normalisation: grey levels less the local mean by the local
deviation, at two scales (measured on synthetic heads). This module knows nothing of datasets, training and files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_DEVIATION = 1e-3
"""A coefficient that varies less than the third decimal is constant: it says nothing about a picture."""
_CHANNELS = (24, 48, 64, 96)
_HIDDEN = 512
_SCALES = (8, 3)
"""Windows of the local normalisation are a side divided by these."""
_NOISE = 4e-4
"""Variance of grey that is noise (2 % of the range): flat parts stay flat."""


class MotionEncoder(nn.Module):  # type: ignore[misc]
    """(B, K) coefficients to (B, width) unit vectors: Z-scores, then an MLP of two hidden layers.

    `mean` and `deviation` (K,) are those of the training split. A constant coefficient counts nothing, whatever it is.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, mean: NDArray[np.float64], deviation: NDArray[np.float64], hidden: int, width: int) -> None:
        super().__init__()
        varies = torch.as_tensor(deviation > LEAST_DEVIATION)
        spread = torch.as_tensor(deviation, dtype=torch.float32)
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.where(varies, 1 / spread.clamp(min=LEAST_DEVIATION), 0.0))
        self.layers = nn.Sequential(
            nn.Linear(len(mean), hidden),
            nn.LayerNorm(hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden),
            nn.LayerNorm(hidden),
            nn.GELU(),
            nn.Linear(hidden, width),
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        scores = (values - self.mean) * self.scale  # (B, K)
        return nn.functional.normalize(self.layers(scores), dim=1)


class PictureEncoder(nn.Module):  # type: ignore[misc]
    """(B, S, S) grey pictures in [0, 1] to (B, width) unit vectors: a convolutional network of four stages."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.normalise = LocalNormalisation(size)
        channels = (3, *_CHANNELS)
        kernels = (5, 3, 3, 3)
        self.stages = nn.Sequential(*map(_stage, channels, _CHANNELS, kernels))
        self.stages.to(memory_format=torch.channels_last)  # a third faster on a processor
        side = size
        for _ in _CHANNELS:
            side = (side + 1) // 2
        self.head = nn.Sequential(
            nn.Linear(_CHANNELS[-1] * side * side, _HIDDEN),
            nn.LayerNorm(_HIDDEN),
            nn.GELU(),
            nn.Dropout(0.1),
            nn.Linear(_HIDDEN, width),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        maps = self.stages(self.normalise(pictures))  # (B, 96, S/16, S/16)
        return nn.functional.normalize(self.head(maps.flatten(1)), dim=1)


class FeatureEncoder(nn.Module):  # type: ignore[misc]
    """(B, F) features of a frozen network to (B, width) unit vectors."""

    def __init__(self, features: int, hidden: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(features),
            nn.Linear(features, hidden),
            nn.LayerNorm(hidden),
            nn.GELU(),
            nn.Dropout(0.1),
            nn.Linear(hidden, width),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.layers(features), dim=1)


class LocalNormalisation(nn.Module):  # type: ignore[misc]
    """(B, S, S) to (B, 3, S, S): grey less the mean around a point by the deviation around it, at two scales; and of
    the whole picture. Light and skin go, edges of lips and lids stay."""

    def __init__(self, size: int) -> None:
        super().__init__()
        for number, part in enumerate(_SCALES):
            self.register_buffer(f"blur{number}", _means(size, size // part | 1), persistent=False)

    def forward(self, grey: torch.Tensor) -> torch.Tensor:
        squares = grey * grey
        out = []
        for number in range(len(_SCALES)):
            blur = self.get_buffer(f"blur{number}")  # rows, then columns: ten times faster than pooling
            mean = blur @ grey @ blur.T
            variance = blur @ squares @ blur.T - mean * mean
            out.append((grey - mean) * torch.rsqrt(variance.clamp(min=0) + _NOISE))
        mean, deviation = grey.mean((1, 2), keepdim=True), grey.std((1, 2), keepdim=True)
        out.append((grey - mean) / (deviation + _NOISE**0.5))
        return torch.stack(out, dim=1).contiguous(memory_format=torch.channels_last)


def _stage(before: int, after: int, kernel: int) -> nn.Module:
    half = nn.Conv2d(before, after, kernel, stride=2, padding=kernel // 2, bias=False)
    return nn.Sequential(half, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


def _means(size: int, window: int) -> torch.Tensor:
    """(size, size): each row takes the mean of `window` points around its own, fewer at the edges."""
    points = torch.arange(size)
    near = ((points[:, None] - points).abs() <= window // 2).float()
    return near / near.sum(1, keepdim=True)
