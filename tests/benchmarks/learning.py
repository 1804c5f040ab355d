"""Whether the estimators learn what they should: figures on real data beside their bars.

python -m tests.benchmarks.learning [TASK ...]

Prints a Markdown table: the median over seeds 0, 1 and 2, and their range, of the test figure,
and the median seconds of a fit. A task is a function that returns a `Task`, listed in `TASKS`;
for the forecasts in `FORECASTS`, tests/benchmarks/forecasting.py has more figures.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import ge
from typing import Any

import numpy as np
from sklearn.base import clone

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
)
from sklearn_rnn.datasets import make_adding_problem
from tests.benchmarks import forecasting, tokens
from tests.benchmarks.real_data import (
    Split,
    cmapss_engines,
    japanese_vowels,
    jsb_chorales,
    ocr_letters,
)

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Task:
    """One row: an estimator, data, and how good it has to be.

    `measure` gives the test figure of a fitted estimator; with `at_most`, smaller is better.
    """

    estimator: Any
    split: Split
    metric: str
    bar: float
    measure: Callable[[Any, Split], float]
    at_most: bool = False

    def run(self, seed: int) -> tuple[float, float]:
        """Return the test figure and the seconds of one fit."""
        estimator = clone(self.estimator).set_params(random_state=seed)
        start = time.perf_counter()
        estimator.fit(self.split.X_train, self.split.y_train)
        seconds = time.perf_counter() - start
        return self.measure(estimator, self.split), seconds

    def passes(self, figure: float) -> bool:
        """Whether the figure is as good as the bar."""
        return figure <= self.bar if self.at_most else figure >= self.bar


def accuracy(model, split):
    return model.score(split.X_test, split.y_test)


def note_nll(model, split):
    """Negative log-likelihood of the 88 keys of a step, averaged over all steps of all pieces."""
    p = np.concatenate(list(model.predict_proba(split.X_test))).astype(float)
    p = np.clip(p, 1e-7, 1 - 1e-7)  # as near to 0 and 1 as float32 comes
    sounding = np.concatenate(split.y_test)
    return -np.log(np.where(sounding, p, 1 - p)).sum(axis=1).mean()


def rmse_of_last_step(model, split):
    last = np.array([lives[-1] for lives in model.predict(split.X_test)])
    return float(np.sqrt(np.mean((last - split.y_test) ** 2)))


def mean_squared_error(model, split):
    return float(np.mean((model.predict(split.X_test) - split.y_test) ** 2))


# ---- the tasks ----


def _vowels(Estimator):
    """With the default parameters."""
    return Task(Estimator(), japanese_vowels(), "accuracy", 0.95, accuracy)


def vowels_lstm():
    return _vowels(LSTMClassifier)


def vowels_gru():
    return _vowels(GRUClassifier)


def vowels_rnn():
    return _vowels(RNNClassifier)


def names():
    """From strings."""
    estimator = GRUClassifier(embedding_size=16, **tokens.NAMES)
    return Task(estimator, tokens.names(), "accuracy", 0.77, accuracy)


def _adding(Estimator, n_updates):
    """New sequences of 100 steps in every update; who remembers nothing has an error of .167."""
    estimator = Estimator(
        64, batch_size=64, max_iter=1, learning_rate_init=0.005, early_stopping=False
    )
    train = make_adding_problem(64 * n_updates, 100, random_state=0)
    test = make_adding_problem(1000, 100, random_state=1)
    split = Split(*train, *test)
    return Task(estimator, split, "squared error", 0.01, mean_squared_error, at_most=True)


def adding_gru():
    return _adding(GRURegressor, 1500)


def adding_lstm():
    return _adding(LSTMRegressor, 4000)


def _ocr(bidirectional, bar):
    estimator = LSTMClassifier(
        64,
        bidirectional=bidirectional,
        return_sequences=True,
        max_iter=12,
        batch_size=64,
        learning_rate_init=0.005,
        early_stopping=False,
    )
    return Task(estimator, ocr_letters(), "letter accuracy", bar, accuracy)


def ocr_both_ways():
    return _ocr(True, 0.94)


def ocr_one_way():
    return _ocr(False, 0.90)


def jsb():
    """The number of epochs is that of the best likelihood of the validation pieces."""
    estimator = GRUClassifier(
        100, return_sequences=True, max_iter=20, batch_size=16, learning_rate_init=0.003
    )
    return Task(estimator, jsb_chorales(), "NLL a step", 8.75, note_nll, at_most=True)


def _cmapss(Estimator, max_iter):
    """The number of epochs is that of the best cross-validation over the training engines."""
    estimator = Estimator(
        32, return_sequences=True, max_iter=max_iter, batch_size=10, learning_rate_init=0.005
    )
    return Task(estimator, cmapss_engines(), "RMSE", 18.0, rmse_of_last_step, at_most=True)


def cmapss_lstm():
    return _cmapss(LSTMRegressor, 40)


def cmapss_gru():
    return _cmapss(GRURegressor, 50)


TASKS = {
    "vowels_lstm": vowels_lstm,
    "vowels_gru": vowels_gru,
    "vowels_rnn": vowels_rnn,
    "names": names,
    "ocr_both_ways": ocr_both_ways,
    "ocr_one_way": ocr_one_way,
    "jsb_chorales": jsb,
    "cmapss_lstm": cmapss_lstm,
    "cmapss_gru": cmapss_gru,
    "adding_gru": adding_gru,
    "adding_lstm": adding_lstm,
}
# Series of tests/benchmarks/forecasting.py: the metric, and how small it has to be.
FORECASTS = {
    "traffic": ("RMSE", 320),
    "sunspots": ("RMSE", 19.2),
    "etth1": ("standardised MSE", 0.034),
}


def _line(name, estimator, metric, bar, results, passes):
    figures, seconds = np.transpose(results)
    low, median, high = np.quantile(figures, [0, 0.5, 1])
    verdict = "" if passes(median) else " **missed**"
    figure = f"{median:.4g} ({low:.4g} to {high:.4g}){verdict}"
    return f"| {name} | `{estimator}` | {metric} | {bar} | {figure} | {np.median(seconds):.1f} |"


def row(name):
    """Return the line of a task."""
    if name in FORECASTS:
        metric, bar = FORECASTS[name]
        task = forecasting.TASKS[name]()
        estimator = f"RecurrentForecaster(window={task.window}, horizon={task.horizon})"
        results = [forecasting.run(name, seed, {})[:2] for seed in SEEDS]
        return _line(name, estimator, metric, f"at most {bar}", results, partial(ge, bar))
    task = TASKS[name]()
    settings = " ".join(repr(task.estimator).split())
    bar = f"{'at most' if task.at_most else 'at least'} {task.bar:g}"
    results = [task.run(seed) for seed in SEEDS]
    return _line(name, settings, task.metric, bar, results, task.passes)


def main():
    print("| task | estimator | metric | bar | median (range) | seconds |\n" + "|---" * 6 + "|")
    for name in sys.argv[1:] or [*TASKS, *FORECASTS]:
        print(row(name), flush=True)


if __name__ == "__main__":
    main()
