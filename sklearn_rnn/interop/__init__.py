"""To and from other homes: PyTorch, ONNX, and a predictor that needs NumPy alone."""

from sklearn_rnn.interop._export_predictor import export_predictor
from sklearn_rnn.interop._from_torch import from_torch
from sklearn_rnn.interop._skl2onnx import register_skl2onnx
from sklearn_rnn.interop._to_onnx import to_onnx
from sklearn_rnn.interop._to_torch import to_torch

__all__ = ["export_predictor", "from_torch", "register_skl2onnx", "to_onnx", "to_torch"]
