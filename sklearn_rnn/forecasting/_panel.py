"""Series with their covariates, and the containers in which forecasts are returned.

Dimension key: T_i rows in series i, F columns, P past covariates, E future covariates, n origins,
h rows of a forecast. The origin of a forecast is the number of rows that are known when it is
made: the first row to be forecast is row `origin`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sklearn_rnn._data.series import are_comparable, read_series, rows_after, warn_of_gaps
from sklearn_rnn._data.times import Times
from sklearn_rnn.sequences import SequenceArray
from sklearn_rnn.windows import read_covariates, windows_at

_ENDS = ["lower", "upper"]  # the columns of an interval


@dataclass(frozen=True)
class Panel:
    """One series or several, with the covariates of their rows.

    Attributes
    ----------
    series : SequenceArray of (T_i, F)
    past : SequenceArray of (T_i, P), or None
    future : SequenceArray of (T_i or more, E), or None
        From the first row of the series on, and beyond its end.
    """

    series: SequenceArray
    past: SequenceArray | None
    future: SequenceArray | None

    def between(self, first: np.ndarray, end: np.ndarray, ahead: int | None = None) -> Panel:
        """Return the rows from `first` to `end` (n_series,) of each series.

        Future covariates go on for up to `ahead` rows more, or as far as they are known.
        """
        last = np.full(len(end), np.iinfo(np.int64).max) if ahead is None else end + ahead
        series, past = (_cut(part, first, end) for part in (self.series, self.past))
        return Panel(series, past, _cut(self.future, first, last))

    def with_future(self, steps: SequenceArray) -> Panel:
        """Replace the future covariates after the end of each series."""
        known = _cut(self.future, np.zeros_like(self.series.lengths), self.series.lengths)
        pairs = [np.concatenate(pair) for pair in zip(known, steps)]
        return Panel(self.series, self.past, SequenceArray.from_sequences(pairs))

    def check_future_reaches(
        self, origins: np.ndarray, groups: np.ndarray, horizon: int, step: int
    ) -> None:
        """Raise ValueError unless future covariates are known as far as a forecast needs them.

        That is `horizon` rows beyond each origin (n,), in whole blocks of `step` rows.
        """
        if self.future is None:
            return
        n_steps = whole_blocks(horizon, step)
        ends = np.zeros_like(self.series.lengths)
        np.maximum.at(ends, groups, origins)
        missing = ends + n_steps - self.future.lengths
        if (missing > 0).any():
            i = int(missing.argmax())
            known = max(self.future.lengths[i] - ends[i], 0)
            raise ValueError(
                f"{_which('future_exog', i, len(ends))} ends {known} row(s) after the last known "
                f"row of series, but a forecast of {horizon} step(s) needs {n_steps} "
                f"({missing[i]} more)"
                + (f": the network forecasts {step} rows at once." if step > 1 else ".")
                + (f" Add them, or ask for {n_steps - step} steps." if horizon > step else "")
            )


def whole_blocks(horizon: int, step: int) -> int:
    """Round a horizon up to whole blocks of the `step` rows that a network forecasts at once."""
    return -(-horizon // step) * step


def _cut(packed: SequenceArray | None, first: np.ndarray, end: np.ndarray) -> Any:
    if packed is None:
        return None
    return SequenceArray.from_sequences([rows[a:b] for rows, a, b in zip(packed, first, end)])


def rows_at(packed: SequenceArray, groups: np.ndarray, first: np.ndarray, width: int) -> np.ndarray:
    """Return `width` rows (n, width, F) of the series `groups` (n,), from their rows `first` on."""
    return windows_at(packed.values, packed.offsets[groups] + first, width)


def all_origins(
    first: Any, lengths: np.ndarray, horizon: int, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (series, row) of every origin that has `horizon` rows after it.

    In each series these are the rows `first`, `first` + `step`, ...
    """
    each = [np.arange(a, end - horizon + 1, step) for a, end in zip(first, lengths)]
    return np.repeat(np.arange(len(each)), [len(rows) for rows in each]), np.concatenate(each)


def check_columns(name: str, given: SequenceArray | None, fitted: SequenceArray | None) -> None:
    """Raise ValueError unless series or covariates have as many columns as in fit."""
    n_given, n_fitted = (0 if part is None else part.n_features for part in (given, fitted))
    if n_given != n_fitted:
        raise ValueError(f"{name} has {n_given} column(s), but {n_fitted} in fit.")


class Columns(NamedTuple):
    """The names of the columns of series and covariates, or None where they have none."""

    series: list[Any] | None = None
    past_exog: list[Any] | None = None
    future_exog: list[Any] | None = None


@dataclass(frozen=True)
class Given:
    """Series and covariates as they were given: read, and what is needed to answer in kind.

    Attributes
    ----------
    panel : Panel
    columns : Columns
    forms : list of Form
        One for each series.
    reading : {"flat", "array", "list", "packed"}
        How the container of the series is read.
    """

    panel: Panel
    columns: Columns
    forms: list[Form]
    reading: str


def read_panel(
    series: Any, past_exog: Any, future_exog: Any, columns: Columns | None = None
) -> Given:
    """Read series and covariates, and match their rows, and their columns with those of fit."""
    columns = columns or Columns()
    read = read_series(series, "series", columns=columns.series)
    warn_of_gaps(read)
    past = future = None
    if past_exog is not None:
        past = read_covariates(past_exog, "past_exog", read, columns=columns.past_exog)
    if future_exog is not None:
        future = read_covariates(
            future_exog, "future_exog", read, ahead=True, columns=columns.future_exog
        )
    items = [series] if read.reading == "flat" else list(series)
    known = [None] * len(items) if future is None else future.times
    return Given(
        Panel(
            read.rows,
            None if past is None else past.rows,
            None if future is None else future.rows,
        ),
        Columns(
            read.columns,
            None if past is None else past.columns,
            None if future is None else future.columns,
        ),
        [
            Form.of(item, read.columns, times, future_times)
            for item, times, future_times in zip(items, read.times, known)
        ],
        read.reading,
    )


def read_steps(
    future_exog: Any, tail: Panel, forms: list[Form], n_steps: int, columns: Columns
) -> SequenceArray:
    """Read the future covariates of the steps after the end of the training series.

    Parameters
    ----------
    future_exog : any container of covariates
        As given to `predict`.
    tail : Panel
        The end of the training series.
    forms : list of Form
        Those of the training series.
    n_steps : int
        Steps that covariates are needed of.
    columns : Columns
        Those of fit.
    """
    steps = read_series(future_exog, "future_exog", columns=columns.future_exog)
    if len(steps.rows) != len(forms):
        raise ValueError(
            f"future_exog has {len(steps.rows)} series, but fit had {len(forms)}: each series has "
            "covariates of its own."
        )
    check_columns("future_exog", steps.rows, tail.future)
    assert tail.future is not None
    rows = []
    for i, (values, form) in enumerate(zip(steps.rows, forms)):
        label, given = steps.label(i), steps.times[i]
        end = form.times
        if not are_comparable(given, end, label, "the training series"):
            end = form.future_times  # continue those that fit has seen
        if are_comparable(given, end, label, "future_exog in fit"):
            assert given is not None
            assert end is not None
            values = values[rows_after(end, given, label)]
            if len(values) == 0:
                raise ValueError(
                    f"{label} ends at {given.index[-1]}, but the first row to be forecast comes "
                    f"after {end.index[-1]}: pass the covariates of the rows to be forecast."
                )
        else:
            known = tail.future[i][: len(tail.series[i])]
            _refuse_all_rows(values, known, form.n_rows, n_steps, label)
        rows.append(values)
    return SequenceArray.from_sequences(rows)


def _refuse_all_rows(
    values: np.ndarray, known: np.ndarray, n_rows: int, n_steps: int, label: str
) -> None:
    """Raise ValueError if covariates start with all those of the `n_rows` training rows.

    The last of these are `known`. More rows are allowed if as many `n_steps` are needed.
    """
    reaches_beyond = len(values) > max(n_rows, n_steps)
    if reaches_beyond and np.array_equal(values[n_rows - len(known) : n_rows], known):
        raise ValueError(
            f"{label} has {len(values)} rows, which start with those of the training series. "
            f"Without series=, pass the rows after its end alone: {label}[{n_rows}:]."
        )


def _which(name: str, i: int, n_series: int) -> str:
    return name if n_series == 1 else f"{name}[{i}]"


# --- Containers ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """What container a series came in, and how its times end.

    Attributes
    ----------
    ndim : int
        1 for a series of numbers, 2 for rows of several columns.
    n_rows : int
        Rows of the series.
    names : list, or None
        The columns of a data frame, or the one name of a Series; None for an array.
    library : {"pandas", "polars"} or None
        What the container is from; None for an array.
    times : Times or None
        The last of its times.
    future_times : Times or None
        That of its future covariates in the same row, if these are not matched by time.
    """

    ndim: int
    n_rows: int
    names: list[Any] | None = None
    library: str | None = None
    times: Times | None = None
    future_times: Times | None = None

    @classmethod
    def of(
        cls,
        series: Any,
        columns: list[Any] | None,
        times: Times | None,
        future_times: Times | None,
    ) -> Form:
        """Read the form off one series, whose columns are read in the order `columns`."""
        library = type(series).__module__.partition(".")[0]
        end, future_end = (
            None if each is None else each.at(len(series) - 1) for each in (times, future_times)
        )
        if library not in ("pandas", "polars"):
            return cls(np.ndim(series), len(series), future_times=future_end)
        ndim = len(series.shape)
        names = [series.name] if ndim == 1 else columns
        return cls(ndim, len(series), names, library, end, future_end)

    def wrap(self, values: np.ndarray) -> Any:
        """Return a forecast (h, F), or an interval's ends (h, F, 2), in this form."""
        if self.library == "pandas":
            return self._to_pandas(values)
        if self.library == "polars":
            return self._to_polars(values)
        return values[:, 0] if self.ndim == 1 else values

    def _to_pandas(self, values: np.ndarray) -> Any:
        import pandas as pd

        assert self.names is not None
        index = None if self.times is None else self.times.following(len(values))
        if index is None:
            index = pd.RangeIndex(self.n_rows, self.n_rows + len(values))
        if values.ndim == 2:
            if self.ndim == 1:
                return pd.Series(values[:, 0], index=index, name=self.names[0])
            return pd.DataFrame(values, index=index, columns=self.names)
        if self.ndim == 1:
            return pd.DataFrame(values[:, 0], index=index, columns=_ENDS)
        columns = pd.MultiIndex.from_product([self.names, _ENDS])
        return pd.DataFrame(values.reshape(len(values), -1), index=index, columns=columns)

    def _to_polars(self, values: np.ndarray) -> Any:
        import polars as pl

        assert self.names is not None
        if values.ndim == 2 and self.ndim == 1:
            return pl.Series(self.names[0], values[:, 0])
        names = self.names
        if values.ndim == 3:
            names = (
                _ENDS if self.ndim == 1 else [f"{name}_{end}" for name in names for end in _ENDS]
            )
        return pl.DataFrame(values.reshape(len(values), -1), schema=names)


def wrap_all(reading: str, forms: list[Form], forecasts: np.ndarray) -> Any:
    """Return forecasts (n_series, h, ...) in the container that the series came in."""
    if reading == "flat":
        return forms[0].wrap(forecasts[0])
    if reading == "array":
        return forecasts
    return [form.wrap(values) for form, values in zip(forms, forecasts)]
