"""skforecast: lags come most recent first, and a network reads a row from its first column on."""

import numpy as np
import pytest

pytest.importorskip("skforecast", reason="skforecast is not installed")
pytest.importorskip("statsmodels", reason="statsmodels, whose data this needs, is not installed")

import pandas as pd
from skforecast.direct import ForecasterDirect
from skforecast.model_selection import (
    TimeSeriesFold,
    backtesting_forecaster,
    grid_search_forecaster,
)
from skforecast.recursive import ForecasterRecursive, ForecasterRecursiveMultiSeries
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from statsmodels.datasets import sunspots

from sklearn_rnn import GRURegressor, make_windows

LAGS = 22  # two cycles of eleven years
SMALL = dict(hidden_size=8, batch_size=32, max_iter=20, learning_rate_init=0.02, random_state=0)


def oldest_first(**params):
    return make_pipeline(FunctionTransformer(np.fliplr), GRURegressor(**{**SMALL, **params}))


@pytest.fixture(scope="module")
def years():
    """309 years of sunspots."""
    values = sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()
    index = pd.period_range("1700", periods=len(values), freq="Y").to_timestamp()
    return pd.Series(values, index=index.rename(None), name="spots")


def test_lags_are_turned_round(years):
    """The forecaster learns what a network learns from windows in the order of time."""
    forecaster = ForecasterRecursive(oldest_first(), lags=LAGS)
    forecaster.fit(years[:280])
    windows = make_windows(years[:280], window=LAGS)
    by_hand = GRURegressor(**SMALL).fit(windows.X[:, :, 0], windows.y)
    forecast = forecaster.predict(2)
    last = years[280 - LAGS : 280].to_numpy()
    first = by_hand.predict(last[None])
    np.testing.assert_allclose(forecast.iloc[0], first[0], rtol=1e-9)
    second = by_hand.predict(np.append(last[1:], first)[None])
    np.testing.assert_allclose(forecast.iloc[1], second[0], rtol=1e-9)
    assert forecast.index[0] == years.index[280]


def test_the_order_of_lags_is_skforecast_s(years):
    """To list them oldest first changes nothing: they are sorted."""
    forecaster = ForecasterRecursive(GRURegressor(**SMALL), lags=[3, 2, 1])
    X, _ = forecaster.create_train_X_y(years)
    assert list(X.columns) == ["lag_1", "lag_2", "lag_3"]
    np.testing.assert_array_equal(X.to_numpy()[0], years[:3].to_numpy()[::-1])


def test_it_forecasts(years):
    forecaster = ForecasterRecursive(oldest_first(max_iter=60), lags=LAGS)
    forecaster.fit(years[:250])
    metric, forecasts = backtesting_forecaster(
        forecaster,
        years,
        cv=TimeSeriesFold(steps=1, initial_train_size=250, refit=False),
        metric="mean_absolute_error",
        show_progress=False,
    )
    unchanged = np.abs(years[250:].to_numpy() - years[249:-1].to_numpy()).mean()
    assert metric["mean_absolute_error"].iloc[0] < unchanged
    assert len(forecasts) == len(years) - 250


def test_search(years):
    found = grid_search_forecaster(
        ForecasterRecursive(oldest_first(), lags=LAGS),
        years,
        cv=TimeSeriesFold(steps=5, initial_train_size=250, refit=False),
        param_grid={"gruregressor__hidden_size": [1, 8]},
        metric="mean_absolute_error",
        show_progress=False,
        verbose=False,
    )
    assert len(found) == 2
    assert found["mean_absolute_error"].is_monotonic_increasing
    assert found["gruregressor__hidden_size"].iloc[0] == 8


def test_intervals(years):
    forecaster = ForecasterRecursive(oldest_first(), lags=LAGS)
    forecaster.fit(years[:280], store_in_sample_residuals=True)
    bounds = forecaster.predict_interval(5, interval=0.8, method="conformal")
    assert (bounds["lower_bound"] < bounds["pred"]).all()
    assert (bounds["pred"] < bounds["upper_bound"]).all()


def test_direct(years):
    """One network for each step ahead."""
    forecaster = ForecasterDirect(oldest_first(), lags=LAGS, steps=3)
    forecaster.fit(years[:280])
    windows = make_windows(years[:280], window=LAGS, horizon=3)
    third = GRURegressor(**SMALL).fit(windows.X[:, :, 0], windows.y[:, 2])
    last = years[280 - LAGS : 280].to_numpy()[None]
    np.testing.assert_allclose(forecaster.predict().iloc[2], third.predict(last)[0], rtol=1e-9)


def test_several_series(years):
    series = {"one": years[:280], "two": 2 * years[:280]}
    forecaster = ForecasterRecursiveMultiSeries(oldest_first(), lags=LAGS, encoding=None)
    forecaster.fit(series)
    forecast = forecaster.predict(2)
    assert forecast["level"].tolist() == ["one", "two"] * 2
    assert np.isfinite(forecast["pred"]).all()


def with_what_is_known(X):
    """Lags (n, LAGS), then what is known of the row to be forecast: the latter at every step."""
    X = np.asarray(X)
    lags, known = X[:, LAGS - 1 :: -1, None], X[:, None, LAGS:]
    return np.concatenate([lags, np.repeat(known, LAGS, axis=1)], axis=2)


def test_exogenous_variables(years):
    """skforecast appends them to the lags; a network wants them as features of the steps."""
    position = 2 * np.pi * np.arange(len(years)) / 11
    phase = pd.DataFrame({"sin": np.sin(position), "cos": np.cos(position)}, index=years.index)
    model = make_pipeline(FunctionTransformer(with_what_is_known), GRURegressor(**SMALL))
    forecaster = ForecasterRecursive(model, lags=LAGS)
    forecaster.fit(years[:280], exog=phase[:280])
    windows = make_windows(years[:280], window=LAGS)
    known = np.repeat(phase.to_numpy()[LAGS:280, None], LAGS, axis=1)
    by_hand = GRURegressor(**SMALL).fit(np.concatenate([windows.X, known], axis=2), windows.y)
    last = np.column_stack([years[280 - LAGS : 280], np.tile(phase.iloc[280], (LAGS, 1))])
    forecast = forecaster.predict(1, exog=phase[280:281])
    np.testing.assert_allclose(forecast.iloc[0], by_hand.predict(last[None])[0], rtol=1e-9)
