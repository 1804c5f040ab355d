"""Measure the tables, and write them as JSON, Markdown and plots."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from tests.benchmarks import speed
from tests.benchmarks.machine import describe_machine, refuse_forced, sentence
from tests.benchmarks.speed import growth, jobs, limit, memory, plot, ratios, search, slower
from tests.benchmarks.speed.settings import PUBLISHED, SMALLEST

TABLES = {
    "core": ratios.CORE,
    "limit": limit.LIMIT,
    "fit": ratios.FIT,
    "jobs": jobs.JOBS,
    "update": jobs.UPDATE,
    "skorch": ratios.SKORCH,
    "ragged": ratios.RAGGED,
    "predict": ratios.PREDICT,
    "step": ratios.STEP,
    "memory": memory.MEMORY,
    "search": search.SEARCH,
    "growth": growth.GROWTH,
}
MODULES = ("numpy", "torch", "skorch", "sklearn", "sklearn_rnn")


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
    return {
        "date": str(date.today()),
        "rounds": settings.rounds,
        "machine": describe_machine(MODULES),
        "rows": rows,
    }


def _short(value):
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(map(_short, value)) + ")"
    return str(value)


def markdown(tables):
    """Return what the figures depend on, where PyTorch is faster, and all tables in order."""
    tables = {name: tables[name] for name in TABLES if name in tables}
    titles = {name: TABLES[name].title for name in tables}
    bodies = [TABLES[name].markdown(table) for name, table in tables.items()]
    return "\n".join([*_machines(tables), slower.markdown(tables, titles), *bodies])


def _machines(tables):
    """Return a paragraph for each machine and set of versions that tables were measured with."""
    machines = []
    for table in tables.values():
        if table["machine"] not in machines:
            machines.append(table["machine"])
    paragraphs = []
    for machine in machines:
        names = [name for name, table in tables.items() if table["machine"] == machine]
        what = "" if len(machines) == 1 else f" ({', '.join(TABLES[n].title for n in names)})"
        dates = [tables[name]["date"] for name in names]
        paragraphs.append(f"{sentence(machine, dates)}; float32{what}.\n")
    return paragraphs


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
    parser.add_argument(
        "--keep-kernel",
        action="store_true",
        help="keep the environment's choice of a kernel; nothing can be written then",
    )
    args = parser.parse_args(argv)
    refuse_forced(parser, args.json, args.markdown, args.plot)

    settings = SMALLEST if args.smallest else PUBLISHED
    if args.rounds:
        settings = replace(settings, rounds=args.rounds)
    tables = _stored(args.json, parser)
    if not args.tables and not tables:
        parser.error("--tables without a name needs the --json file of an earlier run")
    for name in args.tables:
        measured = measure(name, settings)
        if not measured["rows"]:
            print("   (nothing to measure)")
            continue
        tables[name] = measured
        if args.json:  # after each, as the whole takes long
            args.json.write_text(json.dumps({"tables": tables}, indent=1) + "\n", "utf-8")
    text = markdown(tables)
    print(f"\n{text}")
    if args.markdown:
        args.markdown.write_text(text, "utf-8")
    if args.plot:
        plot.save(tables, args.plot)


def _stored(path, parser):
    """Return the tables of an earlier run, each with its machine and kernel."""
    if path is None or not path.exists():
        return {}
    tables = json.loads(path.read_text("utf-8"))["tables"]
    old = [name for name, table in tables.items() if "machine" not in table]
    if old:
        parser.error(
            f"{path} does not say with which kernel {', '.join(old)} was measured: "
            "measure all tables again, into a new file"
        )
    return tables
