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
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.init import glorot_uniform, orthogonal
from sklearn_rnn._core.workspace import Array, Workspace


@dataclass(frozen=True)
class Cell(ABC):
    """Sizes and equations of one recurrent layer in one direction; holds no arrays.

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
        """How many arrays make the state: h alone, unless a cell says otherwise."""
        return 1

    @property
    def activation_names(self) -> str:
        """What forward computes beside h, by PyTorch's letters: nothing, unless a cell says so."""
        return ""

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
        """Return what `activation_names` name, (T, H, B) each.

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
