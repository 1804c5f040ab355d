"""Values against scikit-learn's and SciPy's formulas, gradients against the complex step."""

import numpy as np
import pytest
from scipy import special
from sklearn.metrics import (
    log_loss,
    mean_absolute_error,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)

from sklearn_rnn._core.losses import (
    AbsoluteError,
    BinaryLogLoss,
    Huber,
    MulticlassLogLoss,
    PinballLoss,
    PoissonLoss,
    SquaredError,
)
from tests.core.helpers import LOSSES, assert_close, n_answers, random_targets
from tests.core.reference import HUBER_DELTA, QUANTILES

K, B = 3, 11


def draw(name, seed=0, scale=2.0):
    rng = np.random.default_rng(seed)
    raw = rng.normal(scale=scale, size=(n_answers(name, K), B))
    return raw, random_targets(rng, name, K, B), rng.uniform(0.1, 3, size=B)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_by_complex_step(name):
    raw, y, weight = draw(name)
    _, gradient = LOSSES[name].value_gradient(raw, y, weight)
    for place in np.ndindex(raw.shape):
        moved = raw.astype(np.complex128)
        moved[place] += 1e-30j
        value, _ = LOSSES[name].value_gradient(moved, y, weight)
        assert_close(gradient[place], value.imag / 1e-30, scale=np.abs(gradient).max())


def test_squared_error_is_half_of_it():
    raw, y, weight = draw("squared_error")
    value, _ = SquaredError().value_gradient(raw, y, weight)
    mean = mean_squared_error(y.T, raw.T, sample_weight=weight)
    np.testing.assert_allclose(value, mean * K * weight.sum() / 2, rtol=1e-13)


def test_absolute_error():
    raw, y, weight = draw("absolute_error")
    value, _ = AbsoluteError().value_gradient(raw, y, weight)
    mean = mean_absolute_error(y.T, raw.T, sample_weight=weight)
    np.testing.assert_allclose(value, mean * K * weight.sum(), rtol=1e-13)


def test_huber():
    raw, y, weight = draw("huber")
    far = np.abs(raw - y) > HUBER_DELTA
    assert 5 < far.sum() < far.size - 5
    value, gradient = Huber(HUBER_DELTA).value_gradient(raw, y, weight)
    expected = (weight * special.huber(HUBER_DELTA, raw - y)).sum()
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    assert (np.abs(gradient) <= weight * HUBER_DELTA).all()


def test_huber_lies_between_the_squared_and_the_absolute_error():
    raw, y, weight = draw("huber")
    near, _ = Huber(1e9).value_gradient(raw, y, weight)
    np.testing.assert_allclose(near, SquaredError().value_gradient(raw, y, weight)[0], rtol=1e-13)
    far, _ = Huber(1e-9).value_gradient(raw, y, weight)
    np.testing.assert_allclose(far / 1e-9, AbsoluteError().value_gradient(raw, y, weight)[0])


def test_poisson_is_half_the_deviance_from_the_best():
    raw, y, weight = draw("poisson", scale=1.0)
    value, _ = PoissonLoss().value_gradient(raw, y, weight)
    assert (y == 0).any()
    deviances = [
        mean_poisson_deviance(y[k], np.exp(raw[k]), sample_weight=weight) for k in range(K)
    ]
    best = (weight * (y - special.xlogy(y, y))).sum()
    np.testing.assert_allclose(value, sum(deviances) * weight.sum() / 2 + best, rtol=1e-13)


def test_pinball_of_each_output_and_quantile():
    raw, y, weight = draw("pinball")
    value, _ = PinballLoss(QUANTILES).value_gradient(raw, y, weight)
    answers = raw.reshape(K, len(QUANTILES), B)
    means = [
        mean_pinball_loss(y[k], answers[k, j], alpha=q, sample_weight=weight)
        for k in range(K)
        for j, q in enumerate(QUANTILES)
    ]
    np.testing.assert_allclose(value, sum(means) * weight.sum(), rtol=1e-13)


def test_pinball_of_one_half_is_half_the_absolute_error():
    raw, y, weight = draw("absolute_error")
    value, gradient = PinballLoss((0.5,)).value_gradient(raw, y, weight)
    twice, its_gradient = AbsoluteError().value_gradient(raw, y, weight)
    np.testing.assert_allclose(2 * value, twice, rtol=1e-13)
    np.testing.assert_allclose(2 * gradient, its_gradient, rtol=1e-13)


@pytest.mark.parametrize(
    ("loss", "lowest", "highest"),
    [
        (AbsoluteError(), -1, 1),
        (Huber(1.5), 0, 0),
        (PinballLoss((0.2,)), -0.2, 0.8),
    ],
)
def test_a_prediction_without_error_has_a_subgradient(loss, lowest, highest):
    """At the kink the slope is one of those between the two sides."""
    value, gradient = loss.value_gradient(np.ones((1, 1)), np.ones((1, 1)), np.ones(1))
    assert value == 0
    assert lowest <= gradient.item() <= highest


def test_binary_log_loss_of_each_output():
    raw, y, weight = draw("binary_log_loss")
    value, _ = BinaryLogLoss().value_gradient(raw, y, weight)
    sums = [
        log_loss(y[k], special.expit(raw[k]), sample_weight=weight, normalize=False)
        for k in range(K)
    ]
    np.testing.assert_allclose(value, sum(sums), rtol=1e-13)


def test_multiclass_log_loss():
    raw, y, weight = draw("multiclass_log_loss")
    value, _ = MulticlassLogLoss().value_gradient(raw, y, weight)
    p = special.softmax(raw, axis=0).T
    expected = log_loss(y.argmax(axis=0), p, sample_weight=weight, normalize=False, labels=range(K))
    np.testing.assert_allclose(value, expected, rtol=1e-13)


def test_two_classes_by_softmax_are_one_output_by_the_logistic():
    raw, y, weight = draw("binary_log_loss")
    value, gradient = BinaryLogLoss().value_gradient(raw[:1], y[:1], weight)
    both = np.concatenate([0 * raw[:1], raw[:1]])
    one_hot = np.concatenate([1 - y[:1], y[:1]])
    expected, gradients = MulticlassLogLoss().value_gradient(both, one_hot, weight)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    np.testing.assert_allclose(gradient[0], gradients[1], rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "raw", "y", "value", "gradient"),
    [
        (BinaryLogLoss(), [[1e4]], [[1]], 0, [[0]]),
        (BinaryLogLoss(), [[1e4]], [[0]], 1e4, [[1]]),
        (BinaryLogLoss(), [[-1e4]], [[1]], 1e4, [[-1]]),
        (BinaryLogLoss(), [[1e30]], [[1]], 0, [[0]]),
        (BinaryLogLoss(), [[-1e30]], [[0]], 0, [[0]]),
        (MulticlassLogLoss(), [[1e4], [0]], [[1], [0]], 0, [[0], [0]]),
        (MulticlassLogLoss(), [[1e4], [0]], [[0], [1]], 1e4, [[1], [-1]]),
        (MulticlassLogLoss(), [[-1e30], [-1e30]], [[0], [1]], np.log(2), [[0.5], [-0.5]]),
        (MulticlassLogLoss(), [[1e30], [-1e30]], [[1], [0]], 0, [[0], [0]]),
        (SquaredError(), [[1e15]], [[-1e15]], 2e30, [[2e15]]),
        (AbsoluteError(), [[1e30]], [[-1e30]], 2e30, [[1]]),
        (Huber(1.5), [[-1e30]], [[1e30]], 3e30, [[-1.5]]),
        (PinballLoss((0.1, 0.9)), [[1e30], [-1e30]], [[0]], 1.8e30, [[0.9], [-0.9]]),
        (PoissonLoss(), [[-1e4]], [[0]], 0, [[0]]),
        (PoissonLoss(), [[-1e4]], [[2]], 2e4, [[-2]]),
        (PoissonLoss(), [[80]], [[1e30]], np.exp(80.0) - 8e31, [[np.exp(80.0) - 1e30]]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["32", "64"])
def test_extreme_predictions(loss, raw, y, value, gradient, dtype):
    raw, y, weight = np.array(raw, dtype), np.array(y, dtype), np.ones(1, dtype)
    with np.errstate(all="raise", under="ignore"):
        made_value, made_gradient = loss.value_gradient(raw, y, weight)
    np.testing.assert_allclose(made_value, value, rtol=1e-6)
    np.testing.assert_allclose(made_gradient, gradient, rtol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_weights_count_samples(name):
    raw, y, _ = draw(name)
    weight = np.arange(B) % 3
    value, gradient = LOSSES[name].value_gradient(raw, y, weight.astype(np.float64))
    copies = np.repeat(np.arange(B), weight)
    repeated, each = LOSSES[name].value_gradient(raw[:, copies], y[:, copies], np.ones(len(copies)))
    np.testing.assert_allclose(value, repeated, rtol=1e-13)
    assert not gradient[:, weight == 0].any()
    totals = np.zeros_like(raw)
    np.add.at(totals.T, copies, each.T)
    np.testing.assert_allclose(gradient, totals, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_the_sum_is_taken_in_float64(name):
    """In float32 a sum of many equal numbers is off by some 1e-7 of it."""
    raw, y, weight = (a.astype(np.float32) for a in draw(name))
    value, gradient = LOSSES[name].value_gradient(raw, y, weight)
    assert value.dtype == np.float64
    assert gradient.dtype == np.float32
    B = 2**18 + 1
    raw, y = np.tile(raw[:, :1], B), np.tile(y[:, :1], B)
    weight = np.ones(B, np.float32)
    one, _ = LOSSES[name].value_gradient(raw[:, :1], y[:, :1], weight[:1])
    many, _ = LOSSES[name].value_gradient(raw, y, weight)
    np.testing.assert_allclose(many, one * B, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "out_activation"),
    [
        ("squared_error", "identity"),
        ("absolute_error", "identity"),
        ("huber", "identity"),
        ("poisson", "exp"),
        ("binary_log_loss", "logistic"),
        ("multiclass_log_loss", "softmax"),
    ],
)
def test_the_gradient_vanishes_where_the_activated_prediction_is_the_target(name, out_activation):
    """So `out_activation` names the right inverse link."""
    loss = LOSSES[name]
    assert loss.out_activation == out_activation
    links = {
        "identity": lambda raw: raw,
        "exp": np.exp,
        "logistic": special.expit,
        "softmax": lambda raw: special.softmax(raw, axis=0),
    }
    raw, _, weight = draw(name)
    _, gradient = loss.value_gradient(raw, links[out_activation](raw), weight)
    np.testing.assert_allclose(gradient, 0, atol=1e-14)
