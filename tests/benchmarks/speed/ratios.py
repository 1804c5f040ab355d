"""Tables of ratios, theirs / ours: one layer, an epoch, a prediction, a step.

"Per core", both sides have one thread, as inside a parallel search. "Per machine", there are two:
theirs has the better of one and two, and ours does with two what a user gets, that is, fit
gives each half of a large batch a thread, and has one thread otherwise.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sklearn_rnn.datasets import load_japanese_vowels
from tests.benchmarks.speed import theirs
from tests.benchmarks.speed.ours import CoreStep, core_step_as_in_fit, make_classifier, make_data
from tests.benchmarks.speed.settings import CELLS, N_CLASSES
from tests.benchmarks.speed.table import Table, by_size
from tests.benchmarks.speed.timing import compare, in_turn, set_threads


def measure_core(settings):
    """Forward and backward of one layer."""
    for cell in CELLS:
        for sizes in settings.grid:
            result = compare(
                CoreStep(cell, *sizes),
                theirs.core_step(cell, *sizes),
                settings,
                ours_with_two=core_step_as_in_fit(cell, *sizes),
                blas_threads=1,
            )
            yield {"cell": cell, "sizes": sizes, **result}


def measure_fit(settings):
    """Epochs of fit beside a plain PyTorch loop."""
    for cell in CELLS:
        for sizes in settings.grid:
            n_features, hidden_size, batch, steps = sizes
            X, y = make_data(settings.n_sequences, steps, n_features)
            model = make_classifier(cell, hidden_size, batch, settings.epochs)
            loop = theirs.make_loop(cell, X, y, hidden_size, batch, settings.epochs)
            result = compare(partial(model.fit, X, y), loop, settings)
            yield {"cell": cell, "sizes": sizes, **result}


def measure_skorch(settings):
    """Epochs of fit beside skorch."""
    for cell in CELLS:
        for sizes in settings.grid:
            n_features, hidden_size, batch, steps = sizes
            X, y = make_data(settings.n_sequences, steps, n_features)
            model = make_classifier(cell, hidden_size, batch, settings.epochs)
            net = theirs.make_skorch(cell, n_features, hidden_size, batch, settings.epochs)
            runs = partial(model.fit, X, y), partial(net.fit, X, y)
            yield {"cell": cell, "sizes": sizes, **compare(*runs, settings)}


def measure_ragged(settings):
    """Epochs of fit on Japanese Vowels beside packed sequences."""
    data = load_japanese_vowels()
    X, y = data.X_train[: settings.n_sequences], data.y_train[: settings.n_sequences]
    y = y.astype(np.int64)
    for cell in CELLS:
        model = make_classifier(cell, 32, 32, settings.epochs)
        loop = theirs.make_loop(cell, list(X), y, 32, 32, settings.epochs)
        result = compare(partial(model.fit, X, y), loop, settings)
        yield {"cell": cell, "sizes": (12, 32, 32, "7 to 29"), **result}


def measure_predict(settings):
    """Probabilities of all sequences at once."""
    for cell in CELLS:
        for sizes in settings.grid:
            n_features, hidden_size, batch, steps = sizes
            X, y = make_data(settings.n_sequences, steps, n_features)
            model = make_classifier(cell, hidden_size, batch, 1).fit(X, y)
            run = theirs.make_predict(cell, X, hidden_size)
            result = compare(partial(model.predict_proba, X), run, settings)
            yield {"cell": cell, "sizes": sizes, **result}


def measure_step(settings, n_features=4):
    """One step at a time of one stream, the state handed on; where estimators can."""
    for cell in CELLS:
        for hidden_size in settings.step_hidden:
            model = make_classifier(cell, hidden_size, 32, 1)
            if not hasattr(model, "step_proba"):
                return
            model.fit(*make_data(N_CLASSES * 10, 5, n_features))
            runs = [_stream(model, n_features), theirs.make_step(cell, n_features, hidden_size)]
            with set_threads(1, 1):
                times = in_turn(runs, settings.rounds, settings.at_least)
            ours_us, theirs_us = 1e6 * np.median(times, 0)
            yield {
                "cell": cell,
                "sizes": (n_features, hidden_size),
                "ours_us": ours_us,
                "theirs_us": theirs_us,
                "per_core": theirs_us / ours_us,
            }


def _stream(model, n_features):
    x = np.random.default_rng(0).normal(size=(1, n_features)).astype(np.float32)
    state = None

    def run():
        nonlocal state
        _, state = model.step_proba(x, state)

    return run


def _both(row):
    return f"{row['per_core']:.2f} / {row['per_machine']:.2f}"


def _ratios(title, caption, measure, rounds):
    body = partial(by_size, text=_both, means=("per_core", "per_machine"))
    return Table(title, caption, measure, body, rounds)


def _steps(rows):
    def text(row):
        return f"{row['per_core']:.2f} ({row['ours_us']:.0f} / {row['theirs_us']:.0f})"

    return by_size(rows, text, corner="features, hidden", means=("per_core",))


THREADS = "with one thread each / with two (theirs at its better number, ours as fit uses them)"

CORE = _ratios(
    "Forward and backward of one layer",
    f"PyTorch's time over ours, {THREADS}.",
    measure_core,
    rounds=7,
)
FIT = _ratios(
    "An epoch of fit beside a plain PyTorch loop",
    f"The loop's time (fused Adam) over ours, {THREADS}.",
    measure_fit,
    rounds=3,
)
SKORCH = _ratios(
    "An epoch of fit beside skorch",
    f"skorch's time over ours, {THREADS}.",
    measure_skorch,
    rounds=3,
)
RAGGED = _ratios(
    "An epoch of fit on ragged sequences",
    f"Japanese Vowels, PyTorch with packed sequences: its time over ours, {THREADS}.",
    measure_ragged,
    rounds=7,
)
PREDICT = _ratios(
    "Probabilities of 1,000 sequences",
    "PyTorch's time over ours, with one thread each / with two (theirs at its better number).",
    measure_predict,
    rounds=7,
)
STEP = Table(
    "One step at a time",
    "PyTorch's time over ours for one step of one stream, one thread (microseconds: ours / "
    "PyTorch's).",
    measure_step,
    _steps,
)
