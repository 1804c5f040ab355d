"""Permutation importance of the features, and of the parts, of sequences.

Dimension key: n sequences, T_i steps, F features, S segments, R repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from sklearn_rnn._data.containers import how_to_read, restore_container
from sklearn_rnn._data.numbers import read_sequences
from sklearn_rnn._estimators.attribution import is_integer
from sklearn_rnn._records import Record
from sklearn_rnn._typing import ArrayOrList, RandomState, SequencesLike
from sklearn_rnn.sequences import SequenceArray

# What is exchanged at once: some features, in some steps of the packed sequences.
Part = tuple[slice, np.ndarray]


@dataclass(frozen=True, eq=False, repr=False)
class PermutationImportance(Record):
    """Importances of features or times; `permutation_importance` describes the fields."""

    importances: NDArray[np.float64]
    importances_mean: NDArray[np.float64]
    importances_std: NDArray[np.float64]


def permutation_importance(
    estimator: BaseEstimator,
    X: SequencesLike,
    y: SequencesLike,
    *,
    by: Literal["feature", "time", "both"] = "feature",
    n_segments: int = 10,
    scoring: str | Callable[..., float] | None = None,
    n_repeats: int = 5,
    n_jobs: int | None = None,
    random_state: RandomState = None,
    sample_weight: ArrayOrList | None = None,
) -> PermutationImportance:
    """Measure how much the score drops when features, or parts of time, are permuted.

    What is looked at is exchanged between sequences, whole series at a time [1]_, so that it
    keeps its course but says nothing about its sequence any more. scikit-learn's function of this
    name does so with the columns of a 2-D X; this one takes sequences.

    Parameters
    ----------
    estimator : estimator
        Fitted, of any kind that predicts from sequences; a pipeline or search, for example.
    X : array-like of shape (n_samples, n_steps) or (n_samples, n_steps, n_features), \
list of arrays of shape (n_steps_i, n_features), or SequenceArray
        Sequences, best those that training has not seen.
    y : array-like
        Their targets.
    by : {"feature", "time", "both"}, default="feature"
        What is exchanged: one feature over all its steps; all features in one segment of time; or
        one feature in one segment.
    n_segments : int, default=10
        With "time" and "both", how many segments a sequence is cut into, equal shares of its own
        length. In sequences of fewer steps some segments are empty.
    scoring : str or callable, default=None
        A scorer's name, or a callable (estimator, X, y) whose larger values are better. None: the
        estimator's `score`.
    n_repeats : int, default=5
        How many times each is exchanged.
    n_jobs : int, default=None
        Jobs to run in parallel, as elsewhere in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Seeds the exchanges; with an int the result is the same for any `n_jobs`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights for the score.

    Returns
    -------
    result : PermutationImportance
        A record, whose fields are attributes and keys:

        importances : ndarray of shape (n_features, n_repeats), (n_segments, n_repeats) or \
(n_features, n_segments, n_repeats)
            The score of X as it is, minus that after the exchange.
        importances_mean : ndarray
            Their mean over the repeats.
        importances_std : ndarray
            Their standard deviation over the repeats.

    Raises
    ------
    ValueError
        If a parameter is not what it should be, X has one sequence only, or holds tokens.

    Notes
    -----
    Among sequences of one length, a step gets what another sequence has at this step. Between
    unequal lengths, it gets what the other has at the same share of its length: of its T_j steps
    the one in whose middle step t of T_i lies, floor((t + 1/2) T_j / T_i). The other's
    course is so stretched or squeezed, and lengths themselves are never exchanged: what a model
    reads from them is not seen here.

    As with every permutation importance, features that say the same share their worth, and
    exchanges may make sequences that could not be.

    References
    ----------
    .. [1] Breiman, L. (2001). Random forests. Machine Learning 45(1), 5-32.
           https://doi.org/10.1023/A:1010933404324

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import GRURegressor
    >>> from sklearn_rnn.inspection import permutation_importance
    >>> X = np.random.default_rng(0).normal(size=(200, 8, 3))
    >>> y = X[:, -3:, 1].sum(axis=1)
    >>> reg = GRURegressor(hidden_size=8, max_iter=60, random_state=0).fit(X, y)
    >>> result = permutation_importance(reg, X, y, random_state=0)
    >>> int(result.importances_mean.argmax())
    1
    >>> times = permutation_importance(reg, X, y, by="time", n_segments=8, random_state=0)
    >>> bool(times.importances_mean[:4].max() < times.importances_mean[5:].min())
    True
    """
    _check_counts(n_segments=n_segments, n_repeats=n_repeats)
    if by not in ("feature", "time", "both"):
        raise ValueError(f'by must be "feature", "time" or "both"; got {by!r}.')
    sequences = _read(estimator, X)
    scorer = check_scoring(estimator, scoring=scoring)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}

    def score(sequences: SequenceArray) -> float:
        return float(scorer(estimator, _restore(X, sequences), y, **weights))

    parts, shape = _parts(sequences, by, n_segments)
    seeds = check_random_state(random_state).randint(2**31 - 1, size=len(parts))
    whole = scorer(estimator, X, y, **weights)
    scores = Parallel(n_jobs=n_jobs)(
        delayed(_scores_without)(score, sequences, part, n_repeats, seed)
        for part, seed in zip(parts, seeds, strict=True)
    )
    importances = whole - np.reshape(scores, (*shape, n_repeats))
    return PermutationImportance(
        importances=importances,
        importances_mean=importances.mean(axis=-1),
        importances_std=importances.std(axis=-1),
    )


def _check_counts(**counts: Any) -> None:
    for name, count in counts.items():
        if not is_integer(count) or count < 1:
            raise ValueError(f"{name} must be a positive integer; got {count!r}.")


def _read(estimator: Any, X: Any) -> SequenceArray:
    """Return the sequences of X, as the model at the end of a pipeline reads them."""
    model = getattr(estimator, "best_estimator_", estimator)
    model = model[-1] if isinstance(model, Pipeline) else model
    if getattr(model, "embedding_size", None) is not None:
        raise ValueError(
            "permutation_importance exchanges numbers, and X holds tokens: see "
            "integrated_gradients for what each token is worth."
        )
    n_timesteps = getattr(model, "n_timesteps_in_", None) if how_to_read(X) == "flat" else None
    sequences = read_sequences(X, "permutation_importance", n_timesteps=n_timesteps)
    if len(sequences) < 2:
        raise ValueError("X has one sequence, which has none to exchange anything with.")
    return sequences


def _restore(X: Any, sequences: SequenceArray) -> Any:
    """Return changed sequences in X's container; rows stay rows."""
    container = restore_container(X, sequences)
    if how_to_read(X) != "flat":
        return container
    rows = container.reshape(len(container), -1)
    return X.__class__(rows, columns=X.columns, index=X.index) if hasattr(X, "iloc") else rows


def _parts(
    sequences: SequenceArray, by: str, n_segments: int
) -> tuple[list[Part], tuple[int, ...]]:
    """Return what is exchanged, one after the other, and the shape that their list has."""
    n_features, lengths = sequences.values.shape[1], sequences.lengths
    features = [slice(k, k + 1) for k in range(n_features)] if by != "time" else [slice(None)]
    if by == "feature":
        everywhere = np.ones(len(sequences.values), bool)
        return [(feature, everywhere) for feature in features], (n_features,)
    steps = np.arange(len(sequences.values)) - np.repeat(sequences.offsets[:-1], lengths)
    segment = steps * n_segments // np.repeat(lengths, lengths)
    parts = [(feature, segment == s) for feature in features for s in range(n_segments)]
    return parts, ((n_features, n_segments) if by == "both" else (n_segments,))


def _scores_without(
    score: Callable[[SequenceArray], float],
    sequences: SequenceArray,
    part: Part,
    n_repeats: int,
    seed: int,
) -> list[float]:
    """Return the score after each of n_repeats exchanges of a part."""
    rng = np.random.RandomState(seed)
    feature, steps = part
    scores = []
    for _ in range(n_repeats):
        rows = _donors(sequences, rng.permutation(len(sequences)))
        values = sequences.values.copy()
        values[steps, feature] = sequences.values[rows[steps], feature]
        scores.append(score(SequenceArray(values, sequences.offsets)))
    return scores


def _donors(sequences: SequenceArray, donor: np.ndarray) -> np.ndarray:
    """Return which packed row each row gets, where donor[i] gives to sequence i."""
    lengths, begins = sequences.lengths, sequences.offsets[:-1]
    steps = np.arange(len(sequences.values)) - np.repeat(begins, lengths)
    given, own = np.repeat(lengths[donor], lengths), np.repeat(lengths, lengths)
    return np.repeat(begins[donor], lengths) + (2 * steps + 1) * given // (2 * own)
