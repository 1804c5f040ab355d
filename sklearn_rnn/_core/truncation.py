"""A long block piece by piece: the state is carried over each cut, the errors are not.

Dimension key: B columns, T steps, C pieces, S * H pooled.

A block with more steps than the workspaces hold is cut in time. Forward, that changes nothing:
each piece starts from the states that the one before it ended with. Backward it is truncated
back-propagation through time (Williams and Peng 1990): no error crosses a cut, so that memory
does not grow with T. Pieces that errors enter in are run once more, from their first states.

It takes one direction: the reverse one would start at the end.
"""

from __future__ import annotations

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.masks import Masks
from sklearn_rnn._core.workspace import Array, Workspace

# The states of all cells between two steps: [layer][direction][h, and c of an LSTM].
States = list[list[tuple[Array, ...]]]


def cut(block: Block, n_steps: int, masks: Masks) -> list[tuple[Block, Masks]]:
    """Return the block's pieces of up to n_steps steps, and their masks.

    A column that has ended before a piece keeps one step in it, which nobody reads: zero_padding
    and pooling need no case for columns without any.
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
    """Return (C, B): the real steps of each column in each piece."""
    begins = np.arange(0, block.n_steps, n_steps)[:, None]
    return np.clip(block.lengths - begins, 0, n_steps)


def states_after(workspaces: list[list[Workspace]], n_steps: int) -> States:
    """Return copies of all cells' states after n_steps steps; after 0, the first ones."""
    return [
        [tuple(array.copy() for array in ws.state_after(n_steps)) for ws in row]
        for row in workspaces
    ]


def start_from(workspaces: list[list[Workspace]], states: States) -> None:
    """Write the states that all cells start from."""
    for row, row_states in zip(workspaces, states, strict=True):
        for ws, state in zip(row, row_states, strict=True):
            ws.start_from(state)


def clear_states(workspaces: list[list[Workspace]]) -> None:
    """Let all cells start from zero, as they do unless told otherwise."""
    for row in workspaces:
        for ws in row:
            ws.clear_state()
