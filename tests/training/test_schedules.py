"""Learning rates over epochs and updates."""

import numpy as np
import pytest

from sklearn_rnn._training.schedules import Schedule


def rates(name, n_epochs=100, **options):
    schedule = Schedule(name, 0.5, n_epochs, **options)
    return np.array([schedule.rate(epoch, 3 * epoch + 1) for epoch in range(n_epochs)])


@pytest.mark.parametrize("name", ["constant", "adaptive"])
def test_constant(name):
    np.testing.assert_array_equal(rates(name), 0.5)


@pytest.mark.parametrize("power", [0.0, 0.5, 2.0])
def test_invscaling_is_its_formula(power):
    t = 3 * np.arange(100) + 1
    np.testing.assert_allclose(rates("invscaling", power_t=power), 0.5 / t**power)


def test_cosine_falls_from_the_first_rate_to_nearly_zero():
    rate = rates("cosine")
    assert rate[0] == 0.5
    assert (np.diff(rate) < 0).all()
    np.testing.assert_allclose(rate[50], 0.25)
    np.testing.assert_allclose(rate, 0.25 * (1 + np.cos(np.pi * np.arange(100) / 100)))


def test_one_cycle_rises_and_falls():
    rate = rates("one_cycle")
    np.testing.assert_allclose([rate[0], rate.max()], [0.5 / 25, 0.5])
    assert rate.argmax() == 30
    assert (np.diff(rate[:31]) > 0).all()
    assert (np.diff(rate[30:]) < 0).all()
    assert rate[-1] < 0.5 / 500


@pytest.mark.parametrize("name", ["constant", "invscaling", "adaptive", "cosine", "one_cycle"])
def test_a_single_epoch_has_a_rate(name):
    assert 0 < Schedule(name, 0.1, 1).rate(0, 1) <= 0.1
