"""Conversion to and from PyTorch, ONNX, aeon and tslearn, and export to a NumPy module."""

from sklearn_rnn.interop._collections import from_aeon, from_tslearn, to_aeon
from sklearn_rnn.interop._export_predictor import export_predictor
from sklearn_rnn.interop._from_torch import from_torch
from sklearn_rnn.interop._skl2onnx import register_skl2onnx
from sklearn_rnn.interop._to_onnx import to_onnx
from sklearn_rnn.interop._to_torch import to_torch

__all__ = [
    "export_predictor",
    "from_aeon",
    "from_torch",
    "from_tslearn",
    "register_skl2onnx",
    "to_aeon",
    "to_onnx",
    "to_torch",
]
