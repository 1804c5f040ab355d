"""What the three regressors share: targets standardised inside, given back in their own units."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._base import RecurrentEstimator
from sklearn_rnn._core.losses import Loss, SquaredError
from sklearn_rnn._step_targets import align_steps
from sklearn_rnn._targets import check_numeric_targets, target_scale
from sklearn_rnn._training.batches import TrainingData


class RecurrentRegressor(RegressorMixin, RecurrentEstimator):
    """Base of the regressors: one or several outputs, by the squared error."""

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> RecurrentRegressor:
        """Train for one epoch on this data, going on from where training stands.

        The first call also fixes the unit and origin in which targets are learned: those of
        its own data.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted first.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : estimator
            The fitted estimator.
        """
        return self._fit_draft(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted targets.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the unit of the targets that were fitted, and the dtype of the fit. With
            `return_sequences` (n_samples, n_steps) or (n_samples, n_steps, n_outputs) for an
            array without padding, otherwise an object array of n_samples arrays, one for each
            sequence.
        """
        return self._answer(X, RecurrentRegressor._in_units_of_y)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R^2; with `return_sequences`, over all steps that have a target.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        y : array-like
            Their targets, as `fit` takes them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, or of the steps.

        Returns
        -------
        r2 : float
            The coefficient of determination, the mean of several outputs.
        """
        check_is_fitted(self)
        if not self._architecture_["return_sequences"]:
            return float(super().score(X, y, sample_weight))
        y, prediction, weight = align_steps(X, y, self.predict(X), sample_weight)
        return float(r2_score(y, prediction, sample_weight=weight))

    @property
    def weights_(self) -> dict[str, np.ndarray]:
        """Copies of all weights, by name; the readout's in the unit of y."""
        weights = super().weights_
        dtype = weights["weight_out"].dtype
        weight_out, bias_out = weights["weight_out"], weights["bias_out"]
        weights["weight_out"] = (weight_out * self._y_scale_[:, None]).astype(dtype)
        weights["bias_out"] = (bias_out * self._y_scale_ + self._y_mean_).astype(dtype)
        return weights

    def _in_units_of_y(self, raw: np.ndarray) -> np.ndarray:
        y = (raw * self._y_scale_ + self._y_mean_).astype(raw.dtype)
        return y[:, 0] if y.shape[1] == 1 else y

    def _check_targets(self, y: Any, classes: Any, dtype: np.dtype, first: bool) -> np.ndarray:
        Y = check_numeric_targets(y, dtype)
        if first:
            self.n_outputs_ = Y.shape[1]
            self.out_activation_ = self._loss().out_activation
        return Y

    def _prepare_targets(self, data: TrainingData, first: bool) -> tuple[TrainingData, np.ndarray]:
        if first:
            self._y_mean_, self._y_scale_ = target_scale(data.y, data.weight)
        # Divided first: the difference of two huge numbers could overflow.
        standardised = data.y / self._y_scale_ - self._y_mean_ / self._y_scale_
        return replace(data, y=standardised), np.zeros(data.y.shape[1])

    def _loss(self) -> Loss:
        return SquaredError()

    def _score_raw(self, raw: np.ndarray, data: TrainingData) -> float:
        return float(r2_score(data.y, self._in_units_of_y(raw), sample_weight=data.weight))

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
