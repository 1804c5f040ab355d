"""The update rules against their formulas, one number at a time, and on a quadratic."""

from functools import partial
from math import sqrt

import numpy as np
import pytest

from sklearn_rnn._training.optimizers import SGD, Adam, AdamW, RMSprop

RATE = 0.05
OPTIMIZERS = {
    "adam": partial(Adam, learning_rate=RATE, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    "adamw": partial(
        AdamW, learning_rate=RATE, beta_1=0.8, beta_2=0.95, epsilon=1e-3, decay=0.0, decays=1.0
    ),
    "rmsprop": partial(RMSprop, learning_rate=RATE, beta_2=0.95, epsilon=1e-3),
    "sgd": partial(SGD, learning_rate=RATE, momentum=0.0, nesterov=False),
    "momentum": partial(SGD, learning_rate=RATE, momentum=0.7, nesterov=False),
    "nesterov": partial(SGD, learning_rate=RATE, momentum=0.7, nesterov=True),
}
all_optimizers = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def gradients(n_steps=6, size=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n_steps, size))


def run(optimizer, theta, steps):
    for gradient in steps:
        optimizer.step(theta, gradient.copy())
    return theta


def test_adam_is_its_formula():
    theta = run(OPTIMIZERS["adam"](np.zeros(5)), np.ones(5), gradients())
    for k, expected in enumerate(np.ones(5)):
        m = v = 0.0
        for t, g in enumerate(gradients()[:, k], start=1):
            m = 0.8 * m + 0.2 * g
            v = 0.95 * v + 0.05 * g**2
            m_hat, v_hat = m / (1 - 0.8**t), v / (1 - 0.95**t)
            expected -= RATE * m_hat / (sqrt(v_hat) + 1e-3 / sqrt(1 - 0.95**t))
        np.testing.assert_allclose(theta[k], expected, rtol=1e-13)


def test_rmsprop_is_its_formula():
    theta = run(OPTIMIZERS["rmsprop"](np.zeros(5)), np.ones(5), gradients())
    for k, expected in enumerate(np.ones(5)):
        v = 0.0
        for t, g in enumerate(gradients()[:, k], start=1):
            v = 0.95 * v + 0.05 * g**2
            expected -= RATE * g / (sqrt(v / (1 - 0.95**t)) + 1e-3)
        np.testing.assert_allclose(theta[k], expected, rtol=1e-13)


def test_adamw_shrinks_what_decays_before_adams_step():
    decays = np.array([1.0, 0, 1, 0, 1])
    adam = Adam(np.zeros(5), RATE, 0.8, 0.95, 1e-3)
    adamw = AdamW(np.zeros(5), RATE, 0.8, 0.95, 1e-3, 0.4, decays)
    expected, theta = np.ones(5), np.ones(5)
    for gradient in gradients():
        expected *= 1 - RATE * 0.4 * decays
        adam.step(expected, gradient.copy())
        adamw.step(theta, gradient.copy())
        np.testing.assert_allclose(theta, expected, rtol=1e-14)


def test_adams_first_step_is_the_rate_whatever_the_gradient():
    optimizer = Adam(np.zeros(3), RATE, 0.9, 0.999, 1e-300)
    theta = run(optimizer, np.zeros(3), [np.array([1e-100, -3.0, 1e100])])
    np.testing.assert_allclose(theta, [-RATE, RATE, -RATE], rtol=1e-12)


@pytest.mark.parametrize("name", ["sgd", "momentum"])
def test_sgd_is_its_formula(name):
    momentum = {"sgd": 0.0, "momentum": 0.7}[name]
    theta = run(OPTIMIZERS[name](np.zeros(5)), np.ones(5), gradients())
    for k, expected in enumerate(np.ones(5)):
        v = 0.0
        for g in gradients()[:, k]:
            v = momentum * v - RATE * g
            expected += v
        np.testing.assert_allclose(theta[k], expected, rtol=1e-13)


def curvature_and_centre(size=5):
    rng = np.random.default_rng(1)
    A = rng.normal(size=(size, size))
    return A @ A.T / size + np.eye(size), rng.normal(size=size)


def test_nesterov_looks_ahead():
    """theta is the point where Nesterov takes the gradient: x + momentum v."""
    A, centre = curvature_and_centre()
    theta = np.zeros(5)
    optimizer = OPTIMIZERS["nesterov"](theta)
    x, v = np.zeros(5), np.zeros(5)
    for _ in range(20):
        np.testing.assert_allclose(theta, x + 0.7 * v, rtol=1e-10, atol=1e-14)
        optimizer.step(theta, A @ (theta - centre))
        v = 0.7 * v - RATE * (A @ (x + 0.7 * v - centre))
        x = x + v


@all_optimizers
def test_a_quadratic_is_minimised(make):
    A, centre = curvature_and_centre()
    theta = np.zeros(5)
    optimizer = make(theta)
    for k in range(1000):
        optimizer.learning_rate = RATE / (1 + k / 200)
        optimizer.step(theta, A @ (theta - centre))
    np.testing.assert_allclose(theta, centre, atol=1e-3)


@all_optimizers
def test_training_goes_on_from_a_state_to_the_last_bit(make):
    steps = gradients(12)
    expected = run(make(np.zeros(5)), np.ones(5), steps)
    optimizer = make(np.zeros(5))
    theta = run(optimizer, np.ones(5), steps[:7])
    state = optimizer.state()
    assert state["t"] == 7
    run(optimizer, theta.copy(), steps)  # must not reach into the state
    for _ in range(2):  # and a state serves more than once
        other = make(np.zeros(5))
        other.restore(state)
        np.testing.assert_array_equal(run(other, theta.copy(), steps[7:]), expected)


@all_optimizers
def test_updates_stay_in_place_and_in_float32(make):
    theta = np.ones(5, np.float32)
    optimizer = make(theta)
    moments = optimizer.moments
    expected = run(make(np.zeros(5)), np.ones(5), gradients())
    for gradient in gradients().astype(np.float32):
        optimizer.step(theta, gradient)
    assert all(moment.dtype == np.float32 for moment in optimizer.moments)
    assert all(one is other for one, other in zip(moments, optimizer.moments, strict=True))
    np.testing.assert_allclose(theta, expected, rtol=1e-5)


@all_optimizers
def test_the_optimizer_holds_no_reference_to_theta(make):
    theta = np.ones(5)
    optimizer = make(theta)
    run(optimizer, theta, gradients())
    kept = [*optimizer.moments, optimizer._scratch]
    assert not any(np.shares_memory(array, theta) for array in kept)
