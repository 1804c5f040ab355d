"""Export a fitted estimator as a Python module that needs only NumPy."""

from __future__ import annotations

import io
import os
from hashlib import sha256
from keyword import iskeyword
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn import _files
from sklearn_rnn._estimators.base import RecurrentEstimator
from sklearn_rnn._estimators.fitted import FittedModel
from sklearn_rnn.interop._predictor_source import Predictor


def export_predictor(estimator: RecurrentEstimator, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator as a small Python module, and its weights to a file beside it.

    The module needs NumPy and nothing else. It holds what this one model does, as equations to be
    read, and no option that it does not use.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier or regressor of this package.
    path : path-like
        The module, for example "vowels.py", whose name must be one that Python can import. Its
        weights go to the same name with the ending ".npz". Regular files that exist are replaced.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator is of another kind, for example a pipeline.
    ValueError
        If the name is not that of a Python module, if something else than a regular file has it,
        or if no exported predictor can have one of the model's parts.

    See Also
    --------
    sklearn_rnn.persistence.save : A file that this package makes an estimator of again.

    Notes
    -----
    The module has `predict`, `transform`, for a classifier `predict_proba`, and, unless the model
    is bidirectional, `step` (and `step_proba`), whose state is a tuple of arrays. They take a list
    of (T_i, F) arrays or one array (n, T, F) without padding; rows, if the estimator was fitted
    on a 2-D X; sequences of tokens, if it has an embedding. Answers are those of the estimator, to
    rounding; for every step of sequences in a list, they are a list of arrays.

    The weights are those of `weights_`, under the same names, without biases that are zero. The
    module and the file both name the checksum of the weights (entry "checksum"). If an export is
    cut off between the two files, or only one of them is copied, the import raises ValueError
    instead of predicting with the weights of another model.

    Examples
    --------
    >>> import importlib.util, tempfile
    >>> import numpy as np
    >>> from sklearn_rnn import GRURegressor
    >>> from sklearn_rnn.interop import export_predictor
    >>> X = np.random.default_rng(0).normal(size=(30, 5, 2))
    >>> reg = GRURegressor(4, max_iter=2, random_state=0).fit(X, X[:, :, 0].sum(axis=1))
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     export_predictor(reg, f"{directory}/sums.py")
    ...     spec = importlib.util.spec_from_file_location("sums", f"{directory}/sums.py")
    ...     sums = importlib.util.module_from_spec(spec)
    ...     spec.loader.exec_module(sums)
    >>> bool(np.allclose(sums.predict(X), reg.predict(X), rtol=1e-12))
    True
    """
    path = Path(path)
    if not isinstance(estimator, FittedModel):
        raise TypeError(
            f"export_predictor takes a classifier or regressor of sklearn_rnn, and got a "
            f"{type(estimator).__name__}: of a pipeline export the last step, and do what comes "
            "before it where you call the module."
        )
    check_is_fitted(estimator)
    if path.suffix != ".py" or not path.stem.isidentifier() or iskeyword(path.stem):
        raise ValueError(
            f"path is {os.fspath(path)!r}: expected a name that Python can import, for example "
            '"model.py".'
        )
    predictor = Predictor(estimator._copy())  # which no fit in another thread changes
    arrays = predictor.arrays()
    checksum = _checksum(arrays)
    source = predictor.source(path.stem, checksum).encode()
    weights = io.BytesIO()
    np.savez(weights, **arrays, checksum=checksum)  # type: ignore[arg-type]
    # Both are on the disk before either takes its place, one right after the other.
    with _files.replacing(path) as module, _files.replacing(path.with_suffix(".npz")) as file:
        for content, to in ((source, module), (weights.getvalue(), file)):
            to.write(content)
            to.flush()
            os.fsync(to.fileno())
    # Python takes compiled code for that of a module of the same size and the same second.
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink(missing_ok=True)


def _checksum(arrays: dict[str, np.ndarray]) -> str:
    digest = sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
