"""Export a fitted estimator, or a pipeline that ends in one, as an ONNX model."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.pipeline import Pipeline

from sklearn_rnn._estimators.base import RecurrentEstimator
from sklearn_rnn._version import __version__
from sklearn_rnn.interop._description import Answer, Description, describe, require
from sklearn_rnn.interop._onnx_graph import (
    Graph,
    add_labels,
    add_network,
    add_probabilities,
    add_targets,
    target_axes,
    target_type,
)
from sklearn_rnn.interop._onnx_scalers import add_transformer

if TYPE_CHECKING:
    from onnx import ModelProto

OPSETS = {"": 18, "ai.onnx.ml": 3}  # the first with all that is needed, so that old runtimes do
IR_VERSION = 8  # the one that came with opset 18


def to_onnx(
    estimator: RecurrentEstimator | Pipeline,
    path: str | PathLike[str] | None = None,
    *,
    lengths: bool | None = None,
) -> ModelProto:
    """Make an ONNX model from a fitted estimator, or from a pipeline that ends in one.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted classifier or regressor of this package, or a pipeline of scalers and one of
        them: StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, alone or in pipelines, in a
        :class:`~sklearn_rnn.preprocessing.TimestepTransformer` or on rows.
    path : str or path-like, default=None
        Where to write the model, if anywhere.
    lengths : bool, default=None
        Whether the model has an input of lengths, for sequences that are padded at their ends.
        None: if the training sequences differed in length.

    Returns
    -------
    model : onnx.ModelProto
        Its inputs and outputs are listed under Notes.

    Raises
    ------
    ImportError
        If onnx is not installed.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is none of this package, or in front of it is something else than scalers.
    ValueError
        If lengths are asked for where rows were fitted, which are all equally long.

    See Also
    --------
    register_skl2onnx : For whole pipelines on rows, with all that skl2onnx converts.
    to_torch : As a module of PyTorch.

    Notes
    -----
    The recurrent layers are the standard nodes RNN, LSTM and GRU of opset 18, in float32. n
    sequences and T steps may be any numbers.

    .. code-block:: text

        input   X              (n, T, F) float; (n, n_columns) where rows were fitted;
                               with tokens (n, T) int64 or string
                lengths        (n,) int64: the first steps of each sequence are real, and what
                               stands in the padding has no say. Only with `lengths`
        output  label          (n,) in the type of the classes: int64, string, bool or float;
                               multilabel (n, C) int64
                probabilities  (n, C) float
                prediction     of a regressor: as `predict` has it, in y's units; double
                               where float is too coarse for them, as with 1e8 + noise

    With `return_sequences` outputs have an axis of T steps after the first; what stands in the
    padding there means nothing. A runtime must heed `sequence_lens`, as onnxruntime does: for a
    reverse direction over padded sequences, ONNX's own reference evaluator does not.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import LSTMClassifier
    >>> from sklearn_rnn.interop import to_onnx
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 2)).astype("float32")
    >>> clf = LSTMClassifier(4, max_iter=3, random_state=0).fit(X, X[:, -1, 0] > 0)
    >>> model = to_onnx(clf)  # doctest: +SKIP
    >>> import onnxruntime  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())  # doctest: +SKIP
    >>> label, probabilities = session.run(None, {"X": X})  # doctest: +SKIP
    >>> bool(np.abs(probabilities - clf.predict_proba(X)).max() < 1e-5)  # doctest: +SKIP
    True
    """
    require("onnx", "onnx", "to_onnx")
    import onnx

    transformers, last = _steps(estimator)
    model = describe(last)
    with_lengths = _check_lengths(lengths, model.estimator)
    graph, x = Graph(), "X"
    if model.vocabulary is not None:
        x = _add_codes(graph, model.vocabulary, x)
    for transformer in transformers:
        x = add_transformer(graph, transformer, x)
    raw = add_network(graph, model, x, "lengths" if with_lengths else None)
    outputs = _add_outputs(graph, model, raw)
    constants = [make_tensor(name, array) for name, array in graph.constants.items()]
    inputs = _inputs(model, with_lengths)
    proto = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, type(last).__name__, inputs, outputs, constants),
        opset_imports=[onnx.helper.make_opsetid(*opset) for opset in OPSETS.items()],
        ir_version=IR_VERSION,
        producer_name="sklearn_rnn",
        producer_version=__version__,
    )
    onnx.checker.check_model(proto, full_check=True)
    if path is not None:
        onnx.save(proto, path)
    return proto


def _steps(estimator: Any) -> tuple[list[Any], Any]:
    """Return the transformers, and the estimator after them."""
    if not isinstance(estimator, Pipeline):
        return [], estimator
    *transformers, last = (step for _, step in estimator.steps)
    inner, last = _steps(last)
    return transformers + inner, last


def _check_lengths(lengths: bool | None, estimator: Any) -> bool:
    """Return whether the model has an input of lengths."""
    if lengths is None:
        return estimator.n_timesteps_in_ is None
    if lengths and estimator._input_kind_ == "flat":
        raise ValueError("lengths=True, but the estimator was fitted on rows, which have none.")
    return lengths


def _inputs(model: Description, with_lengths: bool) -> list[Any]:
    from onnx import TensorProto

    T, F = model.n_timesteps, model.input_size
    steps = "time" if T is None else T
    if model.vocabulary is not None:
        strings = model.vocabulary.dtype.kind == "U"
        X = make_value("X", TensorProto.STRING if strings else TensorProto.INT64, ["batch", steps])
    else:
        shape = ["batch", "time", F] if T is None else ["batch", T * F]
        X = make_value("X", TensorProto.FLOAT, shape)
    return [X, make_value("lengths", TensorProto.INT64, ["batch"])] if with_lengths else [X]


def _add_codes(graph: Graph, vocabulary: np.ndarray, x: str) -> str:
    """Add the codes of tokens; of one that is not in the vocabulary, its length."""
    tokens = vocabulary.tolist()
    keys = "keys_strings" if vocabulary.dtype.kind == "U" else "keys_int64s"
    return graph.add(
        "LabelEncoder",
        x,
        domain="ai.onnx.ml",
        values_int64s=list(range(len(tokens))),
        default_int64=len(tokens),
        **{keys: tokens},
    )


def _add_outputs(graph: Graph, model: Description, raw: str) -> list[Any]:
    from onnx import TensorProto, helper

    answer = model.answer
    leading = ["batch", "time"] if model.pooling is None else ["batch"]
    if answer.classes is None:
        graph.name(add_targets(graph, model, raw), "prediction")
        return [make_value("prediction", target_type(answer), [*leading, *target_axes(answer)])]
    classes = label_array(answer)
    graph.name(add_labels(graph, answer, raw, classes), "label")
    graph.name(add_probabilities(graph, answer, raw), "probabilities")
    C, multilabel = len(classes), answer.kind == "multilabel"
    kind = TensorProto.INT64 if multilabel else helper.np_dtype_to_tensor_dtype(classes.dtype)
    return [
        make_value("label", kind, [*leading, C] if multilabel else leading),
        make_value("probabilities", TensorProto.FLOAT, [*leading, C]),
    ]


def label_array(answer: Answer) -> np.ndarray:
    """Return the classes in a dtype for ONNX: int64, float32, bool, or object for strings."""
    classes = np.asarray(answer.classes)
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if classes.dtype.kind in "fb":
        return classes if classes.dtype.kind == "b" else classes.astype(np.float32)
    if all(isinstance(label, str) for label in classes.tolist()):
        return classes.astype(object)
    raise TypeError(
        f"classes must be numbers or strings to become labels of ONNX, got {classes.tolist()}."
    )


def make_value(name: str, kind: int, shape: list[Any]) -> Any:
    """Return the description of an input or output."""
    from onnx import helper

    return helper.make_tensor_value_info(name, kind, shape)


def make_tensor(name: str, array: np.ndarray) -> Any:
    """Return a constant."""
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
