"""Where features of a large or small scale cost quality: the thresholds of DataScaleWarning.

python -m tests.benchmarks.scale [--epochs 60] [--seeds 0 1]

Standardized features of real data sets are multiplied by a factor (all of them, or one alone), or
an offset is added to all. Prints the median over cells, seeds and folds of the accuracy or R^2, by
cross-validation over the training part.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

import sklearn_rnn
from tests.benchmarks.real_data import CLASSIFICATION, REGRESSION

SETS = ("japanese_vowels", "basic_motions", "sunspots")
FACTORS = (1e-4, 1e-3, 1e-2, 0.1, 1, 3, 10, 30, 100, 1e3, 1e4, 1e5)


def standardized(name):
    """Return sequences of standardized features, targets and folds of a training part."""
    classify = name in CLASSIFICATION
    split = (CLASSIFICATION if classify else REGRESSION)[name]()
    X, y = [np.asarray(x, float).reshape(len(x), -1) for x in split.X_train], split.y_train
    if not classify:
        X, y = X[::4][-400:], np.asarray(y)[::4][-400:]
        y = y[:, 0] if y.ndim > 1 else y
    steps = np.concatenate(X)
    X = [(x - steps.mean(axis=0)) / steps.std(axis=0) for x in X]
    folds = StratifiedKFold(3, shuffle=True, random_state=0) if classify else KFold(3)
    return X, np.asarray(y), list(folds.split(X, y))


def score(name, cell, change, epochs, seed, data):
    """Return the mean score over the folds of features that `change` has been applied to."""
    X, y, folds = data
    kind = "Classifier" if name in CLASSIFICATION else "Regressor"
    model = getattr(sklearn_rnn, cell + kind)(max_iter=epochs, random_state=seed)
    X = [change(x) for x in X]
    scores = []
    for train, test in folds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit([X[i] for i in train], y[train])
        scores.append(model.score([X[i] for i in test], y[test]))
    return np.mean(scores)


def changes():
    """Yield (description, change of a sequence)."""
    for factor in FACTORS:
        yield f"all x {factor:g}", lambda x, f=factor: x * f
    for factor in FACTORS[5:]:
        yield f"first x {factor:g}", lambda x, f=factor: x * np.r_[f, np.ones(x.shape[1] - 1)]
    for offset in FACTORS[5:]:
        yield f"all + {offset:g}", lambda x, f=offset: x + f


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--cells", nargs="+", default=["LSTM", "GRU"])
    parser.add_argument("--sets", nargs="+", default=SETS)
    args = parser.parse_args()
    for name in args.sets:
        data = standardized(name)
        for what, change in changes():
            scores = [
                score(name, cell, change, args.epochs, seed, data)
                for cell in args.cells
                for seed in args.seeds
            ]
            print(f"{name:>18} {what:>14} {np.median(scores):8.3f}", flush=True)
