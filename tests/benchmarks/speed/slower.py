"""When PyTorch is faster: every measured ratio below 1, found in the rows of the tables."""

from __future__ import annotations

from tests.benchmarks.speed.table import lines, with_range

TITLE = "When PyTorch is faster"
THREADS = {"per_core": "one each", "per_machine": "all"}
JOBS = ("1 job", "2 jobs")


def ratios(tables):
    """Yield (table, cell, sizes, threads, ratio, range) of every ratio of their time to ours."""
    for name, table in tables.items():
        for row in table["rows"]:
            sizes = ", ".join(map(str, row.get("sizes", ())))
            for key, threads in THREADS.items():
                if key in row:
                    yield name, row["cell"], sizes, threads, row[key], row[f"{key}_range"]
            if name == "search":
                for jobs, ratio, ends in zip(JOBS, row["ratios"], row["ratio_ranges"], strict=True):
                    yield name, row["cell"], sizes, jobs, ratio, ends


def markdown(tables, titles):
    """Return the table, or a sentence where PyTorch is nowhere faster; "" without any ratio."""
    found = list(ratios(tables))
    if not found:
        return ""
    below = [each for each in found if each[4] < 1]
    near = sum(ratio >= 1 > low for *_, ratio, (low, _) in found)
    summary = (
        f"{len(below)} of the {len(found)} ratios of these tables are below 1: there PyTorch (or "
        f"skorch, in its own tables) takes less time. {near} more are not below 1 in the median, "
        "but in at least one round.\n"
    )
    texts = [
        [titles[name], cell, sizes, threads, with_range(ratio, ends), _rounds(ends)]
        for name, cell, sizes, threads, ratio, ends in below
    ]
    header = ["table", "cell", "sizes", "threads", "their time / ours", "PyTorch is faster in"]
    return "\n".join([f"## {TITLE}\n", summary, *([lines(header, texts)] if texts else [])])


def _rounds(ends):
    return "every round" if ends[1] < 1 else "some rounds"
