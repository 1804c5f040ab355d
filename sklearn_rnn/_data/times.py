"""The times of the rows of a series, as an index of pandas has them.

Dimension key: T rows of a series.

What counts as times: dates and times of day (`DatetimeIndex`, with or without a time zone, and
Python's `date`), periods, durations, and numbers. Other labels, such as text, are names of rows.
Numbers 0, 1, 2, ... are what pandas gives to rows without an index: they count rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_rnn._typing import Array

# To find out how far apart the rows of an index with gaps are, runs of its rows are looked at: at
# first halves, then quarters, ... of no fewer rows than `_SHORTEST_RUN`, and not more of one length
# than `_MOST_RUNS`.
_SHORTEST_RUN = 8
_MOST_RUNS = 16

_LARGEST_INTEGER = np.iinfo(np.int64).max

# How far numbers may be off an even grid, in steps of the grid: for the rounding of floats.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Times:
    """The times of the rows of one series, which increase.

    Attributes
    ----------
    index : pandas.DatetimeIndex, PeriodIndex, TimedeltaIndex, or Index of numbers, (T,)
    step : pandas offset, timedelta or number, or None
        What lies between neighboring times, gaps apart; None if they are not evenly spaced.
    counts_rows : bool
        Whether the times are 0, 1, 2, ..., as those of rows without an index.
    as_dates : bool
        Whether the index held Python's dates, of which `index` is made.
    """

    index: Any
    step: Any
    counts_rows: bool = False
    as_dates: bool = False

    @property
    def kind(self) -> str:
        """What the times are, in words for a message."""
        import pandas as pd

        if isinstance(self.index, pd.DatetimeIndex):
            return "dates" if self.index.tz is None else "dates with a time zone"
        if isinstance(self.index, pd.PeriodIndex):
            return f"periods of {self.index.freqstr}"
        return "durations" if isinstance(self.index, pd.TimedeltaIndex) else "numbers"

    def at(self, row: int) -> Times:
        """Return the time of one row alone."""
        return replace(self, index=self.index[row : row + 1])

    def following(self, n_steps: int) -> Any:
        """Return the `n_steps` times after the last as an index, or None if `step` is None."""
        import pandas as pd

        if self.step is None:
            return None
        index, count = self.index, np.arange(1, n_steps + 1)
        if isinstance(index, pd.PeriodIndex):
            ordinals = index[-1].ordinal + self.step * count
            return pd.PeriodIndex.from_ordinals(ordinals, freq=index.freq, name=index.name)
        if isinstance(index, pd.DatetimeIndex):
            after = pd.date_range(index[-1], periods=n_steps + 1, freq=self.step, name=index.name)
            dates = after[1:]
            return pd.Index(dates.date, name=index.name) if self.as_dates else dates
        return pd.Index(index[-1] + self.step * count, name=index.name)

    def until(self, end: Any) -> Any:
        """Return the times that follow the last one, up to `end`; not if `step` is None."""
        import pandas as pd

        index, plain = self.index, replace(self, as_dates=False)
        if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
            end = end.tz_convert(index.tz)
        if end <= index[-1]:
            return plain.following(0)
        if isinstance(index, pd.DatetimeIndex):
            return pd.date_range(index[-1], end, freq=self.step)[1:]
        if isinstance(index, pd.PeriodIndex):
            return plain.following((end.ordinal - index[-1].ordinal) // self.step)
        return plain.following(int((end - index[-1]) / self.step + _ROUNDING))

    def positions(self, wanted: Any) -> Array:
        """Return the rows of the times `wanted`, and -1 for those that are not there."""
        if self.index.dtype.kind != "f" and wanted.dtype.kind != "f":
            return self.index.get_indexer(wanted)
        tolerance = _ROUNDING * (self.step or 0)
        return self.index.get_indexer(wanted, method="nearest", tolerance=tolerance)


def read_times(index: Any, name: str) -> Times | None:
    """Read the times off the pandas index of what the messages call `name`.

    Returns None if the labels of the index are no times.

    Raises ValueError if a time is missing, if the times do not increase or one is there twice, and
    if the index has several levels.
    """
    import pandas as pd

    if isinstance(index, pd.MultiIndex):
        levels = [level for level in index.names if level is not None]
        raise ValueError(
            f"{name} has an index of {index.nlevels} levels"
            + (f", {levels}" if levels else "")
            + ", as a long frame of several series has it. Pass the series as a list, each indexed "
            "by its time: [part.droplevel(0) for _, part in data.groupby(level=0)]."
        )
    as_dates = index.inferred_type == "date"
    times = _to_times(index)
    if times is None:
        return None
    _check_increasing(times, name)
    counts_rows = times.dtype.kind in "iu" and bool((times == np.arange(len(times))).all())
    return Times(times, 1 if counts_rows else _find_step(times), counts_rows, as_dates)


def looks_like_dates(index: Any) -> bool:
    """Whether the labels of a pandas index are text that says dates."""
    first = index[0] if len(index) else None
    a_date = r"\d{4}[-/.]\d{1,2}\b|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b"  # 2026-01 or 31/1/26
    return isinstance(first, str) and bool(re.match(a_date, first))


def describe_gaps(times: Times, name: str) -> str | None:
    """Say where rows are missing or not evenly spaced, and what to do; None where all is even."""
    index, step = times.index, times.step
    if times.counts_rows or len(index) < 3:
        return None
    if step is None:
        return (
            f"{name} is not evenly spaced in time: {_extremes(index)}. All rows are taken as "
            "equally far apart, and the times after the last one are unknown. Bring the series to "
            f"an even spacing first, for example by {_resampling(index)}."
        )
    places = _grid(index, step)
    assert places is not None  # as `step` was found
    missing = np.diff(places) - 1
    gaps = np.flatnonzero(missing)
    if len(gaps) == 0:
        return None
    shown = ", ".join(f"{int(missing[i])} after {index[i]}" for i in gaps[:3]) + (
        ", ..." if len(gaps) > 3 else ""
    )
    return (
        f"{name} has {len(gaps)} gap(s), in which {int(missing.sum())} row(s) are missing: "
        f"{shown}. The rows on both sides of a gap are taken as neighbors. Fill the gaps in, for "
        f"example by {_filling(index, step)}, or cut the series there and pass the parts as a list."
    )


# --- Reading -------------------------------------------------------------------------------------


def _to_times(index: Any) -> Any:
    """Convert an index to one of the kinds that are times, or return None."""
    import pandas as pd

    if isinstance(index, pd.CategoricalIndex):
        index = index.astype(index.categories.dtype)
    if index.dtype == object:
        index = index.infer_objects()
    if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex, pd.TimedeltaIndex)):
        return index
    if index.dtype.kind == "m":
        return pd.TimedeltaIndex(index)
    if index.dtype.kind == "M" or index.inferred_type == "date":
        return pd.DatetimeIndex(index)
    if index.inferred_type == "datetime":  # of several time zones
        return pd.to_datetime(index, utc=True)
    if index.inferred_type == "decimal":
        return index.astype(np.float64)
    if index.inferred_type == "time":
        return pd.TimedeltaIndex([str(time) for time in index], name=index.name)
    if index.dtype.kind in "iu" and not index.hasnans and index.max() <= _LARGEST_INTEGER:
        return index.astype(np.int64)  # differences of the small types would overflow
    if index.dtype.kind in "iuf":
        return pd.Index(index.to_numpy(np.float64, na_value=np.nan), name=index.name)
    return None


def _check_increasing(times: Any, name: str) -> None:
    if times.hasnans:
        missing = np.flatnonzero(times.isna())
        raise ValueError(
            f"The index of {name} is missing in row {missing[0]} ({len(missing)} in all): every "
            "row needs a time. Leave out the rows without one."
        )
    if times.is_monotonic_increasing and times.is_unique:
        return
    before, after = times[:-1], times[1:]
    back = np.flatnonzero(after < before)
    if len(back):
        i = back[0]
        numbers = times.dtype.kind in "iuf"
        raise ValueError(
            f"The index of {name} is not increasing: it goes from {before[i]} back to {after[i]}, "
            f"in row {i + 1}. A series is read from its first row to its last, so put the oldest "
            f"row first with {name}.sort_index()"
            + (f", or number the rows anew with {name}.reset_index(drop=True)." if numbers else ".")
        )
    twice = np.flatnonzero(after == before)
    raise ValueError(
        f"The index of {name} has {before[twice[0]]} in two rows, {twice[0]} and {twice[0] + 1} "
        f"({len(twice)} such pair(s) in all). Keep or average one row for each time, for example "
        f"by {name}.groupby(level=0).mean()."
    )


# --- Even spacing --------------------------------------------------------------------------------


def _find_step(index: Any) -> Any:
    """Return what lies between neighboring times, gaps apart, or None."""
    import pandas as pd

    if len(index) < 2:
        return 1 if isinstance(index, pd.PeriodIndex) else None
    if isinstance(index, pd.DatetimeIndex):
        return _find_offset(index)
    if isinstance(index, pd.TimedeltaIndex):
        step = pd.Timedelta(_middle(np.diff(index.asi8)), index.unit)
    elif isinstance(index, pd.PeriodIndex):
        step = int(_middle(np.diff(index.asi8)))
    else:
        step = _middle(np.diff(index.to_numpy()))
        if index.dtype.kind == "f" and len(index) > 2:  # the mean of many steps is rounded less
            n_steps = round((index[-1] - index[0]) / step)
            step = (index[-1] - index[0]) / n_steps
    return step if _grid(index, step) is not None else None


def _find_offset(index: Any) -> Any:
    """Return the frequency of dates, gaps apart, or None."""
    import pandas as pd

    if index.freq is not None:
        return index.freq
    if len(index) < 3:
        return None
    middle = pd.Timedelta(_middle(np.diff(index.asi8)), index.unit)
    if middle < pd.Timedelta(hours=23):  # not a day, of any calendar
        step = pd.tseries.frequencies.to_offset(middle)
        return step if _grid(index, step) is not None else None
    run = len(index)
    while run >= min(_SHORTEST_RUN, len(index)):
        starts = np.unique(np.linspace(0, len(index) - run, _MOST_RUNS).astype(int))
        for start in starts:
            step = pd.DatetimeIndex(index[start : start + run], freq="infer").freq
            if step is not None and _grid(index, step) is not None:
                return step
        run //= 2
    return None


def _grid(index: Any, step: Any) -> Array | None:
    """Return the places (T,) of times on an even grid, or None if one is on no place of it."""
    import pandas as pd

    if isinstance(index, pd.DatetimeIndex):
        # In local time a day may have 23 or 25 hours.
        if isinstance(step, pd.offsets.Day) or not isinstance(step, pd.offsets.Tick):
            grid = pd.date_range(index[0], index[-1], freq=step)
            places = grid.get_indexer(index)
            return None if (places < 0).any() else places
        step = pd.Timedelta(step)
    if isinstance(index, pd.PeriodIndex):
        passed = index.asi8 - index.asi8[0]
    else:
        passed = (index - index[0]).to_numpy()
        step = step.to_timedelta64() if isinstance(step, pd.Timedelta) else step
    exact = passed / step
    places = np.round(exact)
    return places if (np.abs(exact - places) < _ROUNDING * np.maximum(1, places)).all() else None


def _middle(steps: Array) -> Any:
    return np.sort(steps)[len(steps) // 2]


def _extremes(index: Any) -> str:
    import pandas as pd

    is_periods = isinstance(index, pd.PeriodIndex)
    steps = np.diff(index.asi8) if is_periods else index[1:] - index[:-1]
    low, high = int(np.argmin(steps)), int(np.argmax(steps))
    return f"{index[low + 1]} follows {index[low]}, and {index[high + 1]} follows {index[high]}"


def _resampling(index: Any) -> str:
    import pandas as pd

    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        return 'series.resample("1h").mean().interpolate()'
    return "interpolating it at evenly spaced times"


def _filling(index: Any, step: Any) -> str:
    import pandas as pd

    if isinstance(index, pd.DatetimeIndex):
        return f'series.asfreq("{step.freqstr}").interpolate()'
    if isinstance(index, pd.PeriodIndex):
        grid = "pd.period_range(series.index[0], series.index[-1])"
        grid += f"[::{step}]" if step > 1 else ""
    elif isinstance(index, pd.TimedeltaIndex):
        freq = pd.tseries.frequencies.to_offset(step).freqstr
        grid = f'pd.timedelta_range(series.index[0], series.index[-1], freq="{freq}")'
    else:
        grid = f"np.arange({index[0]}, {index[-1] + step}, {step})"
    return f"series.reindex({grid}).interpolate()"
