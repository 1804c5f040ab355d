"""Seconds a call, and what is run and waited before; for the guard, without PyTorch."""

from __future__ import annotations

import time

# Threads that have finished spin for some milliseconds before they sleep; the next side should
# not share its cores with them.
PAUSE = 0.01
# How much longer than a timing each side runs before the first one.
WARM_UP = 5


def seconds(run, at_least, clock=time.perf_counter):
    """Return seconds a call, over as many calls as make `at_least` seconds."""
    calls, start = 0, clock()
    while (elapsed := clock() - start) < at_least or not calls:
        run()
        calls += 1
    return elapsed / calls
