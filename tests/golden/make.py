"""Make the files that every later release must load.

python -m tests.golden.make DIRECTORY
python -m tests.golden.make DIRECTORY options  # with all options of the architecture

Run once for a release or a format, in its own checkout; the files are committed and never changed.
For each of the six estimators they are a pickle, a skops file, an .npz of `save`, and what the
estimator answers about the sequences in inputs.npz. The directory "before-stamps" was made of
commit ecf1622, which pickles alone.
"""

import pickle
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np

import sklearn_rnn
from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceArray,
)

METHODS = ("predict", "predict_proba", "transform", "predict_prefixes")
SMALL = dict(max_iter=2, random_state=0, warm_start=True)
OPTIONS = dict(
    layer_norm=True, residual=True, learn_initial_state=True, head_sizes=(3,), pooling="attention"
)


def make_data():
    """Make ragged sequences of two features."""
    rng = np.random.default_rng(0)
    lengths = [3, 5, 1, 4, 2, 5, 3, 4, 2]
    return SequenceArray.from_sequences([rng.normal(size=(n, 2)) for n in lengths])


def make_estimators(options):
    """Return the six, unfitted, and their targets: between them all kinds of what there is."""
    rng = np.random.default_rng(1)
    y, counts = rng.normal(5, 2, size=9), rng.integers(0, 9, size=(9, 2))
    labels = np.array(["ash", "elm", "oak"] * 3)
    problems = [
        (RNNClassifier, y > 5, {}),
        (RNNRegressor, y, dict(nonlinearity="relu", pooling="max")),
        (LSTMClassifier, labels, dict(pooling="mean", num_layers=2, bidirectional=True)),
        (LSTMRegressor, counts, dict(loss="poisson")),
        (GRUClassifier, labels.astype(object), dict(num_layers=2)),
        (GRURegressor, y, dict(solver="sgd", loss="quantile", quantiles=[0.1, 0.9])),
    ]
    return {
        Estimator.__name__: (Estimator(3, **{**params, **options, **SMALL}), y)
        for Estimator, y, params in problems
    }


def answers(estimator, X):
    """Return what an estimator says about sequences, by method, as plain arrays."""
    methods = [name for name in METHODS if hasattr(estimator, name)]
    if estimator.bidirectional:
        methods.remove("predict_prefixes")
    found = {name: getattr(estimator, name)(X) for name in methods}
    if hasattr(estimator, "_calibration_"):
        found["predict_interval"] = estimator.predict_interval(X)
    if "predict_prefixes" in found:
        found["predict_prefixes"] = np.concatenate(list(found["predict_prefixes"]))
    return {k: a.astype(str) if a.dtype == object else a for k, a in found.items()}


def main(directory, with_options=False):
    """Write the files."""
    directory = Path(directory)
    directory.mkdir(parents=True)
    X = make_data()
    np.savez(directory / "inputs.npz", values=X.values, offsets=X.offsets)
    for name, (estimator, y) in make_estimators(OPTIONS if with_options else {}).items():
        path = directory / name
        estimator.fit(X, y, X_val=X, y_val=y)
        np.savez(path.with_suffix(".answers.npz"), **answers(estimator, X))
        path.with_suffix(".pickle").write_bytes(pickle.dumps(estimator, protocol=4))
        if hasattr(sklearn_rnn, "SKOPS_TRUSTED"):
            import skops.io

            skops.io.dump(estimator, path.with_suffix(".skops"), compression=ZIP_DEFLATED)
            sklearn_rnn.persistence.save(estimator, path.with_suffix(".npz"))
    print(f"{sum(1 for _ in directory.iterdir())} files in {directory}")


if __name__ == "__main__":
    main(sys.argv[1], with_options="options" in sys.argv[2:])
