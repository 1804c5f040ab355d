"""The base class of recurrent cells, and the notation of all files in this folder.

Dimension key
-------------
N samples, B columns of a block (one sequence each), T steps, F inputs, H hidden, G gate rows,
R = H + 1 + F rows of the stacked input, K outputs, L layers.

Letters
-------
x input, h state, c cell state, z pre-activation, W weights, L loss or local derivative;
dv is the derivative of the loss with respect to v.

All cells read Z[t] = [h_{t-1}; 1; x_t]. So one matrix W = [W_hh | b | W_ih] holds the parameters of
a layer, and one product W @ Z[t] gives all pre-activations with their biases.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from sklearn_rnn._core.init import glorot_uniform, orthogonal
from sklearn_rnn._core.workspace import Array, Workspace


class Activation(NamedTuple):
    """How plots show one of the arrays that a cell computes besides its state h.

    Parameters
    ----------
    title : str
        The title of its plot.
    bounds : pair of float or None
        The smallest and the largest possible value; None means unbounded.
    drawn : bool
        Whether plots show it by default.
    """

    title: str
    bounds: tuple[float, float] | None
    drawn: bool = True


class OnnxOperator(NamedTuple):
    """The operator of ONNX with the equations of a cell.

    Parameters
    ----------
    name : str
        Its name, for example "LSTM".
    gates : str
        The gates in the order of the operator, by the letters of the cell.
    attributes : mapping
        The attributes of the operator. A list holds the entries for one direction.
    """

    name: str
    gates: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Cell(ABC):
    """Sizes and equations of one recurrent layer in one direction; holds no arrays.

    A cell also declares all that other modules must know of it: its gates, states and second
    biases, how plots show it, and its counterparts in other frameworks.

    Parameters
    ----------
    input_size, hidden_size : int
        F and H.
    init : str
        How initial weights are drawn: "orthogonal", or another name that the cell knows.
    """

    input_size: int
    hidden_size: int
    init: str = "orthogonal"

    # The arrays of the state, one letter each.
    states: ClassVar[str] = "h"
    # The gates that have a second bias, PyTorch's bias_hh, and the name of its parameter (H,).
    second_biases: ClassVar[Mapping[str, str]] = {}
    # What forward computes besides h, by PyTorch's letters, in the order of `activations`.
    activations_by_letter: ClassVar[Mapping[str, Activation]] = {}
    # The module of torch.nn with the same equations, and the fields of the cell that are arguments
    # of the module under the same names. None: there is no such module.
    torch_module: ClassVar[str | None] = None
    torch_arguments: ClassVar[tuple[str, ...]] = ()

    @property
    def onnx_operator(self) -> OnnxOperator | None:
        """The operator of ONNX with the same equations, or None."""
        return None

    @property
    def predictor_variant(self) -> str | None:
        """The variant of `cell` in the source of exported predictors, or None."""
        return None

    @property
    @abstractmethod
    def gates(self) -> str:
        """The gates in the order of their row blocks in W, one letter each."""

    @property
    @abstractmethod
    def public_gates(self) -> str:
        """The gates in the order of PyTorch."""

    @property
    @abstractmethod
    def workspace_class(self) -> type[Workspace]:
        """The class of the buffers for the time loop of this cell."""

    @property
    def n_states(self) -> int:
        """The number of arrays in the state."""
        return len(self.states)

    @property
    def unpenalized(self) -> tuple[str, ...]:
        """Names of the parameters without L2 penalty, besides the column of biases in W."""
        return tuple(self.second_biases.values())

    @property
    def n_gate_rows(self) -> int:
        """G, the rows of the weight matrix."""
        return len(self.gates) * self.hidden_size

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters, by name."""
        return {"W": (self.n_gate_rows, self.hidden_size + 1 + self.input_size)}

    def initialize(
        self, parameters: dict[str, Array], rng: np.random.Generator, longest: int
    ) -> None:
        """Write initial weights into zeroed parameters; sequences have up to `longest` steps."""
        H, W = self.hidden_size, parameters["W"]
        for gate in range(len(self.gates)):
            rows = slice(gate * H, (gate + 1) * H)
            W[rows, :H] = orthogonal(rng, H)
            W[rows, H + 1 :] = glorot_uniform(rng, H, self.input_size)

    def make_workspace(
        self,
        n_steps: int,
        n_columns: int,
        dtype: Any,
        *,
        training: bool,
        input_gradient: bool,
        masks_states: bool = False,
    ) -> Workspace:
        """Allocate the buffers for blocks of up to n_steps steps of n_columns sequences."""
        return self.workspace_class(
            self.hidden_size,
            self.input_size,
            n_steps,
            n_columns,
            dtype,
            training=training,
            input_gradient=input_gradient,
            masks_states=masks_states,
        )

    @abstractmethod
    def forward(self, parameters: dict[str, Array], ws: Any, n_steps: int) -> None:
        """Run the equations over time.

        Reads ws.x[:n_steps] and the initial state. Writes ws.h[:n_steps], and the gates of all
        steps if the workspace was made for training.
        """

    @abstractmethod
    def backward(
        self,
        parameters: dict[str, Array],
        ws: Any,
        n_steps: int,
        first_error: int,
        gradients: dict[str, Array],
    ) -> None:
        """Run the errors back through time, after forward on the same workspace.

        Reads ws.dh[first_error:n_steps], the errors from the layer above, and what forward has
        stored. No error enters before step `first_error`. Writes the gradients of the parameters
        and, if the workspace was made for it, ws.dx[:n_steps].
        """

    def activations(self, ws: Any, n_steps: int) -> list[Array]:
        """Return the arrays (T, H, B) that `activations_by_letter` describes, after forward.

        They are views of the workspace, which must be one for training.
        """
        return []

    def error_factor(self, parameters: dict[str, Array]) -> float | None:
        """Return an upper bound of |dL/dh_{t-1}| / |dL/dh_t|; None if there is none."""
        return None

    @abstractmethod
    def step_weights(self, parameters: dict[str, Array]) -> tuple[Array, ...]:
        """Return the arrays that `step` computes with, made of the parameters once."""

    @abstractmethod
    def step(
        self, weights: tuple[Array, ...], Z: Array, state: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """Return the state after one more step, by the equations of forward, as new arrays.

        Reads the arrays of `step_weights`, Z = [h_{t-1}; 1; x_t] (R, B), and the state before the
        step, (h,) or (h, c), each (H, B). Writes none of them.
        """
