"""The unit of regression targets: raw predictions * scale + mean are predictions.

Dimension key: K outputs.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# Predictions that differ by this part of the scale must be different numbers.
APART = 1e-4


def dtype_of_predictions(mean: np.ndarray, scale: np.ndarray, dtype: np.dtype) -> np.dtype:
    """Return the dtype for predictions raw * scale + mean, of raw ones in `dtype`.

    That is float64 instead of float32 where float32 cannot tell predictions apart that differ by
    APART of the scale, since the mean is so much larger, or where it cannot hold their squares.

    Parameters
    ----------
    mean, scale : ndarray of float64 (K,)
    dtype : dtype
        float32 or float64.
    """
    if dtype == np.float64:
        return dtype
    return _narrow_or_wide(mean.tobytes(), scale.tobytes(), dtype)


@lru_cache(maxsize=64)  # a step of a stream takes 40 µs, and this would take 20 of them
def _narrow_or_wide(mean_bytes: bytes, scale_bytes: bytes, dtype: np.dtype) -> np.dtype:
    mean, scale = np.abs(np.frombuffer(mean_bytes)), np.frombuffer(scale_bytes)
    info = np.finfo(dtype)
    tells_apart = info.eps * mean <= APART * scale
    smallest, largest = np.sqrt(info.tiny) / APART, np.sqrt(info.max) * APART
    fits = (scale > smallest) & (np.maximum(mean, scale) < largest)
    return dtype if (tells_apart & fits).all() else np.dtype(np.float64)
