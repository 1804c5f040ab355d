"""What gradients by the input explain, and the way that integrated gradients go.

Dimension key: n sequences, T_i steps, M answers (one a sequence, or one a step), F features.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np

from sklearn_rnn._core.attribution import Explained
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._data.tokens import read_tokens
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._running.prediction import run_in_blocks

# Shares that add up to a prediction up to this part of the largest difference are complete.
INCOMPLETE = 0.05
# From a share of the way, 0 at the baseline and 1 at X, to the weights and data there.
Way = Callable[[float], tuple[Array, TrainingData]]


def is_integer(value: Any) -> bool:
    """Whether this is an integer, and not a truth value."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def output_index(target: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index into a row of predictions of this shape that `target` means.

    Raises a ValueError if there is no such output, or several and none is named.
    """
    if target is None and not shape:
        return ()
    index = target if isinstance(target, tuple) else (target,)
    fits = all(map(is_integer, index)) and len(index) == len(shape)
    if not fits or not all(-size <= k < size for k, size in zip(index, shape, strict=True)):
        expected = {
            0: "None: there is one output",
            1: f"an integer below {shape[0] if shape else 0}: the index of an output",
        }.get(len(shape), f"a tuple of integers below {shape}: those of an output and a quantile")
        raise ValueError(f"target must be {expected}; got {target!r}.")
    return tuple(int(k) for k in index)


def answer_weights(offsets: Array, step: Any, *, per_step: bool) -> Array:
    """Return the weight (M,) of each answer in what is explained: all, or those of one step."""
    if not per_step:
        if step is not None:
            raise ValueError(
                f"step={step!r} needs return_sequences=True: this model gives one answer a "
                "sequence."
            )
        return np.ones(len(offsets) - 1)
    if step is None:
        return np.ones(offsets[-1])
    shortest = int(np.diff(offsets).min())
    if not is_integer(step) or not -shortest <= step < shortest:
        raise ValueError(
            f"step must be None or an integer from {-shortest} to {shortest - 1}, since the "
            f"shortest sequence of X has {shortest} step(s); got {step!r}."
        )
    weight = np.zeros(offsets[-1])
    weight[(offsets[1:] if step < 0 else offsets[:-1]) + step] = 1
    return weight


def numbers_way(
    model: Any, network: Network, data: TrainingData, baseline: Any
) -> tuple[Array, Way]:
    """Return X - baseline (sum of T_i, F), and the way from one to the other."""
    base = _read_baseline(model, data, baseline).astype(data.values.dtype)
    difference = data.values - base

    def at(share: float) -> tuple[Array, TrainingData]:
        values = base + data.values.dtype.type(share) * difference
        return model._theta_, replace(data, values=values)

    return difference, at


def _read_baseline(model: Any, data: TrainingData, baseline: Any) -> Array:
    """Return a baseline (sum of T_i, F) or (F,)."""
    n_features = data.values.shape[1]
    if baseline is None:
        return np.zeros(n_features)
    is_list = isinstance(baseline, np.ndarray | list | tuple)
    if is_list and all(np.ndim(item) == 0 for item in baseline):
        values = np.asarray(baseline)
        if values.shape != (n_features,) or not np.isfinite(values.astype(float)).all():
            raise ValueError(
                f"baseline must have a finite number for each of {n_features} feature(s), or be "
                f"sequences like X; got {baseline!r}."
            )
        return values
    try:
        sequences = model._read(baseline)
    except (TypeError, ValueError) as error:
        error.add_note("This is about the baseline.")
        raise
    if not np.array_equal(sequences.offsets, data.offsets):
        raise ValueError(
            "baseline must have as many sequences as X, of the same lengths: got "
            f"{len(sequences)} of {sequences.lengths.min()} to {sequences.lengths.max()} steps."
        )
    return sequences.values


def tokens_way(
    model: Any, network: Network, data: TrainingData, baseline: Any
) -> tuple[Array, Way]:
    """Return vectors - baseline (sum of T_i, D), and the way from one to the other.

    Moving all vectors e_v to b + share (e_v - b), where b is that of the baseline, moves those of
    every sequence, and their mean, the unknown token's, with them: so the weights go the way, and
    the tokens stay.
    """
    embedding, E = network.embedding, network.layout.bind(model._theta_).embedding
    assert embedding is not None
    vectors = embedding.vectors(E)
    if baseline is None:
        base = vectors[-1]
    else:
        if not isinstance(baseline, str | Integral):
            raise ValueError(f"baseline must be a token, or None; got {baseline!r}.")
        (code,) = read_tokens(model, baseline)
        base = vectors[code]

    def at(share: float) -> tuple[Array, TrainingData]:
        theta = np.array(model._theta_)
        moved = network.layout.bind(theta).embedding
        moved[...] = base + theta.dtype.type(share) * (E - base)
        return theta, data

    return vectors[data.values[:, 0]] - base, at


def warn_if_incomplete(
    network: Network,
    shares: Array,
    begin: tuple[Array, TrainingData],
    end: tuple[Array, TrainingData],
    n_steps: int,
) -> None:
    """Warn if the shares (sum of T_i, F) of a sequence do not add up to how far it has come."""
    offsets = end[1].offsets[:-1]
    sums = np.add.reduceat(shares.sum(axis=1, dtype=np.float64), offsets)
    difference = _explained_numbers(network, *end) - _explained_numbers(network, *begin)
    gaps, largest = np.abs(sums - difference), np.abs(difference).max()
    worst = int(gaps.argmax())
    if gaps[worst] > INCOMPLETE * largest:
        warnings.warn(
            f"The shares of sequence {worst} add up to {sums[worst]:.3g}, but its prediction and "
            f"that of the baseline differ by {difference[worst]:.3g}: the gradient changes fast on "
            f"the way between them. Raise n_steps={n_steps}.",
            UserWarning,
            stacklevel=3,
        )


def _explained_numbers(network: Network, theta: Array, data: TrainingData) -> Array:
    """Return the number of each sequence that the network's loss explains, (n,)."""
    assert isinstance(network.loss, Explained)
    raw = run_in_blocks(network, network.raw_prediction, theta, *data.packed)
    numbers = data.weight * network.loss.values(raw.T, data.y.T)
    return np.add.reduceat(numbers, data.offsets[:-1]) if data.per_step else numbers
