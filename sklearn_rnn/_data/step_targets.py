"""Read targets for each time step, and return answers for each step in a container like X.

Dimension key: n sequences, T_i steps of sequence i, M = sum of all T_i rows, K outputs.
"""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
from scipy.sparse import issparse

from sklearn_rnn._data.containers import how_to_read
from sklearn_rnn._data.refusals import refuse_no_list, refuse_unreadable
from sklearn_rnn._data.targets import check_sample_weight
from sklearn_rnn.sequences import SequenceArray, real_steps


def flatten_steps(X: Any, lengths: np.ndarray, y: Any, name: str = "y") -> np.ndarray:
    """Return y, one target a step, as (M,) or (M, K), in the order of X's packed steps.

    Parameters
    ----------
    X : any container of sequences
        Looked at where it is a 3-D array: y is padded where X is.
    lengths : ndarray of int (n,)
        The steps of each sequence of X, without padding.
    y : array-like of shape (n, T) or (n, T, K), list or object array of n (T_i,) or (T_i, K), \
or SequenceArray
        Targets, or whatever else each step has one of.
    name : str
        What y is called.

    Raises
    ------
    ValueError
        If y does not have one target for each step of X; it names the sequence.
    """
    refuse_no_list(y, name)
    if isinstance(y, SequenceArray):
        _check_lengths(name, lengths, y.lengths)
        flat = y.values
    elif _is_list(y):
        flat = _flatten_list(lengths, y, name)
    else:
        flat = _flatten_array(X, lengths, y, name)
    return flat[:, 0] if flat.ndim == 2 and flat.shape[1] == 1 else flat


def _flatten_list(lengths: np.ndarray, y: Any, name: str) -> np.ndarray:
    items = [_as_array(item, f"{name} of sequence {i}") for i, item in enumerate(y)]
    if all(item.ndim == 0 for item in items):
        raise ValueError(_message_not_per_step(name, (len(items),)))
    for i, item in enumerate(items):
        if item.ndim == 0:
            raise ValueError(
                f"{name} of sequence {i} is {item.item()!r}, but with return_sequences=True there "
                "is one target for each step. Where no step has a target, give NaN for each step."
            )
        if item.ndim not in (1, 2) or item.shape[1:] != items[0].shape[1:]:
            raise ValueError(
                f"{name} of sequence {i} has shape {item.shape}, and that of sequence 0 has "
                f"{items[0].shape}: expected (n_steps,) or (n_steps, n_outputs), with the "
                "same n_outputs in all."
            )
    _check_lengths(name, lengths, np.array([len(item) for item in items]))
    if len({item.dtype.kind in "US" for item in items}) > 1:  # NumPy would make text of numbers
        items = [item.astype(object) for item in items]
    masked = any(np.ma.is_masked(item) for item in items)
    return np.ma.concatenate(items) if masked else np.concatenate(items)


def _flatten_array(X: Any, lengths: np.ndarray, y: Any, name: str) -> np.ndarray:
    y = _as_array(y, name)
    if y.ndim not in (2, 3):
        raise ValueError(_message_not_per_step(name, y.shape))
    rows = y.reshape(-1, *y.shape[2:])
    if (lengths == y.shape[1]).all():
        return rows
    if how_to_read(X) == "array" and np.shape(X)[:2] == y.shape[:2]:
        return rows[real_steps(np.asarray(X, dtype=float)).ravel()]
    _check_lengths(name, lengths, np.full(len(y), y.shape[1]))
    return rows


def _check_lengths(name: str, expected: np.ndarray, given: np.ndarray) -> None:
    if len(given) != len(expected):
        raise ValueError(
            f"{name} is for {len(given)} sequences, but X has {len(expected)}: inconsistent "
            "numbers of samples."
        )
    if len(wrong := np.flatnonzero(given != expected)):
        i = wrong[0]
        raise ValueError(
            f"{name} has {given[i]} steps in sequence {i}, where X has {expected[i]}: with "
            "return_sequences=True there is one target for each step."
        )


def _message_not_per_step(name: str, shape: tuple[int, ...]) -> str:
    return (
        f"{name} has shape {shape}, but with return_sequences=True there is one target for each "
        "step: (n_samples, n_steps), (n_samples, n_steps, n_outputs), or a list of (n_steps_i,) "
        "arrays. Is there one for each sequence? set return_sequences=False."
    )


def _as_array(y: Any, name: str) -> np.ndarray:
    """Convert y to an array; keep masks, and keep None and NaN that stand beside text."""
    refuse_unreadable(y, name)
    if np.ma.is_masked(y):
        return np.ma.asarray(y)
    try:
        array = np.asarray(y)
    except ValueError:
        raise ValueError(
            f"{name} holds lists or arrays that differ in length: expected (n_steps,) or (n_steps, "
            "n_outputs) of each sequence."
        ) from None
    if array.dtype.kind in "US" and isinstance(y, (list, tuple)):
        array = np.asarray(y, dtype=object)
    return array


def _is_list(y: Any) -> bool:
    """Whether y holds one item a sequence: a list, a tuple, a 1-D object array or a Series."""
    return isinstance(y, (list, tuple)) or (
        getattr(y, "ndim", 0) == 1 and getattr(y, "dtype", None) == np.object_
    )


def scored_steps(flat: np.ndarray) -> np.ndarray:
    """Return (M,) bool: the steps that have a target: it is not NaN, None or masked."""
    missing = np.ma.getmaskarray(flat).copy()
    flat = np.ma.getdata(flat)
    if flat.dtype.kind == "f":
        missing |= np.isnan(flat)
    elif flat.dtype.kind == "O":
        missing |= np.array([_is_missing(value) for value in flat.flat]).reshape(flat.shape)
    return np.asarray(~missing if missing.ndim == 1 else ~missing.any(axis=1))


def _is_missing(value: Any) -> bool:
    """Return whether the value is None, NaN or pandas.NA."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def scored_values(flat: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Return the targets of the scored steps; objects that are all numbers become numbers."""
    values = np.ma.getdata(flat)[scored]
    if values.dtype.kind == "O" and all(isinstance(value, Number) for value in values.ravel()):
        return np.array(values.tolist())
    return values


def has_step_lengths(y: Any, lengths: np.ndarray) -> bool:
    """Whether y has as many items for each sequence as X has steps."""
    if issparse(y):
        return False
    items = y if isinstance(y, SequenceArray) or _is_list(y) else np.asarray(y)
    if getattr(items, "ndim", 1) == 0:
        return False
    given = [len(item) if _is_sized(item) else 0 for item in items]
    return np.array_equal(given, lengths)


def _is_sized(item: Any) -> bool:
    is_text = isinstance(item, (str, bytes))
    return hasattr(item, "__len__") and not is_text and getattr(item, "ndim", 1) > 0


def step_weights(X: Any, lengths: np.ndarray, sample_weight: Any, scored: np.ndarray) -> np.ndarray:
    """Return the weight (M,) of each step, 0 where it is not scored.

    `sample_weight` has one weight for each sequence, or one for each step in a container like y.
    """
    refuse_no_list(sample_weight, "sample_weight")
    if isinstance(sample_weight, SequenceArray) or _has_arrays(sample_weight):
        flat = flatten_steps(X, lengths, sample_weight, "sample_weight")
        weight = check_sample_weight(flat, len(scored))
    else:
        weight = np.repeat(check_sample_weight(sample_weight, len(lengths)), lengths)
    weight = weight * scored
    if not weight.any():
        raise ValueError(
            "No step is scored: every target is missing (NaN, None or masked), or its weight is 0."
        )
    return weight


def _has_arrays(sample_weight: Any) -> bool:
    if _is_list(sample_weight):
        return any(map(_is_sized, sample_weight))
    return len(getattr(sample_weight, "shape", ())) > 1


def arrange_steps(
    X: Any, sequences: SequenceArray, rows: np.ndarray, *, tokens: bool = False
) -> np.ndarray:
    """Return one answer a step (M, ...) as (n, T, ...) or an object array of (T_i, ...).

    The first where X is an array without padding. A 1-D object array, unlike a list, passes
    through scikit-learn's cross_val_predict. `tokens`: whether X holds them, not numbers.
    """
    n, reading = len(sequences), how_to_read(X, tokens=tokens)
    if reading == "flat" or (reading == "array" and len(rows) == n * np.shape(X)[1]):
        return rows.reshape(n, -1, *rows.shape[1:])
    answers = np.split(rows, sequences.offsets[1:-1])
    return np.fromiter(answers, dtype=object, count=n)


def align_steps(
    X: Any, y: Any, answers: np.ndarray, sample_weight: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return targets, answers and weights of all scored steps, one below the other.

    Parameters
    ----------
    X, y, sample_weight
        As `fit` takes them.
    answers : ndarray
        What `predict` and its like say about X, as `arrange_steps` returns it.
    """
    if answers.dtype == object and answers.ndim == 1:
        lengths, rows = np.array([len(answer) for answer in answers]), np.concatenate(list(answers))
    else:
        lengths = np.full(len(answers), answers.shape[1])
        rows = answers.reshape(-1, *answers.shape[2:])
    flat = flatten_steps(X, lengths, y)
    scored = scored_steps(flat)
    weight = step_weights(X, lengths, sample_weight, scored)
    if sample_weight is None:
        return scored_values(flat, scored), rows[scored], None
    return scored_values(flat, scored), rows[scored], weight[scored]
