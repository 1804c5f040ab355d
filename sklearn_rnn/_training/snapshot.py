"""Snapshots: the state of training at the end of an epoch.

Checkpoints and results are made of snapshots, and training that diverges returns to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sklearn_rnn._core.workspace import Array
from sklearn_rnn._training.history import Epoch
from sklearn_rnn._training.stopping import Pace


@dataclass(frozen=True)
class Snapshot:
    """The state of training between two epochs. Its arrays never change.

    Attributes
    ----------
    recent : tuple of ndarray
        The weights at the ends of the last epochs: as many epochs as are averaged.
    optimizer, rng : dict
        Their states, from which training can continue as if it had never stopped.
    best_theta : ndarray
        The weights of the model: the mean of `recent`, or with validation the best mean so far.
    best : float
        The smallest loss, or with validation the largest score.
    pace : Pace
    converged : bool
        Whether training has converged.
    history : tuple of Epoch
    """

    recent: tuple[Array, ...]
    optimizer: dict[str, Any]
    rng: Mapping[str, Any]
    best_theta: Array
    best: float
    pace: Pace
    converged: bool
    history: tuple[Epoch, ...]

    @property
    def theta(self) -> Array:
        """The weights that the next update starts from."""
        return self.recent[-1]


class Watcher(Protocol):
    """Observes training, epoch by epoch, and can stop it."""

    def begin(self, snapshot: Snapshot | None) -> None:
        """Note that an epoch begins, with the snapshot of the epoch before, if there is one."""

    def end(self, snapshot: Snapshot) -> bool:
        """Return whether training is to stop at the end of this epoch."""


def mean_weights(recent: tuple[Array, ...]) -> Array:
    """Return the mean of these weights, in their dtype."""
    if len(recent) == 1:
        return recent[0]
    return np.mean(recent, axis=0, dtype=np.float64).astype(recent[0].dtype)
