"""Layers on layers, each in one direction or two.

Dimension key: B columns, T steps, H hidden, L layers, S directions (1 or 2).

Each direction keeps its own time: the reverse direction's step 0 is a sequence's last. What one
layer hands to the next, (T, S * H, B), is therefore copied as it stands between equal
directions and reversed between unequal ones; the errors come back by the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.cell import Cell
from sklearn_rnn._core.workspace import Array, Workspace

# Parameters or gradients of every cell: [layer][direction][name].
CellArrays = list[list[dict[str, Array]]]


@dataclass(frozen=True)
class Stack:
    """The recurrent part of the network.

    Parameters
    ----------
    layers : tuple of Cell
        One cell a layer, shared in kind (not in weights) by its directions.
    n_directions : {1, 2}
        S.
    """

    layers: tuple[Cell, ...]
    n_directions: int

    @property
    def output_size(self) -> int:
        """S * H, the states of the top layer."""
        return self.n_directions * self.layers[-1].hidden_size

    def make_workspaces(
        self,
        n_steps: int,
        n_columns: int,
        dtype: Any,
        *,
        training: bool,
        input_gradient: bool = False,
    ) -> list[list[Workspace]]:
        """Allocate the buffers of every layer and direction."""
        return [
            [
                cell.make_workspace(
                    n_steps,
                    n_columns,
                    dtype,
                    training=training,
                    input_gradient=input_gradient or layer > 0,
                )
                for _ in range(self.n_directions)
            ]
            for layer, cell in enumerate(self.layers)
        ]

    def forward(
        self, parameters: CellArrays, workspaces: list[list[Workspace]], block: Block
    ) -> list[Array]:
        """Run all layers; return the top layer's states (T, H, B) of each direction."""
        T = block.n_steps
        for direction, ws in enumerate(workspaces[0]):
            np.copyto(ws.x[:T], block.reverse(block.x) if direction else block.x)
        for layer, cell in enumerate(self.layers):
            if layer:
                self._hand_up(workspaces[layer - 1], workspaces[layer], block)
            for arrays, ws in zip(parameters[layer], workspaces[layer], strict=True):
                cell.forward(arrays, ws, T)
                block.zero_padding(ws.h[:T])
        return [ws.h[:T] for ws in workspaces[-1]]

    def backward(
        self,
        parameters: CellArrays,
        workspaces: list[list[Workspace]],
        block: Block,
        first_error: int,
        gradients: CellArrays,
    ) -> None:
        """Run back through all layers.

        Reads the top layer's ws.dh from step `first_error` on. Writes all gradients.
        """
        for layer in range(len(self.layers) - 1, -1, -1):
            for direction, ws in enumerate(workspaces[layer]):
                self.layers[layer].backward(
                    parameters[layer][direction],
                    ws,
                    block.n_steps,
                    first_error,
                    gradients[layer][direction],
                )
            if layer:
                self._hand_down(workspaces[layer], workspaces[layer - 1], block)
                first_error = 0

    @staticmethod
    def input_gradient(workspaces: list[list[Workspace]], block: Block) -> Array:
        """Return dx (T, F, B) after backward: the sum over the first layer's directions."""
        dx, *reverse = [ws.dx[: block.n_steps] for ws in workspaces[0]]
        for dx_reverse in reverse:
            dx = dx + block.reverse(dx_reverse)
        return dx

    @staticmethod
    def _hand_up(below: list[Workspace], above: list[Workspace], block: Block) -> None:
        """Write x of the layer above: the states of all directions below."""
        T = block.n_steps
        for direction, ws in enumerate(above):
            for source, ws_below in enumerate(below):
                H = ws_below.hidden_size
                h = ws_below.h[:T]
                rows = slice(source * H, (source + 1) * H)
                np.copyto(ws.x[:T, rows], h if source == direction else block.reverse(h))

    @staticmethod
    def _hand_down(above: list[Workspace], below: list[Workspace], block: Block) -> None:
        """Write dh of the layer below: the sum of dx over all directions above."""
        T = block.n_steps
        for source, ws_below in enumerate(below):
            H = ws_below.hidden_size
            dh = ws_below.dh[:T]
            for direction, ws in enumerate(above):
                dx = ws.dx[:T, source * H : (source + 1) * H]
                dx = dx if source == direction else block.reverse(dx)
                np.copyto(dh, dx) if direction == 0 else np.add(dh, dx, out=dh)
