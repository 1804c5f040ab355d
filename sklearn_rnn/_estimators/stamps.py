"""The version and the format number in pickles of estimators, and the conversion of older formats.

scikit-learn's own stamp does not cover other packages. Files of skops and of
`sklearn_rnn.persistence` come by the same two methods, so that an older state is brought up to
date in one place, `bring_up`.
"""

from __future__ import annotations

import warnings
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from sklearn_rnn._training.checkpoints import Checkpoint
from sklearn_rnn._version import __version__

# The arrangement of an estimator's attributes. To be raised when this release could not make
# sense of the attributes of the one before, with a step in `bring_up` from there to here. An
# option that is new, and off by default, is no such change: `bring_up` turns it off, and a release
# that does not know it says so.
FORMAT = 3
# Pickles that carry no number are older than the first that do, and arranged like them.
UNSTAMPED = 0

VERSION_KEY, FORMAT_KEY = "_sklearn_rnn_version", "_sklearn_rnn_format"


class ModelVersionWarning(InconsistentVersionWarning):
    """An estimator was pickled by another release of sklearn_rnn than loads it.

    Parameters
    ----------
    estimator_name : str
        The estimator's class.
    current_version : str
        The release that loads it.
    original_version : str
        The release that pickled it.
    """

    def __init__(self, *, estimator_name: str, current_version: str, original_version: str) -> None:
        self.estimator_name = estimator_name
        self.current_version = current_version
        self.original_version = original_version

    def __str__(self) -> str:
        return (
            f"This {self.estimator_name} was pickled by sklearn_rnn {self.original_version} and is "
            f"loaded by {self.current_version}. Compare its answers with known ones before you "
            "rely on it, and pickle it anew. Files of sklearn_rnn.persistence.save need no such "
            "care."
        )


class StampedEstimator(BaseEstimator):
    """A base of estimators whose pickles say which release made them."""

    @classmethod
    def _architecture_names(cls) -> tuple[str, ...]:
        """Return the names of the parameters that fit stores in `_architecture_`."""
        return ()

    def __getstate__(self) -> dict[str, Any]:
        state = {name: _in_memory(value) for name, value in super().__getstate__().items()}
        return {**state, VERSION_KEY: __version__, FORMAT_KEY: FORMAT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        version = state.pop(VERSION_KEY, None)
        number = state.pop(FORMAT_KEY, UNSTAMPED)
        name = type(self).__name__
        if number > FORMAT:
            raise ValueError(
                f"This {name} was saved by sklearn_rnn {version} in format {number}, and this "
                f"release, {__version__}, reads formats up to {FORMAT}: load it with that release "
                "or a later one."
            )
        if version not in (None, __version__):
            warnings.warn(
                ModelVersionWarning(
                    estimator_name=name, current_version=__version__, original_version=version
                ),
                stacklevel=2,
            )
        super().__setstate__(bring_up(type(self), state, number))


def bring_up(
    Estimator: type[StampedEstimator], state: dict[str, Any], number: int
) -> dict[str, Any]:
    """Convert a state of format `number` to the current format.

    Options that the older release did not have are as they are by default.
    """
    if number < 2 and "_theta_" in state:
        state = _with_history(state)
    if number < 3:
        state = _with_one_checkpoint(state)
    parameters = signature(Estimator).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    new = {name: default for name, default in defaults.items() if name not in state}
    state = {**new, **state}
    if "_architecture_" in state:
        names = [name for name in Estimator._architecture_names() if name in new]
        state["_architecture_"] = {n: new[n] for n in names} | state["_architecture_"]
    return state


def _with_history(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state of format 1 in format 2: the curves are columns of `history_`.

    What format 1 did not keep is NaN, or None, for unknown.
    """
    state = dict(state)
    losses, scores = np.array(state.pop("loss_curve_")), state.pop("validation_scores_")
    unknown = np.full(len(losses), np.nan)
    state["history_"] = {
        "epoch": state["n_iter_"] + np.arange(1 - len(losses), 1),
        "seconds": unknown,
        "loss": losses,
        "validation_loss": unknown,
        "validation_score": unknown if scores is None else np.array(scores),
        "learning_rate": unknown,
        "gradient_norm": unknown,
    }
    state["stop_reason_"] = None
    if "_resume_" in state:
        state["_resume_"] = {**state["_resume_"], "recent": []}
    return state


def retired_parameters(number: int) -> set[str]:
    """Return the parameters that a state of this format may have and that `bring_up` replaces."""
    return {"checkpoint_epochs", "checkpoint_seconds"} if number < 3 else set()


def _with_one_checkpoint(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state of format 2 in format 3: how often a fit is saved is part of `checkpoint`."""
    state = dict(state)
    epochs, seconds = state.pop("checkpoint_epochs", 1), state.pop("checkpoint_seconds", 0.0)
    if state.get("checkpoint") is not None and (epochs, seconds) != (1, 0.0):
        state["checkpoint"] = Checkpoint(state["checkpoint"], epochs=epochs, seconds=seconds)
    return state


def _in_memory(value: Any) -> Any:
    """Return a value with arrays in the place of memory-mapped ones, which skops cannot load."""
    if type(value) is np.memmap:
        return np.asarray(value)
    if type(value) in (list, tuple):
        return type(value)(map(_in_memory, value))
    if type(value) is dict:
        return {key: _in_memory(item) for key, item in value.items()}
    return value
