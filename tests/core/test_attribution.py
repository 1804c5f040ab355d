"""What gradients explain: the number that is meant, and its derivative by the raw prediction."""

import numpy as np
import pytest
from scipy.special import logit, softmax

from sklearn_rnn._core.attribution import ExponentialOutput, LogOdds, RawOutput, SortedOutput
from tests.core.helpers import assert_close

K, M = 6, 5
NUMBERS = {
    "raw": RawOutput(),
    "exponential": ExponentialOutput(),
    "log_odds": LogOdds(),
    "sorted": SortedOutput(3),
}


def make_arguments(name):
    """Raw predictions, what is meant (one output of each answer), and weights, one of them zero."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(K, M))
    unit = 1.0 if name == "log_odds" else 3.0
    y = unit * np.eye(K)[rng.integers(K, size=M)].T
    return raw, y, np.array([1.0, 0.5, 0.0, 2.0, 1.0])


@pytest.mark.parametrize("name", NUMBERS)
def test_gradient_is_the_derivative_of_the_value(name):
    raw, y, weight = make_arguments(name)
    _, gradient = NUMBERS[name].value_gradient(raw, y, weight)
    step, numerical = 1e-6, np.empty_like(raw)
    for place in np.ndindex(raw.shape):
        up, down = raw.copy(), raw.copy()
        up[place] += step
        down[place] -= step
        above, _ = NUMBERS[name].value_gradient(up, y, weight)
        below, _ = NUMBERS[name].value_gradient(down, y, weight)
        numerical[place] = (above - below) / (2 * step)
    assert_close(gradient, numerical, 1e-8)


def test_values():
    raw, y, weight = make_arguments("log_odds")
    columns = np.arange(M)
    k = y.argmax(axis=0)
    expected = {
        "raw": raw[k, columns],
        "exponential": np.exp(raw[k, columns]),
        "log_odds": logit(softmax(raw, axis=0)[k, columns]),
        "sorted": np.sort(raw.reshape(2, 3, M), axis=1).reshape(K, M)[k, columns],
    }
    for name, number in NUMBERS.items():
        value, _ = number.value_gradient(raw, y, weight)
        assert_close(value, weight @ expected[name], 1e-14, err_msg=name)


def test_log_odds_of_huge_scores_are_finite():
    raw = np.array([[1000.0, -1000.0], [0.0, 0.0], [-1000.0, 1000.0]])
    y = np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    value, gradient = LogOdds().value_gradient(raw, y, np.ones(2))
    assert value == 1000 - 2000
    np.testing.assert_array_equal(gradient, [[1, 1], [-1, 0], [0, -1]])
