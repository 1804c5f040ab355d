"""Warnings that point at the user's line, and that a search gives once and not for every fit."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

from sklearn_rnn._compat import is_in_worker_of_search

# Calls through these packages are not the user's own. The last three run workers.
_NOT_THE_USER = {
    *("sklearn_rnn", "sklearn", "joblib", "contextlib"),
    *("multiprocessing", "concurrent", "threading"),
}
# A local variable of the outermost call of these packages: the warnings that it has given.
_GIVEN = "__sklearn_rnn_warnings__"


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside of this package, scikit-learn and joblib that made the call."""
    _, level = _outermost_call()
    warnings.warn(message, category, stacklevel=level + 1)


def warn_user_once(message: str, category: type[Warning]) -> None:
    """Warn as `warn_user` does, but once for each category in one call that the user makes.

    That call may be one of `fit`, or a search or cross-validation of many fits. scikit-learn
    resets what Python's own filter "default" remembers before each of the fits, so that the
    outermost call itself must remember it: the categories stand among its local variables, which
    live exactly as long as the call. In a worker process that is the loop of the worker. The
    workers of a search are silent: its last fit, on all data in the main process, warns.
    """
    if is_in_worker_of_search(sys._getframe()):
        return
    outermost, level = _outermost_call()
    given = outermost.f_locals.setdefault(_GIVEN, set())
    if category not in given:
        given.add(category)
        warnings.warn(message, category, stacklevel=level + 1)


def _outermost_call() -> tuple[FrameType, int]:
    """Return the last call before the user's code, and the `stacklevel` of the user's line.

    The level is that for a `warnings.warn` in the caller of this function, less 1.
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _is_not_the_users(frame.f_back):
        frame, level = frame.f_back, level + 1
    return frame, level


def _is_not_the_users(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] in _NOT_THE_USER
