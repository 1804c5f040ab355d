"""Convert collections of time series between this package, aeon and tslearn.

Dimension key: n sequences or cases, T_i time steps (aeon's timepoints), F features (its channels).

Neither library is needed: both keep arrays and lists of arrays.
"""

from typing import Any

import numpy as np

from sklearn_rnn._data.numbers import read_sequences
from sklearn_rnn._data.refusals import as_array
from sklearn_rnn._typing import Array, ArrayOrList, SequencesLike
from sklearn_rnn.sequences import SequenceArray

__all__ = ["from_aeon", "from_tslearn", "to_aeon"]


def from_aeon(X: ArrayOrList) -> Array | SequenceArray:
    """Convert an aeon collection, in which channels come before time points, to sequences.

    In a pipeline, ``FunctionTransformer(from_aeon)`` does so.

    Parameters
    ----------
    X : array-like of shape (n, F, T) or (n, T), or list of n arrays (F, T_i)
        aeon's "numpy3D", "numpy2D" (one channel) or "np-list".

    Returns
    -------
    sequences : ndarray of shape (n, T, F), or SequenceArray of shape (n,)
        A view of an array, a packed copy of a list.

    Raises
    ------
    ValueError
        If X is an array of another number of dimensions, or a list whose items are not all
        two-dimensional, empty, or of unequal numbers of channels.

    See Also
    --------
    to_aeon : The way back.

    Notes
    -----
    What X means cannot be seen from the numbers: an array of shape (n, T, F), such as Keras and
    PyTorch have, needs no conversion, and would be turned the wrong way.

    References
    ----------
    M. Middlehurst et al. (2024). "aeon: a Python Toolkit for Learning from Time Series". Journal
    of Machine Learning Research 25(289), 1-10.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.interop import from_aeon
    >>> from_aeon(np.zeros((10, 2, 50))).shape  # 2 channels, 50 timepoints
    (10, 50, 2)
    >>> from_aeon([np.zeros((2, 50)), np.zeros((2, 40))])
    SequenceArray(2 sequences of 40 to 50 steps, 2 features, float64)
    """
    if isinstance(X, (list, tuple)) and len(X) and np.ndim(X[0]) > 1:
        return SequenceArray.from_sequences([_turned(i, case) for i, case in enumerate(X)])
    X = as_array(X, "X")
    if X.ndim == 2:
        return X[:, :, None]
    if X.ndim == 3:
        return X.transpose(0, 2, 1)
    raise ValueError(
        f"X has shape {X.shape}: expected (n_cases, n_channels, n_timepoints), "
        "(n_cases, n_timepoints), or a list of arrays (n_channels, n_timepoints)"
    )


def to_aeon(X: SequencesLike) -> Array | list[Array]:
    """Convert sequences to an aeon collection, in which channels come before time points.

    Parameters
    ----------
    X : array-like, list of arrays, or SequenceArray
        Sequences, in any container that the estimators take; the padding of a padded array is
        left out.

    Returns
    -------
    collection : ndarray of shape (n, F, T), or list of n arrays (F, T_i)
        A copy: what aeon calls "numpy3D" if all sequences are of equal length, else "np-list".

    Raises
    ------
    ValueError
        If X holds no sequences of numbers.

    See Also
    --------
    from_aeon : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.interop import to_aeon
    >>> to_aeon(np.zeros((10, 50, 2))).shape
    (10, 2, 50)
    >>> [case.shape for case in to_aeon([np.zeros((50, 2)), np.zeros((40, 2))])]
    [(2, 50), (2, 40)]
    """
    # Copies, for aeon's compiled code wants rows that are contiguous, and may write into them.
    turned = [sequence.T.copy() for sequence in read_sequences(X, "to_aeon", allow_nan=True)]
    lengths = {case.shape[1] for case in turned}
    return np.stack(turned) if len(lengths) == 1 else turned


def from_tslearn(X: Array) -> SequenceArray:
    """Pack a tslearn data set, without the NaN that pad sequences at their ends.

    The way back is :meth:`SequenceArray.to_padded <sklearn_rnn.SequenceArray.to_padded>`.

    Parameters
    ----------
    X : array-like of shape (n, T, F)
        As :func:`!tslearn.utils.to_time_series_dataset` makes it: sequences shorter than T end in
        steps that are NaN in all features.

    Returns
    -------
    sequences : SequenceArray of shape (n,)
        The sequences; a view of X if none is padded.

    Raises
    ------
    ValueError
        If X is not three-dimensional, or a sequence is NaN altogether.

    Notes
    -----
    The estimators take such an X as it is. They read NaN at the beginning of a sequence as padding,
    too; to tslearn that is missing data, and so it is here.

    References
    ----------
    R. Tavenard et al. (2020). "Tslearn, A Machine Learning Toolkit for Time Series Data". Journal
    of Machine Learning Research 21(118), 1-6.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.interop import from_tslearn
    >>> from_tslearn([[[1.0], [2.0], [np.nan]], [[3.0], [4.0], [5.0]]])
    SequenceArray(2 sequences of 2 to 3 steps, 1 feature, float64)
    """
    X = as_array(X, "X")
    if X.ndim != 3:
        raise ValueError(f"X has shape {X.shape}: expected (n_sequences, n_timesteps, n_features)")
    if X.dtype.kind not in "biuf":
        raise ValueError(f"X is of {X.dtype}, but numbers are expected")
    real = np.asarray(~np.isnan(X).all(axis=2))
    until_end = np.logical_or.accumulate(real[:, ::-1], axis=1)[:, ::-1]
    return SequenceArray.from_padded(X, mask=until_end)


def _turned(i: int, case: Any) -> np.ndarray:
    case = as_array(case, f"case {i}")
    if case.ndim != 2:
        raise ValueError(f"case {i} has shape {case.shape}: expected (n_channels, n_timepoints)")
    return case.T
