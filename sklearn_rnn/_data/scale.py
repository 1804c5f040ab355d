"""Whether the features of X have a scale that a recurrent network can learn from.

The thresholds are where quality falls: see tests/benchmarks/scale.py. Of standardized features of
Japanese Vowels and BasicMotions multiplied by 10, 30, 100 and 1000, the accuracy is 0.95, 0.93,
0.92, 0.91 and 0.95, 0.85, 0.79, 0.62; with 3, 10 and 30 added to them 0.93, 0.82, 0.41 and 0.88,
0.75, 0.48; and multiplied by 0.01 it is 0.79 and 0.47.

Dimension key: F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

from sklearn_rnn._data.user_warning import warn_user_once

# The largest root mean square of a feature, and the largest mean next to the standard deviation.
LARGEST, FURTHEST = 30.0, 10.0
# The smallest maximum of a feature that is not constant. Not of its root mean square: a rare event
# or token, coded by ones among zeros, is no small feature.
SMALLEST = 0.1
# Sequences of fewer steps are tables in disguise: scikit-learn's checks fit two columns around 100.
SHORTEST = 3
NAMED = 3
ROWS_AT_ONCE = 8192


class DataScaleWarning(UserWarning):
    """Features of X are so large, so small or so far from zero that the network learns poorly.

    Scale them, with ``make_pipeline(TimestepTransformer(StandardScaler()), estimator)``. Where the
    scale is meant, ``warnings.simplefilter("ignore", DataScaleWarning)`` turns the warning off.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from sklearn_rnn import DataScaleWarning, GRURegressor
    >>> prices = 1e5 + np.random.default_rng(0).normal(size=(20, 5, 1))
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     model = GRURegressor(max_iter=1, random_state=0).fit(prices, prices[:, 0, 0])
    >>> [warning.category.__name__ for warning in caught]
    ['DataScaleWarning']
    """


def warn_of_scale(values: np.ndarray, longest: int, names: Sequence[Any] | None) -> None:
    """Warn, once in one call of the user, of features whose scale is far from that of others.

    Parameters
    ----------
    values : ndarray (sum of all T_i, F)
        All time steps that a network is to learn from.
    longest : int
        The steps of the longest sequence.
    names : sequence of F names, or None
    """
    if longest < SHORTEST:
        return
    complaints = [
        f"{_name(feature, names, values.shape[1])} {what}" for feature, what in _complaints(values)
    ]
    if not complaints:
        return
    more = f"; and {len(complaints) - NAMED} more" if len(complaints) > NAMED else ""
    warn_user_once(
        f"Recurrent networks learn poorly from features of this scale: "
        f"{'; '.join(complaints[:NAMED])}{more}. Give each feature mean 0 and standard "
        "deviation 1: make_pipeline(TimestepTransformer(StandardScaler()), estimator).",
        DataScaleWarning,
    )


def _complaints(values: np.ndarray) -> list[tuple[int, str]]:
    """Return each feature whose scale is poor, and what it is, in powers of ten."""
    with np.errstate(all="ignore"):
        low, high = values.min(axis=0), values.max(axis=0)
        peak = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
        unit = np.where(peak > 0, peak, 1)  # no square overflows
        mean = values.mean(axis=0, dtype=np.float64) / unit
        square = _sum_of_squares(values, unit) / len(values)
        deviation = np.sqrt(np.maximum(square - mean**2, 0)) * unit
        size, away = np.sqrt(square) * unit, np.abs(mean) * unit
    found = []
    for feature in range(values.shape[1]):
        varies = high[feature] > low[feature]
        if size[feature] > LARGEST:
            found.append((feature, f"has values of about {_power(size[feature])}"))
        elif varies and away[feature] > max(1.0, FURTHEST * deviation[feature]):
            ratio = away[feature] / deviation[feature] if deviation[feature] > 0 else np.inf
            found.append((feature, f"has a mean of about {_power(ratio)} standard deviations"))
        elif varies and peak[feature] < SMALLEST:
            found.append((feature, f"has values of at most about {_power(peak[feature])}"))
    return found


def _sum_of_squares(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the sums of (values / unit)², in float64, without a copy of all values."""
    total = np.zeros(values.shape[1])
    for rows in gen_batches(len(values), ROWS_AT_ONCE):
        scaled = values[rows] / unit
        total += np.einsum("tf,tf->f", scaled, scaled)
    return total


def _name(feature: int, names: Sequence[Any] | None, n_features: int) -> str:
    if names is not None:
        return f"feature {names[feature]!r}"
    return "X" if n_features == 1 else f"feature {feature}"


def _power(size: float) -> str:
    """Return the next power of ten: a text that is the same for all folds of a search."""
    return f"1e{round(float(np.log10(size)))}" if np.isfinite(size) else "infinitely many"
