"""Prediction intervals by split-conformal calibration.

Vovk, Gammerman and Shafer (2005); Romano, Patterson and Candes (2019) for quantiles. On n
samples that training has not seen, the score of a prediction is how far the target lies outside
of [low, high] (low and high are one number where there is one prediction). The ceil((n + 1)
coverage)-th smallest score is the margin: for a new sample that is exchangeable with those n, the
interval [low - margin, high + margin] holds the target with probability `coverage` at least.

Dimension key: n calibration samples, M answers, K outputs, Q predictions of an output.
"""

from __future__ import annotations

from math import ceil

import numpy as np

# Of more samples than this, as many are drawn: the guarantee is the same, the model stays small.
MAX_CALIBRATION = 1000


def calibration_residuals(Y: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return y - prediction (n, K, Q) of at most MAX_CALIBRATION samples."""
    residuals = Y[:, :, None] - predictions
    if len(residuals) <= MAX_CALIBRATION:
        return residuals
    chosen = np.random.default_rng(0).choice(len(residuals), MAX_CALIBRATION, replace=False)
    return residuals[chosen]


def nearest_pair(quantiles: tuple[float, ...] | None, coverage: float) -> tuple[int, int]:
    """Return which of the predictions are the low and the high end for this coverage."""
    if quantiles is None:
        return 0, 0
    tail = (1 - coverage) / 2
    ends = np.abs(np.array(quantiles)[:, None] - [tail, 1 - tail])
    low, high = ends.argmin(axis=0)
    return int(low), int(high)


def margins(residuals: np.ndarray, low: int, high: int, coverage: float) -> np.ndarray:
    """Return the margin (K,) that gives [prediction low, prediction high] this coverage.

    Raises ValueError if there are too few residuals (n, K, Q) to say.
    """
    n = len(residuals)
    rank = _ceil((n + 1) * coverage)
    if rank > n:
        needed = _ceil(coverage / (1 - coverage))
        if needed > MAX_CALIBRATION:
            raise ValueError(
                f"coverage={coverage:g} needs at least {needed} validation samples to calibrate "
                f"on, and no more than {MAX_CALIBRATION} are kept: ask for a coverage of at most "
                f"{MAX_CALIBRATION / (MAX_CALIBRATION + 1):.3g}."
            )
        raise ValueError(
            f"coverage={coverage:g} needs at least {needed} validation samples to calibrate on, "
            f"and the fit had {n}: give it more with X_val, or ask for a coverage of at most "
            f"{n / (n + 1):.3g}."
        )
    scores = np.maximum(-residuals[:, :, low], residuals[:, :, high])
    return np.sort(scores, axis=0)[rank - 1]


def _ceil(x: float) -> int:
    """Return ceil(x), where rounding has not lifted x above a whole number: 100 * 0.55 is 55."""
    return ceil(round(x, 9))
