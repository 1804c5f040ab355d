"""What a task is: an estimator, data, and how good it has to be."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import resample

from sklearn_rnn import GRURegressor, RecurrentForecaster
from tests.benchmarks import forecasting
from tests.benchmarks.real_data import Split

# New sequences are drawn for so many updates at a time; then the model is tested.
UPDATES_A_DRAW = 50
# Seed of the test sequences, which no draw for training has.
TEST_SEED = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """One row of the table.

    Parameters
    ----------
    title : str
        What is to be learned.
    estimator : estimator
        Unfitted; its parameters are the settings, for PyTorch too.
    metric : str
    bar : float or None
        What the median figure has to reach.
    at_most : bool
        Whether smaller is better.
    published : str
        Figures that were read in a paper, and which.
    beside : bool
        Whether a PyTorch model runs beside it.
    """

    title: str
    estimator: Any
    metric: str
    bar: float | None = None
    at_most: bool = False
    published: str = ""
    beside: bool = True

    @abstractmethod
    def train(self, model: Any) -> float:
        """Train a new model, ours or theirs; return its test figure."""

    @abstractmethod
    def smallest(self) -> Task:
        """Return the same with a tiny budget, to see that it works."""

    @property
    def settings(self) -> str:
        """What is not a default, or decides the outcome, in few words."""
        return describe(self.estimator)

    def run(self, seed: int, make_model: Callable[[Any, int], Any] | None = None):
        """Return the test figure and the seconds, of our estimator or of another model."""
        if make_model is None:
            model = clone(self.estimator).set_params(random_state=seed)
        else:
            model = make_model(self.estimator, seed)
        start = time.perf_counter()
        figure = float(self.train(model))
        return figure, time.perf_counter() - start

    def passes(self, figure: float) -> bool:
        """Whether the figure is as good as the bar, if there is one."""
        if self.bar is None:
            return True
        return figure <= self.bar if self.at_most else figure >= self.bar


def describe(estimator):
    """Return the settings of a recurrent estimator in few words."""
    params = estimator.get_params()
    words = [
        f"hidden {params['hidden_size']}" + ", both directions" * params["bidirectional"],
        f"batch {params['batch_size']}",
        f"rate {params['learning_rate_init']}",
        f"clip {params['max_grad_norm']:g}",
    ]
    if params["max_iter"] > 1:
        words.insert(1, f"{params['max_iter']} epochs")
    if params.get("init") not in (None, "orthogonal"):
        words.append(f"init {params['init']}")
    return ", ".join(words)


@dataclass(frozen=True, kw_only=True)
class Fit(Task):
    """So many epochs over a data set, and its test set.

    `measure` gives the test figure of a fitted model.
    """

    load: Callable[[], Split]
    measure: Callable[[Any, Split], float]
    n_samples: int | None = None  # to train on; None: all

    def train(self, model):
        """Fit; where the data set has validation data, the best epoch of them counts."""
        split = self.load()
        X, y = split.X_train, split.y_train
        if self.n_samples is not None:
            X, y = resample(X, y, replace=False, n_samples=self.n_samples, random_state=0)
        held_out = {} if split.X_val is None else {"X_val": split.X_val, "y_val": split.y_val}
        model.fit(X, y, **held_out)
        return self.measure(model, split)

    def smallest(self):
        """One epoch on 40 samples."""
        return replace(self, estimator=clone(self.estimator).set_params(max_iter=1), n_samples=40)


@dataclass(frozen=True, kw_only=True)
class Stream(Task):
    """New sequences for every update, until they are solved, or the budget is spent.

    `draw` makes sequences and targets; `measure` gives the figure of predictions of the truth;
    `solved` says which ends the training. The task's figure is then the number of updates, and
    without `solved` the one after all updates.
    """

    draw: Callable[..., tuple[Any, Any]]
    measure: Callable[[Any, Any], float]
    budget: int
    solved: Callable[[float], bool] | None = None
    n_test: int = 1000

    def train(self, model):
        """Update and test in turn."""
        X_test, y_test = self.draw(self.n_test, random_state=TEST_SEED)
        batch_size = self.estimator.batch_size
        for updates in range(UPDATES_A_DRAW, self.budget + 1, UPDATES_A_DRAW):
            X, y = self.draw(UPDATES_A_DRAW * batch_size, random_state=updates)
            model.fit(X, y)  # goes on: the settings say warm_start
            if self.solved and self.solved(self.measure(model.predict(X_test), y_test)):
                return updates
        return math.inf if self.solved else self.measure(model.predict(X_test), y_test)

    def smallest(self):
        """Two batches of two."""
        estimator = clone(self.estimator).set_params(batch_size=2)
        return replace(self, estimator=estimator, budget=UPDATES_A_DRAW, n_test=10)

    @property
    def settings(self):
        """Add the budget."""
        return f"{super().settings}, {self.budget} updates" + " at most" * bool(self.solved)


@dataclass(frozen=True, kw_only=True)
class Forecast(Task):
    """A series of tests/benchmarks/forecasting.py, which has more figures of it."""

    series: str
    beside: bool = False

    def train(self, model):
        """Fit before the test, and forecast from every origin since."""
        parameters = {"estimator": model.estimator}
        return forecasting.run(self.series, model.random_state, parameters)[0]

    def smallest(self):
        """One epoch."""
        return replace(self, estimator=RecurrentForecaster(GRURegressor(max_iter=1)))

    @property
    def settings(self):
        """Window and horizon; all else is the default."""
        task = forecasting.TASKS[self.series]()
        return f"window {task.window}, horizon {task.horizon}, defaults"


# ---- figures ----


def accuracy(model, split):
    return np.mean(model.predict(split.X_test) == split.y_test)


def step_accuracy(model, split):
    return np.mean(
        np.concatenate(list(model.predict(split.X_test))) == np.concatenate(split.y_test)
    )


def note_nll(model, split):
    """Negative log-likelihood of the 88 keys of a step, averaged over all steps of all pieces."""
    p = np.concatenate(list(model.predict_proba(split.X_test))).astype(float)
    p = np.clip(p, 1e-7, 1 - 1e-7)  # as near to 0 and 1 as float32 comes
    sounding = np.concatenate(split.y_test)
    return -np.log(np.where(sounding, p, 1 - p)).sum(axis=1).mean()


def mean_squared_error(model, split):
    return np.mean((model.predict(split.X_test) - split.y_test) ** 2)


def rmse(model, split):
    return np.sqrt(mean_squared_error(model, split))


def rmse_of_last_step(model, split):
    last = np.array([np.ravel(lives)[-1] for lives in model.predict(split.X_test)])
    return np.sqrt(np.mean((last - split.y_test) ** 2))
