"""Where training stands at the end of a whole epoch.

All that it falls back to, that a checkpoint holds, and that a result is made of.
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
    """The state of training between two epochs; nobody writes into its arrays.

    Attributes
    ----------
    recent : tuple of ndarray
        The weights at the ends of the last epochs, as many as are averaged.
    optimizer, rng : dict
        States, from which training can go on as if it had never stopped.
    best_theta : ndarray
        The model: the mean of `recent`, or with validation the best such mean so far.
    best : float
        The smallest loss, or with validation the largest score.
    pace : Pace
    converged : bool
        Whether there is no point in going on.
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
    """Who looks on while training runs."""

    def begin(self, snapshot: Snapshot | None) -> None:
        """Take note that an epoch begins where `snapshot` ended; None for the first one."""

    def end(self, snapshot: Snapshot) -> bool:
        """Return whether training is to stop at the end of this epoch."""


def mean_weights(recent: tuple[Array, ...]) -> Array:
    """Return the mean of these weights, in their dtype; of one, itself."""
    if len(recent) == 1:
        return recent[0]
    return np.mean(recent, axis=0, dtype=np.float64).astype(recent[0].dtype)
