"""One BLAS thread inside, and outside what was there before, however uses overlap."""

import itertools
import os
import signal
import sys
import threading
from contextlib import ExitStack

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_rnn._running import threads
from sklearn_rnn._running.threads import single_blas_thread


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def limit_to(n_threads):
    """Set the number of BLAS threads from a thread that ends, and so leaves control to others."""
    thread = threading.Thread(target=threadpool_limits, args=(n_threads, "blas"))
    thread.start()
    thread.join()


@pytest.fixture(autouse=True)
def two_threads():
    """Two BLAS threads, also on a machine with one core: else nothing could be seen."""
    before = blas_threads()
    limit_to(2)
    if set(blas_threads()) != {2}:
        pytest.skip("no BLAS whose threads can be set for the process")
    yield
    assert_restored()
    limit_to(max(before))


def assert_single():
    assert set(blas_threads()) == {1}


def assert_restored():
    assert set(blas_threads()) == {2}


def test_one_thread_inside_and_all_that_was_outside():
    before = threadpool_info()
    with single_blas_thread():
        assert_single()
    assert threadpool_info() == before


def test_nested():
    with single_blas_thread():
        with single_blas_thread():
            assert_single()
        assert_single()
    assert_restored()


def test_an_error_restores_too():
    with pytest.raises(ZeroDivisionError), single_blas_thread():
        raise ZeroDivisionError
    assert_restored()
    with single_blas_thread():
        assert_single()
    assert_restored()


@pytest.mark.parametrize("first_out", [0, 1], ids=["first_in_first_out", "first_in_last_out"])
def test_overlapping_in_one_thread(first_out):
    uses = [ExitStack(), ExitStack()]
    for use in uses:
        use.enter_context(single_blas_thread())
        assert_single()
    uses[first_out].close()
    assert_single()
    uses[1 - first_out].close()
    assert_restored()


class Fit(threading.Thread):
    """A thread that uses single_blas_thread until told to leave, and lives on until told to end.

    It lives on as the workers of a thread pool do: threadpoolctl minds whether a thread that has
    set a limit is still alive.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.said = {word: threading.Event() for word in ("entered", "leave", "left", "end")}
        self.start()
        assert self.said["entered"].wait(10)

    def run(self):
        with single_blas_thread():
            self.said["entered"].set()
            self.said["leave"].wait(10)
        self.said["left"].set()
        self.said["end"].wait(10)

    def leave(self):
        self.said["leave"].set()
        assert self.said["left"].wait(10)

    def end(self):
        self.said["end"].set()
        self.join()


def enter_and_leave_stopped_at(stop):
    """Enter and leave; raise KeyboardInterrupt before line `stop` of threads.py that runs."""
    lines, before = itertools.count(1), sys.gettrace()

    def trace(frame, event, arg):
        if frame.f_code.co_filename != threads.__file__:
            return None
        if event == "line" and next(lines) == stop:
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        with single_blas_thread():
            pass
    finally:
        sys.settrace(before)


def test_an_interrupt_at_any_line_leaves_no_lock_taken():
    """Otherwise the next fit in another thread would wait for ever."""
    for stop in itertools.count(1):
        try:
            enter_and_leave_stopped_at(stop)
        except KeyboardInterrupt:
            fit = Fit()
            assert_single()
            fit.leave()
            assert_restored()
            fit.end()
        else:
            break  # there are no more lines
    assert stop > 10


@pytest.mark.parametrize("first_out", [0, 1], ids=["first_in_first_out", "first_in_last_out"])
def test_overlapping_threads(first_out):
    fits = [Fit(), Fit()]
    assert_single()
    fits[first_out].leave()
    assert_single()
    fits[1 - first_out].leave()
    assert_restored()
    for fit in fits:
        fit.end()


def test_one_thread_after_another():
    """Nobody keeps the right to set the limit to himself."""
    with single_blas_thread():
        assert_single()
    first = Fit()
    assert_single()
    first.leave()
    assert_restored()
    with single_blas_thread():
        assert_single()
    assert_restored()
    first.end()


# --- Forks ----------------------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


def in_child(check):
    """Fork, call `check` in the child, and assert that it returned, and did not hang."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            check()
            code = 0
        finally:
            os._exit(code)
    killer = threading.Timer(60, os.kill, (pid, signal.SIGKILL))
    killer.start()
    _, status = os.waitpid(pid, 0)
    killer.cancel()
    assert os.waitstatus_to_exitcode(status) == 0


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_forgets_the_fits_of_other_threads():
    """A child process does not have them, so that their limit would hold for ever."""

    def check():
        assert_restored()
        with single_blas_thread():
            assert_single()
        assert_restored()

    fit = Fit()
    assert_single()
    in_child(check)
    assert_single()
    fit.leave()
    fit.end()


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_in_a_fit_goes_on_with_one_thread():
    fit = Fit()
    with ExitStack() as mine:
        mine.enter_context(single_blas_thread())

        def check():
            assert_single()
            mine.close()
            assert_restored()

        in_child(check)
        fit.leave()
        assert_single()
    fit.end()


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forks_while_another_thread_enters_and_leaves():
    """Whatever the other thread does at the moment, the child does not wait for it."""
    stop = threading.Event()

    def enter_and_leave():
        while not stop.is_set():
            with single_blas_thread():
                pass

    def check():
        with single_blas_thread():
            assert_single()
        assert_restored()

    thread = threading.Thread(target=enter_and_leave)
    thread.start()
    try:
        for _ in range(30):
            in_child(check)
    finally:
        stop.set()
        thread.join()
