"""Helper processes of a fit: they compute the gradients of parts of batches.

Data, weights and gradients are in memory that all processes share. For each batch, a helper gets
one message with the parts that it is to compute, and answers with their losses.

A helper never outlives its fit: it is killed at the end, and ends by itself if the process of the
fit has ended in any other way.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import current_process, get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from sklearn_rnn._core.workspace import Array
from sklearn_rnn._running.jobs import GUARD, STARTING_HELPER
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._running.threads import single_blas_thread
from sklearn_rnn._training.parts import Part, PartGradients

# Every system can spawn. A fork would copy locks that other threads hold.
_context = get_context("spawn")
_LOOK_AT_PARENT = 1.0  # seconds


class SharedArray:
    """An array in memory that a helper can share.

    The memory has no name that could be left behind: where memory is a file, it is one that was
    deleted as soon as it was open.
    """

    def __init__(self, array: Array) -> None:
        self._memory: Any = _context.RawArray(ctypes.c_byte, max(1, array.nbytes))
        self._dtype, self._shape = array.dtype, array.shape
        np.copyto(self.array, array)

    @property
    def array(self) -> Array:
        """A view of the memory."""
        count = int(np.prod(self._shape))
        return np.frombuffer(self._memory, self._dtype, count).reshape(self._shape)


class SharedFit:
    """What the helpers of a fit get when they start.

    Whoever starts helpers keeps it until they have ended: memory that is shared is used for other
    arrays as soon as the process that made it lets it go.

    Parameters
    ----------
    worker : PartGradients
        Its data are copied into shared memory, once for all helpers.
    theta : SharedArray
    gradients : SharedArray (P, size)
    """

    def __init__(self, worker: PartGradients, theta: SharedArray, gradients: SharedArray) -> None:
        data = worker.data
        self._theta, self._gradients = theta, gradients
        self._data = [SharedArray(a) for a in (data.values, data.offsets, data.y, data.weight)]
        self._rest = worker.network, data.per_step, worker.dropout, worker.tbptt_steps

    def worker(self) -> PartGradients:
        """Return what computes gradients, at the weights in shared memory."""
        network, per_step, dropout, tbptt_steps = self._rest
        values, offsets, y, weight = (shared.array for shared in self._data)
        data = TrainingData(values, offsets, y, weight, per_step)
        return PartGradients(network, data, self._theta.array, dropout, tbptt_steps)

    @property
    def gradients(self) -> Array:
        """(P, size), the gradient of each part."""
        return self._gradients.array


class Helper:
    """A helper process, as the fit sees it.

    Raises
    ------
    RuntimeError
        If the process ends before the fit does: by `is_ready`, `send` and `receive`.
    """

    def __init__(self, fit: SharedFit) -> None:
        self._connection, theirs = _context.Pipe()
        self._process = _context.Process(
            target=_serve, args=(fit, theirs), name=STARTING_HELPER, daemon=True
        )
        self._is_ready = False
        with _no_interrupt():
            self._process.start()
        theirs.close()

    def is_ready(self) -> bool:
        """Return whether the process can compute."""
        try:
            if not self._is_ready and self._connection.poll():
                self.receive()
                self._is_ready = True
        except OSError:
            raise self._ended() from None
        return self._is_ready

    def send(self, parts: list[Part]) -> None:
        """Begin to compute the gradients of these parts."""
        try:
            self._connection.send(parts)
        except OSError:
            raise self._ended() from None

    def receive(self) -> list[float]:
        """Return their losses, when all gradients are written."""
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise self._ended() from None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _ended(self) -> RuntimeError:
        self._process.join(10)
        what = f"A helper process of fit ended (exit code {self._process.exitcode})"
        if self._is_ready:
            return RuntimeError(
                f"{what} while it was needed. The system may have killed it for lack of memory: "
                "fit again with a smaller n_jobs, or with n_jobs=1."
            )
        return RuntimeError(f"{what} when it should start; see its message above. {GUARD}")

    def stop(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.kill()
        self._process.join()


def _serve(fit: SharedFit, connection: Connection) -> None:
    """Compute gradients, as long as the process that has the fit lives."""
    current_process().name = "helper process of fit"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that has the fit
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    worker = fit.worker()
    gradients = [worker.network.layout.bind(row) for row in fit.gradients]
    with single_blas_thread():
        answer: Any = []  # ready
        while True:
            try:
                connection.send(answer)
                parts = connection.recv()
            except (EOFError, OSError):
                return
            try:
                answer = worker.run(parts, gradients)
            except Exception as error:
                answer = error


def _end_with_parent(parent: int) -> None:
    """End this process soon after its parent: a copy of the parent may hold the connection open."""
    process = parent_process()
    assert process is not None
    while process.is_alive() and os.getppid() == parent:
        process.join(_LOOK_AT_PARENT)
    os._exit(1)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Keep Ctrl-C from a process that is started meanwhile; for this process it is only late."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
