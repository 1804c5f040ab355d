"""Dropout: the random masks of each batch.

Dimension key: B columns, T steps, F inputs, H hidden, S directions, L layers, M answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.masks import NO_MASKS, Masks
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array


@dataclass(frozen=True)
class Dropout:
    """Draws masks at the rates of dropout.

    Parameters
    ----------
    rate : float
        The rate for the inputs, for what each layer passes to the next, and for the inputs of the
        readout. Every number of every step is dropped on its own (Srivastava et al. 2014; Zaremba,
        Sutskever and Vinyals 2014).
    recurrent_rate : float
        The rate for the states in the recurrent products. A unit is dropped for all steps of a
        sequence, or for none (Gal and Ghahramani 2016).
    dtype : dtype
        The dtype of the masks.
    """

    rate: float
    recurrent_rate: float
    dtype: Any

    @property
    def is_off(self) -> bool:
        """Whether nothing is dropped."""
        return not (self.rate or self.recurrent_rate)

    def draw(
        self, network: Network, n_steps: int, n_columns: int, rng: np.random.Generator | None
    ) -> Masks:
        """Return masks for a block of this shape; without a generator, no number is dropped."""
        if self.is_off or rng is None:
            return NO_MASKS
        stack, T, B = network.stack, n_steps, n_columns
        x = outs = states = pooled = None
        if self.recurrent_rate:
            states = [
                [
                    self._mask(rng, self.recurrent_rate, cell.hidden_size, B)
                    for _ in range(stack.n_directions)
                ]
                for cell in stack.layers
            ]
        if self.rate:
            x = self._mask(rng, self.rate, T, stack.layers[0].input_size, B)
            outs = [
                [
                    self._mask(rng, self.rate, T, cell.hidden_size, B)
                    for _ in range(stack.n_directions)
                ]
                for cell in stack.layers[:-1]
            ]
            pooled = self._mask(rng, self.rate, stack.output_size, T * B if network.per_step else B)
        return Masks(x, outs, states, pooled)

    def _mask(self, rng: np.random.Generator, rate: float, *shape: int) -> Array:
        kept = rng.random(shape, dtype=np.float32) >= rate
        return np.multiply(kept, 1 / (1 - rate), dtype=self.dtype)
