"""Convert a network to ONNX nodes.

Dimension key: n sequences, T steps of the longest, F inputs, H hidden, S directions, G gate rows,
K targets or classes, Q quantiles, O raw outputs.

Everything is in float32, since onnxruntime has no recurrent nodes in float64; only targets that
float32 is too coarse for come out in float64. States are (T, n, S,
H) between layers, in the sequence's time for both directions. Pooling masks the states in the
padding, so that even NaN may stand there, and a runtime that ignores `sequence_lens` is right for
all but the reverse direction.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_rnn._core.norm import EPSILON
from sklearn_rnn._data.target_units import dtype_of_predictions
from sklearn_rnn.interop._description import Answer, Arrays, Description, no_counterpart


class Graph:
    """Nodes and constants, in the order in which they were added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, op: str, *inputs: Any, **attributes: Any) -> str:
        """Add a node and return its first output's name. An input is a name or a constant."""
        from onnx import helper

        output = f"{op.lower()}_{len(self.nodes)}"
        outputs = [output, f"{output}_indices"] if op == "TopK" else [output]
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        self.nodes.append(helper.make_node(op, names, outputs, **attributes))
        return output

    def name(self, output: str, name: str) -> None:
        """Give an output a name for the outside."""
        self.add("Identity", output)
        self.nodes[-1].output[0] = name

    def constant(self, array: np.ndarray, dtype: Any = np.float32) -> str:
        """Add a constant, of numbers with a fraction in this dtype, and return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = array.astype(dtype) if array.dtype.kind == "f" else array
        return name


def add_network(graph: Graph, model: Description, x: str, lengths: str | None) -> str:
    """Add all from x to raw outputs (n, O) or (n, T, O); return their name.

    x (n, T, F) holds float32; for a model of rows (n, T * F); for a model with an embedding codes
    of tokens (n, T) in int64. `lengths` (n,) are int64; None: all T.
    """
    if model.embedding is not None:
        E = model.embedding
        x = graph.add("Gather", np.vstack([E, E.mean(axis=0)]), x)
    elif model.n_timesteps is not None:
        x = graph.add("Reshape", x, np.array([-1, model.n_timesteps, model.input_size]))
    shape = graph.add("Shape", x)
    n, T = (graph.add("Gather", shape, np.array([k])) for k in (0, 1))
    if lengths is None:
        lengths = graph.add("Expand", T, n)
    zero, one = np.array(0), np.array(1)
    steps = graph.add("Range", zero, graph.add("Squeeze", T), one)
    steps = graph.add("Reshape", steps, np.array([-1, 1, 1, 1]))
    lengths = graph.add("Reshape", lengths, np.array([1, -1, 1, 1]))
    real = graph.add("Less", steps, lengths)  # (T, n, 1, 1)

    x = graph.add("Transpose", x, perm=[1, 0, 2])
    states = _add_stack(graph, model, x, lengths, n)
    pooled = _add_pooling(graph, model, states, steps, lengths, real)
    return _add_head(graph, model, pooled)


def _add_stack(graph: Graph, model: Description, x: str, lengths: str, n: str) -> str:
    """Add the layers over x (T, n, F); return the top layer's states (T, n, S, H)."""
    from onnx import TensorProto

    ends = graph.add("Reshape", lengths, np.array([-1]))
    ends = graph.add("Cast", ends, to=TensorProto.INT32)
    states = ""
    for k, directions in enumerate(model.layers):
        below = states
        states = _add_layer(graph, model, directions, x, ends, n)
        if model.residual and k > 0:
            states = graph.add("Add", states, below)
        if "norm_weight" in directions[0]:
            ones = np.ones(model.hidden_size)
            states = graph.add("LayerNormalization", states, ones, axis=-1, epsilon=EPSILON)
            states = graph.add("Mul", states, _stack(directions, "norm_weight"))
            states = graph.add("Add", states, _stack(directions, "norm_bias"))
        x = graph.add("Reshape", states, np.array([0, 0, -1]))
    return states


def _add_layer(
    graph: Graph, model: Description, directions: list[Arrays], x: str, ends: str, n: str
) -> str:
    """Add one RNN, LSTM or GRU node over x (T, n, F); return its states (T, n, S, H)."""
    cell, S = model.cell, model.n_directions
    operator = cell.onnx_operator
    if operator is None:
        raise no_counterpart(f"The cell {type(cell).__name__}", "ONNX")
    attributes: dict[str, Any] = {"hidden_size": model.hidden_size}
    if S == 2:
        attributes["direction"] = "bidirectional"
    for name, value in operator.attributes.items():
        attributes[name] = value * S if isinstance(value, list) else value
    weights = [_stack(directions, name) for name in ("weight_ih", "weight_hh")]
    biases = [_stack(directions, name) for name in ("bias_ih", "bias_hh")]
    orders = cell.public_gates, operator.gates
    W, R = (_reorder(weight, *orders) for weight in weights)
    B = np.concatenate([_reorder(bias, *orders) for bias in biases], axis=1)
    inputs: list[Any] = [x, W, R, B, ends]
    for name in (f"{state}_0" for state in cell.states):
        if name in directions[0]:
            shape = graph.add("Concat", np.array([S]), n, np.array([model.hidden_size]), axis=0)
            start = _stack(directions, name)[:, None]
            inputs.append(graph.add("Expand", start, shape))
    states = graph.add(operator.name, *inputs, **attributes)  # (T, S, n, H)
    return graph.add("Transpose", states, perm=[0, 2, 1, 3])


def _add_pooling(
    graph: Graph, model: Description, states: str, steps: str, lengths: str, real: str
) -> str:
    """Add the summary over time of states (T, n, S, H): (n, S * H), or (n, T, S * H) without."""
    from onnx import TensorProto

    over_time = np.array([0])
    if model.pooling is None:
        states = graph.add("Transpose", states, perm=[1, 0, 2, 3])
        return graph.add("Reshape", states, np.array([0, 0, -1]))
    if model.pooling == "last":
        ends = [graph.add("Equal", steps, graph.add("Sub", lengths, np.array(1)))]
        if model.n_directions == 2:  # the reverse direction ends at the first step
            everywhere = graph.add("Mul", lengths, np.array(0))
            ends.append(graph.add("Equal", steps, everywhere))
        last = graph.add("Concat", *ends, axis=2)
        pooled = graph.add("Where", last, states, np.zeros(1))
        pooled = graph.add("ReduceSum", pooled, over_time, keepdims=0)
    elif model.pooling == "max":
        pooled = graph.add("Where", real, states, np.array([-np.inf]))
        pooled = graph.add("ReduceMax", pooled, over_time, keepdims=0)
    elif model.pooling == "mean":
        shares = graph.add("Reciprocal", graph.add("Cast", lengths, to=TensorProto.FLOAT))
        pooled = _weighted_sum(graph, states, shares, real)
    else:
        w = np.asarray(model.attention).reshape(model.n_directions, model.hidden_size)
        scores = graph.add("Mul", states, w)
        scores = graph.add("ReduceSum", scores, np.array([3]), keepdims=1)
        scores = graph.add("Where", real, scores, np.array([-np.inf]))
        pooled = _weighted_sum(graph, states, graph.add("Softmax", scores, axis=0), real)
    return graph.add("Flatten", pooled, axis=1)


def _weighted_sum(graph: Graph, states: str, shares: str, real: str) -> str:
    """Add the sum over time of shares times states, (n, S, H)."""
    states = graph.add("Where", real, states, np.zeros(1))
    return graph.add("ReduceSum", graph.add("Mul", shares, states), np.array([0]), keepdims=0)


def _add_head(graph: Graph, model: Description, pooled: str) -> str:
    """Add the dense layers over (..., S * H); return the raw outputs' name."""
    for k, (weight, bias) in enumerate(model.head):
        if k > 0:
            pooled = graph.add("Relu", pooled)
        pooled = graph.add("Add", graph.add("MatMul", pooled, weight.T), bias)
    return pooled


def add_probabilities(graph: Graph, answer: Answer, raw: str) -> str:
    """Add the class probabilities (..., C) of raw outputs; return their name."""
    if answer.kind == "binary":
        pair = graph.add("Concat", graph.add("Neg", raw), raw, axis=-1)
        return graph.add("Sigmoid", pair)
    if answer.kind == "multilabel":
        return graph.add("Sigmoid", raw)
    return graph.add("Softmax", raw, axis=-1)


def add_labels(graph: Graph, answer: Answer, raw: str, classes: np.ndarray) -> str:
    """Add the labels, of these classes, that raw outputs (..., O) stand for; return their name.

    (...,); of multilabel targets 0 and 1, (..., C).
    """
    from onnx import TensorProto

    if answer.kind in ("binary", "multilabel"):
        positive = graph.add("Greater", raw, np.zeros(1))
        codes = graph.add("Cast", positive, to=TensorProto.INT64)
        if answer.kind == "multilabel":
            return codes
        codes = graph.add("Squeeze", codes, np.array([-1]))
    else:
        codes = graph.add("ArgMax", raw, axis=-1, keepdims=0)
    return graph.add("Gather", classes, codes)


def add_targets(graph: Graph, model: Description, raw: str) -> str:
    """Add a regressor's predictions in y's units, of raw outputs (..., K * Q); return their name.

    (...,), (..., K), (..., Q) or (..., K, Q), as `predict` has them.
    """
    answer = model.answer
    K, Q = len(answer.y_scale), answer.n_quantiles
    leading = [0, 0] if model.pooling is None else [0]
    dtype = target_dtype(answer)
    y = raw if dtype == np.float32 else graph.add("Cast", raw, to=target_type(answer))
    y = graph.add("Exp", y) if answer.log else y
    y = graph.add("Reshape", y, np.array([*leading, K, Q]))
    scale, mean = (graph.constant(a[:, None], dtype) for a in (answer.y_scale, answer.y_mean))
    y = graph.add("Add", graph.add("Mul", y, scale), mean)
    if Q > 1:
        y = graph.add("TopK", y, np.array([Q]), largest=0, axis=-1)
    return graph.add("Reshape", y, np.array([*leading, *target_axes(answer)]))


def target_dtype(answer: Answer) -> np.dtype:
    """Return the dtype of a regressor's predictions: float64 where float32 is too coarse."""
    return dtype_of_predictions(answer.y_mean, answer.y_scale, np.dtype(np.float32))


def target_type(answer: Answer) -> int:
    """Return ONNX's number of `target_dtype`."""
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(target_dtype(answer))


def target_axes(answer: Answer) -> list[int]:
    """Return the lengths of the axes that a regressor's prediction has for each answer."""
    return [size for size in (len(answer.y_scale), answer.n_quantiles) if size > 1]


def _reorder(array: np.ndarray, gates: str, wanted: str) -> np.ndarray:
    """Return an array (S, G, ...), whose rows are in this order of gates, in the wanted one."""
    blocks = dict(zip(gates, np.split(array, len(gates), axis=1), strict=True))
    return np.concatenate([blocks[gate] for gate in wanted], axis=1)


def _stack(directions: list[Arrays], name: str) -> np.ndarray:
    return np.stack([arrays[name] for arrays in directions])
