"""Checks of the constructor's parameters: of each value, and of values that exclude each other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names

from sklearn_rnn._compat import Interval, InvalidParameterError, StrOptions
from sklearn_rnn._core.pooling import POOLINGS
from sklearn_rnn._training.checkpoints import Checkpoint

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_size": [Interval(Integral, 1, None, closed="left")],
    "num_layers": [Interval(Integral, 1, None, closed="left")],
    "bidirectional": ["boolean"],
    "pooling": [StrOptions(POOLINGS.keys())],
    "head_sizes": ["array-like"],
    "layer_norm": ["boolean"],
    "residual": ["boolean"],
    "learn_initial_state": ["boolean"],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "recurrent_dropout": [Interval(Real, 0, 1, closed="left")],
    "return_sequences": ["boolean"],
    "n_timesteps": [Interval(Integral, 1, None, closed="left"), None],
    "embedding_size": [Interval(Integral, 1, None, closed="left"), None],
    "solver": [StrOptions({"adam", "adamw", "rmsprop", "sgd", "lbfgs"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", "cosine", "one_cycle"})],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
    "tbptt_steps": [Interval(Integral, 1, None, closed="left"), None],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "early_stopping": ["boolean", StrOptions({"auto"})],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "validation_scoring": [StrOptions({"loss", *get_scorer_names()}), callable, None],
    "average_epochs": [Interval(Integral, 1, None, closed="left")],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "n_jobs": [Interval(Integral, None, None, closed="neither"), None],
    "verbose": ["verbose"],
    "checkpoint": [str, os.PathLike, Checkpoint, None],
    "momentum": [Interval(Real, 0, 1, closed="left")],
    "nesterovs_momentum": ["boolean"],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
}


def check_numbers(parameters: Mapping[str, Any], constraints: Mapping[str, Any], name: str) -> None:
    """Refuse True and False where the estimator of this name expects a number.

    Raises
    ------
    InvalidParameterError
        It names the parameter.
    """
    for parameter, allowed in constraints.items():
        value = parameters[parameter]
        is_number = any(isinstance(constraint, Interval) for constraint in allowed)
        if is_number and isinstance(value, bool | np.bool_):
            raise InvalidParameterError(
                f"The {parameter!r} parameter of {name} must be a number, got {value!r}."
            )


def check_together(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that exclude each other.

    Raises
    ------
    InvalidParameterError
        It says which, why, and what to set instead.
    """
    _check_lbfgs(parameters)
    _check_tbptt(parameters)


def _check_lbfgs(parameters: Mapping[str, Any]) -> None:
    if parameters["solver"] != "lbfgs":
        return
    if parameters["return_sequences"] and parameters["tbptt_steps"] is not None:
        raise InvalidParameterError(
            'solver="lbfgs" updates once for all data, so with return_sequences=True it cannot '
            "update after every piece of a sequence: set tbptt_steps=None."
        )
    if parameters["checkpoint"] is not None:
        raise InvalidParameterError(
            'solver="lbfgs" cannot go on from a checkpoint as if it had never stopped, because '
            "SciPy keeps its state to itself: set checkpoint=None, or take another solver."
        )
    if parameters["average_epochs"] > 1:
        raise InvalidParameterError(
            'solver="lbfgs" has no noise that an average could take away: set '
            "average_epochs=1, or take another solver."
        )
    if parameters["dropout"] or parameters["recurrent_dropout"]:
        raise InvalidParameterError(
            'solver="lbfgs" needs the same objective at every look at it, but dropout draws '
            "another one: set dropout=0 and recurrent_dropout=0, or take another solver."
        )


def _check_tbptt(parameters: Mapping[str, Any]) -> None:
    steps = parameters["tbptt_steps"]
    if steps is None:
        return
    pooling = parameters["pooling"]
    if not (POOLINGS[pooling].in_pieces or parameters["return_sequences"]):
        raise InvalidParameterError(
            f"tbptt_steps={steps} cuts sequences into pieces, but pooling={pooling!r} weighs all "
            "steps against each other: set tbptt_steps=None, or take another pooling."
        )
    if parameters["bidirectional"]:
        raise InvalidParameterError(
            f"tbptt_steps={steps} needs bidirectional=False: the reverse direction "
            "starts at the end of a sequence, and cannot carry its state from the pieces "
            "before. Set tbptt_steps=None."
        )


def check_head_sizes(head_sizes: Iterable[Any]) -> tuple[int, ...]:
    """Return the widths of the head's layers.

    Raises
    ------
    InvalidParameterError
        If one of them is no integer of at least 1.
    """
    sizes = tuple(head_sizes)
    integers = all(isinstance(n, Integral) and not isinstance(n, bool) for n in sizes)
    if integers and min(sizes, default=1) >= 1:
        return tuple(int(size) for size in sizes)
    raise InvalidParameterError(
        "head_sizes must hold the width of each dense layer, integers of at least 1, for "
        f"example (32,), or nothing; got {head_sizes!r}."
    )
