"""Training that continues on targets of another size than before: partial_fit and warm_start."""

import warnings

import numpy as np
import pytest

from sklearn_rnn import GRURegressor
from sklearn_rnn._core.losses import LOSSES
from sklearn_rnn._data.target_units import Unit, change_of_unit
from sklearn_rnn._training.optimizers import SGD, Adam, RMSprop
from tests.helpers import STANDING_STILL

X = np.random.default_rng(0).normal(size=(60, 4, 2))
U = X[:, :, 0].sum(axis=1)
OF_DIFFERENCES = ["squared_error", "absolute_error", "huber", "quantile"]
DTYPES = [np.float32, np.float64]


def make(loss="squared_error", **params):
    params = {"hidden_size": 6, "max_iter": 60, "learning_rate_init": 0.01, **params}
    return GRURegressor(random_state=0, loss=loss, **params)


def stream(model, first, then, n_calls=60, dtype=np.float64):
    model.partial_fit(X.astype(dtype), first)
    for _ in range(n_calls):
        model.partial_fit(X.astype(dtype), then)
    return model


# --- What is learned ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", OF_DIFFERENCES)
@pytest.mark.parametrize(
    "first",
    [U / 1000, U * 1e-30, np.zeros(60), np.full(60, 1e3), np.full(60, -1e-3)],
    ids=["narrow", "tiny", "zero", "constant", "small constant"],
)
def test_a_first_block_that_is_not_typical(first, loss, dtype):
    assert stream(make(loss), first, U, dtype=dtype).score(X.astype(dtype), U) > 0.7


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", OF_DIFFERENCES)
@pytest.mark.parametrize("scale", [1e-100, 1e-3, 1e3, 1e100])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_a_warm_start_on_another_unit(scale, offset, loss, dtype):
    scale = np.cbrt(scale) if dtype == np.float32 else scale
    model = make(loss, warm_start=True).fit(X.astype(dtype), U)
    y = scale * (offset + U)
    assert model.fit(X.astype(dtype), y).score(X.astype(dtype), y) > 0.7


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_a_warm_start_on_other_counts(scale):
    model, y = make("poisson", warm_start=True), np.exp(U / 3)
    assert model.fit(X, y).fit(X, scale * y).score(X, scale * y) > 0.7
    rising = stream(make("poisson"), y / 1000, y)
    assert rising.score(X, y) > 0.7


def test_several_outputs_have_their_own_units():
    y = np.c_[U, 1e3 * U]
    model = make(warm_start=True).fit(X, y).fit(X, y[:, ::-1])
    assert model.score(X, y[:, ::-1]) > 0.9


def test_averaged_weights_go_with_the_unit():
    model = make(warm_start=True, average_epochs=5).fit(X, U)
    assert model.fit(X, 1e3 * U).score(X, 1e3 * U) > 0.7


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd", "rmsprop", "lbfgs"])
def test_all_solvers_continue_in_another_unit(solver):
    rate = 0.1 if solver == "sgd" else 0.01
    model = make(solver=solver, warm_start=True, learning_rate_init=rate).fit(X, U)
    assert model.fit(X, 1e3 * U).score(X, 1e3 * U) > 0.7


# --- What stays -----------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", OF_DIFFERENCES)
@pytest.mark.parametrize("incremental", [True, False])
def test_a_wider_unit_leaves_predictions_as_they_are(loss, incremental):
    """To the bit: the factor is a power of two."""
    model = make(loss, **STANDING_STILL, warm_start=True).fit(X, U)
    before, scale = model.predict(X), model._y_scale_
    (model.partial_fit if incremental else model.fit)(X, 1000 * U)
    assert (model._y_scale_ > 500 * scale).all()
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("y", [U, 5 * U, U / 5, U + 5], ids=["same", "wider", "narrower", "moved"])
def test_the_unit_stays_where_it_fits(y):
    model = make(max_iter=2, warm_start=True).fit(X, U)
    unit = model._y_mean_, model._y_scale_
    model.fit(X, y)
    model.partial_fit(X, y)
    assert model._y_mean_ is unit[0]
    assert model._y_scale_ is unit[1]


def test_a_quiet_block_of_a_stream_keeps_the_unit():
    model = make().partial_fit(X, U)
    scale = model._y_scale_
    model.partial_fit(X, np.zeros(60))  # nothing happened
    model.partial_fit(X, U / 50)
    assert model._y_scale_ is scale


def test_a_failed_fit_leaves_the_unit():
    model = make(max_iter=2, warm_start=True).fit(X, U)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, np.r_[1000 * U[:-1], np.nan])
    assert vars(model) == before


@pytest.mark.parametrize("loss", [*OF_DIFFERENCES, "poisson"])
def test_a_part_of_a_stream_that_is_far_too_quiet_is_warned_of(loss):
    y = np.exp(U / 3)
    model = make(loss).partial_fit(X, 1000 * y)
    with pytest.warns(UserWarning, match="far less, than those of the first call") as record:
        model.partial_fit(X, y)
    assert record[0].filename == __file__


def test_no_warning_of_ordinary_streams():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stream(make(), U / 1000, U, 3)


# --- The rule and its parts -----------------------------------------------------------------------


def test_extreme_units_change_within_the_range_of_numbers():
    """Whatever the units, a new one is finite and above zero, and its factor at most 1."""
    sizes = [1e-320, 1e-300, 1e-30, 1.0, 1e30, 1e300, 1e308]
    for old_scale in sizes:
        for new_scale in sizes:
            for new_mean in (0.0, *sizes, -1e308):
                for all_data in (True, False):
                    old = Unit(np.zeros(1), np.array([old_scale]))
                    new = Unit(np.array([new_mean]), np.array([new_scale]))
                    change = change_of_unit(old, new, np.array([True]), all_data=all_data)
                    if change is not None:
                        assert np.isfinite(change.unit.mean).all()
                        assert np.isfinite(change.unit.scale).all()
                        assert (change.unit.scale > 0).all()
                        assert (change.factor <= 1).all()


@pytest.mark.parametrize("loss", OF_DIFFERENCES)
def test_the_degree_of_a_loss(loss):
    parameters = {"huber_delta": 1e9, "quantiles": (0.1, 0.9)}
    loss = LOSSES[loss].from_parameters(parameters)
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=(1, 9)), rng.normal(size=(loss.n_outputs, 9))
    value, _ = loss.value_gradient(raw, y, np.ones(9))
    larger, _ = loss.value_gradient(4 * raw, 4 * y, np.ones(9))
    assert larger == pytest.approx(4**loss.degree * value)


@pytest.mark.parametrize(
    "new",
    [
        lambda theta: SGD(theta, 0.1, 0.9, True),
        lambda theta: RMSprop(theta, 0.1, 0.9, 0.0),
        lambda theta: Adam(theta, 0.1, 0.9, 0.99, 0.0),
    ],
    ids=["sgd", "rmsprop", "adam"],
)
def test_rescaled_moments_are_those_of_rescaled_gradients(new):
    factors = np.array([0.25, 1.0, 2.0])
    theta = np.zeros(3)
    one, other = new(theta), new(theta)
    for gradient in np.random.default_rng(0).normal(size=(5, 3)):
        one.step(theta.copy(), gradient.copy())
        other.step(theta.copy(), factors * gradient)
    one.rescale(factors)
    for ours, theirs in zip(one.moments, other.moments, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
