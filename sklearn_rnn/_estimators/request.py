"""The records that the steps of a fit pass on: request, data as arrays, and start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.cached import cached_property
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._training.checkpoints import CheckpointWriter, Progress
from sklearn_rnn._training.snapshot import Snapshot, Watcher

# Makes a watcher from a function that returns the model of an epoch.
Watch = Callable[[Callable[[Snapshot], Any]], Watcher]


@dataclass(frozen=True)
class FitRequest:
    """What the user asks `fit` or `partial_fit` for, in the containers that were passed.

    Attributes
    ----------
    X, y, sample_weight
        The training data.
    X_val, y_val, sample_weight_val
        The validation data, or None.
    groups
        Which samples must stay on one side of a validation split, or None.
    classes
        Of `partial_fit`: all labels that will ever come, or None.
    incremental : bool
        Whether it is `partial_fit` that asks: one epoch, from where training stands.
    watch : callable or None
        Makes the watcher that callbacks look through.
    """

    X: Any
    y: Any
    sample_weight: Any = None
    X_val: Any = None
    y_val: Any = None
    sample_weight_val: Any = None
    groups: Any = None
    classes: Any = None
    incremental: bool = False
    watch: Watch | None = None


@dataclass(frozen=True)
class Given:
    """The data of a request as arrays.

    Attributes
    ----------
    data : TrainingData
        The samples to train on, as they were read.
    held_out : TrainingData or None
        The validation data that were given.
    groups : ndarray of shape (n_samples,) or None
        The group of each sample.
    """

    data: TrainingData
    held_out: TrainingData | None
    groups: np.ndarray | None

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the weights."""
        return dtype_of_weights(self.data.values.dtype)

    @cached_property
    def weighty(self) -> np.ndarray:
        """The indices of the samples with a positive weight."""
        return self.data.weighty()

    def with_weight(self) -> tuple[TrainingData, np.ndarray | None]:
        """Return data and groups of the samples with a positive weight."""
        index = self.weighty
        if len(index) == self.data.n_samples:
            return self.data, self.groups
        return self.data.take(index), None if self.groups is None else self.groups[index]


@dataclass(frozen=True)
class Start:
    """Where training starts.

    Attributes
    ----------
    first : bool
        Whether the estimator has no weights yet: this fit draws new ones.
    dtype : dtype
        That of new weights.
    longest : int
        Steps of the longest sequence, which new weights may depend on.
    rng : Generator
        The source of all random numbers of this fit.
    writer : CheckpointWriter or None
        Keeps the checkpoint, if there is to be one.
    progress : Progress or None
        What an earlier, interrupted call of the same fit left in the checkpoint.
    """

    first: bool
    dtype: np.dtype
    longest: int
    rng: np.random.Generator
    writer: CheckpointWriter | None
    progress: Progress | None


@dataclass(frozen=True)
class Sides:
    """The samples of a fit, by what they are for.

    Attributes
    ----------
    training : TrainingData
    held_out : TrainingData or None
        Those that no weight learns from: for early stopping, and for prediction intervals.
    stops : bool
        Whether the held-out samples decide when training stops.
    """

    training: TrainingData
    held_out: TrainingData | None
    stops: bool


def dtype_of_weights(dtype: np.dtype) -> np.dtype:
    """Return the dtype of the weights for values of this one: float64 for codes of tokens."""
    return dtype if dtype.kind == "f" else np.dtype(np.float64)
