"""The unit of regression targets: raw predictions * scale + mean are predictions.

Dimension key: K outputs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

# Predictions that differ by this part of the scale must be different numbers.
APART = 1e-4
# The following are powers of two: sizes are compared by their logarithms, which cannot overflow.
# Targets so much wider or narrower than the unit, or so far from its origin, are learned slowly.
OTHER = 3
# A unit so much smaller than the spread of the targets is that of a constant, next to them.
NEGLIGIBLE = 6
# A part of a stream may be quieter than the rest, but hardly by so much.
QUIET = 8


class Unit(NamedTuple):
    """The unit of targets: mean and scale, float64 (K,)."""

    mean: np.ndarray
    scale: np.ndarray

    def of_constant(self) -> np.ndarray:
        """Return (K,) bool: whether the unit is that of a constant, its own size or 1 for zero."""
        size = np.abs(self.mean)
        of_zero = (size == 0) & (self.scale == 1)
        own_size = np.isclose(size / self.scale, 1, rtol=1e-12, atol=0)
        return np.asarray(of_zero | ((size > 0) & own_size))


class Change(NamedTuple):
    """A change of the unit.

    Attributes
    ----------
    unit : Unit
        The new one.
    factor : ndarray (K,)
        What raw predictions are to be multiplied by, a power of two up to 1, so that weights keep
        their digits.
    """

    unit: Unit
    factor: np.ndarray


def varying(Y: np.ndarray) -> np.ndarray:
    """Return (K,) bool: whether targets differ by more than rounding."""
    low, high = Y.min(axis=0), Y.max(axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    return np.asarray(high / 2 - low / 2 > 10 * np.finfo(np.float64).eps * size)


def change_of_unit(old: Unit, new: Unit, varies: np.ndarray, *, all_data: bool) -> Change | None:
    """Return how the unit must change for targets whose own unit is `new`; None if `old` will do.

    Where the targets are wider than the unit, the predictions stay what they were. Where they are
    narrower, or far from the origin, predictions that stayed would be so many units wrong that
    no training reaches the targets: predictions shrink and move with the unit.

    Parameters
    ----------
    old : Unit
        In which the network has learned.
    new : Unit
        That of the targets that come next.
    varies : ndarray (K,)
        Whether these vary at all.
    all_data : bool
        Whether these are all targets, as in `fit`. Otherwise they are a part of a stream, as in
        `partial_fit`, whose unit can become wider but not narrower, except where it is that of a
        constant, which says nothing about the spread of a stream.
    """
    distance = np.abs(new.mean / 2 - old.mean / 2)
    with np.errstate(divide="ignore", over="ignore"):
        spread = np.where(varies, np.log2(new.scale) - np.log2(old.scale), -np.inf)
        away = 1 + np.log2(distance) - np.log2(old.scale)
        free = varies & (all_data | old.of_constant() | (spread > NEGLIGIBLE))
        # In a stream, the distance from its origin counts as spread.
        in_stream = np.maximum(0, np.logaddexp2(2 * spread, 2 * away) / 2)
        wanted = np.where(free, spread, in_stream)
        exponent = np.where(np.abs(wanted) > OTHER, np.rint(wanted), 0).astype(int)
        scale = np.ldexp(old.scale, exponent)
    far = free & (away - exponent > OTHER)
    if not (exponent.any() or far.any()) or not (np.isfinite(scale) & (scale > 0)).all():
        return None
    unit = Unit(np.where(far, new.mean, old.mean), scale)
    return Change(unit, np.ldexp(1.0, -np.maximum(exponent, 0)))


def change_of_count_unit(old: Unit, new: Unit, *, all_data: bool) -> Change | None:
    """Return how the unit of counts, their mean, must change; predictions change with it.

    A raw prediction is the logarithm of a prediction in this unit. If predictions stayed, the
    logarithms would have to be learned anew.
    """
    ratio = np.log2(new.scale) - np.log2(old.scale)
    other = ratio > (OTHER if all_data else NEGLIGIBLE)
    other |= all_data & (ratio < -OTHER)
    if not other.any():
        return None
    return Change(Unit(old.mean, np.where(other, new.scale, old.scale)), np.ones(len(ratio)))


def is_too_quiet(old: Unit, new: Unit, varies: np.ndarray) -> bool:
    """Return whether targets vary so little, next to the unit, that they are hardly learned."""
    return bool((varies & (np.log2(new.scale) - np.log2(old.scale) < -QUIET)).any())


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
