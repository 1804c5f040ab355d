"""What no container may hold, whatever it is passed for: values that NumPy would read as others.

NumPy drops masks, makes numbers of dates, and makes one object of a dict. Here such values are
refused before NumPy sees them, in the same words for X, y and weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MappingView, Set
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What a list of plain values holds: there is nothing to look for in it.
PLAIN_TYPES = {float, int, bool, str, bytes, type(None), np.float64, np.float32, np.int64, np.bool_}
_TEMPORAL = ("date", "time", "duration", "period")  # datetime64, timedelta64, Duration, ...


_FILL_IN = "Fill them in; padding at the ends of a sequence may be NaN in a 3-D array."


def refuse_silent_losses(values: Any, name: str, about_masks: str = _FILL_IN) -> None:
    """Refuse arrays of which NumPy would make numbers, though they are not.

    Parameters
    ----------
    values : array-like
        An array, a frame, a tensor or a list.
    name : str
        What the user calls it.
    about_masks : str
        What to do about masked values, a sentence.

    Raises
    ------
    ValueError
        For masked values, fields, dates, durations, and tensors that NumPy cannot read.
    """
    refuse_lost_values(values, name, about_masks)
    temporal = [dtype for dtype in dtype_names(values) if dtype.startswith(_TEMPORAL)]
    if temporal:
        raise ValueError(
            f"{name} is of type {temporal[0]}, but numbers are expected: give the time that has "
            f"passed as a number, for example ({name} - {name}.min()) / np.timedelta64(1, 's')."
        )


def refuse_lost_values(values: Any, name: str, about_masks: str = _FILL_IN) -> None:
    """Refuse masked values, fields, and tensors that NumPy cannot read; dates may pass."""
    if is_masked(values):
        raise ValueError(f"{name} has masked values, and the mask would be lost. {about_masks}")
    refuse_unreadable(values, name)


def refuse_unreadable(values: Any, name: str) -> None:
    """Refuse fields, and tensors that NumPy cannot read; masks and dates may pass."""
    for part in _parts(values):
        if isinstance(part, np.ndarray) and part.dtype.names:
            raise ValueError(
                f"{name} is a structured array with the fields {part.dtype.names}, but plain "
                "values are expected: numpy.lib.recfunctions.structured_to_unstructured converts "
                f"it, and {name}[{part.dtype.names[0]!r}] takes one field."
            )
        if hasattr(part, "detach") and hasattr(part, "numpy"):
            _refuse_unreadable_tensor(part, name)


def is_masked(values: Any) -> bool:
    """Return whether one of the values is masked, in arrays or in lists of them."""
    return any(
        isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in _parts(values)
    )


def _parts(values: Any) -> Iterator[Any]:
    """Give the values and, of lists and of arrays of objects, their items and all within these."""
    yield values
    if isinstance(values, list | tuple):
        items = () if set(map(type, values)) <= PLAIN_TYPES else values
    else:
        holds_objects = getattr(values, "dtype", None) == np.object_ and np.ndim(values) > 0
        items = values if holds_objects else ()
    for item in items:
        yield from _parts(item)


def as_array(values: Any, name: str) -> NDArray[Any]:
    """Convert to an array, unless masked values or the like would be lost."""
    refuse_lost_values(values, name)
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(
            f"{name} holds lists or arrays that differ in length, of which no array can be made."
        ) from None


def _refuse_unreadable_tensor(values: Any, name: str) -> None:
    """Refuse tensors of PyTorch that NumPy cannot read: with gradients, on a GPU, in bfloat16."""
    try:
        values.numpy()
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"NumPy cannot read the tensor {name} ({error}). Pass a tensor on the CPU, without "
            "gradients, of float32 or float64: tensor.detach().cpu().float()."
        ) from None


def refuse_no_list(values: Any, name: str) -> None:
    """Refuse what has no rows, or none in an order: dicts, sets, generators and named tuples.

    Raises
    ------
    TypeError
        It says what was given, and what to do.
    """
    refuse_named_tuple(values, name)
    if isinstance(values, Mapping):
        remedy = f"Pass its values as a list, list({name}.values()), in the order of X."
    elif isinstance(values, Set | Iterator | MappingView):
        remedy = "Pass a list, in the order of X."
    else:
        return
    raise TypeError(
        f"{name} is {with_article(values)}: expected an array or a list, with one item for each "
        f"sequence. {remedy}"
    )


def refuse_named_tuple(values: Any, name: str) -> None:
    """Refuse a named tuple, whose fields are not one for each sequence, as PackedSequence.

    Raises
    ------
    TypeError
        It says what was given, and what to do.
    """
    fields = getattr(values, "_fields", ())
    if not (isinstance(values, tuple) and fields):
        return
    remedy = f"pass the field that holds the data, {name}.{fields[0]} for example"
    if type(values).__name__ == "PackedSequence":
        remedy = f"torch.nn.utils.rnn.unpack_sequence({name}) makes a list of it"
    raise TypeError(
        f"{name} is {with_article(values)}, a named tuple with the fields "
        f"{', '.join(fields)}, but one item for each sequence is expected: {remedy}."
    )


@contextmanager
def no_overflow(name: str) -> Iterator[None]:
    """Raise a ValueError in the place of Python's OverflowError, of integers such as 10**400."""
    try:
        yield
    except OverflowError:
        raise ValueError(
            f"{name} holds an integer that is too large for a float, whose largest is 1.8e308. "
            "Scale it, or take its logarithm."
        ) from None


def is_frame(values: Any) -> bool:
    """Return whether this is a data frame; a LazyFrame is not one yet."""
    return hasattr(type(values), "columns") and hasattr(values, "__array__")


def dtype_names(values: Any) -> list[str]:
    """Return the dtypes of an array or frame by name, of any library."""
    if hasattr(values, "column_names"):  # PyArrow has types
        dtypes = values.schema.types
    elif is_frame(values):
        dtypes = getattr(values, "dtypes", ())
    else:
        dtypes = [dtype_of(values)]
    return [name_of_dtype(dtype).removeprefix("torch.") for dtype in dtypes]


def dtype_of(column: Any) -> Any:
    """Return the dtype of an array or column of any library; PyArrow calls it type."""
    return getattr(column, "dtype", getattr(column, "type", None))


def name_of_dtype(dtype: Any) -> str:
    """Return the name of a dtype of any library, in lower case."""
    return str(getattr(dtype, "name", dtype)).lower()


def with_article(value: Any) -> str:
    """Return the name of a value's type with its article: "a dict", "an int"."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeioAEIO' else 'a'} {name}"
