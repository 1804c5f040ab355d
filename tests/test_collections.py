"""aeon's and tslearn's collections of time series, without aeon and tslearn.

With the real packages: tests/integration.
"""

import numpy as np
import pytest

from sklearn_rnn import GRUClassifier, SequenceArray
from sklearn_rnn.interop import from_aeon, from_tslearn, to_aeon
from tests.helpers import LENGTHS, make_sequences, object_array, tiny


def assert_same(one, other):
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(one.offsets, other.offsets)
    np.testing.assert_array_equal(one.values, other.values)


@pytest.fixture(params=[np.float32, np.float64])
def sequences(request):
    return make_sequences(dtype=request.param)


# --- aeon ----------------------------------------------------------------------------------------


def test_from_aeon_swaps_channels_and_timepoints():
    X = np.arange(24.0).reshape(2, 3, 4)
    turned = from_aeon(X)
    assert turned.shape == (2, 4, 3)
    assert turned[1, 3, 0] == X[1, 0, 3]
    assert np.shares_memory(turned, X)
    np.testing.assert_array_equal(from_aeon(X[:, 0]), turned[:, :, :1])
    np.testing.assert_array_equal(from_aeon(X.tolist()).to_padded(), turned)


@pytest.mark.parametrize("container", [list, tuple])
def test_from_aeon_s_lists(container, sequences):
    turned = from_aeon(container(sequence.T for sequence in sequences))
    assert_same(turned, SequenceArray.from_sequences(sequences))


CONTAINERS = {
    "list": list,
    "object": object_array,
    "packed": SequenceArray.from_sequences,
    "padded": lambda X: SequenceArray.from_sequences(X).to_padded(),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_to_aeon_and_back(container, sequences):
    collection = to_aeon(CONTAINERS[container](sequences))
    assert [case.shape for case in collection] == [(2, length) for length in LENGTHS]
    assert all(case.flags.c_contiguous and case.flags.writeable for case in collection)
    assert_same(from_aeon(collection), SequenceArray.from_sequences(sequences))


def test_to_aeon_of_equal_lengths_is_an_array():
    X = np.arange(24.0).reshape(2, 4, 3)
    before = X.copy()
    collection = to_aeon(X)
    np.testing.assert_array_equal(from_aeon(collection), X)
    assert collection.flags.c_contiguous
    collection[:] = 0  # it is aeon's own
    np.testing.assert_array_equal(X, before)
    assert to_aeon(X[:, :, 0]).shape == (2, 1, 4)
    assert to_aeon(X[:1]).shape == (1, 3, 4)


def test_to_aeon_keeps_missing_values():
    X = np.ones((2, 4, 2))
    X[0, 1, 0] = np.nan
    assert np.argwhere(np.isnan(to_aeon(X))).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(3), r"shape \(3,\): expected \(n_cases, n_channels, n_timepoints\)"),
        (np.zeros((1, 2, 3, 4)), r"shape \(1, 2, 3, 4\): expected \(n_cases"),
        ([], r"shape \(0,\): expected"),
        ([np.zeros((2, 3)), np.zeros(3)], r"case 1 has shape \(3,\)"),
        ([np.zeros((2, 3)), np.zeros((1, 3))], "sequence 0 has 2 features and sequence 1 has 1"),
        ([np.zeros((2, 3)), np.zeros((2, 0))], "sequence 1 has no steps"),
    ],
)
def test_what_is_no_collection_of_aeon_s(X, message):
    with pytest.raises(ValueError, match=message):
        from_aeon(X)


# --- tslearn -------------------------------------------------------------------------------------


def test_from_tslearn(sequences):
    packed = SequenceArray.from_sequences(sequences)
    assert_same(from_tslearn(packed.to_padded()), packed)


def test_from_tslearn_is_read_like_the_padded_array(sequences):
    X, y = SequenceArray.from_sequences(sequences).to_padded(), np.arange(len(LENGTHS)) % 2
    model = tiny(GRUClassifier).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(from_tslearn(X)), model.predict_proba(X))


def test_nan_before_the_end_is_missing_data():
    X = np.ones((2, 4, 1))
    X[0, [0, 2]] = np.nan
    X[1, 2:] = np.nan
    packed = from_tslearn(X)
    assert packed.lengths.tolist() == [4, 2]
    assert np.flatnonzero(np.isnan(packed.values)).tolist() == [0, 2]


def test_a_step_with_one_nan_is_no_padding():
    X = np.ones((1, 3, 2))
    X[0, 2, 1] = np.nan
    assert from_tslearn(X).lengths.tolist() == [3]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 2)), r"shape \(3, 2\): expected \(n_sequences, n_timesteps, n_features\)"),
        (np.full((1, 3, 1), np.nan), "sequence 0 has no steps: all of it is padding"),
        (np.zeros((2, 0, 1)), "0 time steps"),
        (np.zeros((2, 3, 0)), r"0 feature\(s\)"),
    ],
)
def test_what_is_no_data_set_of_tslearn_s(X, message):
    with pytest.raises(ValueError, match=message):
        from_tslearn(X)
