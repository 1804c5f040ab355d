"""The PyTorch module that `to_torch` returns.

PyTorch may be absent when this file is imported, and with it the base class: each class is made
when it is first asked for. Pickle finds it here by its name, like any other.

Dimension key: n sequences, T steps of the longest, F inputs, H hidden, S directions, K targets,
Q quantiles, O raw outputs, M rows: one a sequence, or one a step.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sklearn_rnn._estimators.fitted import FittedModel


@cache
def recurrent_model() -> Any:
    """Return the class RecurrentModel."""
    from torch import nn
    from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

    class RecurrentModel(nn.Module):
        """Embedding, recurrent layers, pooling, dense layers, and what an answer is made of.

        `forward` takes sequences x and returns answers, `scores` takes the same and returns raw
        outputs, and `read` makes such an x of what the estimator takes. x is a PackedSequence, or
        a tensor (n, T, F), of tokens' codes (n, T), and perhaps lengths (n,).
        """

        def __init__(
            self,
            embedding: Any,
            recurrence: Any,
            pooling: Any,
            attention: Any,
            head: Any,
            answer: Any,
            n_directions: int,
            template: Any,
        ) -> None:
            super().__init__()
            self.embedding = embedding
            self.recurrence = recurrence
            self.attention = attention
            self.head = head
            self.answer = answer
            self.pooling = pooling
            self.n_directions = n_directions
            self.template = template  # the estimator, without its weights

        def read(self, X: Any) -> Any:
            """Return X, in any container that the estimator takes, as a PackedSequence."""
            return pack_container(X, self.template, next(self.parameters()))

        def scores(self, x: Any, lengths: Any = None) -> Any:
            """Return raw outputs (n, O), or with an answer at every step (n, T, O) or packed."""
            return self._run(x, lengths, self.head)

        def forward(self, x: Any, lengths: Any = None) -> Any:
            """Return probabilities or targets: `scores` after the inverse link, in y's units."""
            return self._run(x, lengths, lambda rows: self.answer(self.head(rows)))

        def _run(self, x: Any, lengths: Any, finish: Any) -> Any:
            packed = x if isinstance(x, PackedSequence) else pack(x, lengths)
            if self.embedding is not None:
                packed = packed._replace(data=self.embedding(packed.data))
            states, _ = self.recurrence(packed)
            if self.pooling is not None:
                states, lengths = pad_packed_sequence(states, batch_first=True)
                states = states.unflatten(2, (self.n_directions, -1))
                return finish(pool(self.pooling, states, lengths.to(states.device), self.attention))
            answers = states._replace(data=finish(states.data))
            if isinstance(x, PackedSequence):
                return answers
            return pad_packed_sequence(answers, batch_first=True, total_length=x.shape[1])[0]

    return _at_home(RecurrentModel)


@cache
def layered_recurrence() -> Any:
    """Return the class LayeredRecurrence."""
    import torch
    from torch import nn

    class LayeredRecurrence(nn.Module):
        """Layers one by one, with what nn.LSTM and its like lack between them.

        Takes a PackedSequence and returns the top layer's, and None in the place of states.

        Parameters
        ----------
        layers : list of nn.RNN, nn.LSTM or nn.GRU
            Of one layer each.
        norms : list of lists of nn.LayerNorm
            For each layer those of its directions; empty lists: none.
        starts : list of lists of tensor (S, H)
            For each layer its learned h_0, or h_0 and c_0; empty lists: zeros.
        residual : bool
            Whether layers from the second on add their input.
        """

        layers: Any
        norms: Any
        starts: Any

        def __init__(self, layers: Any, norms: Any, starts: Any, residual: bool) -> None:
            super().__init__()
            self.layers = nn.ModuleList(layers)
            self.norms = nn.ModuleList(nn.ModuleList(of_layer) for of_layer in norms)
            self.starts = nn.ModuleList(nn.ParameterList(of_layer) for of_layer in starts)
            self.residual = residual

        def forward(self, x: Any) -> tuple[Any, None]:
            parts = zip(self.layers, self.norms, self.starts, strict=True)
            for depth, (layer, norms, starts) in enumerate(parts):
                n = int(x.batch_sizes[0])
                start = tuple(state[:, None].repeat(1, n, 1) for state in starts)
                states, _ = layer(x, _as_argument(start))
                rows = states.data + x.data if self.residual and depth else states.data
                if len(norms):
                    directions = rows.chunk(len(norms), dim=1)
                    rows = torch.cat([norm(u) for norm, u in zip(norms, directions)], dim=1)
                x = states._replace(data=rows)
            return x, None

    return _at_home(LayeredRecurrence)


@cache
def classes_answer() -> Any:
    """Return the class ClassProbabilities."""
    import torch
    from torch import nn

    class ClassProbabilities(nn.Module):
        """Make probabilities (M, C) of scores: softmax, or the logistic function.

        "binary" has one score, the log-odds of the second class; "multilabel" one a label.
        """

        def __init__(self, kind: str, classes: list[Any]):
            super().__init__()
            self.kind = kind
            self.classes = classes

        def forward(self, scores: Any) -> Any:
            if self.kind == "binary":
                return torch.cat([(-scores).sigmoid(), scores.sigmoid()], dim=-1)
            return scores.sigmoid() if self.kind == "multilabel" else scores.softmax(dim=-1)

    return _at_home(ClassProbabilities)


@cache
def targets_answer() -> Any:
    """Return the class TargetUnits."""
    from torch import nn

    class TargetUnits(nn.Module):
        """Make targets in their own units of standardised ones (M, K * Q), quantiles ascending.

        (M,), (M, K), (M, Q) or (M, K, Q), as `predict` has them. With `log`, scores are the
        logarithms of the standardised targets.
        """

        y_mean: Any
        y_scale: Any

        def __init__(self, y_mean: Any, y_scale: Any, n_quantiles: int, log: bool):
            super().__init__()
            self.register_buffer("y_mean", y_mean)
            self.register_buffer("y_scale", y_scale)
            self.n_quantiles = n_quantiles
            self.log = log

        def forward(self, scores: Any) -> Any:
            y = scores.to(self.y_scale.dtype)  # of float64 where float32 is too coarse for targets
            y = y.exp() if self.log else y
            y = y.unflatten(-1, (len(self.y_scale), self.n_quantiles))
            y = y * self.y_scale[:, None] + self.y_mean[:, None]
            y = y.sort(dim=-1).values if self.n_quantiles > 1 else y.squeeze(-1)
            return y.squeeze(1) if len(self.y_scale) == 1 else y

    return _at_home(TargetUnits)


_MAKERS = {
    "RecurrentModel": recurrent_model,
    "LayeredRecurrence": layered_recurrence,
    "ClassProbabilities": classes_answer,
    "TargetUnits": targets_answer,
}


def __getattr__(name: str) -> Any:
    if name in _MAKERS:
        return _MAKERS[name]()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _at_home(made: Any) -> Any:
    """Give a class that a function has made the name by which pickle will look for it."""
    made.__qualname__ = made.__name__
    return made


def pack(x: Any, lengths: Any) -> Any:
    """Return x (n, T, ...) as a PackedSequence; without lengths, all of T steps."""
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence

    if lengths is None:
        lengths = torch.full((len(x),), x.shape[1])
    lengths = torch.as_tensor(lengths).cpu()
    return pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)


def pack_container(X: Any, estimator: FittedModel, like: Any) -> Any:
    """Return what an estimator reads in X as a PackedSequence, in the dtype and place of `like`."""
    import torch
    from torch.nn.utils.rnn import pack_sequence

    if estimator._reads_tokens:
        sequences = estimator._encode_tokens(X, reset=False)
        rows = torch.tensor(sequences.values[:, 0], device=like.device)
    else:
        n_timesteps = estimator.n_timesteps_in_
        sequences = estimator._read_numbers(X, n_timesteps=n_timesteps, reset=False)
        rows = torch.tensor(sequences.values).to(like)
    return pack_sequence(rows.split(sequences.lengths.tolist()), enforce_sorted=False)


def pool(pooling: str, states: Any, lengths: Any, attention: Any) -> Any:
    """Return the summary over time (n, S * H) of states (n, T, S, H), zero in the padding.

    "last" is in each direction's own time: for the reverse direction it is the first step.
    """
    import torch

    n, T, S, H = states.shape
    if pooling == "last":
        rows = torch.arange(n, device=states.device)
        ends = [states[rows, lengths - 1, 0], *(states[:, 0, d] for d in range(1, S))]
        return torch.cat(ends, dim=1)
    if pooling == "mean":
        return states.sum(dim=1).flatten(1) / lengths[:, None]
    padding = torch.arange(T, device=states.device) >= lengths[:, None]
    padding = padding[:, :, None, None]
    if pooling == "max":
        return states.masked_fill(padding, -torch.inf).amax(dim=1).flatten(1)
    scores = (states * attention.reshape(S, H)).sum(dim=3, keepdim=True)
    shares = scores.masked_fill(padding, -torch.inf).softmax(dim=1)
    return (shares * states).sum(dim=1).flatten(1)


def _as_argument(start: tuple[Any, ...]) -> Any:
    """Return a state as nn.LSTM (h and c) or its like (h) take it, or None."""
    return start if len(start) == 2 else start[0] if start else None
