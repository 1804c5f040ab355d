"""What a step of one live stream costs, beside a PyTorch module that is called with one step.

python -m tests.benchmarks.step

PyTorch's module is the recurrent layer, a dense layer and softmax, under inference_mode; ours is
`step_proba`, and `step`, which gives the label. Both in turn, one thread, float32, medians.
"""

from __future__ import annotations

import timeit

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from sklearn_rnn import GRUClassifier, LSTMClassifier, RNNClassifier

N_FEATURES, N_CLASSES, CALLS, ROUNDS = 12, 9, 300, 15
PAIRS = [(RNNClassifier, nn.RNN), (LSTMClassifier, nn.LSTM), (GRUClassifier, nn.GRU)]


class OneStep(nn.Module):
    """One step of a recurrent layer, and the probabilities after it."""

    def __init__(self, layer, hidden_size):
        super().__init__()
        self.recurrent = layer(N_FEATURES, hidden_size, batch_first=True)
        self.readout = nn.Linear(hidden_size, N_CLASSES)

    def forward(self, x, state=None):
        h, state = self.recurrent(x, state)
        return torch.softmax(self.readout(h[:, -1]), dim=-1), state


def microseconds(call):
    return timeit.timeit(call, number=CALLS) / CALLS * 1e6


def compare(classifier, layer, hidden_size):
    """Return the median microseconds of torch, step_proba, step, a first step; and the ratio."""
    X = np.random.default_rng(0).normal(size=(36, 9, N_FEATURES)).astype(np.float32)
    ours = classifier(hidden_size, max_iter=1, random_state=0).fit(X, np.arange(36) % N_CLASSES)
    theirs, x, x_torch = OneStep(layer, hidden_size).eval(), X[0, 0], torch.from_numpy(X[:1, :1])
    _, state = ours.step(x)
    _, state_torch = theirs(x_torch)
    calls = [
        lambda: theirs(x_torch, state_torch),
        lambda: ours.step_proba(x, state),
        lambda: ours.step(x, state),
        lambda: ours.step_proba(x),
    ]
    times = np.array([[microseconds(call) for call in calls] for _ in range(ROUNDS)])
    return *np.median(times, axis=0), np.median(times[:, 0] / times[:, 1])


def main():
    torch.set_num_threads(1)
    print("cell  hidden   torch  step_proba    step   first  torch / step_proba")
    with threadpool_limits(1), torch.inference_mode():
        for classifier, layer in PAIRS:
            for hidden_size in (8, 32, 128):
                theirs, proba, step, first, ratio = compare(classifier, layer, hidden_size)
                print(
                    f"{layer.__name__:4} {hidden_size:7} {theirs:7.1f} {proba:11.1f} {step:7.1f} "
                    f"{first:7.1f} {ratio:19.2f}"
                )


if __name__ == "__main__":
    main()
