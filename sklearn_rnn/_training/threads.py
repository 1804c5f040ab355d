"""One BLAS thread while training runs.

The products of one time step are too small to share between threads, and with one thread the
same fit gives the same bits whatever number of threads the machine, or a worker process of a
parallel search, would use.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import threadpoolctl
from threadpoolctl import threadpool_limits

# The number of BLAS threads belongs to the process, so who is using this must be counted over
# the process too: of several fits that overlap in threads, the first one in sets the limit
# and the last one out takes it away.
_lock = threading.Lock()
_users = 0
_limits: threadpool_limits | None = None


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread, and restore what was, also when fits overlap in threads."""
    global _users, _limits
    with _lock:
        if _users == 0:
            _limits = threadpool_limits(1, user_api="blas")
            _give_up_control()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0 and _limits is not None:
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
