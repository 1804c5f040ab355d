"""The regressors: several outputs, and targets of any unit and origin."""

import numpy as np
import pytest

from sklearn_rnn import GRURegressor, LSTMRegressor, RNNRegressor
from tests.helpers import (
    STANDING_STILL,
    answers,
    assert_same_model,
    fit_tiny,
    make_sequences,
    make_targets,
    tiny,
)

X = make_sequences()
Y = make_targets(RNNRegressor())


# --- Several outputs -----------------------------------------------------------------------------


def test_row_51_several_outputs(Regressor):
    y = np.c_[Y, -3 * Y, np.arange(12.0)]
    fitted = tiny(Regressor).fit(X, y)
    assert fitted.n_outputs_ == 3
    assert fitted.predict(X).shape == (12, 3)
    assert fitted.weights_["weight_out"].shape == (3, 4)
    assert np.isscalar(fitted.score(X, y))


def test_row_49_a_column_is_one_output(Regressor):
    column = tiny(Regressor).fit(X, Y[:, np.newaxis])
    assert column.predict(X).shape == (12,)
    assert_same_model(column, tiny(Regressor).fit(X, Y))


@pytest.mark.parametrize("make", ["list", "Series", "DataFrame", "polars"])
def test_containers_of_targets(make):
    if make == "list":
        y = Y.tolist()
    elif make == "polars":
        y = pytest.importorskip("polars").Series(Y)
    else:
        y = getattr(pytest.importorskip("pandas"), make)(Y)
    assert_same_model(tiny(GRURegressor).fit(X, y), fit_tiny(GRURegressor))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float32, bool, object])
def test_dtypes_of_targets(dtype):
    y = (np.arange(12) % 2).astype(dtype)
    fitted = tiny(GRURegressor).fit(X, y)
    assert_same_model(fitted, tiny(GRURegressor).fit(X, np.arange(12.0) % 2))
    assert fitted.predict(X).dtype == np.float64


def test_targets_do_not_decide_the_dtype():
    single = make_sequences(dtype=np.float32)
    assert tiny(LSTMRegressor).fit(single, Y).predict(single).dtype == np.float32
    assert tiny(LSTMRegressor).fit(X, Y.astype(np.float32)).predict(X).dtype == np.float64


def test_they_learn_each_output():
    X3 = np.random.default_rng(0).normal(size=(80, 5, 2))
    y = np.c_[1e3 + X3[:, -1, 0], 1e-3 * X3[:, :, 1].sum(axis=1)]
    fitted = tiny(RNNRegressor, max_iter=150, learning_rate_init=0.02, hidden_size=8).fit(X3, y)
    residual = ((fitted.predict(X3) - y) ** 2).mean(axis=0) / y.var(axis=0)
    assert residual.max() < 0.1


# --- Unit and origin of y ------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-250, 1e-3, 7.0, 1e250])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_predictions_follow_unit_and_origin_of_y(Regressor, scale, offset):
    """The offset is in units of the scale; it costs as many digits as it has."""
    plain = tiny(Regressor, max_iter=10).fit(X, Y)
    other = tiny(Regressor, max_iter=10).fit(X, scale * (Y + offset))
    np.testing.assert_allclose(other.predict(X) / scale - offset, plain.predict(X), rtol=1e-6)
    np.testing.assert_allclose(other.loss_curve_, plain.loss_curve_, rtol=1e-6)


def test_a_power_of_two_as_unit_changes_no_bit(Regressor):
    plain, other = tiny(Regressor).fit(X, Y), tiny(Regressor).fit(X, 2.0**20 * Y)
    np.testing.assert_array_equal(other.predict(X), 2.0**20 * plain.predict(X))
    assert other.loss_curve_ == plain.loss_curve_


@pytest.mark.parametrize("value", [0.0, 1.0, -7.5, 1e6, 1e300, -1e300, 1e-300, 5e-324])
def test_row_61_constant_targets(Regressor, value):
    fitted = tiny(Regressor, max_iter=20).fit(X, np.full(12, value))
    size = abs(value) or 1.0
    assert np.abs(fitted.predict(X) - value).max() <= 2 * size
    assert np.isfinite(fitted.loss_curve_).all()
    assert all(np.isfinite(array).all() for array in fitted.weights_.values())


def test_a_constant_target_is_learned(Regressor):
    fitted = tiny(Regressor, max_iter=300, learning_rate_init=0.02).fit(X, np.full(12, 1e6))
    np.testing.assert_allclose(fitted.predict(X), 1e6, rtol=0.2)


@pytest.mark.parametrize("size", [1e300, 1e-300, 1e-320])
def test_row_60_huge_and_tiny_targets(Regressor, size):
    y = np.linspace(-1, 1, 12)
    plain, scaled = tiny(Regressor).fit(X, y), tiny(Regressor).fit(X, size * y)
    np.testing.assert_allclose(scaled.predict(X) / size, plain.predict(X), rtol=0.02, atol=1e-3)
    np.testing.assert_allclose(scaled.loss_curve_, plain.loss_curve_, rtol=1e-3)


def test_row_60_targets_too_large_for_float32(Regressor):
    estimator = tiny(Regressor)
    with pytest.raises(ValueError, match=r"y contains .*too large for dtype\('float32'\)"):
        estimator.fit(make_sequences(dtype=np.float32), np.full(12, 1e300))


def test_row_61_one_of_several_outputs_is_constant(Regressor):
    fitted = tiny(Regressor).fit(X, np.c_[Y, np.full(12, 4.0)])
    assert np.isfinite(fitted.predict(X)).all()


def test_the_readout_starts_at_the_weighted_mean(Regressor):
    weight = np.arange(12.0)
    still = tiny(Regressor, **STANDING_STILL).fit(X, Y, weight)
    np.testing.assert_allclose(still.weights_["bias_out"], [np.average(Y, weights=weight)])


def test_loss_is_half_the_mean_square_of_standardised_residuals(Regressor):
    still = tiny(Regressor, **STANDING_STILL).fit(X, Y)
    residual = (still.predict(X) - Y) / Y.std()
    np.testing.assert_allclose(still.loss_, (residual**2).mean() / 2)


# --- Little data ---------------------------------------------------------------------------------


def test_row_42_one_sample(Regressor):
    fitted = tiny(Regressor, max_iter=20).fit(X[:1], [42.0])
    assert answers(fitted, X[:1])["predict"].shape == (1,)
    np.testing.assert_allclose(fitted.predict(X[:1]), [42.0], rtol=0.5)


def test_row_41_sequences_of_one_step(Regressor):
    table = np.random.default_rng(0).normal(size=(12, 3))
    fitted = tiny(Regressor).fit(table[:, np.newaxis], Y)
    assert_same_model(fitted, tiny(Regressor, n_timesteps=1).fit(table, Y))
    assert_same_model(
        tiny(Regressor).fit(table[:, :1], Y), tiny(Regressor).fit(table[:, :1, None], Y)
    )
