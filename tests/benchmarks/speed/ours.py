"""Our side of the table `core`: forward and backward of one layer, by private modules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sklearn_rnn._core.gru import GRUCell
from sklearn_rnn._core.lstm import LSTMCell
from sklearn_rnn._core.rnn import RNNCell
from sklearn_rnn._training.gradients import LARGE_BATCH

KERNELS = {"LSTM": LSTMCell, "GRU": GRUCell, "RNN": RNNCell}


class CoreStep:
    """A call runs forward and backward through one layer, and leaves the gradients."""

    def __init__(self, cell, n_features, hidden_size, batch, steps):
        rng = np.random.default_rng(0)
        self.kernel, self.steps = KERNELS[cell](n_features, hidden_size), steps
        shapes = self.kernel.parameter_shapes
        self.parameters = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self.kernel.initialize(self.parameters, rng, steps)
        self.gradients = {name: np.empty_like(a) for name, a in self.parameters.items()}
        self.ws = self.kernel.make_workspace(
            steps, batch, np.float32, training=True, input_gradient=False
        )
        self.ws.x[...] = rng.normal(size=self.ws.x.shape)
        self.error = rng.normal(size=(hidden_size, batch)).astype(np.float32)

    def __call__(self):
        last = self.steps - 1
        self.kernel.forward(self.parameters, self.ws, self.steps)
        self.ws.dh[last] = self.error
        self.kernel.backward(self.parameters, self.ws, self.steps, last, self.gradients)


class HalvedCoreStep:
    """The same, each half of the batch in a thread of its own."""

    def __init__(self, cell, n_features, hidden_size, batch, steps):
        halves = (batch - batch // 2, batch // 2)
        self.halves = [CoreStep(cell, n_features, hidden_size, half, steps) for half in halves]
        self.executor = ThreadPoolExecutor(1)

    def __call__(self):
        first, second = self.halves
        other = self.executor.submit(second)
        first()
        other.result()
        for name, gradient in first.gradients.items():
            gradient += second.gradients[name]


def core_step_as_in_fit(cell, n_features, hidden_size, batch, steps):
    """Return what fit does when it has two threads: halve the batch if it is large."""
    large = hidden_size**2 * batch >= LARGE_BATCH
    return (HalvedCoreStep if large else CoreStep)(cell, n_features, hidden_size, batch, steps)
