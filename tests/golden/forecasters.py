"""Make pickles of forecasters and of a RecurrentState, which every later release must load.

python -m tests.golden.forecasters DIRECTORY

Run once for a release, in its own checkout; the files are committed and never changed. A pickle
of a forecaster or a state stands beside what it predicted when it was made. The directory
"0.1.0-forecasters" was made when each of the forecaster's rooms was a module of the package's own.
"""

import pickle
import sys
from pathlib import Path

import numpy as np

from sklearn_rnn import GRURegressor, LSTMRegressor, RecurrentForecaster, RNNRegressor

LENGTH, HORIZON = 90, 7
NETWORKS = [GRURegressor, LSTMRegressor, RNNRegressor]


def make_series():
    """Return two columns, and the future covariate of their rows and of those to be forecast."""
    rng = np.random.default_rng(0)
    rows = np.arange(LENGTH + HORIZON + 3)
    wave = 20 + 5 * np.sin(0.5 * rows) + rng.normal(size=len(rows))
    return np.column_stack([wave, -2 * wave])[:LENGTH], np.cos(rows)


def make_forecasters():
    """Return fitted forecasters by name: both strategies, with and without covariates."""
    series, known = make_series()
    forecasters = {}
    for strategy in ("direct", "recursive"):
        for k, normalize in enumerate(("last", "window", None)):
            network = NETWORKS[k](hidden_size=3, max_iter=2, batch_size=16)
            forecaster = RecurrentForecaster(
                network,
                window=8,
                horizon=3,
                strategy=strategy,
                normalize=normalize,
                validation_fraction=0.3,
                random_state=0,
            )
            exog = {} if normalize is None else {"future_exog": known}
            forecasters[f"{strategy}-{normalize}"] = forecaster.fit(series, **exog)
    return forecasters


def forecasts(forecaster):
    """Return what a forecaster says about the future, and about other series."""
    series, known = make_series()
    other = {"series": series[10:40]}
    if forecaster._tail_.future is not None:
        other["future_exog"] = known[10:50]
    return {
        "predict": forecaster.predict(HORIZON),
        "predict_interval": forecaster.predict_interval(HORIZON, 0.5),
        "other": forecaster.predict(**other),
    }


def make_stream():
    """Return a model of two layers, a state of its streams, and what they show next."""
    X = np.random.default_rng(1).normal(size=(5, 6, 2))
    model = LSTMRegressor(3, num_layers=2, pooling="mean", max_iter=2, random_state=0)
    model.fit(X, X[:, :, 0].sum(axis=1))
    return model, model.predict(X[:, :5], return_state=True)[1], X[:, 5]


def main(directory):
    """Write the files."""
    directory = Path(directory)
    directory.mkdir(parents=True)
    for name, forecaster in make_forecasters().items():
        (directory / f"{name}.pickle").write_bytes(pickle.dumps(forecaster, protocol=4))
        np.savez(directory / f"{name}.answers.npz", **forecasts(forecaster))
    model, state, x_t = make_stream()
    (directory / "state.pickle").write_bytes(pickle.dumps((model, state), protocol=4))
    prediction, after = model.step(x_t, state)
    np.savez(directory / "state.answers.npz", x_t=x_t, step=prediction, h=after.h, c=after.c)
    print(f"{sum(1 for _ in directory.iterdir())} files in {directory}")


if __name__ == "__main__":
    main(sys.argv[1])
