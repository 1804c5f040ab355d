"""Their side: the same models in PyTorch and skorch."""

from __future__ import annotations

import numpy as np
import torch
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from tests.benchmarks.speed.models import N_CLASSES

CELLS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


class LastState(nn.Module):
    """A recurrent layer and a dense layer on its last state."""

    def __init__(self, cell, n_features, hidden_size, n_classes):
        super().__init__()
        self.recurrent = CELLS[cell](n_features, hidden_size, batch_first=True)
        self.readout = nn.Linear(hidden_size, n_classes)

    def forward(self, x, lengths=None):
        if lengths is not None:
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, state = self.recurrent(x)
        state = state[0] if isinstance(state, tuple) else state
        return self.readout(state[-1])


def core_step(cell, n_features, hidden_size, batch, steps):
    """Return a function that runs forward and backward through one layer."""
    layer = CELLS[cell](n_features, hidden_size)
    x, error = torch.randn(steps, batch, n_features), torch.randn(batch, hidden_size)

    def run():
        layer.zero_grad(set_to_none=True)
        states, _ = layer(x)
        states[-1].backward(error)

    return run


def make_loop(cell, X, y, hidden_size, batch, epochs):
    """Return a function that trains a new model by a plain loop with fused Adam.

    X is an array (n, T, F), or a list of sequences, which are packed batch by batch.
    """
    lengths = None if isinstance(X, np.ndarray) else torch.tensor([len(x) for x in X])
    x = nn.utils.rnn.pad_sequence([torch.tensor(x) for x in X], batch_first=True)
    target = torch.from_numpy(y)

    def run():
        model = LastState(cell, x.shape[2], hidden_size, int(y.max()) + 1)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
        for _ in range(epochs):
            order = torch.randperm(len(x))
            for begin in range(0, len(x), batch):
                index = order[begin : begin + batch]
                if lengths is None:
                    raw = model(x[index])
                else:
                    raw = model(x[index, : int(lengths[index].max())], lengths[index])
                optimizer.zero_grad(set_to_none=True)
                nn.functional.cross_entropy(raw, target[index]).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                optimizer.step()

    return run


def make_skorch(cell, n_features, hidden_size, batch, epochs):
    """Return an unfitted skorch classifier of the same model."""
    return NeuralNetClassifier(
        LastState,
        module__cell=cell,
        module__n_features=n_features,
        module__hidden_size=hidden_size,
        module__n_classes=N_CLASSES,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.01,
        max_epochs=epochs,
        batch_size=batch,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def make_predict(cell, X, hidden_size):
    """Return a function that gives the probabilities of a batch."""
    model, x = LastState(cell, X.shape[2], hidden_size, N_CLASSES).eval(), torch.from_numpy(X)

    @torch.inference_mode()
    def run():
        return model(x).softmax(1).numpy()

    return run


def make_step(cell, n_features, hidden_size):
    """Return a function that takes one stream a step on, and gives the probabilities."""
    model = LastState(cell, n_features, hidden_size, N_CLASSES).eval()
    x = torch.randn(1, 1, n_features)
    state = None

    @torch.inference_mode()
    def run():
        nonlocal state
        states, state = model.recurrent(x, state)
        return model.readout(states[:, -1]).softmax(1).numpy()

    return run
