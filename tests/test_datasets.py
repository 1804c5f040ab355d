"""The data that the package ships are the source's, and reach the user as its docs say."""

import hashlib

import numpy as np
import pytest

from sklearn_rnn import SequenceArray
from sklearn_rnn.datasets import load_japanese_vowels


@pytest.fixture(scope="module")
def data():
    return load_japanese_vowels()


@pytest.mark.parametrize(
    ("part", "speakers", "longest"),
    [
        ("train", [30] * 9, 26),
        ("test", [31, 35, 88, 44, 29, 24, 40, 50, 29], 29),  # the source's own count
    ],
)
def test_sequences_and_labels(data, part, speakers, longest):
    X, y = data[f"X_{part}"], data[f"y_{part}"]
    assert isinstance(X, SequenceArray)
    assert X.shape == y.shape == (sum(speakers),)
    assert X.values.dtype == np.float32
    assert X.n_features == len(data.feature_names) == 12
    assert (X.lengths.min(), X.lengths.max()) == (7, longest)
    np.testing.assert_array_equal(np.bincount(y), speakers)


@pytest.mark.parametrize(
    ("part", "digest"),
    [
        ("train", "b531e6680122bee893af0ee8794a696bb7caad40d5abe04cc19dd8be9bc61172"),
        ("test", "7c71160980b89a87419481f63e5e0687879d87e97d824d2d77393df866943db5"),
    ],
)
def test_values_are_the_sources(data, part, digest):
    values = np.ascontiguousarray(data[f"X_{part}"].values, dtype="<f4")
    assert hashlib.sha256(values.tobytes()).hexdigest() == digest


def test_each_call_gives_its_own_arrays(data):
    again = load_japanese_vowels()
    assert not np.shares_memory(again.X_train.values, data.X_train.values)


def test_names_and_description(data):
    assert data.target_names.tolist() == list("123456789")
    assert set(np.unique(data.y_train)) == set(range(len(data.target_names)))
    for fact in ("Kudo", "10.24432/C5NS47", "CC BY 4.0"):
        assert fact in data.DESCR
