"""The training loop in small verbs: a batch, an epoch, stop or go on, finish.

Nothing here knows an estimator. `train` takes arrays and options and returns a `TrainingResult`;
until then nobody sees what happened, so that a fit that fails leaves nothing half-written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import get_blas_funcs

from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._training.batches import TrainingData, iter_batches
from sklearn_rnn._training.dropout import Dropout
from sklearn_rnn._training.gradients import BatchGradients
from sklearn_rnn._training.optimizers import Optimizer
from sklearn_rnn._training.schedules import Schedule

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
    dropout: float = 0.0
    recurrent_dropout: float = 0.0


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
            with np.errstate(all="ignore"), self._make_executor() as executor:
                self._prepare(executor)
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

    def _prepare(self, executor: ThreadPoolExecutor | None) -> None:
        data, options = self.data, self.options
        # In a single batch the order changes nothing but rounding.
        self._shuffle = options.shuffle and data.n_samples > options.batch_size
        rates = options.dropout, options.recurrent_dropout
        dropout = Dropout(*rates, self.rng, self.theta.dtype)
        self._gradients = BatchGradients(
            self.network, data, self.theta, dropout, options.tbptt_steps, executor
        )
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
        if self.data.per_step and self.options.tbptt_steps is not None:
            return self._run_pieces(index)
        loss = self._gradients.of_batch(index)
        self._update(loss)
        return loss

    def _run_pieces(self, index: Array) -> float:
        """Update theta by each piece of a batch in turn, as its errors are known by then."""
        loss = 0.0
        for piece_loss, share in self._gradients.of_pieces(index):
            self._update(piece_loss)
            loss += share * piece_loss
        return loss

    def _update(self, loss: float) -> None:
        """Update theta by the gradient that lies ready, after a look at both."""
        gradient = self._gradients.gradient
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
        if not np.isfinite(self._gradients.raw_predictions(self.options.batch_size)).all():
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
