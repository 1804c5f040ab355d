"""One step of the whole network, out of place: from a state to the next one.

Dimension key: B streams, F inputs, H hidden, K outputs.

A run over whole sequences goes through the buffers of workspaces. A step at a time has nothing
to reuse them for: it makes a few small new arrays, and whoever holds the old state keeps it.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np

from sklearn_rnn._core.network import Network
from sklearn_rnn._core.running import RunningPooling
from sklearn_rnn._core.state import RecurrentState
from sklearn_rnn._core.workspace import Array


class Stepper:
    """A model made ready for single steps; never changes, so any number of threads may share it.

    Parameters
    ----------
    network : Network
        With layers in one direction.
    theta : ndarray
        Its weights.
    pooling : RunningPooling
        The running form of the network's own.
    """

    def __init__(self, network: Network, theta: Array, pooling: RunningPooling) -> None:
        self.network, self.theta, self.pooling = network, theta, pooling
        cells, W_out = network.layout.views(theta)
        self._layers = [
            (cell, cell.step_weights(parameters))
            for cell, (parameters,) in zip(network.stack.layers, cells, strict=True)
        ]
        self._weight_out, self._bias_out = W_out[:, :-1].copy(), W_out[:, -1:]
        self._one = np.ones((1, 1), theta.dtype)
        self._vectors = None
        if network.embedding is not None:
            E = network.layout.embedding_view(theta)
            self._vectors = np.ascontiguousarray(network.embedding.vectors(E).T)

    @cached_property
    def fingerprint(self) -> bytes:
        """A hash of all that the meaning of a state depends on."""
        sizes = repr((self.network.stack, type(self.pooling).__name__, self.theta.dtype.str))
        return blake2b(sizes.encode() + self.theta.tobytes(), digest_size=16).digest()

    def start(self, n_streams: int, origin: Any) -> RecurrentState:
        """Return the state of streams that have seen nothing."""
        dtype = self.theta.dtype
        layers = tuple(
            tuple(np.zeros((cell.hidden_size, n_streams), dtype) for _ in range(cell.n_states))
            for cell, _ in self._layers
        )
        total = self.pooling.start(self.network.stack.output_size, n_streams, dtype)
        return RecurrentState(layers, total, 0, origin)

    def step(self, x: Array, state: RecurrentState, origin: Any) -> tuple[Array, RecurrentState]:
        """Return the raw predictions (K, B) after one more step, and the state.

        Reads x (F, B), or where there is an embedding tokens (1, B).
        """
        n_streams = x.shape[1]
        if self._vectors is not None:
            x = self._vectors.take(x[0], axis=1)
        one = self._one if n_streams == 1 else np.ones((1, n_streams), self.theta.dtype)
        layers = []
        for (cell, weights), layer_state in zip(self._layers, state._layers):
            Z = np.concatenate((layer_state[0], one, x))
            layer_state = cell.step(weights, Z, layer_state)
            x = layer_state[0]
            layers.append(layer_state)
        total = self.pooling.add(state._total, x)
        n_steps = state._n_steps + 1
        raw = self._weight_out.dot(self.pooling.summary(total, n_steps, self.theta.dtype))
        raw += self._bias_out
        return raw, RecurrentState(tuple(layers), total, n_steps, origin)
