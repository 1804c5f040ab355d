"""What the six estimators share: parameters, and the order of fit.

This and its two subclasses are the only places that assign fitted attributes. Every fit works on
a draft, a bare copy of the estimator, and takes the draft's attributes over in one assignment at
its very end: a fit that fails, whatever the reason, leaves the estimator as it was.
"""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer_names
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import check_consistent_length

from sklearn_rnn._compat import Interval, InvalidParameterError, StrOptions
from sklearn_rnn._data.numbers import check_sequences
from sklearn_rnn._data.step_targets import (
    flatten_steps,
    has_step_lengths,
    scored_steps,
    scored_values,
    step_weights,
)
from sklearn_rnn._data.targets import check_sample_weight, check_y_given
from sklearn_rnn._data.tokens import check_tokens
from sklearn_rnn._estimators.callbacks import CallbackFit
from sklearn_rnn._estimators.checkpoint_identity import make_writer
from sklearn_rnn._estimators.held_out import check_held_out_given, make_validate, split_off
from sklearn_rnn._estimators.insight import InsightModel
from sklearn_rnn._estimators.settings import resolve_auto
from sklearn_rnn._estimators.trainers import make_trainer
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._training.epochs import merge_duplicates
from sklearn_rnn._training.history import to_arrays
from sklearn_rnn._training.snapshot import Snapshot, Watcher
from sklearn_rnn._training.threads import single_blas_thread
from sklearn_rnn._training.trainer import TrainingResult
from sklearn_rnn.sequences import SequenceArray


class RecurrentEstimator(InsightModel, CallbackFit):
    """Base of all estimators: parameters, and the order of fit."""

    # Parameters that shapes and meaning of the weights depend on, beside the cell's.
    _layer_parameters: ClassVar[tuple[str, ...]] = (
        *("hidden_size", "num_layers", "bidirectional", "layer_norm", "residual"),
        *("learn_initial_state", "embedding_size", "pooling", "return_sequences", "head_sizes"),
    )
    _target_parameters: ClassVar[tuple[str, ...]] = ()

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "num_layers": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions({"last", "mean", "max", "attention"})],
        "head_sizes": ["array-like"],
        "layer_norm": ["boolean"],
        "residual": ["boolean"],
        "learn_initial_state": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "recurrent_dropout": [Interval(Real, 0, 1, closed="left")],
        "return_sequences": ["boolean"],
        "n_timesteps": [Interval(Integral, 1, None, closed="left"), None],
        "embedding_size": [Interval(Integral, 1, None, closed="left"), None],
        "solver": [StrOptions({"adam", "adamw", "rmsprop", "sgd", "lbfgs"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "learning_rate": [
            StrOptions({"constant", "invscaling", "adaptive", "cosine", "one_cycle"})
        ],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
        "tbptt_steps": [Interval(Integral, 1, None, closed="left"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "validation_scoring": [StrOptions({"loss", *get_scorer_names()}), callable, None],
        "average_epochs": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "checkpoint": [str, os.PathLike, None],
        "checkpoint_epochs": [Interval(Integral, 1, None, closed="left")],
        "checkpoint_seconds": [Interval(Real, 0, None, closed="left")],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterovs_momentum": ["boolean"],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
    }

    # ---- what classifiers and regressors differ in ----

    @abstractmethod
    def _check_targets(self, y: Any, classes: Any, dtype: np.dtype, first: bool) -> np.ndarray:
        """Return y as float64 (N, K); in a first fit, set what it says about the outputs."""

    @abstractmethod
    def _prepare_targets(self, data: TrainingData, first: bool) -> tuple[TrainingData, np.ndarray]:
        """Return data with final targets and weights, and the readout's initial bias (K,)."""

    @abstractmethod
    def _score_raw(self, raw: np.ndarray, data: TrainingData) -> float:
        """Return the validation score of raw predictions (N, K)."""

    @abstractmethod
    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        """Return what a validation split of targets (N, K) is stratified by, if anything."""

    @abstractmethod
    def _as_targets(self, Y: np.ndarray) -> np.ndarray:
        """Return y as a user would give it, for targets (M, K) of `_check_targets`."""

    def _calibrate(self, held_out: TrainingData | None) -> None:
        """Keep what prediction intervals need of held-out data, where there are any of either."""

    # ---- fit ----

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        groups: Any = None,
    ) -> Any:
        """Fit the network to sequences and their targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_steps) or (n_samples, n_steps, n_features), \
list of arrays of shape (n_steps_i, n_features), or SequenceArray
            The training sequences. With `embedding_size`, of tokens: a list of strings, or of
            lists or arrays (n_steps_i,) of integers or strings, or an array (n_samples, n_steps).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            One target for each sequence. With `return_sequences`, one for each step, (n_samples,
            n_steps), (n_samples, n_steps, n_outputs) or a list of (n_steps_i,) or (n_steps_i,
            n_outputs) arrays; steps whose target is missing (NaN, None or masked) are not scored.
        sample_weight : array-like of shape (n_samples,), default=None
            A weight of w counts like w copies of the sample; 0 leaves it out. With
            `return_sequences` also one weight for each step, in a container like y's.
        X_val : like X, default=None
            Validation sequences: for early stopping, instead of a part of X
            (`early_stopping="auto"` then means True), and for the calibration of a regressor's
            `predict_interval`. With `early_stopping=False` only for that. In a
            :class:`~sklearn.pipeline.Pipeline`, ``transform_input=["X_val"]`` lets them through
            the same transformers.
        y_val : like y, default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation samples.
        groups : array-like of shape (n_samples,), default=None
            Where early stopping sets a part of X aside, whole groups are: samples that resemble
            each other, such as overlapping windows of one series, then do not end on both sides.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If X, y, sample_weight or a parameter is not what it should be, or if training
            diverges in its first epoch. The estimator is then as it was before.
        TypeError
            If X is of a kind that holds no sequences, for example a sparse matrix.
        OSError
            If `checkpoint` is a file that cannot be written or read.
        """
        validation = X_val, y_val, sample_weight_val
        return self._fit_draft(X, y, sample_weight, validation=validation, groups=groups)

    def _fit_draft(self, X: Any, y: Any, sample_weight: Any, **options: Any) -> Any:
        incremental = options.get("incremental", False)
        if self._has_callbacks() and not incremental:
            self._check_parameters()
            return self._fit_with_callbacks(X, y, sample_weight, **options)
        draft = self._copy(keep_fitted=incremental or self.warm_start)
        draft._fit(X, y, sample_weight, **options)
        self.__dict__ = draft.__dict__
        return self

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        incremental: bool = False,
        classes: Any = None,
        validation: tuple[Any, Any, Any] = (None, None, None),
        groups: Any = None,
        watch: Callable[[Callable[[Snapshot], Any]], Watcher] | None = None,
    ) -> None:
        self._check_parameters()
        first = not hasattr(self, "_theta_")
        if not first:
            self._check_unchanged({"embedding_size": self.embedding_size})
        check_X = check_sequences if self.embedding_size is None else check_tokens
        sequences = check_X(self, X, n_timesteps=self.n_timesteps, reset=first)
        data = self._read_targets(X, sequences, y, sample_weight, classes, first)
        architecture = self._describe_architecture(sequences.n_features, data.y.shape[1])
        if first:
            self._architecture_ = architecture
            self.out_activation_ = self._loss().out_activation
        self._check_unchanged(architecture)

        held_out = self._read_held_out(*validation)
        seed = self._draw_seed()
        writer = None if incremental else make_writer(self, data, held_out, groups, seed)
        progress = None if writer is None else writer.open()
        if writer is not None and progress is not None:
            seed = writer.seed
        rng = self._make_generator(seed)
        data, groups = _drop_weightless(data, groups)
        n_samples = data.n_samples
        data, held_out, stops = self._set_aside(data, held_out, groups, incremental, rng)
        data = merge_duplicates(data, resolve_auto(self, "batch_size", n_samples))
        data, bias_out = self._prepare_targets(data, first)
        alpha = 0.0 if self.solver == "adamw" else self.alpha / data.weight.sum()
        network = self._make_network(alpha=alpha, masks_states=self.recurrent_dropout > 0)
        # Initial weights too: the last bits of a decomposition may depend on BLAS's threads.
        with single_blas_thread() as n_threads:
            if first:
                longest = int(sequences.lengths.max())
                theta = network.layout.initial(rng, bias_out, longest)
                theta = theta.astype(_float_dtype(sequences))
            else:
                theta = np.array(self._last_iterates()[-1])
            result = make_trainer(
                self,
                network,
                data.astype(theta.dtype),
                n_samples,
                theta,
                rng,
                incremental,
                validate=make_validate(self, network, held_out) if held_out and stops else None,
                n_threads=n_threads,
                recent=() if first else self._last_iterates(),
                watcher=watch and watch(partial(self._model_at, held_out=held_out, stops=stops)),
                writer=writer,
            ).train(progress)
        self._take_over(result, incremental)
        self._calibrate(held_out)
        _warn_of(result)

    def _model_at(self, snapshot: Snapshot, held_out: TrainingData | None, stops: bool) -> Any:
        """Return the estimator that fit would leave if it stopped at the end of this epoch."""
        model = self._copy()
        validated = held_out is not None and stops
        model._take_over(TrainingResult(snapshot, validated, "callback"), incremental=False)
        model._calibrate(held_out)
        return model

    def _read_targets(
        self,
        X: Any,
        sequences: SequenceArray,
        y: Any,
        sample_weight: Any,
        classes: Any,
        first: bool,
    ) -> TrainingData:
        """Return sequences, targets and weights; in a first fit, set what y says of the outputs."""
        check_y_given(self, sequences, y)
        packed, dtype = (sequences.values, sequences.offsets), _float_dtype(sequences)
        if not self.return_sequences:
            try:
                targets = self._check_targets(y, classes, dtype, first)
            except (TypeError, ValueError) as error:
                if not has_step_lengths(y, sequences.lengths):
                    raise
                raise ValueError(
                    "y has a target for each step of X: did you mean return_sequences=True? "
                    f"Read as one target for each sequence: {error}"
                ) from error
            return TrainingData(*packed, targets, check_sample_weight(sample_weight, len(targets)))
        flat = flatten_steps(X, sequences.lengths, y)
        scored = scored_steps(flat)
        weight = step_weights(X, sequences.lengths, sample_weight, scored)
        known = self._check_targets(scored_values(flat, scored), classes, dtype, first)
        targets = np.zeros((len(flat), known.shape[1]))
        targets[scored] = known
        return TrainingData(*packed, targets, weight, per_step=True)

    def _targets_as_trained(self, X: Any, sequences: SequenceArray, y: Any) -> TrainingData:
        """Return what a fit would train on; called on a copy, whose parameters it sets back."""
        parameters = self.get_params(deep=False)
        self.set_params(**{k: v for k, v in self._architecture_.items() if k in parameters})
        data = self._read_targets(X, sequences, y, None, None, first=False)
        return self._prepare_targets(data, first=False)[0]

    def _take_over(self, result: TrainingResult, incremental: bool) -> None:
        """Set the fitted attributes."""
        last, validated = result.last, result.validated
        n_before = getattr(self, "n_iter_", 0) if incremental else 0
        self._theta_ = last.best_theta
        self.history_ = to_arrays(last.history)
        self.history_["epoch"] += n_before
        self.n_iter_ = n_before + len(last.history)
        self.stop_reason_ = result.reason
        self.t_ = last.optimizer["t"]
        self.loss_ = last.history[-1].loss
        self.best_loss_ = None if validated else last.best
        self.best_validation_score_ = last.best if validated else None
        if incremental or self.warm_start:
            averages = self.average_epochs > 1 and not validated
            self._resume_ = {
                "solver": self.solver,
                "optimizer": last.optimizer,
                "rng": dict(last.rng),
                "recent": list(last.recent) if averages else [],
            }

    def _last_iterates(self) -> tuple[np.ndarray, ...]:
        """Return the weights at the ends of the last epochs; one, or as many as are averaged."""
        recent = self._resume_["recent"] if hasattr(self, "_resume_") else []
        return tuple(recent) or (self._theta_,)

    def _check_parameters(self) -> None:
        self._validate_params()
        for name, constraints in self._parameter_constraints.items():
            value = getattr(self, name)
            numbers = any(isinstance(constraint, Interval) for constraint in constraints)
            if numbers and isinstance(value, bool | np.bool_):
                raise InvalidParameterError(
                    f"The {name!r} parameter of {type(self).__name__} must be a number, got "
                    f"{value!r}."
                )
        if self.solver == "lbfgs" and self.return_sequences and self.tbptt_steps is not None:
            raise InvalidParameterError(
                'solver="lbfgs" updates once for all data, so with return_sequences=True it cannot '
                "update after every piece of a sequence: set tbptt_steps=None."
            )
        if self.solver == "lbfgs" and self.checkpoint is not None:
            raise InvalidParameterError(
                'solver="lbfgs" cannot go on from a checkpoint as if it had never stopped, because '
                "SciPy keeps its state to itself: set checkpoint=None, or take another solver."
            )
        if self.solver == "lbfgs" and self.average_epochs > 1:
            raise InvalidParameterError(
                'solver="lbfgs" has no noise that an average could take away: set '
                "average_epochs=1, or take another solver."
            )
        if self.solver == "lbfgs" and (self.dropout or self.recurrent_dropout):
            raise InvalidParameterError(
                'solver="lbfgs" needs the same objective at every look at it, but dropout draws '
                "another one: set dropout=0 and recurrent_dropout=0, or take another solver."
            )
        attends = self.pooling == "attention" and not self.return_sequences
        if self.tbptt_steps is not None and attends:
            raise InvalidParameterError(
                f"tbptt_steps={self.tbptt_steps} cuts sequences into pieces, but "
                'pooling="attention" weighs all steps against each other: set tbptt_steps=None, or '
                "take another pooling."
            )
        if self.tbptt_steps is not None and self.bidirectional:
            raise InvalidParameterError(
                f"tbptt_steps={self.tbptt_steps} needs bidirectional=False: the reverse direction "
                "starts at the end of a sequence, and cannot carry its state from the pieces "
                "before. Set tbptt_steps=None."
            )

    def _describe_architecture(self, input_size: int, n_outputs: int) -> dict[str, Any]:
        """Return what the weights' shapes and meaning depend on, as plain values."""
        chosen = {name: getattr(self, name) for name in self._architecture_names()}
        chosen["head_sizes"] = self._head_sizes()
        return {**chosen, "input_size": input_size, "n_outputs": n_outputs}

    @classmethod
    def _architecture_names(cls) -> tuple[str, ...]:
        return (*cls._layer_parameters, *cls._cell_parameters, *cls._target_parameters)

    def _head_sizes(self) -> tuple[int, ...]:
        """Return the widths of the head's layers; raise InvalidParameterError if they are none."""
        sizes = tuple(self.head_sizes)
        integers = all(isinstance(n, Integral) and not isinstance(n, bool) for n in sizes)
        if integers and min(sizes, default=1) >= 1:
            return tuple(int(size) for size in sizes)
        raise InvalidParameterError(
            "head_sizes must hold the width of each dense layer, integers of at least 1, for "
            f"example (32,), or nothing; got {self.head_sizes!r}."
        )

    def _check_unchanged(self, architecture: dict[str, Any]) -> None:
        for name, now in architecture.items():
            if now != self._architecture_[name]:
                raise ValueError(
                    f"{type(self).__name__} was fitted with {name}={self._architecture_[name]!r} "
                    f"and cannot go on with {name}={now!r}; fit anew with warm_start=False."
                )

    def _draw_seed(self) -> int | None:
        """Return what the random numbers of this fit begin with; None where they go on."""
        if hasattr(self, "_resume_"):
            return None
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _make_generator(self, seed: int | None) -> np.random.Generator:
        """Return the Generator of this fit; where training goes on, in the state it stopped in."""
        rng = np.random.default_rng(seed)
        if hasattr(self, "_resume_"):
            rng.bit_generator.state = self._resume_["rng"]
        return rng

    def _read_held_out(self, X_val: Any, y_val: Any, sample_weight_val: Any) -> TrainingData | None:
        """Return the validation data that fit was given, if any."""
        if not check_held_out_given(X_val, y_val, sample_weight_val):
            return None
        try:
            check_X = check_tokens if self._reads_tokens else check_sequences
            sequences = check_X(
                self, X_val, n_timesteps=self.n_timesteps_in_ or self.n_timesteps, reset=False
            )
            held_out = self._read_targets(X_val, sequences, y_val, sample_weight_val, None, False)
            return held_out.take(held_out.weighty())
        except (TypeError, ValueError) as error:
            error.add_note("This is about the validation data, X_val, y_val and sample_weight_val.")
            raise

    def _set_aside(
        self,
        data: TrainingData,
        held_out: TrainingData | None,
        groups: Any,
        incremental: bool,
        rng: np.random.Generator,
    ) -> tuple[TrainingData, TrainingData | None, bool]:
        """Return training data, held-out data, and whether these stop the training."""
        stops = not incremental and self._stops_early(data.n_samples, held_out is not None)
        if stops and held_out is None:
            data, held_out = self._split(data, rng, groups)
        return data, held_out, stops

    def _stops_early(self, n_samples: int, validation_given: bool) -> bool:
        if self.early_stopping == "auto" and validation_given:
            return True
        return bool(resolve_auto(self, "early_stopping", n_samples))

    def _split(
        self, data: TrainingData, rng: np.random.Generator, groups: np.ndarray | None
    ) -> tuple[TrainingData, TrainingData]:
        """Return training and validation data for early stopping."""
        strata = None if data.per_step else self._strata(data.y)
        return split_off(data, self.validation_fraction, rng, strata=strata, groups=groups)


def _drop_weightless(data: TrainingData, groups: Any) -> tuple[TrainingData, np.ndarray | None]:
    """Return data and groups, which are checked, without samples that have no weight."""
    if groups is not None:
        groups = column_or_1d(groups)
        check_consistent_length(groups, np.empty(data.n_samples))
    weighty = data.weighty()
    if len(weighty) == data.n_samples:
        return data, groups
    return data.take(weighty), None if groups is None else groups[weighty]


def _warn_of(result: TrainingResult) -> None:
    """Warn if training ended before its time."""
    if result.reason in ("diverged", "interrupted"):
        what = "diverged" if result.reason == "diverged" else "was interrupted"
        n_iter = len(result.last.history)
        warnings.warn(
            f"Training {what} in epoch {n_iter + 1}: the model is that of the end of epoch "
            f"{n_iter}.",
            ConvergenceWarning,
            stacklevel=5,
        )


def _float_dtype(sequences: SequenceArray) -> np.dtype:
    """Return the dtype of the computation: that of the values; float64 for codes of tokens."""
    return sequences.dtype if sequences.dtype.kind == "f" else np.dtype(np.float64)
