"""The rows of the table: problems made to measure memory, and real data sets.

The settings were not chosen by test figures. Those of the real sets are those which PyTorch's
figures were first measured with, the same for all cells; where the number of epochs was chosen,
by cross-validation over the training part or by given validation data, the task says so.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.model_selection import train_test_split

import sklearn_rnn
from sklearn_rnn import RecurrentForecaster
from sklearn_rnn.datasets import (
    load_sequential_digits,
    make_adding_problem,
    make_copy_memory,
    make_temporal_order,
)
from tests.benchmarks import real_data
from tests.benchmarks.learning.task import (
    Fit,
    Forecast,
    Stream,
    accuracy,
    mean_squared_error,
    note_nll,
    rmse,
    rmse_of_last_step,
    step_accuracy,
)
from tests.benchmarks.real_data import Split

CELLS = ("LSTM", "GRU", "RNN")
FAWAZ = "(Ismail Fawaz 2019)"
BAI = "(Bai 2018)"


def classifier(cell, hidden_size, **settings):
    return _estimator(f"{cell}Classifier", hidden_size, **settings)


def regressor(cell, hidden_size, **settings):
    return _estimator(f"{cell}Regressor", hidden_size, **settings)


def _estimator(name, hidden_size, **settings):
    """Return an estimator that trains for all of its epochs, as a plain loop does."""
    plain = {
        "batch_size": 32,
        "max_grad_norm": 1.0,
        "early_stopping": False,
        "n_iter_no_change": 10_000,
    }
    return getattr(sklearn_rnn, name)(hidden_size, **{**plain, **settings})


def each(name, make, cells=CELLS):
    """Return the tasks of several cells, by name."""
    return {f"{name}_{cell.lower()}": make(cell) for cell in cells}


# ---- problems made to measure memory ----

STREAM = dict(batch_size=64, max_iter=1, learning_rate_init=0.005, warm_start=True)


def adding(cell, n_timesteps, budget, init="orthogonal"):
    """New sequences in every update; who remembers nothing has an error of .167."""
    published = {
        "LSTM": f"T = 600: .164 {BAI}; chrono solves 750 (Tallec and Ollivier 2018)",
        "GRU": f"T = 600: 5e-5 {BAI}",
        "RNN": f"T = 600: .177 {BAI}",
    }[cell]
    common = dict(
        title=f"Adding problem, {n_timesteps} steps" + ", chrono" * (init == "chrono"),
        estimator=regressor(cell, 64, init=init, **STREAM),
        draw=partial(make_adding_problem, n_timesteps=n_timesteps),
        measure=lambda predicted, y: np.mean((predicted - y) ** 2),
        budget=budget,
        published=published,
    )
    if cell == "RNN":  # the vanishing gradient, seen
        return Stream(**common, metric="squared error", bar=0.15)
    return Stream(
        **common,
        metric="updates until the squared error is below .01",
        # Not promised where the biases were not made for so many steps.
        bar=None if n_timesteps >= 400 and init != "chrono" else budget,
        at_most=True,
        solved=lambda error: error < 0.01,
    )


def copy_memory(cell, n_timesteps=10, n_symbols=5, budget=1000):
    """The share of symbols that are recalled; guessing has 1/8."""
    return Stream(
        title=f"Copy memory, {n_symbols} symbols, a pause of {n_timesteps} steps",
        estimator=classifier(cell, 64, return_sequences=True, **STREAM),
        draw=partial(make_copy_memory, n_timesteps=n_timesteps, n_symbols=n_symbols),
        measure=lambda predicted, y: np.mean(
            np.stack(list(predicted))[:, -n_symbols:] == y[:, -n_symbols:]
        ),
        metric="share of symbols recalled (guessing: .125)",
        budget=budget,
    )


def temporal_order(cell, n_timesteps=50, budget=1500):
    """Four classes by the order of two symbols; chance is .25."""
    return Stream(
        title=f"Temporal order, {n_timesteps} steps",
        estimator=classifier(cell, 64, **STREAM),
        draw=partial(make_temporal_order, n_timesteps=n_timesteps),
        measure=lambda predicted, y: np.mean(predicted == y),
        metric="updates until the accuracy is above .99",
        at_most=True,
        budget=budget,
        bar=None if cell == "RNN" else budget,
        solved=lambda accuracy: accuracy > 0.99,
    )


def _digits():
    data = load_sequential_digits()
    X_train, X_test, y_train, y_test = train_test_split(
        data.X, data.y, test_size=0.25, stratify=data.y, random_state=0
    )
    return Split(X_train, y_train, X_test, y_test)


def sequential_digits(cell):
    return Fit(
        title="Sequential digits, 64 pixels",
        estimator=classifier(cell, 64, max_iter=30, learning_rate_init=0.005),
        load=_digits,
        measure=accuracy,
        metric="accuracy",
    )


# ---- one label a sequence ----


def labels(cell, name, title, max_iter, published="", bar=None):
    """The settings of PyTorch's first figures: 64 units, batches of 32."""
    return Fit(
        title=title,
        estimator=classifier(cell, 64, max_iter=max_iter, learning_rate_init=0.005),
        load=real_data.CLASSIFICATION[name],
        measure=accuracy,
        metric="accuracy",
        bar=bar,
        published=published,
    )


def vowels_by_default(cell):
    """The default parameters, and early stopping as they have it."""
    return Fit(
        title="Japanese Vowels, default parameters",
        estimator=getattr(sklearn_rnn, f"{cell}Classifier")(),
        load=real_data.japanese_vowels,
        measure=accuracy,
        metric="accuracy",
        bar=0.95,
        beside=False,
    )


def names(cell):
    return Fit(
        title="Names by 18 languages, one-hot",
        estimator=classifier(cell, 64, max_iter=6, batch_size=64, learning_rate_init=0.005),
        load=real_data.names,
        measure=accuracy,
        metric="accuracy",
        bar=0.77 if cell == "GRU" else None,
    )


# ---- a target a step ----


def ocr_letters(bidirectional, bar):
    return Fit(
        title="Letters of handwritten words (fold 0)",
        estimator=classifier(
            "LSTM",
            64,
            bidirectional=bidirectional,
            return_sequences=True,
            max_iter=12,
            batch_size=64,
            learning_rate_init=0.005,
        ),
        load=real_data.ocr_letters,
        measure=step_accuracy,
        metric="letter accuracy",
        bar=bar,
    )


def jsb_chorales(cell):
    """The epoch is that of the best likelihood of the validation pieces."""
    published = {"LSTM": "8.45", "GRU": "8.43", "RNN": "8.91"}[cell]
    return Fit(
        title="JSB chorales: the next chord, 88 keys",
        estimator=classifier(
            cell,
            100,
            return_sequences=True,
            max_iter=30,
            batch_size=16,
            learning_rate_init=0.001 if cell == "RNN" else 0.003,
            early_stopping="auto",
            validation_scoring="loss",
        ),
        load=real_data.jsb_chorales,
        measure=note_nll,
        metric="NLL a step",
        bar=None if cell == "RNN" else 8.75,
        at_most=True,
        published=f"{published} {BAI}",
    )


# ---- numbers ----

LIVES = "LSTM 14.93; deep LSTM 16.14 (Galchar 2026)"


def cmapss_windows(cell):
    """As most papers have it; the set's bar is that of `cmapss_engines`, which is more accurate."""
    return Fit(
        title="C-MAPSS FD001: cycles an engine has left, windows of 30",
        estimator=regressor(cell, 32, max_iter=15, batch_size=256, learning_rate_init=0.003),
        load=real_data.cmapss,
        measure=rmse,
        metric="RMSE",
        at_most=True,
        published=LIVES if cell == "LSTM" else "",
    )


def cmapss_engines(cell):
    """Epochs by the best cross-validation over the training engines."""
    return Fit(
        title="The same, whole engines, a target a step",
        estimator=regressor(
            cell,
            32,
            return_sequences=True,
            max_iter={"LSTM": 40, "GRU": 50}[cell],
            batch_size=10,
            learning_rate_init=0.005,
        ),
        load=real_data.cmapss_engines,
        measure=rmse_of_last_step,
        metric="RMSE",
        bar=18.0,
        at_most=True,
        published=LIVES if cell == "LSTM" else "",
    )


def windows(cell, name, title, max_iter, bar=None):
    return Fit(
        title=title,
        estimator=regressor(cell, 32, max_iter=max_iter, batch_size=64, learning_rate_init=0.003),
        load=real_data.REGRESSION[name],
        measure=rmse,
        metric="RMSE",
        bar=None if cell == "RNN" else bar,
        at_most=True,
    )


def etth1(cell, difference):
    """With `difference`, what is predicted is the change from the last value."""
    return Fit(
        title="ETTh1 oil temperature, next 24 hours" + ", as differences" * difference,
        estimator=regressor(cell, 32, max_iter=5, batch_size=64, learning_rate_init=0.003),
        load=real_data.etth1_differences if difference else real_data.etth1,
        measure=mean_squared_error,
        metric="standardised MSE (last value again: .034)",
        at_most=True,
    )


def forecast(series, title, metric, bar):
    return Forecast(
        title=title,
        estimator=RecurrentForecaster(),
        series=series,
        metric=metric,
        bar=bar,
        at_most=True,
    )


SHORT_SETS = {
    "japanese_vowels": dict(
        title="Japanese Vowels: nine speakers",
        max_iter=60,
        published=f"MLP .976, FCN .993, TWIESN .965 {FAWAZ}",
        bar=0.95,
    ),
    "basic_motions": dict(title="Basic Motions", max_iter=60),
    "libras": dict(
        title="Libras: 15 movements", max_iter=200, published=f"TWIESN .794, FCN .964 {FAWAZ}"
    ),
    "italy_power_demand": dict(
        title="Italy Power Demand", max_iter=150, published=f"TWIESN .880, FCN .961 {FAWAZ}"
    ),
    "gunpoint": dict(
        title="GunPoint, 150 steps", max_iter=150, published=f"TWIESN .961, FCN 1.000 {FAWAZ}"
    ),
}
ADDING = {  # steps and initial weights, and the updates of LSTM, GRU and RNN
    (100, "orthogonal"): {"LSTM": 4000, "GRU": 1500, "RNN": 1000},
    (200, "orthogonal"): {"LSTM": 4000, "GRU": 1500, "RNN": 500},
    (400, "orthogonal"): {"LSTM": 2000, "GRU": 1500, "RNN": 500},
    (400, "chrono"): {"LSTM": 2000, "GRU": 1500},
}


def make_tasks():
    """Return all tasks, by name."""
    tasks = {}
    for (n_timesteps, init), budgets in ADDING.items():
        for cell, budget in budgets.items():
            name = f"adding_{n_timesteps}" + "_chrono" * (init == "chrono")
            tasks[f"{name}_{cell.lower()}"] = adding(cell, n_timesteps, budget, init)
    tasks |= each("copy_memory", copy_memory)
    tasks |= each("temporal_order", temporal_order)
    tasks |= each("sequential_digits", sequential_digits)
    tasks |= each("japanese_vowels_defaults", vowels_by_default)
    for name, row in SHORT_SETS.items():
        tasks |= each(name, partial(labels, name=name, **row))
    tasks |= each("names", names)
    tasks["ocr_letters_both_lstm"] = ocr_letters(True, 0.94)
    tasks["ocr_letters_one_lstm"] = ocr_letters(False, 0.90)
    tasks |= each("jsb_chorales", jsb_chorales)
    tasks |= each("cmapss_windows", cmapss_windows)
    tasks |= each("cmapss_engines", cmapss_engines, ("LSTM", "GRU"))
    traffic = partial(windows, name="traffic_volume", title="Traffic volume, next hour")
    tasks |= each("traffic", partial(traffic, max_iter=5, bar=320.0))
    sunspots = partial(windows, name="sunspots", title="Sunspots, next month")
    tasks |= each("sunspots", partial(sunspots, max_iter=10))
    tasks |= each("etth1", partial(etth1, difference=False))
    tasks |= each("etth1_differences", partial(etth1, difference=True))
    tasks["forecast_traffic"] = forecast("traffic", "Traffic volume, next hour", "RMSE", 320.0)
    tasks["forecast_sunspots"] = forecast("sunspots", "Sunspots, next month", "RMSE", 19.2)
    tasks["forecast_etth1"] = forecast(
        "etth1", "ETTh1 oil temperature, next 24 hours", "standardised MSE", 0.034
    )
    return tasks


TASKS = make_tasks()
