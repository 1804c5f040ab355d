"""The base class of the six estimators: their parameters, and the steps of `fit`.

This and its two subclasses are the only places that assign fitted attributes. Every fit works on
a draft, a bare copy of the estimator, and takes the draft's attributes over in one assignment at
its very end: a fit that fails, whatever the reason, leaves the estimator as it was.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state

from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._data.scale import warn_of_scale
from sklearn_rnn._data.targets import check_groups, check_y_given
from sklearn_rnn._data.tokens import without_unseen
from sklearn_rnn._estimators.attribution import Attribution
from sklearn_rnn._estimators.callbacks import Callbacks
from sklearn_rnn._estimators.checkpoint_identity import identify
from sklearn_rnn._estimators.fitted import FittedModel
from sklearn_rnn._estimators.held_out import (
    Score,
    UserScore,
    check_held_out_given,
    check_scores_steps,
    give_back,
    held_out_loss,
    make_validate,
    split_off,
)
from sklearn_rnn._estimators.insight import Insight
from sklearn_rnn._estimators.interrupts import is_one_of_many
from sklearn_rnn._estimators.outcome import loss_of_constant, warn_of_result
from sklearn_rnn._estimators.parameters import (
    CONSTRAINTS,
    check_head_sizes,
    check_numbers,
    check_together,
)
from sklearn_rnn._estimators.request import FitRequest, Given, Sides, Start, dtype_of_weights
from sklearn_rnn._estimators.settings import Settings
from sklearn_rnn._estimators.streams import Streams
from sklearn_rnn._estimators.targets import read_step_targets, read_targets
from sklearn_rnn._running.jobs import count_jobs
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._running.threads import single_blas_thread
from sklearn_rnn._training.batches import merge_duplicates
from sklearn_rnn._training.checkpoints import Checkpoint, CheckpointWriter
from sklearn_rnn._training.history import to_arrays
from sklearn_rnn._training.lbfgs import LbfgsTrainer
from sklearn_rnn._training.optimizers import Optimizer
from sklearn_rnn._training.snapshot import Snapshot
from sklearn_rnn._training.trainer import Trainer, TrainingResult, Validate
from sklearn_rnn._typing import ArrayOrList, SequencesLike
from sklearn_rnn.sequences import SequenceArray


class RecurrentEstimator(Streams, Insight, Attribution, Callbacks, FittedModel):
    """Base of all estimators: parameters, and the order of fit."""

    # Parameters that shapes and meaning of the weights depend on, beside the cell's.
    _layer_parameters: ClassVar[tuple[str, ...]] = (
        *("hidden_size", "num_layers", "bidirectional", "layer_norm", "residual"),
        *("learn_initial_state", "embedding_size", "pooling", "return_sequences", "head_sizes"),
    )
    _target_parameters: ClassVar[tuple[str, ...]] = ()

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS

    # ---- what classifiers and regressors differ in ----

    @abstractmethod
    def _check_targets(self, y: Any, classes: Any, dtype: np.dtype, first: bool) -> np.ndarray:
        """Return y as float64 (N, K); a first fit also sets attributes about the outputs."""

    @abstractmethod
    def _prepare_targets(self, data: TrainingData, first: bool) -> tuple[TrainingData, np.ndarray]:
        """Return data with final targets and weights, and the readout's initial bias (K,)."""

    @abstractmethod
    def _score_raw(self, raw: np.ndarray, data: TrainingData) -> float:
        """Return the validation score of raw predictions (N, K)."""

    @abstractmethod
    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        """Return the class of each sample, by which a validation split is stratified, or None."""

    @abstractmethod
    def _as_targets(self, Y: np.ndarray) -> np.ndarray:
        """Return y as a user would give it, for targets (M, K) of `_check_targets`."""

    def _check_scorable(self, held_out: TrainingData) -> None:
        """Raise a ValueError if the validation score is not defined for these data."""

    def _adopt_unit(self, data: TrainingData, all_data: bool) -> Array | None:
        """Give the targets of a continued training another unit, if they need one.

        `all_data` is False for a part of a stream. Return what gradients are multiplied by in that
        unit (size,), or None if it is the old one.
        """
        return None

    def _calibrate(self, held_out: TrainingData | None) -> None:
        """Store the errors on held-out data, from which prediction intervals are made."""

    # ---- fit ----

    def fit(
        self,
        X: SequencesLike,
        y: SequencesLike,
        sample_weight: ArrayOrList | None = None,
        *,
        X_val: SequencesLike | None = None,
        y_val: SequencesLike | None = None,
        sample_weight_val: ArrayOrList | None = None,
        groups: ArrayOrList | None = None,
    ) -> Self:
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
            `predict_interval`. With `early_stopping=False` they have no say in training, and
            `history_` has their loss after each epoch. In a :class:`~sklearn.pipeline.Pipeline`,
            ``transform_input=["X_val"]`` lets them through the same transformers.
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
        return self._fit_draft(
            FitRequest(X, y, sample_weight, X_val, y_val, sample_weight_val, groups)
        )

    def _fit_draft(self, request: FitRequest) -> Self:
        """Fit a copy, and take its attributes over if that succeeds."""
        if self._has_callbacks() and not request.incremental:
            self._check_parameters()
            return self._fit_with_callbacks(request)
        draft = self._copy(keep_fitted=request.incremental or self.warm_start)
        draft._fit(request)
        self.__dict__ = draft.__dict__
        return self

    def _fit(self, request: FitRequest) -> None:
        """Fit this estimator, which is a draft: set the fitted attributes."""
        self._check_parameters()
        given = self._read_request(request)
        start = self._start(given, request)
        settings = self._settings(given)
        sides = self._set_aside(given, settings, start, request)
        self._warn_of_scale(sides, start, request)
        result, constant = self._train(sides, settings, start, request)
        if result.reason == "interrupted" and is_one_of_many():
            raise KeyboardInterrupt
        self._take_over(result, request.incremental)
        with single_blas_thread():  # the same bits with any number of threads
            self._calibrate(sides.held_out)
        warn_of_result(result, constant)

    # ---- the steps of a fit, in their order ----

    def _check_parameters(self) -> None:
        self._validate_params()
        parameters = self.get_params(deep=False)
        check_numbers(parameters, self._parameter_constraints, type(self).__name__)
        check_together(parameters)

    def _read_request(self, request: FitRequest) -> Given:
        """Return the data as arrays; a first fit also sets the attributes that describe X and y."""
        first = not hasattr(self, "_theta_")
        if not first:
            self._check_unchanged({"embedding_size": self.embedding_size})
        read = self._read_numbers if self.embedding_size is None else self._encode_tokens
        sequences = read(request.X, n_timesteps=self.n_timesteps, reset=first)
        X, y, weight = request.X, request.y, request.sample_weight
        data = self._read_targets(X, sequences, y, weight, request.classes, first)
        if first:
            data = self._forget_left_out(data)
        architecture = self._describe_architecture(sequences.n_features, data.y.shape[1])
        if first:
            self._architecture_ = architecture
            self.out_activation_ = self._loss().out_activation
            if self.embedding_size is None and not (self.n_timesteps or self.return_sequences):
                self._warn_of_long_table(X)
        self._check_unchanged(architecture)
        held_out = self._read_held_out(request)
        return Given(data, held_out, check_groups(request.groups, data.n_samples))

    def _start(self, given: Given, request: FitRequest) -> Start:
        """Return where training starts: at the beginning, at a model, or at a checkpoint."""
        seed = self._draw_seed()
        writer = None if request.incremental else self._make_writer(given, seed)
        progress = None if writer is None else writer.open()
        if writer is not None and progress is not None:
            seed = writer.seed
        rng = np.random.default_rng(seed)
        if hasattr(self, "_resume_"):  # the random numbers go on where they stopped
            rng.bit_generator.state = self._resume_["rng"]
        is_first = not hasattr(self, "_theta_")
        longest = int(given.data.lengths[given.weighty].max())
        return Start(is_first, given.dtype, longest, rng, writer, progress)

    def _settings(self, given: Given) -> Settings:
        """Return the settings of this fit, in which no "auto" is left."""
        return Settings.of(
            self.get_params(deep=False),
            len(given.weighty),
            validation_given=given.held_out is not None,
        )

    def _set_aside(
        self, given: Given, settings: Settings, start: Start, request: FitRequest
    ) -> Sides:
        """Divide the samples, without those of no weight, into training and held-out ones."""
        data, groups = given.with_weight()
        stops = bool(settings.early_stopping) and not request.incremental
        if not stops or given.held_out is not None:
            return Sides(data, given.held_out, stops)
        strata = None if data.per_step else self._strata(data.y)
        fraction = settings.validation_fraction
        parts = split_off(data, fraction, start.rng, strata=strata, groups=groups)
        return Sides(*parts, stops)

    def _warn_of_scale(self, sides: Sides, start: Start, request: FitRequest) -> None:
        """Warn of features that the network learns poorly from, but not in each partial_fit."""
        if not (self._reads_tokens or (request.incremental and not start.first)):
            data = sides.training
            warn_of_scale(data.values, int(data.lengths.max()), self._names_of_features())

    def _train(
        self, sides: Sides, settings: Settings, start: Start, request: FitRequest
    ) -> tuple[TrainingResult, float]:
        """Train the network; return weights and history, and the loss of a constant prediction."""
        # Initial weights and targets too: the last bits of a decomposition, or of a long sum of
        # products, may depend on the number of BLAS threads.
        with single_blas_thread() as n_threads:
            data = merge_duplicates(sides.training, settings.batch_size)
            factors = None if start.first else self._adopt_unit(data, not request.incremental)
            data, bias_out = self._prepare_targets(data, start.first)
            network = self._make_network(
                alpha=settings.penalty / data.weight.sum(),
                masks_states=settings.recurrent_dropout > 0,
            )
            theta = self._initial_weights(network, bias_out, start)
            run = LbfgsTrainer if settings.solver == "lbfgs" else Trainer
            trainer = run(
                network=network,
                data=data.astype(theta.dtype),
                options=settings.options(incremental=request.incremental),
                theta=theta,
                optimizer=self._make_optimizer(settings, theta, network, factors),
                schedule=settings.schedule(incremental=request.incremental),
                rng=start.rng,
                validate=self._make_validate(network, sides, settings.validation_scoring),
                record=self._make_record(network, sides),
                n_threads=min(n_threads, 2),  # more do not gain: see the crew
                n_jobs=count_jobs(self.n_jobs),
                recent=() if start.first else self._last_iterates(),
                watcher=request.watch and request.watch(partial(self._model_at, sides=sides)),
                writer=start.writer,
            )
            constant = loss_of_constant(network, data, bias_out, theta)
            return trainer.train(start.progress), constant

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
        if incremental or self.warm_start:  # what a later fit needs, beside the weights, to go on
            averages = self.average_epochs > 1 and not validated
            self._resume_ = {
                "solver": self.solver,
                "optimizer": last.optimizer,
                "rng": dict(last.rng),
                "recent": list(last.recent) if averages else [],
            }

    # ---- reading ----

    def _read_targets(
        self,
        X: Any,
        sequences: SequenceArray,
        y: Any,
        sample_weight: Any,
        classes: Any,
        first: bool,
    ) -> TrainingData:
        """Return sequences, targets and weights; a first fit also sets the output attributes."""
        check_y_given(sequences, y, type(self).__name__)
        dtype = dtype_of_weights(sequences.dtype)
        check = partial(self._check_targets, classes=classes, dtype=dtype, first=first)
        if self.return_sequences:
            return read_step_targets(X, sequences, y, sample_weight, check)
        return read_targets(sequences, y, sample_weight, check)

    def _forget_left_out(self, data: TrainingData) -> TrainingData:
        """Return the data of a first fit, and note their form, as if all samples had a weight."""
        index = data.weighty()
        if len(index) == data.n_samples:
            return data
        self._note_lengths(data.lengths[index])
        if self.embedding_size is None:
            return data
        seen = data.take(index).values
        codes, self.vocabulary_ = without_unseen(data.values, seen, self.vocabulary_)
        return replace(data, values=codes)

    def _targets_as_trained(self, X: Any, sequences: SequenceArray, y: Any) -> TrainingData:
        """Return the data as a fit would see them; sets parameters, so call it on a copy."""
        parameters = self.get_params(deep=False)
        self.set_params(**{k: v for k, v in self._architecture_.items() if k in parameters})
        data = self._read_targets(X, sequences, y, None, None, first=False)
        return self._prepare_targets(data, first=False)[0]

    def _read_held_out(self, request: FitRequest) -> TrainingData | None:
        """Return the validation data that fit was given, if any."""
        X, y, weight = request.X_val, request.y_val, request.sample_weight_val
        if not check_held_out_given(X, y, weight):
            return None
        try:
            read = self._encode_tokens if self._reads_tokens else self._read_numbers
            n_timesteps = self.n_timesteps_in_ or self.n_timesteps
            sequences = read(X, n_timesteps=n_timesteps, reset=False)
            held_out = self._read_targets(X, sequences, y, weight, None, False)
            return held_out.take(held_out.weighty())
        except (TypeError, ValueError) as error:
            error.add_note("This is about the validation data, X_val, y_val and sample_weight_val.")
            raise

    # ---- what may not change between fits ----

    def _describe_architecture(self, input_size: int, n_outputs: int) -> dict[str, Any]:
        """Return the values that determine the shapes and the meaning of the weights."""
        chosen = {name: getattr(self, name) for name in self._architecture_names()}
        chosen["head_sizes"] = check_head_sizes(self.head_sizes)
        return {**chosen, "input_size": input_size, "n_outputs": n_outputs}

    @classmethod
    def _architecture_names(cls) -> tuple[str, ...]:
        return (*cls._layer_parameters, *cls._cell_parameters, *cls._target_parameters)

    def _check_unchanged(self, architecture: dict[str, Any]) -> None:
        for name, now in architecture.items():
            if now != self._architecture_[name]:
                raise ValueError(
                    f"{type(self).__name__} was fitted with {name}={self._architecture_[name]!r} "
                    f"and cannot go on with {name}={now!r}; fit anew with warm_start=False."
                )

    # ---- the start ----

    def _draw_seed(self) -> int | None:
        """Return the seed of this fit; None where training continues with its random numbers."""
        if hasattr(self, "_resume_"):
            return None
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _make_writer(self, given: Given, seed: int | None) -> CheckpointWriter | None:
        """Return the writer of this fit's checkpoint, or None without one."""
        if self.checkpoint is None:
            return None
        identity = identify(
            type(self).__name__,
            self.get_params(deep=False),
            given,
            seed=seed,
            theta=getattr(self, "_theta_", None),
            resume=getattr(self, "_resume_", None),
        )
        where = self.checkpoint
        checkpoint = where if isinstance(where, Checkpoint) else Checkpoint(where)
        return CheckpointWriter(checkpoint, identity, seed)

    def _initial_weights(self, network: Network, bias_out: Array, start: Start) -> Array:
        """Return the weights that the first update starts from."""
        if not start.first:
            return np.array(self._last_iterates()[-1])
        theta = network.layout.initial(start.rng, bias_out, start.longest)
        return theta.astype(start.dtype)

    def _last_iterates(self) -> tuple[Array, ...]:
        """Return the weights at the ends of the last epochs; one, or as many as are averaged."""
        recent = self._resume_["recent"] if hasattr(self, "_resume_") else []
        return tuple(recent) or (self._theta_,)

    def _make_optimizer(
        self, settings: Settings, theta: Array, network: Network, factors: Array | None
    ) -> Optimizer:
        """Return the solver's optimizer, in its former state where training continues.

        That state is changed as if all gradients had been `factors` times as large.
        """
        optimizer = settings.optimizer(theta, network.layout.penalized)
        resume = getattr(self, "_resume_", None)
        if resume is not None and resume["solver"] == settings.solver:
            optimizer.restore(resume["optimizer"])
            if factors is not None:
                optimizer.rescale(factors)
        return optimizer

    # ---- validation ----

    def _make_validate(self, network: Network, sides: Sides, scoring: Any) -> Validate | None:
        """Return the function that scores weights on the held-out samples, or None without one."""
        if not sides.stops:
            return None
        held_out = sides.held_out
        assert held_out is not None
        if scoring is None:
            self._check_scorable(held_out)
        prepared = self._prepare_held_out(held_out, needed=scoring == "loss")
        return make_validate(network, held_out, prepared, self._make_score(held_out, scoring))

    def _make_record(self, network: Network, sides: Sides) -> Callable[[Array], float] | None:
        """Return the loss of weights on held-out samples that have no say, or None without any."""
        if sides.stops or sides.held_out is None:
            return None
        prepared = self._prepare_held_out(sides.held_out, needed=False)
        return None if prepared is None else partial(held_out_loss, network, prepared)

    def _prepare_held_out(self, held_out: TrainingData, *, needed: bool) -> TrainingData | None:
        """Return held-out data with final targets and weights, for which the loss is defined.

        If class_weight leaves no sample a weight, return None, or raise a ValueError if `needed`.
        """
        try:
            return self._prepare_targets(held_out, first=False)[0]
        except ValueError:
            if needed:
                raise
            return None

    def _make_score(self, held_out: TrainingData, scoring: Any) -> Score | None:
        """Return the validation score as a function; None stands for minus the loss."""
        if scoring == "loss":
            return None
        if scoring is None:
            return lambda theta, raw: self._score_raw(raw, held_out)
        if held_out.per_step:
            check_scores_steps(scoring)
        scorer = check_scoring(self, scoring=scoring)
        data = give_back(
            held_out,
            self._as_targets(held_out.y),
            flat=self._input_kind_ == "flat",
            vocabulary=self.vocabulary_ if self._reads_tokens else None,
        )
        return UserScore(scorer, scoring, self._with_weights, *data)

    def _model_at(self, snapshot: Snapshot, sides: Sides) -> Self:
        """Return the estimator that fit would leave if it stopped at the end of this epoch."""
        model = self._copy()
        model._take_over(TrainingResult(snapshot, sides.stops, "callback"), incremental=False)
        model._calibrate(sides.held_out)
        return model
