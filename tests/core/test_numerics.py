"""The elementary functions against SciPy, at the ends of the number line and in the complex."""

import numpy as np
import pytest
from scipy import special

from sklearn_rnn._core.numerics import log_softmax, sigmoid, softplus

PLAIN = {
    sigmoid: special.expit,
    softplus: lambda x: np.logaddexp(0, x),
    log_softmax: lambda x: special.log_softmax(x, axis=0),
}
DERIVATIVES = {sigmoid: lambda x: special.expit(x) * special.expit(-x), softplus: special.expit}

all_functions = pytest.mark.parametrize("function", PLAIN, ids=lambda f: f.__name__)
all_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["32", "64"])


@all_functions
@all_dtypes
def test_values(function, dtype):
    x = np.random.default_rng(0).normal(scale=8, size=(5, 40)).astype(dtype)
    y = function(x)
    assert y.dtype == dtype
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(y, PLAIN[function](x.astype(np.float64)), rtol=8 * eps, atol=4 * eps)


@all_functions
@all_dtypes
def test_nothing_overflows_at_the_ends(function, dtype):
    largest = np.finfo(dtype).max / 4
    x = np.array([[-largest, largest, 1e4, -1e4, 0], [0, largest, -1e4, -1e4, 0]], dtype)
    with np.errstate(all="raise", under="ignore"):
        y = function(x)
    np.testing.assert_allclose(y, PLAIN[function](x), rtol=1e-6)


@pytest.mark.parametrize("function", DERIVATIVES, ids=lambda f: f.__name__)
def test_complex_step_gives_the_derivative(function):
    x = np.linspace(-40, 40, 81)
    derivative = function(x + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(derivative, DERIVATIVES[function](x), rtol=1e-12, atol=1e-16)


def test_log_softmax_complex_step_gives_the_derivative():
    rng = np.random.default_rng(0)
    x, along = rng.normal(size=(2, 4, 6))
    derivative = log_softmax(x + 1e-30j * along).imag / 1e-30
    expected = along - (special.softmax(x, axis=0) * along).sum(axis=0)
    np.testing.assert_allclose(derivative, expected, rtol=1e-12)


def test_log_softmax_is_a_distribution_of_each_column():
    x = np.random.default_rng(0).normal(scale=100, size=(4, 50))
    np.testing.assert_allclose(np.exp(log_softmax(x)).sum(axis=0), 1, rtol=1e-12)
