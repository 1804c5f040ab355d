"""Whose a checkpoint is: all that tells one fit from another, as text."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

import numpy as np

from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._training.checkpoints import Checkpoint, CheckpointWriter

# What does not change the course of training.
_NO_MATTER = ("checkpoint", "verbose")


def make_writer(
    model: Any,
    data: TrainingData,
    held_out: TrainingData | None,
    groups: Any,
    seed: int | None,
) -> CheckpointWriter | None:
    """Return what keeps this fit's checkpoint, if it is to have one.

    Parameters
    ----------
    model : RecurrentEstimator
        As it is before training, with its weights where it goes on from those.
    data, held_out : TrainingData
        As they were read, before any split.
    groups : array-like or None
    seed : int or None
        None where training goes on from random numbers that `model` holds.
    """
    checkpoint = model.checkpoint
    if checkpoint is None:
        return None
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = Checkpoint(checkpoint)
    parameters = {
        name: _describe(value)
        for name, value in model.get_params(deep=False).items()
        if name not in _NO_MATTER
    }
    if model.random_state is not None and seed is not None:
        parameters["random_state"] = f"seeded by {seed}"
    identity = {
        "the class": type(model).__name__,
        **parameters,
        "the training data (their hash)": _hash_data(data),
        "the validation data": _hash_data(held_out),
        "groups": _hash(None if groups is None else np.asarray(groups)),
        "the model to go on from (warm_start)": _hash_state(model),
    }
    return CheckpointWriter(checkpoint, identity, seed)


def _describe(value: Any) -> str:
    """Return a parameter as text that is the same in every process."""
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _hash_data(data: TrainingData | None) -> str:
    if data is None:
        return "none"
    return _hash(data.values, data.offsets, data.y, data.weight)


def _hash_state(model: Any) -> str:
    if not hasattr(model, "_theta_"):
        return "none"
    resume = getattr(model, "_resume_", None)
    if resume is None:
        return _hash(model._theta_)
    moments = resume["optimizer"]["moments"]
    return _hash(model._theta_, *moments, *resume["recent"], np.array(repr(resume["rng"])))


def _hash(*arrays: np.ndarray | None) -> str:
    """Return a few digits that other arrays do not have."""
    digest = blake2b(digest_size=8)
    for array in arrays:
        if array is None:
            return "none"
        digest.update(f"{array.dtype}{array.shape}".encode())
        if array.dtype.kind == "O":
            digest.update(repr(array.tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
