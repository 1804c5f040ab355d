"""Validation samples: how they are chosen, and how weights are scored on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from sklearn_rnn._compat import InvalidParameterError
from sklearn_rnn._core.losses import Loss
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._data.tokens import decode_tokens
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._running.prediction import run_in_blocks
from sklearn_rnn._training.trainer import Validate
from sklearn_rnn.sequences import SequenceArray


def check_held_out_given(X_val: Any, y_val: Any, sample_weight_val: Any) -> bool:
    """Return whether validation data were given; raise ValueError if only half of them were."""
    if X_val is None and y_val is None and sample_weight_val is None:
        return False
    for name, value in (("X_val", X_val), ("y_val", y_val)):
        if value is None:
            raise ValueError(
                f"{name} is missing: validation data are given as X_val and y_val, and perhaps "
                "sample_weight_val."
            )
    return True


def split_off(
    data: TrainingData,
    fraction: float,
    rng: np.random.Generator,
    *,
    strata: np.ndarray | None,
    groups: np.ndarray | None,
) -> tuple[TrainingData, TrainingData]:
    """Return data to train on and data held out, drawn at random; no sequence is cut.

    With `groups` (N,) whole groups are held out, otherwise the shares of `strata` (N,) are kept.
    """
    n_held_out = round(fraction * data.n_samples)
    if not 2 <= n_held_out <= data.n_samples - 1:
        raise ValueError(
            f"The validation set of early_stopping would hold {n_held_out} of "
            f"{data.n_samples} samples, too few to train and validate: change "
            f"validation_fraction={fraction}, or early_stopping=False."
        )
    seed = int(rng.integers(2**31 - 1))
    if groups is not None:
        n_groups = len(np.unique(groups))
        if n_groups < 2:
            raise ValueError(
                "groups holds one group only, which cannot be split into training and validation "
                "data: leave groups out, or give X_val and y_val."
            )
        n_held_out = min(max(1, round(fraction * n_groups)), n_groups - 1)
        splitter = GroupShuffleSplit(1, test_size=n_held_out, random_state=seed)
        train, held_out = next(splitter.split(groups, groups=groups))
        return data.take(train), data.take(held_out)
    if strata is not None:
        _, counts = np.unique(strata, return_counts=True)
        smaller_part = min(n_held_out, data.n_samples - n_held_out)
        # A class of one sample cannot be on both sides.
        strata = strata if counts.min() > 1 and len(counts) <= smaller_part else None
    train, held_out = train_test_split(
        np.arange(data.n_samples), test_size=n_held_out, random_state=seed, stratify=strata
    )
    return data.take(train), data.take(held_out)


class Score(Protocol):
    """Returns a score of the weights theta; it may use their raw predictions, too."""

    def __call__(self, theta: Array, raw: Array) -> float:
        """Return a score, the larger the better."""


def make_validate(
    network: Network, held_out: TrainingData, prepared: TrainingData | None, score: Score | None
) -> Validate:
    """Return a function that gives score and loss of theta on the held-out data.

    A score of NaN means diverged.

    Parameters
    ----------
    network : Network
    held_out : TrainingData
        With targets (M, K) as they were read.
    prepared : TrainingData or None
        The same with the targets and weights that the loss is defined for. None: there is no loss.
    score : callable theta, raw predictions -> float, or None
        None stands for minus the loss.
    """
    loss_of = _no_loss if prepared is None else partial(mean_loss, network.loss, prepared)

    def validate(theta: Array) -> tuple[float, float]:
        raw = run_in_blocks(network, network.raw_prediction, theta, *held_out.packed)
        if not np.isfinite(raw).all():
            return np.nan, np.nan
        loss = loss_of(raw)
        return (-loss if score is None else float(score(theta, raw))), loss

    return validate


def held_out_loss(network: Network, data: TrainingData, theta: Array) -> float:
    """Return the mean loss of weights on data with the targets that the loss is defined for."""
    raw = run_in_blocks(network, network.raw_prediction, theta, *data.packed)
    return mean_loss(network.loss, data, raw)


def mean_loss(loss: Loss, data: TrainingData, raw: Array) -> float:
    """Return the weighted mean of the loss of raw predictions (M, K)."""
    value, _ = loss.value_gradient(raw.T.astype(np.float64, copy=False), data.y.T, data.weight)
    return float(value) / float(data.weight.sum())


def _no_loss(raw: Array) -> float:
    return np.nan


def check_scores_steps(scoring: Any) -> None:
    """Refuse the name of a scorer where there is one answer a step."""
    if isinstance(scoring, str):
        raise InvalidParameterError(
            f"validation_scoring={scoring!r} scores one answer a sequence, but "
            'with return_sequences=True there is one a step: use None, "loss", or a callable '
            "(estimator, X, y), whose y holds a masked array for each sequence."
        )


@dataclass(frozen=True)
class UserScore:
    """The score of weights by a scorer of scikit-learn's kind.

    Parameters
    ----------
    scorer : callable estimator, X, y -> float
    scoring : str or callable
        What the user chose, for the message.
    with_weights : callable theta -> fitted estimator
    X, y
        The held-out data as a user would pass them.
    weight : dict
        `sample_weight`, where weights differ.
    """

    scorer: Callable[..., float]
    scoring: str | Callable[..., float]
    with_weights: Callable[[Array], BaseEstimator]
    X: Any
    y: Any
    weight: dict[str, Any]

    def __call__(self, theta: Array, raw: Array) -> float:
        """Return the scorer's value of the model with these weights."""
        value = float(self.scorer(self.with_weights(theta), self.X, self.y, **self.weight))
        if not np.isfinite(value):
            raise ValueError(
                f"validation_scoring={self.scoring!r} gave {value} on the "
                f"{len(self.X)} validation samples: is it defined for their targets?"
            )
        return value


def give_back(
    held_out: TrainingData, y: np.ndarray, *, flat: bool, vocabulary: np.ndarray | None
) -> tuple[Any, Any, dict[str, Any]]:
    """Return X, y and, where weights differ, sample_weight, as a user would pass them.

    Parameters
    ----------
    held_out : TrainingData
    y : ndarray (M,) or (M, K)
        Its targets, as a user would give them if there were one a sequence.
    flat : bool
        Whether rows were fitted, not sequences.
    vocabulary : ndarray or None
        The tokens of its codes, if it holds codes.
    """
    values, offsets = held_out.packed
    if vocabulary is not None:
        values = decode_tokens(values, vocabulary)
    X = values.reshape(held_out.n_samples, -1) if flat else SequenceArray(values, offsets)
    weight = held_out.weight
    if held_out.per_step:
        missing = np.zeros(y.shape, bool)
        missing[weight == 0] = True
        cuts = held_out.offsets[1:-1]
        parts = np.split(np.ma.array(y, mask=missing), cuts)
        y = np.fromiter(parts, dtype=object, count=len(parts))
        weights = np.split(weight, cuts)
        scored = weight[weight > 0]
        weight = np.fromiter(weights, dtype=object, count=len(weights))
    else:
        scored = weight
    return X, y, {} if (scored == scored[0]).all() else {"sample_weight": weight}
