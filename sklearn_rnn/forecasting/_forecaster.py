"""The forecaster: a recurrent network fitted to windows of time series."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial
from math import ceil
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import clone
from sklearn.metrics import root_mean_squared_error
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._compat import Interval, InvalidParameterError, StrOptions
from sklearn_rnn._core.losses import LOSSES
from sklearn_rnn._estimators.intervals import margins
from sklearn_rnn._estimators.regressor import RecurrentRegressor
from sklearn_rnn._estimators.stamps import StampedEstimator
from sklearn_rnn._gru import GRURegressor
from sklearn_rnn._typing import Array, RandomState, SequencesLike
from sklearn_rnn.forecasting._backtest import Backtest, run_backtest
from sklearn_rnn.forecasting._panel import (
    Columns,
    Form,
    Panel,
    all_origins,
    check_columns,
    read_panel,
    read_steps,
    rows_at,
    whole_blocks,
    wrap_all,
)
from sklearn_rnn.forecasting._windowing import Scalers, Windowing, split_off_end
from sklearn_rnn.windows import check_positive

__all__ = ["RecurrentForecaster"]

# The least number of held-out windows that a score can be computed of.
MIN_HELD_OUT = 2


class RecurrentForecaster(StampedEstimator):
    """Forecast time series with a recurrent network that reads their last rows.

    The network is trained on all windows of the training series to predict the rows that follow a
    window. The forecaster standardizes the series and expresses each window relative to its last
    row. The windows at the end of the series are held out from training: they decide when training
    stops and how wide prediction intervals are.

    Parameters
    ----------
    estimator : RNNRegressor, LSTMRegressor or GRURegressor, default=None
        The network, of which a clone is fitted. None stands for ``GRURegressor(32, batch_size=64,
        learning_rate_init=0.003, max_iter=50, n_iter_no_change=5)``.
    window : int, default=48
        Number of last rows of a series that a forecast is made from. If the series is seasonal,
        one or two seasons. Tune this parameter first.
    horizon : int, default=1
        Number of rows to forecast.
    strategy : {"direct", "recursive"}, default="direct"
        With "direct", the network forecasts all rows of the horizon at once, each as an output of
        its own. With "recursive", it forecasts one row, which is then appended to the window to
        forecast the next one [1]_. A horizon in `predict` that is longer than the fitted one is
        always forecast recursively, `horizon` rows at a time.
    normalize : {"last", "window"} or None, default="last"
        With "last", the last row of each window is subtracted from the window, and the network
        forecasts the change from that row. With "window", the result is also divided by the
        standard deviation of the window: for series that grow in proportion to their level, or
        that differ in size. With None, windows are not changed: for series with a constant level.
    stride : int, default=1
        Number of rows between the starts of neighboring training windows.
    validation_fraction : float or None, default=0.1
        Share of the windows of each series, at its end, that are held out: for early stopping and
        for `predict_interval`. None holds nothing out: training takes the `max_iter` epochs of
        the estimator, and there are no intervals.
    random_state : int, RandomState instance or None, default=None
        If not None, replaces that of `estimator`.

    Attributes
    ----------
    estimator_ : estimator
        The fitted network.
    n_features_in_ : int
        Columns of the series.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where the series was a data frame with string names.
    n_windows_ : int
        Windows that the network was trained on.
    n_held_out_ : int
        Windows that were held out.

    See Also
    --------
    make_windows : The windows alone, for cross-validation and pipelines of your own.

    Notes
    -----
    At each row r of a window the network reads the columns of the series, the past and the future
    covariates of row r, and the future covariates of row r + h, where h is the number of rows that
    it forecasts at once. So it has seen the future covariates of every row that it forecasts, which
    takes a window of at least h rows.

    All windows are held in memory: n windows of w rows of C columns and covariates take n w C
    numbers. `stride` makes them fewer.

    `fit` takes a series and no y, so GridSearchCV cannot search over forecasters: compare the
    `error` of `backtest` instead.

    References
    ----------
    .. [1] Ben Taieb, S., Bontempi, G., Atiya, A. and Sorjamaa, A. (2012). A review and comparison
           of strategies for multi-step ahead time series forecasting. Expert Systems with
           Applications 39(8), 7067-7083. https://doi.org/10.1016/j.eswa.2012.01.039

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RecurrentForecaster
    >>> rng = np.random.default_rng(0)
    >>> series = 100 + 10 * np.sin(0.3 * np.arange(330)) + rng.normal(size=330)
    >>> forecaster = RecurrentForecaster(window=24, horizon=6, random_state=0).fit(series[:300])
    >>> forecast = forecaster.predict()
    >>> forecast.shape
    (6,)
    >>> bool(np.abs(forecast - series[300:306]).max() < 5)
    True
    >>> forecaster.predict_interval(coverage=0.8).shape
    (6, 2)
    >>> forecaster.backtest(series, initial=270).errors.shape
    (6,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [RecurrentRegressor, None],
        "window": [Interval(Integral, 1, None, closed="left")],
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "strategy": [StrOptions({"direct", "recursive"})],
        "normalize": [StrOptions({"last", "window"}), None],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: RecurrentRegressor | None = None,
        *,
        window: int = 48,
        horizon: int = 1,
        strategy: Literal["direct", "recursive"] = "direct",
        normalize: Literal["last", "window"] | None = "last",
        stride: int = 1,
        validation_fraction: float | None = 0.1,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.window = window
        self.horizon = horizon
        self.strategy = strategy
        self.normalize = normalize
        self.stride = stride
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    # ---- fit ----

    def fit(
        self,
        series: SequencesLike,
        y: None = None,
        *,
        past_exog: SequencesLike | None = None,
        future_exog: SequencesLike | None = None,
    ) -> Self:
        """Fit the network to one or several series.

        Parameters
        ----------
        series : array-like of shape (T,) or (T, F), list of them, or SequenceArray
            What is to be forecast, all columns of it, in rows that are equally far apart in time,
            the oldest first: arrays, data frames or Series, or an array of shape (n_series, T, F).
            Several series are learned by one network, and have the same columns.
        y : None
            Not used, present for API consistency by convention.
        past_exog : like `series`, default=None
            Covariates of the same rows, of shape (T,) or (T, P), that are not known ahead.
        future_exog : like `series`, default=None
            Covariates that are known ahead, such as the calendar, of shape (T + k,) or (T + k, E):
            those of the rows of `series`, and of any k rows after its end, for `predict`.
            Covariates with an index of pandas are matched with the index of `series`, see Notes.

        Returns
        -------
        self : RecurrentForecaster
            The fitted forecaster.

        Raises
        ------
        ValueError
            If a series is too short for one window and its targets, or to hold windows out; if a
            value is missing, infinite or no number; if the index of a series does not increase, or
            has a time twice; if covariates have other rows or times; if a parameter is not what it
            should be. The forecaster is then as it was before.
        TypeError
            If `series` is no container of numbers.

        Warns
        -----
        UserWarning
            If an index has gaps or is not evenly spaced.

        Notes
        -----
        An index of pandas says the times of rows if it holds dates, periods, durations or numbers.
        Where both `series` and covariates have times, the rows of covariates with the times of the
        series are taken, and those that follow its end; a time that is not there raises an error.
        The numbers 0, 1, 2, ..., which pandas gives to rows without an index, are no times, and
        neither is text: then row i of covariates belongs to row i of the series. `predict` and
        `backtest` do the same.

        Columns of data frames are taken by name, in `predict` also those of `series`.
        """
        _refuse_target(y)
        self._check_parameters()
        draft = self._unfitted_copy()
        given = read_panel(series, past_exog, future_exog)
        draft._fit(given.panel)
        draft._forms_, draft._columns_ = (given.reading, given.forms), given.columns
        names = given.columns.series
        if names and all(isinstance(name, str) for name in names):
            draft.feature_names_in_ = np.array(names, dtype=object)
        self.__dict__ = draft.__dict__
        return self

    def _unfitted_copy(self) -> Self:
        draft = copy(self)
        draft.__dict__ = {k: v for k, v in vars(self).items() if not k.endswith("_")}
        return draft

    def _check_parameters(self) -> None:
        _check_network(self.estimator)
        self._validate_params()
        for name in ("window", "horizon", "stride", "validation_fraction"):
            if isinstance(getattr(self, name), bool | np.bool_):
                raise InvalidParameterError(
                    f"The {name!r} parameter of RecurrentForecaster must be a number, got "
                    f"{getattr(self, name)!r}."
                )

    def _fit(self, panel: Panel) -> None:
        """Set all fitted attributes, except those that describe the container of the series."""
        step = self.horizon if self.strategy == "direct" else 1
        windowing = Windowing(self.window, step, self.normalize)
        windowing.check_covariates(panel, self.horizon)
        scalers = Scalers.fit(panel)
        scaled = scalers.transform(panel)
        groups, origins = windowing.training_origins(scaled, self.stride)
        train, held_out = self._split(groups, step)

        estimator = self._make_estimator()
        X, y = windowing.make_training_data(scaled, groups[train], origins[train])
        validation = {}
        if len(held_out):
            data = windowing.make_training_data(scaled, groups[held_out], origins[held_out])
            validation = dict(zip(("X_val", "y_val"), data))
        self.estimator_ = estimator.fit(X, y, **validation)
        self.n_windows_, self.n_held_out_ = len(train), len(held_out)
        self.n_features_in_ = panel.series.n_features
        self._windowing_, self._scalers_, self._horizon_ = windowing, scalers, self.horizon

        ends = panel.series.lengths
        first = ends.copy()  # of the held-out rows of each series
        np.minimum.at(first, groups[held_out], origins[held_out])
        self._tail_ = panel.between(first - self.window, ends)

    def _split(self, groups: Array, step: int) -> tuple[Array, Array]:
        n_overlapping = ceil(step / self.stride) - 1
        train, held_out = split_off_end(groups, self.validation_fraction, n_overlapping)
        if self.validation_fraction is not None and len(held_out) < MIN_HELD_OUT:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} would hold {len(held_out)} of "
                f"{len(groups)} window(s) out, and at least {MIN_HELD_OUT} are needed: pass longer "
                "series, a larger fraction, a shorter window or horizon, or "
                "validation_fraction=None, which holds nothing out."
            )
        return train, held_out

    def _make_estimator(self) -> Any:
        default = GRURegressor(
            32, batch_size=64, learning_rate_init=0.003, max_iter=50, n_iter_no_change=5
        )
        estimator = default if self.estimator is None else clone(self.estimator)
        if estimator.return_sequences or estimator.n_timesteps is not None:
            raise ValueError(
                "estimator must have return_sequences=False and n_timesteps=None: it forecasts "
                f"from whole windows. Got {estimator!r}."
            )
        if estimator.embedding_size is not None:
            raise ValueError(
                f"estimator has embedding_size={estimator.embedding_size!r}, which is for tokens, "
                "but series are numbers: leave embedding_size=None."
            )
        self._check_loss(estimator)
        if self.random_state is not None:
            estimator.set_params(random_state=self.random_state)
        if self.validation_fraction is None:
            # Windows drawn at random overlap with those that are left, and say nothing.
            estimator.set_params(early_stopping=False)
        return estimator

    def _check_loss(self, estimator: Any) -> None:
        loss = LOSSES.get(estimator.loss)
        if loss is None:
            return  # its own fit refuses it
        if loss.out_activation != "identity":
            raise ValueError(
                f"estimator has loss={estimator.loss!r}, whose predictions are never negative, but "
                "the network forecasts standardized values, which are. Take another loss, such as "
                '"squared_error" or "absolute_error"; with normalize="window", series may grow in '
                "proportion to their level."
            )
        takes_quantiles = "quantiles" in loss.parameters()
        if takes_quantiles and np.size(estimator.quantiles) > 1:
            raise ValueError(
                f"estimator has quantiles={estimator.quantiles!r}, but a forecast is one number a "
                "row and column: give it a single one, or another loss. predict_interval gives "
                "intervals with any loss."
            )

    # ---- forecasts ----

    def predict(
        self,
        horizon: int | None = None,
        *,
        series: SequencesLike | None = None,
        past_exog: SequencesLike | None = None,
        future_exog: SequencesLike | None = None,
    ) -> Any:
        """Forecast the rows that follow the training series, or other series.

        Parameters
        ----------
        horizon : int, default=None
            How many rows. None: `horizon` of the fit. If it is more than the network forecasts at
            once, forecasts are fed back.
        series : like the `series` of `fit`, default=None
            Other series to continue, or longer versions of the same, of at least `window` rows.
            None: the training series.
        past_exog : like that of `fit`, default=None
            Covariates of the rows of `series`; needed with `series` if `fit` had them.
        future_exog : like that of `fit`, default=None
            With `series`: covariates of its rows and of the rows to be forecast. Without: of the
            rows to be forecast, unless `fit` had them already; rows of earlier times are left out,
            and are an error without an index. A network that forecasts h rows at once needs those
            of a multiple of h rows.

        Returns
        -------
        forecast : ndarray of shape (horizon,) or (horizon, F), Series, data frame, or list of them
            In the unit and the form of the series, and one for each series of a list. A pandas
            object continues the index: times by their frequency, numbers by their distance. If
            these are not even, or the index holds other labels, it has the numbers of the rows,
            counted from 0 on. Series and data frames of polars give such of polars.

        Raises
        ------
        ValueError
            If a series is shorter than the window, or has other columns than in `fit`, and if
            covariates have other columns or times, or do not reach as far as they need to.
        """
        forecasts, _, forms = self._predict(horizon, series, past_exog, future_exog)
        return wrap_all(*forms, forecasts)

    def predict_interval(
        self,
        horizon: int | None = None,
        coverage: float = 0.9,
        *,
        series: SequencesLike | None = None,
        past_exog: SequencesLike | None = None,
        future_exog: SequencesLike | None = None,
    ) -> Any:
        """Forecast an interval for each row that contains the value with a given probability.

        Parameters
        ----------
        horizon : int, default=None
            As in `predict`.
        coverage : float, default=0.9
            Between 0 and 1.
        series : like the `series` of `fit`, default=None
            As in `predict`.
        past_exog : like that of `fit`, default=None
            As in `predict`.
        future_exog : like that of `fit`, default=None
            As in `predict`.

        Returns
        -------
        intervals : ndarray of shape (horizon, 2) or (horizon, F, 2), data frame, or list of them
            Lower and upper ends. A pandas object has the columns "lower" and "upper", below those
            of a data frame; a polars frame has "a_lower" and "a_upper" for the column "a".

        Raises
        ------
        ValueError
            If nothing was held out, or too little for this coverage and horizon; and as `predict`.

        Notes
        -----
        Split-conformal prediction [1]_: at every origin in the held-out end of the training
        series, the forecast of each step is compared with what came. Of these n errors of a step
        and column, the ceil((n + 1) coverage)-th smallest absolute one is the margin on either
        side of the forecast, in units of the window's scale with ``normalize="window"``.

        If the error of the step were exchangeable with those n, and early stopping had not used the
        same windows, the interval would hold its value with probability `coverage` at least,
        whatever the network. In a time series it is not: errors of neighbouring origins are alike,
        and a series that changes brings larger errors than its past. So this is an estimate, as
        good as the held-out end resembles the future; `backtest` with `coverage` measures it. It
        holds for each step, not for all of them at once.

        References
        ----------
        .. [1] Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic Learning in a Random
               World. Springer.
        """
        forecasts, scale, forms = self._predict(horizon, series, past_exog, future_exog)
        margin = self._margin(forecasts.shape[1], coverage)
        return wrap_all(*forms, _interval(forecasts, scale, margin))

    def _predict(
        self, horizon: Any, series: Any, past_exog: Any, future_exog: Any
    ) -> tuple[Array, Array, tuple[str, list[Form]]]:
        """Return forecasts (n_series, h, F), window scales (n_series, 1, F), and the forms."""
        check_is_fitted(self)
        horizon = self._horizon_ if horizon is None else horizon
        _check_horizon(horizon)
        # Pickles made before columns were matched by name have none.
        columns = getattr(self, "_columns_", Columns())
        if series is not None:
            given = read_panel(series, past_exog, future_exog, columns)
            panel, forms = given.panel, (given.reading, given.forms)
            check_columns("series", panel.series, self._tail_.series)
            check_columns("past_exog", panel.past, self._tail_.past)
            check_columns("future_exog", panel.future, self._tail_.future)
        elif past_exog is not None:
            raise ValueError("past_exog goes with series: those of the training series are known.")
        else:
            panel, forms = self._tail_, self._forms_
            if future_exog is not None:
                n_steps = whole_blocks(horizon, self._windowing_.step)
                steps = read_steps(future_exog, panel, forms[1], n_steps, columns)
                panel = panel.with_future(steps)
        groups, origins = np.arange(len(panel.series)), panel.series.lengths
        forecasts, scale = self._forecast(panel, groups, origins, horizon)
        return forecasts, scale, forms

    def _forecast(
        self, panel: Panel, groups: Array, origins: Array, horizon: int
    ) -> tuple[Array, Array]:
        """Return forecasts (n, horizon, F), and window scales (n, 1, F), in the series' unit."""
        windowing = self._windowing_
        windowing.check_past_reaches(panel, horizon)
        if (short := origins < windowing.window).any():
            i = groups[short.argmax()]
            which = "series" if len(panel.series) == 1 else f"series[{i}]"
            raise ValueError(
                f"{which} has {origins[short.argmax()]} row(s), but window={windowing.window}: a "
                "forecast needs that many."
            )
        panel.check_future_reaches(origins, groups, horizon, windowing.step)
        scaled = self._scalers_.transform(panel)
        forecasts, scale = windowing.forecast(self.estimator_, scaled, groups, origins, horizon)
        return self._scalers_.inverse(forecasts), scale * self._scalers_.series.scale_

    def _margin(self, horizon: int, coverage: Any) -> Array:
        """Return the margin (horizon, F) of intervals, in units of a window's scale."""
        if not isinstance(coverage, Real) or not 0 < float(coverage) < 1:
            raise ValueError(f"coverage must be between 0 and 1, got {coverage!r}.")
        if not self.n_held_out_:
            raise ValueError(
                "predict_interval needs held-out windows to learn from how far forecasts are off: "
                "fit with a validation_fraction."
            )
        tail, window = self._tail_, self._windowing_.window
        n_steps = whole_blocks(horizon, self._windowing_.step)
        groups, origins = all_origins([window] * len(tail.series), tail.series.lengths, n_steps, 1)
        coverage = float(coverage)
        # Rounded, since 0.9 / (1 - 0.9) comes out a little larger than 9.
        needed = ceil(round(coverage / (1 - coverage), 9))
        if len(origins) < needed:
            raise ValueError(
                f"coverage={coverage:g} of {horizon} step(s) needs at least {needed} origins in "
                f"the held-out end of the series, which has {len(origins)}: fit with a larger "
                "validation_fraction or longer series, or ask for less coverage or fewer steps."
            )
        forecasts, scale = self._forecast(tail, groups, origins, horizon)
        errors = (rows_at(tail.series, groups, origins, horizon) - forecasts) / scale
        margin = margins(errors.reshape(len(errors), -1, 1), 0, 0, coverage)
        return margin.reshape(forecasts.shape[1:])

    # ---- evaluation ----

    def backtest(
        self,
        series: SequencesLike,
        *,
        past_exog: SequencesLike | None = None,
        future_exog: SequencesLike | None = None,
        initial: float = 0.8,
        step: int | None = None,
        horizon: int | None = None,
        refit: bool = False,
        metric: Callable[..., float] = root_mean_squared_error,
        coverage: float | None = None,
    ) -> Backtest:
        """Forecast from many past origins, and compare the forecasts with the series.

        A clone of this forecaster is fitted, on the rows before the first origin, and again on the
        rows before each later one with `refit`; the forecaster itself stays as it is, and need not
        be fitted. The origins are `initial`, `initial` + `step`, ..., as long as `horizon` rows
        follow [1]_.

        Parameters
        ----------
        series : array-like of shape (T,) or (T, F), list of them, or SequenceArray
            The series, as `fit` takes them.
        past_exog : like `series`, default=None
            Covariates that are not known ahead, as `fit` takes them.
        future_exog : like `series`, default=None
            Covariates that are known ahead, as `fit` takes them.
        initial : int or float, default=0.8
            How many rows of each series are known at the first origin; a float between 0 and 1 is
            a share of its rows.
        step : int, default=None
            How many rows lie between neighbouring origins. None: the horizon.
        horizon : int, default=None
            How many rows are forecast from each origin. None: the parameter `horizon`.
        refit : bool, default=False
            Whether to fit anew at each origin: slow, and what is done in use.
        metric : callable, default=root_mean_squared_error
            Any metric of scikit-learn for regression, ``metric(y_true, y_pred)``.
        coverage : float, default=None
            If given, intervals are computed too.

        Returns
        -------
        result : Backtest
            A record, whose fields are attributes and keys, for n origins:

            forecasts : ndarray of shape (n, horizon) or (n, horizon, F)
                The forecasts.
            truths : ndarray of the same shape
                What came.
            origins : ndarray of shape (n,)
                The row of its series that is the first of each forecast.
            groups : ndarray of shape (n,)
                The series that each forecast belongs to.
            errors : ndarray of shape (horizon,)
                The metric of each step ahead.
            error : float
                The metric of all steps together.
            intervals : ndarray of shape (n, horizon, 2) or (n, horizon, F, 2)
                Lower and upper ends; None without `coverage`.
            coverages : ndarray of shape (horizon,)
                Share of the values within their intervals, for each step; None without `coverage`.

        Raises
        ------
        ValueError
            If a series is too short for one origin, and as `fit` and `predict`.

        Notes
        -----
        No forecast depends on a value of `series` or `past_exog` after its origin, and on
        `future_exog` only within its horizon. Several series with `refit` are known up to the same
        row at the same time: start them together.

        References
        ----------
        .. [1] Tashman, L. J. (2000). Out-of-sample tests of forecasting accuracy: an analysis and
               review. International Journal of Forecasting 16(4), 437-450.
               https://doi.org/10.1016/S0169-2070(00)00065-0
        """
        self._check_parameters()
        horizon = self.horizon if horizon is None else horizon
        step = horizon if step is None else step
        check_positive("horizon", horizon)
        check_positive("step", step)
        if not callable(metric):
            raise TypeError(
                f"metric must be a function, such as sklearn.metrics.mean_absolute_error, got "
                f"{metric!r}."
            )
        panel = read_panel(series, past_exog, future_exog).panel
        return run_backtest(
            partial(self._fit_and_forecast, panel, horizon, coverage),
            panel,
            initial=initial,
            step=step,
            horizon=horizon,
            refit=refit,
            metric=metric,
            with_intervals=coverage is not None,
        )

    def _fit_and_forecast(
        self,
        panel: Panel,
        horizon: int,
        coverage: float | None,
        ends: Array,
        groups: Array,
        origins: Array,
    ) -> tuple[Array, Array]:
        """Fit a clone on the rows before `ends`, forecast, and return intervals too.

        Without `coverage` the intervals have no width.
        """
        draft = clone(self)
        try:
            draft._fit(panel.between(np.zeros_like(ends), ends, ahead=0))
        except ValueError as error:
            error.add_note(f"This is about the first {ends.tolist()} rows, on which backtest fits.")
            raise
        forecasts, scale = draft._forecast(panel, groups, origins, horizon)
        margin = 0 if coverage is None else draft._margin(horizon, coverage)
        return forecasts, _interval(forecasts, scale, margin)


def _check_network(estimator: Any) -> None:
    if estimator is None or isinstance(estimator, RecurrentRegressor):
        return
    hint = ""
    if isinstance(estimator, Integral):
        hint = f" If it is the window that is meant: window={estimator}."
    if isinstance(estimator, type) and issubclass(estimator, RecurrentRegressor):
        hint = f" Pass an instance: {estimator.__name__}()."
    raise InvalidParameterError(
        "The 'estimator' parameter of RecurrentForecaster must be an RNNRegressor, LSTMRegressor "
        f"or GRURegressor, or None. Got {estimator!r} instead.{hint}"
    )


def _refuse_target(y: Any) -> None:
    if y is not None:
        raise ValueError(
            "fit takes no y: all columns of series are forecast. Pass covariates by name, as "
            "past_exog= or future_exog=."
        )


def _check_horizon(horizon: Any) -> None:
    """Raise ValueError unless it is a number of rows, and tell what it may have been meant as."""
    if np.ndim(horizon) > 0:
        raise ValueError(
            f"horizon must be a number of rows, not of type {type(horizon).__name__}: pass other "
            "series by name, series=, and covariates as future_exog=."
        )
    if isinstance(horizon, float) and 0 < horizon < 1:
        raise ValueError(
            f"horizon must be an integer of at least 1, got {horizon!r}: pass the share of values "
            "that an interval is to contain by name, coverage=."
        )
    check_positive("horizon", horizon)


def _interval(forecasts: Array, scale: Array, margin: Any) -> Array:
    """Return lower and upper ends (n, h, F, 2)."""
    half_width = margin * scale
    return np.stack([forecasts - half_width, forecasts + half_width], axis=-1)
