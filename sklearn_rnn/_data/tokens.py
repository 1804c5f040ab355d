"""Read X with tokens: convert sequences of integers or strings to sequences of codes.

From here on, every container is a packed SequenceArray of codes: the position of each token in
the vocabulary, or the vocabulary's length for a token that is not in it.

A string is the sequence of its characters, in whatever container of sequences it lies; in a 2-D
or 3-D array, where each row is a sequence, a string is one token.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_rnn._data.containers import how_to_read
from sklearn_rnn._data.refusals import refuse_silent_losses
from sklearn_rnn.sequences import SequenceArray

Token = int | str


@dataclass(frozen=True)
class Tokens:
    """The tokens of all sequences, one after the other.

    Attributes
    ----------
    tokens : list of int or str (sum of T_i)
    offsets : ndarray of int (n + 1,)
        Where each sequence begins, and where the last one ends.
    """

    tokens: list[Token]
    offsets: np.ndarray

    def vocabulary(self) -> np.ndarray:
        """Return the distinct tokens in ascending order."""
        return _make_vocabulary(self.tokens)

    def encode(self, vocabulary: np.ndarray) -> SequenceArray:
        """Return the codes (sum of T_i, 1), from 0 to the length of the vocabulary."""
        return SequenceArray(_encode(self.tokens, vocabulary)[:, None], self.offsets)


def read_tokens(X: Any, name: str, *, n_timesteps: int | None = None) -> Tokens:
    """Read the tokens of a container of any kind.

    Parameters
    ----------
    X : any container of sequences
        See the module's docstring.
    name : str
        What reads it, for the messages.
    n_timesteps : int, default=None
        The steps that a row of a 2-D X holds: its columns, if given.
    """
    reading = how_to_read(X, tokens=True)
    if reading in ("flat", "array"):
        tokens, offsets = _read_array(X, n_timesteps, name)
    elif reading == "packed":
        tokens, offsets = _read_packed(X)
    else:
        tokens, offsets = _read_list(X)
    _check_kinds(tokens, offsets)
    return Tokens(tokens, offsets)


def encode_observation(x_t: Any, vocabulary: np.ndarray) -> np.ndarray:
    """Return what streams show at one step: a token of one, or one of each in a list or array.

    Returns
    -------
    codes : ndarray of int (1,) for one stream, (n_streams, 1) for many
    """
    if not isinstance(x_t, list | tuple) and np.ndim(x_t) == 0:
        tokens, shape = [x_t], [1]
    else:
        tokens, shape = list(_read_item(0, x_t)), [-1, 1]
    _check_kinds(tokens, np.array([0, len(tokens)]))
    return _encode(tokens, vocabulary).reshape(shape)


# --- Reading: each way ends in a list of all tokens, and where each sequence begins ---------------


def _read_array(X: Any, n_timesteps: int | None, name: str) -> tuple[list[Token], np.ndarray]:
    """Read (n, T) or (n, T, 1): an array, or a data frame."""
    if sparse.issparse(X):
        raise TypeError("X is a sparse matrix: pass tokens as a list of sequences or an array.")
    refuse_silent_losses(X, "X")
    array = np.asarray(X)
    if array.ndim < 2 or array.ndim > 3 or (array.ndim == 3 and array.shape[2] != 1):
        what = f"the string {X!r}" if isinstance(X, str) else f"of shape {array.shape}"
        raise ValueError(
            f"X is {what}: with embedding_size, {name} expects a list of "
            "strings or of sequences of tokens, or an array of shape (n_sequences, n_timesteps) "
            "with one token a step. Is X one sequence? pass [X]."
        )
    n_sequences, n_steps = array.shape[:2]
    if array.size == 0:
        raise ValueError(
            f"Found array with {n_sequences} sample(s) of {n_steps} time steps (shape "
            f"{array.shape}) while a minimum of 1 of each is required."
        )
    if array.ndim == 2 and n_timesteps not in (None, n_steps):
        raise ValueError(
            f"X has {n_steps} columns, and with embedding_size each is a time step: "
            f"n_timesteps={n_timesteps} must be None."
        )
    return array.ravel().tolist(), np.arange(n_sequences + 1) * n_steps


def _read_packed(X: SequenceArray) -> tuple[list[Token], np.ndarray]:
    refuse_silent_losses(X.values, "X")
    if X.n_features != 1:
        raise ValueError(
            f"X is a {X!r}: with embedding_size, a step is one token, so there is one feature."
        )
    if len(X) == 0:
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    return X.values[:, 0].tolist(), X.offsets


def _read_list(X: Any) -> tuple[list[Token], np.ndarray]:
    """Read a list, a tuple, a 1-D array or a Series of sequences."""
    items = [_read_item(i, item) for i, item in enumerate(X)]
    if not items:
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    lengths = np.array([len(item) for item in items])
    if len(empty := np.flatnonzero(lengths == 0)):
        i = empty[0]
        what = "an empty string" if isinstance(items[i], str) else "empty"
        raise ValueError(f"Sequence {i} of X is {what}: at least one token is needed.")
    return list(chain.from_iterable(items)), np.concatenate([[0], np.cumsum(lengths)])


def _read_item(i: int, item: Any) -> str | list[Token] | tuple[Token, ...]:
    """Read one sequence: a string, a list, an array (T,) or (T, 1), a Series, ..."""
    if isinstance(item, (str, list, tuple)):
        return item
    if not hasattr(item, "__array__") or np.ndim(item) == 0:
        raise ValueError(
            f"Sequence {i} of X is {item!r} (of type {type(item).__name__}): with embedding_size, "
            "a sequence is a string, or a list or array of integers or strings. Is X one "
            "sequence? pass [X]."
        )
    try:
        refuse_silent_losses(item, "X")
    except ValueError as error:
        raise ValueError(f"Sequence {i} of X: {error}") from error
    array = np.asarray(item)
    if array.ndim != 1 and array.shape[1:] != (1,):
        raise ValueError(
            f"Sequence {i} of X has shape {array.shape}: with embedding_size, a step is one "
            "token, so that (n_timesteps,) is expected."
        )
    tokens: list[Token] = array.ravel().tolist()
    return tokens


# --- Tokens and their codes -----------------------------------------------------------------------


def _check_kinds(tokens: list[Token], offsets: np.ndarray) -> None:
    """Refuse what is no token, and integers among strings; name the first culprit's sequence."""
    kinds = {kind: _is_token(kind) for kind in set(map(type, tokens))}
    strings = {issubclass(kind, str) for kind, token in kinds.items() if token}
    if all(kinds.values()) and len(strings) == 1:
        return
    if all(kinds.values()):
        raise ValueError(
            "X has both integers and strings as tokens: make all of them strings, or all integers."
        )
    place = next(k for k, token in enumerate(tokens) if not kinds[type(token)])
    i = int(np.searchsorted(offsets, place, side="right")) - 1
    raise ValueError(
        f"With embedding_size, tokens must be integers or strings, but X holds {tokens[place]!r} "
        f"(of type {type(tokens[place]).__name__}) in sequence {i}, at step {place - offsets[i]}. "
        "For numbers that measure something, leave embedding_size=None."
    )


def _is_token(kind: type) -> bool:
    return issubclass(kind, (str, Integral)) and not issubclass(kind, bool)


def _make_vocabulary(tokens: list[Token]) -> np.ndarray:
    distinct = sorted(set(tokens))
    if isinstance(distinct[0], str):
        return np.array(distinct)
    try:
        return np.array(distinct, dtype=np.int64)
    except OverflowError:
        raise ValueError(
            f"X has integers as tokens from {distinct[0]} to {distinct[-1]}, which do not fit into "
            "64 bits: make strings of them."
        ) from None


def _encode(tokens: list[Token], vocabulary: np.ndarray) -> np.ndarray:
    """Return the code of each token; of one that is not in the vocabulary, its length."""
    known_strings = vocabulary.dtype.kind == "U"
    if isinstance(tokens[0], str) != known_strings:
        fitted, given = ("strings", "integers") if known_strings else ("integers", "strings")
        raise ValueError(f"X holds {given} as tokens, but {fitted} were fitted.")
    codes = {token: code for code, token in enumerate(vocabulary.tolist())}
    unknown = len(vocabulary)
    return np.fromiter((codes.get(token, unknown) for token in tokens), np.intp, len(tokens))


def without_unseen(
    codes: np.ndarray, seen: np.ndarray, vocabulary: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and vocabulary without the tokens that are not among the codes `seen`."""
    used = np.unique(seen)
    new_codes = np.full(len(vocabulary), len(used))
    new_codes[used] = np.arange(len(used))
    return new_codes[codes], _make_vocabulary(vocabulary[used].tolist())


def decode_tokens(codes: np.ndarray, vocabulary: np.ndarray) -> np.ndarray:
    """Return the tokens of these codes; an unknown code gives a token not in the vocabulary."""
    if vocabulary.dtype.kind == "U":
        unknown: Token = str(vocabulary[-1]) + "?"  # comes after the last
    else:
        known = set(vocabulary.tolist())
        unknown = next(k for k in range(len(known) + 1) if k not in known)
    return np.append(vocabulary, unknown)[codes]
