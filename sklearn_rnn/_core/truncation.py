"""Long blocks in pieces: states pass from piece to piece, errors do not.

Dimension key: B columns, T steps, C pieces, S * H pooled.

A block with more steps than the workspaces hold is cut in time. Forward, this changes nothing: each
piece starts from the last states of the piece before it. Backward, it is truncated back-propagation
through time (Williams and Peng 1990): no error crosses a cut, so that memory does not grow with T.
For the backward run, each piece with errors runs forward once more, from its first states.

This works for networks with one direction only: the reverse direction would start with the last
piece.
"""

from __future__ import annotations

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.masks import Masks
from sklearn_rnn._core.workspace import Array, Workspace

# The states of all cells between two steps: [layer][direction][h, and c of an LSTM].
States = list[list[tuple[Array, ...]]]


def cut(block: Block, n_steps: int, masks: Masks) -> list[tuple[Block, Masks]]:
    """Return the pieces of a block, of up to n_steps steps each, and their masks.

    In pieces after its end, a column gets one dummy step that nothing reads. So
    zero_padding and pooling need no special case for columns without steps.
    """
    return [
        (
            Block(x, np.clip(block.lengths - begin, 1, len(x))),
            masks.piece(begin, begin + n_steps),
        )
        for begin in range(0, block.n_steps, n_steps)
        for x in [block.x[begin : begin + n_steps]]
    ]


def real_steps(block: Block, n_steps: int) -> Array:
    """Return (C, B): the number of real steps of each column in each piece."""
    begins = np.arange(0, block.n_steps, n_steps)[:, None]
    return np.clip(block.lengths - begins, 0, n_steps)


def states_after(workspaces: list[list[Workspace]], n_steps: int) -> States:
    """Return copies of the states of all cells after n_steps steps, or the first ones for 0."""
    return [
        [tuple(array.copy() for array in ws.state_after(n_steps)) for ws in row]
        for row in workspaces
    ]


def start_from(workspaces: list[list[Workspace]], states: States) -> None:
    """Let all cells start from these states."""
    for row, row_states in zip(workspaces, states, strict=True):
        for ws, state in zip(row, row_states, strict=True):
            ws.start_from(state)


def clear_states(workspaces: list[list[Workspace]]) -> None:
    """Let all cells start from zero, as in new workspaces."""
    for row in workspaces:
        for ws in row:
            ws.clear_state()
