"""A `cached_property` without a lock, which functools has from Python 3.12 on.

Before, all instances of a class share one lock. A child process that is forked while another thread
holds it waits for it for ever, and the threads of two fits wait for each other.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, TypeVar

Value = TypeVar("Value")

if sys.version_info >= (3, 12):
    from functools import cached_property
else:

    class _Unlocked(functools.cached_property[Value]):
        """A property that is computed once for each instance; by several threads, perhaps twice."""

        def __get__(self, instance: Any, owner: Any = None) -> Any:
            """Return the value, from the instance if it is there."""
            if instance is None:
                return self
            values, name = instance.__dict__, self.attrname
            if name not in values:
                values[name] = self.func(instance)
            return values[name]

    cached_property = _Unlocked


__all__ = ["cached_property"]
