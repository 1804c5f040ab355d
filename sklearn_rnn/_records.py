"""The base of records: what functions return when they return several named values.

A record's class is a frozen dataclass beside the function that returns it, so that editors and
type checkers know the fields. A record is also a mapping, like scikit-learn's Bunch.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, ClassVar


class Record(Mapping[str, Any]):
    """A base of frozen dataclasses whose fields are also read by key: ``record["X"]``.

    Subclasses are made with ``@dataclass(frozen=True, eq=False, repr=False)``. Two records are
    equal if they are the same object, since arrays have no single answer to being equal.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]  # of the subclass

    def __getitem__(self, name: str) -> Any:
        if name not in list(self):
            raise KeyError(f"{name!r} is not a field of {type(self).__name__}: {', '.join(self)}")
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return (field.name for field in fields(self))

    def __len__(self) -> int:
        return len(fields(self))

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_SHORT.repr(value)}" for name, value in self.items())
        return f"{type(self).__name__}({shown})"


class _Short(reprlib.Repr):
    """Short representations: of an array its dtype and shape, of text its two ends."""

    def repr_ndarray(self, array: Any, level: int) -> str:  # reprlib looks it up by the type's name
        return f"{array.dtype}{list(array.shape)}"


_SHORT = _Short()
_SHORT.maxother = 100  # a SequenceArray is shown whole
