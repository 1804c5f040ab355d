"""Prediction intervals: what is promised of them holds, and what cannot be promised is refused."""

import csv
import gzip

import numpy as np
import pytest
from scipy import stats

from sklearn_rnn import GRURegressor, LSTMRegressor, RNNClassifier, RNNRegressor, make_windows
from sklearn_rnn._estimators.intervals import MAX_CALIBRATION
from tests.helpers import (
    STANDING_STILL,
    make_sequences,
    make_targets,
    object_array,
    tiny,
    unchanged,
)

X = make_sequences()
Y = make_targets(RNNRegressor())
X_VAL, Y_VAL = make_sequences([4] * 30, seed=2), make_targets(RNNRegressor(), 30, seed=3)


def calibrated(y=Y, y_val=Y_VAL, Regressor=GRURegressor, **params):
    params = {"early_stopping": False, **params}
    return tiny(Regressor, **params).fit(X, y, X_val=X_VAL, y_val=y_val)


def held(intervals, y):
    return (intervals[..., 0] <= y) & (y <= intervals[..., 1])


# --- The guarantee -------------------------------------------------------------------------------

LEARNERS = {
    "around-the-mean": {},
    "around-the-median": dict(loss="absolute_error"),
    "around-one-quantile": dict(loss="quantile", quantiles=0.3),
    "between-quantiles": dict(loss="quantile", quantiles=(0.1, 0.9)),
    "between-wrong-quantiles": dict(loss="quantile", quantiles=(0.4, 0.8)),
}


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=LEARNERS)
@pytest.mark.parametrize(("n", "coverage"), [(19, 0.9), (30, 0.8), (9, 0.9)])
def test_the_law_of_the_coverage(learner, n, coverage):
    """Over validation sets it is Beta(k, n + 1 - k) with k = ceil((n + 1) coverage), exactly.

    Vovk (2012). Its mean is k / (n + 1), which is the guarantee. Each draw is a fit of its own;
    targets are exponential and X says nothing, so that an interval's coverage is known.
    """
    rng = np.random.default_rng(0)
    blank = np.zeros((n, 1, 1))
    model, y = tiny(RNNRegressor, **learner, **STANDING_STILL), rng.exponential(size=40)
    model.set_params(hidden_size=1, early_stopping=False)
    covered = []
    for _ in range(150):
        model.fit(np.zeros((40, 1, 1)), y, X_val=blank, y_val=rng.exponential(size=n))
        low, high = model.predict_interval(blank[:1], coverage)[0]
        covered.append(np.diff(stats.expon.cdf([low, high])).item())
    k = int(np.ceil(round((n + 1) * coverage, 9)))
    law = stats.beta(k, n + 1 - k)
    assert stats.kstest(covered, law.cdf).pvalue > 0.01
    assert law.mean() >= coverage
    assert abs(np.mean(covered) - law.mean()) < 3 * law.std() / np.sqrt(150)


def test_the_guarantee_holds_for_any_model_and_data():
    """Unequal noise, a bad model, fresh data: the share of targets inside is what was asked."""
    rng = np.random.default_rng(0)

    def draw(n):
        sequences = rng.uniform(size=(n, 3, 1))
        return sequences, 5 * sequences[:, 0, 0] + sequences[:, -1, 0] * rng.normal(size=n)

    params = dict(loss="quantile", max_iter=5, early_stopping=False)
    inside = []
    for _ in range(40):
        X_val, y_val = draw(49)
        model = tiny(RNNRegressor, **params).fit(*draw(20), X_val=X_val, y_val=y_val)
        X_new, y_new = draw(200)
        inside.append(held(model.predict_interval(X_new, 0.8), y_new).mean())
    error = np.sqrt(0.8 * 0.2 / 50 / 40 + 0.8 * 0.2 / 200 / 40)
    assert abs(np.mean(inside) - 0.8) < 3 * error


def test_more_coverage_takes_more_width():
    model = calibrated(loss="quantile", quantiles=(0.1, 0.9))
    widths = [np.ptp(model.predict_interval(X, c), axis=1) for c in (0.3, 0.6, 0.9)]
    assert (np.diff(widths, axis=0) >= 0).all()


# --- By hand -------------------------------------------------------------------------------------


def kth(scores, coverage):
    """The margin: the k-th smallest of n scores, k = ceil((n + 1) coverage)."""
    return np.sort(scores)[int(np.ceil(round((len(scores) + 1) * coverage, 9))) - 1]


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
@pytest.mark.parametrize("coverage", [0.05, 0.5, 0.9, 30 / 31])
def test_around_a_prediction(Regressor, loss, coverage):
    model = calibrated(Regressor=Regressor, loss=loss)
    margin = kth(np.abs(Y_VAL - model.predict(X_VAL)), coverage)
    predicted = model.predict(X)
    expected = np.c_[predicted - margin, predicted + margin]
    np.testing.assert_allclose(model.predict_interval(X, coverage), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("coverage", "pair"), [(0.9, (0, 4)), (0.8, (0, 4)), (0.5, (1, 3)), (0.1, (2, 2))]
)
def test_between_the_nearest_two_quantiles(coverage, pair):
    """Conformalised quantile regression, from the formulas of Romano et al. (2019)."""
    model = calibrated(loss="quantile", quantiles=(0.1, 0.3, 0.5, 0.7, 0.9), max_iter=20)
    low, high = model.predict(X_VAL)[:, pair].T
    margin = kth(np.maximum(low - Y_VAL, Y_VAL - high), coverage)
    expected = model.predict(X)[:, pair] + [-margin, margin]
    intervals = model.predict_interval(X, coverage)
    np.testing.assert_allclose(intervals, np.sort(expected, axis=1), rtol=1e-12)


def test_quantiles_that_are_too_far_apart_are_drawn_in():
    model = calibrated(loss="quantile", quantiles=(0.01, 0.99), y_val=np.full(30, Y.mean()))
    width = np.ptp(model.predict(X), axis=1)
    assert (np.ptp(model.predict_interval(X, 0.5), axis=1) < width).all()
    assert (np.diff(model.predict_interval(X, 0.5), axis=1) >= 0).all()


def test_several_outputs_have_a_margin_each():
    y, y_val = np.c_[Y, 100 * Y], np.c_[Y_VAL, 1000 * Y_VAL]
    for params in ({}, dict(loss="quantile", quantiles=(0.1, 0.9))):
        model = calibrated(y, y_val, **params)
        intervals = model.predict_interval(X, 0.8)
        assert intervals.shape == (12, 2, 2)
        predicted = model.predict(X_VAL).reshape(30, 2, -1)
        for k in range(2):
            low, high = predicted[:, k, 0], predicted[:, k, -1]
            margin = kth(np.maximum(low - y_val[:, k], y_val[:, k] - high), 0.8)
            ends = model.predict(X).reshape(12, 2, -1)[:, k, [0, -1]] + [-margin, margin]
            np.testing.assert_allclose(intervals[:, k], ends)


def test_poisson_intervals_do_not_go_below_zero():
    model = calibrated(np.abs(Y), 10 * np.abs(Y_VAL), loss="poisson")
    intervals = model.predict_interval(X, 0.9)
    assert (intervals[:, 0] == 0).any()
    assert (intervals[:, 1] > 0).all()
    assert (calibrated(np.abs(Y), 10 * np.abs(Y_VAL)).predict_interval(X, 0.9)[:, 0] < 0).any()


# --- At every step -------------------------------------------------------------------------------


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("params", [{}, dict(loss="quantile")], ids=["mean", "quantiles"])
def test_at_every_step(params, n_outputs):
    rng = np.random.default_rng(0)
    outputs = () if n_outputs == 1 else (n_outputs,)
    y = [rng.normal(size=(len(x), *outputs)) for x in X]
    y_val = rng.normal(size=(30, 4, *outputs))
    y_val[::3, 1] = np.nan
    model = tiny(GRURegressor, return_sequences=True, early_stopping=False, **params)
    model.fit(X, y, X_val=X_VAL, y_val=y_val)
    ragged = model.predict_interval(X, 0.8)
    assert ragged.dtype == object
    assert [a.shape for a in ragged] == [(len(x), *outputs, 2) for x in X]
    intervals = model.predict_interval(np.array(X_VAL), 0.8)
    assert intervals.shape == (30, 4, *outputs, 2)
    scored = ~np.isnan(y_val.reshape(120, -1)[:, 0])
    n = scored.sum()
    inside = held(intervals, y_val).reshape(120, -1)[scored].sum(axis=0)
    # Of these very samples; one of them lies on the border.
    assert (np.abs(inside + 0.5 - np.ceil(0.8 * (n + 1))) < 1).all()


# --- What it was calibrated on -------------------------------------------------------------------


def test_early_stopping_leaves_a_validation_set():
    table = np.random.default_rng(0).normal(size=(60, 3))
    params = dict(early_stopping=True, validation_fraction=0.5)
    model = tiny(LSTMRegressor, **params).fit(table, table[:, 0])
    assert model.predict_interval(table, 0.9).shape == (60, 2)
    with pytest.raises(ValueError, match=r"at least 99 validation samples .* the fit had 30"):
        model.predict_interval(table, 0.99)


@pytest.mark.parametrize(
    ("n", "coverage", "needed", "most"),
    [(8, 0.9, 9, "0.889"), (3, 0.8, 4, "0.75"), (18, 0.95, 19, "0.947"), (1, 0.55, 2, "0.5")],
)
def test_too_few_to_say(n, coverage, needed, most):
    model = tiny(GRURegressor, early_stopping=False)
    model.fit(X, Y, X_val=X_VAL[:n], y_val=Y_VAL[:n])
    message = (
        f"coverage={coverage} needs at least {needed} validation samples to calibrate on, and "
        f"the fit had {n}: .* at most {most}"
    )
    with pytest.raises(ValueError, match=message):
        model.predict_interval(X, coverage)
    assert np.isfinite(model.predict_interval(X, n / (n + 1))).all()
    model.fit(X, Y, X_val=X_VAL[:needed], y_val=Y_VAL[:needed])
    assert np.isfinite(model.predict_interval(X, coverage)).all()


def test_of_many_samples_a_thousand_are_kept():
    rng = np.random.default_rng(0)
    sizes = {}
    for n in (MAX_CALIBRATION, 20 * MAX_CALIBRATION):
        table, y = rng.normal(size=(n, 1)), rng.normal(size=n)
        model = tiny(RNNRegressor, early_stopping=False).fit(
            table[:40], y[:40], X_val=table, y_val=y
        )
        sizes[n] = sum(a.nbytes for a in vars(model).values() if isinstance(a, np.ndarray))
        share = held(model.predict_interval(table, 0.9), y).mean()
        assert abs(share - 0.9) < 4 * np.sqrt(0.9 * 0.1 / MAX_CALIBRATION)
        same = tiny(RNNRegressor, early_stopping=False).fit(
            table[:40], y[:40], X_val=table, y_val=y
        )
        np.testing.assert_array_equal(
            same.predict_interval(table, 0.9), model.predict_interval(table, 0.9)
        )
    assert len(set(sizes.values())) == 1
    with pytest.raises(ValueError, match=r"at least 1999 .* no more than 1000 are kept"):
        model.predict_interval(table, 0.9995)


def test_samples_without_weight_are_not_calibrated_on():
    weight = np.append(np.ones(20), np.zeros(10))
    model = tiny(GRURegressor, early_stopping=False)
    zero = model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weight)
    expected = zero.predict_interval(X, 0.9)
    gone = model.fit(X, Y, X_val=X_VAL[:20], y_val=Y_VAL[:20])
    np.testing.assert_array_equal(gone.predict_interval(X, 0.9), expected)


@pytest.mark.parametrize("go_on", ["partial_fit", "warm_start", "fit"])
def test_a_calibration_ends_with_its_model(go_on):
    """Whoever trains on without validation data has other residuals, which nobody knows."""
    model = calibrated()
    assert np.isfinite(model.predict_interval(X)).all()
    if go_on == "partial_fit":
        model.partial_fit(X, Y)
    else:
        model.set_params(warm_start=go_on == "warm_start").fit(X, Y)
    with pytest.raises(ValueError, match="needs validation data to calibrate on"):
        model.predict_interval(X)


# --- Without validation data ---------------------------------------------------------------------


def test_without_validation_data_there_is_no_interval(Regressor):
    model = tiny(Regressor).fit(X, Y)
    message = r'fit with X_val and y_val, .* loss="quantile" with quantiles=\[0\.05, 0\.95\]'
    with unchanged(model), pytest.raises(ValueError, match=message):
        model.predict_interval(X)


def test_learned_quantiles_are_answered_as_they_are():
    model = tiny(GRURegressor, loss="quantile", quantiles=(0.05, 0.1, 0.9, 0.95)).fit(X, Y)
    predicted = model.predict(X)
    np.testing.assert_array_equal(model.predict_interval(X, 0.9), predicted[:, [0, 3]])
    np.testing.assert_array_equal(model.predict_interval(X, 0.8), predicted[:, [1, 2]])
    with pytest.raises(ValueError, match=r"coverage=0.5 needs the quantiles 0.25 and 0.75, but"):
        model.predict_interval(X, 0.5)


@pytest.mark.parametrize("quantiles", [0.5, (0.05, 0.5), (0.1, 0.9)])
def test_learned_quantiles_that_do_not_fit(quantiles):
    model = tiny(GRURegressor, loss="quantile", quantiles=quantiles).fit(X, Y)
    with pytest.raises(ValueError, match=r"needs the quantiles 0\.05 and 0\.95"):
        model.predict_interval(X, 0.9)


@pytest.mark.parametrize("coverage", [0, 1, -0.5, 1.5, np.nan, True, "0.9", None, [0.9]])
def test_wrong_coverages(coverage):
    with pytest.raises(ValueError, match="coverage must be between 0 and 1, got"):
        calibrated().predict_interval(X, coverage)


def test_containers_and_errors_are_those_of_predict():
    model = calibrated()
    expected = model.predict_interval(X)
    np.testing.assert_array_equal(model.predict_interval(object_array(X)), expected)
    with pytest.raises(ValueError, match="X has 3 features"):
        model.predict_interval(make_sequences(n_features=3))
    assert not hasattr(RNNClassifier, "predict_interval")


# --- Real data -----------------------------------------------------------------------------------


def test_coverage_of_the_traffic_of_the_next_hour(shared_path):
    """Metro Interstate traffic: windows of a day in random order, so that all are exchangeable."""
    with gzip.open(shared_path("traffic_volume.csv.gz"), "rt") as file:
        series = [float(row["traffic_volume"]) for row in csv.DictReader(file)]
    windows = make_windows(np.array(series) / 1000, window=24, stride=3)
    order = np.random.default_rng(0).permutation(len(windows.X))
    X, y = windows.X[order].astype(np.float32), np.ravel(windows.y)[order]
    train, val, test = slice(0, 2000), slice(2000, 3000), slice(3000, None)
    model = GRURegressor(
        16, loss="quantile", quantiles=(0.2, 0.8), max_iter=3, early_stopping=False, random_state=0
    ).fit(X[train], y[train], X_val=X[val], y_val=y[val])
    intervals = model.predict_interval(X[test], 0.9)
    n = len(y[test])
    error = np.sqrt(0.9 * 0.1 / 1000 + 0.9 * 0.1 / n)
    assert n > 2000
    assert abs(held(intervals, y[test]).mean() - 0.9) < 3 * error
    widths = np.ptp(intervals, axis=1)
    busy = y[test] > 1
    assert widths[busy].mean() > widths[~busy].mean()
