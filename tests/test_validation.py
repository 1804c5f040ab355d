"""Every container of sequences is read as documented, or refused with words that help."""

import warnings
from decimal import Decimal

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator

from sklearn_rnn._data.containers import how_to_read, restore_container
from sklearn_rnn._estimators.reading import InputReader
from sklearn_rnn.sequences import SequenceArray


class Reader(InputReader, BaseEstimator):
    """Does nothing but read X."""

    def __init__(self, n_timesteps=None):
        self.n_timesteps = n_timesteps

    def fit(self, X):
        self.sequences_ = self._read_numbers(X, n_timesteps=self.n_timesteps, reset=True)
        return self

    def predict(self, X):
        return self._read_numbers(X, n_timesteps=self.n_timesteps, reset=False)


class ArrayLike:
    """Has `__array__` and nothing else, as the array-likes of scikit-learn's own tests."""

    def __init__(self, data):
        self.data = np.asarray(data)

    def __array__(self, dtype=None, copy=None):
        return self.data

    def __array_function__(self, *args):
        raise TypeError("not to be called")


def read(X, **params):
    return Reader(**params).fit(X).sequences_


def object_array(items):
    return np.fromiter(items, dtype=object, count=len(items))


RNG = np.random.default_rng(0)
X2 = RNG.normal(size=(4, 6))
X3 = RNG.normal(size=(4, 3, 2))
RAGGED = [RNG.normal(size=(length, 2)) for length in (3, 1, 4)]
RAGGED_1D = [sequence[:, 0] for sequence in RAGGED]
COLUMNS = [f"c{i}" for i in range(6)]


def frames(library, sequences=RAGGED, names="ab"):
    return [library.DataFrame(dict(zip(names, sequence.T, strict=True))) for sequence in sequences]


def assert_packed(packed, sequences):
    assert isinstance(packed, SequenceArray)
    assert packed.lengths.tolist() == [len(sequence) for sequence in sequences]
    expected = np.concatenate([np.reshape(s, (len(s), -1)) for s in sequences])
    np.testing.assert_array_equal(packed.values, expected.astype(packed.dtype))
    assert packed.values.flags.c_contiguous
    assert packed.dtype in (np.float32, np.float64)


# --- The table of X ------------------------------------------------------------------------------


FLAT = {
    "ndarray": X2,
    "list": X2.tolist(),
    "tuple": tuple(map(tuple, X2.tolist())),
    "pandas": pd.DataFrame(X2, columns=COLUMNS),
    "polars": pl.DataFrame(X2, schema=COLUMNS),
    "array-like": ArrayLike(X2),
    "object": X2.astype(object),
    "text": X2.astype(str),
    "nullable-frame": pd.DataFrame(X2).convert_dtypes(),
}


@pytest.mark.parametrize("name", FLAT)
def test_2d_is_univariate_rows(name):
    model = Reader().fit(FLAT[name])
    assert_packed(model.sequences_, X2[:, :, None])
    assert (model.n_features_in_, model.n_timesteps_in_, model._input_kind_) == (6, 6, "flat")
    named = hasattr(model, "feature_names_in_")
    assert named == (name in ("pandas", "polars"))
    if named:
        assert model.feature_names_in_.tolist() == COLUMNS
    assert_packed(model.predict(FLAT[name]), X2[:, :, None])


@pytest.mark.parametrize("name", FLAT)
def test_2d_with_n_timesteps_is_flattened_sequences(name):
    model = Reader(n_timesteps=3).fit(FLAT[name])
    assert_packed(model.sequences_, X2.reshape(4, 3, 2))
    assert (model.n_features_in_, model.n_timesteps_in_, model._input_kind_) == (6, 3, "flat")


def test_n_timesteps_undoes_the_flattening():
    assert_packed(read(X3.reshape(4, -1), n_timesteps=3), X3)


def test_n_timesteps_must_divide_the_columns():
    with pytest.raises(ValueError, match=r"6 columns.*multiple of n_timesteps=4: Reader expects"):
        read(X2, n_timesteps=4)


def test_other_width_comes_before_n_timesteps():
    with pytest.raises(ValueError, match="X has 5 features, but Reader is expecting 6 features"):
        Reader(n_timesteps=3).fit(X2).predict(X2[:, :5])


@pytest.mark.parametrize(
    ("X", "accepted"), [(X3, True), (X3[:, :2], False), (RAGGED, False)], ids=str
)
def test_n_timesteps_is_for_2d(X, accepted):
    if accepted:
        assert_packed(read(X, n_timesteps=3), X)
    else:
        with pytest.raises(ValueError, match="n_timesteps=3 is for a 2-D X"):
            read(X, n_timesteps=3)


CUBES = {
    "ndarray": X3,
    "nested-list": X3.tolist(),
    "list-of-lists-of-arrays": [list(sequence) for sequence in X3],
    "array-like": ArrayLike(X3),
    "object": X3.astype(object),
    "list": list(X3),
    "tuple": tuple(X3),
    "object-array": object_array(X3),
    "packed": SequenceArray.from_padded(X3),
    "series": pd.Series(list(X3)),
    "pandas-frames": frames(pd, X3),
    "polars-frames": frames(pl, X3),
    "list-of-array-likes": [ArrayLike(sequence) for sequence in X3],
}


@pytest.mark.parametrize("name", CUBES)
def test_equal_lengths(name):
    model = Reader().fit(CUBES[name])
    assert_packed(model.sequences_, X3)
    assert (model.n_features_in_, model.n_timesteps_in_, model._input_kind_) == (2, 3, "sequences")


PADDED = SequenceArray.from_sequences(RAGGED).to_padded()
RAGGED_CONTAINERS = {
    "list": RAGGED,
    "tuple": tuple(RAGGED),
    "object-array": object_array(RAGGED),
    "series": pd.Series(RAGGED, index=list("xyz")),
    "packed": SequenceArray.from_sequences(RAGGED),
    "nan-padded-behind": PADDED,
    "nan-padded-before": np.stack([np.roll(p, 4 - len(s), 0) for p, s in zip(PADDED, RAGGED)]),
    "nan-padded-around": np.pad(PADDED, ((0, 0), (2, 1), (0, 0)), constant_values=np.nan),
    "nested-list": [sequence.tolist() for sequence in RAGGED],
    "pandas-frames": frames(pd),
    "polars-frames": frames(pl),
}


@pytest.mark.parametrize("name", RAGGED_CONTAINERS)
def test_ragged(name):
    model = Reader().fit(RAGGED_CONTAINERS[name])
    assert_packed(model.sequences_, RAGGED)
    assert (model.n_features_in_, model.n_timesteps_in_) == (2, None)
    assert hasattr(model, "feature_names_in_") == name.endswith("-frames")


RAGGED_1D_CONTAINERS = {
    "list": RAGGED_1D,
    "tuple": tuple(RAGGED_1D),
    "object-array": object_array(RAGGED_1D),
    "object-array-of-lists": object_array([s.tolist() for s in RAGGED_1D]),
    "pandas-series-list": [pd.Series(s, name=f"s{i}") for i, s in enumerate(RAGGED_1D)],
    "polars-series-list": [pl.Series(s) for s in RAGGED_1D],
    "series-of-arrays": pd.Series(RAGGED_1D),
    "series-of-lists": pd.Series([s.tolist() for s in RAGGED_1D]),
    "polars-list-series": pl.Series([s.tolist() for s in RAGGED_1D]),
    "arrays-and-a-list": [RAGGED_1D[0], RAGGED_1D[1].tolist(), RAGGED_1D[2]],
}


@pytest.mark.parametrize("name", RAGGED_1D_CONTAINERS)
def test_ragged_univariate(name):
    model = Reader().fit(RAGGED_1D_CONTAINERS[name])
    assert_packed(model.sequences_, RAGGED_1D)
    assert model.n_features_in_ == 1


def test_polars_series_of_equally_long_arrays():
    X = pl.Series(X2.tolist(), dtype=pl.Array(pl.Float64, 6))
    assert_packed(read(X), X2[:, :, None])
    assert_packed(read(restore_container(X, read(X))), X2[:, :, None])


def test_list_of_equally_long_1d_arrays_is_a_list_of_sequences():
    model = Reader().fit(list(X2))
    assert_packed(model.sequences_, X2[:, :, None])
    assert (model.n_features_in_, model.n_timesteps_in_, model._input_kind_) == (1, 6, "sequences")


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    n_features=st.integers(1, 3),
    before=st.integers(0, 3),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 100),
)
def test_all_containers_of_one_thing_are_one_thing(lengths, n_features, before, dtype, seed):
    rng = np.random.default_rng(seed)
    sequences = [rng.normal(size=(length, n_features)).astype(dtype) for length in lengths]
    packed = SequenceArray.from_sequences(sequences)
    padded = np.pad(packed.to_padded(), ((0, 0), (before, 0), (0, 0)), constant_values=np.nan)
    for X in (sequences, tuple(sequences), object_array(sequences), packed, padded):
        found = read(X)
        assert_packed(found, sequences)
        assert found.dtype == dtype
        back = restore_container(X, found)
        assert type(back) is type(X)
        for one, other in zip(back, X, strict=True):
            np.testing.assert_array_equal(one, other)


# --- dtypes and memory ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        pytest.param(bool, np.float64, id="row-18-bool"),
        pytest.param(np.int8, np.float64, id="row-18-int8"),
        pytest.param(np.uint8, np.float64, id="row-18-uint8"),
        pytest.param(np.int64, np.float64, id="row-18-int64"),
        pytest.param(np.float16, np.float32, id="row-19-float16"),
        pytest.param(np.longdouble, np.float64, id="row-20-longdouble"),
        pytest.param(np.float32, np.float32, id="float32"),
        pytest.param(np.float64, np.float64, id="float64"),
        pytest.param(">f4", np.float32, id="row-38-big-endian-float32"),
        pytest.param(">f8", np.float64, id="row-38-big-endian-float64"),
        pytest.param(">i2", np.float64, id="row-38-big-endian-int16"),
        pytest.param(object, np.float64, id="row-16-object"),
        pytest.param(str, np.float64, id="row-14-text-of-numbers"),
    ],
)
def test_dtype(dtype, expected):
    X = np.arange(12).reshape(2, 3, 2).astype(dtype)
    expected_values = X.astype(float)
    flat = X.reshape(2, 6)
    containers = [X, list(X), object_array(list(X)), SequenceArray(X.reshape(6, 2), [0, 3, 6])]
    for container in containers:
        assert_packed(read(container), expected_values)
        assert read(container).dtype == expected
    assert_packed(read(flat), expected_values.reshape(2, 6))
    assert read(flat).dtype == expected
    assert read(flat).values.dtype.isnative


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_of_frames(library, dtype):
    frame = library.DataFrame({"a": np.zeros(3, dtype), "b": np.zeros(3, dtype)})
    assert read(frame).dtype == dtype
    assert read([frame, frame]).dtype == dtype


def test_row_20_longdouble_that_overflows():
    big = np.full((2, 3), np.longdouble("1e4000"))
    for X in (big, big[:, :, None], list(big)):
        with pytest.raises(ValueError, match="contains infinity"):
            read(X)


def test_row_35_common_dtype():
    mixed = [np.zeros((2, 1), np.float32), np.zeros((3, 1), np.int64)]
    assert read(mixed).dtype == np.float64
    assert read([mixed[0], mixed[0].astype(np.float16)]).dtype == np.float32


def strange_memory(X):
    """The same numbers in every layout that NumPy knows."""
    wide = np.zeros((*X.shape[:-1], 2 * X.shape[-1]), X.dtype)
    wide[..., ::2] = X
    return {
        "F-order": np.asfortranarray(X),
        "not-contiguous": wide[..., ::2],
        "negative-stride": X[::-1, ..., ::-1].copy()[::-1, ..., ::-1],
        "big-endian": X.astype(">f8"),
        "broadcast": np.broadcast_to(X[0], X.shape),
        "read-only": np.frombuffer(X.tobytes(), X.dtype).reshape(X.shape),
    }


@pytest.mark.parametrize("layout", strange_memory(X3))
@pytest.mark.parametrize("X", [X2, X3], ids=["2-D", "3-D"])
def test_row_38_memory_layout(X, layout):
    strange = strange_memory(X)[layout]
    expected = read(np.array(strange, dtype=np.float64, order="C", copy=True))
    assert_packed(read(strange), expected)
    assert_packed(read(list(strange)), read(list(np.ascontiguousarray(strange))))


def test_row_39_memory_map(tmp_path):
    for i, X in enumerate([X2, X3, PADDED, SequenceArray.from_sequences(RAGGED)]):
        joblib.dump(X, tmp_path / f"{i}.joblib")
        mapped = joblib.load(tmp_path / f"{i}.joblib", mmap_mode="r")
        assert_packed(read(mapped), read(X))


@pytest.mark.parametrize("X", [X2, X3, SequenceArray.from_padded(X3)], ids=["2-D", "3-D", "packed"])
def test_no_copy_and_no_writing(X):
    memory = X.values if isinstance(X, SequenceArray) else X
    values = read(X).values
    assert np.shares_memory(values, memory)
    assert not values.flags.writeable
    assert memory.flags.writeable


@pytest.mark.parametrize("X", [X2, PADDED, RAGGED, RAGGED_1D], ids=["2-D", "3-D", "list", "1-D"])
def test_x_is_never_written(X):
    before = [np.array(item, copy=True) for item in X]
    read(X)
    for item, old in zip(X, before, strict=True):
        np.testing.assert_array_equal(item, old)


@pytest.mark.parametrize(
    ("X", "lengths"),
    [
        pytest.param(np.zeros((1, 100_000, 1)), [100_000], id="row-40-long"),
        pytest.param(np.zeros((5, 1, 2)), [1] * 5, id="row-41-one-step"),
        pytest.param(np.zeros((5, 1)), [1] * 5, id="row-41-one-column"),
        pytest.param(np.zeros((1, 4, 2)), [4], id="row-42-one-sequence"),
        pytest.param(np.zeros((1, 4)), [4], id="row-42-one-row"),
    ],
)
def test_extreme_shapes(X, lengths):
    assert read(X).lengths.tolist() == lengths


# --- fit, then predict ---------------------------------------------------------------------------


@pytest.mark.parametrize("X", [*RAGGED_CONTAINERS.values(), *CUBES.values()], ids=how_to_read)
def test_row_72_any_sequences_after_any_sequences(X):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X has feature names, but Reader was fitted without")
        packed = Reader().fit(X3[:, :1]).predict(X)
    assert packed.n_features == 2


@pytest.mark.parametrize("X", [X3[:, :, :1], [X2], SequenceArray(X2, [0, 4])], ids=how_to_read)
def test_row_73_other_number_of_features(X):
    n_features = read(X).n_features
    message = f"X has {n_features} features, but Reader is expecting 2 features as input"
    with pytest.raises(ValueError, match=message):
        Reader().fit(RAGGED).predict(X)


@pytest.mark.parametrize("X", [X2[:, :5], X2[:, :5].tolist(), X2.T], ids=["array", "list", "T"])
def test_row_71_other_width(X):
    width = np.shape(X)[1]
    message = f"X has {width} features, but Reader is expecting 6 features as input"
    with pytest.raises(ValueError, match=message):
        Reader().fit(X2).predict(X)


@pytest.mark.parametrize(
    ("X", "given"),
    [
        (X3, r"of shape \(4, 3, 2\)"),
        (RAGGED, "a list of 3 sequences"),
        (tuple(RAGGED_1D), "a tuple of 3 sequences"),
        (SequenceArray.from_sequences(RAGGED), r"a SequenceArray\(3 sequences.*\)"),
        (object_array(RAGGED), r"of shape \(3,\)"),
        (X2[:, :, None], r"of shape \(4, 6, 1\)"),
    ],
    ids=["3-D", "list", "tuple", "packed", "object-array", "3-D-of-one-feature"],
)
def test_row_74_sequences_after_2d(X, given):
    with pytest.raises(
        ValueError, match=f"X is {given}, but Reader was fitted on a 2-D X, on rows of 6 values"
    ):
        Reader().fit(X2).predict(X)


@pytest.mark.parametrize(
    ("X", "given"),
    [
        (RAGGED[0], r"of shape \(3, 2\)"),
        (RAGGED[0].tolist(), "a list of 3 rows"),
        (pd.DataFrame(RAGGED[0]), r"of shape \(3, 2\)"),
        (ArrayLike(RAGGED[0]), r"of shape \(3, 2\)"),
        (X2, r"of shape \(4, 6\)"),
    ],
    ids=["array", "list", "frame", "array-like", "other-width"],
)
def test_row_74_2d_after_sequences(X, given):
    message = rf"X is {given}, but Reader was fitted on sequences of 2 .*one sequence\? pass \[X\]"
    with pytest.raises(ValueError, match=message):
        Reader().fit(RAGGED).predict(X)


def test_a_new_fit_forgets_the_old_one():
    model = Reader().fit(pd.DataFrame(X2, columns=COLUMNS)).fit(RAGGED)
    assert (model.n_features_in_, model.n_timesteps_in_, model._input_kind_) == (
        2,
        None,
        "sequences",
    )
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize(
    "X",
    [
        np.full((3, 4), np.nan),
        pd.DataFrame({"a": ["x"]}),
        np.full((3, 4, 1), np.inf),
        [*RAGGED, np.zeros((0, 2))],
        np.zeros((3, 0, 1)),
        X2[:, :5],  # not a multiple of n_timesteps
        X3[:, :2],  # not n_timesteps steps
    ],
    ids=["nan", "frame", "inf", "empty-sequence", "no-steps", "columns", "steps"],
)
def test_a_refused_x_changes_nothing(X):
    model = Reader(n_timesteps=3).fit(pd.DataFrame(X2, columns=COLUMNS))
    before = dict(vars(model))
    with pytest.raises(ValueError, match=r"X|sequence"):
        model.fit(X)
    assert vars(model) == before


# --- Names of features ---------------------------------------------------------------------------


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_names_of_a_list_of_frames(library):
    model = Reader().fit(frames(library))
    assert model.feature_names_in_.tolist() == ["a", "b"]
    model.predict(frames(library, X3))
    with pytest.raises(ValueError, match="feature names should match those that were passed"):
        model.predict(frames(library, names="ba"))
    with pytest.warns(UserWarning, match="X does not have valid feature names, but Reader"):
        model.predict(RAGGED)


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_frames_of_a_list_must_agree(library):
    X = frames(library)
    X[2] = frames(library, names="ac")[2]
    with pytest.raises(ValueError, match=r"Sequence 2 of X has the columns \['a', 'c'\], but seq"):
        read(X)


def test_names_that_are_not_strings():
    model = Reader().fit([pd.DataFrame(sequence) for sequence in RAGGED])
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 2


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_row_27_other_names(library):
    model = Reader().fit(library.DataFrame(dict(zip("ab", X2.T[:2], strict=True))))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(library.DataFrame(dict(zip("ba", X2.T[:2], strict=True))))


@pytest.mark.parametrize("wrap", [lambda frame: frame, lambda frame: [frame]], ids=["2-D", "list"])
def test_row_28_names_of_mixed_types(wrap):
    with pytest.raises(TypeError, match="all input features have string names"):
        read(wrap(pd.DataFrame({"a": [1.0], 1: [2.0]})))


def test_long_frame_with_text_ids_points_to_sequences_from_frame():
    frame = pd.DataFrame({"id": ["a", "a", "b"], "value": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="could not convert string to float") as caught:
        read(frame)
    assert "sequences_from_frame(df, by=, order=)" in caught.value.__notes__[0]


def test_ragged_list_of_lists_points_to_arrays():
    message = r"rows that differ in length \(1 to 2\).*\[np.asarray\(sequence\) for sequence in X\]"
    with pytest.raises(ValueError, match=message):
        read([[1.0, 2.0], [3.0]])


# --- Bad input, row by row -----------------------------------------------------------------------


def with_value(value, *index, X=X3):
    X = X.astype(object) if not isinstance(value, float) else X.copy()
    X[index] = value
    return X


DICT = {"foo": "bar"}
COMPLEX = np.ones((2, 3), dtype=complex)
DATES = np.arange(6).reshape(2, 3).astype("datetime64[ms]")
MASKED = np.ma.masked_greater(X2, 1.0)
STRUCTURED = np.zeros((2, 3), dtype=[("a", float), ("b", float)])
DICT_ERROR = r"argument must be .*string.* number"

BAD = [
    ("row-01-none", None, ValueError, "Expected 2D array, got scalar"),
    ("row-02-scalar", 3.0, ValueError, "Expected 2D array, got scalar"),
    ("row-02-text", "abc", ValueError, "could not convert string to float"),
    ("row-03-1d", X2[0], ValueError, "Reshape your data"),
    ("row-03-1d-list", [1.0, 2.0], ValueError, "Reshape your data"),
    ("row-03-1d-object", X2[0].astype(object), ValueError, "Reshape your data"),
    ("row-03-series", pd.Series(X2[0]), ValueError, "Expected a 2-dimensional container"),
    ("row-04-4d", np.zeros((2, 2, 2, 2)), ValueError, "dim 4, while dim <= 3 .* by Reader"),
    ("row-04-list-of-3d", [X3, X3], ValueError, "sequence 0 has 3 dimensions"),
    ("row-06-2d", np.zeros((0, 4)), ValueError, r"0 sample\(s\)"),
    ("row-06-3d", np.zeros((0, 4, 2)), ValueError, r"0 sample\(s\).*by Reader"),
    ("row-06-list", [], ValueError, r"0 sample\(s\) \(an empty list\)"),
    ("row-06-packed", SequenceArray(X2, [0, 4])[:0], ValueError, r"0 sample\(s\) .*Sequence"),
    ("row-07-2d", np.zeros((4, 0)), ValueError, r"0 feature\(s\) \(shape=\(4, 0\)\) while a min"),
    ("row-08-3d", np.zeros((4, 0, 2)), ValueError, "0 time steps"),
    ("row-09-3d", np.zeros((4, 3, 0)), ValueError, r"0 feature\(s\)"),
    ("row-09-list", [np.zeros((4, 0))], ValueError, r"0 feature\(s\)"),
    ("row-09-packed", SequenceArray(np.zeros((4, 0)), [0, 4]), ValueError, r"0 feature\(s\)"),
    ("row-10-2d", with_value(np.nan, 0, 0, X=X2), ValueError, "Input X contains NaN."),
    ("row-10-3d", with_value(np.nan, 2, 1), ValueError, r"contains NaN\. .* 2, at step 1, "),
    ("row-10-all-nan", with_value(np.nan, 2), ValueError, "sequence 2 has no steps: all of it"),
    ("row-11-2d", with_value(np.inf, 0, 0, X=X2), ValueError, "contains infinity or a value too"),
    (
        "row-11-3d",
        with_value(-np.inf, 1, 2, 1),
        ValueError,
        "infinity.* 1, at step 2, in feature 1",
    ),
    ("row-13-2d", COMPLEX, ValueError, "Complex data not supported"),
    ("row-13-3d", COMPLEX[:, :, None], ValueError, "Complex data not supported"),
    ("row-13-list", list(COMPLEX), ValueError, "Sequence 0 of X: Complex data not supported"),
    ("row-13-packed", SequenceArray(COMPLEX, [0, 2]), ValueError, "Complex data not supported"),
    ("row-15-2d", [["a", "b"]], ValueError, "could not convert string to float"),
    ("row-15-3d", with_value("a", 0, 0), ValueError, "could not convert string to float"),
    ("row-15-list", [X2, np.array([["a"]])], ValueError, "Sequence 1 of X: could not convert"),
    ("row-17-2d", with_value(DICT, 0, 0, X=X2), TypeError, DICT_ERROR),
    ("row-17-3d", with_value(DICT, 0, 0, 0), TypeError, DICT_ERROR),
    ("row-17-list", list(with_value(DICT, 1, 0, 0)), TypeError, "Sequence 1 of X: .*argument must"),
    ("row-22-2d", DATES, ValueError, "datetime64.*numbers are expected"),
    ("row-22-3d", DATES[:, :, None], ValueError, "datetime64"),
    ("row-22-list", list(DATES), ValueError, "Sequence 0 of X: X is of type datetime64"),
    ("row-22-packed", SequenceArray(DATES, [0, 2]), ValueError, "datetime64"),
    ("row-22-timedelta", DATES - DATES[0, 0], ValueError, "timedelta64"),
    ("row-22-pandas", pd.DataFrame({"a": DATES[0]}), ValueError, "datetime64"),
    ("row-22-pandas-list", [pd.DataFrame({"a": DATES[0]})], ValueError, "Sequence 0 .*datetime64"),
    ("row-22-polars", pl.DataFrame({"a": DATES[0]}), ValueError, "datetime"),
    ("row-22-pyarrow", pa.table({"a": DATES[0]}), ValueError, "X is of type timestamp"),
    ("row-22-pyarrow-list", [pa.chunked_array([DATES[0]])], ValueError, "X is of type timestamp"),
    ("row-23-2d", MASKED, ValueError, "masked values"),
    ("row-23-3d", MASKED[:, :, None], ValueError, "masked values"),
    ("row-23-list", [X2, MASKED], ValueError, "Sequence 1 of X: X has masked values"),
    ("row-24-2d", STRUCTURED, ValueError, r"structured array with the fields \('a', 'b'\)"),
    ("row-24-3d", STRUCTURED[:, :, None], ValueError, "structured array"),
    ("row-24-list", list(STRUCTURED), ValueError, "Sequence 0 of X: X is a structured array"),
    ("row-25-list", [sparse.csr_array(X2)], TypeError, "Sequence 0 of X: Sparse data"),
    ("row-29-na", pd.DataFrame({"a": [1, pd.NA]}, dtype="Int64"), ValueError, "contains NaN"),
    (
        "row-29-na-list",
        [pd.DataFrame({"a": [1, pd.NA]}, dtype="Int64")],
        ValueError,
        r"contains NaN\. It is in sequence 0, at step 1",
    ),
    (
        "row-29-category",
        pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
        ValueError,
        "could not convert string to float",
    ),
    ("row-32", [*RAGGED, X2], ValueError, "sequence 0 has 2 features and sequence 3 has 6"),
    ("row-33", [*RAGGED, np.zeros((0, 2))], ValueError, "sequence 3 has no steps"),
    ("row-33-1d", [*RAGGED_1D, np.zeros(0)], ValueError, "sequence 3 has no steps"),
    ("row-34", [*RAGGED, np.zeros(3)], ValueError, "sequence 0 has 2 dim.* sequence 3 has 1"),
    ("row-34-number", [*RAGGED_1D, 3.0], ValueError, r"Sequence 3 of X is 3\.0, but an array"),
    (
        "row-36",
        [RAGGED[0], with_value(np.nan, 2, 1, X=RAGGED[2])],
        ValueError,
        "Input X contains NaN. It is in sequence 1, at step 2, in feature 1.",
    ),
    (
        "row-36-packed",
        SequenceArray(with_value(np.nan, 3, 1, X=X2), [0, 2, 4]),
        ValueError,
        "sequence 1, at step 1, in feature 1.*SimpleImputer",
    ),
    ("row-37-set", {1.0, 2.0}, TypeError, "X is a set.*Make it a list first"),
    ("row-37-dict", {"a": X2}, TypeError, "X is a dict"),
    ("row-37-generator", (sequence for sequence in RAGGED), TypeError, "X is a generator"),
    ("lazy-frame", pl.LazyFrame({"a": [1.0]}), TypeError, r"a LazyFrame.*pass X\.collect"),
    ("row-37-object", object(), TypeError, "argument must be"),
]


@pytest.mark.parametrize(("X", "error", "message"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
@pytest.mark.parametrize("method", ["fit", "predict"])
def test_bad_input(X, error, message, method):
    model = Reader() if method == "fit" else Reader().fit(RAGGED)
    before = dict(vars(model))
    with pytest.raises(error, match=message):
        getattr(model, method)(X)
    assert vars(model) == before


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "dia", "bsr"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_row_25_sparse(form, kind, index):
    X = getattr(sparse, f"{form}_{kind}")(X2)
    for name in ("indices", "indptr"):
        if hasattr(X, name):
            setattr(X, name, getattr(X, name).astype(index))
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        read(X)


def test_row_12_garbage_in_padding_given_by_length():
    X = X3.copy()
    X[1, 2] = [np.inf, np.nan]
    packed = SequenceArray.from_padded(X, lengths=[3, 2, 3, 3])
    assert_packed(read(packed), [X3[0], X3[1, :2], X3[2], X3[3]])


def test_row_23_masked_array_without_masked_values():
    assert_packed(read(np.ma.array(X2)), X2)
    assert_packed(read(np.ma.array(X3)), X3)


def test_step_of_an_error_is_counted_with_the_padding():
    X = np.pad(X3, ((0, 0), (2, 0), (0, 0)), constant_values=np.nan)
    X[1, 3, 0] = np.nan
    with pytest.raises(ValueError, match="in sequence 1, at step 3, in feature 0"):
        read(X)


def test_error_of_sequences_names_the_estimator():
    with pytest.raises(ValueError, match="sequence 1 has no steps") as caught:
        read([X2, np.zeros((0, 6))])
    assert caught.value.__notes__ == ["This is about the X of Reader."]


def test_decimals_are_numbers():
    assert_packed(read([[Decimal("1.5"), Decimal("2")]]), [np.array([1.5, 2.0])])


def test_allow_nan():
    X = np.full((1, 3, 2), 1.0)
    X[0, 0] = np.nan
    X[0, 1, 0] = np.nan
    packed = Reader()._read_numbers(X, reset=True, allow_nan=True)
    np.testing.assert_array_equal(packed[0], X[0, 1:])
    np.testing.assert_array_equal(
        Reader()._read_numbers(X[0], reset=True, allow_nan=True).to_padded()[:, :, 0], X[0]
    )
    X[0, 2, 1] = np.inf
    with pytest.raises(
        ValueError, match=r"infinity\. It is in sequence 0, at step 2, in feature 1"
    ):
        Reader()._read_numbers(X, reset=True, allow_nan=True)


# --- The way back --------------------------------------------------------------------------------


ALL = {
    **{f"flat-{name}": X for name, X in FLAT.items()},
    **{f"cube-{name}": X for name, X in CUBES.items()},
    **{f"ragged-{name}": X for name, X in RAGGED_CONTAINERS.items()},
    **{f"ragged-1d-{name}": X for name, X in RAGGED_1D_CONTAINERS.items()},
}


@pytest.mark.parametrize("name", ALL)
def test_restore_container(name):
    X = ALL[name]
    packed = read(X)
    back = restore_container(X, packed)
    kind = {"flat": np.ndarray, "array": np.ndarray, "packed": SequenceArray}.get(how_to_read(X))
    if isinstance(X, (list, tuple, pd.Series)) and kind is None:
        kind = type(X)
    assert isinstance(back, kind or np.ndarray)
    if isinstance(back, pd.Series):
        pd.testing.assert_index_equal(back.index, X.index)
    assert_packed(read(back), packed)
    if name.startswith("ragged-1d"):
        assert all(np.ndim(sequence) == 1 for sequence in back)
    if name.startswith("flat"):
        np.testing.assert_array_equal(back, X2)


@pytest.mark.parametrize("name", ALL)
def test_restore_container_with_more_features(name):
    X = ALL[name]
    packed = read(X)
    doubled = SequenceArray(np.hstack([packed.values, packed.values]), packed.offsets)
    assert_packed(read(restore_container(X, doubled)), doubled)


def test_restored_padding_is_nan_where_it_was():
    X = np.pad(PADDED, ((0, 0), (2, 1), (0, 0)), constant_values=np.nan)
    np.testing.assert_array_equal(restore_container(X, read(X)), X)
    packed = read(X)
    whole = SequenceArray(np.ones((len(packed.values), 3), dtype=int), packed.offsets)
    back = restore_container(X, whole)
    assert back.shape == (3, 7, 3)
    assert back.dtype == np.float64
    np.testing.assert_array_equal(np.isnan(back).all(2), np.isnan(X).all(2))
