"""Our side of the table `core`: forward and backward of one layer, by private modules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sklearn_rnn._core.gru import GRUCell
from sklearn_rnn._core.lstm import LSTMCell
from sklearn_rnn._core.rnn import RNNCell
from sklearn_rnn._running.cutting import count_parts, suits_threads

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


class CoreStepInParts:
    """The same in the parts that fit cuts a batch into, by two threads where they gain."""

    def __init__(self, cell, n_features, hidden_size, batch, steps, n_parts, has_threads):
        sizes = [len(part) for part in np.array_split(np.empty(batch), n_parts)]
        self.parts = [CoreStep(cell, n_features, hidden_size, size, steps) for size in sizes]
        self.executor = ThreadPoolExecutor(1) if has_threads else None

    def __call__(self):
        if self.executor is None:
            self._run(self.parts)
        else:
            other = self.executor.submit(self._run, self.parts[1::2])
            self._run(self.parts[::2])
            other.result()
        first, *others = self.parts
        for part in others:
            for name, gradient in first.gradients.items():
                gradient += part.gradients[name]

    @staticmethod
    def _run(parts):
        for part in parts:
            part()


def core_step_as_in_fit(cell, n_features, hidden_size, batch, steps):
    """Return what fit does when it has two threads: run the parts of a large batch in both."""
    sizes = cell, n_features, hidden_size, batch, steps
    n_parts = count_parts(hidden_size, batch)
    if n_parts == 1:
        return CoreStep(*sizes)
    return CoreStepInParts(*sizes, n_parts, suits_threads(hidden_size, batch // n_parts))
