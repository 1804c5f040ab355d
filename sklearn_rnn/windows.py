"""Cut long series into windows, with the values that follow each window as targets.

Dimension key: T_i rows in series i, F columns, E covariates, K columns to be forecast, n windows.

A window that starts at row s has the rows s, ..., s + window - 1, and the rows to be forecast are
s + window, ..., s + window + horizon - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sklearn_rnn._data.series import NamedRows, align, read_series, warn_of_gaps
from sklearn_rnn._records import Record
from sklearn_rnn._typing import Array, SequencesLike
from sklearn_rnn.sequences import SequenceArray

__all__ = ["Windows", "make_windows"]


@dataclass(frozen=True, eq=False, repr=False)
class Windows(Record):
    """Windows of long series, and their targets; `make_windows` describes the fields."""

    X: Array
    y: Array
    groups: NDArray[np.int64]
    starts: NDArray[np.int64]
    gap: int


def make_windows(
    series: SequencesLike,
    window: int,
    horizon: int = 1,
    *,
    stride: int = 1,
    target: int | str | list[int] | list[str] | list[int | str] | None = None,
    exog: SequencesLike | None = None,
) -> Windows:
    """Cut long series into windows, and return the values that follow each window as targets.

    A window that starts at row s has the rows s to s + window - 1 of a series; its targets are the
    `horizon` rows that follow. Windows start at the rows 0, stride, 2 * stride, ... of each series,
    as long as all their targets are in it too. No window spans two series.

    Parameters
    ----------
    series : array-like of shape (T,) or (T, F), list of them, or SequenceArray
        One series or several: arrays, data frames, Series, or an array of shape (n_series, T, F),
        in which rows of NaN at either end of a series are padding and do not count. The rows are
        equally far apart in time, the oldest first. An index of pandas is checked.
    window : int
        How many rows a window has.
    horizon : int, default=1
        How many rows after the window are to be forecast.
    stride : int, default=1
        How many rows lie between the starts of neighbouring windows.
    target : int, str or list of them, default=None
        The columns of `series` to be forecast, by number, or by name if they are data frames.
        None: all of them.
    exog : like `series`, default=None
        Covariates of the same rows, of shape (T,) or (T, E), which go into the windows but are not
        forecast. Where both have an index of pandas that says times, the rows with the times of
        `series` are taken, as by :meth:`RecurrentForecaster.fit`.

    Returns
    -------
    data : Windows
        A record, whose fields are attributes and keys, ``data.X`` and ``data["X"]``:

        X : ndarray of shape (n, window, F + E)
            The windows, series by series: the columns of `series`, then those of `exog`. Read-only:
            of one series it is a view, in which windows share the rows that they have in common.
            It never shares memory with `series`.
        y : ndarray of shape (n,), or (n, horizon * K) for K columns to be forecast
            What follows the windows, row after row: all targets of the first row, then all of the
            second, ... Of shape (n,) if it is one number a window.
        groups : ndarray of shape (n,)
            The series that each window comes from, 0, 1, ..., for
            :class:`~sklearn.model_selection.GroupKFold`.
        starts : ndarray of shape (n,)
            The row of its series at which each window starts: its first target is in row
            ``starts + window``.
        gap : int
            What :class:`~sklearn.model_selection.TimeSeriesSplit` needs as `gap`, see Notes.

    Raises
    ------
    TypeError
        If `series` is no container of numbers.
    ValueError
        If a series is too short for one window and its targets; if a value is missing, infinite
        or no number; if an index does not increase, or has a time twice; if `exog` has other rows
        or times than `series`; and if there is no column `target`.

    Warns
    -----
    UserWarning
        If the index of a series has gaps or is not evenly spaced.

    See Also
    --------
    sequences_from_frame : Makes series of a long data frame, and checks their times.

    Notes
    -----
    Neighbouring windows overlap, and so do their targets, so shuffled cross-validation tests on
    what it has trained on. For one series, ``TimeSeriesSplit(gap=data.gap)`` guarantees that all
    that the training windows hold, inputs and targets, lies before the first target of the first
    test window: what is known when that forecast is made, and nothing later. This takes

        gap = ceil(horizon / stride) - 1

    windows, which is 0 for a horizon of one row. The inputs of the test windows still reach back
    into the rows of the training windows, as they do in use. So that no row at all is on both
    sides, take ``ceil((window + horizon) / stride) - 1``.

    With several series the same holds within each of them, but the windows of one come after all
    those of another: keep whole series apart with GroupKFold and `groups`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import make_windows
    >>> data = make_windows(np.arange(6.0), window=3, horizon=2)
    >>> data.X[:, :, 0]
    array([[0., 1., 2.],
           [1., 2., 3.]])
    >>> data.y
    array([[3., 4.],
           [4., 5.]])
    >>> data.gap
    1
    >>> make_windows([np.arange(6.0), np.arange(4.0)], window=3).groups
    array([0, 0, 0, 1])
    """
    for name, value in (("window", window), ("horizon", horizon), ("stride", stride)):
        check_positive(name, value)
    read = read_series(series, "series")
    warn_of_gaps(read)
    packed = read.rows
    columns = _target_columns(read, target)
    parts = [packed] if exog is None else [packed, read_covariates(exog, "exog", read).rows]
    values = np.concatenate([part.values for part in parts], axis=1)

    starts = window_starts(packed, window, horizon, stride)
    groups = np.searchsorted(packed.offsets, starts, side="right") - 1
    X = windows_at(values, starts, window)
    X.flags.writeable = False
    Y = windows_at(packed.values, starts + window, horizon)[:, :, columns]
    return Windows(
        X=X,
        y=Y[:, 0, 0] if Y.shape[1:] == (1, 1) else Y.reshape(len(Y), -1),
        groups=groups,
        starts=starts - packed.offsets[groups],
        gap=-(-horizon // stride) - 1,
    )


def read_covariates(
    exog: Any,
    name: str,
    series: NamedRows,
    *,
    ahead: bool = False,
    columns: list[Any] | None = None,
) -> NamedRows:
    """Read covariates of the rows of series, and of rows after the end of series if `ahead`.

    Raises ValueError if there are others than one for each series, or if they have other rows.
    """
    read = read_series(exog, name, columns=columns)
    if len(read.rows) != len(series.rows):
        raise ValueError(
            f"{name} has {len(read.rows)} series, but series has {len(series.rows)}: each series "
            "has covariates of its own."
        )
    read = align(read, series, ahead=ahead)
    n_rows, needed = read.rows.lengths, series.rows.lengths
    other = n_rows < needed if ahead else n_rows != needed
    if other.any():
        i = int(other.argmax())
        which, of = read.label(i), series.label(i)
        raise ValueError(
            f"{which} has {n_rows[i]} rows, but "
            + (
                f"at least {needed[i]} are needed: those of {of}, and to forecast also those of "
                "the steps after its end."
                if ahead
                else f"{of} has {needed[i]}: {name} holds the covariates of the same rows."
            )
        )
    return read


def window_starts(packed: SequenceArray, window: int, horizon: int, stride: int) -> np.ndarray:
    """Return the rows of `packed.values` (n,) at which windows start, series by series.

    Raises ValueError if a series has no room for one window and `horizon` rows after it.
    """
    room = packed.lengths - (window + horizon)  # the last row at which a window may start
    if len(short := np.flatnonzero(room < 0)):
        which = "series" if len(packed) == 1 else f"series[{short[0]}]"
        n_rows, n_columns = packed.lengths[short[0]], packed.n_features
        raise ValueError(
            f"{which} has {n_rows} row(s), but window={window} and horizon={horizon} need at least "
            f"{window + horizon}"
            + (f" ({len(short)} such series in all)" if len(short) > 1 else "")
            + ". Pass a longer series, or take a shorter window."
            + (f" (It has {n_columns} columns: rows are times.)" if n_columns > n_rows else "")
        )
    return np.concatenate(
        [first + np.arange(0, last + 1, stride) for first, last in zip(packed.offsets, room)]
    )


def windows_at(values: np.ndarray, starts: np.ndarray, width: int) -> np.ndarray:
    """Return the `width` rows from each of `starts` on, as (n, width, F).

    A view, if the starts are equally far apart, and else a copy.
    """
    distances = np.diff(starts)
    if len(distances) and (distances != distances[0]).any():
        return values[starts[:, None] + np.arange(width)]
    stride = distances[0] if len(distances) else 1
    windows = sliding_window_view(values, width, axis=0).transpose(0, 2, 1)
    return windows[starts[0] : starts[-1] + 1 : stride]


def _target_columns(series: NamedRows, target: Any) -> list[int]:
    """Turn names and numbers of columns into numbers, from 0 on."""
    n_columns, names = series.rows.n_features, series.columns or []
    if target is None:
        return list(range(n_columns))
    targets = target if isinstance(target, list) else [target]
    if not targets:
        raise ValueError("target is empty: at least one column is to be forecast")
    return [_target_column(name, names, n_columns) for name in targets]


def _target_column(target: Any, names: list[Any], n_columns: int) -> int:
    if isinstance(target, str) and target in names:
        return names.index(target)
    is_number = isinstance(target, Integral) and not isinstance(target, bool)
    if is_number and -n_columns <= target < n_columns:
        return int(target) % n_columns
    known = f" with the names {names}" if names else ""
    raise ValueError(f"target: series has no column {target!r}, but {n_columns}{known}")


def check_positive(name: str, value: Any) -> None:
    """Raise ValueError unless the value is a positive integer, and no bool."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
