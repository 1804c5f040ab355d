"""Inputs and targets of a network made from windows, and forecasts made from its outputs.

Dimension key: n origins, W rows of a window, h rows that the network forecasts at once, F columns,
P past and E future covariates.

A network reads, at each row r of a window, the columns of the series in that row, its past and
future covariates, and also the future covariates of row r + h, which is as far ahead as the network
forecasts. So the last h rows of the window hold the future covariates of all rows to be forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_rnn.forecasting._panel import Panel, rows_at, whole_blocks
from sklearn_rnn.sequences import SequenceArray
from sklearn_rnn.windows import window_starts

# A window that moves less than this, in standard deviations of all series, is not blown up further.
SMALLEST_SCALE = 0.001

# The largest value whose squares can be summed in float64, with room for many rows.
LARGEST = 1e150


@dataclass(frozen=True)
class Scalers:
    """Mean and standard deviation of the columns of series and covariates."""

    series: StandardScaler
    past: StandardScaler | None
    future: StandardScaler | None

    @classmethod
    def fit(cls, panel: Panel) -> Scalers:
        """Compute them from the rows of the series, without covariates after their end.

        Raises ValueError if squares of the values are out of the range of float64.
        """
        known = panel.between(np.zeros_like(panel.series.lengths), panel.series.lengths, ahead=0)
        parts = (known.series, known.past, known.future)
        for name, part in zip(("series", "past_exog", "future_exog"), parts):
            _check_range(name, part)
        return cls(*(None if part is None else StandardScaler().fit(part.values) for part in parts))

    def transform(self, panel: Panel) -> Panel:
        """Standardise all that is in a panel."""
        return Panel(
            _scaled(self.series, panel.series),
            _scaled(self.past, panel.past),
            _scaled(self.future, panel.future),
        )

    def inverse(self, forecasts: np.ndarray) -> np.ndarray:
        """Return standardised forecasts (n, h, F) in the unit of the series."""
        rows = forecasts.reshape(-1, forecasts.shape[2])
        return self.series.inverse_transform(rows).reshape(forecasts.shape)


def _check_range(name: str, part: SequenceArray | None) -> None:
    if part is None:
        return
    highest, lowest = (f(part.values, axis=0).astype(np.float64) for f in (np.max, np.min))
    largest, spread = np.maximum(highest, -lowest), highest - lowest
    extreme = (largest > LARGEST) | ((spread > 0) & (spread < 1 / LARGEST))
    if extreme.any():
        column = int(extreme.argmax())
        size = largest[column] if largest[column] > LARGEST else spread[column]
        raise ValueError(
            f"{name} has values of size {size:.0e} in column {column}, the squares of which are "
            f"out of the range of float64. Divide the column by {size:.0e}, and multiply the "
            "forecasts by it."
        )


def _scaled(scaler: Any, part: Any) -> Any:
    return None if part is None else SequenceArray(scaler.transform(part.values), part.offsets)


@dataclass(frozen=True)
class Windowing:
    """How windows are cut and normalised, and forecasts made from them.

    Attributes
    ----------
    window : int
        W.
    step : int
        h, the rows that the network forecasts at once.
    normalize : {"last", "window"} or None
    """

    window: int
    step: int
    normalize: Literal["last", "window"] | None

    def check_covariates(self, panel: Panel, horizon: int) -> None:
        """Raise ValueError unless the covariates reach as far as a forecast needs them."""
        if panel.future is not None and self.window < self.step:
            raise ValueError(
                f"window={self.window} is shorter than horizon={self.step}, but with future_exog a "
                "window must have room for the covariates of all rows that are forecast at once: "
                'take a longer window, a shorter horizon, or strategy="recursive".'
            )
        self.check_past_reaches(panel, horizon)

    def check_past_reaches(self, panel: Panel, horizon: int) -> None:
        """Raise ValueError if a forecast needs past covariates of rows that it forecasts itself."""
        if panel.past is not None and horizon > self.step:
            raise ValueError(
                f"A forecast of {horizon} steps by a network that forecasts {self.step} at once "
                "needs covariates after the end of series, where past_exog is not known: fit with "
                f'horizon={horizon} and strategy="direct", or leave past_exog out.'
            )

    def training_origins(self, panel: Panel, stride: int) -> tuple[np.ndarray, np.ndarray]:
        """Return series and row (n,) of all origins that have a window before them and h after."""
        starts = window_starts(panel.series, self.window, self.step, stride)
        groups = np.searchsorted(panel.series.offsets, starts, side="right") - 1
        return groups, starts - panel.series.offsets[groups] + self.window

    def make_training_data(
        self, panel: Panel, groups: np.ndarray, origins: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return X (n, W, F + P + 2 E) and y (n,) or (n, h * F) for a network."""
        windows, past, future = self._gather(panel, groups, origins, self.step)
        level, scale = self.frame(windows)
        Y = (rows_at(panel.series, groups, origins, self.step) - level) / scale
        y = Y[:, 0, 0] if Y.shape[1:] == (1, 1) else Y.reshape(len(Y), -1)
        return self._inputs((windows - level) / scale, past, future, 0), y

    def forecast(
        self, network: Any, panel: Panel, groups: np.ndarray, origins: np.ndarray, horizon: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return forecasts (n, horizon, F), and the scale (n, 1, F) of their windows.

        The network forecasts h rows; they join the window, and it forecasts the next h.
        """
        n_steps = whole_blocks(horizon, self.step)
        windows, past, future = self._gather(panel, groups, origins, n_steps)
        first_scale = self.frame(windows)[1]
        forecasts = []
        for done in range(0, n_steps, self.step):
            level, scale = self.frame(windows)
            answer = network.predict(self._inputs((windows - level) / scale, past, future, done))
            block = answer.reshape(len(windows), self.step, -1) * scale + level
            forecasts.append(block)
            windows = np.concatenate([windows, block], axis=1)[:, -self.window :]
        return np.concatenate(forecasts, axis=1)[:, :horizon], first_scale

    def frame(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the level (n, 1, F) and scale (n, 1, F) that windows (n, W, F) are seen in."""
        level, scale = windows[:, -1:], np.ones_like(windows[:, -1:])
        if self.normalize is None:
            level = np.zeros_like(level)
        if self.normalize == "window":
            scale = np.maximum(windows.std(axis=1, keepdims=True), SMALLEST_SCALE)
        return level, scale

    def _gather(
        self, panel: Panel, groups: np.ndarray, origins: np.ndarray, n_steps: int
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return windows (n, W, F) and their covariates, (n, W, P) and (n, W + n_steps, E)."""
        first = origins - self.window
        windows = rows_at(panel.series, groups, first, self.window)
        past = future = None
        if panel.past is not None:
            past = rows_at(panel.past, groups, first, self.window)
        if panel.future is not None:
            future = rows_at(panel.future, groups, first, self.window + n_steps)
        return windows, past, future

    def _inputs(
        self, windows: np.ndarray, past: np.ndarray | None, future: np.ndarray | None, done: int
    ) -> np.ndarray:
        """Return what a network reads after `done` forecast rows, in the dtype of the windows."""
        parts = [windows] if past is None else [windows, past]
        if future is not None:
            ahead = done + self.step
            parts += [future[:, done : done + self.window], future[:, ahead : ahead + self.window]]
        return np.concatenate(parts, axis=2, dtype=windows.dtype)


def split_off_end(
    groups: np.ndarray, fraction: float | None, n_overlapping: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return which windows (n,) to train on, and which, at the end of each series, are held out.

    The `n_overlapping` windows before the held-out ones, whose targets reach into theirs, are in
    neither. A series that would have no window left to train on has none held out.
    """
    counts = np.bincount(groups)
    held_out = (
        np.zeros_like(counts) if fraction is None else np.round(fraction * counts).astype(int)
    )
    held_out[counts - held_out - n_overlapping < 1] = 0
    from_end = np.concatenate([np.arange(count)[::-1] for count in counts])
    held = held_out[groups]
    gap = np.where(held > 0, n_overlapping, 0)
    return np.flatnonzero(from_end >= held + gap), np.flatnonzero(from_end < held)
