"""Training and prediction on Dask collections, and searches on a cluster.

Blocks are what a collection consists of: the chunks of an array along its first axis, the
partitions of a bag, the items of a list. The model is sent to the worker that holds the block.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import joblib
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._data.refusals import with_article
from sklearn_rnn._typing import ArrayOrList
from sklearn_rnn.sequences import SequenceArray

if TYPE_CHECKING:
    from dask.array import Array
    from dask.bag import Bag
    from distributed import Client

Estimator = TypeVar("Estimator", bound=BaseEstimator)
# What comes back is of the kind that was given.
Collection = TypeVar("Collection", "Array", "Bag", list[Any])

__all__ = ["dask_backend", "partial_fit_blocks", "predict_blocks"]


def partial_fit_blocks(
    estimator: Estimator,
    X: Array | Bag | list[Any],
    y: Array | Bag | list[Any],
    *,
    classes: ArrayOrList | None = None,
) -> Estimator:
    """Train an estimator for one pass over a Dask collection, one block after the other.

    Each block is loaded and trained on in one task, so one block is in memory at a time, on
    whichever worker has it; the model travels, which is small. It is the training of
    ``estimator.partial_fit(X_block, y_block)`` in the order of the blocks, bit for bit.

    Parameters
    ----------
    estimator : estimator
        One of the six estimators, fitted or not; or anything else with `partial_fit`.
    X : dask Array, dask Bag, or list
        The sequences. An array of shape (n, T, F), or (n, D) with `n_timesteps`, may be chunked
        along its first axis alone. The items of a bag are sequences (T_i, F), or SequenceArrays,
        which are joined within each partition. The items of a list are blocks: delayed objects
        or futures of what `partial_fit` takes, or that itself.
    y : dask Array, dask Bag, or list
        Their targets, in the same blocks. A bag of targets belongs to a bag of sequences.
    classes : array-like of shape (n_classes,), default=None
        All labels that will ever come: a classifier that is not fitted needs them.

    Returns
    -------
    trained : estimator
        A trained copy. `estimator` is not changed, whatever happens.

    Raises
    ------
    TypeError
        If X or y is no collection of blocks.
    ValueError
        If X is chunked along time or features or has no blocks, or y has others.
    ImportError
        Without dask, which the extra `distributed` brings.

    See Also
    --------
    predict_blocks : Predict from a collection, in parallel.

    Notes
    -----
    The passes over blocks are a chain, since each goes on from the weights of the one before: more
    workers hold more data, but make training no faster. What follows the block instead of the
    whole is said in the user guide under "Larger than memory".

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn_rnn import GRURegressor
    >>> from sklearn_rnn.distributed import partial_fit_blocks
    >>> X = da.random.default_rng(0).normal(size=(400, 10, 2), chunks=(100, 10, 2))
    >>> y = X[:, -1, 0]
    >>> model = partial_fit_blocks(GRURegressor(8, random_state=0), X, y)
    >>> model.n_iter_  # an epoch a block
    4
    """
    dask = _dask()
    X_blocks, y_blocks = _blocks(X, "X"), _blocks(y, "y")
    _check_same_blocks(X, y, X_blocks, y_blocks)
    train = dask.delayed(_train, pure=False)
    model = copy.deepcopy(estimator)
    for X_block, y_block in zip(X_blocks, y_blocks):
        (model,) = dask.compute(train(model, X_block, y_block, classes))
    return model


def predict_blocks(
    estimator: BaseEstimator, X: Collection, *, method: str = "predict"
) -> Collection:
    """Predict from the blocks of a Dask collection in parallel.

    Nothing is computed yet: like all of Dask it is when ``compute`` is called on the result.

    Parameters
    ----------
    estimator : estimator
        A fitted one of the six estimators, or a pipeline that ends in one.
    X : dask Array, dask Bag, or list
        The sequences, see `partial_fit_blocks`.
    method : str, default="predict"
        Which of the estimator's methods answers: "predict", "predict_proba", "transform", ...

    Returns
    -------
    answers : dask Array, dask Bag, or list of Delayed
        Of the same kind as X, in the same blocks. The items of a bag are the answers to one
        sequence each. A Delayed of the list is the answer to a block.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If X is no collection of blocks.
    ValueError
        If X is chunked along time or features.
    AttributeError
        If the estimator has no such method.
    ImportError
        Without dask, which the extra `distributed` brings.

    See Also
    --------
    partial_fit_blocks : Train on a collection, block after block.

    Notes
    -----
    Products of matrices of other sizes are rounded differently, so answers may differ from those
    of one call with the whole in the last bits, 1e-15 or so in float64.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn_rnn import GRURegressor
    >>> from sklearn_rnn.distributed import predict_blocks
    >>> X = da.random.default_rng(0).normal(size=(400, 10, 2), chunks=(100, 10, 2))
    >>> some = X[:100].compute()
    >>> model = GRURegressor(8, random_state=0).fit(some, some[:, -1, 0])
    >>> answers = predict_blocks(model, X)
    >>> answers.shape, answers.numblocks
    ((400,), (4,))
    >>> answers.compute().shape
    (400,)
    """
    dask = _dask()
    from dask.array import Array, concatenate, from_delayed
    from dask.bag import Bag

    check_is_fitted(estimator)
    getattr(estimator, method)
    blocks = _blocks(X, "X")
    if isinstance(X, Bag):
        return X.map_partitions(_answers_to_items, dask.delayed(estimator), method)
    model = dask.delayed(estimator)  # once in the graph, and once on each worker
    answers = [dask.delayed(_answer, pure=False)(model, block, method) for block in blocks]
    if not isinstance(X, Array):
        return answers
    example: np.ndarray = _answer(estimator, np.zeros((1, *X.shape[1:]), X.dtype), method)
    return concatenate(
        [
            from_delayed(answer, (n, *example.shape[1:]), dtype=example.dtype)
            for answer, n in zip(answers, X.chunks[0])
        ]
    )


@contextmanager
def dask_backend(client: Client, *, copies: int = 2) -> Iterator[None]:
    """Run scikit-learn's searches and cross-validation on a Dask cluster, whose workers may die.

    ``joblib.parallel_config(backend="dask")`` sends each large argument, the data and the indices
    of the folds, to one worker, from which others fetch it. If that worker dies, the search is
    lost. Here each is on several workers from the start, and as long as one of them lives nothing
    is lost: Dask gives the tasks of the dead to others.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    copies : int, default=2
        On how many workers the data are: one more than may die at once.

    Yields
    ------
    None
        What runs within, on joblib, runs on the cluster.

    Raises
    ------
    ValueError
        If `copies` is less than 1.

    Notes
    -----
    Dask's active memory manager, which would drop all copies but one, rests in the meantime. Dask
    gives up a task that was running on four workers which died, so that it cannot
    kill all of them: ``distributed.scheduler.allowed-failures`` in its configuration.

    Examples
    --------
    ::

        with Client(LocalCluster(n_workers=2)) as client, dask_backend(client):
            GridSearchCV(GRUClassifier(), {"hidden_size": [16, 32]}).fit(X, y)
    """
    if copies < 1:
        raise ValueError(f"copies is {copies}: at least one worker must have the data.")
    manages_memory = client.amm.running()
    client.amm.stop()
    try:
        with joblib.parallel_config(backend="dask", client=_Copying(client, copies)):
            yield
    finally:
        if manages_memory:
            client.amm.start()


class _Copying:
    """A client, as joblib uses one, that scatters data to several workers instead of one."""

    def __init__(self, client: Any, copies: int) -> None:
        self._client, self._copies = client, copies

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def scatter(self, data: Any, **options: Any) -> Any:
        return self._client.scatter(data, **{"broadcast": self._copies, **options})


# ---- what runs on the workers ----


def _train(model: Any, X: Any, y: Any, classes: Any) -> Any:
    """Return the model after one more block; a failed one leaves it as it was."""
    first = {} if classes is None else {"classes": classes}
    return model.partial_fit(_join(X), _join(y), **first)


def _answer(model: Any, X: Any, method: str) -> Any:
    return getattr(model, method)(_join(X))


def _answers_to_items(X: Any, model: Any, method: str) -> list[Any]:
    """Return the answers to a partition of a bag, of which some may be empty."""
    X = list(X)
    return list(_answer(model, X, method)) if X else []


def _join(block: Any) -> Any:
    """Return a block as an estimator reads it: a partition is a list, or SequenceArrays to join."""
    if isinstance(block, Iterator):
        block = list(block)
    if not (isinstance(block, list) and all(isinstance(item, SequenceArray) for item in block)):
        return block
    return SequenceArray.from_concatenated(
        np.concatenate([item.values for item in block]),
        np.concatenate([item.lengths for item in block]),
    )


# ---- collections as blocks ----


def _dask() -> Any:
    try:
        import dask
        import dask.array
        import dask.bag
    except ImportError as error:
        raise ImportError(
            "sklearn_rnn.distributed works on Dask's collections, and dask is not installed: "
            'pip install "sklearn-rnn[distributed]"'
        ) from error
    return dask


def _blocks(collection: Any, name: str) -> list[Any]:
    """Return the blocks of a collection, delayed unless a list holds them as they are."""
    from dask.array import Array
    from dask.bag import Bag

    if isinstance(collection, Array):
        _check_chunks(collection, name)
        return list(collection.to_delayed().ravel())
    if isinstance(collection, Bag):
        return list(collection.to_delayed())
    if isinstance(collection, list):
        return collection
    raise TypeError(
        f"{name} is {with_article(collection)}: expected a dask Array, a dask Bag, or a list of "
        "blocks. What is in memory already goes to the estimator itself."
    )


def _check_chunks(X: Any, name: str) -> None:
    for axis in range(1, X.ndim):
        if X.numblocks[axis] > 1:
            rest = dict.fromkeys(range(1, X.ndim), -1)
            raise ValueError(
                f"{name} of shape {X.shape} is cut into {X.numblocks[axis]} chunks along axis "
                f"{axis}, but a sequence must be in one block, with all its steps and features: "
                f"{name}.rechunk({rest})"
            )


def _check_same_blocks(X: Any, y: Any, X_blocks: list[Any], y_blocks: list[Any]) -> None:
    """Refuse targets that are cut in other places than the sequences, as far as it can be seen."""
    if not X_blocks:
        raise ValueError("X has no blocks: there is nothing to train on.")
    if len(X_blocks) != len(y_blocks):
        raise ValueError(
            f"X has {len(X_blocks)} blocks and y has {len(y_blocks)}: cut both in the same places "
            "along the first axis, for arrays y.rechunk({0: X.chunks[0]})."
        )
    known = hasattr(X, "chunks") and hasattr(y, "chunks")
    if known and not np.array_equal(X.chunks[0], y.chunks[0], equal_nan=True):
        raise ValueError(
            f"the blocks of X have {X.chunks[0]} samples and those of y {y.chunks[0]}: "
            "y.rechunk({0: X.chunks[0]})"
        )
