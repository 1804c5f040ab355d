"""An array of sequences of unequal length, which stores all time steps in one array.

Dimensions: n sequences, T_i time steps in sequence i, F features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sklearn_rnn._data.refusals import as_array, with_article

__all__ = ["SequenceArray"]

Array = NDArray[Any]


class SequenceArray:
    """Sequences of unequal length in one array, without padding.

    Sequence i is ``values[offsets[i]:offsets[i + 1]]``. A SequenceArray is indexed like a
    one-dimensional array of n sequences: an integer gives one sequence; a slice, a mask or an
    array of integers gives a SequenceArray again. So scikit-learn's cross-validation and searches
    split it, and joblib shares its ``values`` with its workers as a memory map.

    Parameters
    ----------
    values : array-like of shape (sum of T_i, F)
        The time steps of all sequences, one sequence after the other. Not copied.
    offsets : array-like of shape (n + 1,), of integers
        Where each sequence starts in `values`, and at last where the last one ends: 0, T_0,
        T_0 + T_1, ... Every sequence has at least one step.

    Attributes
    ----------
    values : ndarray of shape (sum of T_i, F)
        The time steps of all sequences.
    offsets : ndarray of shape (n + 1,), int64
        Where each sequence starts, and the last one ends.

    See Also
    --------
    SequenceArray.from_sequences : From a list of arrays.
    SequenceArray.from_padded : From a padded array of shape (n, T, F).
    SequenceArray.from_concatenated : From all steps and the length of each sequence.

    Notes
    -----
    Two SequenceArrays are equal if they are the same object: compare their `values` and
    `offsets`. There is no conversion to an ndarray either (`numpy.asarray` raises a TypeError);
    say which one you want, ``values``, ``list(X)`` or ``X.to_padded()``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SequenceArray
    >>> X = SequenceArray(values=[[1.0], [2.0], [3.0], [4.0], [5.0]], offsets=[0, 2, 5])
    >>> X
    SequenceArray(2 sequences of 2 to 3 steps, 1 feature, float64)
    >>> X.shape, X.lengths
    ((2,), array([2, 3]))
    >>> X[0]
    array([[1.],
           [2.]])
    >>> X[[1, 0, 1]]
    SequenceArray(3 sequences of 2 to 3 steps, 1 feature, float64)
    """

    values: Array
    offsets: NDArray[np.int64]

    def __init__(self, values: ArrayLike, offsets: ArrayLike) -> None:
        self.values = as_array(values, "values")
        self.offsets = _check_offsets(offsets, self.values)

    @classmethod
    def from_sequences(cls, sequences: Iterable[Any]) -> SequenceArray:
        """Pack a list of sequences.

        Parameters
        ----------
        sequences : iterable of array-likes or data frames, (T_i, F) or (T_i,)
            The sequences; one-dimensional ones have one feature.

        Returns
        -------
        packed : SequenceArray of shape (n,)
            A copy of the sequences, in their common dtype.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import SequenceArray
        >>> SequenceArray.from_sequences([np.zeros((4, 2)), np.ones((3, 2))])
        SequenceArray(2 sequences of 3 to 4 steps, 2 features, float64)
        """
        if not isinstance(sequences, Iterable) or getattr(sequences, "ndim", 1) == 0:
            raise TypeError(f"sequences is {with_article(sequences)}: expected a list of arrays")
        arrays = [as_array(item, f"sequence {i}") for i, item in enumerate(sequences)]
        if not arrays:
            raise ValueError("there are no sequences: how many features would they have?")
        _check_same_form(arrays)
        lengths = [len(array) for array in arrays]
        values = np.concatenate(arrays)
        return cls(values if values.ndim == 2 else values[:, None], _offsets(lengths))

    @classmethod
    def from_padded(
        cls,
        X: ArrayLike,
        *,
        lengths: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        padding_value: float = np.nan,
    ) -> SequenceArray:
        """Pack a padded array, without its padding.

        Give `lengths`, or `mask`, or neither: then those steps at the start and at the end of a
        sequence are padding in which every feature equals `padding_value`.

        Parameters
        ----------
        X : array-like of shape (n, T, F)
            The sequences, padded to T steps.
        lengths : array-like of shape (n,), of integers, default=None
            The first ``lengths[i]`` steps of sequence i are real.
        mask : array-like of shape (n, T), of bool, default=None
            True where a step is real. The real steps of a sequence must be neighbours.
        padding_value : float, default=nan
            What fills the padding; used without `lengths` and `mask` only.

        Returns
        -------
        packed : SequenceArray of shape (n,)
            The real steps; a view of X if nothing is padded.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import SequenceArray
        >>> X = np.array([[[1.0], [2.0], [np.nan]], [[3.0], [4.0], [5.0]]])
        >>> SequenceArray.from_padded(X).lengths
        array([2, 3])
        >>> SequenceArray.from_padded(np.zeros((2, 3, 1)), lengths=[3, 1]).lengths
        array([3, 1])
        """
        X = as_array(X, "X")
        if X.ndim != 3:
            raise ValueError(
                f"X has shape {X.shape}: expected (n_sequences, n_timesteps, n_features)"
            )
        n_sequences, n_timesteps, n_features = X.shape
        for size, what in ((n_timesteps, "time steps"), (n_features, "feature(s)")):
            if size == 0:
                raise ValueError(
                    f"X has shape {X.shape}: 0 {what} while a minimum of 1 is required"
                )
        if lengths is not None and mask is not None:
            raise ValueError("give either lengths or mask, not both")
        if lengths is not None:
            checked = _check_lengths(lengths, n_sequences, longest=n_timesteps)
            real = np.arange(n_timesteps) < checked[:, None]
        elif mask is not None:
            real = _check_mask(mask, (n_sequences, n_timesteps))
        else:
            if X.dtype.kind in "OUS" and np.isnan(padding_value):
                raise ValueError(
                    f"X is of {X.dtype}, in which no NaN can mark the padding: give lengths or mask"
                )
            real = real_steps(X, padding_value)
        if len(empty := np.flatnonzero(~real.any(axis=1))):
            raise ValueError(f"sequence {empty[0]} has no steps: all of it is padding")
        values = X.reshape(-1, n_features) if real.all() else X[real]
        return cls(values, _offsets(real.sum(axis=1)))

    @classmethod
    def from_concatenated(cls, values: ArrayLike, lengths: ArrayLike) -> SequenceArray:
        """Pack sequences whose time steps are already stored in one array.

        Parameters
        ----------
        values : array-like of shape (sum of T_i, F)
            The time steps of all sequences. Not copied.
        lengths : array-like of shape (n,), of integers
            How many steps each sequence has.

        Returns
        -------
        packed : SequenceArray of shape (n,)
            The sequences.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import SequenceArray
        >>> SequenceArray.from_concatenated(np.zeros((5, 2)), lengths=[2, 3])
        SequenceArray(2 sequences of 2 to 3 steps, 2 features, float64)
        """
        values = as_array(values, "values")
        checked = _check_lengths(lengths)
        total = _total(checked)
        if values.ndim == 2 and total != len(values):
            raise ValueError(
                f"the {len(checked)} lengths add up to {total}, but values has {len(values)} rows: "
                "expected one row for each time step of each sequence"
            )
        return cls(values, _offsets(checked))

    def to_padded(self, padding_value: float = np.nan) -> Array:
        """Pad the sequences at their ends to the length of the longest one.

        Parameters
        ----------
        padding_value : float, default=nan
            What fills the padding.

        Returns
        -------
        X : ndarray of shape (n, largest T_i, F)
            The padded sequences, in a dtype that holds `padding_value` too.

        Examples
        --------
        >>> from sklearn_rnn import SequenceArray
        >>> X = SequenceArray.from_sequences([[1.0, 2.0], [3.0]])
        >>> X.to_padded(-1)[:, :, 0]
        array([[ 1.,  2.],
               [ 3., -1.]])
        """
        lengths = self.lengths
        shape = (len(self), lengths.max(initial=0), self.n_features)
        padded = np.full(shape, padding_value, dtype=np.result_type(self.values, padding_value))
        padded[np.arange(shape[1]) < lengths[:, None]] = self.values
        return padded

    @property
    def shape(self) -> tuple[int]:
        """The number of sequences, as a tuple (n,)."""
        return (len(self.offsets) - 1,)

    @property
    def ndim(self) -> int:
        """The number of axes: always 1, the axis of the sequences."""
        return 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of `values`."""
        return self.values.dtype

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of steps of each sequence, shape (n,)."""
        return np.diff(self.offsets)

    @property
    def n_features(self) -> int:
        """The number of features of a time step, F."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[Array]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> Array: ...

    @overload
    def __getitem__(
        self, key: slice | list[int] | list[bool] | Array | tuple[Any, ...]
    ) -> SequenceArray: ...

    def __getitem__(self, key: Any) -> Array | SequenceArray:
        if isinstance(key, tuple):
            key = _first_axis(key)
        if _is_index(key):
            return self._sequence(int(key))
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return self._range(start, max(start, stop))
        return self._take(np.arange(len(self))[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Refuse: a conversion would make NumPy complain of an inhomogeneous shape, or worse."""
        raise TypeError(
            "A SequenceArray is no table: its sequences are of unequal length. Wrap a transformer "
            "of scikit-learn in TimestepTransformer, as in TimestepTransformer(StandardScaler()); "
            "for an array take X.values, with one row for each time step, or X.to_padded()."
        )

    def __sizeof__(self) -> int:
        """Count the arrays, so that Dask knows what to send once instead of with every task."""
        return object.__sizeof__(self) + self.values.nbytes + self.offsets.nbytes

    def __repr__(self) -> str:
        n = len(self)
        shortest, longest = (self.lengths.min(), self.lengths.max()) if n else (0, 0)
        steps = f"{shortest} to {longest}" if shortest < longest else f"{longest}"
        return (
            f"SequenceArray({n} sequence{_s(n)} of {steps} step{_s(longest)}, "
            f"{self.n_features} feature{_s(self.n_features)}, {self.dtype})"
        )

    def _sequence(self, i: int) -> Array:
        if not -len(self) <= i < len(self):
            raise IndexError(f"sequence {i} is out of range: there are {len(self)}")
        i %= len(self)
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def _range(self, start: int, stop: int) -> SequenceArray:
        offsets = self.offsets[start : stop + 1]
        return SequenceArray(self.values[offsets[0] : offsets[-1]], offsets - offsets[0])

    def _take(self, index: NDArray[np.int64]) -> SequenceArray:
        if index.ndim != 1:
            raise IndexError("a SequenceArray has one axis, that of its sequences")
        offsets = _offsets(self.lengths[index])
        # Row r of the result lies as far from its sequence's start as its source does.
        shift = np.repeat(self.offsets[index] - offsets[:-1], np.diff(offsets))
        return SequenceArray(self.values[np.arange(offsets[-1]) + shift], offsets)


def real_steps(X: Array, padding_value: float = np.nan) -> NDArray[np.bool_]:
    """Tell the steps of X (n, T, F) from the padding before and after them, as a mask (n, T).

    Padding inside a sequence, between two real steps, counts as real: it is missing data.
    """
    n_sequences, n_timesteps = X.shape[:2]
    # Padding starts at an end: without any there, which is usual, the rest need not be looked at.
    if not _is_padding(X[:, [0, -1]], padding_value).any():
        return np.ones((n_sequences, n_timesteps), dtype=bool)
    real = ~_is_padding(X, padding_value)
    seen_before = np.logical_or.accumulate(real, axis=1)
    seen_after = np.logical_or.accumulate(real[:, ::-1], axis=1)[:, ::-1]
    return seen_before & seen_after


def _is_padding(steps: Array, padding_value: float) -> NDArray[np.bool_]:
    same = np.isnan(steps) if np.isnan(padding_value) else steps == padding_value
    return np.asarray(same.all(axis=-1))


def _offsets(lengths: ArrayLike) -> NDArray[np.int64]:
    """Return the offsets of sequences of these lengths, whose sum int64 must hold."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _total(lengths: NDArray[np.int64]) -> int:
    """Return the exact sum of lengths, which int64 need not hold."""
    halves = divmod(lengths, 2**32)  # each sum of halves is exact for up to 2**31 lengths
    high, low = (int(half.sum()) for half in halves)
    return high * 2**32 + low


def _is_index(key: Any) -> bool:
    """Whether the key is an integer: Python's, NumPy's, or an array of no dimensions."""
    if isinstance(key, np.ndarray):
        return key.ndim == 0 and key.dtype.kind in "iu"
    return isinstance(key, (int, np.integer)) and not isinstance(key, bool)


def _first_axis(key: tuple[Any, ...]) -> Any:
    """Unpack a key (key,) or (key, ...), as scikit-learn passes them."""
    if len(key) == 1 or (len(key) == 2 and key[1] is Ellipsis):
        return key[0]
    raise IndexError(
        "a SequenceArray has one axis, that of its sequences: X[3][:, 0], not X[3, :, 0]"
    )


def _check_offsets(offsets: ArrayLike, values: Array) -> NDArray[np.int64]:
    offsets = as_array(offsets, "offsets")
    if values.ndim != 2:
        raise ValueError(
            f"values has shape {values.shape}: expected (sum of lengths, n_features); "
            "with one feature, values.reshape(-1, 1)"
        )
    if offsets.ndim != 1 or len(offsets) == 0 or offsets.dtype.kind not in "iu":
        raise ValueError(
            "offsets must be a one-dimensional array of n + 1 integers, "
            f"got shape {offsets.shape} of {offsets.dtype}"
        )
    if offsets[0] != 0 or offsets[-1] != len(values):
        raise ValueError(
            f"offsets must go from 0 to len(values) = {len(values)}, "
            f"got {offsets[0]} to {offsets[-1]}"
        )
    # Compared, not subtracted: a difference may be too large for the dtype of the offsets.
    if len(wrong := np.flatnonzero(offsets[1:] <= offsets[:-1])):
        i = wrong[0]
        raise ValueError(
            f"sequence {i} has no steps: offsets must increase, "
            f"but offsets[{i}] = {offsets[i]} and offsets[{i + 1}] = {offsets[i + 1]}"
        )
    return offsets.astype(np.int64, copy=False)


def _check_same_form(arrays: list[Array]) -> None:
    """Refuse sequences that cannot be stacked into one array; compare all with the first."""
    first = arrays[0]
    for i, array in enumerate(arrays):
        if array.ndim not in (1, 2):
            raise ValueError(
                f"sequence {i} has {array.ndim} dimensions: expected (n_timesteps, n_features), "
                "or (n_timesteps,) if there is one feature"
            )
        if len(array) == 0:
            raise ValueError(f"sequence {i} has no steps (shape {array.shape}): leave it out")
        if array.ndim != first.ndim:
            raise ValueError(
                f"sequence 0 has {first.ndim} dimensions and sequence {i} has {array.ndim}: "
                "give all of them as (n_timesteps, n_features)"
            )
        if array.shape[1:] != first.shape[1:]:
            raise ValueError(
                f"sequence 0 has {first.shape[1]} features and sequence {i} has "
                f"{array.shape[1]}: all must have the same"
            )


def _check_lengths(
    lengths: ArrayLike, n_sequences: int | None = None, *, longest: int | None = None
) -> NDArray[np.int64]:
    lengths = as_array(lengths, "lengths")
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise ValueError(
            "lengths must be a one-dimensional array of integers, "
            f"got shape {lengths.shape} of {lengths.dtype}"
        )
    if n_sequences is not None and len(lengths) != n_sequences:
        raise ValueError(f"there are {len(lengths)} lengths for {n_sequences} sequences")
    if len(short := np.flatnonzero(lengths < 1)):
        raise ValueError(f"lengths[{short[0]}] is {lengths[short[0]]}: at least one step is needed")
    if len(huge := np.flatnonzero(lengths > np.iinfo(np.int64).max)):
        raise ValueError(
            f"lengths[{huge[0]}] is {lengths[huge[0]]}: no sequence has so many time steps"
        )
    if longest is not None and len(long := np.flatnonzero(lengths > longest)):
        raise ValueError(
            f"lengths[{long[0]}] is {lengths[long[0]]}, but X has {longest} time steps"
        )
    return lengths.astype(np.int64, copy=False)


def _check_mask(mask: ArrayLike, shape: tuple[int, int]) -> NDArray[np.bool_]:
    mask = as_array(mask, "mask")
    if mask.dtype != bool or mask.shape != shape:
        raise ValueError(
            f"mask must be an array of bool of shape {shape}, got {mask.shape} of {mask.dtype}"
        )
    starts = np.diff(mask, axis=1, prepend=False) & mask
    if len(torn := np.flatnonzero(starts.sum(axis=1) > 1)):
        raise ValueError(
            f"the mask of sequence {torn[0]} has padding between real steps: "
            "padding may only come before the first or after the last of them"
        )
    return mask


def _s(count: int) -> str:
    return "" if count == 1 else "s"
