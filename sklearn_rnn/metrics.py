"""Use any scikit-learn metric when there is a target for each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import MetadataRequest

from sklearn_rnn._data.step_targets import align_steps
from sklearn_rnn._typing import ArrayOrList, SequencesLike

__all__ = ["make_sequence_scorer"]

ResponseMethod = Literal["predict", "predict_proba", "predict_log_proba", "decision_function"]
RESPONSE_METHODS: tuple[ResponseMethod, ...] = get_args(ResponseMethod)


def make_sequence_scorer(
    metric: Callable[..., float],
    *,
    response_method: ResponseMethod = "predict",
    greater_is_better: bool = True,
    **kwargs: Any,
) -> SequenceScorer:
    """Make a scorer from a scikit-learn metric, for data with a target for each step.

    The targets and the answers of all steps that have a target are laid one below the other, and
    the metric compares them: every scored step counts alike, however long its sequence is.

    Parameters
    ----------
    metric : callable
        A function of (y_true, y_pred), and of `sample_weight` where weights are given: any
        metric of :mod:`sklearn.metrics`, or your own. It sees arrays of shape (n_scored_steps,)
        or (n_scored_steps, n_outputs).
    response_method : {"predict", "predict_proba", "predict_log_proba", "decision_function"}, \
default="predict"
        The method of the estimator whose answers the metric compares with y. As in
        scikit-learn, it sees of the probabilities of two classes those of the second one, or,
        among `kwargs`, of `pos_label`.
    greater_is_better : bool, default=True
        False for a loss or an error: then the score is its negative.
    **kwargs : dict
        More arguments of the metric, for example ``average="macro"``, or ``labels=`` for a metric
        of probabilities, since a fold may lack a rare class.

    Returns
    -------
    scorer : callable estimator, X, y, sample_weight=None -> float
        For `scoring=`, of :func:`~sklearn.model_selection.cross_val_score`, of
        :class:`~sklearn.model_selection.GridSearchCV` (alone or in a dict of scorers), of
        :func:`~sklearn.inspection.permutation_importance`. The estimator has
        ``return_sequences=True``, or is a pipeline that ends in such a one. X, y and
        sample_weight are what its `fit` takes.

    Raises
    ------
    ValueError
        If `response_method` is none of the four.
    TypeError
        If `metric` is no function, but for example a name.

    See Also
    --------
    sklearn.metrics.make_scorer : The same where each sequence has one target.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import f1_score
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn_rnn import GRUClassifier, make_sequence_scorer
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(rng.integers(3, 9), 1)) for _ in range(60)]
    >>> y = [np.where(x[:, 0].cumsum() > 0, "above", "below") for x in X]
    >>> model = GRUClassifier(8, return_sequences=True, max_iter=50, random_state=0)
    >>> scorer = make_sequence_scorer(f1_score, pos_label="above")
    >>> scores = cross_val_score(model, X, y, scoring=scorer, cv=3)
    >>> bool(scores.min() > 0.8)
    True
    """
    if not callable(metric):
        raise TypeError(
            f"metric must be a function of (y_true, y_pred), for example sklearn.metrics.f1_score, "
            f"got {metric!r}."
        )
    if response_method not in RESPONSE_METHODS:
        raise ValueError(
            f"response_method must be one of {', '.join(RESPONSE_METHODS)}, "
            f"got {response_method!r}."
        )
    return SequenceScorer(metric, response_method, greater_is_better, kwargs)


@dataclass(eq=False, repr=False)
class SequenceScorer:
    """What `make_sequence_scorer` makes: a metric, and how it is asked.

    `weight_request` is what metadata routing is told about sample_weight: True, False, None or
    the name under which it comes.
    """

    metric: Callable[..., float]
    response_method: ResponseMethod
    greater_is_better: bool
    kwargs: Mapping[str, Any]
    weight_request: bool | str | None = None

    def __call__(
        self,
        estimator: BaseEstimator,
        X: SequencesLike,
        y: SequencesLike,
        sample_weight: ArrayOrList | None = None,
    ) -> float:
        """Return the score of an estimator's answers at all steps of X that have a target."""
        answers = getattr(estimator, self.response_method)(X)
        if answers.ndim == 1 and not isinstance(answers[0], np.ndarray):
            raise ValueError(
                f"{self!r} is for an answer at every step, but {type(estimator).__name__} gives "
                "one for each sequence: use sklearn.metrics.make_scorer, or fit with "
                "return_sequences=True."
            )
        y, answers, weight = align_steps(X, y, answers, sample_weight)
        answers = self._of_positive_class(estimator, y, answers)
        weights = {} if weight is None else {"sample_weight": weight}
        score = self.metric(y, answers, **{**self.kwargs, **weights})
        return score if self.greater_is_better else -score

    def set_score_request(self, *, sample_weight: bool | str | None) -> Self:
        """Say whether metadata routing shall pass sample_weight on."""
        self.weight_request = sample_weight
        return self

    def get_metadata_routing(self) -> MetadataRequest:
        """Return what scikit-learn's metadata routing asks for."""
        request = MetadataRequest(owner=self)
        request.score.add_request(param="sample_weight", alias=self.weight_request)
        return request

    def _accept_sample_weight(self) -> bool:
        """Say that this scorer takes sample_weight; scikit-learn's searches call this."""
        return True

    def _of_positive_class(self, estimator: Any, y: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Return the answers' column or sign for the positive class; leave others unchanged."""
        pos_label = self.kwargs.get("pos_label")
        if self.response_method == "predict" or y.ndim > 1 or len(estimator.classes_) != 2:
            return answers
        classes = estimator.classes_.tolist()
        if pos_label is not None and pos_label not in classes:
            raise ValueError(f"pos_label={pos_label!r} is not one of the classes {classes}.")
        positive = 1 if pos_label is None else classes.index(pos_label)
        if self.response_method == "decision_function":
            return answers if positive else -answers
        return answers[:, positive]

    def __repr__(self) -> str:
        arguments = [getattr(self.metric, "__name__", repr(self.metric))]
        if self.response_method != "predict":
            arguments.append(f"response_method={self.response_method!r}")
        if not self.greater_is_better:
            arguments.append("greater_is_better=False")
        arguments += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"make_sequence_scorer({', '.join(arguments)})"
