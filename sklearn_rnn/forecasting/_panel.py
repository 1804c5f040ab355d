"""Series with their covariates, and the containers in which forecasts are returned.

Dimension key: T_i rows in series i, F columns, P past covariates, E future covariates, n origins,
h rows of a forecast. The origin of a forecast is the number of rows that are known when it is
made: the first row to be forecast is row `origin`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._data.containers import how_to_read
from sklearn_rnn.sequences import SequenceArray
from sklearn_rnn.windows import read_series, windows_at

# How many of the last times of an index are looked at to continue it.
_INDEX_ROWS = 100


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

    def check_future_reaches(self, origins: np.ndarray, groups: np.ndarray, n_steps: int) -> None:
        """Raise ValueError unless future covariates are known `n_steps` beyond each origin (n,)."""
        if self.future is None:
            return
        ends = np.zeros_like(self.series.lengths)
        np.maximum.at(ends, groups, origins)
        missing = ends + n_steps - self.future.lengths
        if (missing > 0).any():
            i = int(missing.argmax())
            known = self.future.lengths[i] - ends[i]
            raise ValueError(
                f"{_which('future_exog', i, len(ends))} ends {max(known, 0)} row(s) after the last "
                f"known row of series, but a forecast of {n_steps} step(s) needs {n_steps} "
                f"({missing[i]} more). Whole blocks of `horizon` steps are forecast at once."
            )


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


def read_panel(reader: str, series: Any, past_exog: Any, future_exog: Any) -> Panel:
    """Read series and covariates, and compare their rows."""
    packed = read_series(series, "series", reader)
    past = _read_covariates(reader, "past_exog", past_exog, len(packed))
    future = _read_covariates(reader, "future_exog", future_exog, len(packed))
    if past is not None and len(other := np.flatnonzero(past.lengths != packed.lengths)):
        i, n = other[0], len(packed)
        raise ValueError(
            f"{_which('past_exog', i, n)} has {past.lengths[i]} rows, but {_which('series', i, n)} "
            f"has {packed.lengths[i]}: past_exog holds the covariates of the same rows."
        )
    if future is not None and len(short := np.flatnonzero(future.lengths < packed.lengths)):
        i, n = short[0], len(packed)
        raise ValueError(
            f"{_which('future_exog', i, n)} has {future.lengths[i]} rows, but at least "
            f"{packed.lengths[i]} are needed: those of {_which('series', i, n)}, and to forecast "
            "also those of the steps after its end."
        )
    return Panel(packed, past, future)


def read_steps(reader: str, future_exog: Any, n_series: int) -> SequenceArray:
    """Read the future covariates of the steps after the end of the training series."""
    steps = _read_covariates(reader, "future_exog", future_exog, n_series)
    assert steps is not None
    return steps


def _read_covariates(reader: str, name: str, exog: Any, n_series: int) -> SequenceArray | None:
    if exog is None:
        return None
    covariates = read_series(exog, name, reader)
    if len(covariates) != n_series:
        raise ValueError(f"{name} has {len(covariates)} series, but series has {n_series}.")
    return covariates


def _which(name: str, i: int, n_series: int) -> str:
    return name if n_series == 1 else f"{name}[{i}]"


# --- Containers ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """What container a series came in, and how its index ends.

    Attributes
    ----------
    ndim : int
        1 for a series of numbers, 2 for rows of several columns.
    n_rows : int
        Rows of the series.
    index : pandas.Index or None
        The last entries of the index of a pandas object.
    names : list, or None
        The columns of a data frame, or the one name of a pandas Series.
    """

    ndim: int
    n_rows: int
    index: Any
    names: list[Any] | None

    @classmethod
    def of(cls, series: Any) -> Form:
        """Read the form off one series."""
        if hasattr(series, "iloc"):
            names = list(series.columns) if series.ndim == 2 else [series.name]
            return cls(series.ndim, len(series), series.index[-_INDEX_ROWS:], names)
        return cls(np.ndim(series), len(series), None, None)

    def wrap(self, values: np.ndarray) -> Any:
        """Return a forecast (h, F), or an interval's ends (h, F, 2), in this form."""
        if self.names is None:
            return values[:, 0] if self.ndim == 1 else values
        import pandas as pd

        index = _continued(self.index, len(values), self.n_rows)
        if values.ndim == 2:
            if self.ndim == 1:
                return pd.Series(values[:, 0], index=index, name=self.names[0])
            return pd.DataFrame(values, index=index, columns=self.names)
        ends = ["lower", "upper"]
        if self.ndim == 1:
            return pd.DataFrame(values[:, 0], index=index, columns=ends)
        columns = pd.MultiIndex.from_product([self.names, ends])
        return pd.DataFrame(values.reshape(len(values), -1), index=index, columns=columns)


def forms_of(series: Any) -> tuple[str, list[Form]]:
    """Return how the container is read, and the form of each series in it."""
    reading = how_to_read(series)
    items = [series] if reading == "flat" else list(series)
    return reading, [Form.of(item) for item in items]


def wrap_all(reading: str, forms: list[Form], forecasts: np.ndarray) -> Any:
    """Return forecasts (n_series, h, ...) in the container that the series came in."""
    if reading == "flat":
        return forms[0].wrap(forecasts[0])
    if reading == "array":
        return forecasts
    return [form.wrap(values) for form, values in zip(forms, forecasts)]


def column_names(series: Any) -> list[str] | None:
    """Return the columns of a data frame, or of the first of a list, if they are all strings."""
    reading = how_to_read(series)
    first = series if reading == "flat" else next(iter(series))
    names = list(getattr(first, "columns", ()))
    return names if names and all(isinstance(name, str) for name in names) else None


def _continued(index: Any, n_steps: int, n_rows: int) -> Any:
    """Return the `n_steps` entries that follow in a pandas index, or numbers of rows."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(index[-1], periods=n_steps + 1, name=index.name)[1:]
    if isinstance(index, pd.DatetimeIndex):
        freq = index.freq or pd.DatetimeIndex(index, freq="infer").freq
        if freq is not None:
            return pd.date_range(index[-1], periods=n_steps + 1, freq=freq, name=index.name)[1:]
    elif pd.api.types.is_numeric_dtype(index) and len(steps := np.unique(np.diff(index))) == 1:
        following = index[-1] + steps[0] * np.arange(1, n_steps + 1)
        return pd.Index(following, name=index.name)
    return pd.RangeIndex(n_rows, n_rows + n_steps, name=index.name)
