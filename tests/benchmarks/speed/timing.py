"""Times of several runs, taken in turn, and what the times of two sides say."""

from __future__ import annotations

import time

import numpy as np
import torch
from threadpoolctl import threadpool_limits

# Threads that have finished spin for some milliseconds before they sleep; the next side should
# not share its cores with them.
PAUSE = 0.01


def seconds(run, at_least):
    """Return seconds a call, over as many calls as make `at_least` seconds."""
    calls, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < at_least or not calls:
        run()
        calls += 1
    return elapsed / calls


def in_turn(runs, rounds, at_least):
    """Return the seconds of each run in each round, (rounds, len(runs))."""
    for run in runs:
        run()
    times = np.empty((rounds, len(runs)))
    for row in times:
        for k, run in enumerate(runs):
            time.sleep(PAUSE)
            row[k] = seconds(run, at_least)
    return times


def set_threads(torch_threads, blas_threads):
    """Return a context with so many BLAS threads; set PyTorch's."""
    torch.set_num_threads(torch_threads)
    return threadpool_limits(blas_threads, user_api="blas")


def compare(ours, theirs, settings, *, ours_with_two=None, blas_threads=None):
    """Time both sides with one thread and with two; return medians and ratios.

    Parameters
    ----------
    ours, theirs : callable
    settings : Settings
    ours_with_two : callable, default=ours
        What runs on our side when there are two threads.
    blas_threads : int, default=settings.two
        How many of two threads BLAS gets.
    """
    options = settings.rounds, settings.at_least
    with set_threads(1, 1):
        single = in_turn([ours, theirs], *options)
    with set_threads(settings.two, blas_threads or settings.two):
        double = in_turn([ours_with_two or ours, theirs], *options)
    (ours_1, theirs_1), (ours_2, theirs_2) = np.median(single, 0), np.median(double, 0)
    ratios = single[:, 1] / single[:, 0]
    return {
        "ours_ms": [1e3 * ours_1, 1e3 * ours_2],
        "theirs_ms": [1e3 * theirs_1, 1e3 * theirs_2],
        "per_core": theirs_1 / ours_1,
        "per_core_range": [ratios.min(), ratios.max()],
        "per_machine": min(theirs_1, theirs_2) / ours_2,
    }
