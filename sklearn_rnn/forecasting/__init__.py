"""Forecast time series with recurrent networks."""

import sys

from sklearn_rnn.forecasting import _panel, _windowing
from sklearn_rnn.forecasting._backtest import Backtest
from sklearn_rnn.forecasting._forecaster import RecurrentForecaster

__all__ = ["Backtest", "RecurrentForecaster"]

# Pickles made before this folder existed know these two modules by other names.
sys.modules["sklearn_rnn._forecast_data"] = _panel
sys.modules["sklearn_rnn._forecast_model"] = _windowing
