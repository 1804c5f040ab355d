"""Read y and sample weights: convert them to the arrays that training uses.

Dimension key: N samples, K outputs, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from numbers import Number, Real
from reprlib import repr as shorten
from typing import Any

import numpy as np
from scipy.sparse import issparse
from scipy.special import ndtri
from sklearn.utils import assert_all_finite, check_array, column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length

from sklearn_rnn._data.refusals import (
    PLAIN_TYPES,
    as_array,
    no_overflow,
    refuse_lost_values,
    refuse_no_list,
    refuse_silent_losses,
)
from sklearn_rnn.sequences import SequenceArray

_LEAVE_OUT = "Leave these sequences out, in X, y and sample_weight alike."
# No probability starts nearer to 0 or 1 than this.
SMALLEST_PRIOR = 1e-3


def check_y_given(sequences: SequenceArray, y: Any, name: str) -> None:
    """Raise a ValueError unless there is a y, with a target for each sequence."""
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")
    refuse_no_list(y, "y")
    if np.isscalar(y) or (isinstance(y, np.ndarray) and y.ndim == 0):
        raise ValueError(f"y must hold one target for each sample, got the scalar {y!r}.")
    check_consistent_length(sequences, y)


def refuse_lost_targets(y: Any, sample_weight: Any = None) -> None:
    """Refuse targets and weights of which NumPy would read others, above all masked ones."""
    refuse_no_list(y, "y")
    refuse_lost_values(y, "y", _LEAVE_OUT)
    if sample_weight is not None:
        refuse_lost_weights(sample_weight)


def refuse_lost_weights(sample_weight: Any) -> None:
    """Refuse weights of which NumPy would read others, and those that are no numbers."""
    refuse_no_list(sample_weight, "sample_weight")
    refuse_silent_losses(sample_weight, "sample_weight", _LEAVE_OUT)
    if len(_lengths_of(sample_weight)) > 1:
        raise ValueError(
            "sample_weight holds lists or arrays of unequal lengths, but one number for each "
            "sequence is expected; with return_sequences=True, one for each step of all sequences."
        )
    weights = as_array(sample_weight, "sample_weight")
    refuse_silent_losses(weights, "sample_weight")
    if weights.dtype.kind in "OUS":
        with no_overflow("sample_weight"):
            _refuse_no_numbers(weights, "sample_weight")


def _refuse_no_numbers(values: np.ndarray, name: str) -> None:
    """Refuse an array in which one of the items is not a number, nor the text of one."""
    for i, value in enumerate(values.ravel().tolist()):
        try:
            float(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} must be numbers: could not convert string to float, or anything else, at "
                f"position {i}, which holds {shorten(value)} (of type {type(value).__name__})."
            ) from None


def check_groups(groups: Any, n_samples: int) -> np.ndarray | None:
    """Return the group of each sample (N,), if there are groups."""
    if groups is None:
        return None
    refuse_no_list(groups, "groups")
    groups = as_array(groups, "groups")
    if groups.ndim == 2 and groups.shape[1] == 1:
        groups = groups[:, 0]
    if groups.shape != (n_samples,):
        raise ValueError(
            f"groups has shape {groups.shape}, but X has {n_samples} sequences: expected "
            f"({n_samples},), the group of each sequence."
        )
    return groups


def check_sample_weight(sample_weight: Any, n_samples: int) -> np.ndarray:
    """Return sample weights as float64 (N,), not negative and not all zero."""
    if sample_weight is None:
        return np.ones(n_samples)
    if isinstance(sample_weight, Real):
        sample_weight = [sample_weight] * n_samples
    refuse_lost_weights(sample_weight)
    with no_overflow("sample_weight"):
        weight = check_array(
            sample_weight, dtype=np.float64, ensure_2d=False, input_name="sample_weight"
        )
    if weight.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got an array of shape {weight.shape}."
        )
    if len(weight) != n_samples:
        raise ValueError(
            f"sample_weight.shape == {weight.shape}, expected {(n_samples,)}: one for each sample."
        )
    if (weight < 0).any():
        raise ValueError("Negative values in data passed to `sample_weight`.")
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


@dataclass(frozen=True)
class Labels:
    """Encoded class labels.

    Attributes
    ----------
    kind : {"single", "binary", "multiclass", "multilabel"}
        "single" where there is one class only.
    classes : ndarray (C,)
        Sorted.
    Y : ndarray (N, K)
        0 and 1 in float64; K is 1 for "single" and "binary", and C otherwise.
    """

    kind: str
    classes: np.ndarray
    Y: np.ndarray


def encode_labels(y: Any, classes: np.ndarray | None, multilabel: bool | None) -> Labels:
    """Encode y; where `classes` are given, by them.

    Raises ValueError for targets that are no class labels, for labels that `classes` lacks,
    and where `multilabel` says that y is of the other kind than before.
    """
    refuse_uneven(y)
    refuse_mixed_labels(y)
    if multilabel is None:
        multilabel = _is_multilabel(y)
    elif multilabel != _is_multilabel(y):
        kinds = ("single-label", "multilabel")
        raise ValueError(
            f"y is a {kinds[not multilabel]} target, but this classifier was first fitted on a "
            f"{kinds[multilabel]} one."
        )
    if multilabel:
        return _encode_multilabel(y, classes)
    y = _check_labels(y)
    found = np.unique(y)
    classes = found if classes is None else classes
    unknown = np.setdiff1d(found, classes)
    if unknown.size:
        raise ValueError(f"y has labels {unknown.tolist()}, which are not in {classes.tolist()}.")
    codes = np.searchsorted(classes, y)
    if len(classes) == 1:
        return Labels("single", classes, np.ones((len(y), 1)))
    if len(classes) == 2:
        return Labels("binary", classes, codes[:, None].astype(np.float64))
    return Labels("multiclass", classes, np.eye(len(classes))[codes])


def refuse_uneven(y: Any) -> None:
    """Refuse a list or a 1-D object array with arrays of unequal lengths in it."""
    lengths = _lengths_of(y)
    sizes = [length or 1 for length in lengths]
    if len(lengths) > 1 or (lengths - {None} and not isinstance(y, list | tuple)):
        raise ValueError(
            "One target for each sequence is expected, but y holds lists or arrays of "
            f"{min(sizes)} to {max(sizes)} targets. Is there one for each step? "
            "set return_sequences=True."
        )


def _lengths_of(values: Any) -> set[int | None]:
    """Return the lengths of a list's or object array's items, with None for single values."""
    if not isinstance(values, list | tuple):
        array = np.asarray(values)
        values = array.ravel().tolist() if array.dtype.kind == "O" and array.ndim > 0 else ()
    if set(map(type, values)) <= PLAIN_TYPES:
        return {None}
    return {len(item) if _has_items(item) else None for item in values}


def _has_items(item: Any) -> bool:
    return (
        hasattr(item, "__len__")
        and not isinstance(item, str | bytes)
        and getattr(item, "ndim", 1) > 0
    )


def check_classes(classes: Any) -> np.ndarray:
    """Return the `classes` of partial_fit, sorted."""
    classes = list(classes) if isinstance(classes, Set) else classes
    refuse_no_list(classes, "classes")
    refuse_lost_values(classes, "classes", "Leave these classes out.")
    refuse_mixed_labels(classes)
    return np.unique(_with_plain_strings(column_or_1d(classes)))


def _is_multilabel(y: Any) -> bool:
    with np.errstate(invalid="ignore"):  # of infinity it makes an integer, before it refuses it
        return type_of_target(y, input_name="y") == "multilabel-indicator"


def _encode_multilabel(y: Any, classes: np.ndarray | None) -> Labels:
    Y = check_array(y, accept_sparse="csr", dtype=np.float64, input_name="y")
    Y = Y.toarray() if hasattr(Y, "toarray") else Y
    if len(others := np.setdiff1d(Y, [0, 1])):
        raise ValueError(
            f"y has {Y.shape[1]} columns, so that each is a label of its own, 1 where a sequence "
            f"has it and 0 where not, but y holds {others[0]:g}. Make it 0 and 1, for example "
            "(y == 1).astype(int); of one label for each sequence make an array of shape (n,)."
        )
    classes = np.arange(Y.shape[1]) if classes is None else classes
    if Y.shape[1] != len(classes):
        raise ValueError(f"y has {Y.shape[1]} labels a sample, expected {len(classes)}.")
    return Labels("multilabel", classes, Y)


def _check_labels(y: Any) -> np.ndarray:
    y = column_or_1d(y, warn=True)
    if y.dtype.kind == "c":
        raise ValueError("Complex data not supported: y holds complex numbers.")
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    return _with_plain_strings(y)


def _with_plain_strings(labels: np.ndarray) -> np.ndarray:
    """Return labels with Python's strings in the place of NumPy's, as which objects would print."""
    if labels.dtype.kind != "O" or not any(isinstance(label, np.str_) for label in labels):
        return labels
    plain = [str(label) if isinstance(label, np.str_) else label for label in labels]
    return np.fromiter(plain, dtype=object, count=len(plain))


def refuse_mixed_labels(y: Any) -> None:
    """Refuse labels of mixed types, such as text and numbers."""
    if issparse(y) or np.asarray(y).dtype.kind not in "OUS":
        return
    labels = np.asarray(y, dtype=object).ravel()
    if any(isinstance(label, Real) and label != label for label in labels):
        raise ValueError("Input y contains NaN.")
    kinds = {str if isinstance(label, str) else type(label) for label in labels}
    if len(kinds) > 1 and not all(issubclass(kind, Number) for kind in kinds):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(
            f"y holds labels of types {names}: labels must be all strings or all numbers."
        )


def labels_of(kind: str, Y: np.ndarray) -> np.ndarray:
    """Return the class codes (N,) that 0-1 targets or scores (N, K) stand for."""
    return Y[:, 0].astype(int) if kind == "binary" else Y.argmax(axis=1)


def class_weight_factors(
    class_weight: Any, kind: str, classes: np.ndarray, Y: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Return the factor (N,) that class_weight gives each sample's weight.

    "balanced" counts a sample of weight w as w samples.
    """
    if class_weight is None or kind == "single":
        return np.ones(len(weight))
    if kind == "multilabel":
        raise ValueError("class_weight is not supported for multilabel targets; use sample_weight.")
    codes = labels_of(kind, Y)
    if class_weight == "balanced":
        totals = np.bincount(codes, weights=weight, minlength=len(classes))
        weighty, factors = totals > 0, np.zeros(len(classes))
        factors[weighty] = weight.sum() / (weighty.sum() * totals[weighty])
        return factors[codes]
    _check_weighted_classes(class_weight, classes)
    return np.asarray(compute_class_weight(class_weight, classes=classes, y=classes))[codes]


def check_class_weight(class_weight: Any) -> None:
    """Raise a ValueError unless the weights of a dict are finite numbers that are not negative."""
    if not isinstance(class_weight, Mapping):
        return
    for label, weight in class_weight.items():
        try:
            fits = isinstance(weight, Real) and 0 <= float(weight) < np.inf
        except OverflowError:
            fits = False
        if not fits:
            raise ValueError(
                f"class_weight has {shorten(weight)} for the class {label!r}: expected a finite "
                "number of at least 0, where 0 leaves the class out."
            )


def _check_weighted_classes(class_weight: Mapping[Any, Any], classes: np.ndarray) -> None:
    """Refuse unknown classes; where all others have weights, they are those that a fold lacks."""
    known = list(classes)
    unknown = [label for label in class_weight if label not in known]
    without = [code for code, label in enumerate(known) if label not in class_weight]
    if unknown and without:
        raise ValueError(
            f"class_weight has weights for {unknown}, which y does not hold, and none for "
            f"{classes[without].tolist()}: the classes are {classes.tolist()}."
        )


def prior(kind: str, Y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the raw prediction (K,) whose prediction is the weighted share of each class."""
    share = np.average(Y, axis=0, weights=weight / weight.max())
    if kind == "single":
        return np.zeros(1)
    if kind == "multiclass":
        return np.log(np.maximum(share, SMALLEST_PRIOR))
    share = np.clip(share, SMALLEST_PRIOR, 1 - SMALLEST_PRIOR)
    return np.log(share / (1 - share))


def check_numeric_targets(y: Any, dtype: np.dtype, name: str) -> np.ndarray:
    """Return regression targets as float64 (N, K), finite in `dtype`; `name` is the regressor's."""
    refuse_uneven(y)
    _refuse_strings(y, name)
    with no_overflow("y"):
        y = check_array(y, dtype="numeric", ensure_2d=False, input_name="y")
        if y.dtype.kind == "O":
            y = y.astype(np.float64)
    if y.ndim > 2:
        raise ValueError(f"y must be of shape (n,) or (n, k), got {y.shape}.")
    if np.asarray(y).dtype.kind in "mM":
        raise ValueError(f"y must be numbers, got {y.dtype}.")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes inf, and is refused
        check_array(y, dtype=dtype, ensure_2d=False, input_name="y")
    return np.asarray(y, np.float64).reshape(len(y), -1)


def _refuse_strings(y: Any, name: str) -> None:
    if issparse(y):
        return
    values = np.asarray(y)
    strings = values.dtype.kind in "US"
    if values.dtype.kind == "O":
        strings = any(isinstance(value, str) for value in values.flat)
    if strings:
        text = next(value for value in values.flat if isinstance(value, str | bytes))
        text = text.item() if isinstance(text, np.generic) else text
        raise ValueError(
            f"y holds strings: could not convert string {text!r} to a number, and {name} predicts "
            f"numbers. For classes use {name.replace('Regressor', 'Classifier')}; for numbers in "
            "text pass np.asarray(y, dtype=float)."
        )


def check_counts(Y: np.ndarray) -> None:
    """Raise a ValueError if one of the targets is negative."""
    if (Y < 0).any():
        raise ValueError(
            'A loss with predictions that are exponentials, such as "poisson", needs targets that '
            f"are not negative, but y holds {Y.min():g}."
        )


def target_scale(Y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted mean and standard deviation (K,) of each target.

    Computed on targets divided by their largest, so that no square overflows. Where a target
    is constant, its own size stands in for the deviation.
    """
    largest, weight = _largest(Y), weight / weight.max()
    mean = np.average(Y / largest, axis=0, weights=weight)
    deviation = np.sqrt(np.average((Y / largest - mean) ** 2, axis=0, weights=weight))
    return mean * largest, _not_zero(deviation) * largest


def robust_target_scale(Y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted median and median absolute deviation from it (K,) of each target.

    The deviation in units in which a normal distribution has that of its standard deviation.
    Where half of the targets are equal, the mean absolute deviation stands in for it, and where
    all are, their own size.
    """
    largest = _largest(Y)
    median = weighted_quantile(Y / largest, weight, 0.5)
    distance = np.abs(Y / largest - median)
    middle = weighted_quantile(distance, weight, 0.5) / ndtri(0.75)
    mean = np.average(distance, axis=0, weights=weight / weight.max()) * np.sqrt(np.pi / 2)
    deviation = np.where(_is_zero(middle), mean, middle)
    return median * largest, _not_zero(deviation) * largest


def count_scale(Y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return zeros, and the weighted mean (K,), above zero, of each target, all counts."""
    largest = _largest(Y)
    mean = np.average(Y / largest, axis=0, weights=weight / weight.max()) * largest
    if (mean == 0).any():
        raise ValueError(
            'A loss with predictions that are exponentials, such as "poisson", needs targets of '
            "which some are above zero; all are 0."
        )
    return np.zeros_like(mean), mean


def weighted_quantile(Y: np.ndarray, weight: np.ndarray, q: float) -> np.ndarray:
    """Return the weighted q-quantile (K,) of each column."""
    weight = np.ldexp(weight, -np.frexp(weight.max())[1])  # their sum cannot overflow then
    order = np.argsort(Y, axis=0, kind="stable")
    cumulative = np.cumsum(weight[order], axis=0)
    rank = (cumulative < q * cumulative[-1]).sum(axis=0)
    return np.take_along_axis(Y, np.take_along_axis(order, rank[None], axis=0), axis=0)[0]


def _largest(Y: np.ndarray) -> np.ndarray:
    largest = np.abs(Y).max(axis=0)
    largest[largest == 0] = 1
    return np.asarray(largest)


def _not_zero(deviation: np.ndarray) -> np.ndarray:
    return np.where(_is_zero(deviation), 1, deviation)


def _is_zero(deviation: np.ndarray) -> np.ndarray:
    """Whether a deviation of numbers up to 1 is rounding alone."""
    return np.asarray(deviation < 10 * np.finfo(deviation.dtype).eps)
