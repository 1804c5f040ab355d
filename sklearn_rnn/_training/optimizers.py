"""First-order optimizers: each updates one flat vector in place.

Each update is a few passes over theta. The state of an optimizer is plain arrays, so that training
can stop and continue exactly where it was (`state` and `restore`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from sklearn_rnn._core.workspace import Array
from sklearn_rnn._training.snapshot import check_vectors


class Optimizer(ABC):
    """One update rule and its moments.

    Parameters
    ----------
    theta : ndarray
        The vector to update. Only its shape and dtype are read here.
    learning_rate : float

    Attributes
    ----------
    moments : list of ndarray
        Running means of powers of the gradient, each of theta's shape.
    moment_orders : tuple of int
        These powers.
    """

    moment_orders: ClassVar[tuple[int, ...]] = ()

    def __init__(self, theta: Array, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.t = 0
        self.moments: list[Array] = []
        self._scratch = np.empty_like(theta)

    @abstractmethod
    def step(self, theta: Array, gradient: Array) -> None:
        """Update theta in place; `gradient` may be overwritten."""

    def state(self) -> dict[str, Any]:
        """Return a copy of the state that the next step depends on."""
        return {"t": self.t, "moments": [moment.copy() for moment in self.moments]}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state that `state` returned.

        Raises ValueError if it is that of another rule, or of a vector of another form.
        """
        t, moments = state["t"], state["moments"]
        if not (isinstance(t, int | np.integer) and t >= 0 and len(moments) == len(self.moments)):
            raise ValueError(f"the state of the optimizer is not that of {type(self).__name__}")
        check_vectors([self._scratch, *moments])
        self.t = int(t)
        self.moments = [moment.copy() for moment in moments]

    def rescale(self, factors: Array) -> None:
        """Continue as if all gradients had been these (size,) times as large."""
        for order, moment in zip(self.moment_orders, self.moments, strict=True):
            moment *= factors**order


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015).

    m = beta_1 m + (1 - beta_1) g,  v = beta_2 v + (1 - beta_2) g^2, and
    theta -= rate m / (sqrt(v) + epsilon), with the bias corrections of m and v in the rate.
    """

    moment_orders = (1, 2)

    def __init__(
        self, theta: Array, learning_rate: float, beta_1: float, beta_2: float, epsilon: float
    ) -> None:
        super().__init__(theta, learning_rate)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.moments = [np.zeros_like(theta), np.zeros_like(theta)]

    def step(self, theta: Array, gradient: Array) -> None:
        """Update theta in place; overwrites `gradient`."""
        (m, v), scratch = self.moments, self._scratch
        self.t += 1
        m *= self.beta_1
        v *= self.beta_2
        np.multiply(gradient, 1 - self.beta_1, out=scratch)
        m += scratch
        np.multiply(gradient, gradient, out=gradient)
        gradient *= 1 - self.beta_2
        v += gradient
        rate = self.learning_rate * sqrt(1 - self.beta_2**self.t) / (1 - self.beta_1**self.t)
        np.sqrt(v, out=scratch)
        scratch += self.epsilon
        np.divide(m, scratch, out=scratch)
        scratch *= rate
        theta -= scratch


class AdamW(Adam):
    """Adam with weight decay that is not part of the gradient (Loshchilov and Hutter 2019).

    theta -= rate decay theta before the step of Adam, for entries with `decays` = 1.
    """

    def __init__(
        self,
        theta: Array,
        learning_rate: float,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        decay: float,
        decays: Array,
    ) -> None:
        super().__init__(theta, learning_rate, beta_1, beta_2, epsilon)
        self._decay = decay * decays

    def step(self, theta: Array, gradient: Array) -> None:
        """Update theta in place; overwrites `gradient`."""
        theta *= 1 - self.learning_rate * self._decay
        super().step(theta, gradient)


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012).

    v = beta_2 v + (1 - beta_2) g^2, and theta -= rate g / (sqrt(v) + epsilon), with v divided by
    1 - beta_2^t: without it the first steps, when v has just left zero, would be huge.
    """

    moment_orders = (2,)

    def __init__(self, theta: Array, learning_rate: float, beta_2: float, epsilon: float) -> None:
        super().__init__(theta, learning_rate)
        self.beta_2, self.epsilon = beta_2, epsilon
        self.moments = [np.zeros_like(theta)]

    def step(self, theta: Array, gradient: Array) -> None:
        """Update theta in place; overwrites `gradient`."""
        (v,), scratch = self.moments, self._scratch
        self.t += 1
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - self.beta_2
        v *= self.beta_2
        v += scratch
        np.sqrt(v, out=scratch)
        scratch /= sqrt(1 - self.beta_2**self.t)
        scratch += self.epsilon
        np.divide(gradient, scratch, out=scratch)
        scratch *= self.learning_rate
        theta -= scratch


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, Nesterov's (1983) or the classical one.

    v = momentum v - rate g, and theta += v, or with Nesterov theta += momentum v - rate g.
    """

    moment_orders = (1,)

    def __init__(self, theta: Array, learning_rate: float, momentum: float, nesterov: bool) -> None:
        super().__init__(theta, learning_rate)
        self.momentum, self.nesterov = momentum, nesterov
        self.moments = [np.zeros_like(theta)]

    def step(self, theta: Array, gradient: Array) -> None:
        """Update theta in place; overwrites `gradient`."""
        (v,) = self.moments
        self.t += 1
        gradient *= self.learning_rate
        v *= self.momentum
        v -= gradient
        if self.nesterov:
            np.multiply(v, self.momentum, out=self._scratch)
            self._scratch -= gradient
            theta += self._scratch
        else:
            theta += v
