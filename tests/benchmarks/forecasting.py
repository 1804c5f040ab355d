"""How RecurrentForecaster does on real series, beside the forecasts that it has to beat.

python -m tests.benchmarks.forecasting [--sets NAME ...] [--set PARAMETER=VALUE ...]

Prints a Markdown table: the median over seeds 0, 1, 2 (and their range) of the test error, the
seconds of processor time to fit and forecast, the share of values within the intervals of 90 %,
and the errors of the baselines. All forecasts are made from the same origins.
"""

from __future__ import annotations

import argparse
import ast
import csv
import gzip
import time
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error, root_mean_squared_error

from sklearn_rnn import RecurrentForecaster
from tests.benchmarks.machine import print_machine, run_unforced
from tests.benchmarks.real_data import DATA

SEEDS = (0, 1, 2)
COVERAGE = 0.9


class Task(NamedTuple):
    """A series, what is forecast of it, and how that is scored."""

    series: np.ndarray
    calendar: np.ndarray | None
    n_train: int
    first_origin: int
    window: int
    horizon: int
    season_length: int
    metric: Any


def _rows(name):
    with (gzip.open if name.endswith(".gz") else open)(DATA / name, "rt") as file:
        return list(csv.DictReader(file))


def calendar(hours):
    """Hour of the day and of the week as angles, and whether it is a weekend: (T, 7)."""
    hour = (hours - hours.astype("datetime64[D]")).astype(int)
    weekday = (hours.astype("datetime64[D]").astype(int) + 3) % 7  # 0 is a Monday
    day, week = 2 * np.pi * hour / 24, 2 * np.pi * (24 * weekday + hour) / 168
    waves = [wave(angle) for angle in (day, 2 * day, week) for wave in (np.sin, np.cos)]
    return np.column_stack([*waves, weekday >= 5]).astype(float)


def _traffic(with_calendar):
    rows = _rows("traffic_volume.csv.gz")
    volume = np.array([float(row["traffic_volume"]) for row in rows])
    hours = np.array([row["date_time"] for row in rows], dtype="datetime64[h]")
    cut = int(0.8 * len(volume))
    known = calendar(hours) if with_calendar else None
    return Task(volume, known, cut, cut, 48, 1, 168, root_mean_squared_error)


def traffic():
    """Return the next hour's traffic volume, from the last 48 hours."""
    return _traffic(with_calendar=False)


def traffic_calendar():
    """Return the same, with the calendar known ahead."""
    return _traffic(with_calendar=True)


def traffic_day():
    """Return the next day's traffic volume, from the last week and the calendar."""
    return _traffic(with_calendar=True)._replace(window=168, horizon=24)


def sunspots():
    """Return the next month's sunspot number, from the last 48."""
    series = np.array([float(row["Sunspots"]) for row in _rows("monthly-sunspots.csv")])
    cut = int(0.8 * len(series))
    return Task(series, None, cut, cut, 48, 1, 132, root_mean_squared_error)


def etth1():
    """Return the next day of ETTh1's oil temperature, standardised, from the last 96 hours."""
    series = np.array([float(row["OT"]) for row in _rows("ETTh1.csv.gz")])[:14400]
    series = (series - series[:8640].mean()) / series[:8640].std()
    return Task(series, None, 8640, 11520, 96, 24, 24, mean_squared_error)


TASKS = {
    "traffic": traffic,
    "traffic_calendar": traffic_calendar,
    "traffic_day": traffic_day,
    "sunspots": sunspots,
    "etth1": etth1,
}


def baseline_forecasts(task):
    """Forecast by persistence, the last season, and linear regressions on windows; add the truth.

    From every origin of the test: a dictionary of arrays of shape (n_origins, horizon).
    """
    season, window, horizon = task.season_length, task.window, task.horizon
    origins = np.arange(task.first_origin, len(task.series) - horizon + 1)
    spans = sliding_window_view(task.series, horizon)
    inputs = sliding_window_view(task.series, window)[:-horizon]
    if task.calendar is not None:  # known of the window, and of the rows to be forecast
        known = sliding_window_view(task.calendar, window + horizon, axis=0)
        inputs = np.hstack([inputs, known.reshape(len(known), -1)])
    n_windows = task.n_train - window - horizon + 1
    linear = LinearRegression().fit(inputs[:n_windows], spans[window:][:n_windows])
    return {
        "truth": spans[origins],
        "persistence": np.repeat(task.series[origins - 1, np.newaxis], horizon, axis=1),
        "seasonal naive": spans[origins - season],  # known, since no horizon exceeds its season
        "linear AR": linear.predict(inputs[origins - window]),
    }


def baselines(task):
    """Return the test error of each baseline."""
    forecasts = baseline_forecasts(task)
    truth = forecasts.pop("truth")
    return {name: task.metric(truth, forecast) for name, forecast in forecasts.items()}


def backtest(task, seed=0, **parameters):
    """Fit before the test, and forecast from every origin since."""
    forecaster = RecurrentForecaster(window=task.window, horizon=task.horizon, random_state=seed)
    return forecaster.set_params(**parameters).backtest(
        task.series,
        future_exog=task.calendar,
        initial=task.n_train,
        step=1,
        metric=task.metric,
        coverage=COVERAGE,
    )


def run(name, seed, parameters):
    """Fit and forecast; return the test error, the seconds and the intervals' coverage."""
    task = TASKS[name]()
    start = time.process_time()
    result = backtest(task, seed, **parameters)
    seconds = time.process_time() - start
    test = result.origins >= task.first_origin
    truths, forecasts, ends = (result[key][test] for key in ("truths", "forecasts", "intervals"))
    inside = (ends[..., 0] <= truths) & (truths <= ends[..., 1])
    return task.metric(truths, forecasts), seconds, inside.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=[*TASKS])
    parser.add_argument("--set", nargs="+", default=[], metavar="PARAMETER=VALUE")
    args = parser.parse_args()
    pairs = (pair.split("=") for pair in args.set)
    parameters = {key: ast.literal_eval(value) for key, value in pairs}

    names = ["persistence", "seasonal naive", "linear AR"]
    print_machine()
    print("| set | RecurrentForecaster | seconds | coverage | " + " | ".join(names) + " |")
    print("|---" * (4 + len(names)) + "|")
    for name in args.sets:
        results = Parallel(n_jobs=2)(delayed(run)(name, seed, parameters) for seed in SEEDS)
        errors, seconds, inside = np.transpose(results)
        low, median, high = (f"{error:.3g}" for error in np.quantile(errors, [0, 0.5, 1]))
        own = [f"{median} ({low} to {high})", f"{np.median(seconds):.0f}"]
        own.append(f"{np.median(inside):.3f}")
        others = baselines(TASKS[name]())
        cells = [name, *own, *(f"{others[other]:.3g}" for other in names)]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    run_unforced(main)
