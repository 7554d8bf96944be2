"""People made of the demo head: smooth changes of its proportions, each a mode with a weight about N(0, 1).

A mode is a displacement of space, so skin, brows, lashes, teeth and tongue move together. Around each eye the
displacement is that of the eye's centre, so that lids still fit the eyeball. Axes: +X the subject's left, +Y up, +Z
to the viewer, in centimetres. numpy only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semanticface_training.synthetic.ict import Floats, Reals
from semanticface_training.synthetic.surface import smooth

EYE = np.array([3.25, 0.1, 6.55])
"""The left eyeball's centre; the right one mirrors it."""
_RIGID, _FREE = 2.4, 4.0

Mode = Callable[[Reals], Reals]


def _bump(p: Reals, centre: tuple[float, float, float], reach: tuple[float, float, float]) -> Reals:
    """A Gaussian about `centre` and its mirror image, (P,)."""
    at = np.stack([np.abs(p[:, 0]), p[:, 1], p[:, 2]], axis=1)
    bump: Reals = np.exp(-(((at - np.asarray(centre)) / np.asarray(reach)) ** 2).sum(axis=1))
    return bump


def _move(p: Reals, share: Reals, way: tuple[float, float, float]) -> Reals:
    """`share` (P,) of `way`; what goes sideways goes to either side."""
    out: Reals = share[:, None] * np.asarray(way)
    out[:, 0] *= np.tanh(p[:, 0] / 0.8)
    return out


def _push(
    centre: tuple[float, float, float], reach: tuple[float, float, float], way: tuple[float, float, float]
) -> Mode:
    return lambda p: _move(p, _bump(p, centre, reach), way)


def _scale(axis: int, share: float, about: float = 0.0) -> Mode:
    def mode(p: Reals) -> Reals:
        out = np.zeros_like(p)
        out[:, axis] = share * (p[:, axis] - about)
        return out

    return mode


def _jaw(p: Reals) -> Reals:
    return _move(p, smooth(-2.0, -7.0, p[:, 1]) * smooth(-13.0, -9.5, p[:, 1]) * np.abs(p[:, 0]), (0.09, 0.0, 0.0))


def _chin(p: Reals) -> Reals:
    return _move(p, smooth(-6.9, -9.3, p[:, 1]) * smooth(1.0, 6.0, p[:, 2]), (0.0, -0.6, 0.0))


def _neck(p: Reals) -> Reals:
    return _move(p, smooth(-8.5, -12.0, p[:, 1]) * smooth(-16.5, -14.5, p[:, 1]) * np.abs(p[:, 0]), (0.08, 0.0, 0.0))


def _lips(p: Reals) -> Reals:
    share = _bump(p, (0.0, -6.2, 9.3), (2.4, 0.95, 1.3)) * smooth(7.9, 8.9, p[:, 2])
    out = _move(p, share, (0.0, 0.0, 0.12))
    out[:, 1] += share * 0.22 * np.clip(p[:, 1] + 6.2, -0.9, 0.9)
    return out


def _lopsided(p: Reals) -> Reals:
    out = np.zeros_like(p)
    out[:, 0] = 0.16 * _bump(p, (0.0, -7.0, 7.0), (6.0, 4.0, 7.0))
    return out


MODES: tuple[Mode, ...] = (
    _scale(0, 0.045),
    _scale(1, 0.035, -3.0),
    _scale(2, 0.03),
    _jaw,
    _chin,
    _push((0.0, -9.0, 8.0), (3.2, 2.0, 4.0), (0.0, 0.0, 0.55)),  # chin forward
    _push((0.0, -3.2, 10.2), (1.7, 1.6, 2.6), (0.0, -0.34, 0.0)),  # long nose
    _push((0.0, -2.4, 10.2), (1.5, 2.2, 2.6), (0.0, 0.0, 0.42)),  # nose forward
    _push((0.9, -3.3, 9.4), (1.3, 1.4, 2.2), (0.2, 0.0, 0.0)),  # wide nose
    _push((0.0, 1.0, 8.5), (1.2, 2.0, 2.0), (0.0, 0.0, 0.28)),  # bridge
    _push((2.6, -6.2, 8.0), (2.2, 2.2, 4.0), (0.26, 0.0, 0.0)),  # wide mouth
    _push((0.0, -6.6, 8.0), (4.6, 2.2, 6.0), (0.0, 0.28, 0.0)),  # mouth high
    _lips,
    _push(tuple(EYE), (3.4, 3.2, 4.5), (0.17, 0.0, 0.0)),  # eyes apart
    _push(tuple(EYE), (3.6, 3.0, 4.5), (0.0, 0.24, 0.0)),  # eyes high
    _push((2.3, 2.6, 8.0), (3.0, 1.2, 3.0), (0.0, 0.0, 0.28)),  # brow ridge
    _push((2.6, 3.1, 7.5), (3.2, 1.3, 3.5), (0.0, 0.26, 0.0)),  # brows high
    _push((5.0, -2.0, 4.8), (2.0, 2.2, 3.2), (0.32, 0.0, 0.1)),  # cheekbones
    _push((4.2, -5.0, 5.6), (2.2, 2.4, 3.2), (0.4, 0.0, 0.2)),  # cheeks
    _push((0.0, 6.5, 7.0), (6.0, 3.2, 5.5), (0.0, 0.0, 0.5)),  # forehead
    _neck,
    _lopsided,
)


def displacement(points: Reals, weights: Floats) -> Floats:
    """How a person's proportions move points (P, 3) of the neutral head, (P, 3) float32 in cm."""
    moved = _field(points, weights)
    for side in (1.0, -1.0):
        centre = EYE * np.array([side, 1.0, 1.0])
        whole = _field(centre[None], weights)[0]
        share = smooth(_FREE, _RIGID, np.linalg.norm(points - centre, axis=1))[:, None]
        moved = moved * (1 - share) + whole * share
    out: Floats = moved.astype(np.float32)
    return out


def eye_centres(weights: Floats) -> Floats:
    """Centres of the person's eyeballs, (2, 3) float32 cm, left first."""
    both = np.stack([EYE, EYE * np.array([-1.0, 1.0, 1.0])])
    centres: Floats = (both + _field(both, weights)).astype(np.float32)
    return centres


def _field(points: Reals, weights: Floats) -> Reals:
    total = np.zeros_like(points, dtype=np.float64)
    for mode, weight in zip(MODES, weights, strict=True):
        total += float(weight) * mode(points.astype(np.float64))
    return total
