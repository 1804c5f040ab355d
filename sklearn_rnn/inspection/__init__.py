"""Plots of what a model has learned and computed, and the importance of its inputs.

The displays need matplotlib: ``pip install "sklearn-rnn[plot]"``.
"""

from sklearn_rnn.inspection._attribution import AttributionDisplay
from sklearn_rnn.inspection._gates import GateDisplay
from sklearn_rnn.inspection._gradient_flow import GradientFlowDisplay
from sklearn_rnn.inspection._hidden_states import HiddenStateDisplay
from sklearn_rnn.inspection._loss_curve import LossCurveDisplay
from sklearn_rnn.inspection._permutation import PermutationImportance, permutation_importance

__all__ = [
    "AttributionDisplay",
    "GateDisplay",
    "GradientFlowDisplay",
    "HiddenStateDisplay",
    "LossCurveDisplay",
    "PermutationImportance",
    "permutation_importance",
]
