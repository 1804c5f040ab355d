"""What the regressors' losses mean: which number each predicts, in which unit, how sure of it."""

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score
from sklearn.model_selection import GridSearchCV, cross_val_predict

from sklearn_rnn import GRURegressor, LSTMRegressor, RNNClassifier, RNNRegressor
from tests import forward
from tests.helpers import (
    STANDING_STILL,
    assert_same_answers,
    assert_same_model,
    assert_unfitted,
    make_sequences,
    make_targets,
    pickled,
    same_model,
    tiny,
    unchanged,
)

LOSSES = ["squared_error", "absolute_error", "huber", "poisson", "quantile"]
X = make_sequences()
Y = np.abs(make_targets(RNNRegressor()))  # positive, so that it can be counts as well
BLANK = np.zeros((40, 3, 1))  # inputs that nothing can be learned from


@pytest.fixture(params=LOSSES)
def loss(request):
    """Each of the losses."""
    return request.param


def skewed(n=40, seed=0):
    return np.random.default_rng(seed).exponential(5, size=n)


def constant_prediction(y, weight=None, **params):
    """What a network predicts that has nothing to go by, trained long enough."""
    params = {"max_iter": 300, "learning_rate_init": 0.003, "n_iter_no_change": 300, **params}
    return tiny(RNNRegressor, **params).fit(BLANK[: len(y)], y, weight).predict(BLANK[:1])[0]


# --- Which number --------------------------------------------------------------------------------


def huber_centre(y, delta=1.35):
    unit = stats.median_abs_deviation(y, scale="normal")
    return optimize.brentq(lambda m: np.clip((y - m) / unit, -delta, delta).sum(), min(y), max(y))


OPTIMA = {
    "squared_error": np.mean,
    "absolute_error": np.median,
    "huber": huber_centre,
    "poisson": np.mean,
}


@pytest.mark.parametrize("loss", OPTIMA)
def test_without_evidence_the_prediction_is_the_best_constant(loss):
    y = skewed(39)
    apart = abs(np.mean(y) - np.median(y))
    assert apart > 1
    np.testing.assert_allclose(constant_prediction(y, loss=loss), OPTIMA[loss](y), atol=apart / 10)


def test_without_evidence_quantiles_are_those_of_y():
    y = skewed(39)
    quantiles = [0.1, 0.5, 0.8]
    predicted = constant_prediction(y, loss="quantile", quantiles=quantiles)
    np.testing.assert_allclose(predicted, np.quantile(y, quantiles), atol=0.5)


def test_the_readout_starts_there(loss):
    """At the weighted mean, median or quantiles, whatever the inputs."""
    weight = np.repeat([1.0, 4.0], 6)
    copies = np.repeat(Y, weight.astype(int))
    still = tiny(RNNRegressor, loss=loss, **STANDING_STILL).fit(X, Y, weight)
    start = np.exp(still.weights_["bias_out"]) if loss == "poisson" else still.weights_["bias_out"]
    lower = dict(method="inverted_cdf")
    expected = {
        "squared_error": np.mean(copies),
        "poisson": np.mean(copies),
        "absolute_error": np.quantile(copies, 0.5, **lower),
        "huber": np.quantile(copies, 0.5, **lower),
        "quantile": np.quantile(copies, [0.1, 0.5, 0.9], **lower),
    }
    np.testing.assert_allclose(start, np.ravel(expected[loss]))


def test_huber_delta_goes_from_the_median_to_the_mean():
    y = skewed(39)
    near, far = (constant_prediction(y, loss="huber", huber_delta=d) for d in (0.01, 100.0))
    np.testing.assert_allclose(near, np.median(y), atol=0.25)
    np.testing.assert_allclose(far, np.mean(y), atol=0.25)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
@pytest.mark.parametrize("size", [1e3, 1e9])
def test_an_outlier_pulls_no_harder_than_others(loss, size):
    """Not even by stretching the unit that targets are learned in."""
    y = np.random.default_rng(0).normal(size=40)
    y[7] = size
    params = dict(loss=loss, quantiles=0.5)
    assert abs(constant_prediction(y, **params) - np.median(y)) < 0.3
    assert constant_prediction(y, loss="squared_error") > size / 100


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_many_equal_targets_have_a_unit_too(loss):
    """Where most are 0, the median deviation is 0 and says nothing."""
    y = np.where(np.arange(40) < 30, 0.0, 1000.0 + np.arange(40))
    fitted = tiny(RNNRegressor, loss=loss, quantiles=[0.5, 0.9], max_iter=200).fit(BLANK, y)
    predicted = np.ravel(fitted.predict(BLANK[:1]))
    assert np.isfinite(fitted.loss_curve_).all()
    assert abs(predicted[0]) < 250
    if loss == "quantile":
        assert 900 < predicted[1] < 1100


# --- Weights -------------------------------------------------------------------------------------


def test_a_weight_of_w_means_w_copies(loss):
    weight = np.array([2, 0, 1, 3, 1, 1, 0, 2, 1, 4, 1, 2])
    params = dict(loss=loss, max_iter=50)
    copies = np.repeat(np.arange(12), weight)
    weighted = tiny(GRURegressor, **params).fit(X, Y, weight)
    assert_same_model(weighted, tiny(GRURegressor, **params).fit([X[i] for i in copies], Y[copies]))


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_the_unit_of_weights_does_not_matter(loss, unit):
    weight = np.arange(1.0, 13.0)
    plain = tiny(GRURegressor, loss=loss).fit(X, Y, weight)
    scaled = tiny(GRURegressor, loss=loss).fit(X, Y, unit * weight)
    np.testing.assert_allclose(scaled.predict(X), plain.predict(X), rtol=1e-9)


# --- The unit of y -------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1e-300, 1e-3, 1e300])
@pytest.mark.parametrize("stopping", [True, False], ids=["early-stopping", "all"])
def test_targets_of_any_unit(loss, unit, stopping):
    params = dict(loss=loss, early_stopping=stopping, validation_fraction=0.3, max_iter=5)
    plain = tiny(GRURegressor, **params).fit(X, Y)
    scaled = tiny(GRURegressor, **params).fit(X, unit * Y)
    np.testing.assert_allclose(scaled.predict(X) / unit, plain.predict(X), rtol=1e-6)
    if stopping:
        np.testing.assert_allclose(scaled.validation_scores_, plain.validation_scores_, rtol=1e-6)


@pytest.mark.parametrize("value", [1.0, 1e300, 1e-300])
def test_constant_targets(loss, value):
    fitted = tiny(GRURegressor, loss=loss, max_iter=20).fit(X, np.full(12, value))
    assert np.abs(fitted.predict(X) - value).max() <= 2 * value
    assert np.isfinite(fitted.loss_curve_).all()


def test_float32_stays_float32(loss):
    single = make_sequences(dtype=np.float32)
    fitted = tiny(GRURegressor, loss=loss).fit(single, Y, X_val=single, y_val=Y)
    assert fitted.predict(single).dtype == np.float32
    assert fitted.predict_interval(single, 0.5).dtype == np.float32
    assert {weight.dtype for weight in fitted.weights_.values()} == {np.dtype(np.float32)}
    double = tiny(GRURegressor, loss=loss).fit(X, Y)
    np.testing.assert_allclose(fitted.predict(single), double.predict(X), rtol=0.01)


# --- Poisson -------------------------------------------------------------------------------------


def test_poisson_wants_counts():
    estimator = tiny(RNNRegressor, loss="poisson")
    with pytest.raises(ValueError, match=r"not negative, but y holds -0\.5"):
        estimator.fit(X, Y - Y.min() - 0.5)
    with pytest.raises(ValueError, match="some are above zero"):
        estimator.fit(X, np.zeros(12))
    with pytest.raises(ValueError, match="some are above zero"):
        estimator.fit(X, np.c_[Y, np.zeros(12)])
    assert_unfitted(estimator)


def test_poisson_wants_counts_later_too():
    fitted = tiny(RNNRegressor, loss="poisson").fit(X, Y)
    with unchanged(fitted), pytest.raises(ValueError, match="not negative"):
        fitted.partial_fit(X, -Y)
    with unchanged(fitted), pytest.raises(ValueError, match="not negative"):
        fitted.fit(X, Y, X_val=X, y_val=-Y)
    fitted.partial_fit(X, np.zeros(12))  # by now the unit is known


def test_poisson_predictions_are_positive():
    y = np.where(Y > 10, 1e4, 0.0)
    fitted = tiny(RNNRegressor, loss="poisson", max_iter=200, learning_rate_init=0.05).fit(X, y)
    assert fitted.out_activation_ == "exp"
    assert (fitted.predict(X) > 0).all()
    assert fitted.predict(X)[y == 0].min() < 2000


def test_poisson_learns_a_rate():
    rng = np.random.default_rng(0)
    sequences = rng.normal(size=(300, 4, 1))
    rate = np.exp(1 + 0.8 * sequences[:, -1, 0])
    params = dict(loss="poisson", max_iter=60, early_stopping=False)
    fitted = tiny(GRURegressor, **params).fit(sequences, rng.poisson(rate))
    assert np.corrcoef(np.log(fitted.predict(sequences)), np.log(rate))[0, 1] > 0.95


def test_predictions_that_overflow_end_training_and_not_the_program():
    """A step so long that the exponential is infinite."""
    params = dict(loss="poisson", solver="sgd", learning_rate_init=1e6, max_grad_norm=None)
    estimator = tiny(RNNRegressor, early_stopping=True, validation_fraction=0.3, **params)
    with pytest.raises(ValueError, match="Training diverged in epoch 1"):
        estimator.fit(X, Y)
    assert_unfitted(estimator)


# --- Quantiles -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantiles", "shape"), [(0.5, ()), ([0.3], ()), ((0.1, 0.9), (2,)), (np.r_[0.2:0.8:4j], (4,))]
)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_shapes_of_quantiles(quantiles, shape, n_outputs):
    y = np.column_stack([Y] * n_outputs)
    fitted = tiny(GRURegressor, loss="quantile", quantiles=quantiles).fit(X, y)
    outputs = () if n_outputs == 1 else (n_outputs,)
    assert fitted.predict(X).shape == (12, *outputs, *shape)
    assert fitted.n_outputs_ == n_outputs * np.prod(shape, dtype=int)
    assert np.isscalar(fitted.score(X, y))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_shapes_of_quantiles_at_every_step(n_outputs):
    outputs = () if n_outputs == 1 else (n_outputs,)
    table = np.random.default_rng(0).normal(size=(6, 5, 2))
    y = np.random.default_rng(1).normal(size=(6, 5, *outputs))
    estimator = tiny(GRURegressor, loss="quantile", return_sequences=True)
    assert estimator.fit(table, y).predict(table).shape == (6, 5, *outputs, 3)
    ragged = estimator.fit(X, [np.ones((len(x), *outputs)) for x in X]).predict(X)
    assert [a.shape for a in ragged] == [(len(x), *outputs, 3) for x in X]


def test_outputs_do_not_mix_their_quantiles():
    y = np.c_[Y, 1000 + Y, -5 * Y]
    still = tiny(GRURegressor, loss="quantile", **STANDING_STILL).fit(X, y)
    expected = np.quantile(y, [0.1, 0.5, 0.9], axis=0, method="inverted_cdf").T
    np.testing.assert_allclose(still.weights_["bias_out"].reshape(3, 3), expected)


def test_quantiles_never_cross(seed):
    """Not even those of a network that has learned nothing yet."""
    quantiles = np.linspace(0.05, 0.95, 19)
    params = dict(loss="quantile", quantiles=quantiles, random_state=seed, learning_rate_init=0.1)
    fitted = tiny(GRURegressor, max_iter=20, **params).fit(X, Y)
    far = [100 * x for x in make_sequences(seed=7)]
    raw = np.array([forward.raw_prediction(fitted.weights_, x) for x in far])
    assert (np.diff(raw) < 0).any()
    assert (np.diff(fitted.predict(far)) >= 0).all()


@pytest.mark.parametrize(
    "quantiles",
    [
        [0.5, 0.1],
        [0.5, 0.5],
        [0.0, 0.5],
        [0.5, 1.0],
        [],
        [[0.1, 0.9]],
        [np.nan],
        ["a"],
        0,
        1.5,
        None,
    ],
    ids=str,
)
def test_wrong_quantiles(quantiles):
    estimator = tiny(GRURegressor, loss="quantile", quantiles=quantiles)
    with pytest.raises(ValueError, match="quantiles"):
        estimator.fit(X, Y)
    assert_unfitted(estimator)


def test_quantiles_are_calibrated_where_there_is_data():
    """Noise whose width the sequence tells: 10, 50 and 90 of a hundred lie below, everywhere."""
    rng = np.random.default_rng(0)
    sequences = rng.uniform(0, 1, size=(1500, 3, 1)).astype(np.float32)
    width = 0.2 + 2 * sequences[:, -1, 0]
    y = width * rng.normal(size=1500)
    params = dict(loss="quantile", max_iter=25, early_stopping=False, batch_size=64)
    fitted = tiny(GRURegressor, hidden_size=8, **params).fit(sequences[:1000], y[:1000])
    predicted = fitted.predict(sequences[1000:])
    below = y[1000:, None] <= predicted
    np.testing.assert_allclose(below.mean(axis=0), [0.1, 0.5, 0.9], atol=0.04)
    wide = width[1000:] > 1.2
    for part in (wide, ~wide):
        np.testing.assert_allclose(below[part].mean(axis=0), [0.1, 0.5, 0.9], atol=0.07)
    spread = predicted[:, 2] - predicted[:, 0]
    assert spread[wide].mean() > 2 * spread[~wide].mean()


def test_the_score_of_quantiles():
    """The mean of D^2 over quantiles and outputs: 0 is what constants reach, 1 the best."""
    y = np.c_[Y, Y**2]
    quantiles = (0.2, 0.7)
    fitted = tiny(GRURegressor, loss="quantile", quantiles=quantiles, max_iter=40).fit(X, y)
    predicted = fitted.predict(X)
    expected = [
        d2_pinball_score(y[:, k], predicted[:, k, j], alpha=q)
        for k in range(2)
        for j, q in enumerate(quantiles)
    ]
    np.testing.assert_allclose(fitted.score(X, y), np.mean(expected))
    assert 0 < fitted.score(X, y) < 1


# --- As of every estimator -----------------------------------------------------------------------


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_the_weights_are_all_that_a_prediction_is_made_of(Regressor, loss, n_outputs):
    y = np.column_stack([Y, 10 + 3 * Y])[:, :n_outputs]
    fitted = tiny(Regressor, loss=loss, max_iter=20).fit(X, y)
    raw = np.array([forward.raw_prediction(fitted.weights_, x) for x in X])
    if loss == "poisson":
        raw = np.exp(raw)
    if loss == "quantile":
        raw = np.sort(raw.reshape(12, n_outputs, 3), axis=2)
    np.testing.assert_allclose(fitted.predict(X), raw.squeeze(), rtol=1e-12)


def test_out_activation(loss):
    fitted = tiny(LSTMRegressor, loss=loss).fit(X, Y)
    assert fitted.out_activation_ == ("exp" if loss == "poisson" else "identity")


def test_each_loss_has_a_say():
    models = [tiny(GRURegressor, loss=loss).fit(X, Y) for loss in LOSSES[:4]]
    models.append(tiny(GRURegressor, loss="huber", huber_delta=0.1).fit(X, Y))
    for k, model in enumerate(models):
        assert not any(same_model(model, other) for other in models[:k])


def test_pickle_and_clone(loss):
    params = dict(loss=loss, quantiles=[0.2, 0.8], huber_delta=2.0)
    fitted = tiny(GRURegressor, **params).fit(X, Y, X_val=X, y_val=Y)
    again = pickled(fitted)
    assert_same_answers(again, fitted, X)
    np.testing.assert_array_equal(again.predict_interval(X, 0.6), fitted.predict_interval(X, 0.6))
    assert_same_model(clone(fitted).fit(X, Y, X_val=X, y_val=Y), fitted)


@pytest.mark.parametrize("other", LOSSES)
def test_parameters_that_change_after_fit_have_no_say(loss, other):
    fitted = tiny(GRURegressor, loss=loss).fit(X, Y)
    expected, score = fitted.predict(X), fitted.score(X, Y)
    fitted.set_params(loss=other, quantiles=0.3, huber_delta=9.0)
    np.testing.assert_array_equal(fitted.predict(X), expected)
    assert fitted.score(X, Y) == score
    assert fitted.weights_["bias_out"].shape == (3 if loss == "quantile" else 1,)


@pytest.mark.parametrize("other", LOSSES)
def test_warm_start_with_another_loss(loss, other):
    warm = tiny(GRURegressor, loss=loss, warm_start=True).fit(X, Y).set_params(loss=other)
    if other == loss:
        warm.fit(X, Y)
        return
    message = f"loss='{loss}' and cannot go on with loss='{other}'"
    with unchanged(warm), pytest.raises(ValueError, match=message):
        warm.fit(X, Y)


@pytest.mark.parametrize(
    ("loss", "change"),
    [("quantile", dict(quantiles=[0.1, 0.4, 0.9])), ("huber", dict(huber_delta=3.0))],
)
def test_warm_start_with_another_meaning(loss, change):
    warm = tiny(GRURegressor, loss=loss, warm_start=True).fit(X, Y).set_params(**change)
    with unchanged(warm), pytest.raises(ValueError, match=f"{next(iter(change))}=.* cannot go on"):
        warm.fit(X, Y)


def test_going_on_is_training_on(loss):
    """Three warm fits, or three calls of partial_fit, of one epoch are one fit of three."""
    whole = tiny(GRURegressor, loss=loss).fit(X, Y)
    warm = tiny(GRURegressor, loss=loss, warm_start=True, max_iter=1)
    step = tiny(GRURegressor, loss=loss)
    for _ in range(3):
        warm.fit(X, Y)
        step.partial_fit(X, Y)
    assert_same_model(warm, whole)
    assert_same_model(step, whole)


def test_a_step_without_target_has_no_say(loss):
    rng = np.random.default_rng(0)
    y = [rng.uniform(1, 5, size=len(x)) for x in X]
    gaps = [np.where(np.arange(len(a)) == 1, np.nan, a) for a in y]
    params = dict(loss=loss, return_sequences=True)
    fitted = tiny(GRURegressor, **params).fit(X, gaps)
    weight = [np.where(np.arange(len(a)) == 1, 0.0, 1.0) for a in y]
    assert_same_model(fitted, tiny(GRURegressor, **params).fit(X, y, weight))


def test_wrong_losses():
    with pytest.raises(ValueError, match="'loss' parameter of GRURegressor must be a str among"):
        tiny(GRURegressor, loss="mse").fit(X, Y)
    for delta in (0, -1.0, np.nan, True, "x"):
        with pytest.raises(ValueError, match="'huber_delta' parameter"):
            tiny(GRURegressor, loss="huber", huber_delta=delta).fit(X, Y)
    with pytest.raises(TypeError, match="unexpected keyword argument 'loss'"):
        RNNClassifier(loss="huber")


def test_grid_search_over_losses():
    rng = np.random.default_rng(0)
    sequences = rng.normal(size=(60, 4, 1))
    y = sequences[:, -1, 0] + np.where(np.arange(60) % 10 == 0, 30.0, 0.0)
    member = tiny(RNNRegressor, max_iter=60, early_stopping=False)
    grid = {"loss": ["squared_error", "huber", "absolute_error"]}
    search = GridSearchCV(member, grid, cv=3, scoring="neg_median_absolute_error")
    search.fit(sequences, y)
    assert search.best_params_["loss"] != "squared_error"
    predicted = cross_val_predict(tiny(RNNRegressor, loss="quantile"), sequences, y, cv=3)
    assert predicted.shape == (60, 3)
