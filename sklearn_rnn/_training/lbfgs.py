"""Training on all data at once with SciPy's L-BFGS (Liu and Nocedal 1989).

One iteration counts as one epoch. It needs one or a few passes over the data, no learning rate and
no random numbers. It suits data of up to some hundred sequences, of which one batch holds most.

Dimension key: N sequences, T steps.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from sklearn_rnn._core.workspace import Array
from sklearn_rnn._running.cutting import MOST_PARTS, count_parts
from sklearn_rnn._training.crew import Crew
from sklearn_rnn._training.history import Epoch
from sklearn_rnn._training.optimizers import Optimizer
from sklearn_rnn._training.stopping import Stopping
from sklearn_rnn._training.trainer import Diverged, Trainer

# The number of sequences in a block. Gradients are summed over blocks, so that memory does not grow
# with N.
COLUMNS = 256


class IterationCounter(Optimizer):
    """Counts iterations in the place of an optimizer, whose state SciPy does not give out."""

    def step(self, theta: Array, gradient: Array) -> None:
        """Count an iteration."""
        self.t += 1


class LbfgsTrainer(Trainer):
    """A run of training with the iterations of SciPy."""

    def _run_epochs(self) -> str:
        lengths = self.data.lengths
        order = np.argsort(lengths, kind="stable")
        self._blocks = np.split(order, range(COLUMNS, len(order), COLUMNS))
        self._is_open, self._stopped, self._gradient_norm = False, False, np.nan
        self._begin = perf_counter()
        self._start: tuple[Array, float] | None = (
            None  # where the line search starts, and the loss there
        )
        result = minimize(
            self._objective,
            self.theta.astype(np.float64),
            jac=True,
            method="L-BFGS-B",
            callback=self._close_iteration,
            options={"maxiter": self.options.max_iter},
        )
        if self.whole is None:  # converged before the first iteration
            with suppress(StopIteration):
                self._close_iteration(result)
        elif self._is_open and self.watcher is not None:  # the last iteration found no lower point
            self.watcher.end(self.whole)
        reason = self._reason_to_end()
        if self._stopped:
            return reason or "callback"
        # Whatever else SciPy ends with, it has found no lower point.
        return "max_iter" if reason == "max_iter" and not result.success else "converged"

    def _make_crew(self) -> Crew:
        n_blocks = -(-self.data.n_samples // COLUMNS)
        is_large = count_parts(self.network.stack.hidden_size, COLUMNS) > 1
        return self._crew_of(min(n_blocks, MOST_PARTS) if is_large else 1, COLUMNS)

    def _objective(self, x: Array) -> tuple[float, Array]:
        """Return the objective on all data, and its gradient, in float64."""
        self._open_iteration()
        self.theta[...] = x
        loss, gradient = self._gradients.of_blocks(self._blocks)
        if np.isfinite(loss) and np.isfinite(gradient).all():
            if self._start is None:
                self._start = x.copy(), loss
            self._gradient_norm = float(np.linalg.norm(gradient))
            return loss, gradient
        if self._start is None:
            raise Diverged(self._describe_divergence("the loss", 1, 1))
        # A paraboloid around the start of the line search stands in for values that are not
        # finite: the line search then turns back. It would give up at infinity or a huge number.
        start, start_loss = self._start
        away = x - start
        return start_loss + float(away @ away), 2 * away

    def _open_iteration(self) -> None:
        """Tell the watcher that an iteration begins, at the first evaluation after the last one."""
        if not self._is_open:
            self._is_open = True
            if self.watcher is not None:
                self.watcher.begin(self.whole)

    def _close_iteration(self, intermediate_result: OptimizeResult) -> Any:
        self.theta[...] = intermediate_result.x
        loss = float(intermediate_result.fun)
        self._start = intermediate_result.x.copy(), loss
        self.optimizer.step(self.theta, self.theta)
        self._is_open = False
        iteration = Epoch(
            epoch=self.n_iter + 1,
            seconds=perf_counter() - self._begin,
            loss=loss,
            gradient_norm=self._gradient_norm,
        )
        self._stopped = self._close_epoch(iteration)
        self._begin = perf_counter()
        if self._stopped or (self.whole is not None and self.whole.converged):
            raise StopIteration

    @property
    def _stopping(self) -> Stopping:
        return replace(super()._stopping, adaptive=False)  # L-BFGS has no learning rate to lower
