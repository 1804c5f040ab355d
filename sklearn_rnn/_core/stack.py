"""The stack of recurrent layers, each in one or two directions.

Dimension key: B columns, T steps, F inputs, H hidden, L layers, S directions (1 or 2).

The outputs of a layer in one direction are its states h, or with options

    (1)  u_t = h_t + out_t of the layer below   residual (He et al. 2016), from the second layer on
    (2)  out_t = norm(u_t)                      layer_norm (see norm.py)

where "the layer below" means its same direction.

Each direction has its own time: step 0 of the reverse direction is the last step of a sequence. So
the outputs of a layer are copied to the next layer unchanged between equal directions, and reversed
in time between different directions. Errors go back by the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.cell import Cell
from sklearn_rnn._core.masks import NO_MASKS, Masks
from sklearn_rnn._core.norm import normalize, normalize_backward
from sklearn_rnn._core.workspace import Array, Workspace

# Parameters or gradients of every cell: [layer][direction][name].
CellArrays = list[list[dict[str, Array]]]


@dataclass(frozen=True)
class Stack:
    """The recurrent part of the network.

    Parameters
    ----------
    layers : tuple of Cell
        One cell for each layer. Both directions have the same cell, with weights of their own.
    n_directions : {1, 2}
        S.
    layer_norm, residual : bool
        What turns the states into the outputs of a layer.
    learn_initial_state : bool
        Whether the states before the first step are parameters.
    masks_states : bool
        Whether training drops states in the recurrent products.
    """

    layers: tuple[Cell, ...]
    n_directions: int
    layer_norm: bool = False
    residual: bool = False
    learn_initial_state: bool = False
    masks_states: bool = False

    def parameter_shapes(self, cell: Cell) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters of one cell and of the options of its layer.

        "norm" holds gain and bias, "start" h_0 and, for an LSTM, c_0.
        """
        shapes, H = dict(cell.parameter_shapes), cell.hidden_size
        if self.layer_norm:
            shapes["norm"] = 2, H
        if self.learn_initial_state:
            shapes["start"] = cell.n_states, H
        return shapes

    def unpenalized(self, cell: Cell) -> set[str]:
        """Return the names of the arrays without L2 penalty, besides the column of biases in W.

        These are the ones that the cell names, and all arrays of the options.
        """
        of_options = self.parameter_shapes(cell).keys() - cell.parameter_shapes.keys()
        return {*cell.unpenalized, *of_options}

    def initialize(
        self, cell: Cell, parameters: dict[str, Array], rng: np.random.Generator, longest: int
    ) -> None:
        """Write initial values into zeroed parameters; learned states start at zero."""
        cell.initialize(parameters, rng, longest)
        if self.layer_norm:
            parameters["norm"][0] = 1

    @property
    def hidden_size(self) -> int:
        """H, the units of each layer in one direction."""
        return self.layers[0].hidden_size

    @property
    def output_size(self) -> int:
        """S * H, the outputs of the top layer."""
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
        workspaces = [
            [
                cell.make_workspace(
                    n_steps,
                    n_columns,
                    dtype,
                    training=training,
                    input_gradient=input_gradient or layer > 0,
                    masks_states=self.masks_states and training,
                )
                for _ in range(self.n_directions)
            ]
            for layer, cell in enumerate(self.layers)
        ]
        for layer, row in enumerate(workspaces):
            if self.layer_norm or (self.residual and layer):
                for ws in row:
                    ws.keep_outputs(normalized=self.layer_norm and training)
        return workspaces

    def start(self, parameters: CellArrays, workspaces: list[list[Workspace]]) -> None:
        """Write the learned initial states. Without the option, initial states stay zero."""
        if self.learn_initial_state:
            for arrays, row in zip(parameters, workspaces, strict=True):
                for cell_arrays, ws in zip(arrays, row, strict=True):
                    ws.start_from(tuple(cell_arrays["start"][:, :, None]), learned=True)

    def forward(
        self,
        parameters: CellArrays,
        workspaces: list[list[Workspace]],
        block: Block,
        masks: Masks = NO_MASKS,
    ) -> list[Array]:
        """Run all layers; return the outputs (T, H, B) of each direction of the top layer."""
        T = block.n_steps
        x = block.x if masks.x is None else block.x * masks.x
        for direction, ws in enumerate(workspaces[0]):
            np.copyto(ws.x[:T], block.reverse(x) if direction else x)
        for layer, cell in enumerate(self.layers):
            if layer:
                self._hand_up(workspaces[layer - 1], workspaces[layer], block, layer - 1, masks)
            for direction, ws in enumerate(workspaces[layer]):
                if masks.states is not None:
                    np.copyto(ws.mask, masks.states[layer][direction])
                arrays = parameters[layer][direction]
                cell.forward(arrays, ws, T)
                block.zero_padding(ws.h[:T])
                if ws.out is not ws.h:
                    below = workspaces[layer - 1][direction] if layer else None
                    self._finish(arrays, ws, below, block)
        return [ws.out[:T] for ws in workspaces[-1]]

    def _finish(
        self, arrays: dict[str, Array], ws: Workspace, below: Workspace | None, block: Block
    ) -> None:
        """Write ws.out, the outputs of a layer in one direction."""
        T = block.n_steps
        out = ws.out[:T]
        np.copyto(out, ws.h[:T])
        if self.residual and below is not None:
            out += below.out[:T]  # (1)
        if self.layer_norm:
            y, inverse_deviation = normalize(arrays["norm"], out)  # (2)
            if ws.keeps_history:
                ws.normalized[:T], ws.inverse_deviation[:T] = y, inverse_deviation
            block.zero_padding(out)

    def backward(
        self,
        parameters: CellArrays,
        workspaces: list[list[Workspace]],
        block: Block,
        first_error: int,
        gradients: CellArrays,
        masks: Masks = NO_MASKS,
    ) -> None:
        """Run the errors back through all layers.

        Reads ws.dh of the top layer, the errors of its outputs, from step `first_error` on, and
        overwrites them with the errors of its states. Writes all gradients.
        """
        T = block.n_steps
        for layer in range(len(self.layers) - 1, -1, -1):
            for direction, ws in enumerate(workspaces[layer]):
                arrays, darrays = parameters[layer][direction], gradients[layer][direction]
                if self.layer_norm:
                    dout = ws.dh[first_error:T]
                    normalize_backward(arrays["norm"], ws, dout, first_error, darrays["norm"])
                self.layers[layer].backward(arrays, ws, T, first_error, darrays)
                if self.learn_initial_state:
                    # A state that comes from the piece before is no parameter.
                    errors = ws.state_errors() if ws.learned_start else np.zeros((1, 1, 1))
                    darrays["start"][...] = np.sum(errors, axis=2)
            if layer:
                self._hand_down(workspaces[layer], workspaces[layer - 1], block, layer - 1, masks)
                if self.residual:
                    for ws, below in zip(workspaces[layer], workspaces[layer - 1], strict=True):
                        below.dh[first_error:T] += ws.dh[first_error:T]
                first_error = 0

    @staticmethod
    def input_gradient(
        workspaces: list[list[Workspace]], block: Block, masks: Masks = NO_MASKS
    ) -> Array:
        """Return dx (T, F, B) after backward: the sum over the directions of the first layer."""
        dx, *reverse = [ws.dx[: block.n_steps] for ws in workspaces[0]]
        for dx_reverse in reverse:
            dx = dx + block.reverse(dx_reverse)
        return dx if masks.x is None else dx * masks.x

    @staticmethod
    def _hand_up(
        below: list[Workspace], above: list[Workspace], block: Block, layer: int, masks: Masks
    ) -> None:
        """Write x of the layer above: the outputs of all directions of `layer` below it."""
        T = block.n_steps
        for source, ws_below in enumerate(below):
            H, mask = ws_below.hidden_size, masks.out(layer, source)
            out = ws_below.out[:T] if mask is None else ws_below.out[:T] * mask
            rows = slice(source * H, (source + 1) * H)
            for direction, ws in enumerate(above):
                np.copyto(ws.x[:T, rows], out if source == direction else block.reverse(out))

    @staticmethod
    def _hand_down(
        above: list[Workspace], below: list[Workspace], block: Block, layer: int, masks: Masks
    ) -> None:
        """Write dh of `layer`, below: the sum of dx over all directions above."""
        T = block.n_steps
        for source, ws_below in enumerate(below):
            H, mask = ws_below.hidden_size, masks.out(layer, source)
            dh = ws_below.dh[:T]
            for direction, ws in enumerate(above):
                dx = ws.dx[:T, source * H : (source + 1) * H]
                dx = dx if source == direction else block.reverse(dx)
                np.copyto(dh, dx) if direction == 0 else np.add(dh, dx, out=dh)
            if mask is not None:
                dh *= mask
