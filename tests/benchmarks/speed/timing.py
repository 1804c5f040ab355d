"""Times of several runs, taken in turn, and what the times of two sides say."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from tests.benchmarks.machine import available_cores
from tests.benchmarks.speed.clock import PAUSE, WARM_UP, seconds


class Run(NamedTuple):
    """What to time, and how many threads PyTorch and BLAS have meanwhile."""

    call: Callable[[], Any]
    torch_threads: int = 1
    blas_threads: int = 1


def in_turn(runs, rounds, at_least):
    """Return the seconds of each run in each round, (rounds, len(runs)); all are warm."""
    for run in runs:
        with set_threads(run.torch_threads, run.blas_threads):
            seconds(run.call, WARM_UP * at_least)
    times = np.empty((rounds, len(runs)))
    for row in times:
        for k, run in enumerate(runs):
            with set_threads(run.torch_threads, run.blas_threads):
                time.sleep(PAUSE)
                row[k] = seconds(run.call, at_least)
    return times


def set_threads(torch_threads, blas_threads):
    """Return a context with so many BLAS threads; set PyTorch's, and start them."""
    torch.set_num_threads(torch_threads)
    if torch_threads > 1:
        torch.ones(1 << 20).add_(1)  # large enough for all threads
    return threadpool_limits(blas_threads, user_api="blas")


def compare(ours, theirs, settings, *, ours_with_all=None, blas_threads=None):
    """Time both sides with one thread and with all, in turn; return medians and ratios.

    Parameters
    ----------
    ours, theirs : callable
    settings : Settings
    ours_with_all : callable, default=ours
        What runs on our side when there are several threads.
    blas_threads : int, default=all
        How many of all threads BLAS gets.
    """
    n = settings.threads or available_cores()
    others = n, blas_threads or n
    runs = [Run(ours), Run(theirs), Run(ours_with_all or ours, *others), Run(theirs, *others)]
    return {**summarize(in_turn(runs, settings.rounds, settings.at_least)), "threads": n}


def summarize(times):
    """Return medians and ratios of times (rounds, 4): ours and theirs, with one thread and all.

    A ratio is the median of the rounds' ratios, and has their range. Per machine, theirs are the
    times of the number of threads whose median is better.
    """
    ours_1, theirs_1, ours_all, theirs_all = times.T
    theirs_best = min(theirs_1, theirs_all, key=np.median)
    per_core, per_machine = theirs_1 / ours_1, theirs_best / ours_all
    return {
        "ours_ms": [1e3 * np.median(ours_1), 1e3 * np.median(ours_all)],
        "theirs_ms": [1e3 * np.median(theirs_1), 1e3 * np.median(theirs_all)],
        "per_core": np.median(per_core),
        "per_core_range": [per_core.min(), per_core.max()],
        "per_machine": np.median(per_machine),
        "per_machine_range": [per_machine.min(), per_machine.max()],
    }
