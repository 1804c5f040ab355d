"""Fits of many kinds, and their weights: a change that should not change a bit can be held to it.

python -m tests.golden.fits write PATH    # before the change
python -m tests.golden.fits compare PATH  # after it, on the same machine: bit for bit

The committed fits.npz was made on one machine. On others the last bits differ, with the kernels of
BLAS, so that the tests allow for rounding.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceArray,
)

FITS_FILE = Path(__file__).parent / "fits.npz"
LENGTHS = (5, 2, 7, 1, 4, 3, 6, 5, 2, 4, 7, 3)


def _ragged(dtype=np.float64):
    rng = np.random.default_rng(0)
    return SequenceArray.from_sequences([rng.normal(size=(n, 2)).astype(dtype) for n in LENGTHS])


def _numbers(n_outputs=1):
    return np.random.default_rng(1).normal(10, 3, size=(12, n_outputs)).squeeze()


def _labels(n_classes=3):
    return np.arange(12) % n_classes


def _steps(values):
    """Return a target for each step, as a list of arrays."""
    rows = values(sum(LENGTHS))
    return np.split(rows, np.cumsum(LENGTHS)[:-1])


def _words():
    rng = np.random.default_rng(2)
    return ["".join(rng.choice(list("abcd"), size=n)) for n in LENGTHS]


def fits():
    """Return fitted estimators by name: all cells, solvers, poolings, losses and kinds of data."""
    small = dict(hidden_size=3, max_iter=3, batch_size=5, random_state=0)
    large = np.random.default_rng(3).normal(size=(80, 6, 2)).astype(np.float32)
    big = dict(hidden_size=80, max_iter=1, batch_size=64, random_state=0)  # runs in two halves
    shallow = GRURegressor(**small)
    for _ in range(2):
        shallow.partial_fit(_ragged(), _numbers())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {
            "rnn relu identity": RNNClassifier(
                nonlinearity="relu",
                init="identity",
                solver="sgd",
                learning_rate="adaptive",
                **small,
            ).fit(_ragged(), _labels(2)),
            "rnn huber float32": RNNRegressor(
                loss="huber", learn_initial_state=True, dropout=0.2, alpha=0.01, **small
            ).fit(_ragged(np.float32), _numbers(2)),
            "lstm deep both ways": LSTMClassifier(
                num_layers=2,
                bidirectional=True,
                layer_norm=True,
                residual=True,
                pooling="attention",
                head_sizes=(4,),
                class_weight="balanced",
                **small,
            ).fit(_ragged(), _labels()),
            "lstm dropouts": LSTMRegressor(
                num_layers=2,
                recurrent_dropout=0.3,
                dropout=0.2,
                solver="adamw",
                alpha=0.1,
                pooling="mean",
                learning_rate="one_cycle",
                **small,
            ).fit(_ragged(), _numbers()),
            "lstm truncated steps": LSTMClassifier(
                return_sequences=True, tbptt_steps=3, init="chrono", **small
            ).fit(_ragged(), _steps(lambda n: np.arange(n) % 3)),
            "lstm stops early": LSTMRegressor(
                early_stopping=True,
                validation_fraction=0.25,
                average_epochs=2,
                **{**small, "max_iter": 6},
            ).fit(_ragged(), _numbers(), sample_weight=np.arange(12) % 4),
            "gru tokens": GRUClassifier(embedding_size=3, pooling="max", **small).fit(
                _words(), (np.arange(36).reshape(12, 3) % 5 > 2).astype(int)
            ),
            "gru quantiles": GRURegressor(
                loss="quantile",
                quantiles=[0.1, 0.5, 0.9],
                solver="rmsprop",
                learning_rate="cosine",
                **small,
            ).fit(_ragged(), _numbers(), X_val=_ragged(), y_val=_numbers()),
            "gru poisson steps": GRURegressor(
                return_sequences=True, loss="poisson", bidirectional=True, **small
            ).fit(_ragged(), _steps(lambda n: (np.arange(n) % 7).astype(float))),
            "gru lbfgs": GRUClassifier(solver="lbfgs", alpha=0.1, **small).fit(
                _ragged(), _labels()
            ),
            "gru truncated pooling": GRURegressor(
                pooling="mean", tbptt_steps=3, loss="absolute_error", **small
            ).fit(_ragged(), _numbers()),
            "gru partial fits": shallow,
            "lstm large": LSTMClassifier(**big).fit(large, large[:, -1, 0] > 0),
            "gru large": GRURegressor(**big).fit(large, large[:, -1, 0]),
            "rnn large, halves": RNNRegressor(**big, nonlinearity="tanh").fit(
                large, large[:, 2, 0]
            ),
        }


def weights():
    """Return the weights of all fits, and what calibrates their intervals."""
    found = {}
    for name, estimator in fits().items():
        found[name] = np.array(estimator._theta_)
        if hasattr(estimator, "_calibration_"):
            found[f"{name}: calibration"] = np.array(estimator._calibration_)
    return found


def _bits(arrays, name):
    return (arrays[name].dtype, arrays[name].tobytes()) if name in arrays else None


def main(argv=None):
    """Write all weights to a file, or compare them with those in it, bit for bit."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.fits", description=__doc__)
    parser.add_argument("what", choices=["write", "compare"])
    parser.add_argument("path", type=Path)
    args = parser.parse_args(argv)
    if args.what == "write":
        np.savez_compressed(args.path, **weights())
        return 0
    now = weights()
    with np.load(args.path) as file:
        before = dict(file)
    names = before.keys() | now.keys()
    changed = sorted(n for n in names if _bits(before, n) != _bits(now, n))
    print(f"{len(names) - len(changed)} of {len(names)} equal", *changed, sep="\n  ")
    return 1 if changed else 0


if __name__ == "__main__":
    raise SystemExit(main())
