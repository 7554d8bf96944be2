"""Hair: brow, lash and scalp strands as thin ribbons that sit on the skin and move with it.

Each strand is three points written in the frame of the skin triangle at its root, so it follows every expression.
Strands are drawn from a seed. numpy only; this module knows nothing of Blender.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semanticface_training.synthetic.ict import Floats, Head, Ints, Reals
from semanticface_training.synthetic.surface import brow_lines, smooth

_BROW_STRANDS = 620
_SCALP_STRANDS = 26000


@dataclass(frozen=True)
class Strands:
    """S strands: `triangle` (S, 3) vertices of the head, `root` (S, 3) barycentric, `curve` (S, 3, 3) the three
    points' offsets in the triangle's frame (tangent, bitangent, normal; cm), `width` (S,) cm, `shade` (S,) a factor
    on the hair's colour."""

    triangle: Ints
    root: Floats
    curve: Floats
    width: Floats
    shade: Floats

    def place(self, vertices: Floats) -> Floats:
        """Points (S, 3, 3) of the strands, root first, for the head's vertices (V, 3)."""
        origin, frame = _frames(vertices, self.triangle, self.root)
        placed: Floats = (origin[:, None] + np.einsum("spk,skc->spc", self.curve, frame)).astype(np.float32)
        return placed


def _frames(vertices: Floats, triangle: Ints, root: Floats) -> tuple[Floats, Floats]:
    a, b, c = (vertices[triangle[:, k]] for k in range(3))
    origin = root[:, :1] * a + root[:, 1:2] * b + root[:, 2:] * c
    tangent = b - a
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    return origin, np.stack([tangent, np.cross(normal, tangent), normal], axis=1)


def ribbons(points: Floats, width: Floats, eye: Floats) -> tuple[Floats, Ints]:
    """Strand points (S, 3, 3) as two quads each that face `eye` (3,): vertices (S*6, 3), faces (S*2, 4)."""
    along = points[:, 2] - points[:, 0]
    side = np.cross(along, eye - points[:, 1])
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    half = side[:, None] * (width[:, None] * np.array([0.2, 0.5, 0.08], np.float32))[:, :, None]
    vertices = np.stack([points - half, points + half], axis=2).reshape(-1, 3)
    pattern = np.array([[0, 1, 3, 2], [2, 3, 5, 4]])
    faces = (pattern[None] + (np.arange(len(points)) * 6)[:, None, None]).reshape(-1, 4)
    return vertices.astype(np.float32), faces.astype(np.int32)


def _triangles(faces: Ints) -> Ints:
    quads = faces[faces[:, 3] >= 0]
    return np.concatenate([faces[:, :3], quads[:, [0, 2, 3]]])


def brow_strands(head: Head, rng: np.random.Generator) -> Strands:
    """Both brows: strands along the brows' centre lines, upright at the inner end, lying outward further out."""
    skin = _triangles(head.faces[head.face_material == head.materials.index("M_Face")])
    centres = head.neutral[skin].mean(axis=1)
    skin = skin[(centres[:, 2] > 5) & (centres[:, 1] > 4) & (centres[:, 1] < 8.5)]
    parts = []
    for line in brow_lines(head):
        along = rng.uniform(0, 1, _BROW_STRANDS) ** 0.9
        spot = np.stack([np.interp(along * 4, np.arange(5), line[:, k]) for k in range(2)], axis=1)
        thick = 0.42 * smooth(-0.25, 0.3, along) * (1 - 0.75 * smooth(0.55, 1.0, along))
        spot[:, 0] += rng.normal(0, 0.09, len(along))
        spot[:, 1] += rng.normal(0, 0.5, len(along)).clip(-1, 1) * thick + 0.02
        outward = 1.0 if line[-1, 0] > 0 else -1.0
        lean = np.radians(58 - 63 * smooth(0.0, 0.45, along) - 28 * smooth(0.6, 1.0, along))
        lean = lean + rng.normal(0, 0.22, len(along))
        direction = np.stack([outward * np.cos(lean), np.sin(lean), np.zeros_like(lean)], axis=1)
        length = rng.uniform(0.45, 0.85, len(along)) * (1 - 0.3 * smooth(0.7, 1, along))
        parts.append(_rooted(head.neutral, skin, spot, direction * length[:, None], rng))
    return join(parts)


def _rooted(vertices: Floats, skin: Ints, spot: Floats, reach: Floats, rng: np.random.Generator) -> Strands:
    """Strands whose roots are where `spot` (S, 2) meets the skin seen from the front; `reach` (S, 3) to the tip."""
    a, b, c = (vertices[skin[:, k], :2] for k in range(3))
    area: Reals = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    p = spot[:, None]
    v: Reals = ((p[..., 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (p[..., 1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
    w: Reals = ((b[:, 0] - a[:, 0]) * (p[..., 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[..., 0] - a[:, 0])) / area
    worst = np.minimum(np.minimum(v, w), 1 - v - w)
    worst[:, area <= 0] = -np.inf  # turned away from the viewer
    best = worst.argmax(axis=1)
    rows = np.flatnonzero(worst[np.arange(len(spot)), best] > -0.02)
    best = best[rows]
    root = np.stack([1 - v[rows, best] - w[rows, best], v[rows, best], w[rows, best]], axis=1)
    return strands_from(vertices, skin[best], root, reach[rows], rng, lift=(0.0, 0.05, 0.07), width=0.036)


def strands_from(
    vertices: Floats,
    triangle: Ints,
    root: Reals,
    reach: Reals,
    rng: np.random.Generator,
    lift: tuple[float, float, float],
    width: float,
) -> Strands:
    """Strands with their roots and tips (`reach` from the root, laid along the skin, then lifted) in cm."""
    _, frame = _frames(vertices, triangle, root.astype(np.float32))
    flat = reach - (reach * frame[:, 2]).sum(axis=1, keepdims=True) * frame[:, 2]
    flat *= np.linalg.norm(reach, axis=1, keepdims=True) / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    shares = np.array([0.0, 0.55, 1.0])
    path = flat[:, None] * shares[:, None] + frame[:, 2][:, None] * np.asarray(lift)[:, None]
    count = len(root)
    return Strands(
        triangle=triangle.astype(np.int32),
        root=root.astype(np.float32),
        curve=np.einsum("spc,skc->spk", path, frame).astype(np.float32),
        width=(width * rng.uniform(0.75, 1.25, count)).astype(np.float32),
        shade=rng.uniform(0.6, 1.6, count).astype(np.float32),
    )


def lash_strands(head: Head, rng: np.random.Generator) -> Strands:
    """Lashes that follow the model's own lash cards (strips from the lid's edge outward), as single hairs."""
    cards = head.faces[head.face_material == head.materials.index("M_EyeLashes")]
    lid = head.neutral[slice(*head.regions["face"])]
    low, high = head.neutral[np.unique(cards)].min(axis=0) - 0.02, head.neutral[np.unique(cards)].max(axis=0) + 0.02
    lid = lid[((lid > low) & (lid < high)).all(axis=1)]
    edge = {int(v) for v in np.unique(cards) if np.linalg.norm(lid - head.neutral[v], axis=1).min() < 0.01}
    beside: dict[int, set[int]] = {}
    for card in cards.tolist():
        for a, b in zip(card, card[1:] + card[:1], strict=True):
            beside.setdefault(a, set()).add(b)
            beside.setdefault(b, set()).add(a)
    triangles, roots, tips = [], [], []
    for card in cards.tolist():
        starts = [k for k in range(4) if card[k] in edge and card[(k + 1) % 4] in edge]
        if not starts:
            continue
        a, b, c, d = (card[(starts[0] + k) % 4] for k in range(4))
        ends = [_lash_tip(head.neutral, beside, start, step) for start, step in ((a, d), (b, c))]
        if head.neutral[a, 1] < _corner_height(head, float(head.neutral[a, 0])):
            continue  # lower lashes read as make-up
        for share in rng.uniform(0, 1, 2):
            triangles.append((a, b, c))
            roots.append((1 - share, share, 0.0))
            tips.append((1 - share) * ends[0] + share * ends[1])
    return _curved(head.neutral, np.array(triangles, np.int32), np.array(roots), np.array(tips), rng)


def _corner_height(head: Head, x: float) -> float:
    """Height in cm, at `x`, of the line through the two corners of the eye on that side."""
    outer, inner = head.neutral[head.landmarks[[45, 42] if x > 0 else [36, 39]], :2]
    share = (x - inner[0]) / (outer[0] - inner[0])
    return float(inner[1] + share * (outer[1] - inner[1]))


def _lash_tip(vertices: Floats, beside: dict[int, set[int]], start: int, step: int) -> Floats:
    """The point four vertices out along a lash card's column, straight on at each crossing."""
    for _ in range(3):
        heading = vertices[step] - vertices[start]
        options = [v for v in beside[step] if v != start]
        ways = vertices[options] - vertices[step]
        start, step = step, options[int((ways @ heading / np.linalg.norm(ways, axis=1)).argmax())]
    tip: Floats = vertices[step]
    return tip


def _curved(
    vertices: Floats,
    triangle: Ints,
    root: Reals,
    tip: Reals,
    rng: np.random.Generator,
) -> Strands:
    origin, frame = _frames(vertices, triangle.astype(np.int32), root.astype(np.float32))
    reach = (tip - origin) * rng.uniform(0.55, 0.9, (len(tip), 1)) + rng.normal(0, 0.03, tip.shape)
    path = np.stack([np.zeros_like(reach), reach * 0.5 - [0, 0.05, 0], reach], axis=1)
    count = len(tip)
    return Strands(
        triangle=triangle.astype(np.int32),
        root=root.astype(np.float32),
        curve=np.einsum("spc,skc->spk", path, frame).astype(np.float32),
        width=np.full(count, 0.026, np.float32),
        shade=np.full(count, 0.6, np.float32),
    )


def scalp_share(at: Reals) -> Reals:
    """How much a point (P, 3) of the resting head belongs to the hairy scalp, 0 to 1."""
    x, y, z = np.abs(at[:, 0]), at[:, 1], at[:, 2]
    front = 10.6 - 0.035 * x**2  # the hairline over the brow
    temple = smooth(4.6, 3.4, z - 0.28 * (y - 4))  # behind the temples the hair reaches down
    line = front * (1 - temple) + temple * np.where(z > -1.5, 1.5, -2.5)
    ear = smooth(1.3, 1.05, np.hypot((y - 0.9) / 3.3, (z + 0.5) / 2.7)) * (x > 6.4)
    share: Reals = smooth(-0.35, 0.55, y - line) * (1 - ear)
    return share


def scalp_strands(head: Head, rng: np.random.Generator, count: int = _SCALP_STRANDS) -> Strands:
    """Short hair, combed back and a little to the side, on the skin above the hairline: at most `count` strands."""
    skins = [head.materials.index(name) for name in ("M_Face", "M_BackHead")]
    skin = _triangles(head.faces[np.isin(head.face_material, skins)])
    a, b, c = (head.neutral[skin[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * scalp_share((a + b + c) / 3)
    pick = rng.choice(len(skin), count, p=area / area.sum())
    root = rng.dirichlet((1, 1, 1), count)
    at = np.einsum("sk,skc->sc", root, head.neutral[skin[pick]])
    keep = rng.uniform(0, 1, len(at)) < scalp_share(at)
    pick, root, at = skin[pick][keep], root[keep], at[keep]
    comb = np.stack(
        [0.25 + 0.25 * at[:, 0], 2.2 - 0.2 * np.abs(at[:, 0]) - 0.6 * (at[:, 2] < 0), -2.0 + 0 * at[:, 2]], axis=1
    )
    comb[:, 1] -= 2.5 * smooth(7.0, 2.0, at[:, 1])
    comb = comb / np.linalg.norm(comb, axis=1, keepdims=True) + rng.normal(0, 0.18, at.shape)
    top = smooth(6.0, 12.0, at[:, 1])
    length = rng.uniform(0.8, 1.2, len(at)) * (0.5 + 1.5 * top)
    strands = strands_from(head.neutral, pick, root, comb * length[:, None], rng, lift=(0.0, 0.3, 0.3), width=0.075)
    grow = (0.5 + 0.9 * top)[:, None]
    curve = strands.curve.copy()
    curve[:, 1:, 2] *= grow
    return Strands(strands.triangle, strands.root, curve.astype(np.float32), strands.width, strands.shade)


def join(parts: list[Strands]) -> Strands:
    """Several sets of strands as one."""
    fields = ("triangle", "root", "curve", "width", "shade")
    return Strands(*(np.concatenate([getattr(part, field) for part in parts]) for field in fields))
