"""How often prediction intervals hold the traffic of the next hour, and how wide they are.

    python -m tests.benchmarks.intervals [picture.png]

Metro Interstate traffic, windows of 48 hours in the order of time: the first 60 % train, the next
20 % calibrate, the last 20 % test. Then the last 40 % in random order, 100 times: there the
calibration and the test samples are exchangeable, and the guarantee must hold.
"""

from __future__ import annotations

import csv
import gzip
import sys

import numpy as np

from sklearn_rnn import GRURegressor, make_windows
from sklearn_rnn._estimators.intervals import margins
from tests.benchmarks.real_data import DATA

WINDOW = 48
COVERAGE = 0.9
TRAINING = dict(hidden_size=32, learning_rate_init=0.01, max_iter=30, early_stopping=False)
LEARNERS = {
    "squared_error": dict(loss="squared_error"),
    "quantile": dict(loss="quantile", quantiles=(0.05, 0.5, 0.95)),
}


def traffic():
    """Return windows, targets and the time of the hour to predict, in the order of time."""
    with gzip.open(DATA / "traffic_volume.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    series = np.array([float(row["traffic_volume"]) for row in rows])
    windows = make_windows(series, window=WINDOW)
    when = np.array([row["date_time"] for row in rows], dtype="datetime64[h]")[WINDOW:]
    train = series[: int(0.6 * len(series))]
    X = ((windows.X - train.mean()) / train.std()).astype(np.float32)
    return X, np.ravel(windows.y), when


def held(intervals, y):
    return (intervals[:, 0] <= y) & (y <= intervals[:, 1])


def shuffled_coverage(model, X, y, n_draws=100):
    """Return the mean coverage where halves of X at random calibrate and test."""
    predicted = model.predict(X).reshape(len(X), -1)
    residuals = y[:, None, None] - predicted[:, None, :]
    high = predicted.shape[1] - 1
    shares = []
    for seed in range(n_draws):
        first, second = np.array_split(np.random.default_rng(seed).permutation(len(X)), 2)
        margin = margins(residuals[first], 0, high, COVERAGE)
        ends = predicted[second][:, [0, high]] + np.array([-1, 1]) * margin
        shares.append(held(ends, y[second]).mean())
    return np.mean(shares)


def report(label, intervals, y):
    """Print coverage and width, of all hours and of quiet and busy ones."""
    quiet = y < 1000
    parts = [np.full(len(y), True), quiet, ~quiet]
    shares = [held(intervals, y)[part].mean() for part in parts]
    widths = [np.ptp(intervals, axis=1)[part].mean() for part in parts]
    print(
        "{}: {:.3f} ({:.3f}, {:.3f}),".format(label, *shares),
        "{:.0f} ({:.0f}, {:.0f})".format(*widths),
        flush=True,
    )


def main(picture=None):
    X, y, when = traffic()
    n_train, n_val = int(0.6 * len(X)), int(0.8 * len(X))
    train, val = slice(0, n_train - WINDOW), slice(n_train, n_val - WINDOW)
    test, later = slice(n_val, None), slice(n_train, None)
    print("learner, seed: coverage (of quiet hours, of busy ones), mean width (likewise)")
    for name, params in LEARNERS.items():
        for seed in range(3):
            model = GRURegressor(**params, **TRAINING, random_state=seed)
            model.fit(X[train], y[train], X_val=X[val], y_val=y[val])
            intervals, predicted = model.predict_interval(X[test], COVERAGE), model.predict(X[test])
            report(f"{name}, {seed}, calibrated", intervals, y[test])
            if name == "quantile":
                report(f"{name}, {seed}, as learned", predicted[:, [0, 2]], y[test])
            shuffled = shuffled_coverage(model, X[later], y[later])
            print(f"{name}, {seed}, exchangeable: {shuffled:.3f}", flush=True)
            if picture and name == "quantile" and seed == 0:
                draw(picture, when[test], y[test], predicted[:, 1], intervals)


def draw(path, when, y, median, intervals):
    """Draw a week of intervals."""
    from matplotlib import pyplot as plt
    from matplotlib.dates import DateFormatter

    week = slice(24 * 7, 24 * 14)
    when, y, median, intervals = when[week], y[week], median[week], intervals[week]
    inside = held(intervals, y)
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    axes.fill_between(when, *intervals.T, color="C0", alpha=0.3, lw=0, label="interval, 90 %")
    axes.plot(when, median, color="C0", lw=1, label="median")
    axes.plot(when[inside], y[inside], ".", color="0.3", ms=4, label="observed, inside")
    axes.plot(when[~inside], y[~inside], "x", color="C3", ms=5, label="observed, outside")
    axes.set(ylabel="vehicles an hour", ylim=(0, None), xlim=(when[0], when[-1]))
    axes.xaxis.set_major_formatter(DateFormatter("%a %d %b"))
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
