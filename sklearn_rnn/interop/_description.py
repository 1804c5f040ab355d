"""A fitted estimator as plain values, which all exports start from.

Dimension key: F inputs, H hidden, S directions, K targets, Q quantiles (1 without), O = K * Q raw
outputs (of a classifier: its scores), V tokens, D numbers of a token's vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.cell import Cell
from sklearn_rnn._core.network import Network
from sklearn_rnn._estimators.classifier import RecurrentClassifier
from sklearn_rnn._estimators.fitted import FittedModel
from sklearn_rnn._estimators.regressor import RecurrentRegressor

Arrays = dict[str, np.ndarray]
Dense = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Answer:
    """What becomes of raw predictions.

    Parameters
    ----------
    kind : {"single", "binary", "multiclass", "multilabel", "regression"}
        "single" where there is one class only.
    classes : ndarray of shape (n_classes,) or None
        Of a classifier.
    y_mean, y_scale : ndarray of shape (K,)
        Of a regressor: a target is ``prediction * y_scale + y_mean``.
    n_quantiles : int
        Q. The quantiles of each target are next to each other.
    log : bool
        Whether a raw prediction is the logarithm of a prediction.
    """

    kind: str
    classes: np.ndarray | None
    y_mean: np.ndarray
    y_scale: np.ndarray
    n_quantiles: int
    log: bool


@dataclass(frozen=True)
class Description:
    """The network of a fitted estimator, and what its answers mean.

    Parameters
    ----------
    cell : Cell
        The cell of the first layer; those of the others differ in their input size alone.
    layers : list of lists of dict
        For each layer and direction its arrays: "weight_ih", "weight_hh", "bias_ih", "bias_hh" as
        PyTorch has them and, where there are any, "h_0", "c_0", "norm_weight" and "norm_bias".
    residual : bool
        Whether layers from the second on add their input to their states.
    pooling : {"last", "mean", "max", "attention"} or None
        None: an answer at every step.
    attention : ndarray of shape (S * H,) or None
        The vectors of "attention".
    head : list of pairs of ndarray
        Weight and bias of each dense layer, all but the last followed by relu; the last gives the
        raw predictions.
    embedding, vocabulary : ndarray of shape (V, D), ndarray of shape (V,), or both None
        A token that is not in the vocabulary has the mean of all vectors.
    n_timesteps : int or None
        The steps in a row, where the estimator reads rows.
    answer : Answer
        What becomes of raw predictions.
    estimator : estimator
        A copy of the estimator, without weights.
    """

    cell: Cell
    layers: list[list[Arrays]]
    residual: bool
    pooling: str | None
    attention: np.ndarray | None
    head: list[Dense]
    embedding: np.ndarray | None
    vocabulary: np.ndarray | None
    n_timesteps: int | None
    answer: Answer
    estimator: FittedModel

    @property
    def input_size(self) -> int:
        """F; with tokens D."""
        return int(self.layers[0][0]["weight_ih"].shape[1])

    @property
    def hidden_size(self) -> int:
        """H."""
        return int(self.layers[0][0]["weight_hh"].shape[1])

    @property
    def n_directions(self) -> int:
        """S."""
        return len(self.layers[0])

    @property
    def dtype(self) -> np.dtype:
        """That of the weights."""
        return self.layers[0][0]["weight_ih"].dtype


def describe(estimator: Any) -> Description:
    """Take a fitted estimator to pieces.

    Raises TypeError for what is none of the six, NotFittedError for one that is not fitted, and
    ValueError if neither ONNX nor PyTorch has its pooling.
    """
    if not isinstance(estimator, FittedModel):
        raise TypeError(
            f"expected a fitted RNN, LSTM or GRU classifier or regressor of sklearn_rnn, got a "
            f"{type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    model = estimator._copy()
    fitted = model._architecture_
    tokens = model._reads_tokens
    network = model._make_network()
    weights = network.layout.public(np.asarray(model._theta_))
    flat = model._input_kind_ == "flat"
    return Description(
        cell=network.stack.layers[0],
        layers=_layers(weights, fitted["num_layers"], 2 if fitted["bidirectional"] else 1),
        residual=fitted["residual"],
        pooling=exported_pooling(fitted["pooling"], network, "ONNX and PyTorch"),
        attention=weights.get("weight_attention"),
        head=_head(weights),
        embedding=weights.get("weight_embedding"),
        vocabulary=model.vocabulary_ if tokens else None,
        n_timesteps=model.n_timesteps_in_ if flat else None,
        answer=_answer(model),
        estimator=_without_weights(model),
    )


def _layers(weights: Arrays, num_layers: int, n_directions: int) -> list[list[Arrays]]:
    return [
        [_cell_arrays(weights, f"_l{layer}{suffix}") for suffix in ("", "_reverse")[:n_directions]]
        for layer in range(num_layers)
    ]


def _cell_arrays(weights: Arrays, suffix: str) -> Arrays:
    return {
        name.removesuffix(suffix): weight
        for name, weight in weights.items()
        if name.endswith(suffix)
    }


def _head(weights: Arrays) -> list[Dense]:
    n_hidden = sum(name.startswith("weight_head_") for name in weights)
    names = [*(f"head_{k}" for k in range(n_hidden)), "out"]
    return [(weights[f"weight_{name}"], weights[f"bias_{name}"]) for name in names]


def _answer(model: FittedModel) -> Answer:
    if isinstance(model, RecurrentClassifier):
        nothing = np.empty(0)
        return Answer(model._target_kind_, model.classes_, nothing, nothing, 1, False)
    assert isinstance(model, RecurrentRegressor)
    loss = model._loss()
    return Answer(
        kind="regression",
        classes=None,
        y_mean=np.asarray(model._y_mean_),
        y_scale=np.asarray(model._y_scale_),
        n_quantiles=loss.n_outputs,
        log=loss.out_activation == "exp",
    )


def _without_weights(model: FittedModel) -> Any:
    """Return a copy that knows all but its weights, and what was measured with them."""
    bare = model._copy()
    for name in ("_theta_", "_resume_", "_calibration_"):
        bare.__dict__.pop(name, None)
    return bare


def no_counterpart(part: str, where: str) -> ValueError:
    """Return the error of an export to a format that lacks one of the model's parts."""
    return ValueError(
        f"{part} has no counterpart in {where}, so this model cannot be exported. To keep the "
        "model, use sklearn_rnn.persistence.save or pickle."
    )


def exported_pooling(name: str, network: Network, where: str) -> str | None:
    """Return what exports call the pooling of this name; None with an answer at every step.

    Raises ValueError if they do not have it.
    """
    if network.per_step:
        return None
    pooling = network.readout.pooling
    if pooling.export_name is None:
        raise no_counterpart(f"pooling={name!r}", where)
    return pooling.export_name


def require(package: str, extra: str, function: str) -> None:
    """Raise ImportError, which says what to install, unless the package is there."""
    try:
        __import__(package)
    except ImportError as error:
        raise ImportError(
            f"{function} needs {package}, which is not installed: "
            f'pip install "sklearn-rnn[{extra}]"'
        ) from error
