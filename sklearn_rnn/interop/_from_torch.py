"""Convert PyTorch modules to fitted estimators.

Dimension key: F inputs, H hidden, S directions, K targets or classes, Q quantiles, O rows of the
readout, V tokens, D numbers of a token's vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.utils import column_or_1d

from sklearn_rnn._core.losses import LOSSES
from sklearn_rnn._data.targets import check_classes
from sklearn_rnn._estimators.base import RecurrentEstimator
from sklearn_rnn._training.history import to_arrays
from sklearn_rnn._typing import ArrayOrList
from sklearn_rnn.interop._description import Arrays, Dense, require
from sklearn_rnn.interop._torch_model import recurrent_model
from sklearn_rnn.interop._torch_parts import (
    dense_layers,
    embedding_vectors,
    model_weights,
    pair_of,
    recurrent_weights,
    split_parts,
)

if TYPE_CHECKING:
    from torch import nn


def from_torch(
    module: nn.Module | list[nn.Module],
    readout: nn.Module | None = None,
    *,
    classes: ArrayOrList | None = None,
    multilabel: bool = False,
    pooling: Literal["last", "mean", "max"] = "last",
    return_sequences: bool = False,
    loss: str | None = None,
    quantiles: float | ArrayOrList | None = None,
    y_mean: float | ArrayOrList | None = None,
    y_scale: float | ArrayOrList | None = None,
    embedding: nn.Embedding | None = None,
    vocabulary: ArrayOrList | None = None,
    n_timesteps: int | None = None,
) -> Any:
    """Make a fitted estimator from modules that were trained with PyTorch.

    Parameters
    ----------
    module : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
        The recurrent layers, ``batch_first`` or not. Or a torch.nn.Sequential or list of an
        nn.Embedding (perhaps), one of these and what `readout` may be. Or what `to_torch` has
        returned, which needs no other argument.
    readout : torch.nn.Linear or torch.nn.Sequential, default=None
        What makes raw outputs of the states: an nn.Linear, or several with nn.ReLU between them.
    classes : array-like of shape (n_classes,), default=None
        The labels, in the order of the readout's outputs: makes a classifier. Of two classes the
        readout may have one output, the log-odds of the second, or two. None makes a regressor.
    multilabel : bool, default=False
        Whether each output is the log-odds of a label of its own. `classes` may then be missing.
    pooling : {"last", "mean", "max"}, default="last"
        What the readout sees of the states over time. "last" of the reverse direction is its state
        at the first step, as in PyTorch's ``h_n``; ``output[:, -1]`` is not.
    return_sequences : bool, default=False
        Whether the readout answers at every step.
    loss : str, default=None
        A regressor's loss; None: its default. With "poisson" raw outputs are logarithms.
    quantiles : float or array-like of shape (n_quantiles,), default=None
        With ``loss="quantile"``: what the outputs are; those of a target next to each other.
    y_mean, y_scale : float or array-like of shape (n_targets,), default=None
        What targets were standardised by in training: a prediction is output * y_scale + y_mean.
        None: 0 and 1.
    embedding : torch.nn.Embedding, default=None
        Between tokens and the recurrent layers.
    vocabulary : array-like of shape (n_tokens,), default=None
        With an embedding: the token, an integer or a string, of each of its rows. All other tokens
        read as the mean of the rows.
    n_timesteps : int, default=None
        Makes an estimator of rows: a 2-D X holds so many steps in each.

    Returns
    -------
    estimator : estimator
        As if it had been fitted: it predicts, transforms, steps and is pickled; `partial_fit` goes
        on from these weights. Its `history_` is empty and `n_iter_` 0. Its outputs are the modules'
        in evaluation mode; its dtype is theirs.

    Raises
    ------
    ValueError, TypeError
        If no estimator can do what the modules do, with the reason.
    ImportError
        If PyTorch is not installed.

    See Also
    --------
    to_torch : The way back.

    Notes
    -----
    PyTorch has two biases for each gate and adds them up, and so does this; only the GRU's
    candidate keeps both. Two outputs for two classes become one, their difference. Dropout acts in
    training alone and is not looked at. A module of your own is code that nobody can read: give its
    parts, ``from_torch(net.lstm, net.linear)``.

    Examples
    --------
    >>> import torch  # doctest: +SKIP
    >>> from sklearn_rnn.interop import from_torch
    >>> lstm = torch.nn.LSTM(3, 8, batch_first=True)  # doctest: +SKIP
    >>> linear = torch.nn.Linear(8, 2)  # doctest: +SKIP
    >>> clf = from_torch(lstm, linear, classes=["no", "yes"])  # doctest: +SKIP
    >>> clf.predict_proba(torch.zeros(5, 7, 3)).shape  # doctest: +SKIP
    (5, 2)
    """
    require("torch", "torch", "from_torch")
    if isinstance(module, recurrent_model()):
        return _with_weights(module)
    embedding, module, readout = split_parts(module, readout, embedding)
    weights, params = recurrent_weights(module)
    params |= dict(pooling=pooling, return_sequences=return_sequences, n_timesteps=n_timesteps)
    head = dense_layers(readout)
    if len(head) > 1:
        params["head_sizes"] = tuple(len(bias) for _, bias in head[:-1])
    facts: dict[str, Any] = {}
    if embedding is not None or vocabulary is not None:
        weights["weight_embedding"], facts["vocabulary_"] = _sorted_tokens(embedding, vocabulary)
        params["embedding_size"] = weights["weight_embedding"].shape[1]
    classifier, regressor = pair_of(module)
    if classes is not None or multilabel:
        _refuse_with_classes(loss=loss, quantiles=quantiles, y_mean=y_mean, y_scale=y_scale)
        head[-1], labels = _class_scores(head[-1], classes, multilabel)
        estimator, facts = classifier(**params), facts | labels
    else:
        given = {"loss": loss, "quantiles": quantiles}
        params |= {name: value for name, value in given.items() if value is not None}
        estimator = regressor(**params)
        facts |= _target_facts(estimator, len(head[-1][1]), y_mean, y_scale)
    return _assemble(estimator, weights | _head_weights(head), facts)


def _with_weights(model: Any) -> Any:
    """Return the estimator that a model of to_torch came from, with the model's weights."""
    estimator = model.template._copy()
    theta = estimator._make_network().layout.flat(model_weights(model))
    estimator._theta_ = _checked(theta)
    return estimator


def _assemble(estimator: RecurrentEstimator, weights: Arrays, facts: dict[str, Any]) -> Any:
    """Set all that fit would have set."""
    estimator._check_parameters()
    _check_sizes(weights, estimator.bidirectional)
    n_features = 1 if "vocabulary_" in facts else weights["weight_ih_l0"].shape[1]
    n_steps = estimator.n_timesteps
    facts |= {
        "n_outputs_": len(weights["weight_out"]),
        "n_features_in_": n_features if n_steps is None else n_features * n_steps,
        "n_timesteps_in_": n_steps,
        "_input_kind_": "sequences" if n_steps is None else "flat",
        "n_iter_": 0,
        "t_": 0,
        "history_": to_arrays([]),
        "stop_reason_": "from_torch",
        "loss_": np.nan,
        "best_loss_": None,
        "best_validation_score_": None,
    }
    estimator.__dict__.update(facts)
    n_targets = len(facts.get("_y_mean_", weights["weight_out"]))
    estimator._architecture_ = estimator._describe_architecture(n_features, n_targets)
    estimator.out_activation_ = estimator._loss().out_activation
    estimator._theta_ = _checked(estimator._make_network().layout.flat(weights))
    return estimator


def _check_sizes(weights: Arrays, bidirectional: bool) -> None:
    """Raise unless the modules fit together."""
    n_inputs, states = weights["weight_ih_l0"].shape[1], weights["weight_hh_l0"].shape[1]
    E = weights.get("weight_embedding")
    if E is not None and E.shape[1] != n_inputs:
        raise ValueError(
            f"the embedding has vectors of {E.shape[1]} numbers, but the recurrent layers have "
            f"{n_inputs} inputs."
        )
    directions, expected = ("two directions", 2 * states) if bidirectional else ("states", states)
    given = weights.get("weight_head_0", weights["weight_out"]).shape[1]
    if given != expected:
        raise ValueError(
            f"readout has {given} inputs, but the {directions} of the top layer are {expected} "
            "numbers."
        )
    if len({weight.dtype for weight in weights.values()}) > 1:
        raise TypeError("the modules differ in dtype: make them all float32 or all float64.")


def _checked(theta: np.ndarray) -> np.ndarray:
    if not np.isfinite(theta).all():
        raise ValueError("the module has weights that are NaN or infinite.")
    return theta


def _head_weights(head: list[Dense]) -> Arrays:
    names = [*(f"head_{k}" for k in range(len(head) - 1)), "out"]
    return {
        f"{what}_{name}": array
        for name, dense in zip(names, head, strict=True)
        for what, array in zip(("weight", "bias"), dense, strict=True)
    }


# --- What the outputs mean ------------------------------------------------------------------------


def _class_scores(readout: Dense, classes: Any, multilabel: bool) -> tuple[Dense, dict[str, Any]]:
    """Return the readout of the sorted classes, one output for two of them, and what is fitted."""
    W, b = readout
    classes = np.arange(len(b)) if classes is None else column_or_1d(np.asarray(classes))
    C = len(classes)
    if len(check_classes(classes)) < C or (C < 2 and not multilabel):
        raise ValueError(f"classes must be at least two different labels, got {classes.tolist()}.")
    if len(b) != C and not (C == 2 and len(b) == 1 and not multilabel):
        raise ValueError(
            f"readout has {len(b)} outputs, but classes are {C}: expected one for each"
            f"{', or one alone' if C == 2 and not multilabel else ''}."
        )
    kind = "multilabel" if multilabel else "binary" if C == 2 else "multiclass"
    if kind == "multilabel":
        return (W, b), {"classes_": classes, "_target_kind_": kind}
    order = np.argsort(classes)
    if kind == "binary" and len(b) == 1:
        W, b = np.vstack([0 * W, W]), np.append(0 * b, b)
    W, b = W[order], b[order]
    if kind == "binary":
        W, b = W[1:] - W[:1], b[1:] - b[:1]
    return (W, b), {"classes_": classes[order], "_target_kind_": kind}


def _target_facts(
    estimator: RecurrentEstimator, n_outputs: int, y_mean: Any, y_scale: Any
) -> dict[str, Any]:
    """Return what a regressor's fit sets about the unit of y."""
    n_quantiles = estimator._chosen_loss().n_outputs
    if n_outputs % n_quantiles:
        raise ValueError(
            f"readout has {n_outputs} outputs, no multiple of the {n_quantiles} quantiles."
        )
    units = []
    for name, value, default in (("y_mean", y_mean, 0), ("y_scale", y_scale, 1)):
        unit = np.asarray(default if value is None else value, float)
        if unit.ndim > 1 or unit.size not in (1, n_outputs // n_quantiles):
            raise ValueError(
                f"{name} has shape {unit.shape}: expected a number, or one for each of "
                f"{n_outputs // n_quantiles} targets."
            )
        units.append(np.resize(unit, n_outputs // n_quantiles))
    mean, scale = units
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError("y_mean must be finite, and y_scale above zero.")
    if LOSSES[estimator.loss].out_activation == "exp" and mean.any():
        raise ValueError(
            f"with loss={estimator.loss!r}, predictions are exp(output) * y_scale: y_mean is 0."
        )
    return {"_y_mean_": mean, "_y_scale_": scale}


def _refuse_with_classes(**arguments: Any) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(f"{name}={value!r} is a regressor's, but classes were given.")


def _sorted_tokens(embedding: Any, vocabulary: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the embedding's rows (V, D) in the order of the sorted vocabulary (V,)."""
    if embedding is None or vocabulary is None:
        raise ValueError("an embedding needs a vocabulary, and a vocabulary an embedding.")
    tokens = column_or_1d(np.asarray(vocabulary))
    if tokens.dtype.kind not in "iuU":
        raise TypeError(f"vocabulary must be integers or strings, got an array of {tokens.dtype}.")
    tokens = tokens if tokens.dtype.kind == "U" else tokens.astype(np.int64)
    E = embedding_vectors(embedding, len(tokens))
    distinct, rows = np.unique(tokens, return_index=True)
    if len(distinct) < len(tokens):
        raise ValueError("vocabulary holds a token twice.")
    return E[rows], distinct
