"""Convert scikit-learn's scalers, which may come before an estimator, to ONNX nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from sklearn_rnn.interop._onnx_graph import Graph
from sklearn_rnn.preprocessing import TimestepTransformer

# What is done to the features, the last axis, one after the other: operator, constants.
Operations = list[tuple[Any, ...]]


def add_transformer(graph: Graph, transformer: Any, x: str) -> str:
    """Add a fitted transformer of the features, x's last axis; return its output's name.

    Raises TypeError for one that is not known here.
    """
    if transformer is None or transformer == "passthrough":
        return x
    if isinstance(transformer, TimestepTransformer):
        return add_transformer(graph, transformer.transformer_, x)
    if isinstance(transformer, Pipeline):
        for _, step in transformer.steps:
            x = add_transformer(graph, step, x)
        return x
    if type(transformer) not in _OPERATIONS:
        known = ", ".join(kind.__name__ for kind in _OPERATIONS)
        raise TypeError(
            f"to_onnx does not know {type(transformer).__name__}: in front of the estimator there "
            f"may be {known}, in a TimestepTransformer or on rows. Of rows (n_timesteps), skl2onnx "
            "converts pipelines with all that it knows: see register_skl2onnx."
        )
    for op, *constants in _OPERATIONS[type(transformer)](transformer):
        x = graph.add(op, x, *(np.asarray(constant, np.float64) for constant in constants))
    return x


def _standard(scaler: StandardScaler) -> Operations:
    centre = [("Sub", scaler.mean_)] if scaler.with_mean else []
    return [*centre, *([("Div", scaler.scale_)] if scaler.with_std else [])]


def _robust(scaler: RobustScaler) -> Operations:
    centre = [("Sub", scaler.center_)] if scaler.with_centering else []
    return [*centre, *([("Div", scaler.scale_)] if scaler.with_scaling else [])]


def _min_max(scaler: MinMaxScaler) -> Operations:
    low, high = scaler.feature_range
    clip = [("Clip", low, high)] if scaler.clip else []
    # The minimum is taken off first: X * scale_ + min_ would lose digits in float32.
    return [("Sub", scaler.data_min_), ("Mul", scaler.scale_), ("Add", low), *clip]


def _max_abs(scaler: MaxAbsScaler) -> Operations:
    clip = [("Clip", -1.0, 1.0)] if getattr(scaler, "clip", False) else []
    return [("Div", scaler.scale_), *clip]


_OPERATIONS: dict[type, Any] = {
    StandardScaler: _standard,
    MinMaxScaler: _min_max,
    MaxAbsScaler: _max_abs,
    RobustScaler: _robust,
}
