"""Snapshots: the state of training at the end of an epoch.

Checkpoints and results are made of snapshots, and training that diverges returns to one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def check_vectors(vectors: Sequence[Any]) -> None:
    """Raise ValueError unless all are vectors of the first one's size and dtype, a float's."""
    for vector in vectors:
        is_vector = isinstance(vector, np.ndarray) and vector.ndim == 1 and vector.size > 0
        if not (is_vector and vector.dtype in (np.float32, np.float64)):
            raise ValueError("weights must be a vector of float32 or float64")
        if vector.shape != vectors[0].shape or vector.dtype != vectors[0].dtype:
            raise ValueError("the vectors of weights are of different sizes or dtypes")


def check_weights(vectors: Sequence[Any]) -> None:
    """Raise ValueError unless all are finite vectors of weights of one network."""
    check_vectors(vectors)
    if not all(np.isfinite(vector).all() for vector in vectors):
        raise ValueError("weights are NaN or infinite")


def check_rng(state: Any) -> None:
    """Raise ValueError unless this is a state of the random numbers of a fit."""
    try:
        np.random.default_rng(0).bit_generator.state = dict(state)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"the state of the random numbers is none ({error!r})") from None


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
