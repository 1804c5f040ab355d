"""When training has stopped to make progress, and whether it then ends or slows down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from sklearn_rnn._training.history import Epoch

# An adaptive learning rate is divided by SLOWER on a plateau, unless it falls below SLOWEST.
SLOWER, SLOWEST = 5.0, 1e-6


@dataclass(frozen=True)
class Pace:
    """What the scheduled learning rate is multiplied by, and the epoch that this was decided in."""

    scale: float = 1.0
    since: int = 0


@dataclass(frozen=True)
class Stopping:
    """Ends training, or slows it down, once the last epochs are no better than those before.

    Parameters
    ----------
    tol : float
        What `patience` epochs must gain, all together.
    patience : int
    adaptive : bool
        Whether training slows down first.
    """

    tol: float
    patience: int
    adaptive: bool

    def judge(self, history: Sequence[Epoch], pace: Pace, rate: float) -> tuple[Pace, bool]:
        """Return the pace to go on at, and whether training has converged instead."""
        if not self._is_plateau(history, pace):
            return pace, False
        if not self.adaptive or rate / SLOWER < SLOWEST:
            return pace, True
        return Pace(pace.scale / SLOWER, len(history)), False

    def _is_plateau(self, history: Sequence[Epoch], pace: Pace) -> bool:
        if len(history) - pace.since <= self.patience:
            return False
        values = [merit(epoch) for epoch in history]
        return max(values[-self.patience :]) < max(values[: -self.patience]) + self.tol


def merit(epoch: Epoch) -> float:
    """Return what counts as progress: the validation score, or without it minus the loss."""
    return -epoch.loss if isnan(epoch.validation_score) else epoch.validation_score
