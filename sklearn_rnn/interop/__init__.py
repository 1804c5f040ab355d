"""To other homes: a predictor that needs NumPy alone."""

from sklearn_rnn.interop._export_predictor import export_predictor

__all__ = ["export_predictor"]
