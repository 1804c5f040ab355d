"""Read X: convert any container of numbers to a SequenceArray of floats.

Whatever scikit-learn would refuse, it refuses itself: every way leads through its `check_array`,
so that its messages stay as they are.
"""

import re
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite, check_array

from sklearn_rnn._data.containers import how_to_read
from sklearn_rnn._data.refusals import (
    dtype_names,
    is_frame,
    no_overflow,
    refuse_silent_losses,
    with_article,
)
from sklearn_rnn.sequences import SequenceArray, real_steps


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
        plain = _say_plainly(error, X)
        _add_pointer(plain, X)
        raise plain from None


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
        plain = _say_plainly(error, X)
        _add_pointer(plain, X)
        plain.add_note(f"This is about the X of {name}.")
        raise plain from None
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
    if item is None or isinstance(item, Real) or type(item).__name__ == "NAType":
        raise ValueError(
            f"Sequence {i} of X is {item!r}, but an array of shape (n_timesteps, n_features) is "
            "expected. Leave out sequences that are missing, and their targets."
        )
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
    if isinstance(x, (list, tuple)):
        refuse_silent_losses(x, "x_t")
    if type(x) is not np.ndarray and isinstance(x, (list, tuple, Real)):
        try:
            x = np.asarray(x)
        except ValueError:
            raise ValueError(
                f"x_t is {with_article(x)} of items that differ in length: {name} was fitted on "
                f"{n_features} feature(s) a step, which each of them must have."
            ) from None
    if type(x) is not np.ndarray or x.dtype.kind not in "biuf":
        try:
            x = _as_floats(x, None, minimum=0)
        except ValueError as error:
            if "setting an array element" in str(error):
                raise ValueError(
                    f"x_t holds lists or arrays among its numbers: expected ({n_features},) for "
                    f"one stream, or (n_streams, {n_features}) for many."
                ) from None
            raise _say_plainly(error, x) from None
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
    refuse_silent_losses(X, "X")
    # A longdouble beyond float64 becomes inf, which is refused.
    with np.errstate(over="ignore"), no_overflow("X"):
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
    names = dtype_names(X)
    return np.float32 if names and set(names) <= {"float16", "float32"} else np.float64


def _read_only(values: np.ndarray) -> np.ndarray:
    """Give a view that nobody can write into, since it may be X's own memory."""
    view = values.view()
    view.flags.writeable = False
    return view


# --- What is refused, and in which words ---------------------------------------------------------


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


def _say_plainly(error: Exception, X: Any) -> Exception:
    """Return the error, or another in the user's words for what NumPy says of rows and cells."""
    text = str(error)
    if "could not convert string to float" in text:
        text = re.sub(r"np\.str_\((.*?)\)$", r"\1", text)  # NumPy's name for its strings
        where = f", in the column {_first_without_numbers(X)!r} of X" if is_frame(X) else ""
        return ValueError(text + where)
    if "inhomogeneous" in text and isinstance(X, (list, tuple)):
        return ValueError(_message_of_rows(X))
    if "setting an array element with a sequence" in text:
        return ValueError(_message_of_cells(X))
    return error


def _first_without_numbers(X: Any) -> Any:
    """Return the name of the first column whose cells are not numbers."""
    for name in X.columns:
        try:
            is_numbers = np.asarray(X[name], dtype=float).ndim == 1
        except (TypeError, ValueError):
            is_numbers = False
        if not is_numbers:
            return name
    return None


def _message_of_rows(X: list[Any] | tuple[Any, ...]) -> str:
    """Say that rows differ in length."""
    rows = [item for item in X if isinstance(item, (list, tuple))]
    lengths = [len(row) for row in rows]
    lengths += [1] * (len(X) - len(rows))
    message = f"X is {with_article(X)} of rows that differ in length ({min(lengths)} to "
    message += f"{max(lengths)})"
    if any(isinstance(token, str) for row in rows for token in row):
        return f"{message}. {_ABOUT_TOKENS}"
    return (
        f"{message}, but rows have one value for each step. If these are sequences of unequal "
        "length, make each of them an array: [np.asarray(sequence) for sequence in X]."
    )


def _message_of_cells(X: Any) -> str:
    """Say that cells hold arrays, lists or Series; of a data frame, name the first such column."""
    remedy = "X.to_numpy()" if hasattr(X, "iloc") else "X.rows()" if is_frame(X) else "X"
    where = "Cells of X"
    if is_frame(X):
        where = f"Cells of the column {_first_without_numbers(X)!r} of X"
    return (
        f"{where} hold arrays or lists, but a 2-D X has a number in each cell. This makes a list "
        "of sequences, with one column for each feature: "
        f"[np.column_stack(row) for row in {remedy}]."
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
    if "Expected 2D array, got 1D array" in str(error):
        error.add_note(
            "Is X one sequence? pass [X]; after a fit on a 2-D X, X.reshape(1, -1). Are these "
            "sequences of one step each? pass X.reshape(-1, 1)."
        )
    if "contains NaN" in str(error) and how_to_read(X) == "flat" and _ends_in_nan(X):
        error.add_note(
            "NaN stands at the ends of the rows. Is it the padding of sequences of unequal length? "
            "pass a 3-D array, np.asarray(X, dtype=float)[:, :, np.newaxis], where such steps are "
            "left out."
        )


def _ends_in_nan(X: Any) -> bool:
    """Whether the NaN of a table (n, D) stand at the ends of its rows only."""
    table = _as_floats(X, None)
    return table.ndim == 2 and not np.isnan(table[real_steps(table[:, :, np.newaxis])]).any()
