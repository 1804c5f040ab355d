"""TimestepTransformer: a transformer of tables, applied to the steps of sequences."""

import os
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_estimator,
    check_transformer_get_feature_names_out,
    estimator_checks_generator,
    parametrize_with_checks,
)

from sklearn_rnn.preprocessing import TimestepTransformer
from sklearn_rnn.sequences import SequenceArray

RNG = np.random.default_rng(0)
X2 = RNG.normal(3.0, 2.0, size=(8, 6))
X3 = RNG.normal(3.0, [1.0, 10.0], size=(8, 5, 2))
RAGGED = [RNG.normal(3.0, [1.0, 10.0], size=(length, 2)) for length in (3, 1, 4, 2, 6, 5, 2, 3)]
PACKED = SequenceArray.from_sequences(RAGGED)
OBJECTS = np.fromiter(RAGGED, dtype=object, count=len(RAGGED))

CONTAINERS = {
    "list": RAGGED,
    "tuple": tuple(RAGGED),
    "object-array": OBJECTS,
    "series": pd.Series(RAGGED, index=list("abcdefgh")),
    "packed": PACKED,
    "padded": PACKED.to_padded(),
    "padded-before": PACKED.to_padded()[:, ::-1],
    "3-D": X3,
    "pandas-frames": [pd.DataFrame(sequence, columns=["u", "v"]) for sequence in RAGGED],
    "polars-frames": [pl.DataFrame(sequence, schema=["u", "v"]) for sequence in RAGGED],
}


def steps_of(X):
    """All real time steps of a container, stacked: (sum of T_i, F)."""
    if isinstance(X, SequenceArray):
        return X.values
    steps = np.concatenate([np.reshape(sequence, (len(sequence), -1)) for sequence in X])
    return steps[~np.isnan(steps).all(axis=1)]


def astype(X, dtype):
    if isinstance(X, np.ndarray) and X.dtype != object:
        return X.astype(dtype)
    if isinstance(X, SequenceArray):
        return SequenceArray(X.values.astype(dtype), X.offsets)
    return [np.asarray(sequence, dtype=dtype) for sequence in X]


# --- scikit-learn's own checks -------------------------------------------------------------------

TRANSFORMERS = [
    StandardScaler(),
    MinMaxScaler(),
    RobustScaler(),
    PowerTransformer(),
    PCA(),
    QuantileTransformer(n_quantiles=5),
    KBinsDiscretizer(encode="ordinal", strategy="uniform"),
    FunctionTransformer(),
]


@parametrize_with_checks([TimestepTransformer(StandardScaler())])
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)
def test_estimator_checks_with_other_transformers(transformer):
    for estimator, check in estimator_checks_generator(TimestepTransformer(transformer)):
        name = getattr(check, "func", check).__name__
        if name != "check_array_api_input" or os.environ.get("SCIPY_ARRAY_API"):
            check(estimator)


def test_the_checks_are_not_vacuous():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(TimestepTransformer(StandardScaler()), on_skip=None)
    skipped = {result["check_name"] for result in results if result["status"] == "skipped"}
    assert len(results) >= 46
    assert skipped <= {"check_array_api_input"}  # without SCIPY_ARRAY_API=1
    assert {result["status"] for result in results} <= {"passed", "skipped"}


@pytest.mark.parametrize(
    "check", [check_dataframe_column_names_consistency, check_transformer_get_feature_names_out]
)
def test_further_checks(check):
    check("TimestepTransformer", TimestepTransformer(StandardScaler()))


# --- What it does --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONTAINERS)
def test_fits_on_all_steps_stacked_and_keeps_the_container(name):
    X = CONTAINERS[name]
    model = TimestepTransformer(StandardScaler()).fit(X)
    steps = steps_of(X)
    reference = StandardScaler().fit(steps)
    np.testing.assert_allclose(model.transformer_.mean_, reference.mean_)
    np.testing.assert_allclose(model.transformer_.scale_, reference.scale_)
    assert model.n_features_in_ == 2

    X_new = model.transform(X)
    assert type(X_new) is type(X)
    assert len(X_new) == len(X)
    np.testing.assert_allclose(steps_of(X_new), reference.transform(steps))
    if isinstance(X, pd.Series):
        pd.testing.assert_index_equal(X_new.index, X.index)
    for old, new in zip(X, X_new, strict=True):
        assert type(new) is np.ndarray
        np.testing.assert_array_equal(np.isnan(np.asarray(old)), np.isnan(new))

    X_back = model.inverse_transform(X_new)
    assert type(X_back) is type(X)
    np.testing.assert_allclose(steps_of(X_back), steps)


@pytest.mark.parametrize("name", CONTAINERS)
def test_x_is_never_written_nor_given_away(name):
    X = CONTAINERS[name]
    before = steps_of(X).copy()
    for transformer in (
        StandardScaler(copy=False),
        FunctionTransformer(),
        MinMaxScaler(copy=False),
    ):
        X_new = TimestepTransformer(transformer).fit_transform(X)
        for sequence in X_new:
            sequence[...] = 0.0
        np.testing.assert_array_equal(steps_of(X), before)


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(name, dtype):
    X_new = TimestepTransformer(StandardScaler()).fit_transform(astype(CONTAINERS[name], dtype))
    assert all(sequence.dtype == dtype for sequence in X_new)


def test_rows_are_univariate_sequences():
    model = TimestepTransformer(StandardScaler()).fit(X2)
    assert model.n_features_in_ == 6
    np.testing.assert_allclose(model.transform(X2), (X2 - X2.mean()) / X2.std())
    np.testing.assert_allclose(model.inverse_transform(model.transform(X2)), X2)
    with pytest.raises(ValueError, match="X has 5 features, but TimestepTransformer is expecting"):
        model.transform(X2[:, :5])
    with pytest.raises(ValueError, match="was fitted on a 2-D X"):
        model.transform(X3)


def test_univariate_sequences_stay_one_dimensional():
    X = [np.array([1.0, 2.0]), np.array([3.0])]
    X_new = TimestepTransformer(MinMaxScaler()).fit_transform(X)
    np.testing.assert_array_equal(X_new[0], [0.0, 0.5])
    np.testing.assert_array_equal(X_new[1], [1.0])


def test_rows_become_3d_where_a_step_gets_several_features():
    bins = TimestepTransformer(KBinsDiscretizer(3, encode="onehot", strategy="uniform"))
    X_new = bins.fit_transform(X2)  # the transformer's output is sparse
    assert X_new.shape == (8, 6, 3)
    np.testing.assert_array_equal(X_new.sum(axis=2), 1.0)
    assert bins.inverse_transform(X_new).shape == X2.shape


@pytest.mark.parametrize("name", CONTAINERS)
def test_another_number_of_features(name):
    X = CONTAINERS[name]
    X_new = TimestepTransformer(PolynomialFeatures(2)).fit_transform(X)
    assert type(X_new) is type(X)
    assert all(sequence.shape == (len(old), 6) for sequence, old in zip(X_new, X, strict=True))


def test_missing_values_reach_the_transformer():
    X = X3.copy()
    X[0, 2, 0] = np.nan  # missing
    X[1, 3:] = np.nan  # padding
    X_new = TimestepTransformer(make_pipeline(SimpleImputer(), StandardScaler())).fit_transform(X)
    assert np.isfinite(X_new[0]).all()
    np.testing.assert_array_equal(np.isnan(X_new[1]).all(axis=1), [0, 0, 0, 1, 1])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        TimestepTransformer(PCA()).fit(X)
    with pytest.raises(ValueError, match="Input X contains infinity"):
        TimestepTransformer(SimpleImputer()).fit([np.array([[np.inf, 1.0]])])


def test_some_features_in_one_way_and_some_in_another():
    columns = ColumnTransformer([("scale", StandardScaler(), [1]), ("keep", "passthrough", [0])])
    X_new = TimestepTransformer(columns).fit_transform(X3)
    np.testing.assert_array_equal(X_new[:, :, 1], X3[:, :, 0])
    np.testing.assert_allclose(X_new[:, :, 0].mean(), 0.0, atol=1e-12)


def test_read_only_memory_map(tmp_path):
    joblib.dump(PACKED, tmp_path / "X.joblib")
    X = joblib.load(tmp_path / "X.joblib", mmap_mode="r")
    X_new = TimestepTransformer(StandardScaler(copy=False)).fit_transform(X)
    np.testing.assert_allclose(X_new.values.mean(axis=0), 0.0, atol=1e-12)


@pytest.mark.parametrize("X", [X2, X3, RAGGED], ids=["2-D", "3-D", "list"])
def test_frames_asked_for_change_nothing(X):
    with sklearn.config_context(transform_output="pandas"):
        X_new = TimestepTransformer(StandardScaler()).fit_transform(X)
    assert type(X_new) is type(X)
    assert not hasattr(TimestepTransformer(StandardScaler()), "set_output")


# --- As a part of scikit-learn -------------------------------------------------------------------


class MeanIsHigh(BaseEstimator):
    """A classifier that takes whatever container comes."""

    def fit(self, X, y):
        self.container_ = type(X)
        return self

    def predict(self, X):
        assert type(X) is self.container_
        return np.array([int(np.nanmean(np.asarray(sequence)) > 0) for sequence in X])

    def score(self, X, y):
        return np.mean(self.predict(X) == y)


@pytest.mark.parametrize("name", CONTAINERS)
def test_pipeline_and_grid_search(name):
    X, y = CONTAINERS[name], np.array([0, 1] * 4)
    model = make_pipeline(TimestepTransformer(StandardScaler()), MeanIsHigh())
    assert cross_val_score(model, X, y, cv=2, error_score="raise").shape == (2,)
    grid = [
        {"timesteptransformer__transformer": [RobustScaler(), MinMaxScaler()]},
        {"timesteptransformer__transformer__with_mean": [True, False]},
    ]
    search = GridSearchCV(model, grid, cv=2, error_score="raise")
    search.fit(X, y)
    assert search.best_estimator_[1].container_ is type(X)


def test_params_clone_and_pickle():
    model = TimestepTransformer(StandardScaler())
    model.set_params(transformer__with_mean=False)
    assert model.get_params()["transformer__with_mean"] is False
    fitted = clone(model).fit(RAGGED)
    assert model.transformer.with_mean is False
    assert not hasattr(model.transformer, "scale_")
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.transform(PACKED).values, fitted.transform(PACKED).values)


def test_y_is_ignored():
    y = np.arange(8)
    model = TimestepTransformer(StandardScaler())
    with_y, without = model.fit_transform(PACKED, y), model.fit_transform(PACKED)
    np.testing.assert_array_equal(with_y.values, without.values)
    with pytest.raises(ValueError, match="requires y"):
        TimestepTransformer(SelectKBest(k=1)).fit(PACKED, y)


def test_inverse_transform_is_there_if_the_transformer_has_it():
    assert hasattr(TimestepTransformer(StandardScaler()), "inverse_transform")
    assert not hasattr(TimestepTransformer(PolynomialFeatures()), "inverse_transform")
    with pytest.raises(NotFittedError):
        TimestepTransformer(StandardScaler()).inverse_transform(RAGGED)


def test_tags_are_those_of_the_transformer():
    tags = get_tags(TimestepTransformer(StandardScaler()))
    assert tags.input_tags.three_d_array
    assert tags.input_tags.two_d_array
    assert tags.input_tags.allow_nan
    assert not tags.input_tags.sparse
    assert not get_tags(TimestepTransformer(PCA())).input_tags.allow_nan
    # MeanIsHigh is no transformer: asking for tags must not fail before fit can say so.
    assert get_tags(TimestepTransformer(MeanIsHigh())).transformer_tags.preserves_dtype


@pytest.mark.parametrize(
    ("X", "transformer", "names"),
    [
        (X3, StandardScaler(), ["x0", "x1"]),
        (X3, PCA(n_components=1), ["pca0"]),
        (CONTAINERS["pandas-frames"], StandardScaler(), ["u", "v"]),
        (CONTAINERS["polars-frames"], PolynomialFeatures(2, include_bias=False), None),
        (X2, StandardScaler(), [f"x{i}" for i in range(6)]),
        (pd.DataFrame(X2, columns=list("abcdef")), MinMaxScaler(), list("abcdef")),
        (X2, PolynomialFeatures(2), ["1", "x0", "x0^2"]),
    ],
)
def test_get_feature_names_out(X, transformer, names):
    model = TimestepTransformer(transformer).fit(X)
    names = names or ["u", "v", "u^2", "u v", "v^2"]
    assert model.get_feature_names_out().tolist() == names
    assert model.transform(X)[0].shape[-1] == len(names)
    with pytest.raises(ValueError, match="input_features"):
        model.get_feature_names_out(["a"])


class DropsRows(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[1:]


def test_a_step_must_stay_a_step():
    model = TimestepTransformer(DropsRows()).fit(RAGGED)
    with pytest.raises(
        ValueError, match=r"made shape \(25, 2\) of 26 time steps.*one row for each"
    ):
        model.transform(RAGGED)


@pytest.mark.parametrize("transformer", [None, "scale", StandardScaler, MeanIsHigh(), 3])
def test_transformer_must_be_one(transformer):
    with pytest.raises(TypeError, match="transformer must be an instance of a scikit-learn trans"):
        TimestepTransformer(transformer).fit(RAGGED)


def test_a_failed_fit_changes_nothing():
    model = TimestepTransformer(PCA()).fit(RAGGED)
    before = dict(vars(model))
    missing = X3.copy()
    missing[0, 1, 0] = np.nan
    for bad in (missing, X3[:0], [X2, X3[0]]):
        with pytest.raises(ValueError, match=r"NaN|0 sample|features"):
            model.fit(bad)
        assert vars(model) == before
