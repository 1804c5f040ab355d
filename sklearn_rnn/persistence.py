"""Save estimators to files that cannot run code, and load them."""

from __future__ import annotations

import os
from inspect import signature
from typing import Any

from sklearn_rnn import _files
from sklearn_rnn._data.refusals import with_article
from sklearn_rnn._estimators.base import RecurrentEstimator
from sklearn_rnn._estimators.consistency import check_consistent
from sklearn_rnn._estimators.stamps import (
    FORMAT,
    FORMAT_KEY,
    ModelVersionWarning,
    retired_parameters,
)
from sklearn_rnn._registry import estimators_by_name
from sklearn_rnn._training.checkpoints import Checkpoint
from sklearn_rnn._version import __version__

__all__ = ["SKOPS_TRUSTED", "ModelVersionWarning", "load", "save"]

_KIND = "estimator"
# Neither a parameter nor learned, but part of what an estimator answers: what set_output chose.
_CONFIGURATION = {"_sklearn_output_config"}

SKOPS_TRUSTED = [
    f"{C.__module__}.{C.__name__}" for C in (*estimators_by_name().values(), Checkpoint)
]
"""What `skops.io.load` needs to trust: the estimators and `Checkpoint`, which hold plain data."""


def save(estimator: RecurrentEstimator, path: str | os.PathLike[str]) -> None:
    """Write an estimator to a file that `load` reads without running any code.

    Parameters
    ----------
    estimator : estimator
        One of the six, fitted or not: RNNClassifier, RNNRegressor, LSTMClassifier, LSTMRegressor,
        GRUClassifier or GRURegressor.
    path : path-like
        The file, by custom with the ending ".npz". One that exists is replaced, in one move when
        the new one is on the disk: after a failure, whatever it was, the old one is still whole.

    Raises
    ------
    TypeError
        If the estimator is none of the six, or one of its parameters is more than plain data: a
        `random_state` that is a RandomState, a `validation_scoring` that is a function. The message
        names it; nothing is written.
    ValueError
        If one of its parameters has a value that `fit` would refuse, or if `path` is a device or
        another thing that is no regular file.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Read it.
    sklearn_rnn.interop.export_predictor : A predictor that needs NumPy alone.

    Notes
    -----
    All parameters and all that was learned are kept to the last bit, with what `warm_start` and
    `partial_fit` go on from, and the container that `set_output` chose. Metadata requests,
    callbacks and `checkpoint` are not kept: a file does not decide where a later fit writes.

    The file is an .npz: :func:`numpy.load` reads its arrays, and its entry
    "sklearn_rnn.json" says the class, the parameters, the release and the number of the format. A
    checksum (SHA-256) covers every byte. It finds damage, not malice: whoever can write the file
    can make a model that answers what they like, but none that does anything else.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn_rnn import GRUClassifier
    >>> from sklearn_rnn.persistence import load, save
    >>> X = np.random.default_rng(0).normal(size=(30, 5, 2))
    >>> clf = GRUClassifier(4, max_iter=2, random_state=0).fit(X, ["down", "up", "up"] * 10)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     save(clf, f"{directory}/model.npz")
    ...     again = load(f"{directory}/model.npz")
    >>> again
    GRUClassifier(hidden_size=4, max_iter=2, random_state=0)
    >>> bool((again.predict_proba(X) == clf.predict_proba(X)).all())
    True
    """
    name = type(estimator).__name__
    estimators = estimators_by_name()
    if estimators.get(name) is not type(estimator):
        raise TypeError(
            f"save takes one of {', '.join(estimators)}, and got {with_article(estimator)}: for "
            "pipelines and other estimators use skops, with sklearn_rnn.SKOPS_TRUSTED, or joblib."
        )
    state = estimator.__getstate__()
    parameters = estimator.get_params(deep=False)
    parameters.pop("checkpoint")
    learned = {k: v for k, v in state.items() if k.endswith("_") or k in _CONFIGURATION}
    content = {"class": name, "parameters": parameters, "learned": learned}
    estimator._check_parameters()
    _files.write(path, content, kind=_KIND, format=FORMAT)


def load(path: str | os.PathLike[str]) -> Any:
    """Load an estimator that `save` wrote; no code in the file is ever run.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    estimator : estimator
        Of the class that was saved. Its answers are the same to the last bit, and so is
        what `partial_fit` or a warm start makes of it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file was cut off or changed, by a single bit; if `save` did not write it, or it
        contradicts itself; or if a later release wrote it, in a format or with options that this
        one does not know. If it is a FIFO, a device or a socket.

    See Also
    --------
    save : Write it.

    Notes
    -----
    Files of older releases load: options that they did not have are as they are by default.
    `checkpoint` is None, whatever the file says.

    A file from a stranger can be refused, but not do harm: before memory is used for what a file
    claims to hold, its claims are compared with its size, and what was read is checked against
    itself, for example the number of weights against the sizes of the layers.
    """
    content, number = _files.read(path, kind=_KIND, newest=FORMAT)
    try:
        name, parameters, learned = content["class"], content["parameters"], content["learned"]
        Estimator = estimators_by_name()[name]  # no other class can be named by a file
        parameters.pop("checkpoint", None)
        unknown = parameters.keys() - signature(Estimator).parameters.keys()
        unknown -= retired_parameters(number)
        unknown |= {key for key in learned.keys() - _CONFIGURATION if not str(key).endswith("_")}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no estimator of this release: {error!r}.") from error
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        raise ValueError(
            f"{path} holds a {name} with {names}, which this release, "
            f"{__version__}, does not know: load it with the release that wrote it or a later one."
        )
    estimator = object.__new__(Estimator)
    try:
        estimator.__setstate__({**parameters, **learned, FORMAT_KEY: number})
        check_consistent(estimator)
        _check_configuration(estimator)
    except Exception as error:  # whatever wrong values raise where they are used
        reason = error if isinstance(error, ValueError) else repr(error)
        raise ValueError(
            f"{path} holds a {name} that contradicts itself: {reason}. Use another copy, or save "
            "the model anew."
        ) from error
    return estimator


def _check_configuration(estimator: RecurrentEstimator) -> None:
    """Raise ValueError unless what `set_output` chose is one of its choices."""
    chosen = getattr(estimator, "_sklearn_output_config", {})
    if not set(chosen.items()) <= {("transform", c) for c in ("default", "pandas", "polars", None)}:
        raise ValueError(f"_sklearn_output_config is {chosen!r}")
