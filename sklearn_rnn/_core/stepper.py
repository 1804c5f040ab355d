"""Single steps of the whole network, for streams: from one state to the next.

Dimension key: B streams, F inputs, H hidden, K outputs.

Runs over whole sequences use the buffers of workspaces. A single step makes new arrays instead,
which are few and small. So it never changes the old state, which users may keep.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from sklearn_rnn._core.cached import cached_property
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.norm import normalize
from sklearn_rnn._core.state import Origin, RecurrentState
from sklearn_rnn._core.workspace import Array


class Stepper:
    """A network and its weights, prepared for single steps; never changes, so threads may share it.

    Parameters
    ----------
    network : Network
        All layers must have one direction.
    theta : ndarray
        The weights of the network.
    """

    def __init__(self, network: Network, theta: Array) -> None:
        self.network, self.theta = network, theta
        parameters = network.layout.bind(theta)
        self.pooling = network.readout.pooling
        (self.pooling_weights,) = network.readout.attention_vectors(parameters.readout, 1)
        dense = [parameters.readout[name] for name in network.readout.dense_layers]
        self._dense = [(W[:, :-1].copy(), W[:, -1:]) for W in dense]
        self._layers = [
            (cell, cell.step_weights(arrays), arrays)
            for cell, (arrays,) in zip(network.stack.layers, parameters.cells, strict=True)
        ]
        self._one = np.ones((1, 1), theta.dtype)
        self._vectors = None
        if network.embedding is not None:
            vectors = network.embedding.vectors(parameters.embedding)
            self._vectors = np.ascontiguousarray(vectors.T)

    @cached_property
    def fingerprint(self) -> bytes:
        """A hash of architecture and weights: equal for all models that can continue a state."""
        # These names of the poolings keep the states valid that version 0.1.0 has pickled.
        pooling = "Last" if self.network.per_step else type(self.pooling).__name__
        pooling = f"Running{pooling.removesuffix('Pooling')}"
        sizes = repr((self.network.stack, pooling, self.theta.dtype.str))
        return blake2b(sizes.encode() + self.theta.tobytes(), digest_size=16).digest()

    def start(self, n_streams: int, origin: Origin) -> RecurrentState:
        """Return the state of streams without steps."""
        dtype = self.theta.dtype
        layers = []
        for cell, _, parameters in self._layers:
            zeros = np.zeros((cell.n_states, cell.hidden_size, n_streams), dtype)
            layers.append(tuple(zeros + parameters.get("start", zeros[:, :, 0])[:, :, None]))
        total = self.pooling.start(self.network.stack.output_size, n_streams, dtype)
        return RecurrentState(tuple(layers), total, 0, origin)

    def step(self, x: Array, state: RecurrentState, origin: Origin) -> tuple[Array, RecurrentState]:
        """Return the raw predictions (K, B) after one more step, and the new state.

        Reads x (F, B), or tokens (1, B) if the network has an embedding.
        """
        n_streams = x.shape[1]
        if self._vectors is not None:
            x = self._vectors.take(x[0], axis=1)
        one = self._one if n_streams == 1 else np.ones((1, n_streams), self.theta.dtype)
        layers: list[tuple[Array, ...]] = []
        for (cell, weights, parameters), layer_state in zip(self._layers, state._layers):
            Z = np.concatenate((layer_state[0], one, x))
            layer_state = cell.step(weights, Z, layer_state)
            x = self._finish(parameters, layer_state[0], x if layers else None)
            layers.append(layer_state)
        total = self.pooling.add(state._total, x, self.pooling_weights)
        n_steps = state._n_steps + 1
        pooled = self.pooling.summary(total, n_steps, self.theta.dtype)
        for weight, bias in self._dense[:-1]:
            pooled = np.maximum(weight.dot(pooled) + bias, 0)
        weight, bias = self._dense[-1]
        raw = weight.dot(pooled)
        raw += bias
        return raw, RecurrentState(tuple(layers), total, n_steps, origin)

    def _finish(self, parameters: dict[str, Array], h: Array, below: Array | None) -> Array:
        """Return the outputs of a layer, by the equations of stack.py."""
        stack = self.network.stack
        if stack.residual and below is not None:
            h = h + below
        if stack.layer_norm:
            out = h[None].copy()
            normalize(parameters["norm"], out)
            return out[0]
        return h
