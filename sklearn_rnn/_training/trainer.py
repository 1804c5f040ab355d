"""The training loop in small verbs: a batch, an epoch, stop or go on, finish.

Nothing here knows an estimator. `train` takes arrays and options and returns a `TrainingResult`;
until then nobody sees what happened, so that a fit that fails leaves nothing half-written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.linalg import get_blas_funcs

from sklearn_rnn._core.network import Network
from sklearn_rnn._core.pieces import clear_states, cut, start_from, states_after
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._training.batches import (
    TrainingData,
    WorkspacePool,
    gather,
    gather_targets,
    iter_batches,
)
from sklearn_rnn._training.optimizers import Optimizer
from sklearn_rnn._training.schedules import Schedule

# From this hidden_size**2 * batch on, each half of a batch runs by itself. Measured on 2 cores:
# two threads with half a batch each are 1.3 to 1.8 times faster from 64**2 * 64 on (a GRU at
# that very size 1.04), and below it slower, since they wait for Python more than they compute.
LARGE_BATCH = 2**18
# An adaptive learning rate is divided by SLOWER on a plateau, unless it falls below SLOWEST.
SLOWER, SLOWEST = 5.0, 1e-6


@dataclass(frozen=True)
class TrainingOptions:
    """What decides the course of training, under the estimators' names."""

    batch_size: int
    max_iter: int
    shuffle: bool
    tol: float
    n_iter_no_change: int
    max_grad_norm: float | None
    tbptt_steps: int | None
    verbose: bool


@dataclass(frozen=True)
class Checkpoint:
    """The model at the end of a whole epoch: what an interrupted training falls back to."""

    n_iter: int
    theta: Array
    optimizer: dict[str, Any]
    rng: Mapping[str, Any]
    best_theta: Array
    best: float


@dataclass(frozen=True)
class TrainingResult:
    """What training leaves behind.

    Attributes
    ----------
    theta : ndarray
        The last weights, or with validation the best ones.
    optimizer, rng : dict
        States, from which training can go on as if it had never stopped.
    loss_curve, scores : list of float
        The training loss, and with validation its score, of each epoch.
    best : float
        The smallest loss, or with validation the largest score.
    reason : {"max_iter", "converged", "diverged", "interrupted"}
        Why training ended.
    """

    theta: Array
    optimizer: dict[str, Any]
    rng: Mapping[str, Any]
    loss_curve: list[float]
    scores: list[float]
    best: float
    reason: str


class Diverged(ArithmeticError):
    """A loss or a gradient that is no longer finite."""


@dataclass
class Trainer:
    """One run of training.

    Parameters
    ----------
    network : Network
    data : TrainingData
    options : TrainingOptions
    theta : ndarray
        Updated in place.
    optimizer : Optimizer
    schedule : Schedule
        The learning rate of each update.
    rng : Generator
        Shuffles.
    validate : callable theta -> score, or None
        Larger is better; where it is given, the best weights win.
    n_threads : int
        With 2 or more, the halves of a large batch run at the same time. The result has the
        same bits with any number.
    """

    network: Network
    data: TrainingData
    options: TrainingOptions
    theta: Array
    optimizer: Optimizer
    schedule: Schedule
    rng: np.random.Generator
    validate: Callable[[Array], float] | None = None
    n_threads: int = 1
    loss_curve: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    # The models of the last whole epoch and of the one before it.
    whole: Checkpoint | None = field(default=None, init=False)
    _before: Checkpoint | None = field(default=None, init=False)

    def train(self) -> TrainingResult:
        """Run epochs until one of the reasons to stop."""
        try:
            # What is not finite is looked for, and named.
            with np.errstate(all="ignore"), self._make_executor() as self._executor:
                self._prepare()
                reason = self._run_epochs()
                self._try_weights()
                assert self.whole is not None
                return self._finish(self.whole, reason)
        except Diverged as error:
            # The first loss of an epoch is that of the weights which the last one ended with.
            good = self.whole if self._tried else self._before
            if good is None:
                raise ValueError(str(error)) from None
            return self._finish(good, "diverged")
        except KeyboardInterrupt:
            if self.whole is None:
                raise
            return self._finish(self.whole, "interrupted")

    def _run_epochs(self) -> str:
        """Run epochs; return why they ended."""
        for _ in range(self.options.max_iter):
            self._run_epoch()
            self._close_epoch()
            if self._has_converged() and not self._slow_down():
                return "converged"
        return "max_iter"

    def _prepare(self) -> None:
        data, batch_size = self.data, self.options.batch_size
        # In a single batch the order changes nothing but rounding.
        self._shuffle = self.options.shuffle and data.n_samples > batch_size
        self._mean_weight = float(data.weight.sum(dtype=np.float64)) / data.n_samples
        # The penalty belongs to the batch, not to each of its halves.
        self._networks = [self.network, replace(self.network, alpha=0.0)]
        longest, dtype = int(data.lengths.max()), self.theta.dtype
        at_most = self.options.tbptt_steps
        self._pools = [
            WorkspacePool(self.network, dtype, training=True, longest=longest, at_most=at_most)
            for _ in range(2)
        ]
        self._gradients = [np.empty_like(self.theta) for _ in range(2)]
        self._norm = get_blas_funcs("nrm2", (self.theta,))  # cannot overflow
        self._scale = 1.0  # of the learning rate, which "adaptive" lowers
        self._plateau = 0  # the epoch that it did so in
        self._tried = False  # whether theta of the last checkpoint is known to work

    def _run_epoch(self) -> None:
        total = 0.0
        rng = self.rng if self._shuffle else None
        for index in iter_batches(self.data.lengths, self.options.batch_size, rng):
            total += self._run_batch(index) * len(index)
        self.loss_curve.append(total / self.data.n_samples)

    def _run_batch(self, index: Array) -> float:
        """Update theta by one batch; return its loss."""
        # Not the batch's own weights: a batch of light samples must pull lightly.
        normaliser = len(index) * self._mean_weight
        if self.data.per_step and self.options.tbptt_steps is not None:
            return self._run_pieces(index, normaliser)
        loss = self._loss_gradient(index, normaliser)
        self._update(loss)
        return loss

    def _run_pieces(self, index: Array, normaliser: float) -> float:
        """Update theta by each piece of a batch in turn, as its errors are known by then.

        The state is carried over from piece to piece, from weights to changed weights.
        """
        whole = gather(self.data.values, self.data.offsets, index)
        y, weight = gather_targets(self.data, index, whole)
        workspaces = self._pools[0].get(whole.n_steps, whole.n_columns)
        loss, end = 0.0, 0
        for piece in cut(whole, workspaces[0][0].n_steps):
            begin, end = end, end + piece.n_steps * piece.n_columns
            share = piece.n_steps / whole.n_steps
            arrays = y[:, begin:end], weight[begin:end], share * normaliser, self._gradients[0]
            piece_loss = float(self.network.loss_gradient(self.theta, workspaces, piece, *arrays))
            self._update(piece_loss)
            loss += share * piece_loss
            start_from(workspaces, states_after(workspaces, piece.n_steps))
        clear_states(workspaces)
        return loss

    def _update(self, loss: float) -> None:
        """Update theta by the gradient that lies ready, after a look at both."""
        gradient = self._gradients[0]
        norm = float(self._norm(gradient))
        if not (np.isfinite(loss) and np.isfinite(norm)):
            what = "the gradient" if np.isfinite(loss) else "the loss"
            epoch, update = len(self.loss_curve) + 1, self.optimizer.t + 1
            raise Diverged(self._describe_divergence(what, epoch, update))
        self._tried, self._before = True, None  # these weights work: no need to go further back
        limit = self.options.max_grad_norm
        if limit is not None and norm > limit:
            gradient *= limit / norm
        optimizer = self.optimizer
        rate = self.schedule.rate(len(self.loss_curve), optimizer.t + 1)
        optimizer.learning_rate = self._scale * rate
        optimizer.step(self.theta, gradient)

    def _loss_gradient(self, index: Array, normaliser: float) -> float:
        """Return a batch's loss; write its gradient to self._gradients[0]."""
        if not self._is_large(index):
            return self._part(0, index, normaliser)
        first, second = np.array_split(index, 2)
        if self._executor is None:
            loss = self._part(0, first, normaliser) + self._part(1, second, normaliser)
        else:
            other = self._executor.submit(self._part, 1, second, normaliser)
            loss = self._part(0, first, normaliser) + other.result()
        self._gradients[0] += self._gradients[1]
        return loss

    def _part(self, k: int, index: Array, normaliser: float) -> float:
        """Return the loss of these samples; write its gradient to self._gradients[k]."""
        data = self.data
        block = gather(data.values, data.offsets, index)
        y, weight = gather_targets(data, index, block)
        workspaces = self._pools[k].get(block.n_steps, block.n_columns)
        network = self._networks[k]
        fits = block.n_steps <= workspaces[0][0].n_steps
        run = network.loss_gradient if fits else network.truncated_loss_gradient
        with np.errstate(all="ignore"):  # which another thread does not inherit
            arrays = y, weight, normaliser, self._gradients[k]
            return float(run(self.theta, workspaces, block, *arrays))

    def _is_large(self, index: Array) -> bool:
        """Whether two threads with half of this batch each beat one with all of it."""
        hidden_size = self.network.stack.layers[0].hidden_size
        return len(index) > 1 and hidden_size**2 * len(index) >= LARGE_BATCH

    def _make_executor(self) -> AbstractContextManager[ThreadPoolExecutor | None]:
        return ThreadPoolExecutor(1) if self.n_threads > 1 else nullcontext()

    def _describe_divergence(self, what: str, epoch: int, update: int) -> str:
        message = (
            f"Training diverged in epoch {epoch}, update {update}: {what} is not finite "
            f"(learning_rate_init={self.optimizer.learning_rate:g}"
        )
        if self.network.embedding is not None:
            return f"{message}). Lower learning_rate_init."
        largest = float(np.abs(self.data.values).max())
        return (
            f"{message}, largest |X| {largest:.3g}). Scale X (for example with "
            "TimestepTransformer(StandardScaler())), or lower learning_rate_init."
        )

    def _close_epoch(self) -> None:
        """Look at the weights, score them, and keep what an end at this epoch would need."""
        epoch, before = len(self.loss_curve), self.whole
        theta = self.theta.copy()
        if not np.isfinite(theta).all():
            raise Diverged(self._describe_divergence("a weight", epoch, self.optimizer.t))
        if self.validate is None:
            value = self.loss_curve[-1]
            best = value if before is None else min(before.best, value)
            best_theta = theta
        else:
            value = self.validate(theta)
            if not np.isfinite(value):
                what = "the validation score"
                raise Diverged(self._describe_divergence(what, epoch, self.optimizer.t))
            self.scores.append(value)
            best, best_theta = value, theta
            if before is not None and not value > before.best:
                best, best_theta = before.best, before.best_theta
        self._tried = self.validate is not None
        if self.options.verbose:
            score = "" if self.validate is None else f", validation score {value:.4f}"
            print(f"Epoch {epoch}: loss {self.loss_curve[-1]:.6f}{score}")
        state = self.optimizer.state()
        random = self.rng.bit_generator.state
        self._before = before
        self.whole = Checkpoint(epoch, theta, state, random, best_theta, best)

    def _try_weights(self) -> None:
        """Raise Diverged if the very last update was one too many."""
        if self._tried:
            return
        data, pool = self.data, self._pools[0]
        # As many samples as the workspaces in memory hold: others would need more of it.
        index = np.arange(min(pool.n_columns or self.options.batch_size, data.n_samples))
        block = gather(data.values, data.offsets, index)
        workspaces = pool.get(block.n_steps, block.n_columns)
        if not np.isfinite(self.network.raw_prediction(self.theta, workspaces, block)).all():
            epoch, update = len(self.loss_curve), self.optimizer.t
            raise Diverged(self._describe_divergence("a prediction after it", epoch, update))

    def _has_converged(self) -> bool:
        """Whether the last n_iter_no_change epochs gained less than tol, all together."""
        patience = self.options.n_iter_no_change
        values = self.scores if self.validate else [-loss for loss in self.loss_curve]
        if len(values) - self._plateau <= patience:
            return False
        return max(values[-patience:]) < max(values[:-patience]) + self.options.tol

    def _slow_down(self) -> bool:
        """Lower the learning rate for another try, if it is adaptive and not too low yet."""
        if self.schedule.name != "adaptive" or self.optimizer.learning_rate / SLOWER < SLOWEST:
            return False
        self._scale /= SLOWER
        self._plateau = len(self.loss_curve)
        return True

    def _finish(self, whole: Checkpoint, reason: str) -> TrainingResult:
        return TrainingResult(
            theta=whole.best_theta,
            optimizer=whole.optimizer,
            rng=whole.rng,
            loss_curve=self.loss_curve[: whole.n_iter],
            scores=self.scores[: whole.n_iter],
            best=whole.best,
            reason=reason,
        )
