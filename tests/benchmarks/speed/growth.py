"""How seconds and memory of an epoch grow with sequences, steps and hidden size."""

from __future__ import annotations

from functools import partial

import numpy as np

from tests.benchmarks.speed.memory import data_bytes, peak_bytes
from tests.benchmarks.speed.models import make_classifier, make_data
from tests.benchmarks.speed.settings import CELLS
from tests.benchmarks.speed.table import Table, lines
from tests.benchmarks.speed.timing import Run, in_turn, set_threads

N_FEATURES, BATCH = 4, 32


def exponent(values, figures):
    """Return b of figure = a * value ** b, fitted over the larger half of the values."""
    half = len(values) // 2
    return float(np.polyfit(np.log(values[half:]), np.log(figures[half:]), 1)[0])


def slope(values, figures):
    """Return b of figure = a + b * value, fitted over the larger half of the values."""
    half = len(values) // 2
    return float(np.polyfit(values[half:], figures[half:], 1)[0])


def measure(settings):
    """Time and trace one epoch at each size, with one thread; memory without the data's own."""
    for cell in CELLS:
        for growth in settings.growth:
            times, memory = [], []
            for value in growth.values:
                n_sequences, n_steps, hidden_size = growth.sizes(value)
                make_estimator = partial(make_classifier, cell, hidden_size, BATCH, 1)
                X, y = make_data(n_sequences, n_steps, N_FEATURES)
                run = Run(partial(make_estimator().fit, X, y))
                rounds = in_turn([run], settings.rounds, settings.at_least)
                with set_threads(1, 1):
                    peak = peak_bytes(make_estimator, n_sequences, n_steps, N_FEATURES)
                times.append(float(np.median(rounds)))
                memory.append(peak - data_bytes(n_sequences, n_steps, N_FEATURES))
            yield {
                "cell": cell,
                "along": growth.along,
                "values": growth.values,
                "seconds": times,
                "bytes": memory,
                "seconds_exponent": exponent(growth.values, times),
                "bytes_exponent": exponent(growth.values, memory),
                "bytes_each": slope(growth.values, memory),
            }


def _body(rows):
    texts = [
        [
            row["cell"],
            f"{row['along']}, {row['values'][0]} to {row['values'][-1]}",
            f"{row['seconds_exponent']:.2f}",
            f"{row['bytes_exponent']:.2f}",
            f"{row['seconds'][-1]:.2f} s, {row['bytes'][-1] / 1e6:.1f} MB",
            f"{row['bytes_each']:,.0f} bytes",
        ]
        for row in rows
    ]
    header = ["cell", "growing", "exponent of seconds", "of memory", "at the largest", "each adds"]
    return lines(header, texts)


GROWTH = Table(
    "Exponents of growth",
    "Exponents of an epoch's seconds and of its memory beyond the data, fitted over the larger "
    "half of a geometric grid: 1 is linear, 2 quadratic, 0 flat. One thread. Beside them both "
    "at the largest size, and how much memory one more sequence, step or unit adds.",
    measure,
    _body,
    rounds=3,
)
