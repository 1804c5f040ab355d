"""Sequences with their targets and weights, as arrays: one target a sequence, or one a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_rnn._data.step_targets import (
    flatten_steps,
    has_step_lengths,
    scored_steps,
    scored_values,
    step_weights,
)
from sklearn_rnn._data.targets import check_sample_weight, refuse_lost_targets
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn.sequences import SequenceArray

# Returns targets, one a sequence or one a scored step, as float64 (M, K).
CheckTargets = Callable[[Any], np.ndarray]


def read_targets(
    sequences: SequenceArray, y: Any, sample_weight: Any, check: CheckTargets
) -> TrainingData:
    """Return sequences with one target and one weight each."""
    refuse_lost_targets(y, sample_weight)
    try:
        targets = check(y)
    except (TypeError, ValueError) as error:
        if not has_step_lengths(y, sequences.lengths):
            raise
        raise ValueError(
            "y has a target for each step of X: did you mean return_sequences=True? "
            f"Read as one target for each sequence: {error}"
        ) from error
    weight = check_sample_weight(sample_weight, len(targets))
    return TrainingData(sequences.values, sequences.offsets, targets, weight)


def read_step_targets(
    X: Any, sequences: SequenceArray, y: Any, sample_weight: Any, check: CheckTargets
) -> TrainingData:
    """Return sequences with one target and one weight for each step; X is their container.

    Steps that are not scored have target 0 and weight 0.
    """
    flat = flatten_steps(X, sequences.lengths, y)
    scored = scored_steps(flat)
    weight = step_weights(X, sequences.lengths, sample_weight, scored)
    known = check(scored_values(flat, scored))
    targets = np.zeros((len(flat), known.shape[1]))
    targets[scored] = known
    return TrainingData(sequences.values, sequences.offsets, targets, weight, per_step=True)
