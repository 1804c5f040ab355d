"""Samples held out of training: which they are, and how a model is scored on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from sklearn_rnn._compat import InvalidParameterError
from sklearn_rnn._core.network import Network
from sklearn_rnn._data.tokens import decode_tokens
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._running.prediction import run_in_blocks
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


def make_validate(
    model: Any, network: Network, held_out: TrainingData
) -> Callable[[np.ndarray], tuple[float, float]]:
    """Return what tells theta's score and loss on held-out data.

    Larger scores are better; a score of NaN means diverged.

    Parameters
    ----------
    model : RecurrentEstimator
        With all fitted attributes but the weights; its `validation_scoring` says how.
    network : Network
    held_out : TrainingData
        With targets (M, K) as `_check_targets` returns them.
    """
    loss_of = _make_loss(model, network, held_out)
    score_of = None if model.validation_scoring == "loss" else _make_score(model, held_out)

    def validate(theta: np.ndarray) -> tuple[float, float]:
        raw = run_in_blocks(network, network.raw_prediction, theta, *held_out.packed)
        if not np.isfinite(raw).all():
            return np.nan, np.nan
        loss = loss_of(raw)
        return (-loss if score_of is None else float(score_of(theta, raw))), loss

    return validate


def _make_loss(
    model: Any, network: Network, held_out: TrainingData
) -> Callable[[np.ndarray], float]:
    try:
        prepared, _ = model._prepare_targets(held_out, first=False)
    except ValueError:  # class_weight leaves none of it
        if model.validation_scoring == "loss":
            raise
        return lambda raw: np.nan

    def loss_of(raw: np.ndarray) -> float:
        value, _ = network.loss.value_gradient(
            raw.T.astype(np.float64), prepared.y.T, prepared.weight
        )
        return float(value) / float(prepared.weight.sum())

    return loss_of


def _make_score(model: Any, held_out: TrainingData) -> Callable[[np.ndarray, np.ndarray], float]:
    if model.validation_scoring is None:
        return lambda theta, raw: model._score_raw(raw, held_out)
    if held_out.per_step and isinstance(model.validation_scoring, str):
        raise InvalidParameterError(
            f"validation_scoring={model.validation_scoring!r} scores one answer a sequence, but "
            'with return_sequences=True there is one a step: use None, "loss", or a callable '
            "(estimator, X, y), whose y holds a masked array for each sequence."
        )
    scorer = check_scoring(model, scoring=model.validation_scoring)
    X, y, weight = _as_given(model, held_out)

    def user_score(theta: np.ndarray, raw: np.ndarray) -> float:
        value = float(scorer(model._with_weights(theta), X, y, **weight))
        if not np.isfinite(value):
            raise ValueError(
                f"validation_scoring={model.validation_scoring!r} gave {value} on the "
                f"{held_out.n_samples} validation samples: is it defined for their targets?"
            )
        return value

    return user_score


def _as_given(model: Any, held_out: TrainingData) -> tuple[Any, Any, dict[str, Any]]:
    """Return X, y and, where weights differ, sample_weight, as a user would pass them."""
    values, offsets = held_out.packed
    if model._reads_tokens:
        values = decode_tokens(values, model.vocabulary_)
    X: Any = SequenceArray(values, offsets)
    if model._input_kind_ == "flat":
        X = values.reshape(held_out.n_samples, -1)
    y, weight = model._as_targets(held_out.y), held_out.weight
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
