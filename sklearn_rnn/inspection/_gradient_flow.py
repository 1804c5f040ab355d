"""A plot of gradients through time, which shows whether they vanish or explode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_rnn._typing import Array, SequencesLike
from sklearn_rnn.inspection._drawing import COLOURS, LINES, figure_of, make_axes, model_inside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class GradientFlowDisplay:
    """Plot the norm of dL/dh(t) against the distance from the end, on a logarithmic axis.

    A line that falls steeply: gradients vanish, and what happened so many steps ago is not
    learned. One that rises: they explode. Made by :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    norms : dict of str to ndarray of shape (n_steps,)
        Of each model, the norm at each distance from the end, 0 being the last step.
    bounds : dict of str to ndarray of shape (n_steps,)
        What the norms of some of these models cannot exceed.
    ranges : dict of str to ndarray of shape (2, n_steps), default=None
        Between what the norms of most sequences lie.
    sigma_max : dict of str to float, default=None
        The largest singular value that each bound follows from, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is drawn in.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : dict of str to matplotlib Line2D
        The norms, by model.
    bound_lines_ : dict of str to matplotlib Line2D
        The bounds, by model.

    References
    ----------
    Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training recurrent neural
    networks. ICML 28, 1310-1318. https://arxiv.org/abs/1211.5063

    Examples
    --------
    >>> from sklearn_rnn import LSTMClassifier, RNNClassifier
    >>> from sklearn_rnn.datasets import make_parity
    >>> from sklearn_rnn.inspection import GradientFlowDisplay
    >>> X, y = make_parity(n_samples=50, n_timesteps=20, random_state=0)
    >>> models = [E(max_iter=5, random_state=0).fit(X, y) for E in (RNNClassifier, LSTMClassifier)]
    >>> display = GradientFlowDisplay.from_estimator(models, X, y)
    >>> display.ax_.get_yscale(), list(display.lines_)
    ('log', ['RNNClassifier', 'LSTMClassifier'])
    """

    ax_: Axes
    figure_: Figure
    lines_: dict[str, Line2D]
    bound_lines_: dict[str, Line2D]

    def __init__(
        self,
        norms: dict[str, Array],
        bounds: dict[str, Array],
        *,
        ranges: dict[str, Array] | None = None,
        sigma_max: dict[str, float] | None = None,
    ) -> None:
        self.norms = norms
        self.bounds = bounds
        self.ranges = ranges
        self.sigma_max = sigma_max

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator | Sequence[BaseEstimator] | Mapping[str, BaseEstimator],
        X: SequencesLike,
        y: SequencesLike,
        *,
        layer: int = -1,
        reverse: bool = False,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the gradient flow of one or several estimators over the same sequences.

        Parameters
        ----------
        estimator : estimator, list of estimators, or dict of str to estimator
            Fitted recurrent models, or pipelines or searches that end in one. A dict says what
            they are called; otherwise they are called by their classes.
        X : array-like, list of arrays, or SequenceArray
            Sequences.
        y : array-like
            Their targets.
        layer : int, default=-1
            Whose states, counted from 0 at the input; -1 is the top layer of each.
        reverse : bool, default=False
            Whether of the reverse direction, in whose time a sequence's end is its first step.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : GradientFlowDisplay
            The drawn display: the median over the sequences, from its 10th to its 90th percentile
            shaded; the bound of an RNN dashed.
        """
        norms: dict[str, Array] = {}
        bounds: dict[str, Array] = {}
        ranges: dict[str, Array] = {}
        sigma_max: dict[str, float] = {}
        for name, each in _named(estimator).items():
            model, X_inside = model_inside(each, X)
            flow = model.gradient_flow(X_inside, y)
            end = _end_of(model, layer, reverse, list(flow.norms))
            low, norms[name], high = _by_distance(flow.norms[end], (10, 50, 90), reverse)
            ranges[name] = np.array([low, high])
            if flow.bounds is not None and flow.sigma_max is not None:
                (bounds[name],) = _by_distance(flow.bounds[end], (50,), reverse)
                sigma_max[name] = flow.sigma_max[end]
        return cls(norms, bounds, ranges=ranges, sigma_max=sigma_max).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the norms and their bounds.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : GradientFlowDisplay
            The display itself.
        """
        self.ax_ = ax = make_axes("GradientFlowDisplay", ax, (6.4, 4.2))
        self.figure_ = figure_of(ax)
        self.lines_, self.bound_lines_ = {}, {}
        for k, (name, norms) in enumerate(self.norms.items()):
            colour, distances = COLOURS[k % len(COLOURS)], np.arange(len(norms))
            style = LINES[k // len(COLOURS) % len(LINES)]
            (self.lines_[name],) = ax.plot(
                distances, _positive(norms), color=colour, ls=style, label=name
            )
            if self.ranges is not None:
                low, high = map(_positive, self.ranges[name])
                ax.fill_between(distances, low, high, color=colour, alpha=0.15, lw=0)
            if name in self.bounds:
                label = f"bound of {name}"
                if self.sigma_max is not None:
                    label += rf": $\sigma_{{\max}}(W_{{hh}})$ = {self.sigma_max[name]:.3g}"
                (self.bound_lines_[name],) = ax.plot(
                    distances, _positive(self.bounds[name]), color=colour, ls=":", label=label
                )
        ax.set(
            title="Gradient flow: how far errors reach back",
            xlabel="distance from the end, k (time steps)",
            ylabel=r"norm of $\partial L / \partial h_{T-k}$",
            yscale="log",
        )
        ax.legend()
        return self


def _named(estimator: Any) -> dict[str, Any]:
    """Return one or several estimators by what they are called."""
    if isinstance(estimator, dict):
        return estimator
    several = estimator if isinstance(estimator, list | tuple) else [estimator]
    if not several:
        raise ValueError("estimator must hold one estimator at least; got none.")
    names = [type(model_inside(each)[0]).__name__ for each in several]
    if len(set(names)) < len(names):
        names = [f"{name} {k}" for k, name in enumerate(names, 1)]
    return dict(zip(names, several, strict=True))


def _end_of(model: Any, layer: int, reverse: bool, ends: list[str]) -> str:
    """Return the name of a layer and direction."""
    n_layers = model._architecture_["num_layers"]
    name = f"l{layer + n_layers if layer < 0 else layer}" + ("_reverse" if reverse else "")
    if name not in ends:
        raise ValueError(
            f"layer={layer!r} with reverse={reverse!r} is not there: the {type(model).__name__} "
            f"has {ends}."
        )
    return name


def _by_distance(series: Any, percentiles: tuple[int, ...], reverse: bool) -> Array:
    """Return percentiles over sequences of numbers of each step, (len(percentiles), T).

    At each distance from the end, over the sequences that are so long.
    """
    backwards = [each if reverse else each[::-1] for each in series]
    table = np.full((len(backwards), max(map(len, backwards))), np.nan)
    for row, each in zip(table, backwards, strict=True):
        row[: len(each)] = each
    return np.nanpercentile(table, percentiles, axis=0)


def _positive(values: Array) -> Array:
    """Return values with NaN in the place of zeros and infinity, which a log axis cannot show."""
    return np.where((values > 0) & np.isfinite(values), values, np.nan)
