"""Backtests: forecasts from many origins in the past, compared with what followed.

Dimension key: n origins, h rows of a forecast, F columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sklearn_rnn._records import Record
from sklearn_rnn._typing import Array
from sklearn_rnn.forecasting._panel import Panel, all_origins, rows_at


@dataclass(frozen=True, eq=False, repr=False)
class Backtest(Record):
    """Forecasts from many origins; `RecurrentForecaster.backtest` describes the fields."""

    forecasts: Array
    truths: Array
    origins: NDArray[np.int64]
    groups: NDArray[np.int64]
    errors: NDArray[np.float64]
    error: float
    intervals: Array | None = None
    coverages: NDArray[np.float64] | None = None


class FitAndForecast(Protocol):
    """A function that fits a forecaster on part of a panel and forecasts from some origins."""

    def __call__(self, ends: Array, groups: Array, origins: Array) -> tuple[Array, Array]:
        """Return forecasts (n, h, F) and intervals (n, h, F, 2).

        The forecaster is fitted on the rows before `ends` (n_series,); `origins` (n,) are rows of
        the series `groups` (n,).
        """


def run_backtest(
    fit_and_forecast: FitAndForecast,
    panel: Panel,
    *,
    initial: float,
    step: int,
    horizon: int,
    refit: bool,
    metric: Callable[..., float],
    with_intervals: bool,
) -> Backtest:
    """Forecast from the origins `initial`, `initial` + `step`, ..., and compare with the series.

    Raises ValueError if a series is too short for one origin.
    """
    lengths = panel.series.lengths
    first = _first_origins(initial, lengths)
    groups, origins = all_origins(first, lengths, horizon, step)
    _check_each_has_one(groups, lengths, first, initial, horizon)
    truths = np.array(rows_at(panel.series, groups, origins, horizon))
    forecasts = np.empty_like(truths)
    intervals = np.empty((*truths.shape, 2), truths.dtype)
    # Without refit one fit serves all origins; with it the k-th fit serves the k-th of each series.
    turns = (origins - first[groups]) // step if refit else np.zeros_like(origins)
    for turn in range(turns.max() + 1):
        now = turns == turn
        ends = np.minimum(first + turn * step, lengths)
        forecasts[now], intervals[now] = fit_and_forecast(ends, groups[now], origins[now])
    return _report(
        forecasts, truths, origins, groups, metric, intervals if with_intervals else None
    )


def _first_origins(initial: Any, lengths: Array) -> Array:
    """Return the number of known rows (n_series,) at the first origin of each series."""
    initial = 0 if isinstance(initial, bool) else initial
    if isinstance(initial, Integral) and int(initial) >= 1:
        return np.full(len(lengths), int(initial))
    if isinstance(initial, Real) and 0 < float(initial) < 1:
        return np.maximum((float(initial) * lengths).astype(int), 1)
    raise ValueError(
        f"initial must be a number of rows, or a share between 0 and 1; got {initial!r}."
    )


def _check_each_has_one(
    groups: Array, lengths: Array, first: Array, initial: float, horizon: int
) -> None:
    """Raise ValueError if a series has no origin."""
    if len(absent := np.setdiff1d(np.arange(len(lengths)), groups)):
        i = absent[0]
        which = "series" if len(lengths) == 1 else f"series[{i}]"
        raise ValueError(
            f"{which} has {lengths[i]} rows, but {first[i]} known ones (initial={initial!r}) "
            f"and {horizon} to forecast need {first[i] + horizon}."
        )


def _report(
    forecasts: Array,
    truths: Array,
    origins: Array,
    groups: Array,
    metric: Callable[..., float],
    intervals: Array | None,
) -> Backtest:
    n, horizon, n_columns = truths.shape
    shape = (n, horizon) if n_columns == 1 else truths.shape
    coverages = None
    if intervals is not None:
        inside = (intervals[..., 0] <= truths) & (truths <= intervals[..., 1])
        coverages = inside.mean(axis=(0, 2))
        intervals = intervals.reshape(*shape, 2)
    return Backtest(
        forecasts=forecasts.reshape(shape),
        truths=truths.reshape(shape),
        origins=origins,
        groups=groups,
        errors=np.array([metric(truths[:, k], forecasts[:, k]) for k in range(horizon)]),
        error=float(metric(truths.reshape(-1, n_columns), forecasts.reshape(-1, n_columns))),
        intervals=intervals,
        coverages=coverages,
    )
