"""Solvers and learning rates, as a user meets them."""

import numpy as np
import pytest

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, RNNRegressor
from sklearn_rnn._training.parts import PartGradients
from tests.helpers import (
    SIX,
    assert_same_model,
    fit_tiny,
    make_sequences,
    make_targets,
    same_model,
    tiny,
)

SOLVERS = ["adam", "adamw", "rmsprop", "sgd", "lbfgs"]
SCHEDULES = ["constant", "invscaling", "adaptive", "cosine", "one_cycle"]


def sums(n=60, seed=0):
    """Sequences whose target is the sum of their values."""
    X = np.random.default_rng(seed).normal(size=(n, 8, 1))
    return X, X.sum(axis=(1, 2))


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_learns(solver):
    X, y = sums()
    model = GRURegressor(8, solver=solver, learning_rate_init=0.005, random_state=0, max_iter=200)
    assert model.fit(X[:40], y[:40]).score(X[40:], y[40:]) > 0.9


@pytest.mark.parametrize("learning_rate", SCHEDULES)
def test_every_schedule_learns(learning_rate):
    X, y = sums()
    rate = 0.1 if learning_rate == "invscaling" else 0.02
    model = GRURegressor(
        8, learning_rate=learning_rate, learning_rate_init=rate, random_state=0, max_iter=150
    )
    assert model.fit(X[:40], y[:40]).score(X[40:], y[40:]) > 0.9


def test_adaptive_goes_on_where_constant_stops():
    X, y = sums()
    options = dict(random_state=0, solver="sgd", learning_rate_init=0.3, n_iter_no_change=2)
    options |= dict(max_iter=400, tol=1e-3)
    constant = GRURegressor(8, **options).fit(X, y)
    adaptive = GRURegressor(8, learning_rate="adaptive", **options).fit(X, y)
    assert constant.n_iter_ < adaptive.n_iter_ < 400
    assert adaptive.loss_curve_[: constant.n_iter_] == constant.loss_curve_
    assert adaptive.best_loss_ < constant.best_loss_


def test_partial_fit_keeps_the_first_rate():
    X, y = sums()
    constant, cosine = (
        tiny(GRURegressor, learning_rate=rate).partial_fit(X, y).partial_fit(X, y)
        for rate in ("constant", "cosine")
    )
    assert_same_model(constant, cosine)


def test_adamw_is_adam_without_alpha_and_shrinks_weights_with_it():
    plain, decayed = (fit_tiny(GRURegressor, solver="adamw", alpha=alpha) for alpha in (0.0, 1.0))
    assert_same_model(plain, fit_tiny(GRURegressor, solver="adam"))
    for name, weight in decayed.weights_.items():
        if name.startswith("weight") and name != "weight_out":
            assert np.abs(weight).sum() < np.abs(plain.weights_[name]).sum(), name


# --- L-BFGS ---------------------------------------------------------------------------------------


def test_lbfgs_is_deterministic_and_knows_no_batches(Estimator):
    one = fit_tiny(Estimator, solver="lbfgs")
    assert_same_model(one, fit_tiny(Estimator, solver="lbfgs"))
    assert_same_model(one, fit_tiny(Estimator, solver="lbfgs", learning_rate_init=0.5))
    assert_same_model(one, fit_tiny(Estimator, solver="lbfgs", shuffle=False, max_grad_norm=None))


def test_lbfgs_never_goes_uphill(Estimator):
    loss = fit_tiny(Estimator, solver="lbfgs", max_iter=30).loss_curve_
    assert len(loss) > 5
    assert (np.diff(loss) <= 0).all()


@pytest.mark.parametrize("alpha", [0.3, 3.0])
def test_lbfgs_ends_where_the_gradient_vanishes(alpha):
    """Of a loss that is smooth and bounded below; its gradient by finite differences."""
    X, y = sums(30)
    options = dict(solver="lbfgs", random_state=0, tol=0.0, n_iter_no_change=10_000, alpha=alpha)
    model = RNNRegressor(2, max_iter=5000, **options).fit(X, y)
    theta = model._theta_.copy()

    def objective(theta):
        weights = model._with_weights(theta)
        prediction = weights.predict(X)
        error = ((prediction - y) / y.std()) ** 2
        named = model._make_network().layout.public(theta)
        squares = sum((w**2).sum() for name, w in named.items() if name.startswith("weight"))
        return (0.5 * error.sum() + 0.5 * alpha * squares) / len(y)

    np.testing.assert_allclose(objective(theta), model.loss_, rtol=1e-6)
    steps = 1e-5 * np.eye(len(theta))
    gradient = [(objective(theta + step) - objective(theta - step)) / 2e-5 for step in steps]
    assert np.abs(gradient).max() < 1e-3


def test_lbfgs_beats_adam_on_few_sequences():
    X, y = sums(40)
    lbfgs, adam = (
        GRURegressor(8, solver=solver, random_state=0, max_iter=100).fit(X, y)
        for solver in ("lbfgs", "adam")
    )
    assert lbfgs.loss_ < adam.loss_


def test_lbfgs_in_many_blocks_is_the_same_problem():
    X, y = sums(600)
    options = dict(solver="lbfgs", random_state=0, max_iter=1, early_stopping=False, alpha=2.0)
    model = GRURegressor(4, **options).fit(X, y)
    doubled = GRURegressor(4, **options).fit(np.concatenate([X, X]), np.concatenate([y, y]))
    # The penalty is divided by the number of samples, the losses are averages.
    assert model.loss_ == pytest.approx(doubled.loss_, rel=0.05)


def test_lbfgs_stops_early_with_the_best_weights():
    X = make_sequences([6] * 60)
    y = np.random.default_rng(0).integers(2, size=60)  # nothing to be learned
    model = GRUClassifier(8, solver="lbfgs", early_stopping=True, random_state=0).fit(X, y)
    assert model.n_iter_ < 200
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_lbfgs_goes_on_with_warm_start():
    X, y = sums()
    model = tiny(GRURegressor, solver="lbfgs", warm_start=True).fit(X, y)
    before = model.loss_
    assert model.fit(X, y).loss_ < before


@pytest.mark.parametrize("overstep", [2, 5])
def test_lbfgs_turns_back_where_the_loss_is_not_finite(monkeypatch, overstep):
    """Also in its very first line search; only initial weights that fail are an error."""
    X, y = sums(20)
    plain, calls = PartGradients.compute, []

    def part(self, *args):
        calls.append(plain(self, *args))
        return np.inf if len(calls) == overstep else calls[-1]

    monkeypatch.setattr(PartGradients, "compute", part)
    model = GRURegressor(4, solver="lbfgs", max_iter=20, random_state=0).fit(X, y)
    assert len(calls) > overstep
    assert (np.diff(model.loss_curve_) <= 0).all()
    assert model.loss_ < 0.5 * model.loss_curve_[0]


def test_lbfgs_says_so_where_the_initial_loss_is_not_finite(monkeypatch):
    monkeypatch.setattr(PartGradients, "compute", lambda *args: np.inf)
    with pytest.raises(ValueError, match="Training diverged in epoch 1"):
        fit_tiny(GRURegressor, solver="lbfgs")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lbfgs_keeps_the_dtype(dtype):
    X, y = sums()
    model = GRURegressor(4, solver="lbfgs", max_iter=40, random_state=0).fit(X.astype(dtype), y)
    assert model.predict(X.astype(dtype)).dtype == dtype
    assert model.score(X, y) > 0.9


def test_lbfgs_cannot_update_after_every_piece():
    with pytest.raises(ValueError, match="tbptt_steps=None"):
        GRURegressor(solver="lbfgs", return_sequences=True, tbptt_steps=2).fit(
            np.zeros((3, 4, 1)), np.zeros((3, 4))
        )


def test_lbfgs_truncates_what_pools_over_time():
    X, y = sums()
    options = dict(solver="lbfgs", max_iter=3)
    whole = tiny(GRURegressor, **options).fit(X, y)
    assert not same_model(whole, tiny(GRURegressor, tbptt_steps=2, **options).fit(X, y))
    assert_same_model(whole, tiny(GRURegressor, tbptt_steps=8, **options).fit(X, y))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("Estimator", SIX)
def test_partial_fit_with_every_solver(Estimator, solver):
    X, y = make_sequences(), make_targets(Estimator())
    model = tiny(Estimator, solver=solver)
    first = {"classes": np.unique(y)} if Estimator.__name__.endswith("Classifier") else {}
    model.partial_fit(X, y, **first)
    loss = model.loss_
    for _ in range(30):
        model.partial_fit(X, y)
    assert model.loss_ < loss


@pytest.mark.parametrize("params", [{"learning_rate": "step"}, {"power_t": -1}, {"solver": "sag"}])
def test_bad_parameters(params):
    (name,) = params
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        fit_tiny(LSTMClassifier, **params)
