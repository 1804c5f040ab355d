"""Training on all data at once by L-BFGS (Liu and Nocedal 1989), which SciPy runs.

An iteration takes the place of an epoch: it costs one or a few passes over the data, has no
learning rate and no randomness, and pays on some hundred sequences, where a batch is nearly the
whole set anyway.

Dimension key: N sequences, T steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from sklearn_rnn._core.workspace import Array
from sklearn_rnn._training.optimizers import Optimizer
from sklearn_rnn._training.trainer import Diverged, Trainer

# Sequences of a block: the gradient is summed over blocks, so that memory does not grow with N.
COLUMNS = 256


class IterationCounter(Optimizer):
    """What stands in for an optimizer: SciPy has its own state, and does not hand it out."""

    def step(self, theta: Array, gradient: Array) -> None:
        """Count an iteration."""
        self.t += 1


class LbfgsTrainer(Trainer):
    """A run of training whose iterations are SciPy's."""

    def _run_epochs(self) -> str:
        lengths = self.data.lengths
        order = np.argsort(lengths, kind="stable")
        self._blocks = np.split(order, range(COLUMNS, len(order), COLUMNS))
        self._converged = False
        self._start: tuple[Array, float] | None = None  # where the line search is, and its loss
        result = minimize(
            self._objective,
            self.theta.astype(np.float64),
            jac=True,
            method="L-BFGS-B",
            callback=self._close_iteration,
            options={"maxiter": self.options.max_iter},
        )
        if self.whole is None:  # converged before the first iteration
            self._close_iteration(result)
        return "converged" if self._converged or result.success else "max_iter"

    def _objective(self, x: Array) -> tuple[float, Array]:
        """Return the objective on all data, and its gradient, in float64."""
        self.theta[...] = x
        loss, gradient = self._gradients.of_blocks(self._blocks)
        if np.isfinite(loss) and np.isfinite(gradient).all():
            if self._start is None:
                self._start = x.copy(), loss
            return loss, gradient
        if self._start is None:
            raise Diverged(self._describe_divergence("the loss", 1, 1))
        # A bowl around the point where the line search started, so that it turns back, and never
        # ends here: told of infinity, or of a huge number, SciPy would give up.
        start, start_loss = self._start
        away = x - start
        return start_loss + float(away @ away), 2 * away

    def _close_iteration(self, intermediate_result: OptimizeResult) -> Any:
        self.theta[...] = intermediate_result.x
        self._start = intermediate_result.x.copy(), float(intermediate_result.fun)
        self.loss_curve.append(float(intermediate_result.fun))
        self.optimizer.step(self.theta, self.theta)
        self._close_epoch()
        if self._has_converged():
            self._converged = True
            raise StopIteration
