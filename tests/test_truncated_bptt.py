"""tbptt_steps: sequences cut in time, states carried over the cuts, errors not."""

import tracemalloc

import numpy as np
import pytest

from sklearn_rnn import GRURegressor, LSTMRegressor
from tests.helpers import SIX, assert_same_model, fit_tiny, make_sequences, same_model, tiny


def running_product(n, T, seed=0):
    """Noise, and at each step the product of the last two values."""
    x = np.random.default_rng(seed).uniform(-1, 1, size=(n, T, 1))
    y = np.zeros((n, T))
    y[:, 1:] = x[:, 1:, 0] * x[:, :-1, 0]
    return x, y


@pytest.mark.parametrize("Estimator", SIX)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_pieces_as_long_as_the_sequences_change_nothing(Estimator, pooling):
    whole = fit_tiny(Estimator, pooling=pooling)
    assert_same_model(fit_tiny(Estimator, pooling=pooling, tbptt_steps=7), whole)
    assert_same_model(fit_tiny(Estimator, pooling=pooling, tbptt_steps=1000), whole)
    assert not same_model(fit_tiny(Estimator, pooling=pooling, tbptt_steps=2), whole)


@pytest.mark.parametrize("Estimator", [GRURegressor, LSTMRegressor])
def test_per_step_pieces_as_long_as_the_sequences_change_nothing(Estimator):
    X, y = running_product(12, 7)
    whole = tiny(Estimator, return_sequences=True).fit(X, y)
    cut = tiny(Estimator, return_sequences=True, tbptt_steps=7).fit(X, y)
    assert_same_model(cut, whole)
    assert cut.loss_curve_ == whole.loss_curve_


def test_every_piece_is_followed_by_an_update():
    X, y = running_product(4, 10)
    model = tiny(GRURegressor, return_sequences=True, tbptt_steps=3, max_iter=2).fit(X, y)
    assert model.t_ == 2 * 4  # pieces of 3, 3, 3 and 1 steps
    assert tiny(GRURegressor, tbptt_steps=3, max_iter=2).fit(X, y[:, -1]).t_ == 2


def test_the_state_is_carried_over_the_cuts():
    """What the last step of one piece holds, the first step of the next one needs.

    With pieces of two steps, half of the targets would be beyond a net without memory.
    """
    X, y = running_product(40, 20)
    options = dict(hidden_size=16, return_sequences=True, random_state=0, max_iter=150)
    model = GRURegressor(tbptt_steps=2, **options).fit(X[:30], y[:30])
    first_steps = np.arange(2, 20, 2)
    error = model.predict(X[30:])[:, first_steps] - y[30:, first_steps]
    assert (error**2).mean() < 0.3 * y[30:].var()


def test_one_long_sequence_is_learned_in_memory_that_does_not_grow_with_it():
    def peak(T):
        X, y = (a.astype(np.float32) for a in running_product(1, T))
        model = GRURegressor(32, return_sequences=True, tbptt_steps=50, max_iter=3, random_state=0)
        model.fit(X[:, :100], y[:, :100])  # what is imported and cached once
        tracemalloc.start()
        model.fit(X, y)
        _, bytes_ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert model.loss_curve_[-1] < 0.9 * model.loss_curve_[0]
        return bytes_ / X.nbytes

    # x, y, weights and their copies are all that grows: some numbers a step, where the states
    # of all steps would be 9 * 32 of them.
    assert peak(20_000) < 40


def test_prediction_of_a_long_sequence_keeps_no_history():
    model = fit_tiny(LSTMRegressor, hidden_size=32)
    X = make_sequences([50_000])
    model.predict(X)
    tracemalloc.start()
    model.predict(X)
    _, bytes_ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bytes_ < 6 * X[0].nbytes


@pytest.mark.parametrize("Estimator", SIX)
def test_two_directions_cannot_be_cut(Estimator):
    with pytest.raises(ValueError, match="tbptt_steps=3 needs bidirectional=False"):
        fit_tiny(Estimator, bidirectional=True, tbptt_steps=3)


@pytest.mark.parametrize("steps", [0, -1, 2.5, True, "all"])
def test_bad_tbptt_steps(steps):
    with pytest.raises(ValueError, match="tbptt_steps"):
        fit_tiny(GRURegressor, tbptt_steps=steps)


def test_ragged_pieces_score_real_steps_only():
    """Padding a short sequence with other numbers must not change what is learned."""
    X = make_sequences([12, 3, 7, 5])
    y = [x[:, 0] for x in X]
    one = tiny(LSTMRegressor, return_sequences=True, tbptt_steps=4).fit(X, y)
    padded = np.full((4, 12, 2), np.nan)
    Y = np.full((4, 12), 99.0)
    for i, (x, t) in enumerate(zip(X, y, strict=True)):
        padded[i, : len(x)], Y[i, : len(t)] = x, t
    assert_same_model(tiny(LSTMRegressor, return_sequences=True, tbptt_steps=4).fit(padded, Y), one)
