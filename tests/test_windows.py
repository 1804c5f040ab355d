"""make_windows against windows that are cut one by one."""

import csv
import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, TimeSeriesSplit, cross_val_score

from sklearn_rnn import GRURegressor, SequenceArray, make_windows

COUNT = np.arange(10.0)
TABLE = np.column_stack([COUNT, COUNT + 100])  # the column's number and the row's, in one
SIZES = dict(window=st.integers(1, 4), horizon=st.integers(1, 4), stride=st.integers(1, 5))


@pytest.fixture(scope="module")
def sunspots(shared_path):
    with shared_path("monthly-sunspots.csv").open() as file:
        return np.array([float(row["Sunspots"]) for row in csv.DictReader(file)])


@pytest.fixture(scope="module")
def traffic(shared_path):
    """Volume, temperature and clouds of each hour."""
    with gzip.open(shared_path("traffic_volume.csv.gz"), "rt") as file:
        rows = list(csv.DictReader(file))
    columns = ("traffic_volume", "temp_K", "clouds_all")
    return np.array([[float(row[name]) for name in columns] for row in rows])


def cut_one_by_one(series, window, horizon, stride):
    """(series, start, inputs, targets) of each window, for a list of (T, F) arrays."""
    cut = []
    for i, rows in enumerate(series):
        start = 0
        while start + window + horizon <= len(rows):
            end = start + window
            cut.append((i, start, rows[start:end], rows[end : end + horizon].ravel()))
            start += stride
    return cut


@st.composite
def several_series(draw, window, horizon):
    n_columns = draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(window + horizon, 14), min_size=1, max_size=4))
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, n_columns)) for length in lengths]


# --- What the windows hold -----------------------------------------------------------------------


@given(data=st.data(), **SIZES)
@settings(max_examples=100, deadline=None)
def test_windows_equal_windows_cut_one_by_one(data, window, horizon, stride):
    series = data.draw(several_series(window, horizon))
    expected = cut_one_by_one(series, window, horizon, stride)
    windows = make_windows(series, window, horizon, stride=stride)
    np.testing.assert_array_equal(windows.groups, [i for i, _, _, _ in expected])
    np.testing.assert_array_equal(windows.starts, [start for _, start, _, _ in expected])
    np.testing.assert_array_equal(windows.X, [inputs for _, _, inputs, _ in expected])
    targets = np.array([targets for _, _, _, targets in expected])
    np.testing.assert_array_equal(windows.y, targets[:, 0] if targets.shape[1] == 1 else targets)


@pytest.mark.parametrize(
    "series",
    [
        COUNT,
        COUNT.tolist(),
        COUNT[:, np.newaxis],
        COUNT.astype(int),
        pd.Series(COUNT, index=pd.date_range("2020", periods=10)),
        pd.DataFrame({"a": COUNT}, index=range(5, 15)),
        pl.Series(COUNT),
        pl.DataFrame({"a": COUNT}),
        [COUNT],
        (pd.Series(COUNT),),
        pd.Series([COUNT], index=["only"]),
        COUNT[np.newaxis, :, np.newaxis],
        SequenceArray.from_sequences([COUNT]),
    ],
    ids=lambda series: type(series).__name__,
)
def test_containers_of_one_series_agree(series):
    windows = make_windows(series, 3, 2)
    np.testing.assert_array_equal(windows.X[:, :, 0], [COUNT[s : s + 3] for s in range(6)])
    np.testing.assert_array_equal(windows.y, [COUNT[s + 3 : s + 5] for s in range(6)])


def test_exog_follows_the_columns_of_the_series():
    windows = make_windows(TABLE, 3, exog=COUNT + 200)
    assert windows.X.shape == (7, 3, 3)
    np.testing.assert_array_equal(windows.X[2], [[s, s + 100, s + 200] for s in (2, 3, 4)])
    np.testing.assert_array_equal(windows.y[2], [5, 105])
    several = make_windows([TABLE, TABLE], 3, exog=[COUNT + 200, COUNT + 300])
    np.testing.assert_array_equal(several.X[7, :, 2], [300, 301, 302])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, [3, 103, 4, 104]),
        (0, [3, 4]),
        (-1, [103, 104]),
        ("b", [103, 104]),
        ([1, 0], [103, 3, 104, 4]),
        (["a"], [3, 4]),
    ],
)
@pytest.mark.parametrize("library", [pd, pl])
def test_targets_row_after_row(library, target, expected):
    frame = library.DataFrame({"a": TABLE[:, 0], "b": TABLE[:, 1]})
    for series in (frame, [frame]):
        np.testing.assert_array_equal(make_windows(series, 3, 2, target=target).y[0], expected)


def test_one_number_a_window_is_one_dimensional():
    assert make_windows(COUNT, 3).y.shape == (7,)
    assert make_windows(TABLE, 3, target=1).y.shape == (7,)
    assert make_windows(TABLE, 3).y.shape == (7, 2)
    assert make_windows(COUNT, 3, 2).y.shape == (6, 2)


def test_padding_of_a_3d_array_is_left_out():
    padded = SequenceArray.from_sequences([COUNT, COUNT[:5]]).to_padded()
    windows = make_windows(padded, 4)
    np.testing.assert_array_equal(windows.groups, [0, 0, 0, 0, 0, 0, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    windows = make_windows(COUNT.astype(dtype), 3)
    assert windows.X.dtype == windows.y.dtype == dtype


# --- Memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("series", [COUNT, SequenceArray(TABLE, [0, 6, 10]), TABLE[np.newaxis]])
@pytest.mark.parametrize("exog", [False, True])
def test_no_memory_is_shared_with_the_series(series, exog):
    windows = make_windows(series, 2, exog=series if exog else None)
    source = series.values if isinstance(series, SequenceArray) else series
    assert not np.shares_memory(windows.X, source)
    assert not np.shares_memory(windows.y, source)
    assert not windows.X.flags.writeable
    windows.y[:] = 0  # y is the user's own


def test_windows_of_one_series_are_a_view():
    """A year of hours in windows of a week takes a year's memory, not 168 years'."""
    windows = make_windows(np.zeros(8760), window=168)
    base = windows.X
    while base.base is not None:
        base = base.base
    assert base.nbytes == 8760 * 8


# --- Cross-validation ----------------------------------------------------------------------------


def row_sets(windows, horizon, index):
    """The rows that windows use as (inputs, targets)."""
    window = windows.X.shape[1]
    starts = windows.starts[index]
    inputs = {row for s in starts for row in range(s, s + window)}
    return inputs, {row for s in starts for row in range(s + window, s + window + horizon)}


def splits_with(gap, n_windows):
    splitter = TimeSeriesSplit(n_splits=2, gap=gap, test_size=max(1, n_windows // 8))
    return list(splitter.split(np.zeros(n_windows)))


@given(**SIZES)
@settings(max_examples=60, deadline=None)
def test_gap_keeps_training_before_the_first_test_target_and_is_the_smallest(
    window, horizon, stride
):
    windows = make_windows(np.arange(120.0), window, horizon, stride=stride)

    def leaks(gap):
        found = []
        for train, test in splits_with(gap, len(windows.X)):
            first_target = min(row_sets(windows, horizon, test)[1])
            found.append(max(set.union(*row_sets(windows, horizon, train))) >= first_target)
        return found

    assert not any(leaks(windows.gap))
    assert windows.gap == 0 or all(leaks(windows.gap - 1))


@given(**SIZES)
@settings(max_examples=60, deadline=None)
def test_the_documented_stricter_gap_shares_no_row_and_is_the_smallest(window, horizon, stride):
    windows = make_windows(np.arange(120.0), window, horizon, stride=stride)
    gap = int(np.ceil((window + horizon) / stride)) - 1

    def shares(gap):
        found = []
        for split in splits_with(gap, len(windows.X)):
            train, test = (set.union(*row_sets(windows, horizon, index)) for index in split)
            found.append(bool(train & test))
        return found

    assert not any(shares(gap))
    assert gap == 0 or all(shares(gap - 1))


def test_groups_keep_series_apart():
    windows = make_windows([TABLE, TABLE[:6], TABLE[:7]], 3)
    for train, test in GroupKFold(3).split(windows.X, windows.y, windows.groups):
        assert not set(windows.groups[train]) & set(windows.groups[test])


# --- Real data -----------------------------------------------------------------------------------


def test_lagged_regression_on_sunspots(sunspots):
    """A linear model of the last two years beats the last value, with nothing of the future."""
    windows = make_windows(sunspots, window=24, horizon=6)
    assert windows.gap == 5
    cv = TimeSeriesSplit(gap=windows.gap)
    lags = windows.X[:, :, 0]
    scores = cross_val_score(LinearRegression(), lags, windows.y, cv=cv)
    last = np.repeat(lags[:, -1:], 6, axis=1)
    persistence = [r2_score(windows.y[test], last[test]) for _, test in cv.split(lags)]
    assert np.mean(scores) > np.mean(persistence)


def test_recurrent_regressor_on_traffic(traffic):
    volume, weather = traffic[:2000, :1] / 1000, traffic[:2000, 1:] / 100
    windows = make_windows(volume, window=24, stride=4, exog=weather)
    assert windows.X.shape == (494, 24, 3)
    model = GRURegressor(hidden_size=8, max_iter=20, learning_rate_init=0.02, random_state=0)
    cv = TimeSeriesSplit(n_splits=2, gap=windows.gap)
    assert cross_val_score(model, windows.X, windows.y, cv=cv).min() > 0.8


# --- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["window", "horizon", "stride"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2", None])
def test_sizes_are_positive_integers(name, value):
    sizes = {"window": 2, name: value}
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1, got {value!r}"):
        make_windows(COUNT, **sizes)


def test_series_that_is_too_short():
    with pytest.raises(ValueError, match=r"^series has 10 row.*window=9 and horizon=2 .* least 11"):
        make_windows(COUNT, 9, 2)
    short = [COUNT, COUNT[:4], COUNT[:3]]
    with pytest.raises(ValueError, match=r"series\[1\] has 4 row.*least 5 \(2 such series"):
        make_windows(short, 4)


def test_a_series_that_is_just_long_enough():
    assert make_windows(COUNT, 8, 2, stride=7).X.shape == (1, 8, 1)


def test_missing_values_are_told_with_their_position():
    table = TABLE.copy()
    table[7, 1] = np.nan
    with pytest.raises(ValueError, match=r"^series is missing \(NaN\) in row 7, column 1 \(1 val"):
        make_windows(table, 2)
    with pytest.raises(ValueError, match=r"^series\[1\] is missing \(NaN\) in row 7, column 1"):
        make_windows([TABLE, table], 2)
    with pytest.raises(ValueError, match=r"^exog is missing \(NaN\) in row 7, column 1"):
        make_windows(COUNT, 2, exog=table)


def test_infinity_is_told_with_its_position():
    with pytest.raises(ValueError, match=r"^series is infinite in row 1, column 0 \(1 value"):
        make_windows([0.0, np.inf, 0.0], 1)


def test_exog_of_other_rows():
    with pytest.raises(ValueError, match="exog has 9 rows, but series has 10"):
        make_windows(COUNT, 2, exog=COUNT[:9])
    with pytest.raises(ValueError, match=r"exog\[1\] has 9 rows, but series\[1\] has 10"):
        make_windows([COUNT, COUNT], 2, exog=[COUNT, COUNT[:9]])
    with pytest.raises(ValueError, match="exog has 1 series, but series has 2"):
        make_windows([COUNT, COUNT], 2, exog=COUNT)


@pytest.mark.parametrize("target", [2, -3, "c", True, 0.0, [0, 2]])
def test_target_that_is_no_column(target):
    with pytest.raises(ValueError, match=r"series has no column .*names \['a', 'b'\]"):
        make_windows(pd.DataFrame(TABLE, columns=["a", "b"]), 2, target=target)


def test_empty_target():
    with pytest.raises(ValueError, match="target is empty"):
        make_windows(COUNT, 2, target=[])


@pytest.mark.parametrize(
    ("series", "error", "message"),
    [
        (None, TypeError, "series is a NoneType: expected an array"),
        (pl.LazyFrame({"a": [1.0]}), TypeError, "series is a LazyFrame: expected an array"),
        ({"a": COUNT}, TypeError, r"series is a dict: .* Pass .* list\(series.values\(\)\)"),
        ([], ValueError, "series has no rows"),
        (SequenceArray(np.zeros((0, 1)), [0]), ValueError, "series is empty: there is no series"),
        (np.zeros((2, 3, 4, 5)), ValueError, "series has 4 dimensions: expected an array"),
        (["a", "b"], ValueError, "series holds text, such as 'a', where numbers"),
        (pd.Series(pd.date_range("2020", periods=9)), ValueError, "series holds dates"),
        ([pd.DataFrame({"a": COUNT}), pd.DataFrame({"b": COUNT})], ValueError, "the columns"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_series(series, error, message):
    with pytest.raises(error, match=message):
        make_windows(series, 2)
