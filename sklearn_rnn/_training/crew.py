"""The crew of a fit: the threads or processes that run the parts of a batch at the same time.

The result has the same bits with every crew: see `parts`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from time import perf_counter
from typing import Protocol, Self

import numpy as np

from sklearn_rnn._core.layout import Parameters
from sklearn_rnn._training.helpers import Helper, SharedArray, SharedFit
from sklearn_rnn._training.parts import Part, PartGradients

# Helper processes start when a fit has lasted for so many seconds. A new process takes about as
# long to import what it needs, and until then the fit goes on without it.
START_AFTER = 1.0


class Member(Protocol):
    """Runs parts while others run other parts."""

    def send(self, parts: list[Part]) -> None:
        """Begin to compute the gradients of these parts."""

    def receive(self) -> list[float]:
        """Return their losses, when all gradients are written."""

    def stop(self) -> None:
        """Free what the member uses."""


class ThreadMember:
    """A thread, with workspaces of its own.

    In Python with an interpreter lock, small calls of NumPy in two threads wait for each other. So
    a second thread gains on large parts, and further threads gain nothing.
    """

    def __init__(self, worker: PartGradients, gradients: list[Parameters]) -> None:
        self._worker, self._gradients = replace(worker), gradients
        self._executor = ThreadPoolExecutor(1)
        self._future: Future[list[float]]

    def send(self, parts: list[Part]) -> None:
        """Begin to compute the gradients of these parts."""
        self._future = self._executor.submit(self._worker.run, parts, self._gradients)

    def receive(self) -> list[float]:
        """Return their losses, when all gradients are written."""
        return self._future.result()

    def stop(self) -> None:
        """Wait for the thread, and end it."""
        self._executor.shutdown()


class Crew:
    """Runs the parts of batches. It is a context, at whose end no thread or process is left.

    Parameters
    ----------
    worker : PartGradients
        Computes gradients in the caller's thread.
    n_parts : int
        The largest number of parts of a batch.
    n_threads : int
        The largest number of threads.
    n_jobs : int
        The largest number of processes. They replace the threads as soon as they are ready.

    Attributes
    ----------
    worker : PartGradients
    gradients : list of Parameters
        The gradient of each part.
    """

    def __init__(
        self, worker: PartGradients, n_parts: int, n_threads: int = 1, n_jobs: int = 1
    ) -> None:
        if not _has_interpreter_lock():
            n_threads, n_jobs = max(n_threads, n_jobs), 1
        self.worker, self._n_helpers = worker, min(n_jobs, n_parts) - 1
        rows = np.zeros((n_parts, len(worker.theta)), worker.theta.dtype)
        if self._n_helpers:
            self._theta, self._rows = SharedArray(worker.theta), SharedArray(rows)
            rows = self._rows.array
        self.gradients = [worker.network.layout.bind(row) for row in rows]
        self._threads = [
            ThreadMember(worker, self.gradients) for _ in range(min(n_threads, n_parts) - 1)
        ]
        self._helpers: list[Helper] = []
        self._begin = perf_counter()

    def run(self, parts: list[Part]) -> list[float]:
        """Return the loss of each part; write its gradient."""
        members: Sequence[Member] = self._threads
        if len(parts) > 1 and self._n_helpers and self._has_ready_helpers():
            np.copyto(self._theta.array, self.worker.theta)
            members = self._helpers
        members = members[: len(parts) - 1]
        n = 1 + len(members)
        for k, member in enumerate(members, start=1):
            member.send(parts[k::n])
        losses = np.empty(len(parts))
        losses[::n] = self.worker.run(parts[::n], self.gradients)
        for k, member in enumerate(members, start=1):
            losses[k::n] = member.receive()
        return losses.tolist()

    def _has_ready_helpers(self) -> bool:
        """Start the helpers when it is time; return whether all of them can work."""
        if not self._helpers:
            if perf_counter() - self._begin >= START_AFTER:
                self._start_helpers()
            return False
        if not all(helper.is_ready() for helper in self._helpers):
            return False
        self._stop(self._threads)  # also for the memory of their workspaces
        return True

    def _start_helpers(self) -> None:
        self._fit = SharedFit(self.worker, self._theta, self._rows)
        for _ in range(self._n_helpers):
            self._helpers.append(Helper(self._fit))

    @staticmethod
    def _stop(members: list[ThreadMember] | list[Helper]) -> None:
        while members:
            members.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stop(self._threads)
        self._stop(self._helpers)


def _has_interpreter_lock() -> bool:
    return getattr(sys, "_is_gil_enabled", lambda: True)()
