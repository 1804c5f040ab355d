"""Decide how to read a container of sequences: by its type, not by the numbers in it.

There are four ways:

- "flat": 2-D arrays and data frames, whose rows are flattened sequences;
- "array": 3-D arrays, perhaps padded with NaN;
- "list": lists, tuples, 1-D object arrays and Series, whose items are sequences;
- "packed": SequenceArray.
"""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from scipy import sparse

from sklearn_rnn._data.refusals import is_frame, refuse_named_tuple, refuse_unreadable, with_article
from sklearn_rnn.sequences import SequenceArray, real_steps


def how_to_read(X: Any, *, tokens: bool = False) -> Literal["flat", "array", "list", "packed"]:
    """Say how X is read: "flat", "array", "list" or "packed".

    Where it holds `tokens`, the items of a list are sequences, whatever they look like.
    """
    if isinstance(X, SequenceArray):
        return "packed"
    refuse_named_tuple(X, "X")
    if isinstance(X, (list, tuple)):
        return "list" if tokens or any(_is_sequence(item) for item in X) else "flat"
    if sparse.issparse(X) or is_frame(X) or isinstance(X, (str, bytes)):
        return "flat"
    if not hasattr(X, "__array__"):
        if hasattr(X, "collect"):
            raise TypeError(f"X is {with_article(X)}, which has no values yet: pass X.collect().")
        if isinstance(X, Iterable):
            raise TypeError(
                f"X is {with_article(X)}: expected an array, a data frame, a list of sequences "
                "or a SequenceArray. Make it a list first."
            )
        return "flat"
    refuse_unreadable(X, "X")
    ndim = len(X.shape) if hasattr(X, "shape") else np.asarray(X).ndim
    if ndim == 1 and (tokens or any(isinstance(x, (list, tuple)) or _is_sequence(x) for x in X)):
        return "list"
    return "flat" if ndim <= 2 else "array"


def _is_sequence(item: Any) -> bool:
    """Whether the item of a list is a sequence, rather than a row of numbers or a number."""
    if isinstance(item, str):  # of characters
        return True
    if isinstance(item, (list, tuple)):  # a row if it holds numbers, a sequence if it holds rows
        return len(item) > 0 and (isinstance(item[0], (list, tuple)) or _is_array(item[0]))
    return _is_array(item)


def _is_array(item: Any) -> bool:
    is_array = hasattr(item, "__array__") or hasattr(item, "shape")
    return is_array and getattr(item, "ndim", 1) > 0  # NumPy's numbers have ndim 0


def first_frame(X: Any) -> Any:
    """Give the first data frame of a list, which has the names of the features, or None."""
    frames = (item for item in X if is_frame(item)) if how_to_read(X) == "list" else iter(())
    return next(frames, None)


def describe(X: Any) -> str:
    if isinstance(X, SequenceArray):
        return f"a {X!r}"
    if isinstance(X, (list, tuple)):
        what = "rows" if how_to_read(X) == "flat" else "sequences"
        return f"{with_article(X)} of {len(X)} {what}"
    return f"of shape {X.shape if hasattr(X, 'shape') else np.asarray(X).shape}"


def restore_container(X: Any, sequences: SequenceArray) -> Any:
    """Return `sequences` in a container like X, from which they were read.

    Parameters
    ----------
    X : any container of sequences
        What `sequences` had been read from, before their values (and perhaps the number of their
        features) changed.
    sequences : SequenceArray of shape (n,)
        As many sequences as X has, of the same lengths.

    Returns
    -------
    container : ndarray, list, tuple, Series or SequenceArray
        3-D array: the same shape, with NaN where X was padded. Rows: rows again if there is one
        feature a step, else a 3-D array. List, tuple, object array and pandas Series: the same
        with ndarrays in it, which are 1-D if they were and there still is one feature.
    """
    reading = how_to_read(X)
    if reading == "packed":
        return sequences
    if reading == "list":
        return _restore_list(X, sequences)
    values, n_features = sequences.values, sequences.n_features
    if reading == "flat":
        shape = (len(sequences), -1) if n_features == 1 else (len(sequences), -1, n_features)
        return values.reshape(shape)
    X = np.asarray(X)
    shape = (*X.shape[:2], n_features)
    if len(values) == shape[0] * shape[1]:
        return values.reshape(shape)
    padded = np.full(shape, np.nan, dtype=values.dtype if values.dtype.kind == "f" else np.float64)
    padded[real_steps(np.asarray(X, dtype=np.float64))] = values
    return padded


def _restore_list(X: Any, sequences: SequenceArray) -> Any:
    items = list(sequences)
    if sequences.n_features == 1 and np.ndim(next(iter(X))) == 1:
        items = [item[:, 0] for item in items]
    if isinstance(X, (list, tuple)):
        return tuple(items) if isinstance(X, tuple) else items
    array = np.fromiter(items, dtype=object, count=len(items))
    if hasattr(X, "iloc"):  # a pandas Series
        return type(X)(array, index=X.index, name=X.name, dtype=object)
    return array
