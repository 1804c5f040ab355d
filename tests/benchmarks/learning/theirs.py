"""Their side: a PyTorch model with the settings of one of our estimators, and their methods.

Dimension key: n sequences, T time steps, F features, K outputs, M answers: one a sequence, or one
a step.
"""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import torch
from sklearn.base import is_classifier
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

CELLS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
PREDICTED_AT_ONCE = 500
# Where 4 of 88 keys sound: what jsb_chorales' PyTorch figures in the literature start from.
BIAS_OF_KEYS = -3.0


class Net(nn.Module):
    """A recurrent layer, and a dense layer on its last state or on all of them."""

    def __init__(self, settings, n_features, n_outputs):
        super().__init__()
        both = settings.bidirectional
        self.recurrent = CELLS[settings.cell](
            n_features, settings.hidden_size, batch_first=True, bidirectional=both
        )
        self.readout = nn.Linear(settings.hidden_size * (1 + both), n_outputs)
        self.per_step = settings.return_sequences

    def forward(self, x, lengths):
        """Return raw predictions (M, K) of padded sequences (n, T, F)."""
        longest = int(lengths.max())
        if bool((lengths == longest).all()):
            states, last = self.recurrent(x[:, :longest])
        else:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            states, last = self.recurrent(packed)
            states, _ = pad_packed_sequence(states, batch_first=True)
        if self.per_step:
            return self.readout(states[real_steps(lengths)])
        last = last[0] if isinstance(last, tuple) else last
        return self.readout(torch.cat(tuple(last), dim=1))


def real_steps(lengths):
    """Return which of the padded steps (n, T) are real."""
    return torch.arange(int(lengths.max())) < lengths[:, None]


class TorchModel:
    """A plain PyTorch training loop behind fit, which goes on where it stopped, and predict.

    Parameters
    ----------
    estimator : estimator
        Ours, unfitted: its parameters are the settings.
    seed : int
    init : {"pytorch", "ours"}
        Whose initial weights.
    """

    def __init__(self, estimator, seed, init="pytorch"):
        cell = type(estimator).__name__.removesuffix("Classifier").removesuffix("Regressor")
        self.settings = SimpleNamespace(cell=cell, **estimator.get_params())
        self.classifies = is_classifier(estimator)
        self.init = init
        self.net = None
        torch.manual_seed(seed)

    # ---- training ----

    def fit(self, X, y, X_val=None, y_val=None):
        """Train; with validation data, keep the weights of the epoch whose loss is best."""
        data = self._read(X, y)
        held_out = None if X_val is None else self._read(X_val, y_val)
        best, kept = np.inf, None
        for _ in range(self.settings.max_iter):
            self._run_epoch(*data)
            if held_out is not None and (loss := self._loss_of(*held_out)) < best:
                best, kept = loss, copy.deepcopy(self.net.state_dict())
        if kept is not None:
            self.net.load_state_dict(kept)
        return self

    def _read(self, X, y):
        """Return padded sequences, lengths and targets; at the first data, set up all else."""
        x, lengths = _pad(X)
        if self.net is None:
            self._begin(x, y)
        return x, lengths, self._encode(y)

    def _begin(self, x, y):
        flat = self._flat(y)
        self.kind = "numbers"
        n_outputs = int(np.prod(flat.shape[1:]))
        if self.classifies:
            self.kind = "labels" if flat.ndim == 1 else "multilabel"
        if self.kind == "labels":
            self.classes = np.unique(flat)
            n_outputs = len(self.classes)
        elif self.kind == "numbers":
            self.mean, self.scale = flat.mean(axis=0), flat.std(axis=0)
        self.net = Net(self.settings, x.shape[2], n_outputs)
        initialize(self.net, self.settings, self.init, longest=x.shape[1])
        if self.kind == "multilabel":
            nn.init.constant_(self.net.readout.bias, BIAS_OF_KEYS)
        self.optimizer = torch.optim.Adam(
            self.net.parameters(), lr=self.settings.learning_rate_init, fused=True
        )

    def _flat(self, y):
        """Return targets (M, ...)."""
        return np.concatenate(list(y)) if self.settings.return_sequences else np.asarray(y)

    def _encode(self, y):
        """Return targets as a tensor (n, ...), or padded (n, T, ...)."""
        flat = self._flat(y)
        if self.kind == "labels":
            targets = torch.from_numpy(np.searchsorted(self.classes, flat))
        elif self.kind == "multilabel":
            targets = torch.from_numpy(flat.astype(np.float32))
        else:
            scaled = (flat - self.mean) / self.scale
            targets = torch.from_numpy(scaled.astype(np.float32).reshape(len(flat), -1))
        if not self.settings.return_sequences:
            return targets
        return pad_sequence(targets.split([len(part) for part in y]), batch_first=True)

    def _run_epoch(self, x, lengths, y):
        for index in torch.randperm(len(x)).split(self.settings.batch_size):
            loss = self._loss(x[index], lengths[index], y[index])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.net.parameters(), self.settings.max_grad_norm)
            self.optimizer.step()

    def _loss(self, x, lengths, y):
        """Return the mean over all answers of the loss, which is summed over outputs."""
        raw = self.net(x, lengths)
        if self.settings.return_sequences:
            y = y[:, : int(lengths.max())][real_steps(lengths)]
        if self.kind == "labels":
            return functional.cross_entropy(raw, y)
        if self.kind == "multilabel":
            return functional.binary_cross_entropy_with_logits(raw, y, reduction="sum") / len(y)
        return functional.mse_loss(raw, y, reduction="sum") / (2 * len(y))

    @torch.inference_mode()
    def _loss_of(self, x, lengths, y):
        return float(self._loss(x, lengths, y))

    # ---- prediction ----

    def predict(self, X):
        """Return labels or numbers: an array, or a list of them with a target a step."""
        return self._answers(X, self._finish)

    def predict_proba(self, X):
        """Return the probability of each of several labels."""
        return self._answers(X, lambda raw: raw.sigmoid().numpy())

    def _finish(self, raw):
        if self.kind == "labels":
            return self.classes[raw.argmax(dim=1).numpy()]
        values = raw.numpy() * self.scale + self.mean
        return values if np.ndim(self.mean) else values[:, 0]

    @torch.inference_mode()
    def _answers(self, X, finish):
        x, lengths = _pad(X)
        blocks = zip(x.split(PREDICTED_AT_ONCE), lengths.split(PREDICTED_AT_ONCE), strict=True)
        answers = np.concatenate([finish(self.net(*block)) for block in blocks])
        if not self.settings.return_sequences:
            return answers
        return np.split(answers, np.cumsum(lengths.numpy())[:-1])


def _pad(X):
    """Return padded sequences (n, T, F), float32, and their lengths (n,)."""
    if isinstance(X, np.ndarray):
        x = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32))
        x = x[:, :, None] if x.ndim == 2 else x
        return x, torch.full((len(x),), x.shape[1])
    parts = [torch.from_numpy(np.array(x, dtype=np.float32)) for x in X]
    return pad_sequence(parts, batch_first=True), torch.tensor([len(part) for part in parts])


# ---- initial weights ----


def initialize(net, settings, whose, longest):
    """Set initial weights: the gates' biases by the settings, all else theirs or a draw of ours."""
    recurrent = dict(net.recurrent.named_parameters())
    if whose == "ours":
        for name, parameter in recurrent.items():
            _draw_as_ours(name, parameter.data, settings.hidden_size)
        nn.init.xavier_uniform_(net.readout.weight)
        nn.init.zeros_(net.readout.bias)
    # There are two biases a gate, which are added up; the gates are i, f, g, o and r, z, n.
    rows = slice(settings.hidden_size, 2 * settings.hidden_size)
    for name, parameter in recurrent.items():
        if name.startswith("bias_ih") and settings.cell != "RNN":
            other = recurrent[name.replace("bias_ih", "bias_hh")].data
            if settings.init == "chrono":
                _set_chrono(parameter.data, other, settings, rows, longest)
            elif settings.cell == "LSTM":
                parameter.data[rows], other[rows] = settings.forget_bias, 0.0


def _set_chrono(bias, other, settings, rows, longest):
    """Let units forget after times of all lengths (Tallec and Ollivier 2018)."""
    kept = torch.empty(settings.hidden_size).uniform_(1, longest - 1).log_()
    bias[rows], other[rows] = kept, 0.0
    if settings.cell == "LSTM":
        bias[: rows.start], other[: rows.start] = -kept, 0.0


def _draw_as_ours(name, values, hidden_size):
    if name.startswith("bias"):
        values.zero_()
        return
    draw = nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_
    for gate in values.split(hidden_size):
        draw(gate)
