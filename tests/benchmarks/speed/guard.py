"""Has something become slower? The working tree beside another revision, on a noisy machine.

Two processes that stay, one for each revision, time the same case in turn: with one thread in
seconds of the processor, with all threads in seconds. A round is a few short turns of each, of
which the shortest counts, because what disturbs a run makes it longer. The verdict comes from the
ratios of the rounds, new / old, and says "slower" only where all of them are above the tolerance.
Where the rounds disagree, the case is measured once more with longer rounds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.machine import describe_machine, sentence
from tests.benchmarks.speed.clock import PAUSE
from tests.benchmarks.speed.revisions import copy_revision, copy_working_tree, started
from tests.benchmarks.speed.settings import CELLS, PUBLISHED, SMALLEST

TURNS = 3  # of each revision in a round
MORE_TURNS = 10  # for a case that is unclear: more rounds would only widen the range
ROUNDS = 5
TOLERANCE = 0.05
LONGER = 2.5  # than the timings of the tables
STEP_FEATURES = 4


@dataclass(frozen=True)
class Case:
    """What to time.

    Parameters
    ----------
    kind : {"fit", "predict", "step"}
    cell : str
    sizes : tuple
        Features, hidden, batch and steps; of "step" features and hidden.
    n_sequences, epochs : int
    threads : int
        Of BLAS; 0 is as many as there are cores.
    """

    kind: str
    cell: str
    sizes: tuple[int, ...]
    n_sequences: int
    epochs: int
    threads: int

    def __str__(self):
        threads = "1 thread" if self.threads == 1 else "all threads"
        return f"{self.kind} {self.cell} {', '.join(map(str, self.sizes))}, {threads}"


def make_cases(settings):
    """Return a fit and a prediction of every size, with one thread and all, and steps."""
    amount = {"n_sequences": settings.n_sequences // 2, "epochs": 1}
    threads = dict.fromkeys((1, settings.threads))
    grid = [
        Case(kind, cell, sizes, threads=n, **amount)
        for kind in ("fit", "predict")
        for cell in CELLS
        for sizes in settings.grid
        for n in threads
    ]
    steps = [
        Case("step", cell, (STEP_FEATURES, hidden), threads=1, **amount)
        for cell in CELLS
        for hidden in settings.step_hidden
    ]
    return grid + steps


# ---- measuring ----


def measure(case, new, old, rounds, at_least, turns=TURNS):
    """Return seconds (rounds, 2) of the new and the old revision, or why the old one has none."""
    for child, name in ((new, "this revision"), (old, "the other revision")):
        answer = child.tell(do="prepare", case=asdict(case), at_least=at_least)
        if "error" in answer and child is old:
            new.tell(do="drop")
            return answer["error"]
        _seconds(answer, name)
    times = np.array([one_round(new, old, k, turns) for k in range(rounds)])
    for child in (new, old):
        child.tell(do="drop")
    return times


def one_round(new, old, k, turns):
    """Return the shortest time of each; who begins alternates."""
    shortest = {new: np.inf, old: np.inf}
    for turn in range(turns):
        for child in (new, old) if (k + turn) % 2 else (old, new):
            time.sleep(PAUSE)
            shortest[child] = min(shortest[child], _seconds(child.tell(do="time"), "a revision"))
    return shortest[new], shortest[old]


def _seconds(answer, name):
    if "error" in answer:
        raise RuntimeError(f"{name} failed: {answer['error']}")
    return answer["seconds"]


# ---- what the times say ----


def verdict(ratios, tolerance):
    """Return what holds for all of the rounds' ratios, new / old; "unclear" where nothing does."""
    low, high = np.min(ratios), np.max(ratios)
    if low > 1 + tolerance:
        return "slower"
    if high < 1 / (1 + tolerance):
        return "faster"
    return "not slower" if high <= 1 + tolerance else "unclear"


def report(case, times, tolerance):
    """Return the verdict on a case, and the line that says so."""
    if isinstance(times, str):
        return "not there", f"{'not there':10} {case}: the other revision has {times}"
    ratios = times[:, 0] / times[:, 1]
    low, median, high = np.quantile(ratios, [0, 0.5, 1])
    new, old = (_duration(seconds) for seconds in np.median(times, 0))
    judged = verdict(ratios, tolerance)
    return judged, (
        f"{judged:10} {median:.2f} ({low:.2f} to {high:.2f}) {case}: {new}, before {old}"
    )


def _duration(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def compare(cases, new, old, rounds, at_least, tolerance):
    """Print a line for each case and a summary; return whether a case is slower."""
    counts = Counter()
    for case in cases:
        for turns in (TURNS, MORE_TURNS):
            times = measure(case, new, old, rounds, at_least, turns)
            judged, line = report(case, times, tolerance)
            if judged != "unclear":
                break
        counts[judged] += 1
        print(line, flush=True)
    print(f"\n{', '.join(f'{n} {judged}' for judged, n in counts.most_common())}")
    if counts["unclear"]:
        print("Unclear: the rounds disagree. Measure these cases again on a quieter machine.")
    return counts["slower"] > 0


# ---- the command line ----


def main(argv=None):
    """Compare; return 1 if a case is slower."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.speed", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--against", metavar="REV", required=True, help="the other revision")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="TEXT", help="cases whose names have these"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    parser.add_argument("--smallest", action="store_true", help="tiny sizes, to see that it works")
    parser.add_argument("--keep-kernel", action="store_true", help="of the environment")
    args = parser.parse_args(argv)
    settings = SMALLEST if args.smallest else PUBLISHED
    cases = [c for c in make_cases(settings) if all(text in str(c) for text in args.only)]
    if not cases:
        parser.error(f"no case has {' and '.join(args.only)} in its name")

    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / part for part in ("new", "old")]
        for folder in folders:
            folder.mkdir()
        copy_working_tree(folders[0])
        commit = copy_revision(args.against, folders[1])
        print(f"{sentence(describe_machine(['numpy', 'sklearn']))}.")
        print(
            f"The working tree beside {args.against} ({commit}): new / old, median over "
            f"{args.rounds} rounds and their range, tolerance {args.tolerance:g}.\n",
            flush=True,
        )
        with started(*folders) as (new, old):
            if new.kernel != old.kernel:
                raise RuntimeError(f"two kernels: {new.kernel} and {old.kernel}")
            at_least = LONGER * settings.at_least
            slower = compare(cases, new, old, args.rounds, at_least, args.tolerance)
    return int(slower)
