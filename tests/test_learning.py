"""The default parameters learn: nobody should have to tune before the first good result."""

import statistics

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import LSTMClassifier
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.benchmarks.learning.tasks import TASKS
from tests.benchmarks.real_data import DATA
from tests.helpers import CLASSIFIERS, REGRESSORS


def accuracy(estimator, data):
    model = make_pipeline(TimestepTransformer(StandardScaler()), estimator)
    return model.fit(data.X_train, data.y_train).score(data.X_test, data.y_test)


@pytest.mark.parametrize("Classifier", CLASSIFIERS)
def test_japanese_vowels(Classifier, japanese_vowels):
    """Nine speakers, 270 recordings to learn from: the median of three seeds."""
    scores = [accuracy(Classifier(random_state=seed), japanese_vowels) for seed in range(3)]
    assert statistics.median(scores) >= 0.95


def test_more_units_know_more(japanese_vowels):
    """Four units cannot tell nine speakers apart as well as thirty-two."""
    small, large = (
        accuracy(LSTMClassifier(hidden_size, max_iter=30, random_state=0), japanese_vowels)
        for hidden_size in (2, 32)
    )
    assert small < large - 0.05


def next_values(n, T, rng):
    """Make noisy oscillations, each of its own frequency and phase, and what comes next."""
    t = np.arange(T + 1)
    frequency, phase = rng.uniform(0.1, 0.5, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
    waves = 50 + 10 * np.sin(frequency * t + phase) + rng.normal(0, 0.5, (n, T + 1))
    return waves[:, :T], waves[:, T]


@pytest.mark.parametrize("Regressor", REGRESSORS)
def test_forecasting_oscillations(Regressor):
    """The noise has half a percent of the signal's variance."""
    rng = np.random.default_rng(0)
    (X, y), (X_test, y_test) = next_values(200, 12, rng), next_values(200, 12, rng)
    X, X_test = (X - 50) / 7, (X_test - 50) / 7
    assert Regressor(random_state=0).fit(X, y).score(X_test, y_test) >= 0.95


@pytest.mark.parametrize("Classifier", CLASSIFIERS)
def test_order_matters(Classifier):
    """Which of two marks came first: the same steps in both classes, in another order."""
    rng = np.random.default_rng(0)
    X = rng.normal(0, 0.1, size=(300, 12, 2))
    first, second = rng.integers(0, 6, 300), rng.integers(6, 12, 300)
    y = np.arange(300) % 2
    X[np.arange(300), np.where(y, first, second), 0] += 1
    X[np.arange(300), np.where(y, second, first), 1] += 1
    fitted = Classifier(random_state=0).fit(X[:200], y[:200])
    assert fitted.score(X[200:], y[200:]) >= 0.95


# Longer memories than this take minutes: `python -m tests.benchmarks.learning` has them.
LONG = ("adding_200", "adding_400", "temporal_order")
BARRED = [name for name in TASKS if TASKS[name].bar is not None and not name.startswith(LONG)]


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data, no part of the package")
@pytest.mark.parametrize("name", BARRED)
def test_bars(name):
    """The median of three seeds, as `python -m tests.benchmarks.learning` judges: two that pass."""
    task, figures = TASKS[name], []
    while sum(map(task.passes, figures)) < 2:
        assert len(figures) < 3, f"{task.metric} is {figures}, the bar {task.bar}"
        figures.append(task.run(seed=len(figures))[0])
