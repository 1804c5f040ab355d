"""Where the parameters lie in theta, and under which names the world sees them."""

import numpy as np
import pytest

from tests.core.helpers import CELLS, random_problem

GATES = {"rnn-tanh": "h", "rnn-relu": "h", "lstm": "ifgo", "gru": "rzn"}  # PyTorch's order

all_cells = pytest.mark.parametrize("cell", CELLS)


def make_layout(cell, **sizes):
    return random_problem(cell, **{"num_layers": 2, "n_directions": 2, **sizes}).network.layout


def all_views(layout, theta):
    """Every view of theta, as (layer, direction, name, array)."""
    bound = layout.bind(theta)
    for layer, row in enumerate(bound.cells):
        for direction, parameters in enumerate(row):
            for name, array in parameters.items():
                yield layer, direction, name, array
    for name, array in bound.readout.items():
        yield None, None, name, array


@all_cells
def test_views_cover_theta_once_and_share_its_memory(cell):
    layout = make_layout(cell)
    theta = np.zeros(layout.size)
    for *_, array in all_views(layout, theta):
        assert np.shares_memory(array, theta)
        assert array.flags.c_contiguous
        array += 1
    np.testing.assert_array_equal(theta, 1)


@all_cells
def test_public_names_and_shapes_are_those_of_pytorch(cell):
    F, H, K = 2, 3, 2
    layout = make_layout(cell, F=F, H=H, K=K)
    G = len(GATES[cell]) * H
    expected = {"weight_out": (K, 2 * H), "bias_out": (K,)}
    for layer, inputs in enumerate((F, 2 * H)):
        for suffix in (f"_l{layer}", f"_l{layer}_reverse"):
            expected[f"weight_ih{suffix}"] = (G, inputs)
            expected[f"weight_hh{suffix}"] = (G, H)
            expected[f"bias_ih{suffix}"] = expected[f"bias_hh{suffix}"] = (G,)
    public = layout.public(np.zeros(layout.size))
    assert {name: array.shape for name, array in public.items()} == expected


@all_cells
def test_public_arrays_are_copies(cell):
    layout = make_layout(cell)
    theta = np.ones(layout.size)
    for array in layout.public(theta).values():
        assert not np.shares_memory(array, theta)
        array += 1
    np.testing.assert_array_equal(theta, 1)


@all_cells
def test_public_arrays_hold_every_parameter_once(cell):
    layout = make_layout(cell)
    theta = np.arange(1.0, layout.size + 1)
    public = np.concatenate([array.ravel() for array in layout.public(theta).values()])
    np.testing.assert_array_equal(np.sort(public[public != 0]), theta)


@all_cells
def test_gates_are_in_the_order_of_pytorch(cell):
    """The kernel's rows of each gate, marked with its letter, come out where PyTorch has them."""
    H, F = 3, 2
    layout = make_layout(cell, H=H, F=F)
    theta = np.zeros(layout.size)
    kernel = layout.stack.layers[0]
    for _, _, name, array in all_views(layout, theta):
        if name == "W":
            for gate, rows in zip(kernel.gates, np.split(array, len(kernel.gates)), strict=True):
                rows[:, :H], rows[:, H], rows[:, H + 1 :] = ord(gate), -ord(gate), 2 * ord(gate)
    letters = np.repeat([ord(gate) for gate in GATES[cell]], H)
    for name, array in layout.public(theta).items():
        factor = {"weight_hh": 1, "bias_ih": -1, "weight_ih": 2}.get(name.split("_l")[0])
        if factor:
            rows = array if array.ndim == 2 else array[:, None]
            np.testing.assert_array_equal(rows, np.tile(factor * letters[:, None], rows.shape[1]))


@all_cells
def test_layers_and_directions_have_their_own_names(cell):
    layout = make_layout(cell)
    theta = np.zeros(layout.size)
    for layer, direction, _, array in all_views(layout, theta):
        array[...] = 7 if layer is None else 10 * layer + direction + 1
    for name, array in layout.public(theta).items():
        expected = 7
        if "_l" in name:
            expected = 10 * int(name.split("_l")[1][0]) + name.endswith("_reverse") + 1
        assert set(array.ravel()) <= {expected, 0}
        assert expected in array or name.startswith("bias_hh")


def test_only_the_gru_has_a_second_bias_for_its_candidate():
    H = 3
    for cell in CELLS:
        layout = make_layout(cell, H=H, num_layers=1, n_directions=1)
        second = layout.public(np.ones(layout.size))["bias_hh_l0"]
        expected = np.repeat([0.0, 0.0, 1.0], H) if cell == "gru" else np.zeros(len(second))
        np.testing.assert_array_equal(second, expected)


@all_cells
def test_the_penalty_reaches_all_weights_and_no_biases(cell):
    layout = make_layout(cell)
    for name, mask in layout.public(layout.penalized).items():
        assert mask.all() if name.startswith("weight") else not mask.any(), name
    assert layout.penalized.shape == (layout.size,)


@all_cells
def test_flat_is_the_inverse_of_public(cell):
    layout = make_layout(cell, F=2, H=3, K=2)
    theta = np.random.default_rng(0).normal(size=layout.size)
    np.testing.assert_array_equal(layout.flat(layout.public(theta)), theta)
    named = {name: array.astype(np.float32) for name, array in layout.public(theta).items()}
    assert layout.flat(named).dtype == np.float32


@all_cells
def test_flat_adds_up_two_biases_of_which_only_the_sum_matters(cell):
    layout = make_layout(cell, H=3)
    named = layout.public(np.zeros(layout.size))
    for name, array in named.items():
        array += {"bias_ih": 2, "bias_hh": 0.5}.get(name[:7], 0)
    shown = layout.public(layout.flat(named))
    kept = np.zeros(len(shown["bias_hh_l0"]), bool)
    if cell == "gru":  # the candidate needs both
        kept[6:] = True
    for suffix in ("_l0", "_l0_reverse", "_l1", "_l1_reverse"):
        np.testing.assert_array_equal(shown[f"bias_ih{suffix}"], np.where(kept, 2, 2.5))
        np.testing.assert_array_equal(shown[f"bias_hh{suffix}"], np.where(kept, 0.5, 0))
