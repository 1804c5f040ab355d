"""How much memory a fit takes, beside what no fit can do without."""

from __future__ import annotations

import tracemalloc

from tests.benchmarks.speed.models import N_CLASSES, make_classifier, make_data
from tests.benchmarks.speed.settings import CELLS
from tests.benchmarks.speed.table import Table, by_size
from tests.benchmarks.speed.timing import set_threads

FLOAT = 4  # bytes


def peak_bytes(make_estimator, n_sequences, n_steps, n_features):
    """Return the largest number of bytes that data and fit hold at once.

    Counts what Python and NumPy allocate, touched or not; not the scratch of BLAS.
    """
    make_estimator().fit(*make_data(N_CLASSES * 2, n_steps, n_features))  # imports, caches
    tracemalloc.start()
    try:
        X, y = make_data(n_sequences, n_steps, n_features)
        tracemalloc.reset_peak()  # make_data has drawn float64
        make_estimator().fit(X, y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def data_bytes(n_sequences, n_steps, n_features):
    """Return the size of X in float32 and y in int64."""
    return n_sequences * (n_steps * n_features * FLOAT + 8)


def minimum_bytes(cell, n_features, hidden_size, batch, steps, n_sequences):
    """Return the memory that back-propagation through time by the cell's equations needs.

    Dimension key: F features, H hidden, B batch, T steps, G gate rows, K classes, P parameters.

    - The data, X and y.
    - What backward reads of every step of every sequence of one batch, in numbers:
        LSTM  x (F), h (H), c (H), i, f, g, o (4 H); tanh(c) follows from c
        GRU   x (F), h (H), r, z, n (3 H), the candidate's m = W_hn h + b_hn (H)
        RNN   x (F), h (H)
    - One step's worth, per sequence: the initial state (the LSTM has two), its error as it
      runs back, and the error of the gates (G).
    - Four vectors of P: parameters, gradient, and Adam's two moments.
    """
    F, H, B, T, K = n_features, hidden_size, batch, steps, N_CLASSES
    kept, states, G = {
        "LSTM": (F + 6 * H, 2, 4 * H),
        "GRU": (F + 5 * H, 1, 3 * H),
        "RNN": (F + H, 1, H),
    }[cell]
    P = G * (F + H + 1) + (H if cell == "GRU" else 0) + K * (H + 1)
    one_step = 2 * states * H + G
    return data_bytes(n_sequences, T, F) + FLOAT * (B * (T * kept + one_step) + 4 * P)


def measure(settings):
    """Trace a fit at each size."""
    for cell in CELLS:
        for sizes in settings.grid:
            n_features, hidden_size, batch, steps = sizes

            def make_estimator(cell=cell, hidden_size=hidden_size, batch=batch):
                return make_classifier(cell, hidden_size, batch, settings.epochs)

            with set_threads(1, 1):
                peak = peak_bytes(make_estimator, settings.n_sequences, steps, n_features)
            least = minimum_bytes(cell, *sizes, settings.n_sequences)
            yield {
                "cell": cell,
                "sizes": sizes,
                "peak_mb": peak / 1e6,
                "minimum_mb": least / 1e6,
                "over_minimum": peak / least,
            }


def _body(rows):
    def text(row):
        return f"{row['over_minimum']:.2f} ({row['peak_mb']:.1f} / {row['minimum_mb']:.1f})"

    return by_size(rows, text, means=("over_minimum",))


MEMORY = Table(
    "Memory of a fit on 1,000 sequences",
    "Largest memory that NumPy and Python held, over the least that data, parameters, Adam's "
    "moments and the numbers that backward needs take up (megabytes: peak / least).",
    measure,
    _body,
    rounds=1,
)
