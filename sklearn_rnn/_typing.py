"""Types of what public functions take and return, for annotations.

scikit-learn, pandas and polars ship no complete types, so that data are described by what is done
with them: they are converted by NumPy, or walked through as a list.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sklearn_rnn.sequences import SequenceArray

__all__ = ["Array", "ArrayOrList", "Observation", "RandomState", "SequencesLike", "SupportsArray"]

Array: TypeAlias = NDArray[Any]
"""An array of any dtype; the docstrings say its shape."""

RandomState: TypeAlias = int | np.random.RandomState | None
"""What scikit-learn's `check_random_state` takes."""


class SupportsArray(Protocol):
    """What NumPy can convert: an array, a data frame, a Series, a tensor."""

    def __array__(self) -> Array:
        """Return the data as an array."""


ArrayOrList: TypeAlias = SupportsArray | list[Any] | tuple[Any, ...]
"""Targets, weights or groups: an array or a list, which may hold arrays.

Not `numpy.typing.ArrayLike`, which also takes a single number or text, and has no place for the
None of a missing target or for arrays of unequal lengths of objects.
"""

Observation: TypeAlias = ArrayOrList | float | str
"""What one stream, or each of several, shows at one time step: numbers or a token."""

SequencesLike: TypeAlias = SequenceArray | ArrayOrList
"""Sequences, or series: an array or a data frame, a list of them, or a SequenceArray."""
