"""How the estimators do on real data sets, with default parameters or with others.

python -m tests.benchmarks.defaults [--sets NAME ...] [--set PARAMETER=VALUE ...]

Prints a Markdown table: the median over seeds 0, 1, 2 (and their range) of the test accuracy, or
of the test error, and the median seconds of a fit. This is how the defaults were chosen, and
where the tables of the user guide come from.
"""

from __future__ import annotations

import argparse
import ast
import time

import numpy as np
from joblib import Parallel, delayed

import sklearn_rnn
from tests.benchmarks.real_data import CLASSIFICATION, REGRESSION

CELLS = ("LSTM", "GRU", "RNN")
SEEDS = (0, 1, 2)


def run(name, cell, seed, parameters):
    """Fit one estimator; return its test figure and its seconds."""
    classify = name in CLASSIFICATION
    split = (CLASSIFICATION if classify else REGRESSION)[name]()
    estimator = getattr(sklearn_rnn, cell + ("Classifier" if classify else "Regressor"))()
    estimator.set_params(random_state=seed, **parameters)
    start = time.perf_counter()
    estimator.fit(split.X_train, split.y_train, groups=split.groups)
    seconds = time.perf_counter() - start
    if classify:
        return estimator.score(split.X_test, split.y_test), seconds
    error = np.mean((estimator.predict(split.X_test) - split.y_test) ** 2)
    return (error if name == "etth1" else np.sqrt(error)), seconds


def cell_of_table(results):
    figures, seconds = np.transpose(results)
    low, median, high = (f"{figure:.3g}" for figure in np.quantile(figures, [0, 0.5, 1]))
    return f"{median} ({low} to {high}), {np.median(seconds):.1f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=[*CLASSIFICATION, *REGRESSION])
    parser.add_argument("--set", nargs="+", default=[], metavar="PARAMETER=VALUE")
    args = parser.parse_args()
    pairs = (pair.split("=") for pair in args.set)
    parameters = {name: ast.literal_eval(value) for name, value in pairs}

    print("| set | " + " | ".join(CELLS) + " |")
    print("|---" * (1 + len(CELLS)) + "|")
    for name in args.sets:
        jobs = [delayed(run)(name, cell, seed, parameters) for cell in CELLS for seed in SEEDS]
        results = Parallel(n_jobs=2)(jobs)
        rows = [results[i : i + len(SEEDS)] for i in range(0, len(results), len(SEEDS))]
        print(f"| {name} | " + " | ".join(map(cell_of_table, rows)) + " |", flush=True)


if __name__ == "__main__":
    main()
