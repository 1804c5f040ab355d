"""SequenceArray is a list of arrays that costs one array, and stays one wherever it goes."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import BaseEstimator
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_score,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import shuffle

from sklearn_rnn.sequences import SequenceArray

LENGTHS = [3, 1, 4, 2, 5]


def make_list(lengths=LENGTHS, n_features=2, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length, n_features)) for length in lengths]


def make_packed(**kwargs):
    return SequenceArray.from_sequences(make_list(**kwargs))


def assert_same(packed, sequences):
    assert isinstance(packed, SequenceArray)
    assert len(packed) == len(sequences)
    for one, other in zip(packed, sequences, strict=True):
        np.testing.assert_array_equal(one, other)


lists_of_sequences = st.builds(
    make_list,
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    n_features=st.integers(1, 3),
    seed=st.integers(0, 100),
)


# --- What it is ----------------------------------------------------------------------------------


def test_attributes():
    X = make_packed()
    assert X.shape == (5,)
    assert X.ndim == 1
    assert len(X) == 5
    assert X.n_features == 2
    assert X.dtype == X.values.dtype == np.float64
    assert X.offsets.dtype == np.int64
    np.testing.assert_array_equal(X.offsets, [0, 3, 4, 8, 10, 15])
    np.testing.assert_array_equal(X.lengths, LENGTHS)


def test_it_is_no_array():
    X = make_packed()
    for convert in (np.asarray, np.array, StandardScaler().fit):
        with pytest.raises(TypeError, match=r"Wrap.*in TimestepTransformer.*X\.to_padded\(\)"):
            convert(X)


def test_values_are_not_copied():
    values = np.zeros((5, 2))
    assert np.shares_memory(SequenceArray(values, [0, 2, 5]).values, values)
    assert np.shares_memory(SequenceArray.from_concatenated(values, [2, 3]).values, values)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (make_packed(), "SequenceArray(5 sequences of 1 to 5 steps, 2 features, float64)"),
        (
            SequenceArray(np.zeros((3, 1), np.float32), [0, 3]),
            "SequenceArray(1 sequence of 3 steps, 1 feature, float32)",
        ),
        (make_packed()[:0], "SequenceArray(0 sequences of 0 steps, 2 features, float64)"),
    ],
)
def test_repr(X, expected):
    assert repr(X) == expected


@pytest.mark.parametrize(
    ("values", "offsets", "message"),
    [
        (np.zeros(5), [0, 5], r"values has shape \(5,\).*reshape\(-1, 1\)"),
        (np.zeros((5, 1, 1)), [0, 5], "values has shape"),
        (np.zeros((5, 1)), [], "n \\+ 1 integers"),
        (np.zeros((5, 1)), [[0, 5]], "n \\+ 1 integers"),
        (np.zeros((5, 1)), [0.0, 5.0], "n \\+ 1 integers, got .* float64"),
        (np.zeros((5, 1)), [1, 5], "from 0 to len\\(values\\) = 5, got 1 to 5"),
        (np.zeros((5, 1)), [0, 4], "from 0 to len\\(values\\) = 5, got 0 to 4"),
        (np.zeros((5, 1)), [0, 2, 2, 5], "sequence 1 has no steps"),
        (np.zeros((5, 1)), [0, 4, 2, 5], "sequence 1 has no steps: offsets must increase"),
        # The difference of two of them is too large for int64, or for their own dtype.
        (np.zeros((5, 1)), [0, 2**62, -(2**62), -(2**62) + 1, 5], "sequence 1 has no steps"),
        (np.zeros((5, 1)), np.array([0, 2**64 - 3, 5], np.uint64), "sequence 1 has no steps"),
        (np.zeros((5, 1)), np.array([0, 100, -100, 5], np.int8), "sequence 1 has no steps"),
    ],
)
def test_constructor_refuses(values, offsets, message):
    with pytest.raises(ValueError, match=message):
        SequenceArray(values, offsets)


# --- Indexing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("i", [0, 2, 4, -1, -5, np.int64(3), np.uint8(1)])
def test_integer_gives_a_view(i):
    X, sequences = make_packed(), make_list()
    for item in (X[i], X[i, ...], X[i,]):
        np.testing.assert_array_equal(item, sequences[i])
        assert np.shares_memory(item, X.values)


@pytest.mark.parametrize("i", [5, -6, np.int64(100)])
def test_integer_out_of_range(i):
    with pytest.raises(IndexError, match="out of range: there are 5"):
        make_packed()[i]


@given(lists_of_sequences, st.data())
@settings(max_examples=50, deadline=None)
def test_indexing_equals_list_indexing(sequences, data):
    packed, n = SequenceArray.from_sequences(sequences), len(sequences)
    key = data.draw(st.slices(n))
    assert_same(packed[key], sequences[key])
    assert_same(packed[key, ...], sequences[key])

    index = data.draw(st.lists(st.integers(-n, n - 1), max_size=2 * n))
    for key in (index, np.array(index, dtype=int), np.array(index, dtype=np.int8)):
        assert_same(packed[key], [sequences[i] for i in index])
        assert_same(packed[key, ...], [sequences[i] for i in index])

    mask = data.draw(hnp.arrays(bool, n))
    for key in (mask, mask.tolist()):
        assert_same(packed[key], [s for s, chosen in zip(sequences, mask, strict=True) if chosen])


@pytest.mark.parametrize("key", [slice(1, 3), slice(None), slice(2, 2), slice(3, 1)])
def test_neighbours_are_a_view(key):
    X = make_packed()
    part = X[key]
    assert_same(part, make_list()[key])
    assert len(part) == 0 or np.shares_memory(part.values, X.values)


@pytest.mark.parametrize(
    "key",
    [
        (0, 0),
        (slice(None), 0),
        (),
        (0, ..., 0),
        None,
        True,
        [5],
        [[0, 1]],
        [True, False],
        1.0,
        "a",
        np.array([0.0]),
    ],
    ids=repr,
)
def test_other_keys_are_index_errors(key):
    with pytest.raises(IndexError):
        make_packed()[key]


def test_iteration():
    X = make_packed()
    assert_same(X, make_list())
    assert all(np.shares_memory(sequence, X.values) for sequence in X)
    assert len(list(reversed(X))) == 5


# --- Ways in and out -----------------------------------------------------------------------------


@given(lists_of_sequences)
@settings(max_examples=30, deadline=None)
def test_all_ways_in_agree(sequences):
    lengths = [len(sequence) for sequence in sequences]
    packed = SequenceArray.from_sequences(sequences)
    assert_same(packed, sequences)
    assert_same(SequenceArray.from_concatenated(np.concatenate(sequences), lengths), sequences)

    padded = packed.to_padded()
    assert padded.shape == (len(sequences), max(lengths), packed.n_features)
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    assert np.isnan(padded[~mask]).all()
    assert_same(SequenceArray.from_padded(padded), sequences)
    assert_same(SequenceArray.from_padded(padded, lengths=lengths), sequences)
    assert_same(SequenceArray.from_padded(padded, mask=mask), sequences)
    assert_same(SequenceArray.from_padded(padded[:, ::-1])[:], [s[::-1] for s in sequences])
    filled = packed.to_padded(padding_value=-99.0)
    assert_same(SequenceArray.from_padded(filled, padding_value=-99.0), sequences)


def test_padding_at_both_ends():
    X = np.full((2, 6, 2), np.nan)
    X[0, 2:5] = 1.0
    X[1, 1:] = 2.0
    packed = SequenceArray.from_padded(X)
    assert_same(packed, [np.ones((3, 2)), np.full((5, 2), 2.0)])


def test_only_whole_steps_at_the_ends_are_padding():
    X = np.arange(8.0).reshape(1, 4, 2)
    X[0, 1] = np.nan  # inside
    X[0, 3, 0] = np.nan  # not all of the last step
    np.testing.assert_array_equal(SequenceArray.from_padded(X)[0], X[0])


def test_without_padding_a_padded_array_is_viewed():
    X = np.zeros((2, 3, 4))
    assert np.shares_memory(SequenceArray.from_padded(X).values, X)


def test_univariate_sequences():
    X = SequenceArray.from_sequences([[1.0, 2.0], np.array([3.0])])
    np.testing.assert_array_equal(X.values, [[1.0], [2.0], [3.0]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_from_data_frames(library):
    frame = pytest.importorskip(library).DataFrame
    X = SequenceArray.from_sequences(
        [frame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), frame({"a": [5.0], "b": [6.0]})]
    )
    np.testing.assert_array_equal(X.values, [[1, 3], [2, 4], [5, 6]])


def test_to_padded_keeps_the_dtype_that_holds_the_padding():
    whole = SequenceArray(np.arange(3)[:, None], [0, 1, 3])
    assert whole.to_padded().dtype == np.float64
    assert whole.to_padded(-1).dtype == whole.dtype
    single = SequenceArray(np.zeros((3, 1), np.float32), [0, 1, 3])
    assert single.to_padded().dtype == np.float32
    assert single[:0].to_padded().shape == (0, 0, 1)


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([], "there are no sequences"),
        ([np.zeros((2, 1)), np.zeros((0, 1))], "sequence 1 has no steps"),
        ([np.zeros((2, 3)), np.zeros((2, 4))], "sequence 0 has 3 features and sequence 1 has 4"),
        ([np.zeros((2, 3)), np.zeros(2)], "sequence 0 has 2 dimensions and sequence 1 has 1"),
        ([np.zeros((2, 3, 1))], "sequence 0 has 3 dimensions"),
        ([np.zeros(2), 3.0], "sequence 1 has 0 dimensions"),
    ],
)
def test_from_sequences_refuses(sequences, message):
    with pytest.raises(ValueError, match=message):
        SequenceArray.from_sequences(sequences)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        pytest.param([3], "there are 1 lengths for 2 sequences", id="wrong-size"),
        pytest.param([3, 0], r"lengths\[1\] is 0: at least one step", id="zero"),
        pytest.param([4, 3], r"lengths\[0\] is 4, but X has 3 time steps", id="too-long"),
        pytest.param([3.0, 2.0], "array of integers, got .* float64", id="float"),
        pytest.param([3, -1], r"lengths\[1\] is -1", id="negative"),
        pytest.param([True, True], "array of integers, got .* bool", id="bool"),
        pytest.param([[3, 3]], "one-dimensional", id="2-D"),
        pytest.param(None, "sequence 1 has no steps: all of it is padding", id="all-nan"),
    ],
)
def test_row_76_lengths(lengths, message):
    X = np.zeros((2, 3, 1))
    X[1] = np.nan
    with pytest.raises(ValueError, match=message):
        SequenceArray.from_padded(X, lengths=lengths)


@pytest.mark.parametrize(
    ("X", "kwargs", "message"),
    [
        (np.zeros((2, 3)), {}, r"X has shape \(2, 3\)"),
        (np.zeros((2, 0, 1)), {}, "0 time steps"),
        (np.zeros((1, 3, 1)), {"lengths": [3], "mask": [[True] * 3]}, "not both"),
        (np.zeros((1, 3, 1)), {"mask": [[1, 1, 0]]}, r"mask must be an array of bool"),
        (np.zeros((1, 3, 1)), {"mask": [[True, True]]}, r"of shape \(1, 3\), got \(1, 2\)"),
        (np.zeros((1, 3, 1)), {"mask": [[True, False, True]]}, "sequence 0 .* between real steps"),
        (np.zeros((1, 3, 1)), {"mask": [[False] * 3]}, "sequence 0 has no steps"),
    ],
)
def test_from_padded_refuses(X, kwargs, message):
    with pytest.raises(ValueError, match=message):
        SequenceArray.from_padded(X, **kwargs)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([2, 2], "the 2 lengths add up to 4, but values has 5 rows"),
        ([2**62] * 4, f"the 4 lengths add up to {2**64}, but"),  # in int64 they add up to 0
        ([2**62, 2**62, 2**62, 2**62 + 5], f"add up to {2**64 + 5}"),  # in int64 to 5
        ([2**63 - 1, 2**63 - 1, 7], f"add up to {2**64 + 5}"),
        (np.array([2**64 - 1, 6], np.uint64), rf"lengths\[0\] is {2**64 - 1}: no sequence has"),
        ([2**70, 1], "array of integers, got shape .* of object"),
        ([6, -1], r"lengths\[1\] is -1: at least one step"),
    ],
)
def test_from_concatenated_refuses_lengths_that_do_not_add_up(lengths, message):
    with pytest.raises(ValueError, match=message):
        SequenceArray.from_concatenated(np.zeros((5, 1)), lengths)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64])
def test_small_dtypes_of_lengths_hold_any_sum(dtype):
    X = SequenceArray.from_concatenated(np.zeros((300, 1)), np.array([100] * 3, dtype))
    assert X.offsets.tolist() == [0, 100, 200, 300]
    assert SequenceArray(X.values, X.offsets.astype(np.uint16)).lengths.tolist() == [100] * 3


# --- Through pickle, joblib and scikit-learn -----------------------------------------------------


@pytest.mark.parametrize(
    "send",
    [lambda X: pickle.loads(pickle.dumps(X)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_copies(send):
    assert_same(send(make_packed()), make_list())


def test_pickle_of_a_part_is_small():
    X = make_packed(lengths=[1000] * 20)
    assert len(pickle.dumps(X[:1])) < len(pickle.dumps(X)) / 15


def test_read_only_memory_map(tmp_path):
    joblib.dump(make_packed(), tmp_path / "X.joblib")
    X = joblib.load(tmp_path / "X.joblib", mmap_mode="r")
    assert isinstance(X.values, np.memmap)
    assert not X[0].flags.writeable
    assert_same(X, make_list())
    assert_same(X[[3, 1]], make_list()[3:0:-2])
    assert_same(SequenceArray.from_padded(X.to_padded()), make_list())


def _is_mapped(X):
    return isinstance(X.values, np.memmap), float(X.values.sum())


def test_joblib_workers_share_the_values():
    X = make_packed(lengths=[10_000] * 2)
    jobs = joblib.Parallel(n_jobs=2, max_nbytes=1000)(joblib.delayed(_is_mapped)(X) for _ in "ab")
    assert jobs == [(True, float(X.values.sum()))] * 2


class Mean(BaseEstimator):
    """Predicts 1 where the mean of a sequence is above that of the training sequences."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y=None):
        assert isinstance(X, SequenceArray)
        self.mean_ = X.values.mean() + self.shift
        return self

    def predict(self, X):
        assert isinstance(X, SequenceArray)
        return np.array([int(sequence.mean() > self.mean_) for sequence in X])

    def score(self, X, y):
        return np.mean(self.predict(X) == y)


X20 = make_packed(lengths=[1, 2, 3, 4] * 5)
Y20 = np.array([int(sequence.mean() > 0) for sequence in X20])


def test_kfold_keeps_the_type():
    sequences = list(X20)
    for train, test in KFold(4, shuffle=True, random_state=0).split(X20):
        assert_same(X20[train], [sequences[i] for i in train])
        assert_same(X20[test], [sequences[i] for i in test])


def test_train_test_split_and_shuffle_keep_the_type():
    index = np.arange(20)
    train, test, train_index, test_index = train_test_split(X20, index, random_state=0)
    assert_same(train, [X20[i] for i in train_index])
    assert_same(test, [X20[i] for i in test_index])
    shuffled, index = shuffle(X20, index, random_state=0)
    assert_same(shuffled, [X20[i] for i in index])


@pytest.mark.parametrize("wrap", [lambda e: e, make_pipeline], ids=["alone", "pipeline"])
def test_cross_validation_keeps_the_type(wrap):
    scores = cross_val_score(wrap(Mean()), X20, Y20, cv=4, error_score="raise")
    assert scores.mean() > 0.5
    learning_curve(wrap(Mean()), X20, Y20, cv=4, error_score="raise")


def test_grid_search_keeps_the_type():
    search = GridSearchCV(Mean(), {"shift": [0.0, 10.0]}, cv=4, error_score="raise")
    search.fit(X20, Y20)
    assert search.best_params_ == {"shift": 0.0}
    assert search.predict(X20).shape == (20,)
