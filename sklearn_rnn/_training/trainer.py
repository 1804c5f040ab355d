"""The training loop: batches, epochs, and when to stop.

`Trainer` gets arrays and options, and knows no estimator. It returns a `TrainingResult` and changes
nothing else, so that a fit that fails leaves nothing half-done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

import numpy as np
from scipy.linalg import get_blas_funcs

from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._running.cutting import count_parts, suits_threads
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._training.batches import iter_batches
from sklearn_rnn._training.checkpoints import CheckpointWriter, Progress
from sklearn_rnn._training.crew import Crew
from sklearn_rnn._training.dropout import Dropout
from sklearn_rnn._training.gradients import BatchGradients
from sklearn_rnn._training.history import Epoch, to_line
from sklearn_rnn._training.optimizers import Optimizer
from sklearn_rnn._training.parts import PartGradients
from sklearn_rnn._training.schedules import Schedule
from sklearn_rnn._training.snapshot import Snapshot, Watcher, check_weights, mean_weights
from sklearn_rnn._training.stopping import Pace, Stopping


@dataclass(frozen=True)
class TrainingOptions:
    """The options of training, under the names of the estimators' parameters."""

    batch_size: int
    max_iter: int
    shuffle: bool
    tol: float
    n_iter_no_change: int
    max_grad_norm: float | None
    tbptt_steps: int | None
    average_epochs: int
    verbose: bool
    dropout: float = 0.0
    recurrent_dropout: float = 0.0


@dataclass(frozen=True)
class TrainingResult:
    """The result of training: its last snapshot, and why it ended.

    Attributes
    ----------
    last : Snapshot
    validated : bool
        Whether training used validation data.
    reason : {"max_iter", "converged", "callback", "diverged", "interrupted"}
    """

    last: Snapshot
    validated: bool
    reason: str


class Validate(Protocol):
    """Scores weights on data that are not used in training."""

    def __call__(self, theta: Array, /) -> tuple[float, float]:
        """Return score and loss; larger scores are better, and NaN means diverged."""


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
        The weights. They are updated in place.
    optimizer : Optimizer
    schedule : Schedule
        The learning rate of each update.
    rng : Generator
        Shuffles the samples, and draws the masks of dropout.
    validate : Validate or None
        If given, the result is the weights with the best score.
    record : callable theta -> float, or None
        The loss on data that have no say in training, kept for each epoch.
    n_threads : int
        That may run the parts of a large batch. The result has the same bits for any number.
    n_jobs : int
        The number of processes that may do so. The result has the same bits for any number.
    recent : tuple of ndarray
        The weights at the ends of the epochs before this run, which are averaged with its own.
    watcher : Watcher or None
    writer : CheckpointWriter or None
        Saves the progress in a file.
    """

    network: Network
    data: TrainingData
    options: TrainingOptions
    theta: Array
    optimizer: Optimizer
    schedule: Schedule
    rng: np.random.Generator
    validate: Validate | None = None
    record: Callable[[Array], float] | None = None
    n_threads: int = 1
    n_jobs: int = 1
    recent: tuple[Array, ...] = ()
    watcher: Watcher | None = None
    writer: CheckpointWriter | None = None
    # The snapshot of the last whole epoch. Only validation, or the first batch of the next epoch,
    # shows whether its weights give finite numbers: until then `_tried` is False, and `_before`
    # keeps the snapshot of the epoch before, whose weights are known to work.
    whole: Snapshot | None = field(default=None, init=False)
    _before: Snapshot | None = field(default=None, init=False)
    _tried: bool = field(default=False, init=False)

    def train(self, progress: Progress | None = None) -> TrainingResult:
        """Run epochs until there is a reason to stop; start from a checkpoint, if there is one."""
        if progress is not None:
            self._go_on_from(progress)
            if progress.reason is not None:
                return TrainingResult(progress.snapshot, self._validates, progress.reason)
        try:
            # Numbers that are not finite are found and reported by this class, not by NumPy.
            with np.errstate(all="ignore"), self._make_crew() as crew:
                self._gradients = BatchGradients(crew, self.rng)
                self._norm = get_blas_funcs("nrm2", (self.theta,))  # cannot overflow
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
            return TrainingResult(self.whole, self._validates, "interrupted")

    def _go_on_from(self, progress: Progress) -> None:
        whole = progress.snapshot
        check_weights([self.theta, whole.theta])  # NumPy would repeat a vector of one number
        self.theta[...] = whole.theta
        self.optimizer.restore(whole.optimizer)
        self.rng.bit_generator.state = dict(whole.rng)
        self._before, self._tried = progress.before, self._validates
        self.whole = whole

    @property
    def _validates(self) -> bool:
        return self.validate is not None

    @property
    def n_iter(self) -> int:
        """The number of whole epochs so far."""
        return 0 if self.whole is None else len(self.whole.history)

    def _run_epochs(self) -> str:
        """Run epochs; return why they ended."""
        while (reason := self._reason_to_end()) is None:
            if self.watcher is not None:
                self.watcher.begin(self.whole)
            if self._close_epoch(self._run_epoch()):
                return self._reason_to_end() or "callback"
        return reason

    def _reason_to_end(self) -> str | None:
        if self.whole is not None and self.whole.converged:
            return "converged"
        return "max_iter" if self.n_iter >= self.options.max_iter else None

    def _make_crew(self) -> Crew:
        n_columns = min(self.options.batch_size, self.data.n_samples)
        n_parts = count_parts(self.network.stack.hidden_size, n_columns)
        return self._crew_of(n_parts, n_columns // n_parts)

    def _crew_of(self, n_parts: int, columns_of_part: int) -> Crew:
        """Return the crew for at most so many parts at the same time, of so many sequences each."""
        options = self.options
        dropout = Dropout(options.dropout, options.recurrent_dropout, self.theta.dtype)
        worker = PartGradients(self.network, self.data, self.theta, dropout, options.tbptt_steps)
        n_threads = (
            self.n_threads if suits_threads(self.network.stack.hidden_size, columns_of_part) else 1
        )
        return Crew(worker, n_parts, n_threads, self.n_jobs)

    def _run_epoch(self) -> Epoch:
        """Update theta by every batch."""
        begin, total = perf_counter(), 0.0
        self._largest_norm = 0.0
        rng = self.rng if self.options.shuffle else None
        for index in iter_batches(self.data.lengths, self.options.batch_size, rng):
            total += self._run_batch(index) * len(index)
        return Epoch(
            epoch=self.n_iter + 1,
            seconds=perf_counter() - begin,
            loss=total / self.data.n_samples,
            learning_rate=self.optimizer.learning_rate,
            gradient_norm=self._largest_norm,
        )

    def _run_batch(self, index: Array) -> float:
        """Update theta by one batch; return its loss."""
        if self.data.per_step and self.options.tbptt_steps is not None:
            return self._run_pieces(index)
        loss = self._gradients.of_batch(index)
        self._update(loss)
        return loss

    def _run_pieces(self, index: Array) -> float:
        """Update theta after each piece of a batch; return the loss of the batch."""
        loss = 0.0
        for piece_loss, share in self._gradients.of_pieces(index):
            self._update(piece_loss)
            loss += share * piece_loss
        return loss

    def _update(self, loss: float) -> None:
        """Check loss and gradient, and update theta."""
        gradient = self._gradients.gradient
        norm = float(self._norm(gradient))
        if not (np.isfinite(loss) and np.isfinite(norm)):
            what = "the gradient" if np.isfinite(loss) else "the loss"
            raise Diverged(self._describe_divergence(what, self.n_iter + 1, self.optimizer.t + 1))
        self._tried, self._before = True, None  # these weights give finite numbers
        self._largest_norm = max(self._largest_norm, norm)
        limit = self.options.max_grad_norm
        if limit is not None and norm > limit:
            gradient *= limit / norm
        optimizer = self.optimizer
        rate = self.schedule.rate(self.n_iter, optimizer.t + 1)
        optimizer.learning_rate = self._pace.scale * rate
        optimizer.step(self.theta, gradient)

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

    @property
    def _pace(self) -> Pace:
        return Pace() if self.whole is None else self.whole.pace

    def _close_epoch(self, epoch: Epoch) -> bool:
        """Check, score and save the weights; return whether a callback asks to stop."""
        theta = self.theta.copy()
        if not np.isfinite(theta).all():
            raise Diverged(self._describe_divergence("a weight", epoch.epoch, self.optimizer.t))
        before = self.whole
        recent = (*(self.recent if before is None else before.recent), theta)
        recent = recent[-self.options.average_epochs :]
        model = mean_weights(recent)
        epoch = self._validated(epoch, model)
        best, best_theta = self._best(epoch, model)
        history = (*(() if before is None else before.history), epoch)
        pace, converged = self._stopping.judge(history, self._pace, self.optimizer.learning_rate)
        optimizer, rng = self.optimizer.state(), self.rng.bit_generator.state
        self._tried = self._validates
        self._before = None if self._tried else before
        self.whole = Snapshot(recent, optimizer, rng, best_theta, best, pace, converged, history)
        return self._tell(self.whole)

    @property
    def _stopping(self) -> Stopping:
        options = self.options
        adaptive = self.schedule.name == "adaptive"
        return Stopping(options.tol, options.n_iter_no_change, adaptive)

    def _validated(self, epoch: Epoch, model: Array) -> Epoch:
        """Return the epoch with its validation score and loss, if there is validation."""
        begin = perf_counter()
        if self.validate is None:
            if self.record is None:
                return epoch
            loss = self.record(model)
            seconds = epoch.seconds + perf_counter() - begin
            return epoch._replace(seconds=seconds, validation_loss=loss)
        score, loss = self.validate(model)
        if not np.isfinite(score):
            what = "the validation score"
            raise Diverged(self._describe_divergence(what, epoch.epoch, self.optimizer.t))
        seconds = epoch.seconds + perf_counter() - begin
        return epoch._replace(seconds=seconds, validation_score=score, validation_loss=loss)

    def _best(self, epoch: Epoch, model: Array) -> tuple[float, Array]:
        """Return the best value so far and the weights of the model."""
        before = self.whole
        if self.validate is None:
            return epoch.loss if before is None else min(before.best, epoch.loss), model
        if before is None or epoch.validation_score > before.best:
            return epoch.validation_score, model
        return before.best, before.best_theta

    def _tell(self, whole: Snapshot) -> bool:
        """Print, call the watcher, save a checkpoint; return whether the watcher says to stop."""
        if self.options.verbose:
            print(to_line(whole.history[-1]))
        stop = self.watcher is not None and self.watcher.end(whole)
        if self.writer is not None:
            self.writer.keep(whole, self._before, at_once=stop)
        return stop

    def _try_weights(self) -> None:
        """Raise Diverged if predictions after the very last update are not finite."""
        if self._tried:
            return
        assert self.whole is not None
        model = self.whole.best_theta
        if not np.isfinite(self._gradients.raw_predictions(model, self.options.batch_size)).all():
            what = "a prediction after it"
            raise Diverged(self._describe_divergence(what, self.n_iter, self.optimizer.t))

    def _finish(self, last: Snapshot, reason: str) -> TrainingResult:
        """Return the result; mark the checkpoint as complete unless a callback has stopped."""
        if self.writer is not None and reason != "callback":
            self.writer.complete(last, reason)
        return TrainingResult(last, self._validates, reason)
