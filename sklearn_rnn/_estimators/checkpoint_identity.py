"""The identity of a fit, which a checkpoint stores so that no other fit continues from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

from sklearn_rnn._core.workspace import Array
from sklearn_rnn._estimators.code_identity import identify_callable
from sklearn_rnn._estimators.request import Given
from sklearn_rnn._running.packing import TrainingData

# What does not change the course of training.
_NO_MATTER = ("checkpoint", "n_jobs", "verbose")


def identify(
    name: str,
    parameters: Mapping[str, Any],
    given: Given,
    *,
    seed: int | None,
    theta: Array | None,
    resume: Mapping[str, Any] | None,
) -> dict[str, str]:
    """Return what distinguishes this fit from others, as text; the keys appear in errors.

    Parameters
    ----------
    name : str
        The estimator's class.
    parameters : mapping
        Those of the constructor.
    given : Given
        The data, before any split.
    seed : int or None
        None where training goes on from random numbers that `resume` holds.
    theta : ndarray or None
        The weights that training goes on from, if it does.
    resume : mapping or None
        What else it goes on from.

    Raises
    ------
    ValueError
        If a parameter is a function that cannot be told from others.
    """
    described = {
        parameter: identify_callable(value, parameter) if callable(value) else _describe(value)
        for parameter, value in parameters.items()
        if parameter not in _NO_MATTER
    }
    if parameters["random_state"] is not None and seed is not None:
        described["random_state"] = f"seeded by {seed}"
    return {
        "the class": name,
        **described,
        "the training data (their hash)": _hash_data(given.data),
        "the validation data": _hash_data(given.held_out),
        "groups": _hash(given.groups),
        "the model to go on from (warm_start)": _hash_state(theta, resume),
    }


def _describe(value: Any) -> str:
    """Return a parameter that is no function as text that is the same in every process."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _hash_data(data: TrainingData | None) -> str:
    if data is None:
        return "none"
    return _hash(data.values, data.offsets, data.y, data.weight)


def _hash_state(theta: Array | None, resume: Mapping[str, Any] | None) -> str:
    if theta is None or resume is None:
        return _hash(theta)
    moments = resume["optimizer"]["moments"]
    return _hash(theta, *moments, *resume["recent"], np.array(repr(resume["rng"])))


def _hash(*arrays: np.ndarray | None) -> str:
    """Return a short hash of the arrays."""
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
