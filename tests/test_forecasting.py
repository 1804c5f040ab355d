"""RecurrentForecaster against forecasts made by hand, and a future that it must not see."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RecurrentForecaster,
    RNNRegressor,
    SequenceArray,
)
from tests.benchmarks.forecasting import TASKS, baselines, run
from tests.helpers import fingerprint, unchanged

LENGTH = 120
WAVE = 50 + 10 * np.sin(0.4 * np.arange(LENGTH)) + np.random.default_rng(0).normal(size=LENGTH)
PAIR = np.column_stack([WAVE, -3 * WAVE])
KNOWN = np.column_stack([np.cos(np.arange(LENGTH + 30)), np.arange(LENGTH + 30) % 7])


def tiny(estimator=None, **params):
    """Make a forecaster that is fitted in a few milliseconds."""
    estimator = estimator or GRURegressor(hidden_size=4, max_iter=2)
    return RecurrentForecaster(estimator, **{"window": 8, "random_state": 0, **params})


def ar_series(length, seed, coefficient=0.8):
    """Simulate a first-order autoregression with normal shocks."""
    rng = np.random.default_rng(seed)
    series = rng.normal(size=length)
    for t in range(1, length):
        series[t] += coefficient * series[t - 1]
    return series


# --- Forecasts made by hand ----------------------------------------------------------------------


def by_hand(forecaster, series, horizon, known=None, past=None):
    """Forecast one univariate series step by step, from the fitted network and nothing else."""
    fitted, mean, std = forecaster.estimator_, WAVE.mean(), WAVE.std()
    step = forecaster.horizon if forecaster.strategy == "direct" else 1
    rows = list((series - mean) / std)
    while len(rows) < len(series) + horizon:
        window = np.array(rows[-forecaster.window :])
        level = 0.0 if forecaster.normalize is None else window[-1]
        scale = window.std() if forecaster.normalize == "window" else 1.0
        columns = [(window - level) / scale]
        first = len(rows) - forecaster.window
        if past is not None:
            columns.append((past[first : len(rows)] - past.mean()) / past.std())
        if known is not None:
            standardised = (known - known[: len(series)].mean(0)) / known[: len(series)].std(0)
            columns += [*standardised[first : len(rows)].T]
            columns += [*standardised[first + step : len(rows) + step].T]
        answer = fitted.predict(np.stack(columns, axis=1)[np.newaxis]).ravel()
        rows += list(answer * scale + level)
    return np.array(rows[len(series) :][:horizon]) * std + mean


@pytest.mark.parametrize("normalize", ["last", "window", None])
@pytest.mark.parametrize(
    ("strategy", "horizon", "asked"),
    [("direct", 1, 1), ("direct", 3, 3), ("direct", 3, 2), ("direct", 3, 8), ("recursive", 3, 5)],
)
def test_forecasts_equal_those_made_by_hand(normalize, strategy, horizon, asked):
    params = dict(horizon=horizon, strategy=strategy, normalize=normalize)
    for known in (None, KNOWN):
        forecaster = tiny(**params).fit(WAVE, future_exog=known)
        expected = by_hand(forecaster, WAVE, asked, known)
        np.testing.assert_allclose(forecaster.predict(asked), expected, rtol=1e-10)


def test_past_covariates_enter_the_window():
    past = np.cos(np.arange(LENGTH)) + 5
    forecaster = tiny(horizon=3).fit(WAVE, past_exog=past)
    np.testing.assert_allclose(
        forecaster.predict(), by_hand(forecaster, WAVE, 3, past=past), rtol=1e-10
    )


@pytest.mark.parametrize("Estimator", [RNNRegressor, LSTMRegressor, GRURegressor])
def test_what_is_learned_is_what_follows(Estimator):
    """A noiseless sine goes on as it was, far beyond the horizon."""
    sine = np.sin(0.3 * np.arange(460))
    estimator = Estimator(hidden_size=16, learning_rate_init=0.01, max_iter=40)
    forecaster = RecurrentForecaster(estimator, window=24, horizon=10, random_state=0)
    forecaster.fit(sine[:400])
    assert np.abs(forecaster.predict(30) - sine[400:430]).max() < 0.2


def test_future_covariates_are_used_and_past_ones_too():
    """What comes is told by one covariate ahead, or was told by another the row before."""
    signal = np.random.default_rng(1).normal(size=401)
    estimator = GRURegressor(hidden_size=8, learning_rate_init=0.02, max_iter=40)
    forecaster = RecurrentForecaster(estimator, window=6, random_state=0)
    for covariate in (
        dict(future_exog=signal[:400]),
        dict(past_exog=signal[1:]),
    ):
        result = forecaster.backtest(signal[:400], initial=300, **covariate)
        assert result.error < 0.3
    assert forecaster.backtest(signal[:400], initial=300).error > 0.8


def test_series_that_grow_in_proportion():
    """With normalize="window", a series ten times as large is forecast ten times as large."""
    growth = np.exp(0.02 * np.arange(LENGTH)) * (1.2 + np.sin(0.5 * np.arange(LENGTH)))
    forecaster = tiny(horizon=3, normalize="window").fit(growth)
    large = forecaster.predict(series=10 * growth)
    np.testing.assert_allclose(large, 10 * forecaster.predict(series=growth))
    shifted = tiny(horizon=3).fit(growth)
    np.testing.assert_allclose(
        shifted.predict(series=growth + 70), shifted.predict(series=growth) + 70
    )


def test_series_of_different_size_are_learned_alike_from_normalised_windows():
    """Waves of sizes 1 to 1,000, none of them seen in training."""
    rng = np.random.default_rng(0)
    sizes = 10 ** rng.uniform(0, 3, size=40)
    phases = rng.uniform(0, 6, size=(40, 1))
    waves = 5 + np.sin(0.3 * np.arange(156) + phases) + 0.1 * rng.normal(size=(40, 156))
    series = list(waves * sizes[:, np.newaxis])
    estimator = GRURegressor(hidden_size=8, learning_rate_init=0.02, max_iter=15)
    errors = {}
    for normalize in ("last", "window"):
        forecaster = RecurrentForecaster(
            estimator, window=21, horizon=6, normalize=normalize, stride=4, random_state=0
        ).fit(series[:20])
        forecasts = np.array(forecaster.predict(series=[each[:150] for each in series[20:]]))
        errors[normalize] = np.mean(np.abs(forecasts - np.array(series)[20:, 150:]).T / sizes[20:])
    assert errors["window"] < 0.15
    assert errors["window"] < errors["last"] / 2


def test_a_constant_series_goes_on():
    for normalize in ("last", "window", None):
        forecaster = tiny(normalize=normalize, horizon=2).fit(np.full(60, 7.0))
        np.testing.assert_allclose(forecaster.predict(), 7)
        np.testing.assert_allclose(forecaster.predict_interval(coverage=0.5), 7)


# --- Containers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "shape"),
    [
        (WAVE, (3,)),
        (WAVE.tolist(), (3,)),
        (WAVE[:, np.newaxis], (3, 1)),
        (PAIR, (3, 2)),
        (pl.Series(WAVE), (3,)),
        (np.stack([PAIR, PAIR]), (2, 3, 2)),
    ],
    ids=["array", "list", "column", "columns", "polars series", "3-D"],
)
def test_shapes(series, shape):
    forecaster = tiny(horizon=3).fit(series)
    assert forecaster.predict().shape == shape
    assert forecaster.predict_interval(coverage=0.5).shape == (*shape, 2)
    np.testing.assert_array_equal(forecaster.predict(), forecaster.predict(series=series))


def test_several_series_in_a_list():
    series = [WAVE, WAVE[:70] + 3, WAVE[20:]]
    forecaster = tiny(horizon=3).fit(series)
    forecasts = forecaster.predict(5)
    assert [forecast.shape for forecast in forecasts] == [(5,)] * 3
    np.testing.assert_allclose(forecasts[1], forecaster.predict(5, series=series[1]))
    packed = SequenceArray.from_sequences(series)
    for one, other in zip(forecasts, tiny(horizon=3).fit(packed).predict(5), strict=True):
        np.testing.assert_array_equal(one, other[:, 0])


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (
            pd.date_range("2020-01-31", periods=LENGTH, freq="ME"),
            ["2030-01-31 00:00:00", "2030-02-28 00:00:00"],
        ),
        (
            pd.DatetimeIndex(pd.date_range("2020", periods=LENGTH, freq="h").values),
            ["2020-01-06 00:00:00", "2020-01-06 01:00:00"],
        ),
        (pd.period_range("2020-01", periods=LENGTH, freq="M"), ["2030-01", "2030-02"]),
        (pd.RangeIndex(10, 10 + 2 * LENGTH, 2), ["250", "252"]),
        (pd.Index(np.arange(LENGTH) / 2), ["60.0", "60.5"]),
        (pd.Index([f"r{i}" for i in range(LENGTH)]), ["120", "121"]),
    ],
    ids=["months", "inferred", "periods", "range", "numbers", "text"],
)
def test_index_of_pandas_is_continued(index, expected):
    forecaster = tiny(horizon=2).fit(pd.Series(WAVE, index=index, name="wave"))
    forecast = forecaster.predict()
    assert forecast.name == "wave"
    assert [str(time) for time in forecast.index] == expected
    intervals = forecaster.predict_interval(coverage=0.5)
    assert intervals.columns.tolist() == ["lower", "upper"]
    assert intervals.index.equals(forecast.index)


def test_columns_of_frames():
    frame = pd.DataFrame(PAIR, columns=["a", "b"])
    forecaster = tiny(horizon=2).fit(frame)
    assert forecaster.predict().columns.tolist() == ["a", "b"]
    columns = forecaster.predict_interval(coverage=0.5).columns.tolist()
    assert columns == [("a", "lower"), ("a", "upper"), ("b", "lower"), ("b", "upper")]
    assert forecaster.feature_names_in_.tolist() == ["a", "b"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    assert tiny().fit(WAVE.astype(dtype)).predict().dtype == dtype


# --- Covariates ----------------------------------------------------------------------------------


def test_future_covariates_of_fit_or_of_predict_say_the_same():
    with_steps = tiny(horizon=4).fit(WAVE, future_exog=KNOWN)
    without = tiny(horizon=4).fit(WAVE, future_exog=KNOWN[:LENGTH])
    expected = with_steps.predict()
    given = without.predict(future_exog=KNOWN[LENGTH : LENGTH + 4])
    anew = without.predict(series=WAVE, future_exog=KNOWN)
    np.testing.assert_array_equal(expected, given)
    np.testing.assert_array_equal(expected, anew)


def test_covariates_of_several_series_stay_with_them():
    series, known = [WAVE, WAVE[:90]], [KNOWN, KNOWN[5 : 5 + 94]]
    forecaster = tiny(horizon=4).fit(series, future_exog=known, past_exog=series)
    for i in range(2):
        alone = forecaster.predict(series=series[i], past_exog=series[i], future_exog=known[i])
        np.testing.assert_allclose(forecaster.predict()[i], alone)


def test_rows_of_covariates_are_counted():
    with pytest.raises(ValueError, match=r"^past_exog has 119 rows, but series has 120"):
        tiny().fit(WAVE, past_exog=WAVE[1:])
    with pytest.raises(ValueError, match=r"^future_exog\[1\] has 119 rows, .*least 120 are needed"):
        tiny().fit([WAVE, WAVE], future_exog=[WAVE, WAVE[1:]])
    with pytest.raises(ValueError, match=r"^future_exog has 2 series, but series has 1"):
        tiny().fit(WAVE, future_exog=[WAVE, WAVE])
    forecaster = tiny(horizon=4).fit(WAVE, future_exog=KNOWN[: LENGTH + 1])
    message = r"future_exog ends 1 row\(s\) after .* 4 step\(s\) needs 4 \(3 more\)"
    with pytest.raises(ValueError, match=message):
        forecaster.predict()
    with pytest.raises(ValueError, match=r"needs 8 \(3 more\)"):
        forecaster.predict(6, future_exog=KNOWN[:5])
    with pytest.raises(ValueError, match=r"future_exog has 1 column\(s\), but 2 in fit"):
        forecaster.predict(future_exog=KNOWN[:4, 0])
    with pytest.raises(ValueError, match=r"future_exog has 0 column\(s\), but 2 in fit"):
        forecaster.predict(series=WAVE)
    with pytest.raises(ValueError, match=r"future_exog has 2 column\(s\), but 0 in fit"):
        tiny().fit(WAVE).predict(future_exog=KNOWN[:4])


def test_past_covariates_are_not_fed_back():
    with pytest.raises(ValueError, match='horizon=3 and strategy="direct"'):
        tiny(strategy="recursive", horizon=3).fit(WAVE, past_exog=WAVE)
    forecaster = tiny(horizon=3).fit(WAVE, past_exog=WAVE)
    with pytest.raises(ValueError, match=r"A forecast of 4 steps .* horizon=4"):
        forecaster.predict(4)
    with pytest.raises(ValueError, match="past_exog goes with series"):
        forecaster.predict(past_exog=WAVE)


def test_a_window_has_room_for_the_covariates_of_the_horizon():
    with pytest.raises(ValueError, match="window=8 is shorter than horizon=9"):
        tiny(horizon=9).fit(WAVE, future_exog=KNOWN)


# --- No look ahead -------------------------------------------------------------------------------


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("covariates", [False, True])
def test_a_poisoned_future_changes_no_earlier_forecast(refit, covariates):
    horizon, poisoned_row = 3, 100
    known = {"past_exog": WAVE[::-1].copy(), "future_exog": KNOWN} if covariates else {}
    options = dict(initial=80, step=3, refit=refit, coverage=0.5)
    forecaster = tiny(horizon=horizon)
    clean = forecaster.backtest(WAVE, **known, **options)
    series = WAVE.copy()
    series[poisoned_row:] = 1e6
    if covariates:
        known = {name: values.copy() for name, values in known.items()}
        known["past_exog"][poisoned_row:] = -1e6
        known["future_exog"][poisoned_row + horizon :] = 1e6
    poisoned = forecaster.backtest(series, **known, **options)
    early = clean.origins <= poisoned_row
    assert 0 < early.sum() < len(early)
    np.testing.assert_array_equal(clean.forecasts[early], poisoned.forecasts[early])
    np.testing.assert_array_equal(clean.intervals[early], poisoned.intervals[early])
    assert not np.array_equal(clean.forecasts[~early], poisoned.forecasts[~early])


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
def test_backtest_equals_fits_and_predictions_one_by_one(strategy):
    forecaster = tiny(horizon=2, strategy=strategy)
    for refit in (False, True):
        result = forecaster.backtest(
            WAVE, future_exog=KNOWN, initial=100, step=5, horizon=4, refit=refit
        )
        assert result.origins.tolist() == [100, 105, 110, 115]
        for i, origin in enumerate(result.origins):
            end = origin if refit else 100
            fitted = clone(forecaster).fit(WAVE[:end], future_exog=KNOWN[:end])
            alone = fitted.predict(4, series=WAVE[:origin], future_exog=KNOWN[: origin + 4])
            np.testing.assert_allclose(result.forecasts[i], alone, rtol=1e-10)
            np.testing.assert_array_equal(result.truths[i], WAVE[origin : origin + 4])


def test_backtest_of_several_series():
    series = [PAIR, PAIR[:90]]
    result = tiny(horizon=4).backtest(series, initial=0.8, metric=mean_absolute_error, refit=True)
    assert result.groups.tolist() == [0] * 6 + [1] * 4
    assert result.origins.tolist() == [96, 100, 104, 108, 112, 116, 72, 76, 80, 84]
    assert result.forecasts.shape == (10, 4, 2)
    np.testing.assert_allclose(result.error, np.abs(result.forecasts - result.truths).mean())
    np.testing.assert_allclose(
        result.errors, np.abs(result.forecasts - result.truths).mean(axis=(0, 2))
    )


def test_held_out_windows_share_no_target_with_training(monkeypatch):
    """Training sees no row at or after the first held-out target."""
    seen = {}
    original = GRURegressor.fit

    def fit(self, X, y, **validation):
        seen.update(X=X, y=y, **validation)
        return original(self, X, y, **validation)

    monkeypatch.setattr(GRURegressor, "fit", fit)
    count = np.arange(float(LENGTH))
    for stride in (1, 2):
        forecaster = tiny(horizon=5, normalize=None, stride=stride).fit(count)
        rows = {
            name: np.round(values * count.std() + count.mean()).astype(int)
            for name, values in seen.items()
        }
        assert max(rows["X"].max(), rows["y"].max()) < rows["y_val"].min()
        assert rows["y_val"].min() - rows["y"].max() <= stride
        assert rows["y_val"].max() >= LENGTH - stride
        assert len(rows["y_val"]) == forecaster.n_held_out_ == round(0.1 * 108 / stride)
        assert len(rows["y"]) == forecaster.n_windows_


def test_without_held_out_windows_all_are_trained_on():
    estimator = GRURegressor(hidden_size=4, max_iter=3, early_stopping=True)
    forecaster = tiny(estimator, validation_fraction=None).fit(WAVE)
    assert forecaster.n_windows_ == LENGTH - 8
    assert forecaster.n_held_out_ == 0
    assert forecaster.estimator_.validation_scores_ is None
    assert estimator.early_stopping
    with pytest.raises(ValueError, match="fit with a validation_fraction"):
        forecaster.predict_interval()


# --- Intervals -----------------------------------------------------------------------------------


def test_intervals_cover_what_they_say_and_widen_with_the_lead():
    """Averaged over simulated series; each step's share of an AR(1) is as promised."""
    estimator = RNNRegressor(hidden_size=4, max_iter=8, learning_rate_init=0.01)
    forecaster = RecurrentForecaster(
        estimator, window=6, horizon=4, validation_fraction=0.3, random_state=0
    )
    coverages, widths = [], []
    for seed in range(5):
        result = forecaster.backtest(ar_series(1000, seed), initial=600, step=1, coverage=0.8)
        coverages.append(result.coverages)
        widths.append(np.diff(result.intervals, axis=-1).mean(axis=(0, 2)))
    assert np.abs(np.mean(coverages, axis=0) - 0.8).max() < 0.06
    assert (np.diff(np.mean(widths, axis=0)) > 0).all()


def test_margins_are_quantiles_of_the_held_out_errors():
    forecaster = tiny(horizon=2).fit(WAVE)
    n_held_out = forecaster.n_held_out_
    origins = np.arange(LENGTH - n_held_out - 1, LENGTH - 1)
    errors = np.array(
        [np.abs(forecaster.predict(series=WAVE[:t]) - WAVE[t : t + 2]) for t in origins]
    )
    rank = int(np.ceil((n_held_out + 1) * 0.8))
    expected = np.sort(errors, axis=0)[rank - 1]
    intervals = forecaster.predict_interval(coverage=0.8)
    np.testing.assert_allclose((intervals[:, 1] - intervals[:, 0]) / 2, expected)
    np.testing.assert_allclose(intervals.mean(axis=1), forecaster.predict())


def test_intervals_beyond_the_horizon_need_enough_origins():
    forecaster = tiny(horizon=2).fit(WAVE)
    assert forecaster.predict_interval(5, coverage=0.8).shape == (5, 2)
    with pytest.raises(ValueError, match=r"coverage=0.9 of 9 step\(s\) needs at least 9 origins"):
        forecaster.predict_interval(9)
    for coverage in (0, 1, "a", None):
        with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
            forecaster.predict_interval(coverage=coverage)


def test_widths_go_with_the_window_where_it_is_normalised():
    forecaster = tiny(normalize="window").fit(WAVE)
    small, large = (
        np.diff(forecaster.predict_interval(series=factor * WAVE, coverage=0.8))[0, 0]
        for factor in (1, 10)
    )
    np.testing.assert_allclose(large, 10 * small)


# --- A scikit-learn estimator --------------------------------------------------------------------


def test_parameters_nest():
    forecaster = tiny()
    assert forecaster.get_params()["estimator__hidden_size"] == 4
    forecaster.set_params(estimator__hidden_size=3, window=5)
    copy = clone(forecaster)
    assert copy.estimator is not forecaster.estimator
    assert copy.get_params()["estimator__hidden_size"] == 3
    assert "window=5" in repr(copy)
    assert copy.fit(WAVE).estimator_.weights_["weight_out"].shape == (1, 3)


def test_random_state_reaches_the_network():
    one, same, other = (tiny(random_state=seed).fit(WAVE) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.predict(), same.predict())
    assert one.predict() != other.predict()
    own = RecurrentForecaster(GRURegressor(4, max_iter=2, random_state=0), window=8).fit(WAVE)
    np.testing.assert_array_equal(one.predict(), own.predict())
    assert one.estimator.random_state is None


def test_pickle_and_clone():
    forecaster = tiny(horizon=2).fit(pd.Series(WAVE, name="wave"), future_exog=KNOWN)
    copy = pickle.loads(pickle.dumps(forecaster))
    pd.testing.assert_series_equal(copy.predict(6), forecaster.predict(6))
    with pytest.raises(NotFittedError):
        clone(forecaster).predict()


def test_predictions_leave_the_forecaster_as_it_is():
    series = WAVE.copy()
    forecaster = tiny(horizon=2).fit(series, future_exog=KNOWN)
    before, expected = fingerprint(forecaster), forecaster.predict()
    with unchanged(forecaster):
        forecaster.predict(7)
        forecaster.predict_interval(coverage=0.5)
        forecaster.predict(future_exog=KNOWN[:2])
        forecaster.backtest(series, future_exog=KNOWN, initial=100)
    np.testing.assert_array_equal(series, WAVE)
    series[:] = 0
    np.testing.assert_array_equal(forecaster.predict(), expected)
    with pytest.raises(ValueError, match="missing"):
        forecaster.fit(np.append(WAVE, np.nan))
    assert fingerprint(forecaster) == before


# --- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        dict(window=0),
        dict(window=True),
        dict(horizon=1.5),
        dict(strategy="dirrec"),
        dict(normalize="mean"),
        dict(stride=0),
        dict(validation_fraction=1.0),
        dict(random_state="a"),
        dict(estimator=GRUClassifier()),
        dict(estimator=LinearRegression()),
        dict(estimator=GRURegressor),
    ],
    ids=str,
)
def test_parameters_are_checked(params):
    name = next(iter(params))
    forecaster = RecurrentForecaster(**{"window": 8, **params})
    for method in (forecaster.fit, forecaster.backtest):
        with pytest.raises(ValueError, match=f"The '{name}' parameter of RecurrentForecaster"):
            method(WAVE)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (GRURegressor(return_sequences=True), "return_sequences=False"),
        (GRURegressor(n_timesteps=4), "n_timesteps=None"),
        (GRURegressor(loss="quantile", quantiles=[0.1, 0.9]), r"quantiles=\[0.1, 0.9\]"),
    ],
)
def test_estimators_that_do_not_forecast(estimator, message):
    with pytest.raises(ValueError, match=message):
        tiny(estimator).fit(WAVE)


def test_series_that_are_too_short():
    with pytest.raises(ValueError, match=r"series\[1\] has 9 row.*window=8 and horizon=2 .*10"):
        tiny(horizon=2).fit([WAVE, WAVE[:9]])
    with pytest.raises(ValueError, match=r"hold 0 of 2 window\(s\) out, and at least 2 are needed"):
        tiny().fit(WAVE[:10])
    assert tiny(validation_fraction=None).fit(WAVE[:10]).n_windows_ == 2
    with pytest.raises(ValueError, match=r"^series\[1\] has 7 row\(s\), but window=8"):
        tiny().fit(WAVE).predict(series=[WAVE[:8], WAVE[:7]])
    with pytest.raises(ValueError, match=r"series\[1\] has 90 rows, but 100 known ones .* 101"):
        tiny().backtest([WAVE, WAVE[:90]], initial=100)
    with pytest.raises(ValueError, match="series has 5 row") as caught:
        tiny().backtest(WAVE, initial=5)
    assert caught.value.__notes__ == ["This is about the first [5] rows, on which backtest fits."]


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "a"])
def test_sizes_of_forecasts(value):
    forecaster = tiny().fit(WAVE)
    with pytest.raises(ValueError, match="horizon must be an integer of at least 1"):
        forecaster.predict(value)
    with pytest.raises(ValueError, match="step must be an integer of at least 1"):
        forecaster.backtest(WAVE, step=value)
    with pytest.raises(ValueError, match="initial must be a number of rows"):
        forecaster.backtest(WAVE, initial=-1.5 if value == 1.5 else value)


def test_series_with_other_columns():
    forecaster = tiny().fit(WAVE)
    with pytest.raises(ValueError, match=r"series has 2 column\(s\), but 1 in fit"):
        forecaster.predict(series=PAIR)
    with pytest.raises(TypeError, match="series is a float"):
        tiny().fit(3.0)


# --- Real data -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("name", "file", "bar"),
    [
        ("traffic", "traffic_volume.csv.gz", 320),
        ("traffic_calendar", "traffic_volume.csv.gz", 250),
        ("sunspots", "monthly-sunspots.csv", 19.2),
        ("etth1", "ETTh1.csv.gz", 0.034),
    ],
)
def test_real_series(shared_path, name, file, bar):
    """The median of three seeds clears the bar, and beats or nearly meets all simple forecasts."""
    shared_path(file)
    errors, _, coverages = np.transpose([run(name, seed, {}) for seed in (0, 1, 2)])
    simple = baselines(TASKS[name]())
    assert np.median(errors) <= bar
    assert np.median(errors) < min(simple["persistence"], simple["seasonal naive"])
    assert np.median(errors) < 1.1 * simple["linear AR"]
    assert 0.7 < np.median(coverages) < 0.97


def test_airline_passengers_beat_the_last_season(shared_path):
    """A dozen years of months: with normalize="window" the growth in proportion is learned."""
    series = np.loadtxt(shared_path("airline-passengers.csv"), delimiter=",", skiprows=1, usecols=1)
    estimator = GRURegressor(
        16, batch_size=16, learning_rate_init=0.01, max_iter=100, n_iter_no_change=20
    )
    forecaster = RecurrentForecaster(
        estimator, window=24, horizon=12, normalize="window", random_state=0
    )
    result = forecaster.backtest(series, initial=96, step=1)
    last_season = np.array([series[t - 12 : t] for t in result.origins])
    assert result.error < root_mean_squared_error(result.truths, last_season)
