"""Convert long tables, which have one row for each time step, to sequences.

Dimension key: N rows of the table, n sequences, T_i time steps in sequence i, F features.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from numbers import Real
from typing import Any, Literal

import numpy as np

from sklearn_rnn._data.refusals import with_article
from sklearn_rnn._records import Record
from sklearn_rnn._typing import Array, SupportsArray
from sklearn_rnn.sequences import SequenceArray

__all__ = ["FrameSequences", "sequences_from_frame"]

# What users call the units of time, and what NumPy calls them.
_UNITS: dict[str, Any] = {unit: unit for unit in ("ns", "us", "ms", "s", "m", "h", "D", "W")}
_UNITS |= {"min": "m", "d": "D", "w": "W"}


@dataclass(frozen=True, eq=False, repr=False)
class FrameSequences(Record):
    """The sequences of a long data frame; `sequences_from_frame` describes the fields."""

    X: SequenceArray
    y: Array | None
    groups: Array
    ids: Array
    feature_names: list[Any]


def sequences_from_frame(
    frame: SupportsArray,
    *,
    by: Hashable | list[Any],
    order: Hashable,
    features: Hashable | list[Any] | None = None,
    target: Hashable | None = None,
    target_per_step: bool | Literal["auto"] = "auto",
    groups: Hashable | None = None,
    sort: bool = False,
    regular: float | str | timedelta | np.timedelta64 | None = None,
    allow_nan: bool = False,
) -> FrameSequences:
    """Cut a long data frame, which has one row for each time step, into sequences.

    The rows of a sequence are those with one key in `by`; they need not be neighbours. The
    sequences come in the order in which their keys first appear in the frame, and the steps of each
    in the order of `order`. Nothing is dropped, filled in or repaired: what is missing, double or
    out of order raises an error that says where.

    Parameters
    ----------
    frame : data frame of N rows
        A pandas or polars data frame, or any other table that narwhals reads eagerly.
    by : column name or list of column names
        The key of a sequence.
    order : column name
        The time of a step: numbers, dates, times, periods, durations or categories that have an
        order, none missing, and none twice in a sequence.
    features : column name or list of column names, default=None
        The features of a step: columns of numbers or bool. None takes all of them that are not
        `by`, `order`, `target` or `groups`.
    target : column name, default=None
        What is to be learned.
    target_per_step : bool or "auto", default="auto"
        Whether each step has a target of its own (True), or each sequence has one (False), which
        must then be the same in all its rows. "auto" reads it off the data: the sequences have
        one each if the target is the same in all rows of each sequence, and the steps have their
        own if it changes within each sequence of two or more rows. Anything between raises an
        error, and so does a missing target.
    groups : column name, default=None
        What :class:`~sklearn.model_selection.GroupKFold` must not tear apart, the same in all rows
        of a sequence. None makes each sequence its own group.
    sort : bool, default=False
        Whether to sort the rows of each sequence by `order`. If not, rows out of order raise an
        error.
    regular : number, str, timedelta or numpy.timedelta64, default=None
        The step from each row of a sequence to the next, in the units of `order`: 1, or "1h",
        "15min", "1d" where `order` holds times. Any other step raises an error. None does not
        look.
    allow_nan : bool, default=False
        Whether features may be missing, for an imputer in the pipeline: then they are NaN.

    Returns
    -------
    data : FrameSequences
        A record, whose fields are attributes and keys, ``data.X`` and ``data["X"]``:

        X : SequenceArray of shape (n,)
            The sequences: float32 if all features are in single or half precision, else float64.
        y : ndarray of shape (n,) or None
            The targets; with a target for each step, an object array of n arrays of shape (T_i,),
            in which missing numbers are NaN. None without `target`.
        groups : ndarray of shape (n,)
            The group of each sequence.
        ids : ndarray of shape (n,)
            The key of each sequence; tuples if `by` is a list.
        feature_names : list of length F
            The columns that the features come from.

    Raises
    ------
    ValueError
        If a column is not there or a cell is missing, if rows are out of order or double, if a
        step is not `regular`, and if target or groups are not constant where they have to be.
    TypeError
        If `frame` is no data frame, if a feature is no number, and if `order` is no number or
        time.
    ImportError
        If narwhals is not installed.

    See Also
    --------
    make_windows : Cuts long series into windows, and what follows them.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_rnn import sequences_from_frame
    >>> frame = pd.DataFrame(
    ...     {
    ...         "engine": ["b", "b", "b", "a", "a"],
    ...         "cycle": [1, 2, 3, 1, 2],
    ...         "speed": [0.5, 0.7, 0.6, 0.1, 0.2],
    ...         "heat": [3.0, 4.0, 4.5, 2.0, 2.5],
    ...         "fails": ["yes", "yes", "yes", "no", "no"],
    ...     }
    ... )
    >>> data = sequences_from_frame(frame, by="engine", order="cycle", target="fails", regular=1)
    >>> data.X
    SequenceArray(2 sequences of 2 to 3 steps, 2 features, float64)
    >>> data.ids, data.y
    (array(['b', 'a'], dtype=object), array(['yes', 'no'], dtype=object))
    >>> data.feature_names
    ['speed', 'heat']
    """
    if not (isinstance(target_per_step, bool) or target_per_step == "auto"):
        raise ValueError(f"target_per_step must be True, False or 'auto', got {target_per_step!r}")
    table = _read_frame(frame)
    others = [*_as_list(by), order, *(name for name in (target, groups) if name is not None)]
    _check_list(_as_list(by), "by")
    _check_columns(frame, table, others)
    names = _feature_names(frame, table, features, others)
    cut = _cut(table, by, order, sort, regular)
    ids = cut.ids
    return FrameSequences(
        X=SequenceArray(_read_features(table, names, cut, allow_nan), cut.offsets),
        y=None if target is None else _read_target(table, target, target_per_step, cut),
        groups=ids if groups is None else _one_each(table, groups, "groups", cut),
        ids=ids,
        feature_names=names,
    )


@dataclass(frozen=True)
class _Cut:
    """Which rows of the table make up which sequence.

    Attributes
    ----------
    by : column name or list of column names
        What the keys are keys of.
    ids : ndarray (n,)
        The key of each sequence.
    rows : ndarray (N,)
        The rows of the table, sequence by sequence and step by step.
    offsets : ndarray (n + 1,)
        Where in `rows` each sequence starts, and the last one ends.
    """

    by: Any
    ids: np.ndarray
    rows: np.ndarray
    offsets: np.ndarray

    def sequence(self, position: Any) -> int:
        """Tell the sequence that holds a position in `rows`."""
        return int(np.searchsorted(self.offsets, position, side="right")) - 1

    def label(self, i: Any) -> str:
        """Name sequence i for an error message."""
        keys = self.ids[i] if isinstance(self.by, list) else [self.ids[i]]
        pairs = zip(_as_list(self.by), keys)
        return "the sequence " + ", ".join(f"{name}={_show(key)}" for name, key in pairs)


def _cut(table: Any, by: Any, order: Any, sort: bool, regular: Any) -> _Cut:
    """Gather the rows of each sequence, in their order, and check that order."""
    for name in _as_list(by):
        if (missing := _is_missing(table.get_column(name))).any():
            raise ValueError(
                f"by: {name!r} is missing in row {missing.argmax()} ({missing.sum()} in all): "
                "every row belongs to a sequence"
            )
    first_rows, code = np.unique(_first_rows(table, _as_list(by)), return_inverse=True)
    keys = [_to_numpy(table.get_column(name))[first_rows] for name in _as_list(by)]
    ids = _object_array(list(zip(*map(_to_list, keys)))) if isinstance(by, list) else keys[0]
    offsets = np.append(0, np.cumsum(np.bincount(code)))

    in_blocks = _Cut(by, ids, np.argsort(code, kind="stable"), offsets)
    stamps = _read_stamps(table, order, in_blocks)
    cut = _Cut(by, ids, np.lexsort((stamps, code)), offsets) if sort else in_blocks
    shown = _to_numpy(table.get_column(order))
    _check_stamps(stamps[cut.rows], shown[cut.rows], order, regular, cut)
    return cut


# --- The table -----------------------------------------------------------------------------------


def _narwhals() -> Any:
    try:
        import narwhals.stable.v2 as narwhals
    except ImportError as error:
        raise ImportError(
            "sequences_from_frame reads data frames with narwhals 2.12 or newer, which is not "
            "installed: pip install narwhals"
        ) from error
    return narwhals


def _read_frame(frame: Any) -> Any:
    """Wrap a data frame of any library into one interface."""
    try:
        table = _narwhals().from_native(frame, eager_only=True)
    except TypeError:
        remedy = ": collect() it first" if hasattr(frame, "collect") else ""
        raise TypeError(
            f"frame is {with_article(frame)}: expected a pandas or polars data frame{remedy}"
        ) from None
    if len(table) == 0:
        raise ValueError("frame has no rows")
    return table


def _check_columns(frame: Any, table: Any, names: list[Any]) -> None:
    for name in names:
        if name not in table.columns:
            in_index = name in getattr(getattr(frame, "index", None), "names", ())
            remedy = ": it is in the index, so pass frame.reset_index()" if in_index else ""
            raise ValueError(f"frame has no column {name!r}, only {table.columns}{remedy}")
        if (dtype := table.schema[name]).is_nested():
            raise TypeError(f"column {name!r} is {dtype}: one value in each cell is expected")


def _as_list(names: Any) -> list[Any]:
    return names if isinstance(names, list) else [names]


def _check_list(names: list[Any], role: str) -> None:
    if not names:
        raise ValueError(f"{role} is empty: at least one column is needed")
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{role} names the column {twice[0]!r} twice")


def _first_rows(table: Any, keys: list[Any]) -> np.ndarray:
    """Return, for each row, the number of the first row with the same key."""
    narwhals = _narwhals()
    row = "row of " + " ".join(map(str, keys))  # longer than any key's name, so another name
    numbered = table.select(narwhals.col(*keys)).with_row_index(row)
    return numbered.select(narwhals.col(row).min().over(*keys)).get_column(row).to_numpy()


def _is_missing(column: Any) -> np.ndarray:
    missing, values = column.is_null().to_numpy(), column.to_numpy()
    return missing | np.isnan(values) if values.dtype.kind == "f" else missing


def _to_numpy(column: Any) -> np.ndarray:
    """Convert a column alike from all libraries, of which some make text of fixed width."""
    if column.dtype.is_decimal():
        column = column.cast(_narwhals().Float64)
    values = column.to_numpy()
    return values.astype(object) if values.dtype.kind == "U" else values


# --- The order of the steps ----------------------------------------------------------------------


def _read_stamps(table: Any, order: Any, cut: _Cut) -> np.ndarray:
    column = table.get_column(order)
    if (missing := _is_missing(column)[cut.rows]).any():
        label = cut.label(cut.sequence(missing.argmax()))
        raise ValueError(
            f"order: {order!r} is missing in {label} ({missing.sum()} in all): "
            "a step without a time has no place in its sequence"
        )
    stamps = _to_stamps(column)
    if stamps.dtype.kind not in "iufmM":
        remedy = "Convert it, for example by pandas.to_datetime or polars' str.to_datetime."
        if column.dtype == _narwhals().Categorical:
            remedy = "Give its categories an order: an ordered Categorical of pandas, polars' Enum."
        raise TypeError(
            f"order: {order!r} is {column.dtype}, but numbers, dates or times are expected. "
            + remedy
        )
    return stamps


def _to_stamps(column: Any) -> np.ndarray:
    """Convert times of any kind to numbers, datetime64 or timedelta64, which can be subtracted."""
    narwhals = _narwhals()
    if column.dtype == narwhals.Enum:  # categories with an order
        place = {category: i for i, category in enumerate(column.dtype.categories)}
        return np.array([place[category] for category in column.to_list()])
    stamps = _to_numpy(column)
    if stamps.dtype.kind in "iu" and stamps.dtype != np.uint64:
        return stamps.astype(np.int64)  # differences of the small types would overflow
    if stamps.dtype.kind != "O":
        return stamps
    first = stamps[0]
    if isinstance(first, datetime) and first.tzinfo is not None:
        stamps = np.array([stamp.astimezone(UTC).replace(tzinfo=None) for stamp in stamps])
    if isinstance(first, date):  # Python's, of which pandas makes objects
        return stamps.astype("datetime64[us]")
    if isinstance(first, time):  # of a day: the time since midnight
        return np.array([_since_midnight(stamp) for stamp in stamps], dtype="timedelta64[us]")
    if isinstance(first, timedelta):
        return stamps.astype("timedelta64[us]")
    if len({getattr(stamp, "freq", None) for stamp in stamps} - {None}) == 1:  # pandas' Period
        return np.array([stamp.ordinal for stamp in stamps])
    return stamps


def _since_midnight(stamp: time) -> timedelta:
    return datetime.combine(date.min, stamp) - datetime.combine(date.min, time.min)


def _check_stamps(
    stamps: np.ndarray, shown: np.ndarray, order: Any, regular: Any, cut: _Cut
) -> None:
    """Check that the times increase within each sequence.

    Both `stamps` (N,) and what messages show of them, `shown` (N,), are in the order of `cut.rows`.
    """
    before, after = stamps[:-1], stamps[1:]
    same_sequence = np.ones(len(before), dtype=bool)
    same_sequence[cut.offsets[1:-1] - 1] = False

    back = np.flatnonzero(same_sequence & (after < before))
    if len(back):
        raise ValueError(
            f"{cut.label(cut.sequence(back[0]))} is out of order: {order!r} goes from "
            f"{_show(shown[back[0]])} back to {_show(shown[back[0] + 1])}. "
            f"sort=True sorts the steps of each sequence by {order!r}."
        )
    twice = np.flatnonzero(same_sequence & (after == before))
    if len(twice):
        raise ValueError(
            f"{cut.label(cut.sequence(twice[0]))} has two rows with {order!r} = "
            f"{_show(shown[twice[0]])} ({len(twice)} such pair(s) in all). "
            "Keep or average one row for each step."
        )
    if regular is None:
        return
    step = _read_step(regular, order, stamps.dtype)
    uneven = np.flatnonzero(same_sequence & _differs(before, after, step))
    if len(uneven):
        raise ValueError(
            f"{cut.label(cut.sequence(uneven[0]))} is not regular: {order!r} goes from "
            f"{_show(shown[uneven[0]])} to {_show(shown[uneven[0] + 1])}, where a step of "
            f"{regular} is expected ({len(uneven)} such place(s) in all). Fill in the rows "
            "between, or cut the sequence there by a further column in by; regular=None does not "
            "look."
        )


def _read_step(regular: Any, order: Any, dtype: np.dtype) -> Any:
    """Return the step as a number, or as a timedelta64 where the times are no numbers."""
    if dtype.kind in "iuf":
        is_number = isinstance(regular, Real) and not isinstance(regular, (bool, np.timedelta64))
        if is_number and 0 < regular < np.inf:
            return regular
        raise ValueError(f"regular must be a positive number, as {order!r} is, got {regular!r}")
    if isinstance(regular, str) and (found := re.fullmatch(r"(\d*) *([a-zA-Z]+)", regular)):
        count, unit = found.groups()
        if unit in _UNITS:
            regular = np.timedelta64(int(count or 1), _UNITS[unit])
    if isinstance(regular, (timedelta, np.timedelta64)):
        step = np.timedelta64(regular)
        if np.datetime_data(step)[0] not in ("generic", "M", "Y") and step > np.timedelta64(0, "s"):
            return step
    raise ValueError(
        f"regular must be a positive duration, since {order!r} holds times: '1h', '15min', '1d', "
        f"a timedelta or a numpy.timedelta64, got {regular!r}. Months and years are of unequal "
        "length: number them, and order by the number."
    )


def _differs(before: np.ndarray, after: np.ndarray, step: Any) -> np.ndarray:
    """Tell where after - before is not `step`, save for the rounding of floats."""
    if before.dtype.kind != "f":
        return after - before != step
    # Of 0.1 + 0.1 + ... each sum is rounded by its own size.
    rounding = 4 * np.finfo(before.dtype).eps * np.maximum(np.abs(before), np.abs(after))
    return np.abs(after - before - step) > 1e-6 * step + rounding


# --- Features ------------------------------------------------------------------------------------


def _feature_names(frame: Any, table: Any, features: Any, others: list[Any]) -> list[Any]:
    """Check the names of the features, or find them: all numbers that have no other role."""
    if features is None:
        schema = table.schema.items()
        names = [name for name, dtype in schema if _is_number(dtype) and name not in others]
        if not names:
            raise ValueError(f"frame has no columns of numbers besides {others}")
        return names
    names = _as_list(features)
    _check_list(names, "features")
    _check_columns(frame, table, names)
    for name in names:
        if not _is_number(dtype := table.schema[name]):
            remedy = "Encode it, for example by pandas.get_dummies or polars' to_dummies."
            if dtype.is_temporal():
                remedy = "Give the time that has passed, as a number."
            raise TypeError(f"features: {name!r} is {dtype}, but numbers are expected. {remedy}")
    return names


def _is_number(dtype: Any) -> bool:
    return dtype.is_numeric() or str(dtype) == "Boolean"


def _read_features(table: Any, names: list[Any], cut: _Cut, allow_nan: bool) -> np.ndarray:
    """Return the features (N, F), sequence by sequence."""
    narwhals = _narwhals()
    is_single = {str(table.schema[name]) for name in names} <= {"Float16", "Float32"}
    dtype = narwhals.Float32 if is_single else narwhals.Float64
    columns = [table.get_column(name).cast(dtype).to_numpy() for name in names]
    values = np.column_stack(columns)[cut.rows]
    wrong = np.isinf(values) if allow_nan else ~np.isfinite(values)
    if wrong.any():
        where = [name for name, column in zip(names, wrong.T) if column.any()]
        position, feature = np.argwhere(wrong)[0]
        what = "NaN or missing" if np.isnan(values[position, feature]) else "infinite"
        i = cut.sequence(position)
        raise ValueError(
            f"features: {wrong.sum()} value(s) in {where} are missing or infinite. The first: "
            f"{names[feature]!r} is {what} in {cut.label(i)}, at step {position - cut.offsets[i]}. "
            "Fill them in; or pass allow_nan=True, and in the pipeline "
            "TimestepTransformer(SimpleImputer()) fills in what is missing."
        )
    return values


# --- Targets and groups --------------------------------------------------------------------------


def _read_target(
    table: Any, target: Any, per_step: bool | Literal["auto"], cut: _Cut
) -> np.ndarray:
    if per_step == "auto":
        per_step = _changes_with_time(table, target, cut)
    if not per_step:
        return _one_each(table, target, "target", cut)
    column = table.get_column(target)
    if not _is_number(column.dtype):
        _refuse_missing(column, target, "target", cut)
    elif _is_missing(column).any():
        column = column.cast(_narwhals().Float64)
    return _object_array(np.split(_to_numpy(column)[cut.rows], cut.offsets[1:-1]))


def _changes_with_time(table: Any, target: Any, cut: _Cut) -> bool:
    """Tell whether the target is one of the steps, if the sequences agree on it."""
    column = table.get_column(target)
    _refuse_missing(column, target, "target", cut)
    changes = _changes(_to_numpy(column), cut)
    if not changes.any():
        return False
    constant = ~changes & (np.diff(cut.offsets) > 1)
    if constant.any():
        raise ValueError(
            f"target: {target!r} changes within {cut.label(changes.argmax())}, but not within "
            f"{cut.label(constant.argmax())} ({changes.sum()} sequence(s) against "
            f"{constant.sum()}). target_per_step=True gives each step a target of its own; "
            "target_per_step=False wants one for each sequence."
        )
    return True


def _one_each(table: Any, name: Any, role: str, cut: _Cut) -> np.ndarray:
    """Return the one value (n,) that a column has in all rows of each sequence."""
    column = table.get_column(name)
    _refuse_missing(column, name, role, cut)
    values = _to_numpy(column)
    if (changes := _changes(values, cut)).any():
        i = int(changes.argmax())
        first, *others = values[cut.rows[cut.offsets[i] : cut.offsets[i + 1]]]
        other = next(value for value in others if value != first)
        remedy = "; target_per_step=True gives each step its own" if role == "target" else ""
        raise ValueError(
            f"{role}: {name!r} is {_show(first)} and {_show(other)} in {cut.label(i)}, "
            f"but one value for each sequence is expected{remedy}"
        )
    return values[cut.rows[cut.offsets[:-1]]]


def _changes(values: np.ndarray, cut: _Cut) -> np.ndarray:
    """Tell for each sequence (n,) whether the values of its rows differ."""
    values = values[cut.rows]
    first = np.repeat(values[cut.offsets[:-1]], np.diff(cut.offsets))
    return np.logical_or.reduceat(np.asarray(values != first, dtype=bool), cut.offsets[:-1])


def _refuse_missing(column: Any, name: Any, role: str, cut: _Cut) -> None:
    if (missing := _is_missing(column)[cut.rows]).any():
        label = cut.label(cut.sequence(missing.argmax()))
        remedy = ""
        if role == "target" and _is_number(column.dtype):
            remedy = "; with target_per_step=True a step without a target is NaN"
        raise ValueError(
            f"{role}: {name!r} is missing in {label} ({missing.sum()} row(s) in all){remedy}"
        )


# --- Small things --------------------------------------------------------------------------------


def _to_list(values: np.ndarray) -> list[Any]:
    """Convert to Python's numbers, but keep times, of which NumPy may make integers."""
    return list(values) if values.dtype.kind in "mM" else values.tolist()


def _object_array(items: list[Any]) -> np.ndarray:
    return np.fromiter(items, dtype=object, count=len(items))


def _show(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)
