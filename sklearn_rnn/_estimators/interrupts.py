"""Whether Ctrl-C in a fit stops that fit alone, or also the search that the fit is a part of."""

from __future__ import annotations

import sys

# Code that fits several models, by the beginning of its modules' names: searches,
# cross-validation, ensembles, and whoever runs jobs for them.
_FITS_MANY = (
    *("joblib.", "concurrent.futures.", "multiprocessing.pool", "dask.", "distributed.", "ray."),
    *("sklearn.", "optuna.", "skforecast.", "sklearn_rnn.forecasting._backtest"),
)
# Parts of scikit-learn that fit one model, and pass it on. In `model_selection._search`, that is
# the last model of a search, on all data: the search itself runs its fits by joblib.
_FITS_ONE = (
    *("sklearn.base", "sklearn.callback", "sklearn.compose.", "sklearn.pipeline", "sklearn.utils."),
    "sklearn.model_selection._search",
)


def is_one_of_many() -> bool:
    """Return whether the fit that runs is one of several, which would go on after it.

    Whoever presses Ctrl-C in a search wants the search to stop. Nothing tells a fit that it is in a
    search (scikit-learn's contexts exist only where callbacks were set), except for the functions
    that have called it.
    """
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        name = f"{frame.f_globals.get('__name__', '')}"
        if name.startswith(_FITS_MANY) and not name.startswith(_FITS_ONE):
            return True
    return False
