"""Load the Japanese Vowels: 640 short recordings of nine speakers."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from sklearn_rnn._records import Record
from sklearn_rnn.sequences import SequenceArray

__all__ = ["JapaneseVowels", "load_japanese_vowels"]

_DATA = resources.files("sklearn_rnn.datasets") / "data"


@dataclass(frozen=True, eq=False, repr=False)
class JapaneseVowels(Record):
    """The Japanese Vowels; `load_japanese_vowels` describes the fields."""

    X_train: SequenceArray
    y_train: NDArray[np.int64]
    X_test: SequenceArray
    y_test: NDArray[np.int64]
    feature_names: list[str]
    target_names: NDArray[np.str_]
    DESCR: str


def load_japanese_vowels() -> JapaneseVowels:
    """Load the Japanese Vowels data set (classification, sequences of unequal length).

    =============== ==============
    Classes                      9
    Sequences            270 + 370
    Time steps              7 - 29
    Features                    12
    =============== ==============

    Returns
    -------
    data : JapaneseVowels
        A record, whose fields are attributes and keys, ``data.y_test`` and ``data["y_test"]``:

        X_train : SequenceArray of shape (270,)
            Sequences to train on: (n_timesteps, 12), float32.
        y_train : ndarray of shape (270,)
            The speaker of each, 0 to 8.
        X_test : SequenceArray of shape (370,)
            Sequences to test on.
        y_test : ndarray of shape (370,)
            The speaker of each, 0 to 8.
        feature_names : list of str
            Names of the 12 coefficients.
        target_names : ndarray of shape (9,)
            Names of the speakers.
        DESCR : str
            What was recorded, the source and the licence.

    References
    ----------
    M. Kudo, J. Toyama and M. Shimbo (1999). "Multidimensional Curve Classification Using
    Passing-Through Regions". Pattern Recognition Letters 20(11-13), 1103-1111.
    Data: `doi:10.24432/C5NS47 <https://doi.org/10.24432/C5NS47>`_, CC BY 4.0.

    Examples
    --------
    >>> from sklearn_rnn.datasets import load_japanese_vowels
    >>> data = load_japanese_vowels()
    >>> data.X_train.shape, data.X_train[0].shape
    ((270,), (20, 12))
    >>> data.y_train[:3], data.target_names[:3]
    (array([0, 0, 0]), array(['1', '2', '3'], dtype='<U1'))
    """
    with (_DATA / "japanese_vowels.npz").open("rb") as file:
        arrays = dict(np.load(file, allow_pickle=False))
    X, y = {}, {}
    for part in ("train", "test"):
        X[part] = SequenceArray.from_concatenated(
            arrays[f"values_{part}"], arrays[f"lengths_{part}"]
        )
        y[part] = arrays[f"y_{part}"].astype(np.int64)
    return JapaneseVowels(
        X_train=X["train"],
        y_train=y["train"],
        X_test=X["test"],
        y_test=y["test"],
        feature_names=[f"lpc_cepstrum_{i}" for i in range(1, 13)],
        target_names=np.array([str(speaker) for speaker in range(1, 10)]),
        DESCR=(_DATA / "japanese_vowels.rst").read_text(encoding="utf-8"),
    )
