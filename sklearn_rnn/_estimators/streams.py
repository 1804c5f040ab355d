"""Predictions while sequences are still growing: one step at a time, or after every step.

A state belongs to one set of weights. It keeps hold of a bare copy of the estimator that made
it, and of that copy's weights made ready for single steps, so that a step need not make them
again, nothing has to be kept on the estimator, and a refit in between cannot mix two models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar, cast

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.state import RecurrentState, same_fit
from sklearn_rnn._core.stepper import Stepper
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._data.refusals import with_article
from sklearn_rnn._estimators.mixin import MixedIntoFittedModel
from sklearn_rnn._running.prediction import run_each_step, run_from_state
from sklearn_rnn._typing import Observation, SequencesLike
from sklearn_rnn.sequences import SequenceArray

Model = TypeVar("Model")


@dataclass(frozen=True)
class LiveOrigin(Generic[Model]):
    """The fit that states belong to: a bare copy of the estimator, ready for single steps."""

    model: Model
    stepper: Stepper

    @property
    def theta(self) -> Array:
        """The weights; an estimator recognizes its own states by them."""
        return self.stepper.theta

    @property
    def fingerprint(self) -> bytes:
        """A hash of architecture and weights; equal in all copies of the same fit."""
        return self.stepper.fingerprint


class Streams(MixedIntoFittedModel):
    """Mixin: what a fitted model does step by step."""

    def step(
        self, x_t: Observation, state: RecurrentState | None = None
    ) -> tuple[Any, RecurrentState]:
        """Take one more observation of one or many streams.

        The prediction is that of `predict` for each stream's whole sequence so far, at the cost
        of one step.

        Parameters
        ----------
        x_t : array-like of shape (n_features,) or (n_streams, n_features)
            What one stream, or each of many, shows at this step.
            With `embedding_size` a token, or (n_streams,) of them.
        state : RecurrentState, default=None
            What the call before returned; None where streams begin.

        Returns
        -------
        prediction : scalar or ndarray of shape (n_outputs,), or \
ndarray of shape (n_streams,) or (n_streams, n_outputs)
            Label or target of the one stream, or of each.
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
        return model._prediction(raw)[key], state

    def predict_prefixes(self, X: SequencesLike) -> Array:
        """Return what `predict` would answer after each step of each sequence, in one pass.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.

        Returns
        -------
        y : ndarray of shape (n_samples, n_steps) or (n_samples, n_steps, n_outputs), or object \
ndarray of shape (n_samples,)
            The answer for the first t + 1 steps at position t. An array for a 2-D X or a 3-D one
            without padding; otherwise an array (n_steps_i,) or (n_steps_i, n_outputs) for
            each sequence.

        Raises
        ------
        ValueError
            If the model is bidirectional, or X is not what it should be.
        """
        model, sequences, raw = self._run_each_step(X)
        return model._arrange_steps(X, sequences, model._prediction(raw))

    def _step(
        self, x_t: Any, state: RecurrentState | None
    ) -> tuple[Self, Array, RecurrentState, Any]:
        """Return the model, its raw predictions (n, K), the next state, and which rows to give."""
        origin = self._origin_of(state)
        model, stepper = origin.model, origin.stepper
        if model._reads_tokens:
            x = model._encode_observed_tokens(x_t)
        else:
            n_features = model._architecture_["input_size"]
            x = model._read_observation(x_t, n_features, stepper.theta.dtype)
        x, key = (x[:, None], 0) if x.ndim == 1 else (x.T, slice(None))
        state = _check_streams(state, x.shape[1], origin)
        try:
            raw, state = stepper.step(x, state, origin)
        except (FloatingPointError, RuntimeWarning):
            # Overflow and underflow are no errors, whatever the caller has told NumPy and
            # warnings. Entering errstate at every step would make it 1 µs, or a tenth, longer.
            with np.errstate(all="ignore"):
                raw, state = stepper.step(x, state, origin)
        return model, raw.T, state, key

    def _run_each_step(self, X: Any) -> tuple[Self, SequenceArray, Array]:
        """Return the model, the sequences of X, and raw predictions (sum of T_i, K)."""
        origin = self._origin_of(None)
        sequences = origin.model._read(X)
        return (
            origin.model,
            sequences,
            run_each_step(origin.stepper, sequences.values, sequences.offsets),
        )

    def _answer(
        self,
        X: Any,
        finish: Callable[[Self, Array], Array],
        initial_state: RecurrentState | None = None,
        return_state: bool = False,
    ) -> Any:
        """Return finish(model, raw predictions), and perhaps the state after them."""
        if initial_state is None and not return_state:
            return super()._answer(X, finish)
        origin = self._origin_of(initial_state)
        model = origin.model
        sequences = model._read(X)
        state = _check_streams(initial_state, len(sequences), origin)
        arrays = sequences.values, sequences.offsets
        raw, state = run_from_state(origin.stepper, *arrays, state, origin)
        answer = model._arrange(X, sequences, finish(model, raw))
        return (answer, state) if return_state else answer

    def _origin_of(self, state: RecurrentState | None) -> LiveOrigin[Self]:
        """Return the origin that continues `state`, or a new one; refuse another fit's state."""
        if state is not None:
            if not isinstance(state, RecurrentState):
                raise TypeError(
                    f"a state must be the RecurrentState that an earlier call returned, or None "
                    f"where sequences begin; got {with_article(state)}."
                )
            if hasattr(self, "_theta_") and state._origin.theta is self._theta_:
                return cast("LiveOrigin[Self]", state._origin)
        check_is_fitted(self)
        model = self._copy()
        fitted = model._architecture_
        if fitted["bidirectional"]:
            raise ValueError(
                f"This {type(self).__name__} is bidirectional: its reverse direction starts at "
                "a sequence's end, so there is no answer, and no state to go on from, before "
                "the end has been seen. Fit it with bidirectional=False."
            )
        origin = LiveOrigin(model, Stepper(model._make_network(), model._theta_))
        if state is not None and not same_fit(origin, state._origin):
            raise ValueError(
                f"This state is of another model or another fit, with other weights than this "
                f"{type(self).__name__}: start anew with None."
            )
        return origin


def _check_streams(
    state: RecurrentState | None, n_streams: int, origin: LiveOrigin[Any]
) -> RecurrentState:
    """Return `state` if it has n_streams streams; if it is None, return a start state."""
    if state is None:
        return origin.stepper.start(n_streams, origin)
    if len(state) != n_streams:
        raise ValueError(
            f"The state is that of {len(state)} stream(s), but {n_streams} were given: select "
            "with state[...] those that go on, and join others with RecurrentState.concatenate."
        )
    return state
