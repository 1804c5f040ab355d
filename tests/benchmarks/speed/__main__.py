"""The command line: measure tables, and write them as JSON, Markdown and plots."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import sklearn
import torch
from threadpoolctl import threadpool_info

import sklearn_rnn
from tests.benchmarks import speed
from tests.benchmarks.speed import growth, limit, memory, plot, ratios, search
from tests.benchmarks.speed.settings import PUBLISHED, SMALLEST

TABLES = {
    "core": ratios.CORE,
    "limit": limit.LIMIT,
    "fit": ratios.FIT,
    "skorch": ratios.SKORCH,
    "ragged": ratios.RAGGED,
    "predict": ratios.PREDICT,
    "step": ratios.STEP,
    "memory": memory.MEMORY,
    "search": search.SEARCH,
    "growth": growth.GROWTH,
}


def describe_machine():
    """Return what the figures depend on."""
    return {
        "machine": platform.processor() or platform.machine(),
        "blas": [[lib["internal_api"], lib.get("architecture")] for lib in threadpool_info()],
        "versions": {m.__name__: m.__version__ for m in (np, sklearn, torch, sklearn_rnn)},
    }


def measure(name, settings):
    """Return a table's rows, printing each as it comes."""
    table = TABLES[name]
    if settings.rounds is None:
        settings = replace(settings, rounds=table.rounds)
    print(f"\n{table.title}", flush=True)
    rows = []
    for row in table.measure(settings):
        print("  ", ", ".join(f"{key} {_short(value)}" for key, value in row.items()), flush=True)
        rows.append(row)
    return {"date": str(date.today()), "rounds": settings.rounds, "rows": rows}


def _short(value):
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(map(_short, value)) + ")"
    return str(value)


def markdown(tables):
    """Return all tables in the order of TABLES."""
    parts = [
        table.markdown(tables[name]["rows"])
        for name, table in TABLES.items()
        if tables.get(name, {}).get("rows")
    ]
    return "\n".join(parts)


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.speed",
        description=speed.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rounds", type=int, help="of every table, in place of its own number")
    parser.add_argument("--smallest", action="store_true", help="tiny sizes, to see that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all figures here")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables here")
    parser.add_argument("--plot", type=Path, metavar="DIRECTORY", help="write SVG plots here")
    args = parser.parse_args(argv)

    settings = SMALLEST if args.smallest else PUBLISHED
    if args.rounds:
        settings = replace(settings, rounds=args.rounds)
    report = {"tables": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text("utf-8"))
    report |= describe_machine()
    for name in args.tables:
        report["tables"][name] = measure(name, settings)
        if args.json:  # after each, as the whole takes long
            args.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    text = markdown(report["tables"])
    print(f"\n{text}")
    if args.markdown:
        args.markdown.write_text(text, "utf-8")
    if args.plot:
        plot.save(report["tables"], args.plot)


if __name__ == "__main__":
    main()
