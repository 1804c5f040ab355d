"""Check that the learned attributes of a model fit together, before anything is made of them.

`sklearn_rnn.persistence.load` calls this: a file can hold anything, and a model whose attributes
contradict each other would answer wrongly, or fail much later in a place that says nothing.

Dimension key: K outputs, Q predictions of an output.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np

from sklearn_rnn._core.losses import LOSSES
from sklearn_rnn._core.pooling import POOLINGS
from sklearn_rnn._estimators.base import RecurrentEstimator
from sklearn_rnn._estimators.classifier import RecurrentClassifier
from sklearn_rnn._estimators.intervals import MAX_CALIBRATION
from sklearn_rnn._estimators.regressor import RecurrentRegressor
from sklearn_rnn._estimators.settings import Settings
from sklearn_rnn._training.history import Epoch
from sklearn_rnn._training.snapshot import check_rng, check_weights

_ALWAYS = {
    *("_architecture_", "_theta_", "_input_kind_", "n_features_in_", "n_timesteps_in_"),
    *("n_outputs_", "out_activation_", "history_", "n_iter_", "stop_reason_", "t_"),
    *("loss_", "best_loss_", "best_validation_score_"),
}
_OF_CLASSIFIERS = {"classes_", "_target_kind_"}
_OF_REGRESSORS = {"_y_mean_", "_y_scale_"}
_SOMETIMES = {"feature_names_in_", "vocabulary_", "_resume_"}
_SOMETIMES_OF_REGRESSORS = {"_calibration_"}


def check_consistent(model: RecurrentEstimator) -> None:
    """Raise ValueError unless the parameters are valid and the learned attributes fit together.

    No more memory is used than the attributes have already.
    """
    _check_registered(model)
    model._check_parameters()
    names = {name for name in vars(model) if name.endswith("_")}
    if not names:  # not fitted
        return
    classifies = isinstance(model, RecurrentClassifier)
    needed = _ALWAYS | (_OF_CLASSIFIERS if classifies else _OF_REGRESSORS)
    if missing := sorted(needed - names):
        raise ValueError(f"{', '.join(missing)} missing")
    known = needed | _SOMETIMES | (set() if classifies else _SOMETIMES_OF_REGRESSORS)
    if unknown := sorted(names - known):
        raise ValueError(f"this release does not know {', '.join(unknown)}")
    _check_architecture(model)
    _check_inputs(model)
    if isinstance(model, RecurrentClassifier):
        _check_classes(model)
    if isinstance(model, RecurrentRegressor):
        _check_numbers_of_outputs(model)
    _check_course(model)
    if hasattr(model, "_resume_"):
        _check_resume(model)


def _check_registered(model: RecurrentEstimator) -> None:
    """Let the registries tell of a loss or a pooling that another module would have to add."""
    fitted = getattr(model, "_architecture_", {})
    for registry in (LOSSES, POOLINGS):
        for values in (vars(model), fitted if isinstance(fitted, dict) else {}):
            name = values.get(registry.parameter)
            if isinstance(name, str):
                registry[name]


def _require(holds: Any, name: str) -> None:
    if not holds:
        raise ValueError(f"{name} does not fit the other attributes")


def _is_count(value: Any, least: int = 0) -> bool:
    is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return is_integer and least <= int(value) < 2**63


def _is_array(value: Any, kinds: str, shape: tuple[int, ...] | None = None) -> bool:
    """Whether it is an array of one of these kinds, of this shape, without NaN or infinity."""
    if not (isinstance(value, np.ndarray) and value.dtype.kind in kinds):
        return False
    is_finite = value.dtype.kind != "f" or bool(np.isfinite(value).all())
    return is_finite and (value.ndim == 1 if shape is None else value.shape == shape)


def _check_architecture(model: RecurrentEstimator) -> None:
    """Compare the architecture with what parameters can mean, and the weights with it."""
    fitted = model._architecture_
    _require(isinstance(fitted, dict), "_architecture_")
    _require(_is_count(fitted.get("input_size"), 1), "input_size")
    _require(_is_count(fitted.get("n_outputs"), 1), "n_outputs")
    as_built = _as_built(model)
    as_built._architecture_ = fitted
    n_outputs = fitted["n_outputs"]
    if not isinstance(model, RecurrentClassifier):
        n_outputs //= model._loss().n_outputs
    _require(
        as_built._describe_architecture(fitted["input_size"], n_outputs) == fitted, "n_outputs"
    )
    _require(_is_count(model.n_outputs_, 1), "n_outputs_")
    _require(model.n_outputs_ == fitted["n_outputs"], "n_outputs_")
    _require(model.out_activation_ == model._loss().out_activation, "out_activation_")
    theta = model._theta_
    check_weights([theta])
    _require(len(theta) == _n_weights(model), "_theta_")


def _as_built(model: RecurrentEstimator, **parameters: Any) -> RecurrentEstimator:
    """Return an estimator whose parameters, which are checked, ask for the fitted architecture."""
    names = signature(type(model)).parameters.keys()
    chosen = {name: value for name, value in model._architecture_.items() if name in names}
    if chosen.get("quantiles", "") is None:
        del chosen["quantiles"]  # of another loss, for which the parameter does not matter
    as_built = type(model)(**chosen, **parameters)
    as_built._check_parameters()
    return as_built


def _n_weights(model: RecurrentEstimator) -> int:
    """Return the number of weights, without a million layers for a file that claims so many."""
    if model._reads_tokens:
        _check_vocabulary(model)
    n_layers = model._architecture_["num_layers"]
    small = model._copy()
    sizes = []
    for n in (1, 2):
        small._architecture_ = {**model._architecture_, "num_layers": n}
        sizes.append(small._make_network().layout.size)
    return sizes[0] + (n_layers - 1) * (sizes[1] - sizes[0])


def _check_vocabulary(model: RecurrentEstimator) -> None:
    vocabulary: Any = getattr(model, "vocabulary_", None)
    _require(_is_array(vocabulary, "iuU") and len(vocabulary), "vocabulary_")
    _require((vocabulary[1:] > vocabulary[:-1]).all(), "vocabulary_")


def _check_inputs(model: RecurrentEstimator) -> None:
    n_steps, n_features = model.n_timesteps_in_, model._architecture_["input_size"]
    _require(model._input_kind_ in ("flat", "sequences"), "_input_kind_")
    is_flat = model._input_kind_ == "flat"
    _require(_is_count(n_steps, 1) or (n_steps is None and not is_flat), "n_timesteps_in_")
    width = n_features * int(n_steps or 1) if is_flat else n_features
    _require(_is_count(model.n_features_in_, 1), "n_features_in_")
    _require(model.n_features_in_ == width, "n_features_in_")
    _require(model._reads_tokens or not hasattr(model, "vocabulary_"), "vocabulary_")
    _require(not model._reads_tokens or n_features == 1, "input_size")
    if hasattr(model, "feature_names_in_"):
        names = model.feature_names_in_
        _require(_is_array(names, "O", (width,)), "feature_names_in_")
        _require(all(isinstance(name, str) for name in names), "feature_names_in_")


def _check_classes(model: RecurrentClassifier) -> None:
    classes, kind, n_outputs = model.classes_, model._target_kind_, model.n_outputs_
    _require(_is_array(classes, "biufUSOmM"), "classes_")
    sizes = {"single": (1, 1), "binary": (2, 1), "multiclass": (max(3, n_outputs), n_outputs)}
    sizes["multilabel"] = (n_outputs, n_outputs)
    _require(sizes.get(kind) == (len(classes), n_outputs), "_target_kind_")
    distinct = np.unique(classes)
    if kind == "multilabel":  # those of `from_torch` come in any order
        _require(len(distinct) == len(classes), "classes_")
    else:
        _require(np.array_equal(distinct, classes), "classes_")


def _check_numbers_of_outputs(model: RecurrentRegressor) -> None:
    n_predictions = model._loss().n_outputs
    n_outputs = model.n_outputs_ // n_predictions
    _require(_is_array(model._y_mean_, "f", (n_outputs,)), "_y_mean_")
    _require(_is_array(model._y_scale_, "f", (n_outputs,)), "_y_scale_")
    _require((model._y_scale_ > 0).all(), "_y_scale_")
    if hasattr(model, "_calibration_"):
        n = len(model._calibration_)
        shape = (n, n_outputs, n_predictions)
        _require(_is_array(model._calibration_, "f", shape), "_calibration_")
        _require(n <= MAX_CALIBRATION, "_calibration_")


def _check_course(model: RecurrentEstimator) -> None:
    """Check what is told of the training, which predictions do not depend on."""
    history, n_iter = model.history_, model.n_iter_
    _require(_is_count(n_iter), "n_iter_")
    _require(isinstance(history, dict) and set(history) == set(Epoch._fields), "history_")
    n_rows = len(history["epoch"])
    _require(n_rows <= n_iter, "n_iter_")
    for name, column in history.items():
        is_column = isinstance(column, np.ndarray) and column.shape == (n_rows,)
        _require(is_column and column.dtype.kind == ("i" if name == "epoch" else "f"), "history_")
    _require(np.array_equal(history["epoch"], np.arange(n_iter - n_rows, n_iter) + 1), "history_")
    _require(_is_count(model.t_), "t_")
    _require(isinstance(model.stop_reason_, str | None), "stop_reason_")
    _require(isinstance(model.loss_, float | np.floating), "loss_")
    for name in ("best_loss_", "best_validation_score_"):
        _require(isinstance(getattr(model, name), float | np.floating | None), name)


def _check_resume(model: RecurrentEstimator) -> None:
    """Check what `partial_fit` and warm starts go on from."""
    resume = model._resume_
    expected = {"solver", "optimizer", "rng", "recent"}
    _require(isinstance(resume, Mapping) and set(resume) == expected, "_resume_")
    _require(isinstance(resume["recent"], list), "_resume_")
    check_weights([model._theta_, *resume["recent"]])
    check_rng(resume["rng"])
    as_built = _as_built(model, solver=resume["solver"])
    settings = Settings.of(as_built.get_params(deep=False), n_samples=1)
    optimizer = settings.optimizer(model._theta_, np.ones(len(model._theta_), bool))
    optimizer.restore(resume["optimizer"])
