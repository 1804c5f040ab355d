"""Where L-BFGS wins, and where not: beside Adam on sets of some hundred sequences.

python -m tests.benchmarks.lbfgs [--sets NAME ...]

Prints a Markdown table for a GRU with 16 units, a learning rate of .01 and 200 epochs or iterations
at most, else default parameters: of three seeds the median of the training loss at the end, of the
test score (accuracy or R^2), and of the processor's seconds, which do not depend on what else the
machine does.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from sklearn_rnn import GRUClassifier, GRURegressor
from tests.benchmarks.machine import print_machine, run_unforced
from tests.benchmarks.real_data import CLASSIFICATION, REGRESSION, Split

SEEDS = (0, 1, 2)
SETS = ("sums", "sunspots", "italy_power_demand", "gunpoint", "basic_motions", "libras")
SETS += ("japanese_vowels",)
COLUMNS = {
    "Adam": dict(solver="adam"),
    "L-BFGS": dict(solver="lbfgs"),
    "Adam, alpha=1": dict(solver="adam", alpha=1.0),
    "L-BFGS, alpha=1": dict(solver="lbfgs", alpha=1.0),
}


def sums():
    """60 sequences of 8 numbers, whose sum is the target, without noise; 500 to test on."""
    X = np.random.default_rng(0).normal(size=(560, 8, 1))
    y = X.sum(axis=(1, 2))
    return Split(X[:60], y[:60], X[60:], y[60:])


def run(name, seed, **params):
    """Fit one estimator; return training loss, test score and seconds."""
    split = sums() if name == "sums" else {**CLASSIFICATION, **REGRESSION}[name]()
    Estimator = GRUClassifier if name in CLASSIFICATION else GRURegressor
    model = Estimator(
        16, learning_rate_init=0.01, early_stopping=False, random_state=seed, **params
    )
    begin = time.process_time()
    model.fit(split.X_train, split.y_train)
    seconds = time.process_time() - begin
    return model.loss_, model.score(split.X_test, split.y_test), seconds, len(split.y_train)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=SETS)
    args = parser.parse_args()
    print_machine()
    print("| set | sequences | " + " | ".join(COLUMNS) + " |")
    print("|---|---" + "|---" * len(COLUMNS) + "|")
    for name in args.sets:
        cells = []
        for params in COLUMNS.values():
            loss, score, seconds, n = np.median([run(name, s, **params) for s in SEEDS], axis=0)
            cells.append(f"{loss:.2g}, {score:.3f}, {seconds:.1f}")
        print(f"| {name} | {n:.0f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    run_unforced(main)
