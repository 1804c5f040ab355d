"""The command line: measure tables, and write them as JSON, Markdown and plots."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from tests.benchmarks import speed
from tests.benchmarks.machine import describe_machine
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


def markdown(report):
    """Return what the figures depend on, and all tables in the order of TABLES."""
    tables = {name: report["tables"][name] for name in TABLES if name in report["tables"]}
    dates = sorted({table["date"] for table in tables.values()})
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    head = (
        f"Measured on {' to '.join(dict.fromkeys((dates[0], dates[-1])))}: {report['cores']} cores "
        f"of {report['processor']}, {report['blas']}, {versions}; float32.\n"
    )
    bodies = [TABLES[name].markdown(table["rows"]) for name, table in tables.items()]
    return "\n".join([head, *bodies])


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
    if args.tables:
        report |= describe_machine(["numpy", "torch", "skorch", "sklearn", "sklearn_rnn"])
    elif not report["tables"]:
        parser.error("--tables without a name needs the --json file of an earlier run")
    for name in args.tables:
        measured = measure(name, settings)
        if not measured["rows"]:
            print("   (nothing to measure)")
            continue
        report["tables"][name] = measured
        if args.json:  # after each, as the whole takes long
            args.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    text = markdown(report)
    print(f"\n{text}")
    if args.markdown:
        args.markdown.write_text(text, "utf-8")
    if args.plot:
        plot.save(report["tables"], args.plot)


if __name__ == "__main__":
    main()
