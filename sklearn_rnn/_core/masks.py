"""Masks of dropout: the factors that a training step multiplies inputs and states by.

Dimension key: B columns, T steps, F inputs, H hidden, S directions, L layers, M answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sklearn_rnn._core.workspace import Array


@dataclass(frozen=True)
class Masks:
    """The factors for one block: 0 for numbers that are dropped, 1 / (1 - p) for the others.

    None means a factor of 1 everywhere.

    Parameters
    ----------
    x : ndarray (T, F, B) or None
        For the inputs of the first layer.
    outs : list of ndarray (T, H, B), or None
        [layer][direction] for the outputs of all layers but the top one, in the time of the
        direction.
    states : list of ndarray (H, B), or None
        [layer][direction] for the states in the recurrent products: one mask for all steps.
    pooled : ndarray (S * H, M) or None
        For the inputs of the readout.
    """

    x: Array | None = None
    outs: list[list[Array]] | None = None
    states: list[list[Array]] | None = None
    pooled: Array | None = None

    def out(self, layer: int, direction: int) -> Array | None:
        """Return the mask for the outputs of a layer below the top."""
        return None if self.outs is None else self.outs[layer][direction]

    def piece(self, begin: int, end: int) -> Masks:
        """Return the masks for the steps from `begin` to `end` of the block."""
        if self.x is None:
            return self
        pooled, (T, _, B) = self.pooled, self.x.shape
        if pooled is not None and pooled.shape[1] == T * B:  # an answer at every step
            pooled = pooled.reshape(-1, T, B)[:, begin:end].reshape(len(pooled), -1)
        outs = [[mask[begin:end] for mask in row] for row in self.outs or []]
        return replace(self, x=self.x[begin:end], outs=outs, pooled=pooled)


NO_MASKS = Masks()
