"""What a table is, and how its rows become Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.machine import kernel_text
from tests.benchmarks.speed.settings import CELLS, Settings

Row = dict[str, Any]
# The names of a row's ratios, with one thread each and with all threads.
RATIOS = ("per_core", "per_machine")


@dataclass(frozen=True)
class Table:
    """One table of the benchmark.

    Parameters
    ----------
    title, caption : str
        What was measured, and how to read a figure.
    measure : callable settings -> iterator of rows
        A row is a dict of plain values, ready for JSON.
    body : callable rows -> str
        The rows as Markdown.
    rounds : int
        How often each figure is measured, unless the settings say.
    """

    title: str
    caption: str
    measure: Callable[[Settings], Iterator[Row]]
    body: Callable[[list[Row]], str]
    rounds: int = 7

    def markdown(self, measured: dict[str, Any]) -> str:
        """Return heading, caption, when and with which kernel it was measured, and rows."""
        rounds = f"{measured['rounds']} round" + "s" * (measured["rounds"] > 1)
        when = f"{measured['date']}, {rounds}, {kernel_text(measured['machine'])}."
        return f"## {self.title}\n\n{self.caption} {when}\n\n{self.body(measured['rows'])}"


def lines(header, rows):
    """Return a Markdown table of texts."""
    ruled = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in ruled) + "\n"


def with_range(ratio, ends):
    """Return a ratio with its smallest and its largest value over the rounds."""
    return f"{ratio:.2f} ({ends[0]:.2f} to {ends[1]:.2f})"


def by_size(rows, text, corner="features, hidden, batch, steps", means=()):
    """Return a Markdown table with a row a size, a column a cell, and `text(row)` in it.

    A last row holds the geometric means of the figures whose names are `means`.
    """
    cells = [cell for cell in CELLS if any(row["cell"] == cell for row in rows)]
    body: dict[str, list[str]] = {}
    for row in rows:
        body.setdefault(", ".join(map(str, row["sizes"])), []).append(text(row))
    last = [
        " / ".join(f"{_geometric_mean(rows, cell, name):.2f}" for name in means) for cell in cells
    ]
    mean = [["geometric mean", *last]] if means else []
    return lines([corner, *cells], [[size, *texts] for size, texts in body.items()] + mean)


def both_ratios(row):
    """Return a row's two ratios, with one thread and with all, and their ranges."""
    return " / ".join(with_range(row[name], row[f"{name}_range"]) for name in RATIOS)


def table_of_ratios(title, caption, measure, rounds):
    """Return a table by size and cell of both ratios, with their geometric means."""
    return Table(title, caption, measure, partial(by_size, text=both_ratios, means=RATIOS), rounds)


def _geometric_mean(rows, cell, name):
    return np.exp(np.mean([np.log(row[name]) for row in rows if row["cell"] == cell]))
