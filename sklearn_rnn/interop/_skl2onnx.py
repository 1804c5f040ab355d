"""Converters for skl2onnx, so that it can convert whole pipelines on 2-D arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_rnn._registry import ESTIMATORS
from sklearn_rnn.interop._description import Description, describe, require
from sklearn_rnn.interop._onnx_graph import (
    Graph,
    add_labels,
    add_network,
    add_probabilities,
    add_targets,
    target_axes,
    target_dtype,
)
from sklearn_rnn.interop._to_onnx import OPSETS


def register_skl2onnx() -> None:
    """Register the six estimators with skl2onnx, so that it converts pipelines that end in one.

    The estimator must have been fitted on rows of numbers (a 2-D X, most often with
    `n_timesteps`), since skl2onnx knows tables alone. For sequences there is `to_onnx`.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    See Also
    --------
    to_onnx : Without skl2onnx: estimators on whatever they were fitted, with scalers before them.

    Notes
    -----
    Inputs and outputs are those that skl2onnx gives its own: "label" and "probabilities" of a
    classifier, with its options `zipmap`, `nocl` and `output_class_labels`; "variable" of a
    regressor, two-dimensional where there is one number a row. The network computes in float32;
    ``target_opset`` must be at least 18.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_rnn import LSTMClassifier
    >>> from sklearn_rnn.interop import register_skl2onnx
    >>> X = np.random.default_rng(0).normal(size=(60, 8)).astype("float32")
    >>> lstm = LSTMClassifier(4, n_timesteps=4, max_iter=3, random_state=0)
    >>> model = make_pipeline(StandardScaler(), lstm).fit(X, X[:, -1] > 0)
    >>> import skl2onnx  # doctest: +SKIP
    >>> register_skl2onnx()  # doctest: +SKIP
    >>> proto = skl2onnx.to_onnx(model, X[:1], options={"zipmap": False})  # doctest: +SKIP
    """
    require("skl2onnx", "onnx", "register_skl2onnx")
    from skl2onnx import update_registered_converter

    options = {
        "zipmap": [True, False, "columns"],
        "nocl": [True, False],
        "output_class_labels": [False, True],
    }
    for classifier, regressor in ESTIMATORS:
        update_registered_converter(
            classifier, _alias(classifier), _classifier_shapes, _convert, options=options
        )
        update_registered_converter(regressor, _alias(regressor), _regressor_shapes, _convert)


def _alias(Estimator: type) -> str:
    """Return the name that skl2onnx knows an estimator by."""
    return f"SklearnRnn{Estimator.__name__}"


def _describe_rows(estimator: Any) -> Description:
    model = describe(estimator)
    if model.n_timesteps is None or model.vocabulary is not None:
        raise ValueError(
            f"skl2onnx converts what reads tables of numbers, but {type(estimator).__name__} was "
            "fitted on sequences or tokens: fit it on rows (n_timesteps), or use "
            "sklearn_rnn.interop.to_onnx."
        )
    return model


def _classifier_shapes(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    model = _describe_rows(operator.raw_operator)
    options = operator.scope_inst.get_options(operator.raw_operator, {"zipmap": True})
    if model.pooling is None and options["zipmap"]:
        raise ValueError(
            "with return_sequences=True there are probabilities for each step, of which skl2onnx "
            'makes no dictionaries or columns: pass options={"zipmap": False}.'
        )
    leading = _leading(operator, model)
    shape = [*leading, len(model.answer.classes)]  # type: ignore[arg-type]
    labels, probabilities = operator.outputs
    if model.answer.kind == "multilabel":
        labels.set_type(Int64TensorType(shape))
    else:
        strings = _classes(operator).dtype.kind == "O"
        labels.set_type((StringTensorType if strings else Int64TensorType)(leading))
    probabilities.set_type(FloatTensorType(shape))


def _regressor_shapes(operator: Any) -> None:
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    model = _describe_rows(operator.raw_operator)
    shape = [*_leading(operator, model), *target_axes(model.answer)]
    Type = FloatTensorType if target_dtype(model.answer) == np.float32 else DoubleTensorType
    operator.outputs[0].set_type(Type(shape if len(shape) > 1 else [*shape, 1]))


def _leading(operator: Any, model: Description) -> list[Any]:
    """Return the axes of answers: rows, and their steps where each has an answer."""
    rows = [operator.inputs[0].get_first_dimension()]
    return [*rows, model.n_timesteps] if model.pooling is None else rows


def _classes(operator: Any) -> np.ndarray:
    """Return the labels as skl2onnx shows them: integers or strings."""
    from skl2onnx.common.utils_classifier import get_label_classes

    labels = np.asarray(get_label_classes(operator.scope_inst, operator.raw_operator))
    if labels.dtype.kind in "iub":
        return labels.astype(np.int64)
    if all(isinstance(label, str) for label in labels.tolist()):
        return labels.astype(object)
    raise ValueError(f"skl2onnx has labels that are integers or strings, not {labels.tolist()}.")


def _convert(scope: Any, operator: Any, container: Any) -> None:
    from onnx import TensorProto

    if container.target_opset < OPSETS[""]:
        raise ValueError(
            f"target_opset={container.target_opset} is too old: recurrent networks are converted "
            f"to opset {OPSETS['']} or newer."
        )
    model, graph = _describe_rows(operator.raw_operator), Graph()
    x = graph.add("Cast", "X", to=TensorProto.FLOAT)
    raw = add_network(graph, model, x, None)
    if model.answer.classes is None:
        y = add_targets(graph, model, raw)
        if model.pooling is not None and not target_axes(model.answer):
            y = graph.add("Unsqueeze", y, np.array([1]))
        outputs = [y]
    else:
        label = add_labels(graph, model.answer, raw, _classes(operator))
        outputs = [label, add_probabilities(graph, model.answer, raw)]
    names = {"X": operator.inputs[0].full_name}
    names |= dict(zip(outputs, (o.full_name for o in operator.outputs), strict=True))
    _hand_over(graph, names, scope, container)


def _hand_over(graph: Graph, names: dict[str, str], scope: Any, container: Any) -> None:
    """Give skl2onnx all constants and nodes, under the names given, or new ones."""
    from onnx import TensorProto, helper

    for name, array in graph.constants.items():
        names[name] = scope.get_unique_variable_name(name)
        values = array.ravel().tolist()
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        if kind == TensorProto.STRING:
            values = [value.encode() for value in values]
        container.add_initializer(names[name], kind, list(array.shape), values)
    for node in graph.nodes:
        for name in node.output:
            names.setdefault(name, scope.get_unique_variable_name(name))
        container.add_node(
            node.op_type,
            [names[name] for name in node.input],
            [names[name] for name in node.output],
            name=scope.get_unique_operator_name(node.op_type),
            **{a.name: helper.get_attribute_value(a) for a in node.attribute},
        )
