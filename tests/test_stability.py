"""Training on purpose where it is hardest, and over many seeds where it is easy."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import STANDING_STILL, tiny

T = 1000
# How many times too large recurrent matrices are; 1 is orthogonal.
TOO_LARGE = {"RNNRegressor": 2.0, "LSTMRegressor": 6.0, "GRURegressor": 12.0}


def long_sequences():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, T, 1))
    return X, X[:, -20:, 0].sum(axis=1)


def with_large_weights(Regressor, X, y, **params):
    """An estimator whose next fit begins with recurrent matrices that are far too large."""
    params = dict(hidden_size=8, batch_size=4, warm_start=True, solver="sgd", **params)
    model = tiny(Regressor, **params, **STANDING_STILL).fit(X, y)
    theta = model._theta_.copy()
    cells = model._make_network().layout.bind(theta).cells
    cells[0][0]["W"][:, :8] *= TOO_LARGE[Regressor.__name__]
    model._theta_ = theta
    return model.set_params(max_iter=6, learning_rate_init=0.01)


def assert_finite(model, X):
    assert all(np.isfinite(model.history_[name]).all() for name in ("loss", "gradient_norm"))
    assert all(np.isfinite(weight).all() for weight in model.weights_.values())
    assert np.isfinite(model.predict(X)).all()


def test_exploding_gradients_are_clipped_and_training_stays_finite(Regressor):
    """Errors that grow over 1,000 steps, to lengths that would throw the weights away."""
    X, y = long_sequences()
    model = with_large_weights(Regressor, X, y, max_grad_norm=0.5)
    before = np.array(model._theta_)
    model.fit(X, y)
    assert model.history_["gradient_norm"].max() > 1e5
    assert model.stop_reason_ == "max_iter"
    assert_finite(model, X)
    # 18 updates with Nesterov's momentum, each of which moves by 0.05 at most.
    assert np.linalg.norm(model._theta_ - before) < 18 * 0.01 * 0.5 / (1 - model.momentum)


def test_without_clipping_they_throw_the_weights_away(Regressor):
    X, y = long_sequences()
    model = with_large_weights(Regressor, X, y, max_grad_norm=None)
    before = np.array(model._theta_)
    model.set_params(max_iter=1).fit(X, y)
    assert np.linalg.norm(model._theta_ - before) > 100


def sums(n, dtype, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, 12, 2))
    return X.astype(dtype), X[:, :, 0].sum(axis=1)


def test_float32_and_float64_agree_in_outcome(Regressor):
    """The first epochs to five digits; later ones part, since training amplifies rounding."""
    models = [
        Regressor(16, random_state=0, max_iter=60).fit(*sums(200, dtype))
        for dtype in (np.float32, np.float64)
    ]
    single, double = (np.array(model.loss_curve_) for model in models)
    np.testing.assert_allclose(single[:3], double[:3], rtol=1e-4)
    scores = [
        model.score(*sums(200, dtype, seed=1))
        for model, dtype in zip(models, (np.float32, np.float64), strict=True)
    ]
    assert min(scores) > 0.9
    assert abs(scores[0] - scores[1]) < 0.03


def every_seed(Classifier, train, test, **params):
    return [Classifier(random_state=seed, **params).fit(*train).score(*test) for seed in range(10)]


@pytest.mark.slow
def test_no_seed_fails_on_japanese_vowels(Classifier, japanese_vowels):
    data = japanese_vowels
    scaler = TimestepTransformer(StandardScaler()).fit(data.X_train)
    train, test = (
        (scaler.transform(data[f"X_{part}"]), data[f"y_{part}"]) for part in ("train", "test")
    )
    scores = every_seed(Classifier, train, test, max_iter=40)
    print(Classifier.__name__, min(scores), np.mean(scores))
    assert min(scores) > 0.9


@pytest.mark.slow
def test_no_seed_fails_on_italy_power_demand(Classifier, shared_data):
    """A day of the electrical power that a grid needs: winter or summer?"""
    z = shared_data("italy_power_demand.npz")
    scaler = TimestepTransformer(StandardScaler()).fit(z["X_train"])
    train, test = ((scaler.transform(z[f"X_{part}"]), z[f"y_{part}"]) for part in ("train", "test"))
    scores = every_seed(Classifier, train, test)
    print(Classifier.__name__, min(scores), np.mean(scores))
    assert min(scores) > 0.9
