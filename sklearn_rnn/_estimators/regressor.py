"""The base class of the three regressors: they learn standardized targets."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any, ClassVar, Literal, Self, overload

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score, r2_score

from sklearn_rnn._compat import Interval, InvalidParameterError, StrOptions
from sklearn_rnn._core.attribution import Explained, ExponentialOutput, SortedOutput
from sklearn_rnn._core.losses import LOSSES, Loss
from sklearn_rnn._core.state import RecurrentState
from sklearn_rnn._data.step_targets import align_steps
from sklearn_rnn._data.target_units import (
    Unit,
    change_of_count_unit,
    change_of_unit,
    dtype_of_predictions,
    is_too_quiet,
    varying,
)
from sklearn_rnn._data.targets import (
    check_counts,
    check_numeric_targets,
    count_scale,
    refuse_lost_targets,
    refuse_uneven,
    robust_target_scale,
    target_scale,
    weighted_quantile,
)
from sklearn_rnn._data.user_warning import warn_user
from sklearn_rnn._estimators.attribution import output_index
from sklearn_rnn._estimators.base import RecurrentEstimator
from sklearn_rnn._estimators.intervals import calibration_residuals, margins, nearest_pair
from sklearn_rnn._estimators.request import FitRequest
from sklearn_rnn._estimators.rescaling import gradient_factors, rescale_raw
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._typing import Array, ArrayOrList, SequencesLike
from sklearn_rnn.sequences import SequenceArray

_TOO_QUIET = (
    "The targets of this call of partial_fit are far smaller, or vary far less, than those of the "
    "first call, which fixed the unit in which targets are learned, so that they will hardly be "
    "learned. If they are typical of the data, fit anew and begin with them; otherwise bring the "
    "targets of all calls to one scale."
)


class RecurrentRegressor(RegressorMixin, RecurrentEstimator):
    """Base of the regressors: one or several outputs, by any of the losses."""

    _target_parameters = ("loss", "huber_delta")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **RecurrentEstimator._parameter_constraints,
        "loss": [StrOptions(LOSSES.keys())],
        "quantiles": ["array-like", Interval(Real, 0, 1, closed="neither")],
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
    }

    def partial_fit(
        self, X: SequencesLike, y: SequencesLike, sample_weight: ArrayOrList | None = None
    ) -> Self:
        """Train for one epoch on this data, going on from where training stands.

        Early stopping, callbacks and `checkpoint` have no part in it.

        The first call also fixes the unit and origin in which targets are learned: those of
        its own data. Where the targets of a later call are more than 8 times wider, or further
        from the origin, the unit becomes wider; predictions stay what they were. A constant first
        block says nothing about the unit, which is then that of the next block.

        Targets that vary 256 times less than those of the first call are warned of.

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
        return self._fit_draft(FitRequest(X, y, sample_weight, incremental=True))

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
            With several `quantiles` (n_samples, n_quantiles) or (n_samples, n_outputs,
            n_quantiles), ascending. In the unit of the targets that were fitted. In the dtype
            of the fit, but in float64 where float32 is too coarse for the targets: 1e8 and
            1e8 + 1 are the same number there. With `return_sequences` (n_samples, n_steps) or
            (n_samples, n_steps, n_outputs) for an array without padding, otherwise an object
            array of n_samples arrays, one for each sequence.
        state : RecurrentState
            Only with `return_state`.
        """
        return self._answer(X, RecurrentRegressor._prediction, initial_state, return_state)

    def score(
        self, X: SequencesLike, y: SequencesLike, sample_weight: ArrayOrList | None = None
    ) -> float:
        """Return R^2, or D^2 of quantiles; with `return_sequences`, over all scored steps.

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
        score : float
            The coefficient of determination, the mean of several outputs; with
            ``loss="quantile"`` the mean of D^2 by the pinball loss over quantiles and outputs.
        """
        predictions = self._answer(X, RecurrentRegressor._each_quantile)
        if self._architecture_["return_sequences"]:
            y, predictions, sample_weight = align_steps(X, y, predictions, sample_weight)
        else:
            refuse_lost_targets(y, sample_weight)
            refuse_uneven(y)
        # The unit does not change the score, but the squares of huge or tiny numbers would be
        # infinite or zero. Of powers of two also the last bits of the score stay as they are.
        unit = np.exp2(np.frexp(self._y_scale_)[1])
        y = check_numeric_targets(y, np.dtype(np.float64), type(self).__name__) / unit
        return self._score_predictions(y, predictions / unit[:, None], sample_weight)

    def predict_interval(self, X: SequencesLike, coverage: float = 0.9) -> Array:
        """Return an interval for each target that holds it with this probability.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        coverage : float, default=0.9
            Between 0 and 1.

        Returns
        -------
        intervals : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Lower and upper ends. With `return_sequences` (n_samples, n_steps, 2) or (n_samples,
            n_steps, n_outputs, 2), or an object array of such arrays, as for `predict`.

        Raises
        ------
        ValueError
            If `fit` had no validation data and the loss has no quantiles at both ends, or too few
            validation samples for this coverage.

        Notes
        -----
        Where `fit` had validation data, the intervals are calibrated on them by split-conformal
        prediction [1]_, [2]_: those around a single prediction are all equally wide, those between
        two quantiles vary. If new samples are exchangeable with the validation samples, and these
        had no part in training (``early_stopping=False``), an interval holds its target with
        probability `coverage` at least, whatever the model, on average over samples and validation
        sets. Early stopping picks the best weights by the same samples, which makes intervals a
        little too narrow. Steps of one sequence are not exchangeable: with `return_sequences` the
        coverage is one over all steps together, and approximate. Each of several outputs has its
        own coverage. All validation samples count equally; those of weight 0 are ignored.

        Without validation data, ``loss="quantile"`` answers with the quantiles that it has learned,
        which guarantee nothing.

        References
        ----------
        .. [1] Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic Learning in a Random
               World. Springer.
        .. [2] Romano, Y., Patterson, E. and Candes, E. (2019). Conformalized quantile regression.
               NeurIPS 32. https://arxiv.org/abs/1905.03222
        """
        if not (isinstance(coverage, int | float | np.number) and 0 < coverage < 1):
            raise ValueError(f"coverage must be between 0 and 1, got {coverage!r}.")

        def finish(model: Self, raw: np.ndarray) -> np.ndarray:
            return model._intervals(model._each_quantile(raw), float(coverage))

        return self._answer(X, finish)

    def _intervals(self, predictions: np.ndarray, coverage: float) -> np.ndarray:
        """Return intervals (M, 2) or (M, K, 2) around predictions (M, K, Q)."""
        quantiles = self._architecture_["quantiles"]
        low, high = nearest_pair(quantiles, coverage)
        if hasattr(self, "_calibration_"):
            margin = margins(self._calibration_, low, high, coverage)
        else:
            self._check_quantiles_cover(quantiles, coverage)
            margin = np.zeros(1)
        ends = np.stack(
            [predictions[:, :, low] - margin, predictions[:, :, high] + margin], axis=-1
        )
        ends = np.sort(ends, axis=-1)  # a margin below zero may turn them round
        if self._predicts_exp:
            ends = np.maximum(ends, 0)
        ends = ends.astype(predictions.dtype)
        return ends[:, 0] if ends.shape[1] == 1 else ends

    @staticmethod
    def _check_quantiles_cover(quantiles: tuple[float, ...] | None, coverage: float) -> None:
        needed = (1 - coverage) / 2, (1 + coverage) / 2
        if quantiles is None:
            raise ValueError(
                "predict_interval needs validation data to calibrate on: fit with X_val and y_val, "
                'or with early_stopping=True; or use loss="quantile" with '
                f"quantiles={[round(q, 6) for q in needed]}."
            )
        if not np.isclose(np.array(quantiles)[:, None], needed).any(axis=0).all():
            raise ValueError(
                f"coverage={coverage:g} needs the quantiles {needed[0]:g} and {needed[1]:g}, but "
                f"quantiles={list(quantiles)} were learned, and without validation data (X_val and "
                "y_val in fit) they cannot be calibrated to another coverage."
            )

    @property
    def weights_(self) -> dict[str, Array]:
        """Copies of all weights, by name; the readout's in the unit of y."""
        weights = super().weights_
        dtype = self._dtype_of_predictions(weights["weight_out"].dtype)
        scale, mean = (
            np.repeat(a, len(weights["bias_out"]) // len(a))
            for a in (self._y_scale_, self._y_mean_)
        )
        if self._predicts_exp:  # of the logarithm
            scale, mean = np.ones_like(scale), np.log(scale)
        weights["weight_out"] = (weights["weight_out"] * scale[:, None]).astype(dtype)
        weights["bias_out"] = (weights["bias_out"] * scale + mean).astype(dtype)
        return weights

    def _prediction(self, raw: np.ndarray) -> np.ndarray:
        """Return predictions (M,), (M, K), (M, Q) or (M, K, Q) for raw ones (M, K * Q)."""
        y = self._each_quantile(raw)
        y = y[:, :, 0] if y.shape[2] == 1 else y
        return y[:, 0] if y.shape[1] == 1 else y

    def _each_quantile(self, raw: np.ndarray) -> np.ndarray:
        """Return predictions (M, K, Q) in y's units; Q is the number of quantiles, else 1."""
        raw = raw.reshape(len(raw), len(self._y_scale_), -1)
        dtype = self._dtype_of_predictions(raw.dtype)
        if self._predicts_exp:
            with np.errstate(over="ignore"):
                raw = np.exp(raw.astype(dtype, copy=False))
        y = (raw * self._y_scale_[:, None] + self._y_mean_[:, None]).astype(dtype)
        return np.sort(y, axis=2)

    def _dtype_of_predictions(self, dtype: np.dtype) -> np.dtype:
        return dtype_of_predictions(self._y_mean_, self._y_scale_, dtype)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        link = LOSSES[self.loss].out_activation
        if link not in ("identity", "exp"):
            raise InvalidParameterError(
                f"loss={self.loss!r} makes predictions of raw ones by {link!r}, which regressors "
                'do not know: expected a loss whose out_activation is "identity" or "exp".'
            )

    def _check_targets(self, y: Any, classes: Any, dtype: np.dtype, first: bool) -> np.ndarray:
        Y = check_numeric_targets(y, dtype, type(self).__name__)
        loss = self._chosen_loss()
        if loss.out_activation == "exp":
            check_counts(Y)
        if first:
            self.n_outputs_ = Y.shape[1] * loss.n_outputs
        return Y

    def _prepare_targets(self, data: TrainingData, first: bool) -> tuple[TrainingData, np.ndarray]:
        given = _of_weight(data)
        if first:
            self._y_mean_, self._y_scale_ = self._unit_of(given, data.weight)
        # Divided first: the difference of two huge numbers could overflow.
        y = given / self._y_scale_ - self._y_mean_ / self._y_scale_
        quantiles = self._quantiles()
        if quantiles is None:
            return replace(data, y=y), np.zeros(data.y.shape[1])
        bias = np.stack([weighted_quantile(y, data.weight, q) for q in quantiles], axis=1)
        return replace(data, y=y), bias.ravel()

    def _unit_of(self, Y: np.ndarray, weight: np.ndarray) -> Unit:
        """Return the unit in which targets (M, K) are best learned."""
        scale = robust_target_scale if self._loss().robust else target_scale
        scale = count_scale if self._predicts_exp else scale
        return Unit(*scale(Y, weight))

    def _adopt_unit(self, data: TrainingData, all_data: bool) -> Array | None:
        Y = _of_weight(data)
        if self._predicts_exp and not Y.any(axis=0).all():  # no counts: no unit
            return None
        old, new = Unit(self._y_mean_, self._y_scale_), self._unit_of(Y, data.weight)
        varies = varying(Y[data.weight > 0])
        if self._predicts_exp:
            change = change_of_count_unit(old, new, all_data=all_data)
        else:
            change = change_of_unit(old, new, varies, all_data=all_data)
        if change is None:
            if not all_data and is_too_quiet(old, new, varies):
                warn_user(_TOO_QUIET)
            return None
        self._y_mean_, self._y_scale_ = change.unit
        layout, loss = self._make_network().layout, self._loss()
        factor = np.repeat(change.factor, loss.n_outputs)
        self._theta_ = rescale_raw(layout, self._theta_, factor)
        if hasattr(self, "_resume_"):
            recent = [rescale_raw(layout, theta, factor) for theta in self._resume_["recent"]]
            self._resume_ = {**self._resume_, "recent": recent}
        return gradient_factors(layout, factor, loss.degree, self._theta_.dtype)

    def _explained(self, raw: np.ndarray, target: Any) -> tuple[Explained, np.ndarray]:
        """Return what gradients explain: one number of every answer, in the unit of y."""
        n_outputs = len(self._y_scale_)
        n_quantiles = raw.shape[1] // n_outputs
        shape = tuple(size for size in (n_outputs, n_quantiles) if size > 1)
        chosen = np.zeros((n_outputs, n_quantiles))
        chosen.reshape(shape)[output_index(target, shape)] = 1
        Y = np.broadcast_to((chosen * self._y_scale_[:, None]).ravel(), raw.shape)
        if self._predicts_exp:
            return ExponentialOutput(), Y
        return SortedOutput(n_quantiles), Y

    def _loss(self) -> Loss:
        return LOSSES[self._architecture_["loss"]].from_parameters(self._architecture_)

    def _chosen_loss(self) -> Loss:
        """Return the loss that the parameters ask for, which a fit will have."""
        parameters = {**self.get_params(deep=False), "quantiles": self._quantiles()}
        return LOSSES[self.loss].from_parameters(parameters)

    @property
    def _predicts_exp(self) -> bool:
        """Whether a raw prediction is the logarithm of a prediction, as with Poisson's loss."""
        return LOSSES[self._architecture_["loss"]].out_activation == "exp"

    def _quantiles(self) -> tuple[float, ...] | None:
        """Return the quantiles to be learned, or None with another loss.

        Raises InvalidParameterError if they are not between 0 and 1 and ascending.
        """
        if "quantiles" not in LOSSES[self.loss].parameters():
            return None
        try:
            quantiles = np.atleast_1d(np.asarray(self.quantiles, float))
        except (TypeError, ValueError):
            quantiles = np.empty(0)
        inside = ((quantiles > 0) & (quantiles < 1)).all()
        ascending = (np.diff(quantiles) > 0).all()
        if not (quantiles.ndim == 1 and len(quantiles) and inside and ascending):
            raise InvalidParameterError(
                "quantiles must be a number between 0 and 1, or several in ascending order, for "
                f"example [0.1, 0.5, 0.9]; got {self.quantiles!r}."
            )
        return tuple(quantiles.tolist())

    def _describe_architecture(self, input_size: int, n_outputs: int) -> dict[str, Any]:
        n_outputs *= self._chosen_loss().n_outputs
        described = super()._describe_architecture(input_size, n_outputs)
        return {"loss": self.loss, "quantiles": self._quantiles(), **described}

    def _score_raw(self, raw: np.ndarray, data: TrainingData) -> float:
        predictions = self._each_quantile(raw)
        if not np.isfinite(predictions).all():
            return np.nan
        # The unit does not change the score, but the squares of huge numbers would overflow.
        unit = self._y_scale_
        return self._score_predictions(data.y / unit, predictions / unit[:, None], data.weight)

    def _score_predictions(self, y: Any, predictions: np.ndarray, weight: Any) -> float:
        """Return R^2, or of quantiles the mean D^2, of predictions (M, K, Q)."""
        quantiles = self._architecture_["quantiles"]
        if quantiles is None:
            return float(r2_score(y, predictions[:, :, 0], sample_weight=weight))
        scores = [
            d2_pinball_score(y, predictions[:, :, k], sample_weight=weight, alpha=q)
            for k, q in enumerate(quantiles)
        ]
        return float(np.mean(scores))

    def _as_targets(self, Y: np.ndarray) -> np.ndarray:
        return Y[:, 0] if Y.shape[1] == 1 else Y

    def _check_scorable(self, held_out: TrainingData) -> None:
        if np.count_nonzero(held_out.weight) < 2:
            raise ValueError(
                "The validation data hold one target, but the validation score, R^2 or D^2, is "
                'defined for two or more: give more of them, or set validation_scoring="loss".'
            )

    def _calibrate(self, held_out: TrainingData | None) -> None:
        if held_out is None:
            self.__dict__.pop("_calibration_", None)
            return
        raw = self._raw_prediction(SequenceArray(*held_out.packed))
        scored = held_out.weight > 0
        predictions = self._each_quantile(raw)[scored]
        residuals = calibration_residuals(held_out.y[scored], predictions)
        self._calibration_ = residuals.astype(predictions.dtype)

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _of_weight(data: TrainingData) -> np.ndarray:
    """Return the targets (M, K), zero where they have no weight: those may be of any size."""
    if data.weight.all():
        return data.y
    return np.where(data.weight[:, None] > 0, data.y, 0)
