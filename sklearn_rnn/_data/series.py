"""Read time series and their covariates: their numbers, the names of their columns, their times.

Dimension key: T_i rows in series i, F columns.

Columns are matched by name and rows by time wherever both sides have them, and by position else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Number
from typing import Any

import numpy as np
from sklearn.utils import check_array

from sklearn_rnn._data.cells import check_cells, culprit
from sklearn_rnn._data.containers import how_to_read
from sklearn_rnn._data.numbers import float_dtype
from sklearn_rnn._data.refusals import (
    is_frame,
    refuse_named_tuple,
    refuse_unreadable,
    with_article,
)
from sklearn_rnn._data.times import Times, describe_gaps, looks_like_dates, read_times
from sklearn_rnn._data.user_warning import warn_user
from sklearn_rnn._typing import Array
from sklearn_rnn.sequences import SequenceArray

_EXPECTED = "expected an array of shape (T,) or (T, F), a data frame, or a list of them"


@dataclass(frozen=True)
class NamedRows:
    """One series or several, or the covariates of one or several.

    Attributes
    ----------
    name : str
        What messages call it: the parameter in which it was given.
    rows : SequenceArray of (T_i, F)
        Finite float32 or float64, and nobody else's memory.
    columns : list, or None
        The names of the columns.
    times : list of n_series Times or None
        None for a series without times.
    reading : {"flat", "array", "list", "packed"}
        How its container is read; all but "flat" hold several series.
    """

    name: str
    rows: SequenceArray
    columns: list[Any] | None
    times: list[Times | None]
    reading: str

    def label(self, i: int) -> str:
        """Return what messages call series i."""
        return self.name if self.reading == "flat" else f"{self.name}[{i}]"


def read_series(series: Any, name: str, *, columns: list[Any] | None = None) -> NamedRows:
    """Read one series or several, or covariates, whose values are finite.

    Parameters
    ----------
    series : any container of series
        As described by `sklearn_rnn.make_windows`.
    name : str
        What the messages call it.
    columns : list, default=None
        Those of fit, by whose names columns are read. None: those of the first series.

    Raises
    ------
    TypeError
        If it is no container of numbers.
    ValueError
        If a value is missing or infinite, a column holds no numbers or has another name, or the
        times do not increase.
    """
    reading = _read_container(series, name)
    several = reading != "flat"
    items = _items_of(series, name, reading) if several else [_as_item(series, name)]
    labels = [f"{name}[{i}]" for i in range(len(items))] if several else [name]
    where = "fit"
    arrays = []
    for item, label in zip(items, labels):
        given = _columns_of(item, label, named=name != "series" and not several)
        if columns is None:
            columns, where = given, label
        arrays.append(_read_item(_in_order(item, given, columns, label, where), label))
    _check_same_width(arrays, labels)
    times = [_times_of(item, label) for item, label in zip(items, labels)]
    read = NamedRows(name, SequenceArray.from_sequences(arrays), columns, times, reading)
    _check_finite(read)
    return read


def warn_of_gaps(read: NamedRows) -> None:
    """Warn of rows that are missing between others, or are not evenly spaced."""
    _warn_of_first(
        describe_gaps(times, read.label(i)) for i, times in enumerate(read.times) if times
    )


def _warn_of_first(messages: Iterable[str | None]) -> None:
    given = [message for message in messages if message is not None]
    if given:
        others = f" The same holds for {len(given) - 1} other series." if len(given) > 1 else ""
        warn_user(given[0] + others)


# --- Containers ----------------------------------------------------------------------------------


def _read_container(series: Any, name: str) -> str:
    """Return how it is read: "flat" for the rows of one series, else as several series."""
    if series is None or isinstance(series, (str, bytes, Number, type)):
        raise TypeError(f"{name} is {with_article(series)}: {_EXPECTED}.")
    refuse_named_tuple(series, name)
    if isinstance(series, dict):
        raise TypeError(
            f"{name} is a dict: {_EXPECTED}. Pass the series in it as list({name}.values())."
        )
    if hasattr(series, "collect") and not hasattr(series, "__array__"):
        raise TypeError(f"{name} is {with_article(series)}: {_EXPECTED}. collect() it first.")
    if not isinstance(series, (list, tuple, SequenceArray)) and not hasattr(series, "__array__"):
        remedy = f" Pass list({name})." if isinstance(series, Iterable) else ""
        if type(series).__name__.endswith("GroupBy"):
            remedy = f" Pass [part for _, part in {name}]."
        if hasattr(series, "toarray"):
            remedy = f" Pass {name}.toarray()."
        raise TypeError(f"{name} is {with_article(series)}: {_EXPECTED}.{remedy}")
    refuse_unreadable(series, name)
    reading = how_to_read(series)
    # To `how_to_read`, text is a sequence of characters.
    return "flat" if reading == "list" and isinstance(next(iter(series)), (str, bytes)) else reading


def _items_of(series: Any, name: str, reading: str) -> list[Any]:
    """Return several series one by one; of a 3-D array without the padding at their ends."""
    items: Any = series
    if reading == "array":
        values = _as_floats(series, name)
        if values.ndim > 3:
            raise ValueError(f"{name} has {values.ndim} dimensions: {_EXPECTED}.")
        if len(empty := np.flatnonzero(np.isnan(values).all(axis=(1, 2)))):
            raise ValueError(f"{name}[{empty[0]}] has no rows, but NaN alone: leave it out.")
        items = SequenceArray.from_padded(values) if len(values) else ()
    items = list(items)
    if not items:
        raise ValueError(f"{name} is empty: there is no series in it.")
    for i, item in enumerate(items):
        if item is None:
            raise ValueError(f"{name}[{i}] is None: leave out what there is no series for.")
    return items


def _as_item(series: Any, name: str) -> Any:
    if not isinstance(series, (list, tuple)):
        return series
    try:
        return np.asarray(series)
    except ValueError:
        raise ValueError(
            f"{name} is a list of rows of unequal length. If these are several series, make each "
            f"an array: [np.asarray(each) for each in {name}]."
        ) from None


def _times_of(item: Any, label: str) -> Times | None:
    if not hasattr(item, "iloc"):  # only pandas has an index
        return None
    if (times := read_times(item.index, label)) is None and looks_like_dates(item.index):
        warn_user(
            f"The index of {label} is text, such as {item.index[0]!r}: the order of the rows is "
            f"not checked, and forecasts are numbered by row. Make it times by "
            f"{label}.index = pd.to_datetime({label}.index)."
        )
    return times


# --- Columns -------------------------------------------------------------------------------------


def _columns_of(item: Any, label: str, *, named: bool) -> list[Any] | None:
    """Return the names of the columns, or the name of a Series if it is `named` as a column is."""
    if not is_frame(item):
        name = getattr(item, "name", None)
        return [name] if named and isinstance(name, str) and name else None
    columns = getattr(item, "column_names", None)  # of PyArrow, whose columns are arrays
    names = list(item.columns if columns is None else columns)
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(
            f"{label} has two columns named {twice[0]!r}: give them names of their own."
        )
    return names


def _are_numbers_of_columns(columns: list[Any] | None) -> bool:
    """Whether there are no names, or those that pandas gives to columns without."""
    return columns is None or columns == list(range(len(columns)))


def _in_order(
    item: Any, given: list[Any] | None, columns: list[Any] | None, label: str, where: str
) -> Any:
    """Return the columns of a frame in the order of `columns`, which are those in `where`."""
    if given is None or columns is None or given == columns:
        return item
    if set(given) == set(columns):
        return item.select(columns) if hasattr(item, "select") else item[columns]
    if _are_numbers_of_columns(given) or _are_numbers_of_columns(columns):
        return item
    raise ValueError(
        f"{label} has the columns {given}, but {columns} in {where}. Columns are matched by name: "
        "pass the same columns, in any order."
    )


# --- Numbers -------------------------------------------------------------------------------------


def _read_item(item: Any, label: str) -> Array:
    """Read the rows (T, F) of one series."""
    rows = _as_floats(item, label)
    if rows.ndim == 0 or rows.ndim > 2:
        raise ValueError(
            f"{label} has {rows.ndim} dimensions: expected an array of shape (T,) or (T, F)."
        )
    if 0 in rows.shape:
        raise ValueError(f"{label} has no {'rows' if len(rows) == 0 else 'columns'}.")
    return rows if rows.ndim == 2 else rows[:, np.newaxis]


def _as_floats(item: Any, label: str) -> Array:
    check_cells(item, label)
    try:
        with np.errstate(over="ignore"):  # a number beyond float64 becomes inf, which is refused
            return check_array(
                item,
                dtype=float_dtype(item),
                ensure_all_finite=False,
                ensure_2d=False,
                allow_nd=True,
                ensure_min_samples=0,
                ensure_min_features=0,
                input_name=label,
            )
    except (TypeError, ValueError, OverflowError) as error:
        if (message := culprit(item, label)) is not None:
            raise ValueError(message) from None
        first_line = str(error).splitlines()[0]
        raise ValueError(f"{label} cannot be read as numbers: {first_line}") from error


def _check_same_width(arrays: list[Array], labels: list[str]) -> None:
    for rows, label in zip(arrays, labels):
        if rows.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"{label} has {rows.shape[1]} column(s), but {labels[0]} has {arrays[0].shape[1]}: "
                "all series of a list have the same columns."
            )


def _check_finite(read: NamedRows) -> None:
    values = read.rows.values
    finite = np.isfinite(values)
    if finite.all():
        return
    wrong = np.isnan(values) if np.isnan(values).any() else ~finite
    what = "missing (NaN)" if np.isnan(values).any() else "infinite"
    remedy = (
        "Fill in what is missing, or cut the series there and pass the parts as a list."
        if np.isnan(values).any()
        else "Replace it by a finite number."
    )
    position, column = np.argwhere(wrong)[0]
    i = int(np.searchsorted(read.rows.offsets, position, side="right")) - 1
    row, times = position - read.rows.offsets[i], read.times[i]
    when = "" if times is None or times.counts_rows else f" ({times.index[row]})"
    name = column if read.columns is None else repr(read.columns[column])
    raise ValueError(
        f"{read.label(i)} is {what} in row {row}{when}, column {name} "
        f"({wrong.sum()} value(s) in all). {remedy}"
    )


# --- Rows of the same times ----------------------------------------------------------------------


def align(exog: NamedRows, series: NamedRows, *, ahead: bool) -> NamedRows:
    """Return covariates with those of their rows whose times are those of the series.

    Where one side has no times, covariates are returned as they are; else without their times.

    Parameters
    ----------
    exog : NamedRows
        Covariates of as many series.
    series : NamedRows
        The series.
    ahead : bool
        Whether also to return what is known of the times after the end of each series.

    Raises
    ------
    ValueError
        If covariates have times, but not all of those of the series; names the first one.
    """
    pairs = zip(exog.rows, exog.times, series.times)
    rows, times, gaps = [], list(exog.times), []
    for i, (values, given, wanted) in enumerate(pairs):
        label, whose = exog.label(i), series.label(i)
        if are_comparable(given, wanted, label, whose):
            assert given is not None
            assert wanted is not None
            chosen = _rows_of(wanted.index, given, label, f"the rows of {whose}")
            if ahead:
                chosen = np.append(chosen, rows_after(wanted, given, label))
            values, times[i] = values[chosen], None
        elif given is not None:
            gaps.append(describe_gaps(given, label))
        rows.append(values)
    _warn_of_first(gaps)
    return replace(exog, rows=SequenceArray.from_sequences(rows), times=times)


def are_comparable(given: Times | None, wanted: Times | None, label: str, whose: str) -> bool:
    """Tell whether covariates are matched by time, rather than row by row.

    Raises ValueError if both have times that cannot be compared, or might be meant either way.
    """
    if given is None or wanted is None or (given.counts_rows and wanted.counts_rows):
        return False
    if (given.kind == "numbers") != (wanted.kind == "numbers"):
        return False  # numbers may be those of rows of a larger table, and say nothing of dates
    are_integers = given.index.dtype.kind == wanted.index.dtype.kind == "i"
    if given.counts_rows:
        if are_integers and (given.positions(wanted.index) >= 0).all():
            raise ValueError(
                f"{label} has the index 0 to {given.index[-1]}, which contains that of {whose}, "
                f"{wanted.index[0]} to {wanted.index[-1]}. Are they to be matched by index or row "
                f"by row? By index: pass {label}.loc[{wanted.index[0]}:]. Row by row: pass the "
                "numbers of both without an index."
            )
        return False
    if wanted.counts_rows:
        return are_integers
    if given.kind != wanted.kind:
        raise ValueError(
            f"{label} is indexed by {given.kind}, but {whose} by {wanted.kind}: covariates are "
            "matched by index. Give both the same kind of index, or pass the covariates without "
            "one to match them row by row."
        )
    return True


def rows_after(wanted: Times, given: Times, label: str) -> Array:
    """Return which rows of covariates follow the last of the times `wanted`, without a hole.

    Raises ValueError if one of the following times is not there; names the first one.
    """
    if wanted.step is None:
        return np.flatnonzero(given.index > wanted.index[-1])
    following = wanted.until(given.index[-1])
    return _rows_of(following, given, label, "the times after the end of series")


def _rows_of(wanted: Any, given: Times, label: str, what: str) -> Array:
    places = given.positions(wanted)
    if (places < 0).any():
        i = int((places < 0).argmax())
        raise ValueError(
            f"{label} has no row for {wanted[i]}, the first of {what} that is not in it. Its "
            f"index goes from {given.index[0]} to {given.index[-1]}. Covariates are matched by "
            "index: pass the rows of the same times, or leave out the index to match them row by "
            "row."
        )
    return places
