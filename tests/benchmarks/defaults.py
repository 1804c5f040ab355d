"""How the estimators do on real data sets, with default parameters or with others.

python -m tests.benchmarks.defaults [--sets NAME ...] [--set PARAMETER=VALUE ...] [--validate]
    [--cells LSTM ...] [--seeds 0 1 2]

Prints a Markdown table: the median over the seeds (and their range) of the test accuracy, or
of the test error, their mean and its standard error, and the median seconds of a fit. With
--validate no test set is looked at: the figures are those of a cross-validation over the training
part. This is how to choose defaults; the tables of the user guide are the test figures.
"""

from __future__ import annotations

import argparse
import ast
import time

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import sem
from sklearn.model_selection import GroupShuffleSplit, StratifiedKFold

import sklearn_rnn
from tests.benchmarks.machine import print_machine, run_unforced
from tests.benchmarks.real_data import CLASSIFICATION, REGRESSION, Split

CELLS = ("LSTM", "GRU", "RNN")


def inner_splits(split, seed, classify):
    """Yield splits of the training part: folds by class, the last groups, or the last fifth."""
    X, y, groups = split.X_train, split.y_train, split.groups
    order = np.arange(len(y))
    if classify:
        folds = StratifiedKFold(3, shuffle=True, random_state=seed).split(order, y)
    elif groups is not None:
        folds = GroupShuffleSplit(1, test_size=0.2, random_state=seed).split(order, y, groups)
    else:  # in the order of time; windows that overlap the last fifth are left out
        overlap = np.shape(X)[1] + np.size(y[0])
        folds = [np.split(order, [4 * len(y) // 5])]
        folds = [(before[:-overlap], after) for before, after in folds]
    for train, test in folds:
        kept = None if groups is None else groups[train]
        yield Split(X[train], y[train], X[test], y[test], kept)


def run(name, cell, seed, parameters, validate=False):
    """Fit one estimator; return its figure, on the test set or validated, and its seconds."""
    classify = name in CLASSIFICATION
    split = (CLASSIFICATION if classify else REGRESSION)[name]()
    splits = inner_splits(split, seed, classify) if validate else [split]
    results = [fit_and_score(name, cell, seed, parameters, part) for part in splits]
    return np.mean(results, axis=0)


def fit_and_score(name, cell, seed, parameters, split):
    """Return the figure on the split's test part, and the seconds of the fit."""
    classify = name in CLASSIFICATION
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
    mean = f"{figures.mean():.3g} ({sem(figures, ddof=0):.2g})"
    return f"{median} ({low} to {high}), mean {mean}, {np.median(seconds):.1f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sets = [*CLASSIFICATION, *REGRESSION]
    parser.add_argument("--sets", nargs="+", choices=sets, default=sets, metavar="NAME")
    parser.add_argument("--set", nargs="+", default=[], metavar="PARAMETER=VALUE")
    parser.add_argument("--validate", action="store_true", help="on the training part alone")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    args = parser.parse_args()
    pairs = (pair.split("=") for pair in args.set)
    parameters = {name: ast.literal_eval(value) for name, value in pairs}

    print_machine()
    print("| set | " + " | ".join(args.cells) + " |")
    print("|---" * (1 + len(args.cells)) + "|")
    for name in args.sets:
        cases = [(name, cell, seed) for cell in args.cells for seed in args.seeds]
        jobs = [delayed(run)(*case, parameters, args.validate) for case in cases]
        results = Parallel(n_jobs=2)(jobs)
        n = len(args.seeds)
        rows = [results[i : i + n] for i in range(0, len(results), n)]
        print(f"| {name} | " + " | ".join(map(cell_of_table, rows)) + " |", flush=True)


if __name__ == "__main__":
    run_unforced(main)
