"""Series as they come: columns by name, rows by time, and what is no series, in its user's words.

Names and times are read alike by RecurrentForecaster and `make_windows`.
"""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    RecurrentForecaster,
    SequenceArray,
    make_windows,
)

LENGTH, AHEAD, HORIZON = 40, 9, 3
DAYS = pd.date_range("2026-01-01", periods=LENGTH + AHEAD)
WAVE = pd.Series(50 + 10 * np.sin(0.4 * np.arange(LENGTH)), index=DAYS[:LENGTH], name="load")
RNG = np.random.default_rng(0)
KNOWN = pd.DataFrame({"a": RNG.normal(size=len(DAYS)), "b": np.arange(len(DAYS)) % 7}, index=DAYS)
PAIR = pd.DataFrame({"a": WAVE, "b": -3 * WAVE})


def tiny(estimator=None, **params):
    """Make a forecaster that is fitted in a few milliseconds."""
    estimator = estimator or GRURegressor(hidden_size=2, max_iter=2)
    return RecurrentForecaster(
        estimator, **{"window": 6, "horizon": HORIZON, "random_state": 0, **params}
    )


def to_polars(frame):
    return pl.DataFrame({name: frame[name].to_numpy() for name in frame.columns})


@pytest.fixture(scope="module")
def fitted():
    """A forecaster that knows the calendar of the rows of its series."""
    return tiny().fit(WAVE, future_exog=KNOWN[:LENGTH])


@pytest.fixture(scope="module")
def expected(fitted):
    """What it forecasts from covariates given row by row."""
    return fitted.predict(future_exog=KNOWN[LENGTH:].to_numpy())


# --- Columns by name -----------------------------------------------------------------------------

SWAPPED = KNOWN[["b", "a"]]


@pytest.mark.parametrize(
    "steps",
    [
        SWAPPED[LENGTH:],
        to_polars(SWAPPED[LENGTH:]),
        pa.Table.from_pandas(SWAPPED[LENGTH:], preserve_index=False),
    ],
    ids=["pandas", "polars", "pyarrow"],
)
def test_covariates_of_predict_are_taken_by_name(fitted, expected, steps):
    pd.testing.assert_series_equal(fitted.predict(future_exog=steps), expected)


@pytest.mark.parametrize("convert", [lambda frame: frame, to_polars], ids=["pandas", "polars"])
def test_columns_are_taken_by_name_in_all_methods(convert):
    swapped = convert(SWAPPED[:LENGTH]), convert(SWAPPED)
    one, other = (convert(frame) for frame in (PAIR, PAIR[["b", "a"]]))
    forecaster = tiny().fit(one, past_exog=convert(KNOWN[:LENGTH]), future_exog=convert(KNOWN))
    for method in (
        forecaster.predict,
        lambda **given: forecaster.predict_interval(3, 0.5, **given),
    ):
        plain = method(series=one, past_exog=convert(KNOWN[:LENGTH]), future_exog=convert(KNOWN))
        by_name = method(series=other, past_exog=swapped[0], future_exog=swapped[1])
        np.testing.assert_array_equal(by_name, plain)
        assert list(by_name.columns) == list(plain.columns)


def test_series_of_a_list_have_the_same_columns_in_any_order():
    series, covariates = [PAIR, PAIR[["b", "a"]]], [KNOWN, SWAPPED]
    forecaster = tiny().fit(series, future_exog=covariates)
    one, other = forecaster.predict()
    pd.testing.assert_frame_equal(one, other)
    one, other = forecaster.predict(series=series[::-1], future_exog=covariates[::-1])
    pd.testing.assert_frame_equal(one, other)
    windows = make_windows(series, 5, target="b", exog=[KNOWN[:LENGTH], SWAPPED[:LENGTH]])
    np.testing.assert_array_equal(*np.split(windows.X, 2))
    np.testing.assert_array_equal(*np.split(windows.y, 2))


RENAMED = KNOWN.rename(columns={"a": "c"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(future_exog=RENAMED), r"^future_exog has the columns \['c', 'b'\], but \['a', 'b'\]"),
        (
            dict(future_exog=KNOWN.assign(c=1)),
            r"columns \['a', 'b', 'c'\], but \['a', 'b'\] in fit",
        ),
        (
            dict(series=PAIR.rename(columns={"a": "c"}), future_exog=KNOWN),
            r"^series has the columns",
        ),
        (
            dict(series=[PAIR, PAIR.rename(columns={"b": "c"})], future_exog=[KNOWN] * 2),
            r"^series\[1\] has the columns \['a', 'c'\], but \['a', 'b'\] in fit",
        ),
    ],
)
def test_other_names_are_refused(given, message):
    forecaster = tiny().fit(PAIR, future_exog=KNOWN)
    with pytest.raises(ValueError, match=message):
        forecaster.predict(**given)


def test_other_names_in_a_list_are_refused_in_fit_too():
    message = r"^series\[1\] has the columns \['c', 'b'\], but \['a', 'b'\] in series\[0\]"
    other = PAIR.rename(columns={"a": "c"})
    for read in (tiny().fit, tiny().backtest, lambda series: make_windows(series, 5)):
        with pytest.raises(ValueError, match=message):
            read([PAIR, other])


def test_the_name_of_a_single_covariate_counts_as_a_column():
    forecaster = tiny().fit(WAVE, future_exog=KNOWN["a"])
    expected = forecaster.predict()
    for same in (KNOWN["a"], KNOWN[["a"]], KNOWN["a"].rename(None), pl.Series(KNOWN["a"][LENGTH:])):
        pd.testing.assert_series_equal(forecaster.predict(future_exog=same), expected)
    with pytest.raises(ValueError, match=r"has the columns \['b'\], but \['a'\] in fit"):
        forecaster.predict(future_exog=KNOWN["b"])
    # Series of their own names are one another's equals, and so is what has no names.
    forecaster.predict(series=WAVE.rename("other"), future_exog=KNOWN["a"])
    tiny().fit([WAVE, WAVE.rename("other")])
    tiny().fit(PAIR).predict(series=pd.DataFrame(PAIR.to_numpy()))


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"^series has two columns named 'a'"):
        tiny().fit(PAIR.set_axis(["a", "a"], axis=1))


# --- Rows by time --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "steps",
    [
        KNOWN[LENGTH : LENGTH + HORIZON],
        KNOWN,
        KNOWN[5:],
        KNOWN.tz_localize(None).astype("float32").astype("float64").assign(a=KNOWN["a"]),
        KNOWN[LENGTH:].reset_index(drop=True),
        KNOWN[LENGTH:].set_axis([f"r{i}" for i in range(AHEAD)]),
        KNOWN.set_axis(KNOWN.index.as_unit("ns")),
        KNOWN.set_axis(KNOWN.index.date),
        pd.concat([KNOWN, KNOWN.set_axis(DAYS + pd.Timedelta("12h"))]).sort_index(),
    ],
    ids=["rows", "all", "most", "again", "counted", "text", "ns", "Python's", "half days"],
)
def test_future_covariates_are_matched_by_time(fitted, expected, steps):
    pd.testing.assert_series_equal(fitted.predict(future_exog=steps), expected)


DAY_AFTER = DAYS[LENGTH].strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (KNOWN[LENGTH + 1 :], f"^future_exog has no row for {DAY_AFTER}"),
        (KNOWN.drop(DAYS[LENGTH + 1]), "^future_exog has no row for 2026-02-11"),
        (KNOWN[:LENGTH], "ends at 2026-02-09.* comes after 2026-02-09"),
        (KNOWN[: LENGTH + 1], r"ends 1 row\(s\) after .* 3 step\(s\) needs 3 \(2 more\)"),
        (KNOWN[::-1], "index of future_exog is not increasing: it goes from 2026-02-18"),
        (KNOWN.tz_localize("UTC"), "by dates with a time zone, but the training series by dates"),
        (KNOWN.to_period("D"), "by periods of D, but the training series by dates"),
        (KNOWN.set_axis(DAYS - DAYS[0]), "by durations, but the training series by dates"),
        (KNOWN.to_numpy(), r"start with those of the training series.* future_exog\[40:\]"),
        (KNOWN.reset_index(drop=True), r"start with those of the training series"),
        (to_polars(KNOWN), r"start with those of the training series"),
    ],
)
def test_future_covariates_of_other_times_are_refused(fitted, steps, message):
    with pytest.raises(ValueError, match=message):
        fitted.predict(future_exog=steps)
    with pytest.raises(ValueError, match=message):
        fitted.predict_interval(coverage=0.5, future_exog=steps)


def test_more_rows_than_needed_are_no_mistake(fitted, expected):
    """Of covariates that repeat, the next rows equal the training rows."""
    repeating = np.tile([[0.0], [1.0]], (LENGTH, 1))
    forecaster = tiny().fit(WAVE.to_numpy(), future_exog=repeating[:LENGTH])
    forecaster.predict(LENGTH + 8, future_exog=repeating[: LENGTH + 8])
    forecaster.predict(future_exog=repeating[:LENGTH])


def test_covariates_of_fit_are_matched_by_time():
    series = WAVE[5:]
    plain = tiny().fit(series, past_exog=KNOWN[5:LENGTH], future_exog=KNOWN[5:])
    longer = tiny().fit(series, past_exog=KNOWN, future_exog=KNOWN)
    pd.testing.assert_series_equal(plain.predict(), longer.predict())
    pd.testing.assert_series_equal(
        plain.predict(), plain.predict(series=series, past_exog=KNOWN, future_exog=KNOWN)
    )
    np.testing.assert_array_equal(
        tiny().backtest(series, future_exog=KNOWN[5:]).forecasts,
        tiny().backtest(series, future_exog=KNOWN).forecasts,
    )
    np.testing.assert_array_equal(
        make_windows(series, 5, exog=KNOWN).X, make_windows(series, 5, exog=KNOWN[5:LENGTH]).X
    )


@pytest.mark.parametrize(
    "read",
    [
        lambda exog: tiny().fit(WAVE, future_exog=exog),
        lambda exog: tiny().fit(WAVE, past_exog=exog),
        lambda exog: tiny().backtest(WAVE, future_exog=exog),
        lambda exog: tiny().fit(WAVE, future_exog=KNOWN).predict(series=WAVE, future_exog=exog),
        lambda exog: make_windows(WAVE, 5, exog=exog),
        lambda exog: make_windows([WAVE], 5, exog=[exog]),
    ],
    ids=["future", "past", "backtest", "predict", "windows", "list"],
)
def test_covariates_of_other_times_are_refused(read):
    late = KNOWN.set_axis(DAYS + pd.Timedelta(days=1))
    with pytest.raises(ValueError, match=r"exog(\[0\])? has no row for 2026-01-01 .*2026-01-02"):
        read(late)
    with pytest.raises(ValueError, match=r"exog(\[0\])? has no row for 2026-01-09"):
        read(KNOWN.drop(DAYS[8]))
    with pytest.raises(ValueError, match=r"by periods of D, but series(\[0\])? by dates"):
        read(KNOWN.to_period("D"))


def test_time_zones_are_compared_by_instant():
    series, known = WAVE.tz_localize("UTC"), KNOWN.tz_localize("UTC")
    expected = tiny().fit(series, future_exog=known).predict()
    other = tiny().fit(series, future_exog=known.tz_convert("Asia/Tokyo")).predict()
    pd.testing.assert_series_equal(expected, other)


def test_covariates_of_a_piece_of_a_series_without_an_index():
    """Rows 10 to 39 of what pandas counts from 0."""
    series, known = WAVE.reset_index(drop=True)[10:], KNOWN.reset_index(drop=True)
    expected = tiny().fit(series, future_exog=known[10:]).predict()
    pd.testing.assert_series_equal(
        tiny().fit(series, future_exog=known[5:]).predict(), expected, check_names=False
    )
    positions = known[10:].reset_index(drop=True)
    fitted = tiny().fit(series, future_exog=positions[:31])  # 0 to 30 are not 10 to 39
    steps = positions[30:].reset_index(drop=True)
    np.testing.assert_array_equal(fitted.predict(future_exog=steps), expected)
    with pytest.raises(ValueError, match=r"0 to 48, which contains that of series, 10 to 39.*loc"):
        tiny().fit(series, future_exog=known)
    with pytest.raises(ValueError, match=r"past_exog has no row for 0, .* from 1 to 40"):
        tiny().fit(WAVE.reset_index(drop=True), past_exog=known[1 : LENGTH + 1])


@pytest.mark.parametrize("index", [DAYS, pd.RangeIndex(len(DAYS)), pd.RangeIndex(7, 7 + len(DAYS))])
def test_covariates_that_fit_took_row_by_row_go_on_by_their_own_index(index):
    """The series has no times, or others."""
    known = KNOWN.set_axis(index)
    for series in (WAVE.to_numpy(), WAVE if index.dtype.kind == "i" else pl.Series(WAVE)):
        forecaster = tiny().fit(series, future_exog=known[:LENGTH])
        expected = forecaster.predict(future_exog=known[LENGTH:].to_numpy())
        np.testing.assert_array_equal(forecaster.predict(future_exog=known[LENGTH:]), expected)
        with pytest.raises(ValueError, match=r"future_exog has no row for (2026-02-10|40|47)"):
            forecaster.predict(future_exog=known[LENGTH + 1 :])


def test_numbers_of_rows_say_nothing_of_dates(fitted, expected):
    for index in (range(900, 900 + AHEAD), np.arange(AHEAD) + 0.5):
        steps = KNOWN[LENGTH:].set_axis(index)
        pd.testing.assert_series_equal(fitted.predict(future_exog=steps), expected)
    by_position = KNOWN.set_axis(range(900, 900 + len(DAYS)))
    anew = fitted.predict(series=WAVE, future_exog=by_position)
    pd.testing.assert_series_equal(anew, expected)


def test_a_daily_series_has_covariates_of_each_hour():
    hours = pd.date_range(DAYS[0], DAYS[-1], freq="h")
    known = pd.Series(np.cos(np.arange(len(hours))), index=hours)
    expected = tiny().fit(WAVE, future_exog=known[DAYS]).predict()
    pd.testing.assert_series_equal(tiny().fit(WAVE, future_exog=known).predict(), expected)


# --- Order, duplicates and gaps ------------------------------------------------------------------

INDEXES = {
    "dates": DAYS[:LENGTH],
    "zone": pd.date_range("2026-03-01", periods=LENGTH, tz="Europe/Berlin"),
    "hours": pd.date_range("2026-03-28", periods=LENGTH, freq="h", tz="Europe/Berlin"),
    "months": pd.date_range("2026-01-31", periods=LENGTH, freq="ME"),
    "workdays": pd.bdate_range("2026-01-01", periods=LENGTH),
    "periods": pd.period_range("2026-01", periods=LENGTH, freq="Q"),
    "weeks of days": pd.period_range("2026-01-01", periods=7 * LENGTH, freq="D")[::7],
    "durations": pd.timedelta_range(0, periods=LENGTH, freq="15min"),
    "numbers": pd.RangeIndex(1950, 1950 + LENGTH),
    "fractions": pd.Index(0.1 * np.arange(LENGTH)),
    "int8": pd.Index(np.arange(-100, -100 + 3 * LENGTH, 3), dtype="int8"),
    "uint8": pd.Index(np.arange(3, 3 + 4 * LENGTH, 4), dtype="uint8"),
    "nullable": pd.Index(np.arange(5, 5 + LENGTH), dtype="Int64"),
    "Python's dates": pd.Index(DAYS[:LENGTH].date),
    "times of day": pd.Index([dt.time(8 + i // 4, 15 * (i % 4)) for i in range(LENGTH)]),
    "objects": pd.Index([day.to_pydatetime() for day in DAYS[:LENGTH]], dtype=object),
    "PyArrow": DAYS[:LENGTH].astype("timestamp[us][pyarrow]"),
    "categories": pd.CategoricalIndex(DAYS[:LENGTH]),
}
KINDS = pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
READERS = pytest.mark.parametrize(
    "read",
    [
        lambda series: tiny().fit(series),
        lambda series: tiny().fit(WAVE).predict(series=series),
        lambda series: tiny().backtest(series),
        lambda series: make_windows(series, 6),
        lambda series: make_windows([WAVE, series], 6),
    ],
    ids=["fit", "predict", "backtest", "windows", "list"],
)


@KINDS
def test_an_index_of_any_kind_is_continued(index):
    """A forecast of the first rows has the index of the rows that follow."""
    series = pd.Series(WAVE.to_numpy(), index=index)
    forecast = tiny().fit(series[:-HORIZON]).predict()
    following = index[-HORIZON:]
    if index.inferred_type == "time":  # goes on after midnight
        following = pd.to_timedelta([str(time) for time in following])
    if index.dtype.kind == "f":
        np.testing.assert_allclose(forecast.index, following)
    else:
        assert [str(each) for each in forecast.index] == [str(each) for each in following]


@KINDS
def test_rows_out_of_order_are_refused(index):
    for rows in (slice(None, None, -1), [1, 0, *range(2, LENGTH)]):
        series = pd.Series(WAVE.to_numpy(), index=index).iloc[rows]
        with pytest.raises(
            ValueError, match=r"^The index of series is not increasing: .* in row 1"
        ):
            tiny().fit(series)


@READERS
def test_rows_out_of_order_are_refused_by_all(read):
    message = r"series(\[1\])? is not increasing: it goes from 2026-02-09 .* back to 2026-02-08"
    with pytest.raises(ValueError, match=message):
        read(WAVE[::-1])
    shuffled = WAVE.reset_index(drop=True).sample(frac=1, random_state=0)
    with pytest.raises(ValueError, match=r"sort_index\(\), or number .*reset_index\(drop=True\)"):
        read(shuffled)


@KINDS
def test_a_time_in_two_rows_is_refused(index):
    series = pd.Series(WAVE.to_numpy(), index=index).iloc[[0, 1, 2, 3, 3, *range(4, LENGTH)]]
    with pytest.raises(ValueError, match=r"^The index of series has .* in two rows, 3 and 4 \(1 "):
        tiny().fit(series)


@READERS
def test_a_time_in_two_rows_is_refused_by_all(read):
    with pytest.raises(ValueError, match=r"has 2026-01-05 00:00:00 in two rows, 4 and 5 .*groupby"):
        read(WAVE.iloc[[0, 1, 2, 3, 4, 4, *range(5, LENGTH)]])


@KINDS
def test_gaps_are_counted_and_the_index_is_continued(index):
    rows = [i for i in range(LENGTH) if i not in (12, 13, 20)]
    series = pd.Series(WAVE.to_numpy(), index=index).iloc[rows]
    message = r"^series has 2 gap\(s\), in which 3 row\(s\) are missing: 2 after .*, 1 after"
    with pytest.warns(UserWarning, match=message):
        forecaster = tiny().fit(series)
    whole = tiny().fit(pd.Series(WAVE.to_numpy(), index=index)).predict()
    assert [str(each)[:8] for each in forecaster.predict().index] == [
        str(each)[:8] for each in whole.index
    ]


@READERS
def test_gaps_are_warned_of_by_all_at_the_line_of_the_user(read):
    with pytest.warns(UserWarning, match=r"1 gap.* 2 after 2026-01-05 .*asfreq\(\"D\"\)") as caught:
        read(WAVE.drop(DAYS[5:7]))
    assert {warning.filename for warning in caught} == {__file__}


def test_gaps_of_many_series_make_one_warning():
    gaps = WAVE.drop(DAYS[5])
    message = r"^series\[1\] has 1 gap.* The same holds for 2 other series\.$"
    with pytest.warns(UserWarning, match=message) as caught:
        tiny().fit([WAVE, gaps, gaps, WAVE, gaps])
    assert len(caught) == 1


def test_the_remedies_for_gaps_fill_them_in():
    for index in INDEXES.values():
        if index.inferred_type in ("date", "time", "categorical") or "pyarrow" in str(index.dtype):
            continue
        series = pd.Series(WAVE.to_numpy(), index=index).drop(index[5])
        with pytest.warns(UserWarning, match=r"gap") as caught:
            make_windows(series, 6)
        remedy = str(caught[0].message).split("for example by ")[1].split(", or cut")[0]
        filled = eval(remedy, {"series": series, "pd": pd, "np": np})
        assert len(filled) == LENGTH, remedy
        assert filled.notna().all(), remedy


def test_uneven_times_are_warned_of():
    minutes = pd.to_timedelta(np.cumsum(np.random.default_rng(0).integers(1, 60, LENGTH)), "min")
    message = r"^series is not evenly spaced in time: .* follows .*resample\(\"1h\"\)"
    for index in (DAYS[0] + minutes, minutes):
        with pytest.warns(UserWarning, match=message):
            forecaster = tiny().fit(WAVE.set_axis(index), future_exog=KNOWN.to_numpy())
        assert forecaster.predict().index.tolist() == [40, 41, 42]


def test_even_times_are_not_warned_of():
    for index in INDEXES.values():
        make_windows(pd.Series(WAVE.to_numpy(), index=index), 6)
    make_windows(WAVE[:2], 1)


def test_gaps_of_covariates_count_where_the_series_has_no_times():
    with pytest.warns(UserWarning, match=r"^past_exog has 1 gap"):
        tiny().fit(WAVE.to_numpy(), past_exog=KNOWN["a"].drop(DAYS[5])[:LENGTH])
    tiny().fit(WAVE, past_exog=KNOWN["a"])


def test_a_time_that_is_missing_is_refused():
    index = DAYS[:LENGTH].where(np.arange(LENGTH) != 5)
    for broken in (index, pd.Index(np.where(np.arange(LENGTH) == 5, np.nan, np.arange(LENGTH)))):
        with pytest.raises(ValueError, match=r"index of series is missing in row 5 \(1 in all\)"):
            tiny().fit(WAVE.set_axis(broken))


def test_dates_as_text_are_told():
    series = WAVE.set_axis(DAYS[:LENGTH].strftime("%Y-%m-%d"))
    with pytest.warns(UserWarning, match=r"is text, such as '2026-01-01'.*pd\.to_datetime"):
        forecaster = tiny().fit(series)
    assert forecaster.predict().index.tolist() == [40, 41, 42]


@pytest.mark.parametrize(
    "labels",
    [
        [f"r{i}" for i in range(LENGTH)],
        pd.interval_range(0, LENGTH),
        pd.Categorical(list("abcd") * 10),
    ],
    ids=["text", "intervals", "categories"],
)
def test_labels_that_are_no_times_are_not_continued(labels):
    forecast = tiny().fit(WAVE.set_axis(labels)).predict()
    assert forecast.index.tolist() == [40, 41, 42]


def test_a_long_frame_with_two_levels_is_refused():
    frame = pd.concat({"x": PAIR, "y": PAIR}, names=["shop", "day"])
    message = r"index of 2 levels, \['shop', 'day'\].*droplevel\(0\) for _, part in"
    for read in (tiny().fit, lambda series: make_windows(series, 5)):
        with pytest.raises(ValueError, match=message):
            read(frame)
    parts = [part.droplevel(0) for _, part in frame.groupby(level=0)]
    assert len(tiny().fit(parts).predict()) == 2


# --- polars in, polars out -----------------------------------------------------------------------


def test_forecasts_of_polars_are_polars():
    forecaster = tiny().fit(pl.Series("load", WAVE.to_numpy()))
    forecast, interval = forecaster.predict(), forecaster.predict_interval(coverage=0.5)
    assert isinstance(forecast, pl.Series)
    assert (forecast.name, forecast.dtype) == ("load", pl.Float64)
    np.testing.assert_array_equal(forecast, tiny().fit(WAVE).predict())
    assert isinstance(interval, pl.DataFrame)
    assert interval.columns == ["lower", "upper"]

    forecaster = tiny().fit([to_polars(PAIR).cast(pl.Float32)])
    (forecast,), (interval,) = forecaster.predict(), forecaster.predict_interval(coverage=0.5)
    assert forecast.schema == {"a": pl.Float32, "b": pl.Float32}
    assert interval.columns == ["a_lower", "a_upper", "b_lower", "b_upper"]
    assert (interval["a_lower"] < forecast["a"]).all()
    assert (forecast["b"] < interval["b_upper"]).all()


# --- What is no series ---------------------------------------------------------------------------

NESTED = [WAVE[:5], WAVE[:6]]


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (
            WAVE.reset_index(),
            r"column 'index' of series holds dates .* series\.set_index\('index'\)",
        ),
        (PAIR.assign(b=DAYS[:LENGTH].date), r"column 'b' of series holds dates .*set_index\('b'\)"),
        (PAIR.assign(b=DAYS[:LENGTH].to_period("D")), "column 'b' of series holds dates"),
        (PAIR.assign(b=DAYS[:LENGTH] - DAYS[0]), "column 'b' of series holds durations"),
        (PAIR.assign(b="u"), "column 'b' of series holds text, such as 'u', .*Leave the column"),
        (PAIR.assign(b=pd.Categorical(["u"] * LENGTH)), "column 'b' of series holds text"),
        (PAIR.assign(b=1j), "column 'b' of series holds complex numbers"),
        (to_polars(PAIR).with_columns(b=pl.lit("u")), "column 'b' of series holds text"),
        (
            to_polars(PAIR).with_columns(b=pl.lit(dt.date(2026, 1, 1))),
            r"'b'.* holds dates .*series\.drop\('b'\)",
        ),
        (pa.table({"a": WAVE.to_numpy(), "b": ["u"] * LENGTH}), "column 'b' of series holds text"),
        ([WAVE.to_frame(), WAVE.reset_index()[["index"]]], r"^series\[1\] has the columns"),
        (
            pd.DataFrame({"dim_0": NESTED}),
            r"column 'dim_0' .* whole series in each cell.*for each in series\['dim_0'\]",
        ),
        (
            pl.DataFrame({"dim_0": [[1.0, 2.0], [3.0]]}),
            r"whole series in each cell.*series\['dim_0'\]",
        ),
        (DAYS[:LENGTH], "^series holds dates"),
        (["u", "v"], r"^series holds text, such as 'u'"),
        (np.array(["u", "v"]), "^series holds text, such as 'u'"),
        (WAVE.to_numpy() + 1j, "^series holds complex numbers"),
        ([[1.0, 2.0], [3.0]], "^series is a list of rows of unequal length"),
        ([WAVE, None], r"^series\[1\] is None"),
        ([WAVE, WAVE[:0]], r"^series\[1\] has no rows"),
        ([WAVE, PAIR], r"^series\[1\] has 2 column\(s\), but series\[0\] has 1"),
        ([WAVE, KNOWN.to_numpy()[None]], r"^series\[1\] has 3 dimensions"),
        (np.ma.masked_array(WAVE, WAVE > 59), "^series has masked values"),
        ([WAVE, np.ma.masked_array(WAVE, WAVE > 59)], r"^series\[1\] has masked values"),
        (
            np.array([(1.0, 2.0)], dtype=[("a", float), ("b", float)]),
            r"^series is a structured array with the fields",
        ),
        (
            WAVE.mask(WAVE > 59),
            r"^series is missing \(NaN\) in row 3 \(2026-01-04 00:00:00\), column 0",
        ),
        (PAIR.assign(b=np.inf), r"^series is infinite in row 0 \(2026.*\), column 'b' \(40 value"),
        (PAIR.astype("Float64").mask(PAIR > 59), r"missing \(NaN\) in row 3 .*, column 'a'"),
        ([10**400] * 9, "^series cannot be read as numbers"),
        (np.empty((2, 0, 1)), r"^series\[0\] has no rows"),
        (np.stack([PAIR, np.full(PAIR.shape, np.nan)]), r"^series\[1\] has no rows, but NaN alone"),
        (np.zeros((2, 9, 1), "datetime64[s]"), "^series holds dates"),
        (pa.table({"a": DAYS}), "column 'a' of series holds dates"),
        (pa.chunked_array([DAYS]), "^series holds dates"),
        (pa.table({"a": [dt.timedelta(1)] * 9}), "column 'a' of series holds durations"),
        (pl.DataFrame({"a": [{"u": 1}] * 9}), "column 'a' of series holds structs"),
        (np.empty((0, 9, 1)), "^series is empty"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_series(series, message):
    for read in (tiny().fit, tiny().backtest, lambda series: make_windows(series, 6)):
        with pytest.raises(ValueError, match=message):
            read(series)


def test_series_that_are_too_short():
    with pytest.raises(ValueError, match=r"^series has 5 row.*longer series, or .* shorter window"):
        tiny().fit(WAVE[:5])
    with pytest.raises(ValueError, match=r"^series has 1 row.*\(It has 40 columns: rows are times"):
        make_windows(WAVE.to_numpy()[None, :], 6)


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (None, "^series is a NoneType: expected an array"),
        ("abc", "^series is a str"),
        (3, "^series is an int"),
        ({"a": WAVE}, r"^series is a dict: .*list\(series\.values\(\)\)"),
        ((each for each in [WAVE]), r"^series is a generator: .*list\(series\)"),
        (PAIR.groupby("a"), r"^series is a DataFrameGroupBy.*\[part for _, part in series\]"),
        (sparse.csr_matrix(PAIR), r"^series is a csr_matrix: .*series\.toarray\(\)"),
        (pd.DataFrame, "^series is a type"),
        (to_polars(PAIR).lazy(), r"^series is a LazyFrame: .*collect\(\) it first"),
        (object(), "^series is an object"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_container_of_series(series, message):
    for read in (tiny().fit, tiny().backtest, lambda series: make_windows(series, 6)):
        with pytest.raises(TypeError, match=message):
            read(series)


@pytest.mark.parametrize("exog", [KNOWN.assign(b="u"), KNOWN.reset_index(), None], ids=str)
def test_covariates_are_called_by_their_name(exog):
    if exog is None:
        exog = np.ma.masked_array(KNOWN, KNOWN > 3)
    for name in ("past_exog", "future_exog"):
        with pytest.raises(ValueError, match=rf"{name} (holds|has)"):
            tiny().fit(WAVE, **{name: exog})
    with pytest.raises(ValueError, match=r"exog (holds|has)"):
        make_windows(WAVE, 5, exog=exog)


def test_numbers_in_other_containers_are_read():
    """What is a number is taken as one: text of numbers, categories of numbers, bool, decimals."""
    expected = make_windows(WAVE, 5).X
    as_text = WAVE.map(repr)
    for series in (
        WAVE.astype("Float64"),
        WAVE.astype(object),
        as_text,
        as_text.to_numpy(),
        WAVE.astype("category"),
        pl.Series(WAVE.to_numpy()),
        pa.chunked_array([WAVE.to_numpy()]),
        pa.table({"a": WAVE.to_numpy()}),
        WAVE.to_numpy()[None, :, None],
        SequenceArray.from_sequences([WAVE]),
        pd.Series([WAVE.to_numpy()], index=["shop"]),
        np.ma.masked_array(WAVE.to_numpy(), False),
    ):
        np.testing.assert_array_equal(make_windows(series, 5).X, expected)
    flags = pd.DataFrame({"a": WAVE, "b": WAVE > 50})
    assert make_windows(flags, 5).X[0, 0].tolist() == [50, 0]


# --- What the forecaster says --------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1e300, 1e-300])
def test_numbers_out_of_range_are_told(factor):
    with pytest.raises(ValueError, match=r"^series has values of size .* Divide the column by"):
        tiny().fit(WAVE * factor)
    with pytest.raises(ValueError, match=r"^past_exog has values of size .* in column 1"):
        tiny().fit(WAVE, past_exog=pd.DataFrame({"a": WAVE, "b": WAVE * factor}))
    tiny().fit(WAVE * 1e100)
    tiny().fit((WAVE * 1e-20).astype("float32"))
    tiny().fit((WAVE * 1e30).astype("float32"))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (24, r"Got 24 instead\..*window=24"),
        (GRURegressor, r"Pass an instance: GRURegressor\(\)"),
        (GRUClassifier(), "must be an RNNRegressor, LSTMRegressor or GRURegressor, or None"),
        (GRURegressor(loss="poisson"), "loss='poisson', whose predictions are never negative"),
        (GRURegressor(loss="mse"), "The 'loss' parameter of GRURegressor must be"),
        (GRURegressor(embedding_size=4), "embedding_size=4, which is for tokens"),
    ],
    ids=str,
)
def test_estimators_that_do_not_fit(estimator, message):
    for method in (tiny(estimator).fit, tiny(estimator).backtest):
        with pytest.raises(ValueError, match=message):
            method(WAVE)


def test_arguments_in_the_wrong_place_are_told(fitted):
    with pytest.raises(ValueError, match=r"fit takes no y: .*past_exog= or future_exog="):
        tiny().fit(WAVE, KNOWN)
    for given in (KNOWN, WAVE, [1, 2], to_polars(PAIR)):
        with pytest.raises(
            ValueError, match=r"^horizon must be a number of rows, not of type .*series="
        ):
            fitted.predict(given)
    with pytest.raises(ValueError, match=r"got 0\.9: .* by name, coverage="):
        fitted.predict_interval(0.9)
    with pytest.raises(TypeError, match=r"metric must be a function, .*got 'rmse'"):
        fitted.backtest(WAVE, metric="rmse")


def test_forecasts_of_part_of_a_block_say_how_many_rows_they_need(fitted):
    message = r"forecast of 7 step\(s\) needs 9 \(2 more\): .* forecasts 3 rows .*ask for 6 steps"
    with pytest.raises(ValueError, match=message):
        fitted.predict(7, future_exog=KNOWN[LENGTH : LENGTH + 7])
    with pytest.raises(ValueError, match=r"step\(s\) needs 3 \(1 more\): .* 3 rows at once\.$"):
        fitted.predict(2, future_exog=KNOWN[LENGTH : LENGTH + 2])


def test_a_refused_input_leaves_the_forecaster_as_it_was(fitted, expected):
    for call in (
        lambda: fitted.fit(WAVE[::-1]),
        lambda: fitted.fit(PAIR.assign(b="u")),
        lambda: fitted.predict(future_exog=RENAMED),
        lambda: fitted.predict(future_exog=KNOWN[LENGTH + 1 :]),
    ):
        with pytest.raises(ValueError, match=r"series|future_exog"):
            call()
    pd.testing.assert_series_equal(fitted.predict(future_exog=KNOWN), expected)


def test_no_warning_is_raised_for_what_is_right():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecaster = tiny().fit([WAVE, WAVE], future_exog=[KNOWN, KNOWN])
        forecaster.predict(future_exog=[KNOWN[LENGTH:]] * 2)
        forecaster.backtest([WAVE, WAVE], future_exog=[KNOWN, KNOWN])
