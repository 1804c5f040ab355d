"""What a search on a cluster costs: compute, transfer, scheduling; measured, checked, extrapolated.

python -m tests.benchmarks.distributed [--rounds 5 | --wire]

Prints Markdown. The costs are measured on this machine with worker processes of one thread, each
several times in turn: medians, and the smallest and largest. A discrete-event simulation that knows
these costs alone is then held against whole searches on 1, 2 and 4 workers, and asked about 1,000.

Tasks that sleep need no processor, so they show what transfer and scheduling do with any number of
workers. Tasks that fit share the machine's cores, perhaps with others: before and after each search
the workers spin for a second, all at once, and the processor's seconds that they get are the cores
that there are for it.

With --wire, how many bytes a search sends: those that all processes write into TCP connections.
"""

from __future__ import annotations

import argparse
import heapq
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed, parallel_config
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import GRUClassifier, SequenceArray
from sklearn_rnn.distributed import dask_backend
from tests.benchmarks.machine import print_machine, run_unforced

SEQUENCES, LONGEST, FEATURES = 2000, 60, 12
CANDIDATES, FOLDS, EPOCHS = 6, 4, 5
N_TASKS = CANDIDATES * FOLDS
SLEEP = 0.25  # seconds; from 0.2 on joblib sends each task on its own
MANY_TASKS, MANY_WORKERS = 10_000, (10, 100, 1000)
NETWORK = 10e9 / 8  # bytes a second: ten gigabits, for the extrapolation
DATA = 1e9  # bytes, for the extrapolation


@dataclass(frozen=True)
class Costs:
    """What a task costs besides its work: all in seconds."""

    dispatch: float  # of a task, one after another in the client and the scheduler
    hop: float  # of all data from one process to another


# ---- the simulation ----


def arrivals(n_workers, hop, copies=2):
    """Return when each worker has the data: `copies` from the scheduler, others from their peers.

    Data take the way from the client to the scheduler, then to one worker after another; from then
    on all that have them give them on, so their number doubles with every hop.
    """
    first = min(copies, n_workers)
    times = [hop * (2 + k) for k in range(first)]
    while len(times) < n_workers:
        times += [times[-1] + hop] * min(len(times), n_workers - len(times))
    return times


def simulate(durations, n_workers, costs, n_cores=math.inf):
    """Return the seconds from the first task's dispatch to the last one's end.

    A worker does one task at a time. Where more of them are at work than there are cores, all go on
    at the same lower speed; `work` is how far a task that has run from the start would be.
    """
    waiting = list(arrivals(n_workers, costs.hop))  # sorted, so a heap
    running, idle, now, work, begun = [], 0, 0.0, 0.0, 0
    while begun < len(durations) or running:
        while waiting and waiting[0] <= now:
            heapq.heappop(waiting)
            idle += 1
        while idle and begun < len(durations) and (begun + 1) * costs.dispatch <= now:
            heapq.heappush(running, work + durations[begun])
            idle, begun = idle - 1, begun + 1
        speed = min(1.0, n_cores / max(len(running), 1))
        events = [now + (running[0] - work) / speed] if running else []
        if begun < len(durations):
            events += [(begun + 1) * costs.dispatch] if idle else waiting[:1]
        after = min(events)
        if running and after == events[0]:
            work = heapq.heappop(running)
            idle += 1
        else:
            work += (after - now) * speed
        now = after
    return now


# ---- what is measured ----


def problem():
    rng = np.random.default_rng(0)
    lengths = rng.integers(20, LONGEST, size=SEQUENCES)
    values = rng.normal(size=(lengths.sum(), FEATURES))
    X = SequenceArray.from_concatenated(values, lengths)
    return X, np.array([int(sequence[-1, 0] > sequence[0, 0]) for sequence in X])


@contextmanager
def workers(n):
    """Start n worker processes of one thread each, warm: they have imported all."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        X, y = problem()
        with dask_backend(client):
            make_search(2 * n, max_iter=1).fit(X[:200], y[:200])
        yield client


def seconds(run):
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def make_search(n_candidates=CANDIDATES, max_iter=EPOCHS):
    model = GRUClassifier(
        16, max_iter=max_iter, tol=0.0, early_stopping=False, random_state=0, batch_size=64
    )
    rates = list(np.linspace(0.001, 0.01, n_candidates))
    return GridSearchCV(model, {"learning_rate_init": rates}, cv=FOLDS, refit=False)


def nothing(*args):
    """Do what takes no time."""


def nap(*args):
    time.sleep(SLEEP)


def dispatch_cost(client, n=400):
    """Return seconds a task of n that do nothing, each sent on its own."""
    index = np.arange(10)
    with dask_backend(client):
        tasks = [delayed(nothing)(index) for _ in range(n)]
        return seconds(lambda: Parallel(batch_size=1, pre_dispatch="all")(tasks)) / n


def bandwidth(client, n_bytes=100_000_000):
    """Return bytes a second of one hop; from client to scheduler to a worker there are two."""
    data = np.zeros(n_bytes, np.uint8)
    return 2 * n_bytes / seconds(lambda: client.scatter(data, hash=False))


def nap_time(client, X):
    """Return seconds of tasks that sleep, and get X."""
    with dask_backend(client):
        return seconds(lambda: Parallel(batch_size=1)(delayed(nap)(X) for _ in range(N_TASKS)))


def spin(wall=1.0):
    """Return how much of a core a process gets that wants it all."""
    begin, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() < begin + wall:
        pass
    return (time.process_time() - cpu) / wall


def cores_available(client):
    return sum(client.run(spin).values())


def search_time(client, X, y):
    """Return seconds of a search, the processor's seconds of one task, and the cores for it.

    With one worker joblib runs all tasks in this process, where nothing else adds to their seconds.
    """
    before, search = cores_available(client), make_search()
    cpu = time.process_time()
    with dask_backend(client):
        whole = seconds(lambda: search.fit(X, y))
    task = (time.process_time() - cpu) / N_TASKS
    return whole, task, (before + cores_available(client)) / 2


# ---- tables ----


def spread(values, unit=1.0, digits=2):
    low, middle, high = np.quantile(values, [0, 0.5, 1]) * unit
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def print_wire():
    """Print what a search of short fits on two workers writes into its connections."""
    from tests.integration.wire import bytes_written

    X, y = problem()
    ways = {
        "a list of arrays": (list(X), lambda client: parallel_config(backend="dask")),
        "a SequenceArray": (X, lambda client: parallel_config(backend="dask")),
        "the same, `scatter=[X, y]`": (
            X,
            lambda client: parallel_config(backend="dask", scatter=[X, y]),
        ),
        "the same, `dask_backend`": (X, dask_backend),
    }
    print(f"{N_TASKS} fits, 2 workers, X of {X.values.nbytes / 1e6:.1f} MB\n")
    print("| X | sent, MB | times X |\n|---|---|---|")
    with workers(2) as client:
        for name, (given, backend) in ways.items():

            def fit(given=given, backend=backend):
                with backend(client):
                    make_search(max_iter=1).fit(given, y)

            sent = bytes_written(client, fit)
            print(f"| {name} | {sent / 1e6:.1f} | {sent / X.values.nbytes:.1f} |")


def measure(rounds, worker_counts=(1, 2, 4)):
    """Return lists over rounds: the costs, and times by number of workers, all in turn."""
    X, y = problem()
    found = {"dispatch": [], "bandwidth": [], "task": [], "nap": {}, "search": {}, "cores": {}}
    for _ in range(rounds):
        for n in worker_counts:
            with workers(n) as client:
                if n == 2:
                    found["dispatch"].append(dispatch_cost(client))
                    found["bandwidth"].append(bandwidth(client))
                found["nap"].setdefault(n, []).append(nap_time(client, X))
                whole, task, cores = search_time(client, X, y)
                found["search"].setdefault(n, []).append(whole)
                found["cores"].setdefault(n, []).append(cores)
                if n == 1:
                    found["task"].append(task)
    return found


def print_costs(found, n_bytes):
    print("| cost | median (smallest to largest) |\n|---|---|")
    print(f"| compute: a fit and its score, processor's seconds | {spread(found['task'])} s |")
    print(f"| scheduling: a task through joblib and Dask | {spread(found['dispatch'], 1e3)} ms |")
    print(f"| transfer: a hop | {spread(found['bandwidth'], 1e-9)} GB/s |")
    print(f"| data: {SEQUENCES} sequences, packed | {n_bytes / 1e6:.1f} MB |\n")


def print_check(found, costs):
    """Print simulated and measured seconds; the work of a fit is that of one worker's."""
    print(
        f"| {N_TASKS} tasks | workers | cores | simulated, s | measured, s | measured / simulated |"
    )
    print("|---|---|---|---|---|---|")
    for n, times in found["nap"].items():
        guess = [simulate([SLEEP] * N_TASKS, n, costs)] * len(times)
        print_row(f"sleep {SLEEP} s", n, "", guess, times)
    for n, times in found["search"].items():
        cores = found["cores"][n]
        guess = [
            simulate([task] * N_TASKS, n, costs, available)
            for task, available in zip(found["task"], cores, strict=True)
        ]
        print_row("fits", n, spread(cores), guess, times)
    print()


def print_row(kind, n, cores, guess, times):
    cells = spread(guess), spread(times), spread(np.divide(times, guess))
    print(f"| {kind} | {n} | {cores} | {' | '.join(cells)} |")


def print_extrapolation(dispatch):
    """Print how much of the workers' time is work."""
    costs = Costs(dispatch, DATA / NETWORK)
    print("| seconds a task | " + " | ".join(f"{n} workers" for n in MANY_WORKERS) + " | enough |")
    print("|---|" + "---|" * (len(MANY_WORKERS) + 1))
    for one in (0.1, 1.0, 10.0, 60.0):
        cells = []
        for n in MANY_WORKERS:
            took = simulate([one] * MANY_TASKS, n, costs)
            cells.append(f"{took:,.0f} s, {100 * one * MANY_TASKS / (n * took):.0f} %")
        print(f"| {one:g} | {' | '.join(cells)} | {one / dispatch:,.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wire", action="store_true")
    args = parser.parse_args()
    if args.wire:
        return print_wire()
    X, _ = problem()
    found = measure(args.rounds)
    hop = X.values.nbytes / np.median(found["bandwidth"])
    costs = Costs(float(np.median(found["dispatch"])), float(hop))
    print_machine(("numpy", "dask", "distributed", "sklearn", "sklearn_rnn"))
    print(f"Medians over {args.rounds} rounds.\n")
    print_costs(found, X.values.nbytes)
    print_check(found, costs)
    print_extrapolation(costs.dispatch)


if __name__ == "__main__":
    run_unforced(main)
