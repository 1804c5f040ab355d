"""sktime: forecasting by reduction, its pipelines and searches, and its panels of series."""

import numpy as np
import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sktime.classification.compose import SklearnClassifierPipeline
from sktime.datasets import (
    load_airline,
    load_arrow_head,
    load_basic_motions,
    load_japanese_vowels,
    load_longley,
)
from sktime.forecasting.compose import TransformedTargetForecaster, make_reduction
from sktime.forecasting.model_selection import ForecastingGridSearchCV
from sktime.split import ExpandingWindowSplitter
from sktime.transformations.series.detrend import Deseasonalizer, Detrender
from sktime.transformations.series.exponent import ExponentTransformer

from sklearn_rnn import GRUClassifier, GRURegressor, make_windows, sequences_from_frame
from sklearn_rnn.interop import from_aeon
from sklearn_rnn.preprocessing import TimestepTransformer

pytestmark = [
    pytest.mark.filterwarnings("ignore:The default of config ``remember_data``:FutureWarning"),
]

SMALL = dict(hidden_size=8, max_iter=30, learning_rate_init=0.02, random_state=0)
channels_last = FunctionTransformer(from_aeon)


@pytest.fixture(scope="module")
def airline():
    return load_airline()


# --- Forecasting ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scitype", ["tabular-regressor", "time-series-regressor"])
@pytest.mark.parametrize("strategy", ["recursive", "direct"])
def test_reduction_reads_windows_in_the_order_of_time(scitype, strategy, airline):
    """As rows they are right as they are; as a panel they have time as their last axis."""
    network = GRURegressor(**SMALL)
    if scitype == "time-series-regressor":
        network = make_pipeline(channels_last, network)
    forecaster = make_reduction(network, window_length=12, strategy=strategy, scitype=scitype)
    forecast = forecaster.fit(airline[:-12], fh=[1]).predict()
    windows = make_windows(airline[:-12].to_numpy(), window=12)
    by_hand = GRURegressor(**SMALL).fit(windows.X, windows.y)
    last = airline[-24:-12].to_numpy()[None, :, None]
    np.testing.assert_allclose(forecast.iloc[0], by_hand.predict(last)[0], rtol=1e-9)


def test_reduction_to_several_outputs(airline):
    forecaster = make_reduction(GRURegressor(**SMALL), window_length=12, strategy="multioutput")
    forecast = forecaster.fit(airline[:-12], fh=[1, 2, 3]).predict()
    windows = make_windows(airline[:-12].to_numpy(), window=12, horizon=3)
    by_hand = GRURegressor(**SMALL).fit(windows.X[:, :, 0], windows.y)
    expected = by_hand.predict(airline[-24:-12].to_numpy()[None])[0]
    np.testing.assert_allclose(forecast.to_numpy().ravel(), expected, rtol=1e-9)


def test_covariates_are_features_of_the_steps():
    """Rows would hold one variable after the other; a panel keeps them apart."""
    y, X = load_longley()
    X = X[["UNEMP", "POP"]]
    model = make_pipeline(channels_last, GRURegressor(**SMALL))
    forecaster = make_reduction(
        model, window_length=4, strategy="direct", scitype="time-series-regressor"
    )
    forecast = forecaster.fit(y[:12], X=X[:12], fh=[1]).predict(X=X[12:13])
    windows = make_windows(y[:12].to_numpy(), window=4, exog=X[:12].to_numpy())
    by_hand = GRURegressor(**SMALL).fit(windows.X, windows.y)
    last = np.column_stack([y[8:12], X[8:12]])[None]
    np.testing.assert_allclose(forecast.iloc[0], by_hand.predict(last)[0], rtol=1e-9)


def test_pipeline_and_search(airline):
    quick = GRURegressor(**{**SMALL, "max_iter": 5})
    pipeline = TransformedTargetForecaster(
        [
            ("trend", Detrender()),
            ("season", Deseasonalizer(sp=12, model="additive")),
            ("rest", make_reduction(quick, window_length=12)),
        ]
    )
    search = ForecastingGridSearchCV(
        pipeline,
        cv=ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=84, step_length=24),
        param_grid={"rest__estimator__hidden_size": [1, 8]},
        backend="None",
    )
    search.fit(airline[:-12], fh=np.arange(1, 13))
    assert search.best_params_["rest__estimator__hidden_size"] in (1, 8)
    forecast = search.predict()
    assert (forecast.index == airline.index[-12:]).all()
    error = np.abs(forecast - airline[-12:]).mean()
    assert error < np.abs(airline[-13:-12].to_numpy() - airline[-12:]).mean()


# --- Panels of series ----------------------------------------------------------------------------


def test_list_of_frames():
    """sktime's "df-list" has a row for each step: it is read as it is."""
    X, y = load_japanese_vowels(split="train", return_type="df-list")
    X_test, y_test = load_japanese_vowels(split="test", return_type="df-list")
    model = make_pipeline(TimestepTransformer(StandardScaler()), GRUClassifier(**SMALL))
    assert model.fit(X, y).score(X_test, y_test) > 0.9
    assert list(model.feature_names_in_) == list(X[0].columns)


def test_long_frame(vowels):
    """sktime's "pd-multiindex" is a long table."""
    X, _ = load_japanese_vowels(split="train", return_type="pd-multiindex")
    table = X.rename_axis(["recording", "step"]).reset_index()
    packed = sequences_from_frame(table, by="recording", order="step").X
    np.testing.assert_array_equal(packed.offsets, vowels.X_train.offsets)
    np.testing.assert_allclose(packed.values, vowels.X_train.values, atol=1e-6)


def test_array():
    """sktime's "numpy3D" is that of aeon."""
    X, y = load_basic_motions(split="train", return_type="numpy3D")
    X_test, y_test = load_basic_motions(split="test", return_type="numpy3D")
    model = make_pipeline(
        channels_last,
        TimestepTransformer(StandardScaler()),
        GRUClassifier(pooling="mean", **SMALL),
    )
    assert model.fit(X, y).score(X_test, y_test) > 0.8


def test_classifier_after_sktime_s_transformers():
    """sktime's pipeline hands over rows: right for series of one variable and one length."""
    X, y = load_arrow_head(split="train", return_type="numpy3D")
    X_test, _ = load_arrow_head(split="test", return_type="numpy3D")
    network = GRUClassifier(4, max_iter=3, random_state=0)
    pipeline = SklearnClassifierPipeline(network, [ExponentTransformer(2, offset=0)]).fit(X, y)
    by_hand = GRUClassifier(4, max_iter=3, random_state=0).fit(X[:, 0] ** 2, y)
    np.testing.assert_allclose(
        pipeline.predict_proba(X_test), by_hand.predict_proba(X_test[:, 0] ** 2), rtol=1e-9
    )
