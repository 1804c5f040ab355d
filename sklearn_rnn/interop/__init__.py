"""To and from other frameworks: PyTorch, ONNX."""

from sklearn_rnn.interop._from_torch import from_torch
from sklearn_rnn.interop._skl2onnx import register_skl2onnx
from sklearn_rnn.interop._to_onnx import to_onnx
from sklearn_rnn.interop._to_torch import to_torch

__all__ = ["from_torch", "register_skl2onnx", "to_onnx", "to_torch"]
