"""Limits BLAS to one thread while a network runs.

The matrix products of one time step are too small for several threads. With one thread, a fit also
gives the same bits, whatever number of threads the machine or a worker process of a parallel search
would use. Where a second thread helps, it gets sequences of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ContextDecorator, contextmanager
from typing import Any

import threadpoolctl
from threadpoolctl import ThreadpoolController

# The number of BLAS threads belongs to the process, so the users of the limit are counted for the
# whole process: of several fits that overlap in threads, the first sets the limit and the last
# removes it.
#
# The lock may be taken twice by one thread: a signal's handler may fork while it is held.
_lock = threading.RLock()
_users: dict[object, int] = {}  # each with the thread that it runs in
_limits: Any = None
# Finding the libraries takes 1 to 4 ms, as long as an epoch on little data, so it is done once.
# Setting their threads takes 10 µs. Training calls those of NumPy and SciPy only, which are loaded.
_libraries: ThreadpoolController | None = None


class _OneAtATime(ContextDecorator):
    """Lets one thread at a time call the functions that it decorates.

    A `with _lock` inside them would come back to its own line on the way out, while the lock is
    still taken. No signal is handled there, but a trace function or a debugger can raise there, and
    then nobody would ever release the lock.
    """

    __enter__ = staticmethod(_lock.__enter__)
    __exit__ = staticmethod(_lock.__exit__)


_one_at_a_time = _OneAtATime()


@contextmanager
def single_blas_thread() -> Iterator[int]:
    """Limit BLAS to one thread, and restore the limit afterwards; fits may overlap in threads.

    Yields the number of threads that BLAS could have used, and that the caller may use instead:
    1 in a worker process of a parallel search, or while another fit uses them.
    """
    user = object()
    # Ctrl-C can interrupt any line, also that of the first `finally`, so there are two. A second
    # call of `_leave` has no effect.
    try:
        try:
            yield _enter(user)
        finally:
            _leave(user)
    finally:
        _leave(user)


def run_in_threads(function: Callable[[list[Any]], None], tasks: list[Any], n_jobs: int) -> None:
    """Call a function in `n_jobs` threads with some of the tasks each, which use no others.

    This pays for tasks that run in large calls of NumPy.
    """
    n = min(n_jobs, len(tasks))
    with single_blas_thread(), ThreadPoolExecutor(n - 1) as executor:
        others = [executor.submit(function, tasks[k::n]) for k in range(1, n)]
        function(tasks[::n])
        for other in others:
            other.result()


@_one_at_a_time
def _enter(user: object) -> int:
    global _limits, _libraries
    _users[user] = threading.get_ident()
    if _libraries is None:
        _libraries = ThreadpoolController().select(user_api="blas")
    n_threads = min((library.num_threads for library in _libraries.lib_controllers), default=1)
    if _limits is None:
        _limits = _libraries.limit(limits=1, user_api="blas")
        _give_up_control()
    return n_threads


@_one_at_a_time
def _leave(user: object) -> None:
    _users.pop(user, None)
    _restore_if_unused()


def _restore_if_unused() -> None:
    global _limits
    if not _users and _limits is not None:
        _limits.restore_original_limits()
        _give_up_control()
        _limits = None  # last: after an interrupt before it, the second `_leave` does all again


def _after_fork_in_child() -> None:
    """Forget the fits of the other threads, which a child process does not have.

    Without this, their limit would hold in the child for ever. The thread that forks took the lock
    before the fork, so that no other thread held it then: it could never be released in the child.
    """
    _lock.release()
    here = threading.get_ident()
    for user in [user for user, thread in _users.items() if thread != here]:
        del _users[user]
    _give_up_control()
    _restore_if_unused()


def _give_up_control() -> None:
    """Let other threads also set the limit.

    threadpoolctl 3.8 silently ignores all threads but the first one that set a limit and is alive.
    """
    controller: Any = getattr(threadpoolctl, "OpenBLASController", None)
    if hasattr(controller, "clear_controlling_thread"):
        controller.clear_controlling_thread()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire,  # no code of Python's, which Ctrl-C could interrupt halfway
        after_in_parent=_lock.release,
        after_in_child=_after_fork_in_child,
    )
