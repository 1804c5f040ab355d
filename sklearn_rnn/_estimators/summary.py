"""The summary of a fitted network: its layers, and the memory and arithmetic for an X."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np

from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._running.cost import (
    forward_operations,
    prediction_bytes,
    training_bytes,
    update_operations,
)


@dataclass(frozen=True)
class Cost:
    """What a run over some sequences costs.

    Attributes
    ----------
    n_sequences : int
        The sequences.
    shortest, longest : int
        The steps that they have, at least and at most.
    batch_size : int
        Sequences of an update.
    training_bytes : int
        Memory of training on them, beside X itself.
    prediction_bytes : int
        Memory of predicting them, beside X itself.
    forward_operations : int
        Floating point operations of a forward pass over all of them.
    update_operations : int
        Floating point operations of one update of training.
    """

    n_sequences: int
    shortest: int
    longest: int
    batch_size: int
    training_bytes: int
    prediction_bytes: int
    forward_operations: int
    update_operations: int


@dataclass(frozen=True)
class Summary:
    """The layers of a fitted network, as a table that prints and that notebooks show.

    Attributes
    ----------
    name : str
        The estimator's class.
    layers : tuple of (str, str, int)
        Of each layer its name, the shape of what it hands on, and the number of its parameters;
        n sequences, T steps.
    n_parameters : int
        The sum of these.
    cost : Cost or None
        What the X that was given costs.

    Notes
    -----
    Operations are those of the matrix products, 2 for each weight that a step reads; an update
    takes three times those of its forward pass. Memory is that of the largest batch or block: the
    states, gates and errors of its steps, a dozen vectors like all weights, and answers; without X
    itself. It is within a tenth of measured peaks.
    """

    name: str
    layers: tuple[tuple[str, str, int], ...]
    n_parameters: int
    cost: Cost | None = None

    def __str__(self) -> str:
        header = ("layer", "output", "parameters")
        rows = [header, *((a, b, f"{n:,}") for a, b, n in self.layers)]
        rows.append(("total", "", f"{self.n_parameters:,}"))
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
        rule = "-" * (sum(widths) + 4)
        table = [self.name, rule, lines[0], rule, *lines[1:-1], rule, lines[-1]]
        width = max((len(what) for what, _ in self._costs()), default=0)
        costs = [f"{what:<{width}}  {figure}" for what, figure in self._costs()]
        return "\n".join([*table, *([rule] if costs else []), *costs])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return the table as HTML, for notebooks."""
        rows = [(a, b, f"{n:,}") for a, b, n in self.layers]
        rows.append(("total", "", f"{self.n_parameters:,}"))
        body = "".join(
            f'<tr><td style="text-align:left">{escape(a)}</td>'
            f'<td style="text-align:left">{escape(b)}</td><td>{c}</td></tr>'
            for a, b, c in rows
        )
        costs = "".join(
            f'<tr><td style="text-align:left">{escape(what)}</td>'
            f'<td colspan="2" style="text-align:left">{escape(figure)}</td></tr>'
            for what, figure in self._costs()
        )
        return (
            f"<table><caption>{escape(self.name)}</caption><thead><tr><th>layer</th>"
            f"<th>output</th><th>parameters</th></tr></thead><tbody>{body}{costs}</tbody></table>"
        )

    def _costs(self) -> list[tuple[str, str]]:
        if self.cost is None:
            return []
        cost = self.cost
        steps = f"{cost.shortest}" if cost.shortest == cost.longest else f"{cost.shortest} to "
        steps += "" if cost.shortest == cost.longest else f"{cost.longest}"
        return [
            ("X", f"{cost.n_sequences:,} sequences of {steps} steps"),
            ("memory of training", _with_unit(cost.training_bytes, "B")),
            ("memory of prediction", _with_unit(cost.prediction_bytes, "B")),
            ("forward pass over X", _with_unit(cost.forward_operations, "FLOP")),
            (
                f"update by {cost.batch_size} sequences",
                _with_unit(cost.update_operations, "FLOP"),
            ),
        ]


def layers_of(network: Network, pooling: str) -> tuple[tuple[str, str, int], ...]:
    """Return name, output shape and number of parameters of each layer, as in `Summary.layers`."""
    return (*_recurrent_layers(network), *_answering_layers(network, pooling))


def _recurrent_layers(network: Network) -> Iterator[tuple[str, str, int]]:
    """Yield the rows of all that is computed at every step."""
    stack = network.stack
    cells = network.layout.bind(np.empty(network.layout.size, bool)).cells
    if network.embedding is not None:
        n_tokens, size = network.embedding.shape
        yield f"embedding of {n_tokens} tokens", f"(n, T, {size})", n_tokens * size
    for k, (cell, row) in enumerate(zip(stack.layers, cells, strict=True)):
        options = {
            "both directions": stack.n_directions == 2,
            "residual": stack.residual and k > 0,
            "normalised": stack.layer_norm,
        }
        name = f"{type(cell).__name__.removesuffix('Cell')} layer {k}"
        name = ", ".join([name, *(option for option, is_on in options.items() if is_on)])
        n_parameters = sum(array.size for arrays in row for array in arrays.values())
        yield name, f"(n, T, {stack.n_directions * cell.hidden_size})", n_parameters


def _answering_layers(network: Network, pooling: str) -> Iterator[tuple[str, str, int]]:
    """Yield the rows of pooling and the dense layers."""
    arrays = network.layout.bind(np.empty(network.layout.size, bool)).readout
    shape = "(n, T, {})" if network.per_step else "(n, {})"
    if not network.per_step:
        n_parameters = arrays["attention"].size if "attention" in arrays else 0
        yield f"pooling: {pooling}", shape.format(network.readout.input_size), n_parameters
    for k, name in enumerate(network.readout.dense_layers):
        title = "readout" if name == "W_out" else f"dense layer {k}, relu"
        yield title, shape.format(len(arrays[name])), arrays[name].size


def cost_of(
    network: Network,
    lengths: Array,
    *,
    training: Network,
    input_size: int,
    dtype: np.dtype,
    batch_size: int,
    tbptt_steps: int | None,
    is_cut: bool,
) -> Cost:
    """Return what training on sequences of these lengths costs, and predicting them.

    Parameters
    ----------
    network, training : Network
        As it predicts, and as it is trained.
    lengths : ndarray of int (N,)
    input_size : int
        Features of a step.
    dtype : dtype
        That of the weights.
    batch_size : int
    tbptt_steps : int or None
    is_cut : bool
        Whether training cuts large batches into parts.
    """
    sizes = lengths, input_size, dtype
    return Cost(
        n_sequences=len(lengths),
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
        batch_size=batch_size,
        training_bytes=training_bytes(training, *sizes, batch_size, tbptt_steps, is_cut=is_cut),
        prediction_bytes=prediction_bytes(network, *sizes),
        forward_operations=forward_operations(network, lengths),
        update_operations=update_operations(network, lengths, batch_size),
    )


def _with_unit(number: float, unit: str) -> str:
    """Return a number of three digits with a prefix: 12.3 MFLOP."""
    prefixes = ["", "k", "M", "G", "T", "P"]
    while number >= 999.5 and len(prefixes) > 1:
        number /= 1000
        prefixes.pop(0)
    return f"{number:.3g} {prefixes[0]}{unit}"
