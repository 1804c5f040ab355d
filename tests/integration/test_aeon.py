"""aeon: its collections, its transformers before a network, our data in its estimators."""

import numpy as np
import pytest

pytest.importorskip("aeon", reason="aeon is not installed")

from aeon.classification.compose import ClassifierPipeline
from aeon.datasets import load_basic_motions, load_covid_3month, load_japanese_vowels
from aeon.regression.compose import RegressorPipeline
from aeon.transformations.collection import Normalizer
from aeon.transformations.collection.unequal_length import Padder
from aeon.utils.validation.collection import get_type
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_rnn import GRUClassifier, GRURegressor
from sklearn_rnn.interop import from_aeon, to_aeon
from sklearn_rnn.preprocessing import TimestepTransformer

SMALL = dict(hidden_size=8, max_iter=30, learning_rate_init=0.02, random_state=0)
sequences = FunctionTransformer(from_aeon)


def test_a_list_of_cases(vowels):
    """aeon ships the same recordings, with the coefficients as rows."""
    X, y = load_japanese_vowels(split="train")
    packed = from_aeon(X)
    np.testing.assert_array_equal(packed.offsets, vowels.X_train.offsets)
    np.testing.assert_allclose(packed.values, vowels.X_train.values, atol=1e-6)
    np.testing.assert_array_equal(y.astype(int) - 1, vowels.y_train)


def test_what_we_hand_over_is_a_collection(vowels):
    collection = to_aeon(vowels.X_train)
    assert get_type(collection) == "np-list"
    for case, ours in zip(load_japanese_vowels(split="train")[0], collection, strict=True):
        np.testing.assert_allclose(ours, case, atol=1e-6)
    assert get_type(to_aeon(np.zeros((5, 7, 2)))) == "numpy3D"


def test_pipeline_on_cases_of_unequal_length():
    X, y = load_japanese_vowels(split="train")
    X_test, y_test = load_japanese_vowels(split="test")
    scaler = TimestepTransformer(StandardScaler())
    model = make_pipeline(sequences, scaler, GRUClassifier(**SMALL)).fit(X, y)
    assert model.score(X_test, y_test) > 0.9
    assert cross_val_score(model, X[::3], y[::3], cv=2).min() > 0.7


def test_aeon_s_transformer_in_a_pipeline_of_scikit_learn():
    X, y = load_basic_motions(split="train")
    X_test, _ = load_basic_motions(split="test")
    network = GRUClassifier(pooling="mean", **SMALL)
    model = make_pipeline(Normalizer(), sequences, network).fit(X, y)
    by_hand = GRUClassifier(pooling="mean", **SMALL)
    by_hand.fit(from_aeon(Normalizer().fit_transform(X)), y)
    expected = by_hand.predict_proba(from_aeon(Normalizer().fit_transform(X_test)))
    np.testing.assert_allclose(model.predict_proba(X_test), expected, rtol=1e-9)


def test_regression_in_a_pipeline_of_aeon():
    X, y = load_covid_3month(split="train")
    X_test, _ = load_covid_3month(split="test")
    network = make_pipeline(sequences, GRURegressor(**{**SMALL, "max_iter": 5}))
    answer = RegressorPipeline(Normalizer(), network).fit(X, y).predict(X_test)
    by_hand = GRURegressor(**{**SMALL, "max_iter": 5})
    by_hand.fit(from_aeon(Normalizer().fit_transform(X)), y)
    expected = by_hand.predict(from_aeon(Normalizer().fit_transform(X_test)))
    np.testing.assert_allclose(answer, expected, rtol=1e-9)


def test_aeon_s_pipeline_takes_one_channel_alone_before_an_estimator_of_scikit_learn():
    """It says so of every such estimator: written down in works_with.md."""
    X, y = load_basic_motions(split="train")
    model = make_pipeline(sequences, GRUClassifier(**SMALL))
    with pytest.raises(ValueError, match=r"multivariate series, but .* cannot handle"):
        ClassifierPipeline(Normalizer(), model).fit(X, y)


def test_aeon_s_transformers_take_ours(vowels):
    theirs, _ = load_japanese_vowels(split="train")
    ours = to_aeon(vowels.X_train)
    for transformer in (Normalizer(), Padder()):
        for one, other in zip(*map(transformer.fit_transform, (theirs, ours)), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
