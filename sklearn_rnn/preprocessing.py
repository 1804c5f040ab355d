"""Apply any scikit-learn transformer to the time steps of sequences."""

from collections.abc import Callable
from copy import copy
from typing import Any, Self, TypeVar, cast

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._data.containers import restore_container
from sklearn_rnn._data.numbers import read_sequences
from sklearn_rnn._estimators.reading import InputReader
from sklearn_rnn._typing import Array, ArrayOrList, SequencesLike
from sklearn_rnn.sequences import SequenceArray

__all__ = ["TimestepTransformer"]


Method = TypeVar("Method", bound=Callable[..., Any])


def _available_if_transformer_has(name: str) -> Callable[[Method], Method]:
    """Return `available_if` as a decorator that keeps the type of the method."""

    def check(self: Any) -> bool:
        getattr(getattr(self, "transformer_", self.transformer), name)  # or AttributeError
        return True

    return cast("Callable[[Method], Method]", available_if(check))


# auto_wrap_output_keys=None: there is no set_output, since a frame cannot hold sequences.
class TimestepTransformer(  # type: ignore[call-arg]
    InputReader, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Apply a transformer of 2-D arrays to the time steps of sequences.

    The time steps of all training sequences, one below the other, are a table of shape
    (sum of T_i, F): one row a step, one column a feature. `transformer` is fitted on it, so
    ``TimestepTransformer(StandardScaler())`` scales every feature by its mean and its standard
    deviation over all steps of all training sequences. What comes back is in the container that
    was given.

    Parameters
    ----------
    transformer : estimator
        The transformer of tables, for example a :class:`~sklearn.preprocessing.StandardScaler`, a
        :class:`~sklearn.impute.SimpleImputer` or a pipeline of both. It must give one row for
        each row, and do without y. A clone of it is fitted.

    Attributes
    ----------
    transformer_ : estimator
        The fitted clone of `transformer`.
    n_features_in_ : int
        Number of features of a time step; of a 2-D X the number of its columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was a data frame, or a list of them, with names that are all
        strings.
    n_timesteps_in_ : int or None
        Number of time steps of the training sequences; None if they differ.

    See Also
    --------
    sklearn.compose.ColumnTransformer : Transforms some features in one way and some in another;
        inside a TimestepTransformer the features are known by their numbers.

    Notes
    -----
    X is read as by the recurrent estimators: a 2-D array is n sequences of one feature, and steps
    of a 3-D array at either end of a sequence that are all NaN are padding, and stay so. Other
    NaN reach `transformer`, which may fill them in.

    What comes back is always made of ndarrays: for a list of data frames, a list of ndarrays; for
    a data frame, a 2-D ndarray. A 2-D X becomes 3-D where `transformer` makes several features of
    one. There is no `set_output`, since a data frame cannot hold sequences.

    X is never written into, not even by a transformer with ``copy=False``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from sklearn_rnn.preprocessing import TimestepTransformer
    >>> X = [np.array([[0.0, 5.0], [4.0, 6.0]]), np.array([[2.0, 7.0]])]
    >>> TimestepTransformer(MinMaxScaler()).fit_transform(X)
    [array([[0. , 0. ],
           [1. , 0.5]]), array([[0.5, 1. ]])]
    """

    def __init__(self, transformer: BaseEstimator) -> None:
        self.transformer = transformer

    def fit(self, X: SequencesLike, y: object = None) -> Self:
        """Fit a clone of `transformer` on the time steps of all sequences.

        Parameters
        ----------
        X : array-like, list of arrays or SequenceArray
            The training sequences.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : TimestepTransformer
            The fitted transformer.
        """
        required = hasattr(self.transformer, "fit") and hasattr(self.transformer, "transform")
        if isinstance(self.transformer, type) or not required:
            raise TypeError(
                "transformer must be an instance of a scikit-learn transformer, "
                f"got {self.transformer!r}"
            )
        draft = copy(self)  # a fit that fails leaves self as it was
        sequences = draft._read_numbers(X, reset=True, allow_nan=True)
        draft._warn_of_long_table(X)
        draft.transformer_ = _fit_without_y(self.transformer, sequences.values)
        self.__dict__ = draft.__dict__
        return self

    def transform(self, X: SequencesLike) -> Any:
        """Transform every time step.

        Parameters
        ----------
        X : array-like, list of arrays or SequenceArray
            The sequences, of any lengths; after a fit on 2-D, a 2-D array of the same width.

        Returns
        -------
        X_new : same container as X
            The transformed sequences.
        """
        check_is_fitted(self, "transformer_")
        sequences = self._read_numbers(X, reset=False, allow_nan=True)
        return restore_container(X, _map_steps(self.transformer_.transform, sequences))

    @_available_if_transformer_has("inverse_transform")
    def inverse_transform(self, X: SequencesLike) -> Any:
        """Transform every time step back.

        Parameters
        ----------
        X : array-like, list of arrays or SequenceArray
            Transformed sequences.

        Returns
        -------
        X_original : same container as X
            The sequences before `transform`; rows, if it was fitted on a 2-D X.
        """
        check_is_fitted(self, "transformer_")
        sequences = read_sequences(X, type(self).__name__, allow_nan=True)
        original = _map_steps(self.transformer_.inverse_transform, sequences)
        if self._input_kind_ == "flat":
            return original.values.reshape(len(original), -1)
        return restore_container(X, original)

    @_available_if_transformer_has("get_feature_names_out")
    def get_feature_names_out(self, input_features: ArrayOrList | None = None) -> Array:
        """Return the names of the features of a transformed time step.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features that go in; None means `feature_names_in_`, or else x0, x1, ...

        Returns
        -------
        feature_names_out : ndarray of str
            Their names; of rows that stay rows, the names of the columns.
        """
        check_is_fitted(self, "transformer_")
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        if self._input_kind_ == "sequences":
            return self.transformer_.get_feature_names_out(names)
        step_names = self.transformer_.get_feature_names_out()
        return names if len(step_names) == 1 else step_names

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = inner.input_tags.allow_nan or inner.no_validation
        tags.input_tags.positive_only = inner.input_tags.positive_only
        if inner.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = inner.transformer_tags.preserves_dtype
        tags.non_deterministic = inner.non_deterministic
        return tags


def _fit_without_y(transformer: Any, table: np.ndarray) -> Any:
    """Return a fitted clone of `transformer`, unless it needs y."""
    try:
        return clone(transformer).fit(table, None)
    except (TypeError, ValueError) as error:
        # The tag is not set where it depends on a parameter, as in SelectKBest(score_func).
        if not (get_tags(transformer).target_tags.required or "requires y" in str(error)):
            raise
        raise ValueError(
            f"{transformer!r} requires y, but TimestepTransformer fits on time steps, for which "
            "there is no y: targets belong to whole sequences. Use one without y, such as "
            "VarianceThreshold or PCA."
        ) from error


def _map_steps(function: Callable[[np.ndarray], Any], sequences: SequenceArray) -> SequenceArray:
    """Apply `function` to the table of all time steps, and pack what it returns."""
    steps = sequences.values
    table = function(steps)
    table = np.asarray(table.toarray() if hasattr(table, "toarray") else table)  # may be sparse
    if table.ndim != 2 or len(table) != len(steps):
        raise ValueError(
            f"the transformer made shape {table.shape} of {len(steps)} time steps: "
            "TimestepTransformer needs one row for each"
        )
    if np.may_share_memory(table, steps):  # handed through as it was: X is not ours to give away
        table = table.copy()
    return SequenceArray(table, sequences.offsets)
