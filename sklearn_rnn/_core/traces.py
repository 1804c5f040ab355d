"""States, gates and errors of every step, read from workspaces after a run.

Dimension key: B columns, T steps, H hidden, S directions, L layers.

Workspaces of the reverse direction are in its own time: their step 0 is the last step of a
sequence. The functions here return arrays in the time of the sequences.
"""

from __future__ import annotations

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.readout import Readout
from sklearn_rnn._core.stack import CellArrays, Stack
from sklearn_rnn._core.workspace import Array, Workspace


def in_order(arrays: list[Array], block: Block) -> Array:
    """Return (T, S * rows, B): the arrays (T, rows, B) of all directions, forward first."""
    ordered = [block.reverse(A) if direction else A for direction, A in enumerate(arrays)]
    return np.concatenate(ordered, axis=1)


def layer_states(workspaces: list[Workspace], block: Block) -> Array:
    """Return the outputs (T, S * H, B) of one layer, after forward."""
    return in_order([ws.out[: block.n_steps] for ws in workspaces], block)


def layer_gates(stack: Stack, layer: int, workspaces: list[Workspace], block: Block) -> Array:
    """Return the activations (T, A * S * H, B) of one layer, kind by kind, after forward.

    With workspaces for training; the kinds, A of them, are the cell's `activations_by_letter`.
    """
    directions = [stack.layers[layer].activations(ws, block.n_steps) for ws in workspaces]
    kinds = zip(*directions, strict=True)
    return np.concatenate([in_order(list(arrays), block) for arrays in kinds], axis=1)


def attention_weights(
    readout: Readout, parameters: dict[str, Array], workspaces: list[Workspace], block: Block
) -> Array:
    """Return the weights (T, S, B) of the steps in the attention of each direction.

    Reads the workspaces of the top layer, after forward. Weights are zero in the padding.
    """
    vectors = readout.attention_vectors(parameters, len(workspaces))
    weights = [
        readout.pooling.attention(ws.out[: block.n_steps], block, w)[:, None]
        for ws, w in zip(workspaces, vectors, strict=True)
    ]
    return in_order(weights, block)


def step_errors(ws: Workspace, n_steps: int) -> Array:
    """Return dL/dh_t (T, H, B) of each step: the error from above plus that from step t + 1.

    Call it after backward, with a workspace that keeps the errors of all steps
    (`input_gradient`): the cells leave the sum of both errors there.
    """
    return np.concatenate([ws.dZ[1:n_steps, : ws.hidden_size], ws.dh_last[None]])


def error_norms(workspaces: list[list[Workspace]], block: Block) -> Array:
    """Return the Euclidean norms of dL/dh_t, (T, L * S, B): layer by layer, forward first."""
    T = block.n_steps
    rows = [[_norms(step_errors(ws, T)) for ws in row] for row in workspaces]
    return np.concatenate([in_order(row, block) for row in rows], axis=1)


def error_bounds(
    stack: Stack, cells: CellArrays, workspaces: list[list[Workspace]], block: Block
) -> Array | None:
    """Return upper bounds of error_norms, (T, L * S, B), or None if no bound is known.

    With e_t the error from above at step t, and s the largest singular value of W_hh, a step back
    multiplies the norm of an error by at most s (Pascanu, Mikolov and Bengio 2013):

        |dL/dh_t| <= bound_t = |e_t| + s bound_{t+1}

    If errors enter at the last step T only, the bound is s^(T - t) |e_T|. Call it after backward,
    with workspaces that were new before forward: in used ones, errors of other blocks remain at
    steps where this block has none.
    """
    layers = []
    for cell, row, row_arrays in zip(stack.layers, workspaces, cells, strict=True):
        bounds = []
        for ws, arrays in zip(row, row_arrays, strict=True):
            if (factor := cell.error_factor(arrays)) is None:
                return None
            bound = _norms(ws.dh[: block.n_steps])
            for t in range(block.n_steps - 2, -1, -1):
                bound[t] += factor * bound[t + 1]
            bounds.append(bound)
        layers.append(in_order(bounds, block))
    return np.concatenate(layers, axis=1)


def _norms(A: Array) -> Array:
    """Return the Euclidean norms (T, 1, B) of A (T, H, B)."""
    return np.linalg.norm(A, axis=1, keepdims=True)
