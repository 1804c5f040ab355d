"""How near the core comes to the speed of its own matrix products.

A cell is matrix products and element-wise work. The products alone, called by np.dot one after
the other, are what no NumPy core can beat: `share` is the core's speed over theirs. Where
even they take longer than all of PyTorch's forward and backward, we cannot be faster than
PyTorch, whatever the element-wise work costs.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np

from sklearn_rnn._core.workspace import COLUMNS_PER_CHUNK
from tests.benchmarks.speed import theirs
from tests.benchmarks.speed.ours import CoreStep
from tests.benchmarks.speed.settings import CELLS
from tests.benchmarks.speed.table import Table, by_size, with_range
from tests.benchmarks.speed.timing import Run, in_turn

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class Product(NamedTuple):
    """`calls` products (rows, inner) @ (inner, columns); the right one may be a transposed view."""

    rows: int
    inner: int
    columns: int
    calls: int
    transposed: bool = False

    @property
    def flops(self):
        """One multiplication and one addition for each term."""
        return 2 * self.rows * self.inner * self.columns * self.calls


def products(cell, n_features, hidden_size, batch, steps):
    """Return all products of a forward and backward through one layer.

    Dimension key: F features, H hidden, B batch, T steps, G gate rows, N columns of a chunk.

    Forward, T times: W (G, H + 1 + F) @ [h; 1; x]. For the GRU the two parts are apart, since
    the reset gate stands between them: (G, H + 1) @ [h; 1] and (G, 1 + F) @ [1; x].
    Backward, T times: dh = W_hh.T (H, G) @ dz. There is no dx: the layer is the first.
    dW, once for each chunk of steps: dz (G, N) @ (what W multiplied).T. For up to 48 units, the
    core splits this product in two where that is faster; here it is one.
    """
    F, H, B, T = n_features, hidden_size, batch, steps
    G = GATES[cell] * H
    widths = (H + 1, 1 + F) if cell == "GRU" else (H + 1 + F,)
    chunk = max(1, min(T, COLUMNS_PER_CHUNK // B))
    chunk = ceil(T / ceil(T / chunk))
    chunks = [(chunk, T // chunk), (T % chunk, 1)]
    return [
        *(Product(G, width, B, T) for width in widths),
        Product(H, G, B, T),
        *(
            Product(G, n * B, width, calls, transposed=True)
            for n, calls in chunks
            for width in widths
            if n
        ),
    ]


def make_run(listed):
    """Return a function that runs the products, on operands that stay where they are."""
    rng = np.random.default_rng(0)
    prepared = []
    for product in listed:
        left = rng.normal(size=(product.rows, product.inner)).astype(np.float32)
        if product.transposed:
            right = rng.normal(size=(product.columns, product.inner)).astype(np.float32).T
        else:
            right = rng.normal(size=(product.inner, product.columns)).astype(np.float32)
        out = np.empty((product.rows, product.columns), np.float32)
        prepared.append((range(product.calls), left, right, out))

    def run():
        for calls, left, right, out in prepared:
            for _ in calls:
                np.dot(left, right, out)

    return run


def measure(settings):
    """Time core, products and PyTorch in turn, with one thread."""
    for cell in CELLS:
        for sizes in settings.grid:
            listed = products(cell, *sizes)
            calls = [CoreStep(cell, *sizes), make_run(listed), theirs.core_step(cell, *sizes)]
            times = in_turn(list(map(Run, calls)), settings.rounds, settings.at_least)
            ours, alone, pytorch = np.median(times, 0)
            shares, ratios = times[:, 1] / times[:, 0], times[:, 2] / times[:, 1]
            flops = sum(product.flops for product in listed)
            yield {
                "cell": cell,
                "sizes": sizes,
                "ours_gflops": flops / ours / 1e9,
                "dot_gflops": flops / alone / 1e9,
                "share": float(np.median(shares)),
                "share_range": [shares.min(), shares.max()],
                "over_products": float(np.median(ratios)),
                "over_products_range": [ratios.min(), ratios.max()],
                "products_ms": 1e3 * alone,
                "theirs_ms": 1e3 * pytorch,
            }


def _body(rows):
    def speed(row):
        low, high = row["share_range"]
        speeds = f"{row['ours_gflops']:.1f} of {row['dot_gflops']:.1f}"
        return f"{row['share']:.0%} ({low:.0%} to {high:.0%}; {speeds})"

    def alone(row):
        ratio = with_range(row["over_products"], row["over_products_range"])
        return f"{ratio}, {row['theirs_ms']:.2f} / {row['products_ms']:.2f}"

    return (
        by_size(rows, speed)
        + "\nPyTorch's whole forward and backward over our products alone (range over the rounds, "
        "milliseconds). Below 1, the products by themselves take longer than all of PyTorch.\n\n"
        + by_size(rows, alone)
    )


LIMIT = Table(
    "How near to the speed of the products",
    "Share of np.dot's speed that forward and backward reach, one thread (range over the "
    "rounds; GFLOP/s: ours of np.dot's on the same products).",
    measure,
    _body,
)
