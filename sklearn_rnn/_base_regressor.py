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
from sklearn_rnn._core.state import RecurrentState
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

    def predict(
        self, X: Any, initial_state: RecurrentState | None = None, return_state: bool = False
    ) -> Any:
        """Return the predicted targets.

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
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the unit of the targets that were fitted, and the dtype of the fit.
        state : RecurrentState
            Only with `return_state`.
        """
        check_is_fitted(self)
        model = self._copy()
        return model._answer(X, model._prediction, initial_state, return_state)

    @property
    def weights_(self) -> dict[str, np.ndarray]:
        """Copies of all weights, by name; the readout's in the unit of y."""
        weights = super().weights_
        dtype = weights["weight_out"].dtype
        weight_out, bias_out = weights["weight_out"], weights["bias_out"]
        weights["weight_out"] = (weight_out * self._y_scale_[:, None]).astype(dtype)
        weights["bias_out"] = (bias_out * self._y_scale_ + self._y_mean_).astype(dtype)
        return weights

    def _prediction(self, raw: np.ndarray) -> np.ndarray:
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
        return float(r2_score(data.y, self._prediction(raw), sample_weight=data.weight))

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
