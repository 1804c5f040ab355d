"""How the rows become Markdown."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.machine import sentence
from tests.benchmarks.speed.table import lines

HEADER = ["task", "cell", "settings", "figure", "has to be", "ours", "PyTorch", "published"]


def markdown(report):
    """Return what the figures depend on, and the table."""
    rows = report["rows"].values()
    machine = dict(report)
    if any("kernel" in row for row in rows):  # each row says in which process it was measured
        kernels = sorted({row.get("kernel", "not recorded") for row in rows})
        machine["kernel"] = ", ".join(kernels)
    head = f"{sentence(machine, [row['date'] for row in rows])}; one thread a fit."
    if "torch" not in report["versions"]:
        head += " PyTorch is not installed: its column is empty."
    return f"{head}\n\n{lines(HEADER, _texts(rows))}"


def _texts(rows):
    """Yield the cells of each row; what a task's rows have in common is not repeated."""
    before = {}
    for row in rows:
        same_task = row["title"] == before.get("title")
        shared = [
            "" if same_task and row[key] == before[key] else row[key]
            for key in ("title", "settings", "metric")
        ]
        before = row
        title, settings, metric = shared
        ours, theirs = _figures(row["ours"]) + _verdict(row), _figures(row["pytorch"])
        cell = row["cell"].removesuffix("Cell")
        yield title, cell, settings, metric, _bar(row), ours, theirs, row["published"]


def _bar(row):
    if row["bar"] is None:
        return ""
    return f"{'at most' if row['at_most'] else 'at least'} {row['bar']:g}"


def _verdict(row):
    """Return what is to be seen where the bar is missed."""
    if row["bar"] is None:
        return ""
    median = np.median(_with_never(row["ours"]))
    passes = median <= row["bar"] if row["at_most"] else median >= row["bar"]
    return "" if passes else ", **missed**"


def _figures(column):
    """Return the median, the range, and the median of the seconds."""
    if column is None:
        return ""
    low, median, high = np.quantile(_with_never(column), [0, 0.5, 1], method="nearest")
    figures = f"{_number(median)} ({_number(low)} to {_number(high)})"
    return f"{figures}, {np.median(column['seconds']):.1f} s"


def _with_never(column):
    return [np.inf if figure is None else figure for figure in column["figures"]]


def _number(value):
    if np.isinf(value):
        return "never"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
