"""What each number of X contributes to a prediction: gradients, and integrated gradients.

Dimension key: n sequences, T_i steps, M answers (one a sequence, or one a step), F features.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np

from sklearn_rnn._core.attribution import Explained
from sklearn_rnn._core.block import Block
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array, Workspace
from sklearn_rnn._data.containers import restore_container
from sklearn_rnn._data.refusals import refuse_silent_losses
from sklearn_rnn._data.user_warning import warn_user
from sklearn_rnn._estimators.mixin import MixedIntoFittedModel
from sklearn_rnn._estimators.path_integral import (
    REFINEMENT,
    Path,
    Shares,
    numbers_path,
    tokens_path,
)
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._running.traces import read_backward
from sklearn_rnn._typing import SequencesLike
from sklearn_rnn.sequences import SequenceArray


class Attribution(MixedIntoFittedModel):
    """Mixin: explains predictions by the numbers of X."""

    @abstractmethod
    def _explained(self, raw: Array, target: Any) -> tuple[Explained, Array]:
        """Return the numbers to explain, as a loss, and the y (M, K) that selects them."""

    def input_gradients(
        self, X: SequencesLike, target: Hashable = None, step: int | None = None
    ) -> Any:
        """Return the derivative of the prediction by every number of X.

        Of a regressor's prediction, in the unit of y; of a classifier, of the log-odds of a class,
        log(p / (1 - p)). Exact, by back-propagation through time.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        target : label, int or tuple of int, default=None
            What is explained. Of a classifier a label from `classes_`; None means the predicted
            one, or of two classes the second. With multilabel targets, several outputs or
            quantiles: the index into a row of `predict`, (output, quantile) with several of both.
        step : int or None, default=None
            With `return_sequences`: at which step's answer, -1 for the last one of each sequence.
            None: the sum over all steps.

        Returns
        -------
        gradients : like X
            In X's container and of its lengths, NaN where a 3-D X is padded; for a 2-D X with
            several features a step, (n_samples, n_timesteps, n_features). With
            `embedding_size`, by the numbers of each token's vector: (n_steps_i, embedding_size) for
            each sequence, in the form of `hidden_states`.

        Raises
        ------
        ValueError
            If `target` or `step` is not one of those that there are, or X is not what it should be.

        See Also
        --------
        integrated_gradients : Shares of a prediction that add up to it.
        """
        model, sequences, network = self._look(X)
        explain, data = model._explanation(network, sequences, target, step)
        theta = model._theta_.astype(data.y.dtype, copy=False)
        rows = read_backward(explain, theta, data, partial(_input_gradients, explain))
        if model._reads_tokens:
            return model._arrange_steps(X, sequences, rows)
        return restore_container(X, SequenceArray(rows, sequences.offsets))

    def integrated_gradients(
        self,
        X: SequencesLike,
        baseline: SequencesLike | str | int | None = None,
        target: Hashable = None,
        step: int | None = None,
        n_steps: int = 50,
    ) -> Any:
        """Return every number's share in how the prediction differs from that of a baseline.

        Integrated gradients [1]_: (x - baseline) times the mean gradient on the straight way from
        one to the other. They add up to f(x) - f(baseline), where f is the prediction that
        `input_gradients` differentiates.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        baseline : None, array-like of shape (n_features,), or like X
            The input that counts as "no information". None: zeros, the mean of standardized
            features. Otherwise a value for each feature, or sequences of X's lengths. With
            `embedding_size`, a token; None is then an unknown one, the mean of all.
        target : label, int or tuple of int, default=None
            What is explained, as for `input_gradients`.
        step : int or None, default=None
            With `return_sequences`: at which step's answer, -1 for the last one of each sequence.
            None: the sum over all steps.
        n_steps : int, default=50
            Number of gradients of the first attempt: the nodes of a Gauss-Legendre quadrature,
            which is exact for polynomials of degree 2 * n_steps - 1. A sequence whose sum is
            wrong then takes up to 40 times as many more.

        Returns
        -------
        attributions : like X
            In the form of `input_gradients`, and the unit of the prediction. With `embedding_size`
            one number for each token, the sum over its vector.

        Raises
        ------
        ValueError
            If a parameter is not what it should be.

        Notes
        -----
        A sum is right if it misses f(x) - f(baseline) by at most 1 % of that difference, or by
        at most 0.1 % of the sum of the sizes of all shares, where positive and negative shares
        cancel. Most sequences need `n_steps` gradients for that, each at the cost of a training
        step. Where the gradient changes fast, as with features that are not scaled or with
        `layer_norm`, or jumps, as with ``pooling="max"`` and relu, the path is halved where the sum
        is wrong, again and again, until the sum is right or another ``40 * n_steps`` gradients
        are spent. A sum that is still wrong then is warned of. Each sequence has its own path,
        so that its shares do not depend on the other sequences of X.

        References
        ----------
        .. [1] Sundararajan, M., Taly, A. and Yan, Q. (2017). Axiomatic attribution for deep
               networks. ICML 34, 3319-3328. https://arxiv.org/abs/1703.01365
        """
        if not is_integer(n_steps) or n_steps < 1:
            raise ValueError(f"n_steps must be a positive integer, got {n_steps!r}.")
        model, sequences, network = self._look(X)
        explain, data = model._explanation(network, sequences, target, step)
        shares = model._path(explain, data, baseline).integrate(int(n_steps))
        _warn_if_incomplete(shares, int(n_steps))
        rows = shares.rows.astype(data.y.dtype)
        if model._reads_tokens:
            return model._arrange_steps(X, sequences, rows.sum(axis=1))
        return restore_container(X, SequenceArray(rows, sequences.offsets))

    def _path(self, network: Network, data: TrainingData, baseline: Any) -> Path:
        """Return the path from the baseline to the data, along which the gradient is integrated."""
        theta = self._theta_.astype(data.y.dtype, copy=False)
        if not self._reads_tokens:
            base = self._read_baseline(data, baseline).astype(data.values.dtype)
            return numbers_path(network, theta, data, base)
        if baseline is None:
            return tokens_path(network, theta, data, None)
        if not isinstance(baseline, str | Integral):
            raise ValueError(f"baseline must be a token, or None; got {baseline!r}.")
        (code,) = self._encode_observed_tokens(baseline)
        return tokens_path(network, theta, data, int(code))

    def _read_baseline(self, data: TrainingData, baseline: Any) -> Array:
        """Return a baseline (sum of T_i, F) or (F,)."""
        n_features = data.values.shape[1]
        if baseline is None:
            return np.zeros(n_features)
        refuse_silent_losses(baseline, "baseline", "Give a number for each feature.")
        is_list = isinstance(baseline, list | tuple) or getattr(baseline, "ndim", 0) > 0
        if is_list and not any(
            isinstance(item, list | tuple | str) or getattr(item, "ndim", 0) for item in baseline
        ):
            values = np.asarray(baseline)
            if values.shape != (n_features,) or not np.isfinite(values.astype(float)).all():
                raise ValueError(
                    f"baseline must have a finite number for each of {n_features} feature(s), or "
                    f"be sequences like X; got {baseline!r}."
                )
            return values
        try:
            sequences = self._read(baseline)
        except (TypeError, ValueError) as error:
            error.add_note("This is about the baseline.")
            raise
        if not np.array_equal(sequences.offsets, data.offsets):
            raise ValueError(
                "baseline must have as many sequences as X, of the same lengths: got "
                f"{len(sequences)} of {sequences.lengths.min()} to {sequences.lengths.max()} steps."
            )
        return sequences.values

    def _explanation(
        self, network: Network, sequences: SequenceArray, target: Any, step: int | None
    ) -> tuple[Network, TrainingData]:
        """Return a network whose loss is the explained number, and data with matching targets."""
        loss, Y = self._explained(self._raw_prediction(sequences), target)
        weight = answer_weights(sequences.offsets, step, per_step=network.per_step)
        dtype = self._dtype_of_predictions(self._theta_.dtype)  # gradients have y's unit
        values = sequences.values if self._reads_tokens else sequences.values.astype(dtype)
        data = TrainingData(
            values,
            sequences.offsets,
            Y.astype(dtype),
            weight.astype(dtype),
            per_step=network.per_step,
        )
        return replace(network, loss=loss), data


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


def _warn_if_incomplete(shares: Shares, n_steps: int) -> None:
    """Warn if the shares of a sequence do not add up, although its path was divided."""
    excess = np.abs(shares.sums - shares.differences) - shares.tolerances
    worst = int(excess.argmax())
    if excess[worst] > 0:
        warn_user(
            f"The integrated gradients of sequence {worst} add up to {shares.sums[worst]:.3g}, but "
            f"its prediction and that of the baseline differ by {shares.differences[worst]:.3g}, "
            f"also after {1 + REFINEMENT} times n_steps={n_steps} gradients: the prediction "
            "changes too fast between the baseline and X. Raise n_steps, or choose a baseline "
            "that is closer to X. Features that are not scaled are a frequent cause: see "
            "TimestepTransformer(StandardScaler())."
        )


def _input_gradients(network: Network, workspaces: list[list[Workspace]], block: Block) -> Array:
    return network.stack.input_gradient(workspaces, block)
