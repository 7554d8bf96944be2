"""Tables as Markdown, CSV and LaTeX. Whatever a label says stays a label in each of them.

In CSV, numbers stand as they were computed; a text that a spreadsheet would take for a formula gets an apostrophe.
This module knows nothing of metrics.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from semanticface_training.evaluation.report.views import Better, Cell, Column, View

_ARROWS = {Better.LOW: " ↓", Better.HIGH: " ↑", Better.ZERO: " → 0", Better.NONE: ""}
_LATEX_ARROWS = {
    Better.LOW: r" $\downarrow$",
    Better.HIGH: r" $\uparrow$",
    Better.ZERO: r" $\rightarrow 0$",
    Better.NONE: "",
}
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "±": r"$\pm$",
          "−": "$-$", "°": r"\textdegree{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
          **{one: f"\\{one}" for one in "&%$#_{}"}}  # fmt: skip


def heading(column: Column) -> str:
    """A column's label, with an arrow to its good end."""
    return column.label + _ARROWS[column.better]


def markdown(views: Sequence[View], title: str, notes: Sequence[str] = ()) -> str:
    """All tables in one text, best values in bold."""
    parts = [f"# {_plain(title)}\n", *(f"- {_plain(note)}" for note in notes)]
    for one in views:
        lines = [f"\n## {_plain(one.title)}\n", f"{_plain(one.caption)}\n"]
        if one.rows:
            lines += _table(one)
        lines += [f"\n{_plain(note)}" for note in one.notes]
        parts.append("\n".join(lines))
    return "\n".join(parts) + "\n"


def _table(one: View) -> list[str]:
    lines = [_line([one.head, *map(heading, one.columns)]), "|" + "---|" + "--:|" * len(one.columns)]
    for row in one.rows:
        cells = [f"**{_plain(_with_half(cell))}**" if cell.best else _plain(_with_half(cell)) for cell in row.cells]
        lines.append(f"| {' | '.join([_plain(row.label), *cells])} |")
    return lines


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _with_half(cell: Cell) -> str:
    return cell.text if cell.half is None else f"{cell.text} ± {cell.half:.3f}"


def as_csv(one: View) -> str:
    """One table; a column with intervals is followed by one of their half-widths."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    halves = [any(row.cells[place].half is not None for row in one.rows) for place in range(len(one.columns))]
    head = [one.head.lower()]
    for column, wide in zip(one.columns, halves, strict=True):
        head += [column.key] + ([f"{column.key}_half"] if wide else [])
    writer.writerow(head)
    for row in one.rows:
        line = [_cell(row.label)]
        for cell, wide in zip(row.cells, halves, strict=True):
            line += [_cell(cell.value)] + ([_cell(cell.half)] if wide else [])
        writer.writerow(line)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return value
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def latex(views: Sequence[View], title: str) -> str:
    """All tables for a paper: `booktabs` environments, best values bold."""
    parts = [f"% {_comment(title)}", r"% needs \usepackage{booktabs}"]
    for one in (view for view in views if view.rows):
        lines = [r"\begin{table}", r"\centering\small", rf"\caption{{{_tex(one.title)}. {_tex(one.caption)}}}"]
        lines += [rf"\label{{tab:{one.name.replace('_', '-')}}}", rf"\begin{{tabular}}{{l{'r' * len(one.columns)}}}"]
        head = [_tex(one.head), *(_tex(column.label) + _LATEX_ARROWS[column.better] for column in one.columns)]
        lines += [r"\toprule", " & ".join(head) + r" \\", r"\midrule"]
        for row in one.rows:
            cells = [rf"\textbf{{{_tex(_with_half(c))}}}" if c.best else _tex(_with_half(c)) for c in row.cells]
            lines.append(" & ".join([_tex(row.label), *cells]) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}", *(rf"\par\footnotesize {_tex(note)}" for note in one.notes)]
        parts.append("\n".join([*lines, r"\end{table}"]))
    return "\n\n".join(parts) + "\n"


def _tex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in " ".join(text.split()))


def _comment(text: str) -> str:
    return " ".join(text.split())
