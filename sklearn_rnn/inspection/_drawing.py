"""What the plots share: matplotlib, axes, colors, and the model inside a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._data.refusals import with_article
from sklearn_rnn._estimators.attribution import is_integer
from sklearn_rnn._estimators.base import RecurrentEstimator
from sklearn_rnn._typing import Array, SequencesLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.image import AxesImage
    from matplotlib.ticker import MaxNLocator

# Okabe and Ito's colours, which colour-blind readers can tell apart, black and yellow left out;
# markers and line styles differ as well.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
MARKERS = "osD^vP"
LINES = ("-", "--", "-.", ":")
SEQUENTIAL, DIVERGING = "viridis", "PuOr_r"


def import_pyplot(display: str) -> Any:
    """Return matplotlib.pyplot, or raise an ImportError that says how to get it."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f'{display} needs matplotlib, which is not installed: pip install "sklearn-rnn[plot]"'
        ) from error
    return pyplot


def make_axes(display: str, ax: Axes | None, figsize: tuple[float, float]) -> Axes:
    """Return the axes to draw in: those given, or those of a new figure."""
    pyplot = import_pyplot(display)
    return pyplot.subplots(figsize=figsize, layout="constrained")[1] if ax is None else ax


def figure_of(ax: Axes) -> Figure:
    """Return the figure that holds the axes, or the subfigure, which can do all that is needed."""
    return cast("Figure", ax.figure)


def stack_axes(
    display: str, ax: Axes | None, heights: list[float], width: float
) -> tuple[list[Axes], list[SubplotSpec]]:
    """Return axes one below the other that share the x-axis, and a place beside each.

    In a new figure or in ax's place. `add_colourbar` may fill the places, so that the axes stay
    as wide as each other whether they have a colour bar or not.
    """
    pyplot = import_pyplot(display)
    options: dict[str, Any] = dict(height_ratios=heights, width_ratios=(50, 1))
    if ax is None:
        figure = pyplot.figure(figsize=(width, sum(heights)), layout="constrained")
        grid = figure.add_gridspec(len(heights), 2, **options)
    else:
        if not ax.axison:
            raise ValueError(f"ax is divided or switched off already: give {display} new axes.")
        figure, place = ax.figure, ax.get_subplotspec()
        if place is None:
            ends = dict(zip(("left", "bottom", "right", "top"), ax.get_position().extents))
            grid = figure.add_gridspec(len(heights), 2, **ends, **options)
        else:
            grid = place.subgridspec(len(heights), 2, **options)
        ax.set_axis_off()
    first = figure.add_subplot(grid[0, 0])
    axes = [first]
    axes += [figure.add_subplot(grid[k, 0], sharex=first) for k in range(1, len(heights))]
    for upper in axes[:-1]:
        upper.tick_params(labelbottom=False)
    return axes, [grid[k, 1] for k in range(len(heights))]


def whole_steps(ax: Axes) -> None:
    """Put the ticks of the x-axis at whole numbers."""
    cast("MaxNLocator", ax.xaxis.get_major_locator()).set_params(integer=True)


def add_colourbar(image: AxesImage, place: SubplotSpec, label: str | None = None) -> Colorbar:
    """Draw an image's colour bar in a place that stack_axes has left for it."""
    figure = figure_of(image.axes)
    return figure.colorbar(image, cax=figure.add_subplot(place), label=label)


def model_inside(estimator: Any, X: Any = None) -> tuple[Any, Any]:
    """Return the recurrent model of a pipeline or search, and X as it comes to it."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        if X is not None and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        estimator = estimator[-1]
    if not isinstance(estimator, RecurrentEstimator):
        raise TypeError(
            "estimator must be one of sklearn_rnn's classifiers or regressors, or a Pipeline or "
            f"search that ends in one; got {with_article(estimator)}."
        )
    check_is_fitted(estimator)
    return estimator, X


def take_sequence(X: Any, index: Any) -> Any:
    """Return one sequence of X, in a container of its kind."""
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    if not is_integer(index) or not -n <= index < n:
        raise ValueError(f"sequence must be an integer from {-n} to {n - 1}; got {index!r}.")
    chosen = slice(index % n, index % n + 1)
    return X.iloc[chosen] if hasattr(X, "iloc") else X[chosen]


def steps_and_names(
    model: RecurrentEstimator, X: SequencesLike, feature_names: Sequence[str] | None
) -> tuple[Array, list[str]]:
    """Return the one sequence of X, (T, F), and the features' names; of tokens (T,), and none."""
    sequences = model._read(X)
    if model._reads_tokens:
        tokens = np.append(np.asarray(model.vocabulary_, object), "?")
        return tokens[sequences.values[:, 0]], []
    n_features = sequences.values.shape[1]
    if feature_names is not None:
        if len(feature_names) != n_features:
            raise ValueError(
                f"feature_names must have a name for each of {n_features} feature(s); got "
                f"{len(feature_names)}."
            )
        return sequences.values, [str(name) for name in feature_names]
    names = getattr(model, "feature_names_in_", ())
    if len(names) != n_features:
        names = [f"feature {k}" for k in range(n_features)]
    return sequences.values, [str(name) for name in names]


def draw_input(ax: Axes, place: SubplotSpec, x: Array, names: Sequence[str]) -> None:
    """Draw one sequence over time: lines, a heat map of many features, or tokens as labels."""
    n_steps = len(x)
    if x.ndim == 1:
        ax.set(yticks=[], ylim=(0, 1), xlim=(-0.5, n_steps - 0.5))
        for t, token in enumerate(x):
            ax.text(t, 0.5, str(token), ha="center", va="center", family="monospace")
        ax.set_ylabel("token")
    elif x.shape[1] <= len(COLOURS):
        for k, (values, name) in enumerate(zip(x.T, names, strict=True)):
            ax.plot(values, color=COLOURS[k], ls=LINES[k % len(LINES)], label=name)
        ax.set_ylabel("input")
        if len(names) > 1:
            ax.legend(
                loc="lower right",  # its lower right corner at the upper right one of the axes
                bbox_to_anchor=(1, 1),
                ncols=len(names),
                fontsize="small",
                frameon=False,
            )
    else:
        image = ax.imshow(x.T, aspect="auto", cmap=SEQUENTIAL, interpolation="none")
        add_colourbar(image, place)
        ax.set(ylabel="input\nfeature")
