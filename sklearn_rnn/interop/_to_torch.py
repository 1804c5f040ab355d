"""Convert a fitted estimator to a PyTorch module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_rnn._core.norm import EPSILON
from sklearn_rnn._data.target_units import dtype_of_predictions
from sklearn_rnn._estimators.base import RecurrentEstimator
from sklearn_rnn.interop._description import (
    Answer,
    Arrays,
    Dense,
    Description,
    describe,
    no_counterpart,
    require,
)
from sklearn_rnn.interop._torch_model import (
    classes_answer,
    layered_recurrence,
    recurrent_model,
    targets_answer,
)

if TYPE_CHECKING:
    from torch import nn

CELL_ARRAYS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def to_torch(estimator: RecurrentEstimator) -> nn.Module:
    """Make an nn.Module from a fitted estimator, with the same outputs.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier or regressor of this package.

    Returns
    -------
    module : torch.nn.Module
        In the dtype of the fit, on the CPU, in evaluation mode. Called with sequences, it answers
        as `predict_proba` does, or `predict` of a regressor, in y's units. ``module.scores`` takes
        the same and returns raw outputs (n, O): log-odds of the second of two classes, else one
        score for each class; a regressor's standardised targets, which for Poisson's loss are
        logarithms.

        Sequences are a tensor (n, T, F); the same with lengths (n,) of padded sequences,
        ``module(x, lengths)``; or a PackedSequence, which ``module.read`` makes of any X that the
        estimator takes. With `embedding_size` they are codes (n, T) of integers: the position of
        a token in `vocabulary_`, whose length stands for all others.

        With `return_sequences` there is an answer for each step, in a tensor (n, T, ...), zero in
        the padding, or in a PackedSequence where x is one.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is none of this package.

    See Also
    --------
    from_torch : The way back, and from modules that were trained elsewhere.
    to_onnx : For other runtimes.

    Notes
    -----
    The module consists of nn.RNN, nn.LSTM or nn.GRU, nn.Linear and so on, has no part in the
    estimator's memory, and can be trained further, moved and saved like any other. All layers are
    one stacked module, or, with `layer_norm`, `residual` or `learn_initial_state`, for which
    PyTorch's have no place, one module each. Train it on
    ``scores``, with BCEWithLogitsLoss, CrossEntropyLoss, or, on ``(y - y_mean) / y_scale`` of
    ``module.answer``, whatever the estimator's loss is. In training the row of unknown tokens,
    the last of ``module.embedding``, goes its own way; in an estimator it is the mean of the
    others. Dropout is a matter of training and left out.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import GRUClassifier
    >>> from sklearn_rnn.interop import to_torch
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
    >>> clf = GRUClassifier(4, max_iter=3, random_state=0).fit(X, X[:, -1, 0] > 0)
    >>> import torch  # doctest: +SKIP
    >>> module = to_torch(clf)  # doctest: +SKIP
    >>> probabilities = module(torch.tensor(X)).detach().numpy()  # doctest: +SKIP
    >>> bool(np.abs(probabilities - clf.predict_proba(X)).max() < 1e-12)  # doctest: +SKIP
    True
    """
    require("torch", "torch", "to_torch")
    import torch

    description = describe(estimator)
    with torch.random.fork_rng(devices=[]):  # each part draws initial weights that it never keeps
        module = recurrent_model()(
            embedding=_embedding(description),
            recurrence=_recurrence(description),
            pooling=description.pooling,
            attention=_parameter(description.attention),
            head=_head(description.head),
            answer=_answer(description.answer, description.dtype),
            n_directions=description.n_directions,
            template=description.estimator,
        )
    return module.eval()


def _recurrence(description: Description) -> Any:
    """Return one stacked module, or layers with something between them."""
    names = description.layers[0][0]
    if not description.residual and "norm_weight" not in names and "h_0" not in names:
        return _stacked(description, description.layers)
    from torch import nn

    layers = [_stacked(description, [directions]) for directions in description.layers]
    norms: list[list[Any]] = []
    starts: list[list[Any]] = []
    for directions in description.layers:
        norms.append([_norm(nn, arrays) for arrays in directions if "norm_weight" in arrays])
        states = [name for name in ("h_0", "c_0") if name in names]
        starts.append([_parameter(np.stack([a[name] for a in directions])) for name in states])
    return layered_recurrence()(layers, norms, starts, description.residual)


def _stacked(description: Description, layers: list[list[Arrays]]) -> Any:
    """Return an nn.RNN, nn.LSTM or nn.GRU with the weights of these layers."""
    import torch

    cell = description.cell
    if cell.torch_module is None:
        raise no_counterpart(f"The cell {type(cell).__name__}", "PyTorch")
    module = getattr(torch.nn, cell.torch_module)(
        layers[0][0]["weight_ih"].shape[1],
        description.hidden_size,
        num_layers=len(layers),
        bidirectional=description.n_directions == 2,
        batch_first=True,
        dtype=_torch_dtype(description.dtype),
        **{name: getattr(cell, name) for name in cell.torch_arguments},
    )
    with torch.no_grad():
        for layer, directions in enumerate(layers):
            for arrays, suffix in zip(directions, ("", "_reverse"), strict=False):
                for name in CELL_ARRAYS:
                    parameter = getattr(module, f"{name}_l{layer}{suffix}")
                    parameter.copy_(torch.from_numpy(arrays[name]))
    return module


def _norm(nn: Any, arrays: Arrays) -> Any:
    norm = nn.LayerNorm(len(arrays["norm_weight"]), eps=EPSILON)
    norm.weight, norm.bias = (_parameter(arrays[name]) for name in ("norm_weight", "norm_bias"))
    return norm


def _embedding(description: Description) -> Any:
    """Return an nn.Embedding with a last row for unknown tokens, or None."""
    from torch import nn

    if description.embedding is None:
        return None
    E = description.embedding
    return nn.Embedding(len(E) + 1, E.shape[1], _weight=_tensor(np.vstack([E, E.mean(axis=0)])))


def _head(head: list[Dense]) -> Any:
    """Return dense layers with relu between them; one alone is an nn.Linear."""
    from torch import nn

    parts: list[Any] = []
    for weight, bias in head:
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight, linear.bias = _parameter(weight), _parameter(bias)
        parts += [linear, nn.ReLU()]
    return parts[0] if len(head) == 1 else nn.Sequential(*parts[:-1])


def _answer(answer: Answer, dtype: np.dtype) -> Any:
    if answer.classes is not None:
        return classes_answer()(answer.kind, answer.classes.tolist())
    dtype = dtype_of_predictions(answer.y_mean, answer.y_scale, dtype)
    mean, scale = (_tensor(a.astype(dtype)) for a in (answer.y_mean, answer.y_scale))
    return targets_answer()(mean, scale, answer.n_quantiles, answer.log)


def _parameter(array: np.ndarray | None) -> Any:
    from torch import nn

    return None if array is None else nn.Parameter(_tensor(array))


def _tensor(array: np.ndarray) -> Any:
    """Return a tensor with a copy of the array."""
    import torch

    return torch.tensor(np.ascontiguousarray(array))


def _torch_dtype(dtype: np.dtype) -> Any:
    import torch

    return getattr(torch, dtype.name)
