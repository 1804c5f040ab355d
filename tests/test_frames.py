"""sequences_from_frame against a plain loop over the rows, in pandas, polars and PyArrow alike."""

import csv
import datetime as dt
import gzip
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GroupKFold, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, GRURegressor, make_windows, sequences_from_frame
from sklearn_rnn.preprocessing import TimestepTransformer

LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
# Sequences b, a and c, of which a and b take turns.
TABLE = {
    "id": ["b", "a", "b", "a", "b", "c"],
    "t": [1, 5, 2, 6, 3, 1],
    "x": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
    "n": [10, 11, 12, 13, 14, 15],
    "flag": [True, False, True, True, False, False],
    "text": ["u", "v", "w", "x", "y", "z"],
    "kind": ["even", "odd", "even", "odd", "even", "odd"],
    "site": [7, 8, 7, 8, 7, 7],
}


@pytest.fixture(params=LIBRARIES)
def make_frame(request):
    """The constructor of a data frame, from a dictionary of columns."""
    return LIBRARIES[request.param]


@pytest.fixture
def frame(make_frame):
    return make_frame(TABLE)


def changed(**columns):
    return {**TABLE, **columns}


def sequences_row_by_row(table, by, order, features):
    """{key: (T_i, F) array}, by a loop over rows."""
    steps = {}
    for i, key in enumerate(zip(*(table[name] for name in by))):
        steps.setdefault(key, []).append((table[order][i], [table[name][i] for name in features]))
    return {key: np.array([row for _, row in sorted(rows)]) for key, rows in steps.items()}


# --- X -------------------------------------------------------------------------------------------


def test_sequences_in_order_of_first_appearance(frame):
    data = sequences_from_frame(frame, by="id", order="t", features=["x", "n"])
    assert data.ids.tolist() == ["b", "a", "c"]
    assert data.feature_names == ["x", "n"]
    assert data.y is None
    expected = [[[0.5, 10], [2.5, 12], [4.5, 14]], [[1.5, 11], [3.5, 13]], [[5.5, 15]]]
    assert [sequence.tolist() for sequence in data.X] == expected


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_all_libraries_equal_a_loop_over_the_rows(data):
    cells = st.tuples(st.sampled_from("zab"), st.integers(-1, 1), st.integers(-9, 9))
    rows = data.draw(st.lists(cells, min_size=1, max_size=25, unique=True))
    table = dict(zip(("k", "j", "t"), map(list, zip(*rows)), strict=True))
    rng = np.random.default_rng(0)
    table |= {"x": rng.normal(size=len(rows)).tolist(), "n": list(range(len(rows)))}
    expected = sequences_row_by_row(table, ["k", "j"], "t", ["x", "n"])
    for make_frame in LIBRARIES.values():
        found = sequences_from_frame(
            make_frame(table), by=["k", "j"], order="t", features=["x", "n"], sort=True
        )
        assert found.ids.tolist() == list(expected)
        for sequence, rows_of_key in zip(found.X, expected.values(), strict=True):
            np.testing.assert_array_equal(sequence, rows_of_key)


def test_features_are_all_other_numbers(frame):
    data = sequences_from_frame(frame, by="id", order="t", target="kind", groups="site")
    assert data.feature_names == ["x", "n", "flag"]
    assert data.X[0][:, 2].tolist() == [1, 1, 0]


def test_a_single_feature_may_be_named_without_a_list(frame):
    assert sequences_from_frame(frame, by="id", order="t", features="x").X.n_features == 1


def test_time_may_be_a_feature(frame):
    data = sequences_from_frame(frame, by="id", order="t", features=["t", "x"])
    assert data.X[1].tolist() == [[5, 1.5], [6, 3.5]]


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (["float32", "float32"], np.float32),
        (["float32", "float64"], np.float64),
        (["float32", "int8"], np.float64),
        (["int64", "bool"], np.float64),
    ],
)
def test_dtype_of_x(dtypes, expected, make_frame):
    columns = {name: np.ones(6, dtype) for name, dtype in zip("pq", dtypes, strict=True)}
    frame = make_frame({"id": TABLE["id"], "t": TABLE["t"], **columns})
    assert sequences_from_frame(frame, by="id", order="t").X.dtype == expected


def test_pandas_nullable_and_polars_decimal_columns():
    nullable = pd.DataFrame(TABLE).convert_dtypes()
    decimal = pl.DataFrame(changed(x=[Decimal(str(x)) for x in TABLE["x"]]))
    plain = sequences_from_frame(pd.DataFrame(TABLE), by="id", order="t", target="site")
    for frame in (nullable, decimal):
        data = sequences_from_frame(frame, by="id", order="t", target="site")
        np.testing.assert_array_equal(data.X.values, plain.X.values)
        np.testing.assert_array_equal(data.y, plain.y)
        assert data.y.dtype == plain.y.dtype
        assert data.ids.tolist() == plain.ids.tolist()


def test_times_and_targets_of_polars_decimals():
    decimals = [Decimal(str(t)) / 10 for t in TABLE["t"]]
    frame = pl.DataFrame(changed(t=decimals, site=[Decimal(i) for i in TABLE["site"]]))
    data = sequences_from_frame(frame, by="id", order="t", features="n", target="site", regular=0.1)
    assert data.X[0].ravel().tolist() == [10, 12, 14]
    assert data.y.dtype == np.float64
    assert data.y.tolist() == [7, 8, 7]


def test_columns_of_pandas_may_be_named_by_numbers():
    frame = pd.DataFrame({0: [1, 1, 2], 1: [1, 2, 1], 2: [0.5, 1.5, 2.5]}, index=[9, 9, 9])
    data = sequences_from_frame(frame, by=0, order=1)
    assert data.ids.tolist() == [1, 2]
    assert data.feature_names == [2]
    assert data.X.values.tolist() == [[0.5], [1.5], [2.5]]


@pytest.mark.parametrize(
    "keys",
    [
        pd.Series(["b", 1, "b", 1]),
        pd.Categorical(list("baba"), categories=list("abz")),
        pd.to_datetime(["2024-05-02", "2024-05-01"] * 2),
        np.array([2.5, 1.5, 2.5, 1.5]),
    ],
    ids=["mixed", "categorical", "time", "float"],
)
def test_keys_of_any_kind(keys):
    frame = pd.DataFrame({"id": keys, "t": [1, 1, 2, 2], "x": [1.0, 2.0, 3.0, 4.0]})
    data = sequences_from_frame(frame, by="id", order="t")
    assert [sequence.ravel().tolist() for sequence in data.X] == [[1, 3], [2, 4]]
    assert [pd.Timestamp(i) if isinstance(i, np.datetime64) else i for i in data.ids] == list(
        frame["id"][:2]
    )


def test_keys_of_several_columns_are_tuples(frame):
    data = sequences_from_frame(frame, by=["site", "id"], order="t", features="x")
    assert data.ids.tolist() == [(7, "b"), (8, "a"), (7, "c")]
    np.testing.assert_array_equal(data.groups, data.ids)
    assert sequences_from_frame(frame, by=["id"], order="t").ids.tolist() == [
        ("b",),
        ("a",),
        ("c",),
    ]


def test_the_frame_is_left_as_it_was():
    frame = pd.DataFrame(TABLE).sample(frac=1, random_state=0)
    before = frame.copy()
    data = sequences_from_frame(frame, by="id", order="t", target="kind", sort=True)
    data.X.values[:] = 0
    pd.testing.assert_frame_equal(frame, before)


# --- y and groups --------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "kind"), [("site", "i"), ("kind", "O")])
def test_one_target_for_each_sequence(target, kind, frame):
    for per_step in ("auto", False):
        data = sequences_from_frame(
            frame, by="id", order="t", target=target, target_per_step=per_step
        )
        assert data.y.tolist() == [TABLE[target][row] for row in (0, 1, 5)]
        assert data.y.dtype.kind == kind


def test_one_target_for_each_step(frame):
    for per_step in ("auto", True):
        data = sequences_from_frame(frame, by="id", order="t", target="n", target_per_step=per_step)
        assert data.y.shape == (3,)
        assert data.y.dtype == object
        assert [steps.tolist() for steps in data.y] == [[10, 12, 14], [11, 13], [15]]
        assert data.feature_names == ["x", "flag", "site"]


def test_constant_targets_for_each_step_if_asked_for(frame):
    data = sequences_from_frame(frame, by="id", order="t", target="kind", target_per_step=True)
    assert [steps.tolist() for steps in data.y] == [["even"] * 3, ["odd"] * 2, ["odd"]]


def test_sequences_of_equal_length_still_give_one_array_each(make_frame):
    frame = make_frame(
        {"id": [1, 1, 2, 2], "t": [1, 2, 1, 2], "x": [1, 2, 3, 4], "y": [1, 2, 3, 4]}
    )
    y = sequences_from_frame(frame, by="id", order="t", target="y").y
    assert y.shape == (2,)
    assert y[1].tolist() == [3, 4]


def test_targets_that_change_in_some_sequences_only_are_ambiguous(make_frame):
    frame = make_frame(changed(kind=["p", "q", "p", "q", "r", "q"]))
    with pytest.raises(ValueError, match="'kind' changes within the sequence id='b', but not") as e:
        sequences_from_frame(frame, by="id", order="t", target="kind")
    assert "id='a' (1 sequence(s) against 1)" in str(e.value)
    with pytest.raises(ValueError, match="'kind' is 'p' and 'r' in the sequence id='b'"):
        sequences_from_frame(frame, by="id", order="t", target="kind", target_per_step=False)
    data = sequences_from_frame(frame, by="id", order="t", target="kind", target_per_step=True)
    assert data.y[0].tolist() == ["p", "p", "r"]


@pytest.mark.parametrize("per_step", ["auto", False])
def test_missing_targets_are_told(per_step, make_frame):
    frame = make_frame(changed(site=[None, 8, 7, 8, 7, 7]))
    with pytest.raises(ValueError, match="target: 'site' is missing in the sequence id='b'"):
        sequences_from_frame(frame, by="id", order="t", target="site", target_per_step=per_step)


@pytest.mark.parametrize("column", [[1, 2, None, 4, 5, 6], [True, True, None, False, True, True]])
def test_missing_numbers_for_each_step_are_nan(column, make_frame):
    frame = make_frame(changed(n=column))
    if make_frame is pd.DataFrame:
        frame = frame.convert_dtypes()  # to pandas, True, False and None together are objects
    data = sequences_from_frame(
        frame, by="id", order="t", features="x", target="n", target_per_step=True
    )
    np.testing.assert_array_equal(data.y[0], np.array([column[0], np.nan, column[4]], float))


def test_missing_labels_are_refused_for_each_step_too(make_frame):
    frame = make_frame(changed(text=["u", "v", None, "x", "y", "z"]))
    with pytest.raises(ValueError, match="target: 'text' is missing in the sequence id='b'"):
        sequences_from_frame(frame, by="id", order="t", target="text", target_per_step=True)


@pytest.mark.parametrize("per_step", [None, "always", 1])
def test_target_per_step_has_three_values(per_step, frame):
    with pytest.raises(ValueError, match="target_per_step must be True, False or 'auto'"):
        sequences_from_frame(frame, by="id", order="t", target="n", target_per_step=per_step)


def test_groups(frame):
    data = sequences_from_frame(frame, by="id", order="t", groups="site")
    assert data.groups.tolist() == [7, 8, 7]
    assert "site" not in data.feature_names
    own = sequences_from_frame(frame, by="id", order="t").groups
    assert own.tolist() == ["b", "a", "c"]


def test_groups_that_change_or_are_missing(make_frame, frame):
    with pytest.raises(ValueError, match="groups: 'n' is 10 and 12 in the sequence id='b', but"):
        sequences_from_frame(frame, by="id", order="t", groups="n")
    frame = make_frame(changed(site=[7, None, 7, 8, 7, 7]))
    with pytest.raises(ValueError, match="groups: 'site' is missing in the sequence id='a'"):
        sequences_from_frame(frame, by="id", order="t", groups="site")


# --- The order of the steps ----------------------------------------------------------------------


def test_rows_out_of_order_are_told_and_sorted_if_asked_for(make_frame):
    frame = make_frame(changed(t=[1, 6, 2, 5, 3, 1]))
    with pytest.raises(ValueError, match="id='a' is out of order: 't' goes from 6 back to 5") as e:
        sequences_from_frame(frame, by="id", order="t")
    assert "sort=True" in str(e.value)
    data = sequences_from_frame(frame, by="id", order="t", features="x", target="n", sort=True)
    assert data.X[1].ravel().tolist() == [3.5, 1.5]
    assert data.y[1].tolist() == [13, 11]
    assert data.ids.tolist() == ["b", "a", "c"]


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("unsigned", [False, True])
def test_times_that_are_there_twice(sort, unsigned, make_frame):
    stamps = np.array([1, 5, 2, 5, 3, 1], np.uint8 if unsigned else np.int64)
    with pytest.raises(ValueError, match=r"id='a' has two rows with 't' = 5 \(1 such pair"):
        sequences_from_frame(make_frame(changed(t=stamps)), by="id", order="t", sort=sort)


def test_unsigned_times_do_not_wrap_around(make_frame):
    stamps = np.array([1, 6, 2, 5, 3, 1], np.uint8)
    with pytest.raises(ValueError, match="goes from 6 back to 5"):
        sequences_from_frame(make_frame(changed(t=stamps)), by="id", order="t")


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_times_are_told(missing, sort, make_frame):
    frame = make_frame(changed(t=[1.0, 5.0, 2.0, missing, 3.0, 1.0]))
    with pytest.raises(ValueError, match="order: 't' is missing in the sequence id='a'"):
        sequences_from_frame(frame, by="id", order="t", sort=sort)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_keys_are_told(missing, make_frame):
    frame = make_frame(changed(id=[1.0, 2.0, 1.0, missing, missing, 1.0]))
    with pytest.raises(ValueError, match=r"by: 'id' is missing in row 3 \(2 in all\)"):
        sequences_from_frame(frame, by="id", order="t")


def times(*hours):
    return [dt.datetime(2024, 5, 1) + dt.timedelta(hours=hour) for hour in hours]


HOURLY = times(0, 7, 1, 8, 2, 0)
ORDERS = {
    "int": ([0, 7, 1, 8, 2, 0], [1, 1.0, np.int8(1)]),
    "float": ([0.0, 0.7, 0.1, 0.8, 0.2, 0.0], [0.1]),
    "float32": (np.float32([0.0, 0.7, 0.1, 0.8, 0.2, 0.0]), [0.1]),
    "time": (
        HOURLY,
        ["1h", "h", "60min", "60 m", dt.timedelta(hours=1), np.timedelta64(3600, "s")],
    ),
    "zone": ([time.replace(tzinfo=dt.UTC) for time in HOURLY], ["1h"]),
    "duration": ([time - HOURLY[0] for time in HOURLY], ["1h"]),
}


@pytest.mark.parametrize("kind", ORDERS)
def test_regular_steps_pass_and_others_are_told(kind, make_frame):
    stamps, steps = ORDERS[kind]
    frame = make_frame(changed(t=stamps))
    for step in steps:
        data = sequences_from_frame(frame, by="id", order="t", features="n", regular=step)
        assert data.X[0].ravel().tolist() == [10, 12, 14]
    twice = steps[0] * 2 if kind in ("int", "float", "float32") else "2h"
    with pytest.raises(ValueError, match=r"id='b' is not regular.*\(3 such place\(s\) in all\)"):
        sequences_from_frame(frame, by="id", order="t", regular=twice)


def test_a_gap_is_told_where_it_is(make_frame):
    frame = make_frame(changed(t=times(0, 7, 1, 9, 2, 0)))
    with pytest.raises(
        ValueError, match=r"id='a' is not regular: 't' goes from 2024-05-01T07.* to 2024-05-01T09"
    ):
        sequences_from_frame(frame, by="id", order="t", regular="1h")
    assert len(sequences_from_frame(frame, by="id", order="t").X) == 3


def test_tenths_of_a_second_for_a_day_are_regular():
    stamps = 1.7e9 + np.arange(864_000) * 0.1
    frame = pd.DataFrame({"id": 0, "t": stamps, "x": 1.0})
    assert sequences_from_frame(frame, by="id", order="t", regular=0.1).X.lengths == [864_000]


def test_dates_are_regular_by_days_and_weeks(make_frame):
    days = [dt.date(2024, 2, 22) + dt.timedelta(days=7 * i) for i in range(3)]
    frame = make_frame({"id": [1] * 3, "t": days, "x": [1.0] * 3})
    for step in ("7d", "1w", "W"):
        sequences_from_frame(frame, by="id", order="t", regular=step)
    with pytest.raises(ValueError, match="from 2024-02-22 to 2024-02-29, where a step of 1d"):
        sequences_from_frame(frame, by="id", order="t", regular="1d")


# Of the sequences b, a and c, of which the steps of b are at the first, second and fourth time.
STAGES = ["egg", "larva", "pupa", "fly"]
PLACES = [0, 1, 1, 2, 3, 0]
KINDS_OF_ORDER = {
    "dates": lambda place: dt.date(2026, 1, 31) + dt.timedelta(place),
    "times of day": lambda place: dt.time(8 + place, 30),
    "zones": lambda place: dt.datetime(2026, 1, 1, place, tzinfo=dt.timezone(dt.timedelta(0, 60))),
    "durations": lambda place: dt.timedelta(minutes=place),
    "int8": lambda place: np.int8(-100 + 60 * place),
    "uint8": lambda place: np.uint8(60 * place),
    "decimals": lambda place: Decimal(place),
}
LIBRARIES_OF_ORDER = [
    (library, kind)
    for library in LIBRARIES
    for kind in KINDS_OF_ORDER
    if (library, kind) != ("pandas", "decimals")  # which are objects to pandas
]


def order_columns(kind, library):
    """Make columns of times at PLACES, of the same with the second b first, and of a tie."""
    for places in (PLACES, [1, 1, 0, 2, 3, 0], [0, 1, 0, 2, 3, 0]):
        yield LIBRARIES[library](changed(t=[KINDS_OF_ORDER[kind](place) for place in places]))


@pytest.mark.parametrize(("library", "kind"), LIBRARIES_OF_ORDER)
def test_orders_of_all_kinds(library, kind):
    frame, unsorted, tie = order_columns(kind, library)
    assert sequences_from_frame(frame, by="id", order="t", features="n").X[0].ravel().tolist() == [
        10, 12, 14
    ]  # fmt: skip
    with pytest.raises(ValueError, match="the sequence id='b' is out of order: 't' goes from"):
        sequences_from_frame(unsorted, by="id", order="t", features="n")
    data = sequences_from_frame(unsorted, by="id", order="t", features="n", sort=True)
    assert data.X[0].ravel().tolist() == [12, 10, 14]
    with pytest.raises(ValueError, match="the sequence id='b' has two rows with 't' ="):
        sequences_from_frame(tie, by="id", order="t", features="n")


@pytest.mark.parametrize(
    "make_column",
    [
        lambda places: pd.Categorical([STAGES[i] for i in places], STAGES, ordered=True),
        lambda places: pd.PeriodIndex.from_ordinals([670 + i for i in places], freq="M"),
    ],
    ids=["categories", "periods"],
)
def test_orders_of_pandas_alone(make_column):
    frame, unsorted = (
        pd.DataFrame(TABLE).assign(t=make_column(p)) for p in (PLACES, [1, 1, 0, 2, 3, 0])
    )
    with pytest.raises(
        ValueError, match=r"from (larva|'larva'|2025-12) back to (egg|'egg'|2025-11)"
    ):
        sequences_from_frame(unsorted, by="id", order="t", features="n")
    data = sequences_from_frame(unsorted, by="id", order="t", features="n", sort=True)
    assert data.X[0].ravel().tolist() == [12, 10, 14]
    with pytest.raises(ValueError, match=r"id='b' is not regular: 't' goes from .* step of 1"):
        sequences_from_frame(frame, by="id", order="t", features="n", regular=1)


def test_order_of_categories_of_polars():
    frame = pl.DataFrame(changed(t=[STAGES[i] for i in PLACES]))
    ordered = frame.with_columns(pl.col("t").cast(pl.Enum(STAGES)))
    data = sequences_from_frame(ordered, by="id", order="t", features="n")
    assert data.X[0].ravel().tolist() == [10, 12, 14]
    for column in (pl.Categorical, pl.String):
        with pytest.raises(TypeError, match=r"'t' is (Categorical.*an order|String.*to_datetime)"):
            sequences_from_frame(frame.with_columns(pl.col("t").cast(column)), by="id", order="t")


def test_steps_of_small_integers_do_not_overflow():
    frame = pd.DataFrame({"id": [1, 1], "t": np.array([-100, 100], np.int8), "x": 1.0})
    assert sequences_from_frame(frame, by="id", order="t", regular=200).X.lengths == [2]
    with pytest.raises(ValueError, match="from -100 to 100, where a step of 1 is expected"):
        sequences_from_frame(frame, by="id", order="t", regular=1)


@pytest.mark.parametrize("regular", [0, -1, True, "1h", np.nan, np.inf, dt.timedelta(1)])
def test_regular_that_is_no_step_of_numbers(regular, frame):
    with pytest.raises(ValueError, match="regular must be a positive number, as 't' is"):
        sequences_from_frame(frame, by="id", order="t", regular=regular)


@pytest.mark.parametrize(
    "regular",
    [1, "hour", "1mo", "-1h", "0h", "", np.timedelta64(1, "M"), np.timedelta64("NaT", "s"), True],
)
def test_regular_that_is_no_step_of_times(regular, make_frame):
    with pytest.raises(ValueError, match="regular must be a positive duration"):
        sequences_from_frame(make_frame(changed(t=HOURLY)), by="id", order="t", regular=regular)


@pytest.mark.parametrize("column", ["text", "flag"])
def test_order_that_is_no_time(column, frame):
    with pytest.raises(TypeError, match=f"order: '{column}' is .*numbers, dates or times are"):
        sequences_from_frame(frame, by="id", order=column)


# --- Missing values ------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_features_are_told_or_kept(missing, make_frame):
    frame = make_frame(changed(x=[0.5, 1.5, 2.5, missing, 4.5, missing]))
    with pytest.raises(ValueError, match=r"2 value\(s\) in \['x'\].*'x' is NaN or missing") as e:
        sequences_from_frame(frame, by="id", order="t", features=["n", "x"])
    assert "in the sequence id='a', at step 1" in str(e.value)
    assert "TimestepTransformer(SimpleImputer())" in str(e.value)
    data = sequences_from_frame(frame, by="id", order="t", features=["n", "x"], allow_nan=True)
    np.testing.assert_array_equal(data.X[1], [[11, 1.5], [13, np.nan]])
    model = make_pipeline(
        TimestepTransformer(SimpleImputer()), GRUClassifier(hidden_size=2, max_iter=2)
    )
    assert model.fit(data.X, ["p", "q", "p"]).predict(data.X).shape == (3,)


@pytest.mark.parametrize("allow_nan", [False, True])
def test_infinite_features_are_refused(allow_nan, make_frame):
    frame = make_frame(changed(x=[0.5, np.inf, 2.5, 3.5, 4.5, 5.5]))
    with pytest.raises(ValueError, match="'x' is infinite in the sequence id='a', at step 0"):
        sequences_from_frame(frame, by="id", order="t", features="x", allow_nan=allow_nan)


# --- What else is refused ------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["by", "order", "features", "target", "groups"])
def test_columns_that_are_not_there(role, frame):
    roles = {"by": "id", "order": "t", role: "speed"}
    with pytest.raises(ValueError, match=r"frame has no column 'speed', only \['id', 't'"):
        sequences_from_frame(frame, **roles)


def test_columns_in_the_index_of_pandas():
    frame = pd.DataFrame(TABLE).set_index(["id", "t"])
    with pytest.raises(ValueError, match=r"'id'.* it is in the index, so pass frame\.reset_index"):
        sequences_from_frame(frame, by="id", order="t")


@pytest.mark.parametrize("role", ["by", "features"])
def test_lists_of_columns(role, frame):
    roles = {"by": "id", "order": "t"}
    with pytest.raises(ValueError, match=f"{role} is empty"):
        sequences_from_frame(frame, **{**roles, role: []})
    with pytest.raises(ValueError, match=f"{role} names the column 'x' twice"):
        sequences_from_frame(frame, **{**roles, role: ["x", "x"]})


@pytest.mark.parametrize("features", ["text", ["x", "text"]])
def test_features_that_are_text(features, frame):
    with pytest.raises(TypeError, match=r"features: 'text' is String.*Encode it"):
        sequences_from_frame(frame, by="id", order="t", features=features)


def test_features_that_are_times(make_frame):
    frame = make_frame(changed(text=HOURLY))
    with pytest.raises(TypeError, match=r"features: 'text' is Datetime.*time that has passed"):
        sequences_from_frame(frame, by="id", order="t", features="text")


def test_no_features(make_frame):
    frame = make_frame({"id": ["a"], "t": [1], "text": ["u"]})
    with pytest.raises(ValueError, match="no columns of numbers besides"):
        sequences_from_frame(frame, by="id", order="t")


def test_lists_in_cells():
    frame = pl.DataFrame(changed(n=[[1, 2]] * 6))
    with pytest.raises(TypeError, match=r"column 'n' is List\(Int64\): one value in each cell"):
        sequences_from_frame(frame, by="id", order="t", target="n")


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (TABLE, TypeError, "frame is a dict: expected a pandas or polars data frame$"),
        (np.zeros((3, 2)), TypeError, "frame is a ndarray"),
        (pd.Series([1.0]), TypeError, "frame is a Series"),
        (pl.LazyFrame(TABLE), TypeError, r"frame is a LazyFrame.*: collect\(\) it first"),
        (pd.DataFrame(TABLE).iloc[:0], ValueError, "frame has no rows"),
    ],
    ids=["dict", "ndarray", "Series", "LazyFrame", "empty"],
)
def test_what_is_no_frame(frame, error, message):
    with pytest.raises(error, match=message):
        sequences_from_frame(frame, by="id", order="t")


def test_without_narwhals(monkeypatch):
    monkeypatch.setitem(sys.modules, "narwhals.stable.v2", None)
    with pytest.raises(ImportError, match="pip install narwhals"):
        sequences_from_frame(pd.DataFrame(TABLE), by="id", order="t")


# --- Real data -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recordings(japanese_vowels):
    """The training recordings as a long table: the speaker, and what comes in the last step."""
    X, speakers = japanese_vowels.X_train, japanese_vowels.y_train
    columns = dict(zip(japanese_vowels.feature_names, X.values.T, strict=True))
    last = X.values[X.offsets[1:] - 1, 0]
    return {
        "recording": np.repeat(np.arange(len(X)), X.lengths),
        "step": np.concatenate([np.arange(length) for length in X.lengths]),
        "speaker": np.repeat(speakers, X.lengths),
        "last": np.repeat(last, X.lengths),
        **columns,
    }


def test_a_shuffled_table_of_recordings_is_the_recordings_again(
    recordings, japanese_vowels, make_frame
):
    shuffled = np.random.default_rng(0).permutation(len(recordings["step"]))
    frame = make_frame({name: column[shuffled] for name, column in recordings.items()})
    data = sequences_from_frame(
        frame,
        by="recording",
        order="step",
        features=japanese_vowels.feature_names,
        target="speaker",
        sort=True,
        regular=1,
    )
    assert data.X.dtype == np.float32
    np.testing.assert_array_equal(data.y, japanese_vowels.y_train[data.ids])
    expected = japanese_vowels.X_train[data.ids]
    np.testing.assert_array_equal(data.X.offsets, expected.offsets)
    np.testing.assert_array_equal(data.X.values, expected.values)


def test_cross_validation_by_speaker(recordings, japanese_vowels, make_frame):
    """From a long table to scores on speakers that the model has not heard."""
    data = sequences_from_frame(
        make_frame(recordings),
        by="recording",
        order="step",
        features=japanese_vowels.feature_names,
        target="last",
        groups="speaker",
    )
    cv = GroupKFold(n_splits=3)
    for train, test in cv.split(data.X, data.y, data.groups):
        assert not set(data.groups[train]) & set(data.groups[test])
    model = make_pipeline(
        TimestepTransformer(StandardScaler()),
        GRURegressor(hidden_size=8, max_iter=40, learning_rate_init=0.02, random_state=0),
    )
    scores = cross_val_score(model, data.X, data.y, groups=data.groups, cv=cv)
    assert scores.mean() > 0.8


def test_engines(shared_data, make_frame):
    """NASA's engines: each runs until it fails, and at each cycle has a remaining life."""
    engines = shared_data("cmapss_fd001.npz")
    lengths = engines["len_train"]
    frame = make_frame(
        {
            "engine": np.repeat(np.arange(1, 101), lengths),
            "cycle": np.concatenate([np.arange(1, length + 1) for length in lengths]),
            "life": engines["rul_train"],
            **dict(zip(engines["columns"].tolist(), engines["X_train"].T, strict=True)),
        }
    )
    data = sequences_from_frame(frame, by="engine", order="cycle", target="life", regular=1)
    assert data.ids.tolist() == list(range(1, 101))
    assert data.feature_names == engines["columns"].tolist()
    np.testing.assert_array_equal(data.X.values, engines["X_train"])
    np.testing.assert_array_equal(data.X.lengths, lengths)
    np.testing.assert_array_equal(np.concatenate(data.y), engines["rul_train"])
    assert all(life[-1] == 0 for life in data.y)


def test_traffic_with_gaps_is_cut_where_they_are(shared_path):
    """From a table with gaps to windows that span none of them, and scores."""
    with gzip.open(shared_path("traffic_volume.csv.gz"), "rt") as file:
        rows = list(csv.DictReader(file))[:4000]
    hours = np.array([row["date_time"] for row in rows], dtype="datetime64[ms]")
    volume = np.array([float(row["traffic_volume"]) for row in rows])
    frame = pl.DataFrame({"sensor": [1] * len(rows), "time": hours, "volume": volume})
    with pytest.raises(ValueError, match="sensor=1 is not regular: 'time' goes from"):
        sequences_from_frame(frame, by="sensor", order="time", regular="1h")
    gap = pl.col("time").diff().fill_null(dt.timedelta(hours=1)) != dt.timedelta(hours=1)
    data = sequences_from_frame(
        frame.with_columns(part=gap.cum_sum()),
        by=["sensor", "part"],
        order="time",
        features="volume",
        regular="1h",
    )
    assert data.X.values.ravel().tolist() == volume.tolist()
    long = data.X[data.X.lengths > 24]
    windows = make_windows(long, window=24)
    assert len(windows.X) == (long.lengths - 24).sum()
    assert len(np.unique(windows.groups)) == len(long) > 1
    cv = TimeSeriesSplit(n_splits=2, gap=windows.gap)
    model = GRURegressor(hidden_size=8, max_iter=10, learning_rate_init=0.02, random_state=0)
    assert cross_val_score(model, windows.X / 1000, windows.y, cv=cv).min() > 0.8
