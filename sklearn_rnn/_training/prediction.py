"""Forward runs over any number of sequences, block by block, in bounded memory.

Dimension key: N sequences, F features, B columns of a block, K rows of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array, Workspace
from sklearn_rnn._training.batches import WorkspacePool, gather, rows_of_steps

# A block has at most this many columns, and about this many numbers of inputs and states.
COLUMNS = 256
NUMBERS = 2**22
# Longer sequences are run piece by piece, where they have one direction: nobody needs the states
# of all steps at once.
STEPS = 128


def run_in_blocks(
    network: Network,
    compute: Callable[[Array, list[list[Workspace]], Block], Array],
    theta: Array,
    values: Array,
    offsets: Array,
) -> Array:
    """Return compute's (K, M) of every block, put together in the sequences' order.

    That is (N, K), or with answers at every step (sum of all T_i, K).

    Parameters
    ----------
    network : Network
    compute : callable theta, workspaces, block -> (K, M)
        The network's `raw_prediction` or `pooled_states`.
    theta : ndarray
        Its dtype is that of the computation.
    values, offsets : ndarray (sum of all T_i, F), (N + 1,)
        Packed sequences.
    """
    pool = WorkspacePool(network, theta.dtype, training=False, at_most=STEPS)
    result = None
    with np.errstate(all="ignore"):
        for index, block in _iter_blocks(network, values, offsets):
            answer = compute(theta, pool.get(block.n_steps, block.n_columns), block)
            if result is None:
                n_answers = offsets[-1] if network.per_step else len(offsets) - 1
                result = np.empty((n_answers, len(answer)), theta.dtype)
            if network.per_step:
                real = block.real.ravel()
                result[rows_of_steps(offsets, index).ravel()[real]] = answer[:, real].T
            else:
                result[index] = answer.T
    assert result is not None
    return result


def _iter_blocks(network: Network, values: Array, offsets: Array) -> Iterator[tuple[Array, Block]]:
    """Yield (indices, block) until all sequences are covered, longest first."""
    lengths = np.diff(offsets)
    order = np.argsort(-lengths, kind="stable")
    begin = 0
    while begin < len(order):
        numbers = _numbers_of_column(network, int(lengths[order[begin]]))
        index = order[begin : begin + max(1, min(COLUMNS, NUMBERS // numbers))]
        begin += len(index)
        yield index, gather(values, offsets, index)


def _numbers_of_column(network: Network, length: int) -> int:
    """Return how many numbers are kept of a sequence of this length."""
    stack = network.stack
    states = sum(cell.input_size + 4 * cell.hidden_size for cell in stack.layers)
    steps = length if stack.n_directions == 2 else min(length, STEPS)
    return length * stack.layers[0].input_size + steps * stack.n_directions * states
