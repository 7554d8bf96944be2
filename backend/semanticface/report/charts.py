"""Charts as inline SVG. Colours come from the page's style by class, so that one drawing suits light and dark.

Time curves are drawn in a box of 1000 x 100 units that the page stretches to its width; their labels are HTML beside
them, lest they be stretched, too. Everything else is drawn small, about as wide as a phone. NaN is a gap in every
chart. This module knows nothing of faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 1000.0, 100.0
"""Units of a time curve's box."""
MOST_POINTS = 2400
"""Beyond so many, a curve is drawn by the lowest and the highest value of each of half as many stretches."""


def curve_path(x: Floats, y: Floats, low: float, high: float) -> str:
    """The `d` of a path for y over x in [0, 1]; `low` lies at the bottom of the box and `high` at its top.

    x, y: (N,). NaN in y breaks the line; a value alone between two gaps becomes a short dash.
    """
    x, y = _thinned(np.asarray(x, float), np.asarray(y, float))
    across = x * WIDTH
    down = HEIGHT * (1.0 - (np.clip(y, low, high) - low) / max(high - low, 1e-9))
    present = np.concatenate(([False], np.isfinite(y), [False]))
    edges = np.flatnonzero(np.diff(present.astype(np.int8)))
    parts = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        points = [f"{a:.1f} {b:.1f}" for a, b in zip(across[start:end], down[start:end], strict=True)]
        parts.append(f"M{'L'.join(points)}" if len(points) > 1 else f"M{points[0]}h2")
    return "".join(parts)


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    if len(x) <= MOST_POINTS:
        return x, y
    edges = np.linspace(0, len(x), MOST_POINTS // 2 + 1).astype(int)
    rows: list[int] = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = y[start:end]
        if np.isfinite(part).any():
            rows += sorted({start + int(np.nanargmin(part)), start + int(np.nanargmax(part))})
        if not np.isfinite(part).all():
            rows.append(start + int(np.argmin(np.isfinite(part))))  # the gap stays a gap
    kept = np.array(sorted(set(rows)), int)
    return x[kept], y[kept]


def lane(paths: Sequence[tuple[str, str]], label: str, lines: Sequence[float] = ()) -> Markup:
    """A time curve's box. `paths`: (class, d); `lines`: heights in [0, 1] of faint level lines."""
    drawn = Markup("").join(
        Markup('<path class="rule" d="M0 {y}H{w}"/>').format(y=f"{HEIGHT * (1 - at):g}", w=f"{WIDTH:g}") for at in lines
    )
    drawn += Markup("").join(Markup('<path class="{}" d="{}"/>').format(css, d) for css, d in paths)
    return _stretched("curve", label, drawn)


def spans(rows: Sequence[tuple[float, float, str]], label: str) -> Markup:
    """A strip of a time curve's width: (from, to, class) with both ends in [0, 1]."""
    drawn = Markup("").join(
        Markup('<rect class="{}" x="{}" y="0" width="{}" height="{}"/>').format(
            css, f"{start * WIDTH:.1f}", f"{max((end - start) * WIDTH, 2.5):.1f}", f"{HEIGHT:g}"
        )
        for start, end, css in rows
    )
    return _stretched("strip", label, drawn)


def _stretched(css: str, label: str, body: Markup) -> Markup:
    return Markup(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(css, f"{WIDTH:g}", f"{HEIGHT:g}", label, body)


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a chart's values lie on its picture: `x` and `y` are (low, high) in the values' own units."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: float = 340.0
    height: float = 230.0
    left: float = 44.0
    bottom: float = 38.0
    top: float = 10.0
    right: float = 10.0

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Units of the picture."""
        wide = self.width - self.left - self.right
        high = self.height - self.top - self.bottom
        across = (x - self.x[0]) / max(self.x[1] - self.x[0], 1e-12)
        up = (y - self.y[0]) / max(self.y[1] - self.y[0], 1e-12)
        return self.left + wide * across, self.top + high * (1.0 - up)


def frame(
    axes: Axes, body: Markup, label: str, names: tuple[str, str], ticks: tuple[Sequence[tuple[float, str]], ...] = ()
) -> Markup:
    """A chart with its axes. `names` stand at the axes; `ticks` are (value, text) of x and of y, else made here."""
    ticks_x, ticks_y = ticks or (ticks_of(*axes.x), ticks_of(*axes.y))
    parts = []
    base, edge = axes.at(axes.x[0], axes.y[0])[1], axes.width - axes.right
    for value, text in ticks_y:
        y = axes.at(axes.x[0], value)[1]
        parts.append(_line("rule", axes.left, y, edge, y) + _text(axes.left - 6, y + 4, text, "end"))
    for value, text in ticks_x:
        x = axes.at(value, axes.y[0])[0]
        parts.append(_line("tick", x, base, x, base + 4) + _text(x, base + 16, text, "middle"))
    parts.append(_line("axis", axes.left, base, edge, base))
    parts.append(_text((axes.left + edge) / 2, axes.height - 5, names[0], "middle", "name"))
    parts.append(
        Markup('<text class="name" text-anchor="middle" transform="translate(11 {}) rotate(-90)">{}</text>').format(
            f"{(axes.top + base) / 2:.0f}", names[1]
        )
    )
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        f"{axes.width:g}", f"{axes.height:g}", label, Markup("").join(parts), body
    )  # fmt: skip


def ticks_of(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """Round values from low to high with their texts, at most `most` + 1."""
    span = high - low
    if not np.isfinite(span) or span <= 0:
        return [(low, f"{low:g}")]
    raw = span / most
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= raw * 0.999)
    values = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    return [(float(value), f"{value + 0.0:.6g}") for value in values.tolist()]


def scatter(x: Floats, y: Floats, axes: Axes, label: str, names: tuple[str, str], css: str = "s0") -> Markup:
    """Predicted over true as a density: cells of a 44 x 44 grid, the darker the more points, and the diagonal.

    Cells keep a page small at any number of points. x, y: (N,); pairs with NaN are left out.
    """
    good = np.isfinite(x) & np.isfinite(y)
    cells = 44
    counts, edges_x, edges_y = np.histogram2d(
        np.clip(x[good], *axes.x), np.clip(y[good], *axes.y), bins=cells, range=(axes.x, axes.y)
    )
    drawn = []
    most = np.log1p(counts.max()) if counts.size and counts.max() else 1.0
    for column, row in np.argwhere(counts > 0).tolist():
        x0, y1 = axes.at(edges_x[column], edges_y[row])
        x1, y0 = axes.at(edges_x[column + 1], edges_y[row + 1])
        strength = 0.25 + 0.75 * np.log1p(counts[column, row]) / most
        drawn.append(Markup('<rect x="{}" y="{}" width="{}" height="{}" fill-opacity="{}"/>').format(
            f"{x0:.1f}", f"{y0:.1f}", f"{x1 - x0 + 0.2:.1f}", f"{y1 - y0 + 0.2:.1f}", f"{strength:.2f}"))  # fmt: skip
    low, high = max(axes.x[0], axes.y[0]), min(axes.x[1], axes.y[1])
    body = Markup('<g class="fill {}">{}</g>').format(css, Markup("").join(drawn))
    return frame(axes, body + _line("diagonal", *axes.at(low, low), *axes.at(high, high)), label, names)


def histogram(
    values: Floats, limits: tuple[float, float], label: str, names: tuple[str, str], css: str = "s0", bins: int = 41
) -> Markup:
    """Shares of the values in `bins` columns from `limits[0]` to `limits[1]`; what lies beyond counts to the ends."""
    good = np.clip(values[np.isfinite(values)], *limits)
    counts, edges = np.histogram(good, bins=bins, range=limits)
    shares = counts / max(len(good), 1) * 100
    axes = Axes(limits, (0.0, max(float(shares.max()) * 1.05, 1.0)))
    bars = []
    for share, start, end in zip(shares.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if share:
            x0, y0 = axes.at(start, share)
            x1, y1 = axes.at(end, 0.0)
            bars.append(Markup('<rect x="{}" y="{}" width="{}" height="{}"/>').format(
                f"{x0 + 0.3:.1f}", f"{y0:.1f}", f"{x1 - x0 - 0.6:.1f}", f"{y1 - y0:.1f}"))  # fmt: skip
    body = Markup('<g class="fill {}">{}</g>').format(css, Markup("").join(bars))
    if limits[0] < 0 < limits[1]:
        body += _line("diagonal", *axes.at(0, 0), *axes.at(0, axes.y[1]))
    return frame(axes, body, label, names)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a line chart: `points` (x, y, half-width of its interval or None), `css` its class."""

    label: str
    points: Sequence[tuple[float, float, float | None]]
    css: str


def line_chart(
    lines: Sequence[Line],
    axes: Axes,
    label: str,
    names: tuple[str, str],
    ticks_x: Sequence[tuple[float, str]] | None = None,
) -> Markup:
    """Lines with a mark at each point and a bar for its interval."""
    drawn = []
    for one in lines:
        places = [axes.at(x, y) for x, y, _ in one.points]
        d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        bars = Markup("")
        for x, y, half in one.points:
            if half:
                top, foot = axes.at(x, y + half), axes.at(x, y - half)
                bars += _line("interval", *top, *foot)
        dots = Markup("").join(mark(one.css, x, y) for x, y in places)
        drawn.append(Markup('<g class="line {}"><path d="{}"/>{}</g>{}').format(one.css, d, bars, dots))
    ticks = () if ticks_x is None else (ticks_x, ticks_of(*axes.y))
    return frame(axes, Markup("").join(drawn), label, names, ticks)


MARKS = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "M-3.6-3.6h7.2v7.2h-7.2Z",
    "M0-4.8L4.6 3.6H-4.6Z",
    "M0-5L5 0L0 5L-5 0Z",
    "M0 4.8L4.6-3.6H-4.6Z",
    "M-4.4-1.4h3v-3h2.8v3h3v2.8h-3v3h-2.8v-3h-3Z",
    "M-4-4L0-1.2L4-4L1.2 0L4 4L0 1.2L-4 4L-1.2 0Z",
    "M-4.6 0L-2.3-4h4.6L4.6 0L2.3 4h-4.6Z",
)
"""Outlines by place of a series, so that colour is never alone in telling them apart."""


def mark(css: str, x: float, y: float) -> Markup:
    """The mark of a series; `css` is s0 to s15 as in the page's style: after eight, colours come with other shapes."""
    place = int(css[1:]) if css[1:].isdigit() else 0
    place += place // len(MARKS)
    return Markup('<path class="mark {}" d="{}" transform="translate({} {})"/>').format(
        css, MARKS[place % len(MARKS)], f"{x:.1f}", f"{y:.1f}"
    )


def key_mark(css: str) -> Markup:
    """The mark alone, for a legend."""
    return Markup('<svg class="key" viewBox="-7 -7 14 14" aria-hidden="true">{}</svg>').format(mark(css, 0, 0))


def bar(share: float, css: str, low: float = 0.0, interval: tuple[float, float] | None = None) -> Markup:
    """A lying bar from `low` to `share`, both in [0, 1] of its width, for a cell of a table."""
    start, end = sorted((min(max(low, 0.0), 1.0), min(max(share, 0.0), 1.0)))
    body = Markup('<rect class="fill {}" x="{}" y="2" width="{}" height="8"/>').format(
        css, f"{start * 100:.1f}", f"{max(end - start, 0.003) * 100:.1f}"
    )
    if interval is not None:
        body += _line("interval", interval[0] * 100, 6, interval[1] * 100, 6)
    return Markup(
        '<svg class="bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(body)


def _line(css: str, x0: float, y0: float, x1: float, y1: float) -> Markup:
    return Markup('<path class="{}" d="M{} {}L{} {}"/>').format(css, *(f"{value:.1f}" for value in (x0, y0, x1, y1)))


def _text(x: float, y: float, text: Any, anchor: str, css: str = "") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}"{}>{}</text>').format(
        f"{x:.1f}", f"{y:.1f}", anchor, Markup(' class="{}"').format(css) if css else "", escape(text)
    )
