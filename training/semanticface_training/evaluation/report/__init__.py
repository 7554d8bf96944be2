"""Reports of an evaluation: one page for a browser, and the same tables as Markdown, CSV and LaTeX.

`views` is what a table is, `columns` and `tables` make all of them from `results.json`, `formats` writes them;
`figures`, `frames` and `timeline` draw, `page` puts a page together. This room computes no metric and asks no engine.
"""

from semanticface_training.evaluation.report.writing import write_report

__all__ = ["write_report"]
