"""Tables of ratios, theirs / ours: one layer, an epoch, a prediction, a step.

"Per core", both sides have one thread, as inside a parallel search. "Per machine", both may have as
many as there are cores: theirs has the better of one and all, and ours does with all what a user
gets, that is, fit gives each half of a large batch a thread, and has one thread otherwise.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sklearn_rnn.datasets import load_japanese_vowels
from tests.benchmarks.speed import theirs
from tests.benchmarks.speed.models import make_classifier, make_data, make_step
from tests.benchmarks.speed.ours import CoreStep, core_step_as_in_fit
from tests.benchmarks.speed.settings import CELLS
from tests.benchmarks.speed.table import RATIOS, Table, both_ratios, by_size, table_of_ratios
from tests.benchmarks.speed.timing import compare


def measure_core(settings):
    """Forward and backward of one layer."""
    for cell in CELLS:
        for sizes in settings.grid:
            result = compare(
                CoreStep(cell, *sizes),
                theirs.core_step(cell, *sizes),
                settings,
                ours_with_all=core_step_as_in_fit(cell, *sizes),
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
            runs = [make(cell, n_features, hidden_size) for make in (make_step, theirs.make_step)]
            result = compare(*runs, settings)
            yield {"cell": cell, "sizes": (n_features, hidden_size), **result}


def _steps(rows):
    def text(row):
        ours, theirs = (1e3 * row[key][0] for key in ("ours_ms", "theirs_ms"))
        return f"{both_ratios(row)}, {ours:.0f} / {theirs:.0f}"

    return by_size(rows, text, corner="features, hidden", means=RATIOS)


RANGE = "in parentheses the range over the rounds"
THREADS = (
    "with one thread each / with all threads (theirs at the better of one and all, ours as fit "
    f"uses them), {RANGE}"
)

CORE = table_of_ratios(
    "Forward and backward of one layer",
    f"PyTorch's time over ours, {THREADS}.",
    measure_core,
    rounds=7,
)
FIT = table_of_ratios(
    "An epoch of fit beside a plain PyTorch loop",
    f"The loop's time (fused Adam) over ours, {THREADS}.",
    measure_fit,
    rounds=5,
)
SKORCH = table_of_ratios(
    "An epoch of fit beside skorch",
    f"skorch's time over ours, {THREADS}.",
    measure_skorch,
    rounds=5,
)
RAGGED = table_of_ratios(
    "An epoch of fit on ragged sequences",
    f"Japanese Vowels, PyTorch with packed sequences: its time over ours, {THREADS}.",
    measure_ragged,
    rounds=7,
)
PREDICT = table_of_ratios(
    "Probabilities of 1,000 sequences",
    "PyTorch's time over ours, with one thread each / with all threads (theirs at the better of "
    f"one and all), {RANGE}.",
    measure_predict,
    rounds=7,
)
STEP = Table(
    "One step at a time",
    "PyTorch's time over ours for one step of one stream, with one thread each / with all threads "
    f"(theirs at the better of one and all), {RANGE}; microseconds with one thread: "
    "ours / PyTorch's.",
    measure_step,
    _steps,
)
