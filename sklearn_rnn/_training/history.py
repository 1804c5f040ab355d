"""The history of training: one row of numbers for each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan
from typing import NamedTuple

import numpy as np

from sklearn_rnn._core.workspace import Array


class Epoch(NamedTuple):
    """One row of the history.

    Attributes
    ----------
    epoch : int
        The number of the epoch, from 1.
    seconds : float
        The duration, including validation.
    loss : float
        The mean loss of its batches.
    validation_loss, validation_score : float
        Measured at its end; NaN without validation.
    learning_rate : float
        The rate of its last update; NaN for solvers without a learning rate.
    gradient_norm : float
        The largest norm of the gradient in its updates, before clipping.
    """

    epoch: int
    seconds: float
    loss: float
    validation_loss: float = nan
    validation_score: float = nan
    learning_rate: float = nan
    gradient_norm: float = nan


def to_arrays(history: Sequence[Epoch]) -> dict[str, Array]:
    """Return the history as one array for each column."""
    columns = {name: np.array([getattr(e, name) for e in history], float) for name in Epoch._fields}
    return {**columns, "epoch": columns["epoch"].astype(int)}


def to_line(epoch: Epoch) -> str:
    """Return the line that `verbose` prints for an epoch."""
    parts = [f"Epoch {epoch.epoch}: loss {epoch.loss:.6f}"]
    if not isnan(epoch.validation_loss):
        parts.append(f"validation loss {epoch.validation_loss:.6f}")
    if not isnan(epoch.validation_score):
        parts.append(f"validation score {epoch.validation_score:.4f}")
    if not isnan(epoch.learning_rate):
        parts.append(f"learning rate {epoch.learning_rate:.3g}")
    parts += [f"gradient norm {epoch.gradient_norm:.3g}", f"{epoch.seconds:.2f} s"]
    return ", ".join(parts)
