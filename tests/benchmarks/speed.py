"""How fast: these estimators beside the same models in PyTorch and skorch, on this CPU.

python -m tests.benchmarks.speed [--tables core fit ...] [--rounds 7] [--json FILE]

Ours and theirs run in one process and in turn, so that a machine that slows down slows both
down. Each figure is the median over the rounds; a ratio is theirs / ours, above 1 where we are
faster, with its lowest and highest round. Everything is float32. Each side runs with one thread
("per core") and with two; "per machine" compares the better of each.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from datetime import date
from functools import partial

import numpy as np
import sklearn
import torch
from threadpoolctl import threadpool_info, threadpool_limits

import sklearn_rnn
from sklearn_rnn._core.gru import GRUCell
from sklearn_rnn._core.lstm import LSTMCell
from sklearn_rnn._core.rnn import RNNCell
from sklearn_rnn.datasets import load_japanese_vowels
from tests.benchmarks import torch_side

CELLS = {"LSTM": LSTMCell, "GRU": GRUCell, "RNN": RNNCell}
# features, hidden, batch, steps
GRID = [
    (1, 8, 32, 24),
    (1, 16, 32, 50),
    (4, 32, 32, 50),
    (8, 64, 32, 20),
    (9, 64, 64, 128),
    (8, 32, 128, 100),
    (8, 128, 64, 50),
    (8, 256, 64, 50),
    (32, 128, 256, 50),
]
N_SEQUENCES, EPOCHS = 1000, 2


def core_step(cell, n_features, hidden_size, batch, steps):
    """Return a function that runs our forward and backward through one layer."""
    kernel = CELLS[cell](n_features, hidden_size)
    rng = np.random.default_rng(0)
    shapes = kernel.parameter_shapes
    parameters = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    kernel.initialise(parameters, rng)
    gradients = {name: np.empty_like(array) for name, array in parameters.items()}
    ws = kernel.make_workspace(steps, batch, np.float32, training=True, input_gradient=False)
    ws.x[...] = rng.normal(size=ws.x.shape)
    error = rng.normal(size=(hidden_size, batch)).astype(np.float32)

    def run():
        kernel.forward(parameters, ws, steps)
        ws.dh[steps - 1] = error
        kernel.backward(parameters, ws, steps, steps - 1, gradients)

    return run


def seconds(run, at_least=0.02):
    """Return seconds a call, over as many calls as make `at_least` seconds."""
    calls, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < at_least or not calls:
        run()
        calls += 1
    return elapsed / calls


def compare(ours, theirs, rounds):
    """Time both in turn, with one and with two threads; return medians and ratios."""
    times = {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        with threadpool_limits(threads, user_api="blas"):
            ours()
            theirs()
            pairs = np.array([[seconds(ours), seconds(theirs)] for _ in range(rounds)])
        times[threads] = pairs
    medians = {threads: np.median(pairs, axis=0) for threads, pairs in times.items()}
    best = np.minimum(medians[1], medians[2])
    ratios = times[1][:, 1] / times[1][:, 0]
    return {
        "ours_ms": [1e3 * medians[threads][0] for threads in (1, 2)],
        "theirs_ms": [1e3 * medians[threads][1] for threads in (1, 2)],
        "per_core": medians[1][1] / medians[1][0],
        "per_core_range": [ratios.min(), ratios.max()],
        "per_machine": best[1] / best[0],
    }


def table_core(rounds):
    """Forward and backward of one layer."""
    for cell in CELLS:
        for sizes in GRID:
            yield (
                cell,
                sizes,
                compare(core_step(cell, *sizes), torch_side.core_step(cell, *sizes), rounds),
            )


def _data(n_features, steps, n_classes=3):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_SEQUENCES, steps, n_features)).astype(np.float32)
    return X, rng.integers(0, n_classes, N_SEQUENCES)


def _classifier(cell, hidden_size, batch):
    return getattr(sklearn_rnn, f"{cell}Classifier")(
        hidden_size=hidden_size, batch_size=batch, max_iter=EPOCHS, early_stopping=False
    )


def table_fit(rounds):
    """Epochs of fit against a plain PyTorch loop with fused Adam."""
    for cell in CELLS:
        for sizes in GRID:
            n_features, hidden_size, batch, steps = sizes
            X, y = _data(n_features, steps)
            model = _classifier(cell, hidden_size, batch)
            loop = torch_side.make_loop(cell, X, y, hidden_size, batch, EPOCHS)
            yield cell, sizes, compare(partial(model.fit, X, y), loop, rounds)


def table_skorch(rounds):
    """Epochs of fit against skorch."""
    for cell in CELLS:
        for sizes in GRID:
            n_features, hidden_size, batch, steps = sizes
            X, y = _data(n_features, steps)
            model = _classifier(cell, hidden_size, batch)
            net = torch_side.make_skorch(cell, n_features, 3, hidden_size, batch, EPOCHS)
            yield cell, sizes, compare(partial(model.fit, X, y), partial(net.fit, X, y), rounds)


def table_ragged(rounds):
    """Epochs of fit on Japanese Vowels, 7 to 29 steps, against packed sequences."""
    data = load_japanese_vowels()
    X, y = data.X_train, data.y_train.astype(np.int64)
    for cell in CELLS:
        model = _classifier(cell, 32, 32)
        loop = torch_side.make_loop(cell, list(X), y, 32, 32, EPOCHS)
        yield cell, (12, 32, 32, "7-29"), compare(partial(model.fit, X, y), loop, rounds)


def table_predict(rounds):
    """Probabilities of 1,000 sequences at once."""
    for cell in CELLS:
        for sizes in GRID:
            n_features, hidden_size, batch, steps = sizes
            X, y = _data(n_features, steps)
            model = _classifier(cell, hidden_size, batch).set_params(max_iter=1).fit(X, y)
            theirs = torch_side.make_predict(cell, X, hidden_size, 3)
            yield cell, sizes, compare(partial(model.predict_proba, X), theirs, rounds)


TABLES = {
    "core": table_core,
    "fit": table_fit,
    "skorch": table_skorch,
    "ragged": table_ragged,
    "predict": table_predict,
}


def print_row(cell, sizes, result):
    """Print one line of a table."""
    sides = (result["ours_ms"], result["theirs_ms"])
    ours, theirs = (" / ".join(f"{t:.3g}" for t in side) for side in sides)
    low, high = result["per_core_range"]
    print(
        f"| {cell} | {', '.join(map(str, sizes))} | {ours} | {theirs} "
        f"| {result['per_core']:.2f} ({low:.2f} to {high:.2f}) | {result['per_machine']:.2f} |",
        flush=True,
    )


def print_means(rows):
    """Print the smallest ratio and the geometric mean of each cell."""
    for cell in CELLS:
        for reading in ("per_core", "per_machine"):
            ratios = [result[reading] for name, _, result in rows if name == cell]
            if ratios:
                mean = np.exp(np.mean(np.log(ratios)))
                print(f"{cell} {reading}: mean {mean:.2f}, smallest {min(ratios):.2f}")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", help="write all figures to this file")
    args = parser.parse_args(argv)

    report = {
        "date": str(date.today()),
        "machine": platform.processor() or platform.machine(),
        "blas": [(lib["internal_api"], lib.get("architecture")) for lib in threadpool_info()],
        "versions": {m.__name__: m.__version__ for m in (np, sklearn, torch, sklearn_rnn)},
    }
    for name in args.tables:
        print(f"\n{TABLES[name].__doc__} Milliseconds at 1 / 2 threads.\n")
        print("| cell | features, hidden, batch, steps | ours | theirs | per core | per machine |")
        print("|---|---|---|---|---|---|")
        rows = []
        for row in TABLES[name](args.rounds):
            print_row(*row)
            rows.append(row)
        print()
        print_means(rows)
        report[name] = rows
    if args.json:
        with open(args.json, "w") as file:
            json.dump(report, file, indent=1)


if __name__ == "__main__":
    main()
