"""The place of each parameter in the flat vector theta, and its public name.

theta is one C-contiguous vector, and every weight is a view of it, so that optimizers, gradient
clipping and pickles see one array. Cells store their gates in the order that makes their loops
fast. Public are the order and the names of PyTorch. Only this file translates between both.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from sklearn_rnn._core.cached import cached_property
from sklearn_rnn._core.cell import Cell
from sklearn_rnn._core.embedding import Embedding
from sklearn_rnn._core.readout import Readout
from sklearn_rnn._core.stack import CellArrays, Stack
from sklearn_rnn._core.workspace import Array


class Parameters(NamedTuple):
    """The parameters of a network, as views of one flat vector.

    The gradient of a loss has the same layout, and is also a `Parameters`.

    Attributes
    ----------
    vector : ndarray (size,)
        The flat vector: theta, or the gradient by theta.
    cells : list of list of dict
        [layer][direction][name], the parameters of each cell and of the options of its layer.
    readout : dict
        The parameters of pooling and of the dense layers, by name.
    embedding : ndarray (V, D)
        The vectors of all tokens; (0, 0) without an embedding.
    """

    vector: Array
    cells: CellArrays
    readout: dict[str, Array]
    embedding: Array


@dataclass(frozen=True)
class Layout:
    """The order of the parameters in theta: cells layer by layer, readout, embedding.

    Parameters
    ----------
    stack : Stack
    readout : Readout
    embedding : Embedding or None
    """

    stack: Stack
    readout: Readout
    embedding: Embedding | None = None

    @cached_property
    def size(self) -> int:
        """The length of theta."""
        return sum(prod(shape) for shape in self._shapes())

    def bind(self, theta: Array) -> Parameters:
        """Return all parameters as views of theta."""
        arrays = iter(self._cut(theta))
        cells = [
            [
                {name: next(arrays) for name in self.stack.parameter_shapes(cell)}
                for _ in range(self.stack.n_directions)
            ]
            for cell in self.stack.layers
        ]
        readout = {name: next(arrays) for name in self.readout.parameter_shapes}
        return Parameters(theta, cells, readout, next(arrays, theta[:0].reshape(0, 0)))

    def initial(self, rng: np.random.Generator, bias_out: Array, longest: int) -> Array:
        """Return a new theta in float64.

        Parameters
        ----------
        rng : Generator
        bias_out : ndarray (K,)
            The initial bias of the output layer.
        longest : int
            The number of steps of the longest sequence.
        """
        theta = np.zeros(self.size)
        parameters = self.bind(theta)
        for cell, directions in zip(self.stack.layers, parameters.cells, strict=True):
            for cell_parameters in directions:
                self.stack.initialize(cell, cell_parameters, rng, longest)
        self.readout.initialize(parameters.readout, rng, bias_out)
        parameters.embedding[...] = rng.standard_normal(parameters.embedding.shape)
        return theta

    @cached_property
    def penalized(self) -> Array:
        """(size,) bool: the entries of theta with L2 penalty.

        These are all weights, but not biases, gains and initial states.
        """
        mask = np.ones(self.size, bool)
        masks = self.bind(mask)
        for cell, directions in zip(self.stack.layers, masks.cells, strict=True):
            for cell_masks in directions:
                cell_masks["W"][:, cell.hidden_size] = False
                for name in self.stack.unpenalized(cell):
                    cell_masks[name][...] = False
        for name in self.readout.dense_layers:
            masks.readout[name][:, -1] = False
        return mask

    def public(self, theta: Array) -> dict[str, Array]:
        """Return copies of all parameters, or of a gradient, under the names of PyTorch."""
        parameters = self.bind(theta)
        readout = parameters.readout
        named = {}
        if self.embedding is not None:
            named["weight_embedding"] = parameters.embedding.copy()
        layers = zip(self.stack.layers, parameters.cells, strict=True)
        for layer, (cell, directions) in enumerate(layers):
            for cell_parameters, suffix in zip(directions, ("", "_reverse"), strict=False):
                for name, array in _public_cell(cell, cell_parameters).items():
                    named[f"{name}_l{layer}{suffix}"] = array
        if "attention" in readout:
            named["weight_attention"] = readout["attention"].copy()
        for name in self.readout.dense_layers:
            public = name.replace("W_", "" if name == "W_out" else "head_")
            named[f"weight_{public}"] = readout[name][:, :-1].copy()
            named[f"bias_{public}"] = readout[name][:, -1].copy()
        return named

    def flat(self, named: dict[str, Array]) -> Array:
        """Return theta for parameters under the names of PyTorch: the inverse of `public`.

        PyTorch adds two biases to each gate. Where theta has one bias, it gets their sum.
        """
        # `public` of the numbers 1, 2, 3, ... says which entry of theta each public number is. It
        # shows 0 for second biases that theta has no entry for: these go to theta[0] first, which
        # does not belong to the result.
        entries = self.public(np.arange(1, self.size + 1))
        theta = np.zeros(1 + self.size, np.result_type(*named.values()))
        for name, entry in entries.items():
            theta[entry] = named[name]
        for name, entry in entries.items():
            if name.startswith("bias_hh"):
                first_bias = entries[name.replace("bias_hh", "bias_ih")]
                has_no_entry = entry == 0
                theta[first_bias[has_no_entry]] += named[name][has_no_entry]
        return theta[1:].copy()

    # Lists, no generators: one that is left half-read is closed by a destructor, in which a
    # KeyboardInterrupt is lost.

    def _shapes(self) -> list[tuple[int, ...]]:
        """Return the shapes of all parameters in the order in which they lie in theta."""
        cells = [
            shape
            for cell in self.stack.layers
            for _ in range(self.stack.n_directions)
            for shape in self.stack.parameter_shapes(cell).values()
        ]
        embedding = [] if self.embedding is None else [self.embedding.shape]
        return [*cells, *self.readout.parameter_shapes.values(), *embedding]

    def _cut(self, theta: Array) -> list[Array]:
        """Return views of theta, one for each parameter."""
        arrays, end = [], 0
        for shape in self._shapes():
            begin, end = end, end + prod(shape)
            arrays.append(theta[begin:end].reshape(shape))
        return arrays


def _public_cell(cell: Cell, parameters: dict[str, Array]) -> dict[str, Array]:
    """Return copies of the parameters of one cell, with the names and gate order of PyTorch.

    Also those of the options of its layer, which layers of PyTorch do not have. PyTorch adds two
    biases to each gate. Where the cell has one, it is in bias_ih, and bias_hh is zero.
    """
    H = cell.hidden_size
    order = [cell.gates.index(gate) for gate in cell.public_gates]
    blocks = parameters["W"].reshape(len(order), H, -1)
    W = np.concatenate([blocks[k] for k in order])
    bias_hh = np.zeros_like(W[:, H])
    for gate, name in cell.second_biases.items():
        first = cell.public_gates.index(gate) * H
        bias_hh[first : first + H] = parameters[name]
    public = {
        "weight_ih": W[:, H + 1 :].copy(),
        "weight_hh": W[:, :H].copy(),
        "bias_ih": W[:, H].copy(),
        "bias_hh": bias_hh,
    }
    if "norm" in parameters:
        public["norm_weight"], public["norm_bias"] = parameters["norm"].copy()
    if "start" in parameters:
        names = (f"{state}_0" for state in cell.states)
        public |= dict(zip(names, parameters["start"].copy(), strict=True))
    return public
