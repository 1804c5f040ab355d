"""The readout: pooling over time, then dense layers, from states to raw predictions.

Dimension key: B columns, T steps, H hidden, S directions, K outputs, M answers of a block: B
with pooling over time, T * B (step by step) without.

Without pooling, every step has an answer, made from the states of both directions at this step.
Otherwise each direction is pooled in its own time.

With a_0 = pooled, and as many dense layers as there are head sizes:

    (1)  a_k = relu(W_k [a_{k-1}; 1])
    (2)  raw = W_out [a; 1]

    (2') dW_out = draw [a; 1]^T       da = weight_out^T draw
    (1') dz = [a_k > 0] da_k          dW_k = dz [a_{k-1}; 1]^T       da_{k-1} = weight_k^T dz
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.init import glorot_uniform
from sklearn_rnn._core.pooling import Pooling
from sklearn_rnn._core.workspace import Array


@dataclass(frozen=True)
class Readout:
    """Pooling and dense layers; holds no arrays.

    Parameters
    ----------
    input_size, n_outputs : int
        S * H and K.
    pooling : Pooling
        How states are summarized over time.
    head_sizes : tuple of int
        The widths of relu layers between the summary and the output layer.
    """

    input_size: int
    n_outputs: int
    pooling: Pooling
    head_sizes: tuple[int, ...] = ()

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters, by name: w of attention, and W of the dense layers."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.pooling.attends:
            shapes["attention"] = (self.input_size,)
        sizes = pairwise([self.input_size, *self.head_sizes, self.n_outputs])
        for name, (fan_in, fan_out) in zip(self.dense_layers, sizes, strict=True):
            shapes[name] = fan_out, fan_in + 1
        return shapes

    @property
    def dense_layers(self) -> list[str]:
        """Names of the parameters of the dense layers; the output layer comes last."""
        return [*(f"W_{k}" for k in range(len(self.head_sizes))), "W_out"]

    def initialize(
        self, parameters: dict[str, Array], rng: np.random.Generator, bias_out: Array
    ) -> None:
        """Write initial weights into zeroed parameters. Attention starts with equal weights."""
        for name in self.dense_layers:
            W = parameters[name]
            W[:, :-1] = glorot_uniform(rng, len(W), W.shape[1] - 1)
        parameters["W_out"][:, -1] = bias_out

    def pool(self, parameters: dict[str, Array], states: list[Array], block: Block) -> Array:
        """Return the pooled states (S * H, M); `states` of a direction are in its own time."""
        if self.pooling.per_step:
            states = [block.reverse(h) if d else h for d, h in enumerate(states)]
        ws = self.attention_vectors(parameters, len(states))
        return np.concatenate(
            [self.pooling.forward(h, block, w) for h, w in zip(states, ws, strict=True)]
        )

    def forward(self, parameters: dict[str, Array], pooled: Array) -> Array:
        """Return the raw prediction (K, M)."""
        return self.activations(parameters, pooled)[-1]

    def activations(self, parameters: dict[str, Array], pooled: Array) -> list[Array]:
        """Return pooled, the output of each dense layer, and last the raw prediction (K, M)."""
        activations = [pooled]
        for name in self.dense_layers:
            W = parameters[name]
            z = W[:, :-1] @ activations[-1] + W[:, -1:]
            activations.append(z if name == "W_out" else np.where(z.real > 0, z, 0))  # (1), (2)
        return activations

    def backward(
        self,
        parameters: dict[str, Array],
        activations: list[Array],
        draw: Array,
        gradients: dict[str, Array],
    ) -> Array:
        """Write the gradients of the dense layers; return dpooled (S * H, M)."""
        dz = draw
        for k, name in reversed(list(enumerate(self.dense_layers))):
            a = activations[k]
            gradients[name][:, :-1] = dz @ a.T
            gradients[name][:, -1] = dz.sum(axis=1)
            da = parameters[name][:, :-1].T @ dz  # (2')
            if k:
                dz = da * (a.real > 0)  # (1')
        return da

    def scatter(
        self,
        parameters: dict[str, Array],
        states: list[Array],
        dpooled: Array,
        block: Block,
        errors: list[Array],
        gradients: dict[str, Array],
    ) -> int:
        """Write the errors (T, H, B) of each direction, and the gradient of attention.

        Returns the first step with an error.
        """
        n = len(states)
        parts = dpooled.reshape(n, -1, dpooled.shape[1])
        ws, dws = self.attention_vectors(parameters, n), self.attention_vectors(gradients, n)
        first = min(
            self.pooling.backward(h, dpart, block, dh, w, dw)
            for h, dpart, dh, w, dw in zip(states, parts, errors, ws, dws, strict=True)
        )
        if self.pooling.per_step:
            for dh in errors[1:]:
                np.copyto(dh, block.reverse(dh))
        return first

    def attention_vectors(self, parameters: dict[str, Array], n_directions: int) -> list[Array]:
        """Return w (H,) of each direction for attention, and empty arrays for other poolings."""
        # As reshape gives them: np.split takes 6 us longer, four times a batch.
        return list(parameters.get("attention", np.empty(0)).reshape(n_directions, -1))
