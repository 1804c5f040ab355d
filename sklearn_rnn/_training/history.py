"""What each epoch was like, as numbers that a data frame reads and a line that a person reads."""

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
        Its number, from 1.
    seconds : float
        What it took, validation included.
    loss : float
        Of its batches, on average.
    validation_loss, validation_score : float
        At its end; NaN without validation.
    learning_rate : float
        Of its last update; NaN where the solver has none.
    gradient_norm : float
        The largest of its updates, before clipping.
    """

    epoch: int
    seconds: float
    loss: float
    validation_loss: float = nan
    validation_score: float = nan
    learning_rate: float = nan
    gradient_norm: float = nan


def to_arrays(history: Sequence[Epoch]) -> dict[str, Array]:
    """Return the history column by column."""
    columns = {name: np.array([getattr(e, name) for e in history], float) for name in Epoch._fields}
    return {**columns, "epoch": columns["epoch"].astype(int)}


def to_line(epoch: Epoch) -> str:
    """Return what `verbose` prints of an epoch."""
    parts = [f"Epoch {epoch.epoch}: loss {epoch.loss:.6f}"]
    if not isnan(epoch.validation_score):
        parts.append(f"validation loss {epoch.validation_loss:.6f}")
        parts.append(f"validation score {epoch.validation_score:.4f}")
    if not isnan(epoch.learning_rate):
        parts.append(f"learning rate {epoch.learning_rate:.3g}")
    parts += [f"gradient norm {epoch.gradient_norm:.3g}", f"{epoch.seconds:.2f} s"]
    return ", ".join(parts)
