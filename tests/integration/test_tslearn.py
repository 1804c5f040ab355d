"""tslearn: sequences of unequal length as arrays that end in NaN."""

import numpy as np
import pytest

# Of "bases", which warns on import where h5py is absent.
pytest.importorskip("tslearn.bases", reason="tslearn is not installed")

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tslearn.datasets import CachedDatasets
from tslearn.neighbors import KNeighborsTimeSeriesClassifier
from tslearn.preprocessing import TimeSeriesScalerMeanVariance
from tslearn.utils import to_time_series_dataset, ts_size

from sklearn_rnn import GRUClassifier
from sklearn_rnn.interop import from_tslearn

SMALL = dict(hidden_size=8, max_iter=30, learning_rate_init=0.02, random_state=0)


def test_there_and_back(vowels):
    X = to_time_series_dataset(list(vowels.X_train))
    packed = from_tslearn(X)
    np.testing.assert_array_equal(packed.values, vowels.X_train.values)
    np.testing.assert_array_equal(packed.offsets, vowels.X_train.offsets)
    np.testing.assert_array_equal(packed.lengths, [ts_size(x) for x in X])
    np.testing.assert_array_equal(vowels.X_train.to_padded(), X)


def test_its_own_data():
    X, y, _, _ = CachedDatasets().load_dataset("Trace")
    packed = from_tslearn(X)
    assert packed.shape == y.shape
    np.testing.assert_array_equal(packed.to_padded(), X)


def test_a_data_set_is_read_as_it_is(vowels):
    """By the estimators, after tslearn's transformers, converted or not."""
    X, X_test = (to_time_series_dataset(list(A)) for A in (vowels.X_train, vowels.X_test))
    packing = FunctionTransformer(from_tslearn)
    scale = TimeSeriesScalerMeanVariance()
    one = make_pipeline(scale, packing, GRUClassifier(**SMALL)).fit(X, vowels.y_train)
    other = make_pipeline(scale, GRUClassifier(**SMALL)).fit(X, vowels.y_train)
    np.testing.assert_array_equal(one.predict_proba(X_test), other.predict_proba(X_test))
    assert one.score(X_test, vowels.y_test) > 0.5  # each recording is scaled for itself


def test_tslearn_takes_ours(vowels):
    X, y, X_test, y_test = (part[::10] for part in vowels)
    neighbours = KNeighborsTimeSeriesClassifier(n_neighbors=1, metric="euclidean")
    seven = [[x[:7] for x in A] for A in (X, X_test)]
    neighbours.fit(to_time_series_dataset(seven[0]), y)
    assert neighbours.score(to_time_series_dataset(seven[1]), y_test) > 0.7
