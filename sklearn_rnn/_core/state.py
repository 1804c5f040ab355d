"""RecurrentState: what a network remembers of the steps of streams so far.

Dimension key: B streams, H hidden, L layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sklearn_rnn._core.pooling import Steps
from sklearn_rnn._core.workspace import Array

# The state arrays (H, B) of each layer: (h,), or the LSTM's (h, c).
LayerStates = tuple[tuple[Array, ...], ...]


class Origin(Protocol):
    """The fit that a state belongs to."""

    @property
    def theta(self) -> Array | None:
        """The weights; None where only their fingerprint is known."""

    @property
    def fingerprint(self) -> bytes:
        """A hash of architecture and weights."""


@dataclass(frozen=True)
class PickledOrigin:
    """The fit that a pickled state belongs to, known by its fingerprint only.

    Parameters
    ----------
    fingerprint : bytes
        A hash of architecture and weights.
    """

    fingerprint: bytes
    theta: None = None


class RecurrentState:
    """What a fitted network remembers of its streams; a state never changes.

    A stream is a sequence that is not complete yet. `step`, and `predict` with
    ``return_state=True``, return a state. Pass the state to the next call to continue the streams.
    A step returns a new state and does not change the old one, so you can keep the old state,
    continue it twice, or pickle it and continue it in another process.

    Only the fit that made a state can continue it, or a fit with the same architecture and
    weights, such as an unpickled copy.

    Parameters
    ----------
    layers : tuple of tuples of ndarray (hidden_size, n_streams)
        The arrays h and c of each layer. Estimators make states: user code needs no parameter.
    total : ndarray (hidden_size, n_streams)
        The running total of pooling.
    n_steps : int or ndarray of shape (n_streams,)
        The number of steps of each stream so far.
    origin : Origin
        The fit that the state belongs to.

    Attributes
    ----------
    h : ndarray of shape (num_layers, n_streams, hidden_size)
        The hidden states after the last step. Read-only, like all arrays here.
    c : ndarray of shape (num_layers, n_streams, hidden_size) or None
        The cell states of an LSTM.
    pooled : ndarray of shape (n_streams, hidden_size)
        The running total of pooling over the states of the top layer: the last state ("last"), the
        sum of the states ("mean", in float64), or the largest value of each unit ("max").
    n_steps : ndarray of shape (n_streams,)
        The number of steps of each stream so far.

    See Also
    --------
    LSTMClassifier.step : Take one more observation of one or many streams.

    Notes
    -----
    ``==`` compares the identity of two states. Compare their arrays instead.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import GRURegressor, RecurrentState
    >>> X = np.random.default_rng(0).normal(size=(20, 6, 2))
    >>> reg = GRURegressor(hidden_size=4, max_iter=2, random_state=0).fit(X, X[:, -1, 0])
    >>> y, state = reg.predict(X[:3, :5], return_state=True)
    >>> state
    RecurrentState(3 streams after 5 steps, 1 layer of 4 units, float64)
    >>> y, state = reg.step(X[:3, 5], state)
    >>> bool(np.allclose(y, reg.predict(X[:3])))
    True

    Drop some streams, and join others:

    >>> _, newcomer = reg.step(X[7, 0])
    >>> RecurrentState.concatenate([state[[0, 2]], newcomer])
    RecurrentState(3 streams after 1 to 6 steps, 1 layer of 4 units, float64)
    """

    __slots__ = ("_layers", "_n_steps", "_origin", "_total")

    def __init__(self, layers: LayerStates, total: Array, n_steps: Steps, origin: Origin) -> None:
        self._layers = layers
        self._total = total
        self._n_steps = n_steps  # an int while all streams are of one age, which is quicker
        self._origin = origin

    @property
    def h(self) -> Array:
        """Hidden states, (num_layers, n_streams, hidden_size)."""
        return _read_only(np.stack([layer[0].T for layer in self._layers]))

    @property
    def c(self) -> Array | None:
        """Cell states of an LSTM, (num_layers, n_streams, hidden_size)."""
        if len(self._layers[0]) == 1:
            return None
        return _read_only(np.stack([layer[1].T for layer in self._layers]))

    @property
    def pooled(self) -> Array:
        """The running total of pooling, (n_streams, hidden_size)."""
        return _read_only(self._total.T.copy())

    @property
    def n_steps(self) -> Array:
        """The number of steps of each stream so far, (n_streams,)."""
        return _read_only(np.full(len(self), self._n_steps))

    @classmethod
    def concatenate(cls, states: Sequence[RecurrentState]) -> RecurrentState:
        """Join the streams of several states of one fit.

        Parameters
        ----------
        states : sequence of RecurrentState
            At least one.

        Returns
        -------
        state : RecurrentState
            All streams of these states, in this order.

        Raises
        ------
        ValueError
            If there are no states, or they belong to different fits.
        TypeError
            If one of them is not a RecurrentState.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import RecurrentState, RNNClassifier
        >>> X = np.random.default_rng(0).normal(size=(9, 4, 1))
        >>> clf = RNNClassifier(2, max_iter=2, random_state=0).fit(X, [0, 1, 2] * 3)
        >>> states = [clf.predict(X[[i]], return_state=True)[1] for i in range(3)]
        >>> len(RecurrentState.concatenate(states))
        3
        """
        states = list(states)
        if not states:
            raise ValueError("there are no states to concatenate: at least one is needed")
        for state in states:
            if not isinstance(state, RecurrentState):
                raise TypeError(
                    "only RecurrentStates can be joined, got an object of type "
                    f"{type(state).__name__}"
                )
        origin = states[0]._origin
        for i, state in enumerate(states):
            if not same_fit(state._origin, origin):
                raise ValueError(
                    f"states[0] and states[{i}] are of different models or fits: only streams "
                    "of one fit can go on together"
                )
        layers = tuple(
            tuple(np.concatenate(parts, axis=1) for parts in zip(*layer, strict=True))
            for layer in zip(*(state._layers for state in states), strict=True)
        )
        total = np.concatenate([state._total for state in states], axis=1)
        n_steps = np.concatenate([state.n_steps for state in states])
        return cls(layers, total, _one_age(n_steps), origin)

    def __len__(self) -> int:
        """Return the number of streams."""
        return self._total.shape[1]

    def __getitem__(self, key: Any) -> RecurrentState:
        """Return the state of some streams, by number, slice, mask or index array."""
        index = np.atleast_1d(np.arange(len(self))[key])
        if index.ndim > 1:
            raise IndexError("a RecurrentState has one axis, that of its streams")
        layers = tuple(tuple(a.take(index, axis=1) for a in layer) for layer in self._layers)
        n_steps = _one_age(self.n_steps[index])
        return RecurrentState(layers, self._total.take(index, axis=1), n_steps, self._origin)

    def __repr__(self) -> str:
        n, n_layers, n_steps = len(self), len(self._layers), self.n_steps
        n_units = len(self._layers[0][0])
        first, last = (n_steps.min(), n_steps.max()) if n else (0, 0)
        steps = f"{first} to {last}" if first < last else f"{last}"
        return (
            f"RecurrentState({n} stream{_s(n)} after {steps} step{_s(last)}, "
            f"{n_layers} layer{_s(n_layers)} of {n_units} unit{_s(n_units)}, "
            f"{self._layers[0][0].dtype})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arrays and the fingerprint of the weights, not the weights."""
        origin = PickledOrigin(self._origin.fingerprint)
        return RecurrentState, (self._layers, self._total, self._n_steps, origin)


def same_fit(one: Origin, other: Origin) -> bool:
    """Return whether two origins have the same architecture and weights."""
    return one is other or one.fingerprint == other.fingerprint


def _one_age(n_steps: Array) -> Steps:
    same = len(n_steps) > 0 and (n_steps == n_steps[0]).all()
    return int(n_steps[0]) if same else n_steps


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _s(count: int) -> str:
    return "" if count == 1 else "s"
