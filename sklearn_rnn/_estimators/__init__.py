"""The estimators' common parts: parameters, fit, prediction, and what a fitted model can do."""
