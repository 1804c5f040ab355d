"""A process that times cases of one revision, as it is told by messages.

Each message is a line of JSON, and so is the answer to it:

    {"do": "prepare", "case": {...}, "at_least": 0.02}    {"seconds": 0.013} once it is warm
    {"do": "time"}                                        {"seconds": 0.013}
    {"do": "drop"}                                        {}

An answer {"error": "..."} says what the revision cannot do. The process ends with its input.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import warnings
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

import sklearn_rnn
from tests.benchmarks.machine import available_cores, kernel
from tests.benchmarks.speed.clock import WARM_UP, seconds
from tests.benchmarks.speed.models import make_classifier, make_data, make_step

# Some systems count the processor's seconds in steps that are too coarse.
FINE = time.get_clock_info("process_time").resolution <= 1e-6
PROCESSOR = time.process_time if FINE else time.perf_counter


def make_run(kind, cell, sizes, n_sequences, epochs):
    """Return a function to time; it calls the public estimators."""
    if kind == "step":
        return make_step(cell, *sizes)
    n_features, hidden_size, batch, steps = sizes
    X, y = make_data(n_sequences, steps, n_features)
    model = make_classifier(cell, hidden_size, batch, epochs)
    if kind == "fit":
        return partial(model.fit, X, y)
    return partial(model.fit(X[: 2 * batch], y[: 2 * batch]).predict_proba, X)


def seconds_with(threads, run, at_least):
    """Return seconds a call, over as many calls as make `at_least` seconds.

    With one thread these are seconds of the processor, which do not count while another process
    has the core.
    """
    clock = PROCESSOR if threads == 1 else time.perf_counter
    with threadpool_limits(threads or available_cores(), user_api="blas"):
        return seconds(run, at_least, clock)


class Timer:
    """Answers messages; holds one case at a time."""

    def __init__(self):
        self.timed = None

    def prepare(self, case, at_least):
        """Make data and model, and run until both are warm."""
        threads = case.pop("threads")
        run = make_run(**case)
        self.timed = partial(seconds_with, threads, run)
        self.at_least = at_least
        return {"seconds": self.timed(WARM_UP * at_least)}

    def time(self):
        """Time the case once."""
        return {"seconds": self.timed(self.at_least)}

    def drop(self):
        """Forget the case and its memory."""
        self.timed = None
        gc.collect()
        return {}

    def answer(self, message):
        """Return the answer to a message, or what went wrong."""
        try:
            return getattr(self, message.pop("do"))(**message)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}


def serve(descriptor):
    """Say what was imported, then answer messages until there are no more."""
    warnings.simplefilter("ignore")
    answers = os.fdopen(descriptor, "w", encoding="utf-8")
    timer = Timer()
    hello = {"package": str(Path(sklearn_rnn.__file__).resolve()), "kernel": kernel()}
    print(json.dumps(hello), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(timer.answer(json.loads(line))), file=answers, flush=True)
