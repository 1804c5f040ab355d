"""Workspaces: the buffers of the time loops, allocated once for blocks of one shape.

Dimension key: B columns (sequences of a block), T steps, F inputs, H hidden, G gate rows,
R = H + 1 + F rows of the stacked input Z.

The numbers of a step are stored as (rows, B), so that the rows of a gate are contiguous in memory:
one NumPy call runs over a gate, or over several adjacent gates, as one flat loop. The views of each
step are made once, with the buffers, so that the time loops neither slice nor allocate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array = NDArray[Any]

# Local derivatives and weight gradients are computed for a chunk of steps at once. A chunk has at
# most this many columns (steps x sequences): enough for one efficient product, few enough to stay
# in cache, and for up to 16 units also few enough for SMALL_PRODUCT, whose kernel takes 24 us for
# 1,000 columns there instead of 45. It also has at most this many numbers of h, which bounds its
# memory.
COLUMNS_PER_CHUNK = 768
NUMBERS_PER_CHUNK = 2**15

# Products of no more multiplications than this have a kernel of their own in OpenBLAS, which does
# not copy its operands first.
SMALL_PRODUCT = 10**6
# Up to this many units, two products give the gradient of W sooner than one: see `add_product`.
UNITS_OF_TWO_PRODUCTS = 48
# The bytes of a line of the cache, and of the longest vectors that NumPy computes with.
LINE = 64


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return zeros that begin where a line of the cache does.

    NumPy's own arrays begin 16 bytes later, so that each vector lies in two lines: a forward step
    takes 2 % longer.
    """
    n_bytes = prod(shape) * np.dtype(dtype).itemsize
    memory = np.zeros(n_bytes + LINE, np.uint8)
    begin = -memory.ctypes.data % LINE
    return memory[begin : begin + n_bytes].view(dtype).reshape(shape)


@contextmanager
def without_copies() -> Iterator[None]:
    """Let NumPy compute with the blocks of a chunk where they lie in memory.

    By default it first copies blocks of less than 4,096 numbers, to fill its buffers of 8,192.
    With that, local derivatives take 1.9 times as long at 16 x 32, and 2.4 times at 32 x 32.
    """
    default = np.setbufsize(256)
    try:
        yield
    finally:
        np.setbufsize(default)


def step_buffer(n_steps: int, rows: int, n_columns: int, dtype: Any, keep: bool = True) -> Array:
    """Return zeros (n_steps, rows, B); without `keep`, all steps share the memory of one."""
    if keep:
        return aligned_zeros((n_steps, rows, n_columns), dtype)
    one = aligned_zeros((rows, n_columns), dtype)
    return as_strided(one, (n_steps, *one.shape), (0, *one.strides))


class Workspace:
    """The buffers that every cell needs to run forward and backward over a block.

    A workspace for T steps can also run every block of B columns with fewer steps. It belongs to
    one call of fit or predict and to one thread, and is never an attribute of an estimator.

    Parameters
    ----------
    hidden_size, input_size : int
        H and F.
    n_steps, n_columns : int
        The largest T, and B.
    dtype : dtype
        The dtype of all buffers.
    training : bool
        Whether `backward` will follow. Without it, the gates of earlier steps are not kept.
    input_gradient : bool
        Whether `backward` also gives the gradient with respect to x.
    masks_states : bool
        Whether the recurrent product reads mask h_{t-1} instead of h_{t-1} (variational dropout).

    Attributes
    ----------
    Z : ndarray (T + 1, R, B)
        The stacked input [h_{t-1}; 1; x_t] of each step; with a mask, [mask h_{t-1}; 1; x_t].
    h0 : ndarray (H, B)
        The state before the first step; zeros by default.
    h_prev, h, x : ndarray (T, H, B), (T, H, B), (T, F, B)
        The states before and after each step, and the inputs. All are views of Z; with a mask, only
        the inputs are.
    mask : ndarray (H, B)
        With `masks_states`, the factors of h_{t-1} in the recurrent product. The caller of forward
        writes them.
    out : ndarray (T, H, B)
        The outputs of the layer: h itself, or a buffer of its own (see `keep_outputs`).
    dh : ndarray (T, H, B)
        The errors that enter at each step from above. The caller of backward writes them.
    dZ : ndarray (T, R or H, B)
        The errors with respect to Z: dL/dh_{t-1}, and with `input_gradient` also dL/dx_t. Without
        `input_gradient`, all steps share one buffer.
    """

    def __init__(
        self,
        hidden_size: int,
        input_size: int,
        n_steps: int,
        n_columns: int,
        dtype: Any,
        *,
        training: bool,
        input_gradient: bool,
        masks_states: bool = False,
    ) -> None:
        H, R, T, B = hidden_size, hidden_size + 1 + input_size, n_steps, n_columns
        self.hidden_size, self.n_steps, self.n_columns, self.dtype = H, T, B, np.dtype(dtype)
        self.one = np.array(1.0, dtype)
        self.half = np.array(0.5, dtype)
        self.Z = step_buffer(T + 1, R, B, dtype)
        self.Z[:, H] = 1
        self.x = self.Z[:-1, H + 1 :]
        self.masks_states = masks_states
        self.mask = np.ones((H, B) if masks_states else 0, dtype)
        states = step_buffer(T + 1, H, B, dtype) if masks_states else self.Z[:, :H]
        self.h0, self.h_prev, self.h = states[0], states[:-1], states[1:]
        self.out = self.h
        self.Z_steps, self.h_steps = list(self.Z), list(states)
        self._recurrent_inputs = list(self.Z[:, :H]) if masks_states else []
        self.learned_start = False
        self.chunk = max(1, min(T, COLUMNS_PER_CHUNK // B, NUMBERS_PER_CHUNK // (H * B)))
        self.input_gradient = input_gradient
        if training:
            self.dh = step_buffer(T, H, B, dtype)
            self.dh_steps = list(self.dh)
            self.dZ = step_buffer(T, R if input_gradient else H, B, dtype, keep=input_gradient)
            self.dx = self.dZ[:, H + 1 :]
            self.dZ_steps = list(self.dZ)
            self.dh_prev_steps = list(self.dZ[:, :H])
            self.dh_last = np.zeros((H, B), dtype)
            self._transposed = [np.empty(0, dtype), np.empty(0, dtype)]

    def keep_outputs(self, *, normalized: bool) -> None:
        """Give `out` a buffer of its own, and backward the buffers of layer normalization."""
        T, H, B = self.h.shape
        self.out = step_buffer(T, H, B, self.dtype)
        self.keeps_history = normalized
        if normalized:
            self.normalized = step_buffer(T, H, B, self.dtype)
            self.inverse_deviation = step_buffer(T, 1, B, self.dtype)

    def apply_mask(self, t: int) -> None:
        """Write mask h_{t-1}, which the recurrent product of step t reads."""
        np.multiply(self.h_steps[t], self.mask, self._recurrent_inputs[t])

    def start_from(self, state: tuple[Array, ...], *, learned: bool = False) -> None:
        """Write the state before the first step; an array (H, 1) holds for all columns.

        `learned` says that the state is a parameter, whose gradient backward must give.
        """
        np.copyto(self.h0, state[0])
        self.learned_start = learned

    def state_after(self, n_steps: int) -> tuple[Array, ...]:
        """Return views of the state after n_steps steps of forward; of the first state after 0."""
        return (self.h_steps[n_steps],)

    def state_errors(self) -> tuple[Array, ...]:
        """Return views of dL/dh_0, after backward."""
        return (self.dh_prev_steps[0],)

    def clear_state(self) -> None:
        """Let the first step start from zero."""
        self.h0[...] = 0
        self.learned_start = False

    def chunks(self, n_steps: int) -> list[tuple[int, int]]:
        """Return the (first, end) steps of each chunk, last chunk first, of even lengths."""
        length = ceil(n_steps / ceil(n_steps / self.chunk))
        return [(max(0, end - length), end) for end in range(n_steps, 0, -length)]

    def transposed(self, W: Array) -> Array:
        """Return a copy in C order of W.T, of those rows that ws.dZ holds.

        The copy is made once in each block. It makes the product of each step up to 1.4 times
        faster than a view would.
        """
        return W.T[: self.dZ.shape[1]].copy()

    def add_product(self, D: Array, Z: Array, dW: Array) -> None:
        """Add the sum over steps of D[t] @ Z[t].T to dW, as one or two large products.

        Reads D (n, G, B) and Z (n, R, B); writes dW (G, R). Both are first copied to arrays
        (rows, n * B): one product over n * B columns is faster than n small products.
        """
        H, D, Z = self.hidden_size, self._gather(0, D), self._gather(1, Z)
        few = SMALL_PRODUCT // D.size  # so many rows of Z make a small product
        if H <= UNITS_OF_TWO_PRODUCTS and len(Z) - H <= few < len(Z):
            # H rows fill the kernel of OpenBLAS, which takes 16 at once, and R rows seldom do: 123
            # us for 1,000 columns at 32 units and 5 other rows, instead of 147.
            dW[:, :H] += D.dot(Z[:H].T)
            dW[:, H:] += D.dot(Z[H:].T)
        else:
            dW += D.dot(Z.T)

    def _gather(self, slot: int, A: Array) -> Array:
        n, rows, B = A.shape
        if self._transposed[slot].size < A.size:
            self._transposed[slot] = np.empty(self.chunk * rows * B, self.dtype)
        gathered = self._transposed[slot][: A.size].reshape(rows, n, B)
        np.copyto(gathered, A.transpose(1, 0, 2))
        return gathered.reshape(rows, n * B)
