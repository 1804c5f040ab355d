"""Read X for an estimator: `fit` stores its form, and later calls compare with it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.utils.validation import validate_data

from sklearn_rnn._data.advice import warn_of_long_table, warn_of_unknown_tokens
from sklearn_rnn._data.containers import describe, first_frame, how_to_read
from sklearn_rnn._data.numbers import cut_rows, read_items, read_observation, read_rows
from sklearn_rnn._data.refusals import is_frame
from sklearn_rnn._data.tokens import encode_observation, read_tokens
from sklearn_rnn._typing import Array
from sklearn_rnn.sequences import SequenceArray

# Whether rows were fitted, or sequences in one of the other containers.
Kind = Literal["flat", "sequences"]


class InputReader:
    """Mixin that reads X; an X that is refused leaves the estimator as it was.

    With `reset`, in fit, it sets the attributes below and scikit-learn's `n_features_in_` and
    `feature_names_in_`. Without, X is checked against them.

    Attributes
    ----------
    n_timesteps_in_ : int or None
        Steps of each sequence; None if they differ.
    vocabulary_ : ndarray
        With tokens only: the distinct ones in ascending order.
    """

    n_features_in_: int
    feature_names_in_: Array
    n_timesteps_in_: int | None
    vocabulary_: Array
    _input_kind_: Kind

    def _warn_of_long_table(self, X: Any) -> None:
        """Warn if X is a table whose rows are probably steps, though each is read as a sequence."""
        if how_to_read(X) == "flat" and is_frame(X):
            warn_of_long_table(X)

    def _read_numbers(
        self, X: Any, *, n_timesteps: int | None = None, reset: bool, allow_nan: bool = False
    ) -> SequenceArray:
        """Return the sequences of X.

        These are the steps of `_data.numbers.read_sequences`, with a look at the fit between them.
        """
        name = type(self).__name__
        if how_to_read(X) == "flat":
            # Other names come before NaN, since reindexing a frame to them fills it with NaN.
            if not reset and is_frame(X) and hasattr(self, "feature_names_in_"):
                validate_data(self, X, reset=False, skip_check_array=True, ensure_2d=False)
            rows = read_rows(X, name, allow_nan=allow_nan)
            if not reset:
                self._compare(X, "flat", table=X)
            sequences = cut_rows(rows, n_timesteps, name)
            if reset:
                self._remember(sequences, "flat", table=X)
            return sequences

        sequences = read_items(X, name, allow_nan=allow_nan)
        frame = first_frame(X)
        table = sequences.values if frame is None else frame
        if reset:
            _check_n_timesteps_fits(sequences, n_timesteps)
            self._remember(sequences, "sequences", table)
        else:
            self._compare(X, "sequences", table)
        return sequences

    def _encode_tokens(
        self, X: Any, *, n_timesteps: int | None = None, reset: bool
    ) -> SequenceArray:
        """Return the codes of the tokens of X, (sum of T_i, 1)."""
        found = read_tokens(X, type(self).__name__, n_timesteps=n_timesteps)
        vocabulary = found.vocabulary() if reset else self.vocabulary_
        sequences = found.encode(vocabulary)
        kind: Kind = "flat" if how_to_read(X, tokens=True) == "flat" else "sequences"
        table = X if kind == "flat" else sequences.values
        if reset:
            self._remember(sequences, kind, table)
            self.vocabulary_ = vocabulary
        else:
            self._compare(X, kind, table)
            warn_of_unknown_tokens(found.tokens, sequences.values, vocabulary)
        return sequences

    def _read_observation(self, x_t: Any, n_features: int, dtype: np.dtype) -> np.ndarray:
        """Return the numbers that streams show at one step, (n_features,) or (n, n_features)."""
        if type(x_t) is not np.ndarray and is_frame(x_t) and self._input_kind_ == "sequences":
            validate_data(self, x_t, reset=False, skip_check_array=True)
        return read_observation(x_t, n_features, dtype, type(self).__name__)

    def _encode_observed_tokens(self, x_t: Any) -> np.ndarray:
        """Return the codes of the tokens that streams show at one step, (1,) or (n, 1)."""
        return encode_observation(x_t, self.vocabulary_)

    def _names_of_features(self) -> list[str] | None:
        """Return the names of the features of a step; None without. Columns of rows are steps."""
        names = getattr(self, "feature_names_in_", None)
        return None if names is None or self._input_kind_ == "flat" else list(names)

    def _remember(self, sequences: SequenceArray, kind: Kind, table: Any) -> None:
        """Note the form of X; `table`, a 2-D array or frame, has its features and their names."""
        validate_data(self, table, reset=True, skip_check_array=True)
        self._note_lengths(sequences.lengths)
        self._input_kind_ = kind

    def _note_lengths(self, lengths: Array) -> None:
        self.n_timesteps_in_ = int(lengths[0]) if np.all(lengths == lengths[0]) else None

    def _compare(self, X: Any, kind: Kind, table: Any) -> None:
        """Raise a ValueError unless X is of the form that fit has seen."""
        fitted_kind = getattr(self, "_input_kind_", kind)
        if kind != fitted_kind:
            message = _message_not_flat if fitted_kind == "flat" else _message_flat
            raise ValueError(message(X, type(self).__name__, self.n_features_in_))
        validate_data(self, table, reset=False, skip_check_array=True)


def _check_n_timesteps_fits(sequences: SequenceArray, n_timesteps: int | None) -> None:
    lengths = sequences.lengths
    if n_timesteps is not None and np.any(lengths != n_timesteps):
        raise ValueError(
            f"n_timesteps={n_timesteps} is for a 2-D X, whose rows are flattened sequences, but X "
            f"holds sequences of {lengths.min()} to {lengths.max()} steps: leave n_timesteps=None."
        )


def _message_not_flat(X: Any, name: str, width: int) -> str:
    return (
        f"X is {describe(X)}, but {name} was fitted on a 2-D X, on rows of {width} values. "
        f"Pass rows of {width} values, or fit it on sequences."
    )


def _message_flat(X: Any, name: str, n_features: int) -> str:
    return (
        f"X is {describe(X)}, but {name} was fitted on sequences of {n_features} feature(s). "
        "Is X one sequence? pass [X]. Is each row a sequence of one feature? "
        "pass np.asarray(X)[:, :, np.newaxis]."
    )
