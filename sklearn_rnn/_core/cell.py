"""The abstract recurrent cell, and the notation that every file of the core keeps.

Dimension key
-------------
N samples, B columns of a block (one sequence each), T steps, F inputs, H hidden, G gate rows,
R = H + 1 + F rows of the stacked input, K outputs, L layers.

Letters
-------
x input, h state, c cell state, z pre-activation, W weights, L loss or local derivative;
dv is the derivative of the loss with respect to v.

All three cells read Z[t] = [h_{t-1}; 1; x_t], so that one matrix W = [W_hh | b | W_ih] holds a
layer's parameters and one product W @ Z[t] gives every pre-activation, bias included.
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
    """How one of the arrays that a cell computes beside its state h is shown.

    Parameters
    ----------
    title : str
        What it is called.
    bounds : pair of float or None
        Between which its values lie; None: anywhere.
    drawn : bool
        Whether plots show it unless they are asked for others.
    """

    title: str
    bounds: tuple[float, float] | None
    drawn: bool = True


class OnnxOperator(NamedTuple):
    """The operator of ONNX that computes what a cell does.

    Parameters
    ----------
    name : str
        Its name, for example "LSTM".
    gates : str
        The gates in its order, in the cell's letters.
    attributes : mapping
        What it needs to be told. A list holds what one direction needs.
    """

    name: str
    gates: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Cell(ABC):
    """Sizes and equations of one recurrent layer in one direction; holds no arrays.

    A cell also declares, here and nowhere else, what other rooms must know of it: its gates, its
    states and second biases, how plots show it, and which counterparts it has in other frameworks.

    Parameters
    ----------
    input_size, hidden_size : int
        F and H.
    init : str
        How initial weights are drawn: "orthogonal", or what else a cell knows.
    """

    input_size: int
    hidden_size: int
    init: str = "orthogonal"

    # The arrays that make the state, a letter each.
    states: ClassVar[str] = "h"
    # The gates that have a second bias, PyTorch's bias_hh, and the name of its parameter (H,).
    second_biases: ClassVar[Mapping[str, str]] = {}
    # What forward computes beside h, by PyTorch's letters, in the order of `activations`.
    activations_by_letter: ClassVar[Mapping[str, Activation]] = {}
    # The module of torch.nn with the same equations, and the fields that it takes as arguments of
    # the same names. None: there is no such module.
    torch_module: ClassVar[str | None] = None
    torch_arguments: ClassVar[tuple[str, ...]] = ()

    @property
    def onnx_operator(self) -> OnnxOperator | None:
        """The operator of ONNX with the same equations; None: there is none."""
        return None

    @property
    def predictor_variant(self) -> str | None:
        """The variant of `cell` among the pieces of exported predictors; None: there is none."""
        return None

    @property
    @abstractmethod
    def gates(self) -> str:
        """The gates in the order of the kernel's row blocks, a letter each."""

    @property
    @abstractmethod
    def public_gates(self) -> str:
        """The gates in PyTorch's order."""

    @property
    @abstractmethod
    def workspace_class(self) -> type[Workspace]:
        """What holds the buffers of its time loop."""

    @property
    def n_states(self) -> int:
        """How many arrays make the state."""
        return len(self.states)

    @property
    def unpenalised(self) -> tuple[str, ...]:
        """Names of the parameters, beside W's column of biases, that the L2 penalty leaves out."""
        return tuple(self.second_biases.values())

    @property
    def n_gate_rows(self) -> int:
        """G, the rows of the weight matrix."""
        return len(self.gates) * self.hidden_size

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters, by name."""
        return {"W": (self.n_gate_rows, self.hidden_size + 1 + self.input_size)}

    def initialise(
        self, parameters: dict[str, Array], rng: np.random.Generator, longest: int
    ) -> None:
        """Write initial weights into zeroed parameters, for sequences of up to so many steps."""
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
        """Run over time.

        Reads ws.x[:n_steps] and the initial state. Writes ws.h[:n_steps] and the histories
        that backward needs.
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
        """Run back through time, after forward on the same workspace.

        Reads ws.dh[first_error:n_steps], the errors that enter from above (none enter before
        `first_error`), and forward's histories. Writes the gradients of the parameters and,
        where the workspace was made for it, ws.dx[:n_steps].
        """

    def activations(self, ws: Any, n_steps: int) -> list[Array]:
        """Return what `activations_by_letter` describes, (T, H, B) each.

        Views of a workspace for training, after forward.
        """
        return []

    def error_factor(self, parameters: dict[str, Array]) -> float | None:
        """Return the most that one step back multiplies the norm of dL/dh by; None if unknown."""
        return None

    @abstractmethod
    def step_weights(self, parameters: dict[str, Array]) -> tuple[Array, ...]:
        """Return what `step` computes with: W with its rows as the step wants them, numbers."""

    @abstractmethod
    def step(
        self, weights: tuple[Array, ...], Z: Array, state: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """Return the state after one more step: forward's equations, out of place.

        Reads what `step_weights` made, Z = [h_{t-1}; 1; x_t] (R, B), and the state before, (h,)
        or (h, c), each (H, B); writes none of them.
        """
