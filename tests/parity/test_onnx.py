"""ONNX's reference evaluator, with random float64 weights, says the same to rounding.

Its gates come in another order (i, o, f, c and z, r, h), its biases as [Wb | Rb], and its output
in the sequence's time for both directions: (T, directions, B, H). It knows no relu.
"""

import numpy as np
import pytest

from tests.core.helpers import assert_close, random_problem
from tests.core.reference import cell_weights

pytest.importorskip("onnx")

from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

OPERATORS = {"rnn-tanh": "RNN", "lstm": "LSTM", "gru": "GRU"}
GATES = {"rnn-tanh": "h", "lstm": "ifgo", "gru": "rzn"}  # PyTorch's order
ONNX_GATES = {"rnn-tanh": "h", "lstm": "iofg", "gru": "zrn"}
DIRECTIONS = ("forward", "reverse", "bidirectional")


def reorder(cell, array):
    """Rows in ONNX's order of gates."""
    blocks = dict(zip(GATES[cell], np.split(array, len(GATES[cell])), strict=True))
    return np.concatenate([blocks[gate] for gate in ONNX_GATES[cell]])


def inputs_of(problem, directions):
    """X, W, R, B, the initial states: what the operator takes, by its names."""
    cell, public = problem.cell, problem.network.layout.public(problem.theta)
    weights = [cell_weights(public, 0, d) for d in directions]
    bias = [
        np.concatenate([reorder(cell, w["bias_ih"]), reorder(cell, w["bias_hh"])]) for w in weights
    ]
    states = zip(*(problem.states[0][d] for d in directions), strict=True)
    return {
        "X": problem.block.x.transpose(0, 2, 1),
        "W": np.stack([reorder(cell, w["weight_ih"]) for w in weights]),
        "R": np.stack([reorder(cell, w["weight_hh"]) for w in weights]),
        "B": np.stack(bias),
        **{
            f"initial_{name}": np.stack(state).transpose(0, 2, 1)
            for name, state in zip("hc", states, strict=False)
        },
    }


def evaluate(cell, direction, inputs, hidden_size):
    """Y (T, directions, B, H) and Y_h (directions, B, H) by ONNX."""
    options = dict(direction=direction, hidden_size=hidden_size)
    if cell == "gru":
        options["linear_before_reset"] = 1
    names = ["X", "W", "R", "B", "", *(name for name in inputs if name.startswith("initial"))]
    node = helper.make_node(OPERATORS[cell], names, ["Y", "Y_h"], **options)
    graph = helper.make_graph(
        [node],
        "one_layer",
        [helper.make_tensor_value_info(n, TensorProto.DOUBLE, a.shape) for n, a in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in ("Y", "Y_h")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    return ReferenceEvaluator(model).run(None, inputs)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("T", [1, 3, 9])
@pytest.mark.parametrize("cell", OPERATORS)
def test_states_are_those_of_onnx(cell, T, direction):
    problem = random_problem(cell, T=T, B=3, F=2, H=4, n_directions=2)
    cells = problem.parameters.cells
    states = problem.network.stack.forward(cells, problem.workspaces(), problem.block)
    directions = {"forward": [0], "reverse": [1], "bidirectional": [0, 1]}[direction]
    Y, Y_h = evaluate(cell, direction, inputs_of(problem, directions), 4)
    for k, d in enumerate(directions):
        in_own_time = states[d].transpose(0, 2, 1)
        assert_close(in_own_time[::-1] if d else in_own_time, Y[:, k])
        assert_close(in_own_time[-1], Y_h[k])
