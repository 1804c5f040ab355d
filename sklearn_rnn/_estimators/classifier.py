"""The base class of the three classifiers: labels become targets, outputs probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal, Self, overload

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._compat import StrOptions
from sklearn_rnn._core.attribution import Explained, LogOdds, RawOutput
from sklearn_rnn._core.losses import BinaryLogLoss, Loss, MulticlassLogLoss
from sklearn_rnn._core.state import RecurrentState
from sklearn_rnn._data.advice import warn_of_one_hot
from sklearn_rnn._data.step_targets import align_steps
from sklearn_rnn._data.targets import (
    check_class_weight,
    check_classes,
    class_weight_factors,
    encode_labels,
    labels_of,
    prior,
    refuse_lost_targets,
    refuse_mixed_labels,
    refuse_uneven,
)
from sklearn_rnn._estimators.attribution import output_index
from sklearn_rnn._estimators.base import RecurrentEstimator
from sklearn_rnn._estimators.request import FitRequest
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._typing import Array, ArrayOrList, Observation, SequencesLike


class RecurrentClassifier(ClassifierMixin, RecurrentEstimator):
    """Base of the classifiers: binary, multiclass and multilabel, by the log loss."""

    # Set by fit. The kind is one of those of `_data.targets.Labels`.
    classes_: Array
    _target_kind_: str

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **RecurrentEstimator._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def partial_fit(
        self,
        X: SequencesLike,
        y: SequencesLike,
        classes: ArrayOrList | None = None,
        sample_weight: ArrayOrList | None = None,
    ) -> Self:
        """Train for one epoch on this data, going on from where training stands.

        Early stopping, callbacks and `checkpoint` have no part in it.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted first.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If `classes` is missing in the first call or changes later, or y has other labels.
        """
        self._check_parameters()
        fitted = hasattr(self, "classes_")
        if not fitted and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if fitted and classes is not None and not np.array_equal(classes, self.classes_):
            classes = check_classes(classes)
            if not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"classes={classes.tolist()} is not the same as in the first call: "
                    f"{self.classes_.tolist()}."
                )
        return self._fit_draft(FitRequest(X, y, sample_weight, classes=classes, incremental=True))

    def decision_function(self, X: SequencesLike) -> Array:
        """Return the raw predictions, before the softmax or logistic function.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.

        Returns
        -------
        scores : ndarray of shape (n_samples,) for two classes, else (n_samples, n_classes)
            Log-odds of the second class, or of each label with multilabel targets; with more
            classes, log-probabilities up to a constant in each row. With `return_sequences` one
            such row for each step, in the form that `predict` has.
        """

        def finish(model: Self, raw: np.ndarray) -> np.ndarray:
            return raw if raw.shape[1] > 1 or model._target_kind_ == "multilabel" else raw[:, 0]

        return self._answer(X, finish)

    def predict_log_proba(self, X: SequencesLike) -> Array:
        """Return the logarithms of the class probabilities.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`. Never minus infinity, however small the probability. With
            `return_sequences` one such row for each step, in the form that `predict` has.
        """
        return self._answer(X, RecurrentClassifier._log_probability)

    @overload
    def predict_proba(
        self,
        X: SequencesLike,
        initial_state: RecurrentState | None = None,
        return_state: Literal[False] = False,
    ) -> Array: ...

    @overload
    def predict_proba(
        self,
        X: SequencesLike,
        initial_state: RecurrentState | None = None,
        *,
        return_state: Literal[True],
    ) -> tuple[Array, RecurrentState]: ...

    @overload
    def predict_proba(
        self, X: SequencesLike, initial_state: RecurrentState | None, return_state: Literal[True]
    ) -> tuple[Array, RecurrentState]: ...

    def predict_proba(
        self,
        X: SequencesLike,
        initial_state: RecurrentState | None = None,
        return_state: bool = False,
    ) -> Array | tuple[Array, RecurrentState]:
        """Return the class probabilities; with multilabel targets, those of each label.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        initial_state : RecurrentState, default=None
            Where each of the sequences goes on, one stream for each: the state that an earlier
            call returned for what came before. None: they begin here.
        return_state : bool, default=False
            Whether to return the state after the last step of each sequence, too.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`. With `return_sequences` one such row for each step, in the
            form that `predict` has.
        state : RecurrentState
            Only with `return_state`.
        """
        return self._answer(X, RecurrentClassifier._probability, initial_state, return_state)

    @overload
    def predict(
        self,
        X: SequencesLike,
        initial_state: RecurrentState | None = None,
        return_state: Literal[False] = False,
    ) -> Array: ...

    @overload
    def predict(
        self,
        X: SequencesLike,
        initial_state: RecurrentState | None = None,
        *,
        return_state: Literal[True],
    ) -> tuple[Array, RecurrentState]: ...

    @overload
    def predict(
        self, X: SequencesLike, initial_state: RecurrentState | None, return_state: Literal[True]
    ) -> tuple[Array, RecurrentState]: ...

    def predict(
        self,
        X: SequencesLike,
        initial_state: RecurrentState | None = None,
        return_state: bool = False,
    ) -> Array | tuple[Array, RecurrentState]:
        """Return the most probable class of each sequence, or with `return_sequences` each step.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        initial_state : RecurrentState, default=None
            Where each of the sequences goes on, one stream for each: the state that an earlier
            call returned for what came before. None: they begin here.
        return_state : bool, default=False
            Whether to return the state after the last step of each sequence, too.

        Returns
        -------
        labels : ndarray of shape (n_samples,), or with multilabel targets \
(n_samples, n_classes)
            In the dtype of `classes_`; 0 and 1 with multilabel targets. With `return_sequences`
            (n_samples, n_steps) or (n_samples, n_steps, n_classes) for an array without padding,
            otherwise an object array of n_samples arrays, one for each sequence.
        state : RecurrentState
            Only with `return_state`.
        """
        return self._answer(X, RecurrentClassifier._prediction, initial_state, return_state)

    def step_proba(
        self, x_t: Observation, state: RecurrentState | None = None
    ) -> tuple[Array, RecurrentState]:
        """Take one more observation, as `step` does, and return probabilities.

        Parameters
        ----------
        x_t : array-like of shape (n_features,) or (n_streams, n_features)
            What one stream, or each of many, shows at this step.
            With `embedding_size` a token, or (n_streams,) of them.
        state : RecurrentState, default=None
            What the call before returned; None where streams begin.

        Returns
        -------
        probabilities : ndarray of shape (n_classes,) or (n_streams, n_classes)
            In the order of `classes_`.
        state : RecurrentState
            To be passed to the next call. The one that was passed to this one stays as it is.

        Raises
        ------
        ValueError
            If `x_t` is of another shape or not finite, if `state` is of another fit or another
            number of streams, or if the model is bidirectional.
        TypeError
            If `state` is no RecurrentState.
        """
        model, raw, state, key = self._step(x_t, state)
        return model._probability(raw)[key], state

    def predict_proba_prefixes(self, X: SequencesLike) -> Array:
        """Return what `predict_proba` would answer after each step of each sequence, in one pass.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_steps, n_classes), or object ndarray of \
shape (n_samples,)
            The answer for the first t + 1 steps at position t. An array for a 2-D X or a 3-D one
            without padding; otherwise an array (n_steps_i, n_classes) for each sequence.

        Raises
        ------
        ValueError
            If the model is bidirectional, or X is not what it should be.
        """
        model, sequences, raw = self._run_each_step(X)
        return model._arrange_steps(X, sequences, model._probability(raw))

    def score(
        self, X: SequencesLike, y: SequencesLike, sample_weight: ArrayOrList | None = None
    ) -> float:
        """Return the accuracy; with `return_sequences`, over all steps that have a target.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        y : array-like
            Their labels, as `fit` takes them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, or of the steps.

        Returns
        -------
        accuracy : float
            Share of right labels; with multilabel targets, of answers that are right in all.
        """
        check_is_fitted(self)
        if not self._architecture_["return_sequences"]:
            refuse_lost_targets(y, sample_weight)
            refuse_uneven(y)
            refuse_mixed_labels(y)
            if self._target_kind_ == "multilabel":
                encode_labels(y, self.classes_, multilabel=True)
            return float(super().score(X, y, sample_weight))
        y, labels, weight = align_steps(X, y, self.predict(X), sample_weight)
        return float(accuracy_score(y, labels, sample_weight=weight))

    def _prediction(self, raw: np.ndarray) -> np.ndarray:
        """Return the labels (M,), or 0 and 1 (M, C), that raw predictions (M, K) stand for."""
        if self._target_kind_ == "multilabel":
            return (raw > 0).astype(int)
        return self.classes_[self._codes(raw)]

    def _probability(self, raw: np.ndarray) -> np.ndarray:
        return np.exp(self._log_probability(raw))

    def _log_probability(self, raw: np.ndarray) -> np.ndarray:
        if self._target_kind_ == "multilabel":
            return -np.logaddexp(0, -raw)
        if self._target_kind_ == "binary":
            return -np.logaddexp(0, raw * np.array([1, -1], raw.dtype))
        return raw - np.logaddexp.reduce(raw, axis=1, keepdims=True)

    def _codes(self, raw: np.ndarray) -> np.ndarray:
        """Return the positions in classes_ of the most probable classes, (N,)."""
        return labels_of(self._target_kind_, raw > 0 if self._target_kind_ == "binary" else raw)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_class_weight(self.class_weight)

    def _check_targets(self, y: Any, classes: Any, dtype: np.dtype, first: bool) -> np.ndarray:
        if not first:
            labels = encode_labels(y, self.classes_, self._target_kind_ == "multilabel")
            return labels.Y
        labels = encode_labels(y, None if classes is None else check_classes(classes), None)
        self.classes_, self._target_kind_ = labels.classes, labels.kind
        self.n_outputs_ = labels.Y.shape[1]
        if labels.kind == "multilabel":
            warn_of_one_hot(labels.Y)
        return labels.Y

    def _prepare_targets(self, data: TrainingData, first: bool) -> tuple[TrainingData, np.ndarray]:
        factors = class_weight_factors(
            self.class_weight, self._target_kind_, self.classes_, data.y, data.weight
        )
        weight = data.weight * factors
        if not weight.any():
            raise ValueError("class_weight leaves no sample with a weight above zero.")
        return replace(data, weight=weight), prior(self._target_kind_, data.y, weight)

    def _explained(self, raw: np.ndarray, target: Any) -> tuple[Explained, np.ndarray]:
        """Return what gradients explain: the log-odds of one class, for every answer."""
        if self._target_kind_ == "single":
            raise ValueError("The model knows one class only, so that there is nothing to explain.")
        Y = np.zeros(raw.shape)
        if self._target_kind_ == "multilabel":
            Y[:, output_index(target, (raw.shape[1],))[0]] = 1
            return RawOutput(), Y
        if target is None and self._target_kind_ == "multiclass":
            codes: Any = self._codes(raw)
        else:
            codes = 1 if target is None else self._code_of(target)
        if self._target_kind_ == "binary":
            return RawOutput(), Y + (1 if codes == 1 else -1)
        Y[np.arange(len(Y)), codes] = 1
        return LogOdds(), Y

    def _code_of(self, label: Any) -> int:
        """Return the position of a label in classes_."""
        matches = [code for code, known in enumerate(self.classes_.tolist()) if known == label]
        if len(matches) != 1:
            raise ValueError(
                f"target must be one of the classes {self.classes_.tolist()}, or None; "
                f"got {label!r}."
            )
        return matches[0]

    def _loss(self) -> Loss:
        single_label = self._target_kind_ in ("single", "multiclass")
        return MulticlassLogLoss() if single_label else BinaryLogLoss()

    def _score_raw(self, raw: np.ndarray, data: TrainingData) -> float:
        if self._target_kind_ == "multilabel":
            return float(accuracy_score(data.y, raw > 0, sample_weight=data.weight))
        truth = labels_of(self._target_kind_, data.y)
        return float(accuracy_score(truth, self._codes(raw), sample_weight=data.weight))

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return None if self._target_kind_ == "multilabel" else labels_of(self._target_kind_, y)

    def _as_targets(self, Y: np.ndarray) -> np.ndarray:
        if self._target_kind_ == "multilabel":
            return Y.astype(int)
        return self.classes_[labels_of(self._target_kind_, Y)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
