"""Read X: convert any container of numbers to a SequenceArray of floats.

Whatever scikit-learn would refuse, it refuses itself: every way leads through its `check_array`,
so that its messages stay as they are.
"""

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite, check_array

from sklearn_rnn._data.containers import how_to_read, is_frame
from sklearn_rnn.sequences import SequenceArray, real_steps

_TEMPORAL = ("date", "time", "duration", "period")  # datetime64, timedelta64, Duration, ...


def read_sequences(
    X: Any, name: str, *, n_timesteps: int | None = None, allow_nan: bool = False
) -> SequenceArray:
    """Read X, a container of any kind, and return its sequences.

    Parameters
    ----------
    X : any container of sequences
        See `sklearn_rnn._data.containers`.
    name : str
        What reads it, for the messages.
    n_timesteps : int, default=None
        The steps that a row of a 2-D X holds; None means one step a column.
    allow_nan : bool, default=False
        Whether NaN may be among the values of a sequence.

    Returns
    -------
    sequences : SequenceArray of shape (n,)
        Its `values` are C-contiguous float32 or float64 and read-only: they may be X's own memory.
    """
    if how_to_read(X) == "flat":
        return cut_rows(read_rows(X, name, allow_nan=allow_nan), n_timesteps, name)
    return read_items(X, name, allow_nan=allow_nan)


def read_rows(X: Any, name: str, *, allow_nan: bool = False) -> np.ndarray:
    """Read a 2-D X, all by scikit-learn's rules and in its words."""
    if isinstance(X, (list, tuple)) and len(X) == 0:
        raise ValueError(_message_no_samples(X, name))
    try:
        return _as_floats(X, name, finite="allow-nan" if allow_nan else True, ensure_2d=True)
    except ValueError as error:
        _add_pointer(error, X)
        raise


def cut_rows(rows: np.ndarray, n_timesteps: int | None, name: str) -> SequenceArray:
    """Cut rows that are flattened sequences, in C order, into their time steps."""
    n_rows, n_columns = rows.shape
    if n_timesteps is None:
        n_timesteps = n_columns
    if n_columns % n_timesteps:
        raise ValueError(
            f"X has {n_columns} columns, which are not a multiple of n_timesteps={n_timesteps}: "
            f"{name} expects rows that are flattened sequences, "
            "X3.reshape(len(X3), -1) of an X3 of shape (n_sequences, n_timesteps, n_features)."
        )
    values = rows.reshape(n_rows * n_timesteps, n_columns // n_timesteps)
    return SequenceArray(_read_only(values), np.arange(n_rows + 1) * n_timesteps)


def read_items(X: Any, name: str, *, allow_nan: bool = False) -> SequenceArray:
    """Read anything but a 2-D X."""
    if isinstance(X, SequenceArray) and len(X) == 0:
        raise ValueError(_message_no_samples(X, name))
    reading = how_to_read(X)
    try:
        if reading == "array":
            packed = _pack_array(X, name)
        else:
            packed = X if reading == "packed" else _pack_list(X)
        values = _as_floats(packed.values, name)
        _check_finite(values, packed.offsets, X, allow_nan)
    except (TypeError, ValueError) as error:
        _add_pointer(error, X)
        error.add_note(f"This is about the X of {name}.")
        raise
    return SequenceArray(_read_only(values), packed.offsets)


def _pack_array(X: Any, name: str) -> SequenceArray:
    """Pack (n, T, F), without the steps at either end of a sequence that are all NaN."""
    X = _as_floats(X, name)
    if X.ndim > 3:
        raise ValueError(
            f"Found array with dim {X.ndim}, while dim <= 3 is required by "
            f"{name}: (n_sequences, n_timesteps, n_features)."
        )
    return SequenceArray.from_padded(X)


def _pack_list(X: Any) -> SequenceArray:
    """Pack items of shape (T_i, F) or (T_i,)."""
    items = list(X)
    _check_same_columns(items)
    return SequenceArray.from_sequences([_read_item(i, item) for i, item in enumerate(items)])


def _read_item(i: int, item: Any) -> np.ndarray:
    """Read one sequence: an array, a data frame, a nested list, ..."""
    # There may be many: 35 µs each through check_array, 1 µs all in all without it.
    if type(item) is np.ndarray and item.dtype.kind in "biuf":
        return item
    if isinstance(item, str):
        what = f"could not convert string to float: {item[:20]!r}"
        raise ValueError(f"Sequence {i} of X: {what}. {_ABOUT_TOKENS}")
    try:
        return _as_floats(item, None, minimum=0)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Sequence {i} of X: {error}") from error


def read_observation(x_t: Any, n_features: int, dtype: np.dtype, name: str) -> np.ndarray:
    """Read what streams show at one step: (n_features,) for one, (n_streams, n_features) for many.

    It is the hot path of a live stream: arrays of numbers, and lists of them, take 1 µs;
    all else takes the long way through scikit-learn.

    Returns
    -------
    x : ndarray of shape (n_features,) or (n_streams, n_features)
        Finite, in `dtype`; perhaps `x_t` itself.
    """
    x = x_t
    if type(x) is not np.ndarray and isinstance(x, (list, tuple, Real)):
        x = np.asarray(x)
    if type(x) is not np.ndarray or x.dtype.kind not in "biuf":
        x = _as_floats(x, None, minimum=0)
    if x.dtype != dtype:
        with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused
            x = x.astype(dtype)
    if x.ndim not in (1, 2) or x.shape[-1] != n_features or len(x) == 0:
        raise ValueError(
            f"x_t has shape {x.shape}, but {name} was fitted on "
            f"{n_features} feature(s) a step: expected ({n_features},) for one stream, or "
            f"(n_streams, {n_features}) for many."
        )
    if np.count_nonzero(np.isfinite(x)) != x.size:  # half the time of isfinite(x).all()
        *stream, feature = np.argwhere(~np.isfinite(x))[0].tolist()
        where = f"in stream {stream[0]}, feature {feature}" if stream else f"in feature {feature}"
        what = "NaN" if np.isnan(x).any() else f"infinity or a value too large for {dtype}"
        raise ValueError(f"Input x_t contains {what}, {where}.")
    return x


def _as_floats(
    X: Any,
    name: str | None,
    *,
    finite: bool | str = False,
    ensure_2d: bool = False,
    minimum: int = 1,
) -> np.ndarray:
    """Convert to a C-contiguous array, float32 if X is in single or half precision, or float64."""
    refuse_silent_losses(X)
    with np.errstate(over="ignore"):  # a longdouble beyond float64 becomes inf, which is refused
        return check_array(
            X,
            dtype=float_dtype(X),
            order="C",
            ensure_all_finite=finite,
            ensure_2d=ensure_2d,
            allow_nd=not ensure_2d,
            ensure_min_samples=minimum,
            ensure_min_features=minimum,
            estimator=name,
            input_name="X",
        )


def float_dtype(X: Any) -> type[np.floating]:
    """Return float32 for what is in single or half precision, and else float64."""
    names = _dtype_names(X)
    return np.float32 if names and set(names) <= {"float16", "float32"} else np.float64


def _dtype_names(X: Any) -> list[str]:
    """Give the dtypes of an array or frame by name: NumPy, pandas, polars and PyTorch alike."""
    dtypes = getattr(X, "dtypes", ()) if is_frame(X) else [getattr(X, "dtype", None)]
    names = (str(getattr(dtype, "name", dtype)).lower() for dtype in dtypes)
    return [name.removeprefix("torch.") for name in names]


def _read_only(values: np.ndarray) -> np.ndarray:
    """Give a view that nobody can write into, since it may be X's own memory."""
    view = values.view()
    view.flags.writeable = False
    return view


# --- What is refused, and in which words ---------------------------------------------------------


def refuse_silent_losses(X: Any) -> None:
    """Refuse masked, structured and date arrays, which NumPy would convert silently."""
    if np.ma.is_masked(X):
        raise ValueError(
            "X has masked values, and the mask would be lost. Fill them in; "
            "padding at the ends of a sequence may be NaN in a 3-D array."
        )
    if isinstance(X, np.ndarray) and X.dtype.names:
        raise ValueError(
            f"X is a structured array with the fields {X.dtype.names}, but numbers are expected: "
            "numpy.lib.recfunctions.structured_to_unstructured converts it."
        )
    temporal = [name for name in _dtype_names(X) if name.startswith(_TEMPORAL)]
    if temporal:
        raise ValueError(
            f"X is of type {temporal[0]}, but numbers are expected: give the time that has "
            "passed as a number, for example (X - X.min()) / np.timedelta64(1, 's')."
        )


def _check_finite(values: np.ndarray, offsets: np.ndarray, X: Any, allow_nan: bool) -> None:
    """Raise ValueError at the first value that is not finite; say where it is."""
    try:
        assert_all_finite(values, allow_nan=allow_nan)
    except ValueError:
        has_nan = not allow_nan and bool(np.isnan(values).any())
        row, feature = np.argwhere(np.isnan(values) if has_nan else np.isinf(values))[0]
        i = np.searchsorted(offsets, row, side="right") - 1
        step = row - offsets[i]
        if how_to_read(X) == "array":  # count from the start of the array, padding and all
            step += real_steps(_as_floats(np.asarray(X)[[i]], None)).argmax()
        raise ValueError(
            f"Input X contains {'NaN' if has_nan else 'infinity'}. "
            f"It is in sequence {i}, at step {step}, in feature {feature}."
            + (f" {_ABOUT_NAN}" if has_nan else "")
        ) from None


_ABOUT_TOKENS = (
    "For text and other tokens, set embedding_size, as in GRUClassifier(embedding_size=16)."
)
_ABOUT_NAN = (
    "Only whole steps at either end of a sequence may be NaN, as padding, and only in a 3-D "
    "array. TimestepTransformer(SimpleImputer()) fills in missing values."
)


def _check_same_columns(X: Any) -> None:
    first = None
    for i, item in enumerate(X):
        if not is_frame(item):
            continue
        columns = list(item.columns)
        first = first or (i, columns)
        if columns != first[1]:
            raise ValueError(
                f"Sequence {i} of X has the columns {columns}, but sequence {first[0]} has "
                f"{first[1]}: all must have the same, in the same order."
            )


def _message_no_samples(X: Any, name: str) -> str:
    return (
        f"Found array with 0 sample(s) (an empty {type(X).__name__}) while a minimum of 1 is "
        f"required by {name}."
    )


def _add_pointer(error: Exception, X: Any) -> None:
    """Add a hint to scikit-learn's message, which itself stays unchanged."""
    if is_frame(X) and "could not convert" in str(error):
        error.add_note(
            "If several rows of this data frame belong to one sequence: "
            "sequences_from_frame(df, by=, order=) makes sequences of it, "
            "where by= names the column of the sequence and order= that of the time."
        )
    if "could not convert string" in str(error) and _ABOUT_TOKENS not in str(error):
        error.add_note(_ABOUT_TOKENS)
    if isinstance(X, (list, tuple)) and "inhomogeneous" in str(error):
        lists = (item for item in X if isinstance(item, (list, tuple)))
        if any(isinstance(token, str) for item in lists for token in item):
            error.add_note(_ABOUT_TOKENS)
            return
        error.add_note(
            "If these are sequences of unequal length, make each of them an array: "
            "[np.asarray(sequence) for sequence in X]."
        )
