"""Warnings about data that are read as documented, but were probably meant otherwise."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from sklearn_rnn._data.user_warning import warn_user

# A table with more columns than this, or with fewer rows for each of them, may be anything.
_MOST_COLUMNS, _FEWEST_ROWS_PER_COLUMN = 40, 10
_NUMBER = re.compile(r"\d+")
_CALENDAR = re.compile(
    r"(?<![a-z])(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)"
)
_TIME = re.compile(
    r"(?<![a-z])(t|time|timestep|step|lag|lead|second|minute|hour|day|week)s?(?![a-z])"
)
_FEATURE = re.compile(r"(?<![a-z])(sensor|channel|feature|variable|signal|axis)")


def warn_of_long_table(X: Any) -> None:
    """Warn if the columns of a data frame are features, so that its rows are probably time steps.

    Parameters
    ----------
    X : data frame of shape (n, D)
        Read as n sequences of D time steps, of one feature.
    """
    n_rows, n_columns = X.shape
    if getattr(getattr(X, "index", None), "nlevels", 1) == 1 and (
        n_columns > _MOST_COLUMNS
        or n_rows < _FEWEST_ROWS_PER_COLUMN * n_columns
        or not _are_features(list(X.columns))
    ):
        return
    names = ", ".join(map(repr, list(X.columns)[:3])) + (", ..." if n_columns > 3 else "")
    warn_user(
        f"X is a data frame of {n_rows} rows and {n_columns} column(s), and is read as {n_rows} "
        f"sequences, one for each row, whose {n_columns} time step(s) are the columns {names}. "
        "Are the columns features, and the rows time steps? sequences_from_frame(df, by=, order=) "
        "makes sequences of them. Is each row a sequence? pass X.to_numpy()."
    )


def _are_features(columns: list[Any]) -> bool:
    """Return whether names of columns are surely no time steps.

    Steps are numbers, dates, or one word with a number or the name of a month or day: t-1, x0.
    """
    if not all(isinstance(name, str) for name in columns):
        return False
    names = [name.lower() for name in columns]
    if any(all(map(kind.search, names)) for kind in (_TIME, _CALENDAR)):
        return False
    stems = {_NUMBER.sub("", name).strip(" _-+.:/") for name in names}
    if any(map(_FEATURE.search, stems)):
        return True
    return "" not in stems and len(stems) == len(names)


def warn_of_one_hot(Y: np.ndarray) -> None:
    """Warn if each row of labels (N, C) has exactly one 1."""
    n_samples, n_labels = Y.shape
    if min(n_samples, n_labels) > 1 and (Y.sum(axis=1) == 1).all():
        warn_user(
            f"Every row of y has exactly one 1, and is read as {n_labels} labels of which a "
            "sequence may have several or none (multilabel). Are they classes, one-hot encoded? "
            f"Then pass y.argmax(axis=1), of shape ({n_samples},)."
        )


def warn_of_unknown_tokens(tokens: list[Any], codes: np.ndarray, vocabulary: np.ndarray) -> None:
    """Warn if no token is known; or few of the characters of strings, where words were fitted."""
    n_unknown = int((codes == len(vocabulary)).sum())
    share = n_unknown / codes.size
    if share < 1 and not (share > 0.5 and _reads_characters(tokens, vocabulary)):
        return
    unknown = [t for t, code in zip(tokens, codes.ravel().tolist()) if code == len(vocabulary)]
    what = "No token of X is" if share == 1 else f"Only {codes.size - n_unknown} tokens of X are"
    message = (
        f"{what} known: fit has seen {_examples(vocabulary.tolist())}, but X holds "
        f"{_examples(list(dict.fromkeys(unknown)))}. All unknown tokens are read as the same one."
    )
    if _reads_characters(tokens, vocabulary):
        message += " A string is the sequence of its characters. Is X one sequence? pass [X]."
    warn_user(message)


def _reads_characters(tokens: list[Any], vocabulary: np.ndarray) -> bool:
    """Whether words were fitted, and what is given are single characters."""
    is_text = vocabulary.dtype.kind == "U"
    return is_text and max(map(len, vocabulary)) > 1 and max(map(len, tokens)) == 1


def _examples(tokens: list[Any]) -> str:
    return ", ".join(map(repr, tokens[:5])) + (", ..." if len(tokens) > 5 else "")
