"""Support for scikit-learn's callbacks (since 1.9): they are called for a fit and its epochs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Self

from sklearn.base import BaseEstimator

from sklearn_rnn._compat import CallbackSupportMixin, with_callbacks
from sklearn_rnn._estimators.mixin import MixedIntoFittedModel
from sklearn_rnn._estimators.request import FitRequest
from sklearn_rnn._training.snapshot import Snapshot

# What scikit-learn hangs on an estimator while it fits.
_CONTEXTS = ("_callback_fit_ctx", "_parent_callback_ctx", "_skl_callbacks_to_teardown")


class EpochTasks:
    """The epochs of one fit as tasks of its callbacks.

    Parameters
    ----------
    context : CallbackContext
        Of the whole fit.
    arguments : dict
        The estimator, X, y and metadata, as the user gave them.
    model_at : callable Snapshot -> fitted estimator
        Called only where a callback asks for the model.
    """

    def __init__(
        self, context: Any, arguments: dict[str, Any], model_at: Callable[[Snapshot], BaseEstimator]
    ) -> None:
        self._context, self._arguments, self._model_at = context, arguments, model_at
        self._is_first = True

    def begin(self, snapshot: Snapshot | None) -> None:
        """Tell callbacks that an epoch begins."""
        if self._is_first and snapshot is not None:  # so that the epochs' numbers go on
            for _ in snapshot.history:
                self._context.subcontext(task_name="epoch")
        self._is_first = False
        self._task = self._context.subcontext(task_name="epoch")
        attributes = None if snapshot is None else partial(self._attributes, snapshot)
        self._task.call_on_fit_task_begin(**self._arguments, reconstruction_attributes=attributes)

    def end(self, snapshot: Snapshot) -> bool:
        """Tell callbacks that an epoch has ended; return whether one of them says to stop."""
        attributes = partial(self._attributes, snapshot)
        return bool(
            self._task.call_on_fit_task_end(**self._arguments, reconstruction_attributes=attributes)
        )

    def _attributes(self, snapshot: Snapshot) -> dict[str, Any]:
        return reconstruction_attributes(self._model_at(snapshot))


def reconstruction_attributes(model: BaseEstimator) -> dict[str, Any]:
    """Return the attributes of `model`, from which scikit-learn makes `fitted_estimator`."""
    kept = {name: value for name, value in vars(model).items() if name not in _CONTEXTS}
    return {"__dict__": kept}


class Callbacks(CallbackSupportMixin, MixedIntoFittedModel):
    """Mixin: calls scikit-learn's callbacks during a fit.

    They see the estimator that fit was called on, which is as it was before until the very end.
    """

    @abstractmethod
    def _fit(self, request: FitRequest) -> None:
        """Fit this estimator, which is a draft: set the fitted attributes."""

    def _has_callbacks(self) -> bool:
        return bool(getattr(self, "_skl_callbacks", None))

    def _fit_with_callbacks(self, request: FitRequest) -> Self:
        before = dict(vars(self))
        try:
            return self._fit_in_context(request)
        except BaseException:
            self.__dict__ = before
            raise

    @with_callbacks
    def _fit_in_context(self, request: FitRequest) -> Self:
        weight = request.sample_weight
        metadata = None if weight is None else {"sample_weight": weight}
        context = self._init_callback_context(max_subtasks=self.max_iter)
        arguments = {"estimator": self, "X": request.X, "y": request.y, "metadata": metadata}
        context.call_on_fit_task_begin(**arguments)
        draft = self._copy(keep_fitted=self.warm_start)
        draft._fit(replace(request, watch=partial(EpochTasks, context, arguments)))
        context.call_on_fit_task_end(
            **arguments, reconstruction_attributes=partial(reconstruction_attributes, draft)
        )
        self.__dict__ = draft.__dict__  # with the contexts, which scikit-learn then takes away
        return self
