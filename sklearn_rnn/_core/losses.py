"""The losses: their values and their gradients with respect to the raw predictions.

Dimension key: K outputs, M answers of a block (one for each sequence, or one for each step and
sequence).

Conventions
-----------
raw : (K, M), the raw predictions: the outputs of the readout.
y : (K, M), the targets.
weight : (M,), the weights of the answers.
`value_gradient` returns the weighted sum over the block, not the mean, accumulated in float64
(complex128 in the gradient check), and the gradient (K, M) in the dtype of `raw`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np

from sklearn_rnn._core.numerics import log_softmax, sigmoid, softplus
from sklearn_rnn._core.registry import Registry
from sklearn_rnn._core.workspace import Array


class Objective(NamedTuple):
    """The targets of a block, and how its losses are weighted and scaled.

    The loss of the block is sum over m of weight_m loss(raw_m, y_m) / normalizer.

    Attributes
    ----------
    y : ndarray (K, M)
        The targets.
    weight : ndarray (M,)
        The weights of the answers; zero for steps that are padding or not scored.
    normalizer : float
        The divisor of the sum. In training it is the number of sequences in the batch times the
        mean weight of all training data.
    """

    y: Array
    weight: Array
    normalizer: float


@dataclass(frozen=True)
class Loss(ABC):
    """A loss of raw predictions, with all that other modules must know of it.

    The fields of a loss are parameters of the estimators, under the same names.

    Attributes
    ----------
    out_activation : {"identity", "exp", "logistic", "softmax"}
        The inverse link, which turns raw predictions into predictions. With "exp", targets cannot
        be negative, and their unit is their mean.
    robust : bool
        Whether the influence of outliers is limited. If so, the unit of the targets in training
        is also a robust one.
    degree : int
        Of a loss of differences: the power of c by which the loss grows if raw predictions and
        targets grow by c. Of Huber's loss, that of small differences.
    """

    out_activation: ClassVar[str]
    robust: ClassVar[bool] = False
    degree: ClassVar[int] = 2

    @property
    def n_outputs(self) -> int:
        """The number of raw predictions for each target."""
        return 1

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """Names of the parameters of the estimators that the loss depends on."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Loss:
        """Return the loss for these parameters of an estimator; not all of them need concern it."""
        return cls(**{name: parameters[name] for name in cls.parameters()})

    @abstractmethod
    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return the weighted sum of the losses, and its gradient by `raw`."""


class SquaredError(Loss):
    """(raw - y)^2 / 2, summed over the outputs."""

    out_activation = "identity"

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w (raw - y)^2 / 2, and w (raw - y)."""
        difference = raw - y
        gradient = weight * difference
        return 0.5 * _sum(gradient * difference), gradient


class AbsoluteError(Loss):
    """|raw - y|, summed over the outputs: its minimum is the median."""

    out_activation = "identity"
    robust = True
    degree = 1

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w |raw - y|, and w sign(raw - y)."""
        difference = raw - y
        gradient = weight * np.sign(difference.real).astype(difference.dtype)
        return _sum(gradient * difference), gradient


@dataclass(frozen=True)
class Huber(Loss):
    """(raw - y)^2 / 2 up to a distance of delta, linear beyond, summed over the outputs.

    Huber (1964). The gradient of an outlier is no larger than that of a target at distance delta.
    """

    huber_delta: float

    out_activation = "identity"
    robust = True

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w huber(d), and w d clipped to +-delta, with d = raw - y."""
        d, delta = raw - y, float(self.huber_delta)
        end = np.sign(d.real).astype(d.dtype) * d.dtype.type(delta)
        clipped = np.where(np.abs(d.real) <= delta, d, end)
        return _sum(weight * clipped * (d - clipped / 2)), weight * clipped


class PoissonLoss(Loss):
    """exp(raw) - y raw, summed over the outputs; exp(raw) is the mean of the counts y."""

    out_activation = "exp"

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w (exp(raw) - y raw), and w (exp(raw) - y)."""
        mean = np.exp(raw)
        return _sum(weight * (mean - y * raw)), weight * (mean - y)


@dataclass(frozen=True)
class PinballLoss(Loss):
    """q (y - raw) below y and (1 - q) (raw - y) above, summed over outputs and quantiles q.

    Koenker and Bassett (1978). Each row of y has as many rows of raw as there are quantiles.
    """

    quantiles: tuple[float, ...]

    out_activation = "identity"
    robust = True
    degree = 1

    @property
    def n_outputs(self) -> int:
        """The number of quantiles."""
        return len(self.quantiles)

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w (q - [y < raw]) (y - raw), and w ([y < raw] - q)."""
        q = np.tile(self.quantiles, len(y))[:, None]
        difference = np.repeat(y, len(self.quantiles), axis=0) - raw
        slope = ((difference.real < 0) - q).astype(raw.dtype)
        return -_sum(weight * slope * difference), weight * slope


class BinaryLogLoss(Loss):
    """log(1 + exp(raw)) - y raw, summed over the outputs, for binary and multilabel targets."""

    out_activation = "logistic"

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w (softplus(raw) - y raw), and w (sigmoid(raw) - y)."""
        return _sum(weight * (softplus(raw) - y * raw)), weight * (sigmoid(raw) - y)


class MulticlassLogLoss(Loss):
    """-sum over k of y_k log softmax(raw)_k, with y one-hot."""

    out_activation = "softmax"

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return -sum of w y log softmax(raw), and w (softmax(raw) - y)."""
        log_probability = log_softmax(raw)
        return -_sum(weight * y * log_probability), weight * (np.exp(log_probability) - y)


def _sum(x: Array) -> Any:
    return x.sum(dtype=np.result_type(x.dtype, np.float64))


# What the parameter `loss` of a regressor can be. A classifier's loss follows from its targets.
# A loss is added by a class and a line here, if its link is "identity" or "exp". Its fields must be
# parameters of the regressors, named in `RecurrentRegressor._target_parameters`.
LOSSES: Registry[type[Loss]] = Registry(
    "loss",
    {
        "squared_error": SquaredError,
        "absolute_error": AbsoluteError,
        "huber": Huber,
        "poisson": PoissonLoss,
        "quantile": PinballLoss,
    },
)
