"""What X means: from here on, every container is a packed SequenceArray of floats.

A container is read in one of four ways, by its type and not by the numbers in it:

- "flat": 2-D arrays and data frames, whose rows are flattened sequences;
- "array": 3-D arrays, perhaps padded with NaN;
- "list": lists, tuples, 1-D object arrays and Series, whose items are sequences;
- "packed": SequenceArray.

Whatever scikit-learn would refuse, it refuses itself: all roads lead through its `check_array`,
so its messages stay as they are.
"""

from collections.abc import Iterable
from numbers import Real
from typing import Any, Literal

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.validation import validate_data

from sklearn_rnn.sequences import SequenceArray, real_steps

_TEMPORAL = ("date", "time", "duration", "period")  # datetime64, timedelta64, Duration, ...


def check_sequences(
    estimator: Any, X: Any, *, n_timesteps: int | None = None, reset: bool, allow_nan: bool = False
) -> SequenceArray:
    """Read X, and remember its form on the estimator or compare it with what fit has seen.

    An X that is refused leaves the estimator as it was.

    Parameters
    ----------
    estimator : estimator instance
        Whose X it is.
    X : any container of sequences
        See the module's docstring.
    n_timesteps : int, default=None
        The steps that a row of a 2-D X holds; None means one step a column.
    reset : bool
        True in fit: set `n_features_in_`, `feature_names_in_` (if there are any),
        `n_timesteps_in_` (None if the lengths differ) and `_input_kind_` ("flat" or "sequences").
        False in predict: check X against them.
    allow_nan : bool, default=False
        Whether NaN may be among the values of a sequence.

    Returns
    -------
    sequences : SequenceArray of shape (n,)
        Its `values` are C-contiguous float32 or float64 and read-only: they may be X's own memory.
    """
    if how_to_read(X) == "flat":
        # Other names come before NaN, since reindexing a frame to them fills it with NaN.
        if not reset and _is_frame(X) and hasattr(estimator, "feature_names_in_"):
            validate_data(estimator, X, reset=False, skip_check_array=True, ensure_2d=False)
        rows = _read_rows(estimator, X, allow_nan)
        if not reset:
            compare_with_fit(estimator, X, "flat", table=X)
        sequences = _cut_rows(estimator, rows, n_timesteps)
        if reset:
            remember(estimator, sequences, "flat", table=X)
        return sequences

    sequences = _read_sequences(estimator, X, allow_nan)
    frame = _first_frame(X)
    table = sequences.values if frame is None else frame
    if reset:
        _check_n_timesteps_fits(sequences, n_timesteps)
        remember(estimator, sequences, "sequences", table)
    else:
        compare_with_fit(estimator, X, "sequences", table)
    return sequences


def read_sequences(
    estimator: Any, X: Any, *, n_timesteps: int | None = None, allow_nan: bool = False
) -> SequenceArray:
    """Read X as `check_sequences` does, but neither change the estimator nor look at its fit.

    The `estimator` may be a name instead, for the messages.
    """
    if how_to_read(X) == "flat":
        return _cut_rows(estimator, _read_rows(estimator, X, allow_nan), n_timesteps)
    return _read_sequences(estimator, X, allow_nan)


def read_observation(estimator: Any, x_t: Any, n_features: int, dtype: np.dtype) -> np.ndarray:
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
        if _is_frame(x) and estimator._input_kind_ == "sequences":
            validate_data(estimator, x, reset=False, skip_check_array=True)
        x = _as_floats(None, x, minimum=0)
    if x.dtype != dtype:
        with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused
            x = x.astype(dtype)
    if x.ndim not in (1, 2) or x.shape[-1] != n_features or len(x) == 0:
        raise ValueError(
            f"x_t has shape {x.shape}, but {type(estimator).__name__} was fitted on "
            f"{n_features} feature(s) a step: expected ({n_features},) for one stream, or "
            f"(n_streams, {n_features}) for many."
        )
    if np.count_nonzero(np.isfinite(x)) != x.size:  # half the time of isfinite(x).all()
        *stream, feature = np.argwhere(~np.isfinite(x))[0].tolist()
        where = f"in stream {stream[0]}, feature {feature}" if stream else f"in feature {feature}"
        what = "NaN" if np.isnan(x).any() else f"infinity or a value too large for {dtype}"
        raise ValueError(f"Input x_t contains {what}, {where}.")
    return x


def restore_container(X: Any, sequences: SequenceArray) -> Any:
    """Hand `sequences` back in the container X from which they were read.

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
    padded[real_steps(_as_floats(None, X))] = values
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


# --- How to read a container ---------------------------------------------------------------------


def how_to_read(X: Any, *, tokens: bool = False) -> Literal["flat", "array", "list", "packed"]:
    """Say how X is read: "flat", "array", "list" or "packed".

    Where it holds `tokens`, the items of a list are sequences, whatever they look like.
    """
    if isinstance(X, SequenceArray):
        return "packed"
    if isinstance(X, (list, tuple)):
        return "list" if tokens or any(_is_sequence(item) for item in X) else "flat"
    if sparse.issparse(X) or _is_frame(X) or isinstance(X, (str, bytes)):
        return "flat"
    if not hasattr(X, "__array__"):
        if isinstance(X, Iterable):
            raise TypeError(
                f"X is a {type(X).__name__}: expected an array, a data frame, a list of sequences "
                "or a SequenceArray. Make it a list first."
            )
        return "flat"
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


def _is_frame(X: Any) -> bool:
    return hasattr(type(X), "columns") and hasattr(X, "__array__")  # a LazyFrame is not one yet


def _first_frame(X: Any) -> Any:
    """Give the first data frame of a list, which has the names of the features, or None."""
    frames = (item for item in X if _is_frame(item)) if how_to_read(X) == "list" else iter(())
    return next(frames, None)


# --- Reading: each way ends in packed floats -----------------------------------------------------


def _read_rows(estimator: Any, X: Any, allow_nan: bool) -> np.ndarray:
    """Read a 2-D X, all by scikit-learn's rules and in its words."""
    if isinstance(X, (list, tuple)) and len(X) == 0:
        raise ValueError(_message_no_samples(estimator, X))
    try:
        return _as_floats(estimator, X, finite="allow-nan" if allow_nan else True, ensure_2d=True)
    except ValueError as error:
        _add_pointer(error, X)
        raise


def _cut_rows(estimator: Any, rows: np.ndarray, n_timesteps: int | None) -> SequenceArray:
    """Cut rows that are flattened sequences, in C order, into their time steps."""
    n_rows, n_columns = rows.shape
    if n_timesteps is None:
        n_timesteps = n_columns
    if n_columns % n_timesteps:
        raise ValueError(
            f"X has {n_columns} columns, which are not a multiple of n_timesteps={n_timesteps}: "
            f"{_name(estimator)} expects rows that are flattened sequences, "
            "X3.reshape(len(X3), -1) of an X3 of shape (n_sequences, n_timesteps, n_features)."
        )
    values = rows.reshape(n_rows * n_timesteps, n_columns // n_timesteps)
    return SequenceArray(_read_only(values), np.arange(n_rows + 1) * n_timesteps)


def _read_sequences(estimator: Any, X: Any, allow_nan: bool) -> SequenceArray:
    """Read anything but a 2-D X."""
    if isinstance(X, SequenceArray) and len(X) == 0:
        raise ValueError(_message_no_samples(estimator, X))
    reading = how_to_read(X)
    try:
        if reading == "array":
            packed = _pack_array(estimator, X)
        else:
            packed = X if reading == "packed" else _pack_list(X)
        values = _as_floats(estimator, packed.values)
        _check_finite(values, packed.offsets, X, allow_nan)
    except (TypeError, ValueError) as error:
        _add_pointer(error, X)
        error.add_note(f"This is about the X of {_name(estimator)}.")
        raise
    return SequenceArray(_read_only(values), packed.offsets)


def _pack_array(estimator: Any, X: Any) -> SequenceArray:
    """Pack (n, T, F), without the steps at either end of a sequence that are all NaN."""
    X = _as_floats(estimator, X)
    if X.ndim > 3:
        raise ValueError(
            f"Found array with dim {X.ndim}, while dim <= 3 is required by "
            f"{_name(estimator)}: (n_sequences, n_timesteps, n_features)."
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
        return _as_floats(None, item, minimum=0)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Sequence {i} of X: {error}") from error


def _as_floats(
    estimator: Any, X: Any, *, finite: bool | str = False, ensure_2d: bool = False, minimum: int = 1
) -> np.ndarray:
    """Convert to a C-contiguous array, float32 if X is in single or half precision, or float64."""
    refuse_silent_losses(X)
    with np.errstate(over="ignore"):  # a longdouble beyond float64 becomes inf, which is refused
        return check_array(
            X,
            dtype=_float_dtype(X),
            order="C",
            ensure_all_finite=finite,
            ensure_2d=ensure_2d,
            allow_nd=not ensure_2d,
            ensure_min_samples=minimum,
            ensure_min_features=minimum,
            estimator=estimator,
            input_name="X",
        )


def _float_dtype(X: Any) -> type[np.floating]:
    names = _dtype_names(X)
    return np.float32 if names and set(names) <= {"float16", "float32"} else np.float64


def _dtype_names(X: Any) -> list[str]:
    """Give the dtypes of an array or frame by name: NumPy, pandas, polars and PyTorch alike."""
    dtypes = getattr(X, "dtypes", ()) if _is_frame(X) else [getattr(X, "dtype", None)]
    names = (str(getattr(dtype, "name", dtype)).lower() for dtype in dtypes)
    return [name.removeprefix("torch.") for name in names]


def _read_only(values: np.ndarray) -> np.ndarray:
    """Give a view that nobody can write into, since it may be X's own memory."""
    view = values.view()
    view.flags.writeable = False
    return view


# --- What fit has seen ---------------------------------------------------------------------------


def remember(estimator: Any, sequences: SequenceArray, kind: str, table: Any) -> None:
    """Note the form of X; `table`, a 2-D array or frame, has its features and their names."""
    validate_data(estimator, table, reset=True, skip_check_array=True)
    estimator.n_timesteps_in_ = _common_length(sequences)
    estimator._input_kind_ = kind


def compare_with_fit(estimator: Any, X: Any, kind: str, table: Any) -> None:
    fitted_kind = getattr(estimator, "_input_kind_", kind)
    if kind != fitted_kind:
        message = _message_not_flat if fitted_kind == "flat" else _message_flat
        raise ValueError(message(estimator, X))
    validate_data(estimator, table, reset=False, skip_check_array=True)


def _common_length(sequences: SequenceArray) -> int | None:
    lengths = sequences.lengths
    return int(lengths[0]) if np.all(lengths == lengths[0]) else None


def _check_n_timesteps_fits(sequences: SequenceArray, n_timesteps: int | None) -> None:
    lengths = sequences.lengths
    if n_timesteps is not None and np.any(lengths != n_timesteps):
        raise ValueError(
            f"n_timesteps={n_timesteps} is for a 2-D X, whose rows are flattened sequences, but X "
            f"holds sequences of {lengths.min()} to {lengths.max()} steps: leave n_timesteps=None."
        )


# --- What is refused, and in which words ---------------------------------------------------------


def refuse_silent_losses(X: Any) -> None:
    """Refuse what NumPy would make numbers of, though they are not."""
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
    """Look at all values at once, and for the culprit only if there is one."""
    try:
        assert_all_finite(values, allow_nan=allow_nan)
    except ValueError:
        has_nan = not allow_nan and bool(np.isnan(values).any())
        row, feature = np.argwhere(np.isnan(values) if has_nan else np.isinf(values))[0]
        i = np.searchsorted(offsets, row, side="right") - 1
        step = row - offsets[i]
        if how_to_read(X) == "array":  # count from the start of the array, padding and all
            step += real_steps(_as_floats(None, np.asarray(X)[[i]])).argmax()
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
        if not _is_frame(item):
            continue
        columns = list(item.columns)
        first = first or (i, columns)
        if columns != first[1]:
            raise ValueError(
                f"Sequence {i} of X has the columns {columns}, but sequence {first[0]} has "
                f"{first[1]}: all must have the same, in the same order."
            )


def _message_no_samples(estimator: Any, X: Any) -> str:
    return (
        f"Found array with 0 sample(s) (an empty {type(X).__name__}) while a minimum of 1 is "
        f"required by {_name(estimator)}."
    )


def _message_not_flat(estimator: Any, X: Any) -> str:
    name, width = type(estimator).__name__, estimator.n_features_in_
    return (
        f"X is {_describe(X)}, but {name} was fitted on a 2-D X, on rows of {width} values. "
        f"Pass rows of {width} values, or fit it on sequences."
    )


def _message_flat(estimator: Any, X: Any) -> str:
    name, n_features = type(estimator).__name__, estimator.n_features_in_
    return (
        f"X is {_describe(X)}, but {name} was fitted on sequences of {n_features} feature(s). "
        "Is X one sequence? pass [X]. Is each row a sequence of one feature? "
        "pass np.asarray(X)[:, :, np.newaxis]."
    )


def _name(estimator: Any) -> str:
    return estimator if isinstance(estimator, str) else type(estimator).__name__


def _describe(X: Any) -> str:
    if isinstance(X, SequenceArray):
        return f"a {X!r}"
    if isinstance(X, (list, tuple)):
        what = "rows" if how_to_read(X) == "flat" else "sequences"
        return f"a {type(X).__name__} of {len(X)} {what}"
    return f"of shape {X.shape if hasattr(X, 'shape') else np.asarray(X).shape}"


def _add_pointer(error: Exception, X: Any) -> None:
    """Add to scikit-learn's message, which stays as it is, what a newcomer may have meant."""
    if _is_frame(X) and "could not convert" in str(error):
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
