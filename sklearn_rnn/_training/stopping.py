"""The stopping rule: end training, or lower the learning rate, on a plateau."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from sklearn_rnn._training.history import Epoch

# On a plateau, an adaptive learning rate is divided by SLOWER, unless it would fall below SLOWEST.
SLOWER, SLOWEST = 5.0, 1e-6


@dataclass(frozen=True)
class Pace:
    """The factor on the scheduled learning rate, and the epoch since which it holds."""

    scale: float = 1.0
    since: int = 0


@dataclass(frozen=True)
class Stopping:
    """Ends or slows down training when the last epochs are no better than those before.

    Parameters
    ----------
    tol : float
        The least improvement that counts, in `patience` epochs together.
    patience : int
        The number of epochs in a plateau.
    adaptive : bool
        Whether the learning rate is lowered before training ends.
    """

    tol: float
    patience: int
    adaptive: bool

    def judge(self, history: Sequence[Epoch], pace: Pace, rate: float) -> tuple[Pace, bool]:
        """Return the pace of the next epochs, and whether training has converged."""
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
    """Return the number whose growth is progress: the validation score, or minus the loss."""
    return -epoch.loss if isnan(epoch.validation_score) else epoch.validation_score
