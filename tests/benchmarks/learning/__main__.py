"""The command line: train, and write the table as JSON and Markdown."""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
from datetime import date
from functools import partial
from pathlib import Path

from joblib import Parallel, delayed

from tests.benchmarks import learning
from tests.benchmarks.learning.table import markdown
from tests.benchmarks.learning.tasks import TASKS
from tests.benchmarks.machine import describe_machine, kernel, refuse_forced, run_unforced

HAS_TORCH = importlib.util.find_spec("torch") is not None


def run(name, seed, init, smallest):
    """Train one model; return its figure and seconds. `init` is that of PyTorch, None: ours."""
    task = TASKS[name].smallest() if smallest else TASKS[name]
    if init is None:
        return task.run(seed)
    import torch

    from tests.benchmarks.learning.theirs import TorchModel

    torch.set_num_threads(1)
    return task.run(seed, partial(TorchModel, init=init))


def column(results):
    """Return figures and seconds as JSON has them: None for a problem never solved."""
    figures, seconds = zip(*results, strict=True)
    return {
        "figures": [figure if math.isfinite(figure) else None for figure in figures],
        "seconds": seconds,
    }


def row(name, args):
    """Train all models of a task; return its row, as plain values for JSON."""
    task = TASKS[name]
    theirs = [args.init] if task.beside and HAS_TORCH else []
    jobs = [(seed, init) for init in (None, *theirs) for seed in args.seeds]
    results = Parallel(args.jobs)(
        delayed(run)(name, seed, init, args.smallest) for seed, init in jobs
    )
    parts = [results[i : i + len(args.seeds)] for i in range(0, len(results), len(args.seeds))]
    columns = [column(part) for part in parts]
    return {
        "date": str(date.today()),
        "kernel": kernel(),
        "title": task.title,
        "cell": getattr(type(task.estimator), "_cell_class", type(task.estimator)).__name__,
        "settings": task.settings,
        "metric": task.metric,
        "bar": task.bar,
        "at_most": task.at_most,
        "published": task.published,
        "seeds": args.seeds,
        "ours": columns[0],
        "pytorch": {"init": args.init, **columns[1]} if theirs else None,
    }


def stored(path):
    """Return the report of earlier runs, or an empty one."""
    if path is None or not path.exists():
        return {"rows": {}}
    return json.loads(path.read_text("utf-8"))


def chosen_tasks(names):
    """Return the names of the tasks that the given names are, or begin."""
    if not names:
        return list(TASKS)
    for name in names:
        if not any(task.startswith(name) for task in TASKS):
            raise SystemExit(f"no task begins with {name!r}; there are: {', '.join(TASKS)}")
    return [task for task in TASKS if any(task.startswith(name) for name in names)]


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.learning",
        description=learning.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tasks", nargs="*", metavar="TASK")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all figures here")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table here")
    parser.add_argument("--resume", action="store_true", help="skip rows that the file has")
    parser.add_argument("--tables-only", action="store_true", help="run nothing")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="models to train at the same time")
    parser.add_argument("--init", choices=["pytorch", "ours"], default="pytorch")
    parser.add_argument("--smallest", action="store_true", help="tiny budgets, to see it work")
    args = parser.parse_args(argv)
    refuse_forced(parser, args.json, args.markdown)

    report = stored(args.json)
    names = [] if args.tables_only else chosen_tasks(args.tasks)
    for name in names:
        if args.resume and name in report["rows"]:
            continue
        measured = row(name, args)
        report = stored(args.json) if args.json else report  # another process may have added rows
        report["rows"][name] = measured
        report |= describe_machine(["numpy", "sklearn", "sklearn_rnn", *["torch"] * HAS_TORCH])
        print(name, {key: measured[key] for key in ("ours", "pytorch")}, flush=True)
        if args.json:  # after each, as the whole takes long
            args.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    report["rows"] = {name: report["rows"][name] for name in TASKS if name in report["rows"]}
    if not report["rows"]:
        parser.error("--tables-only needs the --json file of an earlier run")
    text = markdown(report)
    print(f"\n{text}")
    if args.markdown:
        args.markdown.write_text(text, "utf-8")


if __name__ == "__main__":
    run_unforced(main)
