"""One BLAS thread while training runs.

The products of one time step are too small to share between threads, and with one thread the
same fit gives the same bits whatever number of threads the machine, or a worker process of a
parallel search, would use. Where a second thread helps, the trainer gives it half of a batch.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import threadpoolctl
from threadpoolctl import ThreadpoolController

# The number of BLAS threads belongs to the process, so who is using this must be counted over
# the process too: of several fits that overlap in threads, the first one in sets the limit
# and the last one out takes it away.
_lock = threading.Lock()
_users: set[object] = set()
_limits: Any = None
# Looking for the libraries takes 1 to 4 ms, as long as an epoch on little data; setting their
# threads 10 µs. NumPy's and SciPy's are all that training calls, and are loaded by now.
_libraries: ThreadpoolController | None = None


@contextmanager
def single_blas_thread() -> Iterator[int]:
    """Limit BLAS to one thread, and restore what was, also when fits overlap in threads.

    Yields the number of threads that BLAS could have used, and that the caller may use instead:
    1 in a worker process of a parallel search, and where another fit has them already.
    """
    user = object()
    # Ctrl-C may come before any line, that of a `finally` too, so there are two: leaving twice
    # is leaving once.
    try:
        try:
            yield _enter(user)
        finally:
            _leave(user)
    finally:
        _leave(user)


def _enter(user: object) -> int:
    global _limits, _libraries
    with _lock:
        _users.add(user)
        if _libraries is None:
            _libraries = ThreadpoolController().select(user_api="blas")
        n_threads = min((library.num_threads for library in _libraries.lib_controllers), default=1)
        if _limits is None:
            _limits = _libraries.limit(limits=1, user_api="blas")
            _give_up_control()
        return n_threads


def _leave(user: object) -> None:
    global _limits
    with _lock:
        _users.discard(user)
        if not _users and _limits is not None:
            _limits.restore_original_limits()
            _limits = None
            _give_up_control()


def _give_up_control() -> None:
    """Let other threads set the limit too, whoever comes first or goes last.

    threadpoolctl 3.8 ignores, silently, all threads but the first that set one and still lives.
    """
    controller: Any = getattr(threadpoolctl, "OpenBLASController", None)
    if hasattr(controller, "clear_controlling_thread"):
        controller.clear_controlling_thread()
