"""What in a series is no number, named by its column, with what to do about it."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from sklearn_rnn._data.refusals import dtype_of, is_frame, name_of_dtype, refuse_lost_values

_ABOUT_MASKS = "Fill them in, or cut the series there and pass the parts as a list."

_DATES = ("date", "period", "timestamp")  # datetime64, Date, period[M], ...
_DURATIONS = ("time", "duration")  # timedelta64, Duration, Time


def check_cells(item: Any, label: str) -> None:
    """Raise ValueError where NumPy would make numbers of what are none, or lose a mask."""
    refuse_lost_values(item, label, _ABOUT_MASKS)
    for name, column in columns(item):
        kind = _kind_of_dtype(dtype_of(column))
        if kind is not None:
            raise ValueError(_message(label, name, kind, column, item))


def culprit(item: Any, label: str) -> str | None:
    """Say which column cannot be converted to numbers, and why; None if none can be blamed."""
    for name, column in columns(item):
        try:
            np.asarray(column).astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            for value in np.asarray(column).ravel():
                if (kind := _kind_of_value(value)) is not None:
                    return _message(label, name, kind, column, item, value)
    return None


def columns(item: Any) -> list[tuple[Any, Any]]:
    """Return names and columns; of what is no frame, the only name is None."""
    if not is_frame(item):
        return [(None, item)]
    if hasattr(item, "column_names"):  # PyArrow
        return list(zip(item.column_names, item.columns))
    if hasattr(item, "iloc"):  # names may be there twice
        return [(name, item.iloc[:, j]) for j, name in enumerate(item.columns)]
    return [(name, item[name]) for name in item.columns]


def _kind_of_dtype(dtype: Any) -> str | None:
    name = name_of_dtype(dtype)
    if name.startswith(_DATES):
        return "dates"
    if name.startswith(_DURATIONS):
        return "durations"
    if name.startswith("complex"):
        return "complex numbers"
    if name.startswith("struct"):
        return "structs"
    return "series" if name.startswith(("list", "array")) else None


def _kind_of_value(value: Any) -> str | None:
    if isinstance(value, (str, bytes)):
        try:
            float(value)
        except ValueError:
            return "text"
        return None
    if np.ndim(value) > 0:
        return "series"
    if isinstance(value, (datetime.date, np.datetime64)) or hasattr(value, "to_timestamp"):
        return "dates"
    if isinstance(value, (datetime.timedelta, datetime.time, np.timedelta64)):
        return "durations"
    return "complex numbers" if isinstance(value, complex) else None


def _message(label: str, name: Any, kind: str, column: Any, item: Any, value: Any = None) -> str:
    where = label if name is None else f"The column {name!r} of {label}"
    dtype = dtype_of(column)
    if kind == "series":
        which = "" if name is None else f"[{name!r}]"
        return (
            f"{where} holds a whole series in each cell, where one number is expected. Pass the "
            f"series as a list, [np.asarray(each) for each in {label}{which}]."
        )
    if kind == "dates":
        held = f"{where} holds dates ({dtype}), where numbers are expected."
        if name is None:
            return held
        if hasattr(item, "set_index"):
            return f"{held} If they are the times of the rows: {label}.set_index({name!r})."
        return (
            f"{held} If they are the times of the rows, leave the column out, "
            f"{label}.drop({name!r}); or {label}.to_pandas().set_index({name!r}) has them checked "
            "and continued."
        )
    if kind == "durations":
        return (
            f"{where} holds durations ({dtype}), where numbers are expected: give them as a "
            "number of seconds, for example."
        )
    shown = "" if value is None else f", such as {str(value)[:20]!r},"
    return f"{where} holds {kind}{shown} where numbers are expected. " + (
        "Convert it." if name is None else "Leave the column out, or encode it as numbers."
    )
