"""Predictions for any number of sequences, block by block, in bounded memory.

Dimension key: N sequences, F features, B columns of a block, K rows of the result.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.layout import Parameters
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.state import LayerStates, Origin, RecurrentState
from sklearn_rnn._core.stepper import Stepper
from sklearn_rnn._core.workspace import Array, Workspace
from sklearn_rnn._running.jobs import count_jobs
from sklearn_rnn._running.packing import (
    LITTLE,
    WorkspacePool,
    gather,
    rows_of_steps,
    split_ragged,
    step_numbers,
)
from sklearn_rnn._running.threads import run_in_threads

# The largest number of columns of a block, and of numbers in its inputs and states.
COLUMNS = 512
NUMBERS = 2**22
# Networks with one direction run longer sequences piece by piece, since pooling does not need the
# states of all steps at once.
STEPS = 128


def run_in_blocks(
    network: Network,
    compute: Callable[[Parameters, list[list[Workspace]], Block], Array],
    theta: Array,
    values: Array,
    offsets: Array,
    n_jobs: int | None = 1,
) -> Array:
    """Return the results of `compute` for all blocks, in the order of the sequences.

    The result is (N, K), or (sum of all T_i, K) for networks with an answer at every step.

    Parameters
    ----------
    network : Network
    compute : callable parameters, workspaces, block -> (K, M)
        The network's `raw_prediction` or `pooled_states`.
    theta : ndarray
        Its dtype is the dtype of the computation.
    values, offsets : ndarray (sum of all T_i, F), (N + 1,)
        Packed sequences.
    n_jobs : int or None
        The threads among which the blocks of much data are shared, each with workspaces of its
        own; see `count_jobs`. The result has the same bits for any number.
    """
    parameters = network.layout.bind(theta)
    indices = list(iter_indices(network, np.diff(offsets), values.shape[1]))
    result: list[Array] = []  # allocated when the first answer tells its size
    lock = threading.Lock()

    def allocated(answer: Array) -> Array:
        with lock:
            if not result:
                n_answers = offsets[-1] if network.per_step else len(offsets) - 1
                result.append(np.empty((n_answers, len(answer)), theta.dtype))
            return result[0]

    def run(own: list[Array]) -> None:
        pool = WorkspacePool(network, theta.dtype, training=False, at_most=STEPS)
        with np.errstate(all="ignore"):
            for index in own:
                block = gather(values, offsets, index)
                answer = compute(parameters, pool.get(block.n_steps, block.n_columns), block)
                if network.per_step:
                    real = block.real.ravel()
                    rows = rows_of_steps(offsets, index).ravel()[real]
                    allocated(answer)[rows] = answer[:, real].T
                else:
                    allocated(answer)[index] = answer.T

    is_little = len(indices) == 1 or len(values) * step_numbers(network) <= LITTLE
    n_threads = 1 if is_little else count_jobs(n_jobs)
    if n_threads == 1:
        run(indices)
    else:
        run_in_threads(run, indices, n_threads)
    return result[0]


def run_each_step(stepper: Stepper, values: Array, offsets: Array) -> Array:
    """Return the raw predictions after every step of every sequence, (sum of all T_i, K)."""
    network, theta, pooling = stepper.network, stepper.theta, stepper.pooling
    parameters = network.layout.bind(theta)
    pool = WorkspacePool(network, theta.dtype, training=False)
    result = np.empty((len(values), network.readout.n_outputs), theta.dtype)
    with np.errstate(all="ignore"):
        kept = int(np.diff(offsets).max())
        for index, block in iter_blocks(network, values, offsets, kept):
            T, B = block.n_steps, block.n_columns
            workspaces = pool.get(T, B)
            network.start(parameters, workspaces)
            (h,) = network.forward(parameters, workspaces, block)
            totals = pooling.totals(h, stepper.pooling_weights)
            n_steps = np.arange(1, T + 1)[:, None, None]
            pooled = pooling.summary(totals, n_steps, theta.dtype)
            raw = network.readout.forward(parameters.readout, pooled)
            rows = offsets[index] + np.arange(T)[:, None]
            result[rows[block.real]] = raw.transpose(0, 2, 1)[block.real]
    return result


def run_from_state(
    stepper: Stepper, values: Array, offsets: Array, state: RecurrentState, origin: Origin
) -> tuple[Array, RecurrentState]:
    """Return the raw predictions (M, K) of sequences that continue streams, and the new state.

    Sequences run side by side in pieces of equal lengths: the states of all sequences in a block
    can be read only after its last step, so there must be no padding. Pieces also keep the memory
    bounded, however long the sequences are.
    """
    network, pooling, dtype = stepper.network, stepper.pooling, stepper.theta.dtype
    parameters = network.layout.bind(stepper.theta)
    pool = WorkspacePool(network, dtype, training=False)
    lengths = np.diff(offsets)
    # The new state: each piece overwrites the columns of its sequences.
    layers = tuple(tuple(array.copy() for array in layer) for layer in state._layers)
    total, n_steps = state._total.copy(), state.n_steps + lengths
    raw = np.empty((len(values) if network.per_step else 0, network.readout.n_outputs), dtype)
    with np.errstate(all="ignore"):
        for begin, end, index in _iter_pieces(lengths, step_numbers(network)):
            rows = offsets[index] + np.arange(begin, end)[:, None]
            x = values.take(rows, axis=0).transpose(0, 2, 1)
            block = Block(x, np.full(len(index), end - begin))
            workspaces = pool.get(block.n_steps, block.n_columns)
            _load_states(workspaces, layers, index)
            (h,) = network.forward(parameters, workspaces, block)
            _store_states(workspaces, layers, index, block.n_steps)
            total[:, index] = _add_steps(stepper, total[:, index], h)
            if network.per_step:
                raw[rows] = network.readout.forward(parameters.readout, h).transpose(0, 2, 1)
        if not network.per_step:
            pooled = pooling.summary(total, n_steps, dtype)
            raw = network.readout.forward(parameters.readout, pooled).T
    return raw, RecurrentState(layers, total, n_steps, origin)


def _load_states(workspaces: list[list[Workspace]], layers: LayerStates, index: Array) -> None:
    """Let workspaces of one direction start from the states of the chosen streams."""
    for (ws,), layer in zip(workspaces, layers, strict=True):
        ws.start_from(tuple(array[:, index] for array in layer))


def _store_states(
    workspaces: list[list[Workspace]], layers: LayerStates, index: Array, n_steps: int
) -> None:
    """Write the states after n_steps steps into the columns of the chosen streams."""
    for (ws,), layer in zip(workspaces, layers, strict=True):
        for array, after in zip(layer, ws.state_after(n_steps), strict=True):
            array[:, index] = after


def _add_steps(stepper: Stepper, total: Array, h: Array) -> Array:
    """Return pooling's total after all steps of h (T, H, B)."""
    for h_t in h:
        total = stepper.pooling.add(total, h_t, stepper.pooling_weights)
    return total


def _iter_pieces(lengths: Array, numbers_per_step: int) -> Iterator[tuple[int, int, Array]]:
    """Yield (first step, end, indices) of pieces without padding that cover all sequences."""
    order = np.argsort(-lengths, kind="stable")
    for first in range(0, len(order), COLUMNS):
        columns = order[first : first + COLUMNS]
        longest = max(1, NUMBERS // (len(columns) * numbers_per_step))
        begin = 0
        for end in np.unique(lengths[columns]).tolist():
            index = columns[lengths[columns] >= end]
            for piece in range(begin, end, longest):
                yield piece, min(piece + longest, end), index
            begin = end


def iter_blocks(
    network: Network, values: Array, offsets: Array, kept: int = STEPS
) -> Iterator[tuple[Array, Block]]:
    """Yield (indices, block) until all sequences are covered, longest first.

    `kept` is the largest number of steps whose states are kept at once, if blocks run in pieces.
    """
    for index in iter_indices(network, np.diff(offsets), values.shape[1], kept):
        yield index, gather(values, offsets, index)


def iter_indices(
    network: Network, lengths: Array, n_features: int, kept: int = STEPS
) -> Iterator[Array]:
    """Yield the indices of the sequences in each block of `iter_blocks`."""
    order = np.argsort(-lengths, kind="stable")
    begin = 0
    while begin < len(order):
        longest = int(lengths[order[begin]])
        steps = min(longest, kept) if network.runs_in_pieces else longest
        numbers = longest * n_features + steps * step_numbers(network)
        index = order[begin : begin + max(1, min(COLUMNS, NUMBERS // numbers))]
        # A step also has its row and whether it is real, in `gather`.
        index = index[split_ragged(lengths[index], 2 + numbers // longest)[0]]
        begin += len(index)
        yield index
