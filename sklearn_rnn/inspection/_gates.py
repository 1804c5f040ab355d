"""A plot of the gates of a layer at each step of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from sklearn_rnn._typing import Array, SequencesLike
from sklearn_rnn.inspection._drawing import (
    DIVERGING,
    SEQUENTIAL,
    add_colourbar,
    draw_input,
    figure_of,
    model_inside,
    stack_axes,
    steps_and_names,
    take_sequence,
    whole_steps,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.image import AxesImage


class GateDisplay:
    """Plot the gates of a layer as heat maps, units by time steps, and the input above them.

    Gates go from 0, closed, to 1, open; a candidate from -1 to 1. The units are in the order of
    their mean first gate, so that those that act alike stand together. Made by
    :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    gates : dict of str to ndarray of shape (n_steps, n_units)
        The gates of one sequence, by their letters.
    x : ndarray of shape (n_steps, n_features), or of objects (n_steps,)
        The sequence; of tokens themselves in the second case.
    feature_names : list of str
        Names of the features.
    title : str, default=None
        What stands above.
    gate_titles : dict of str to str, default=None
        The title above each gate. None: its letter.
    bounds : dict of str to (float, float) or None, default=None
        The smallest and largest value that each gate can have, where its colors begin and end.
        For a gate without bounds, the colors reach as far below 0 as above it, to the value that
        is farthest from 0.

    Attributes
    ----------
    axes_ : dict of str to matplotlib Axes
        Of "x" and of each gate.
    ax_ : matplotlib Axes
        The uppermost.
    images_ : dict of str to matplotlib AxesImage
        The heat maps, by gate.
    order_ : ndarray of int (n_units,)
        Which unit each row shows, from the top.
    figure_ : matplotlib Figure
        All of it.

    Examples
    --------
    >>> from sklearn_rnn import LSTMClassifier
    >>> from sklearn_rnn.datasets import make_parity
    >>> from sklearn_rnn.inspection import GateDisplay
    >>> X, y = make_parity(n_samples=50, n_timesteps=12, random_state=0)
    >>> clf = LSTMClassifier(hidden_size=8, max_iter=5, random_state=0).fit(X, y)
    >>> display = GateDisplay.from_estimator(clf, X, sequence=3)
    >>> list(display.axes_)
    ['x', 'i', 'f', 'o', 'c']
    """

    axes_: dict[str, Axes]
    ax_: Axes
    images_: dict[str, AxesImage]
    order_: NDArray[np.int64]
    figure_: Figure

    def __init__(
        self,
        gates: dict[str, Array],
        x: Array,
        *,
        feature_names: Sequence[str],
        title: str | None = None,
        gate_titles: dict[str, str] | None = None,
        bounds: dict[str, tuple[float, float] | None] | None = None,
    ) -> None:
        self.gates = gates
        self.x = x
        self.feature_names = feature_names
        self.title = title
        self.gate_titles = gate_titles
        self.bounds = bounds

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: SequencesLike,
        *,
        sequence: int = 0,
        layer: int = -1,
        gates: str | None = None,
        feature_names: Sequence[str] | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the gates of an LSTM or a GRU while it reads one sequence.

        Parameters
        ----------
        estimator : estimator
            A fitted LSTM or GRU, or a pipeline or search that ends in one.
        X : array-like, list of arrays, or SequenceArray
            Sequences.
        sequence : int, default=0
            Which of them.
        layer : int, default=-1
            Which layer, counted from 0 at the input; -1 is the top one.
        gates : str, default=None
            Letters of the gates to draw, of "ifgoc" or "rzn". None: all but an LSTM's candidate g.
        feature_names : sequence of str, default=None
            What the features of a step are called. None: the names that the model was fitted with,
            or their numbers.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : GateDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the model is an RNN, or there is no such sequence, layer or gate.
        """
        model, X = model_inside(estimator, X)
        X = take_sequence(X, sequence)
        every = {name: values[0] for name, values in model.gate_activations(X, layer).items()}
        known = model._cell_class.activations_by_letter
        wanted = gates or [name for name in every if known[name].drawn]
        if unknown := set(wanted) - set(every):
            raise ValueError(f"gates must be letters of {''.join(every)!r}; got {unknown}.")
        x, names = steps_and_names(model, X, feature_names)
        which = "the top layer" if layer == -1 else f"layer {layer}"
        title = f"{type(model).__name__}: gates of {which}"
        chosen = {name: every[name] for name in wanted}
        display = cls(
            chosen,
            x,
            feature_names=names,
            title=title,
            gate_titles={name: known[name].title for name in wanted},
            bounds={name: known[name].bounds for name in wanted},
        )
        return display.plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the input and the gates.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : GateDisplay
            The display itself.
        """
        input_height = 0.7 if self.x.ndim == 1 else 1.3
        heights = [input_height, *[1.4] * len(self.gates)]
        axes, (place, *places) = stack_axes("GateDisplay", ax, heights, width=7.0)
        self.axes_ = dict(zip(["x", *self.gates], axes, strict=True))
        self.ax_, self.figure_ = axes[0], figure_of(axes[0])
        self.images_ = {}
        draw_input(self.ax_, place, self.x, self.feature_names)
        self.order_ = np.argsort(-next(iter(self.gates.values())).mean(axis=0), kind="stable")
        for name, beside in zip(self.gates, places, strict=True):
            self._draw_gate(name, beside)
        self.ax_.set_title(self.title or "", loc="left")
        whole_steps(self.ax_)
        axes[-1].set_xlabel("time step")
        return self

    def _draw_gate(self, name: str, place: SubplotSpec) -> None:
        values = self.gates[name]
        bounds = (self.bounds or {}).get(name)
        if bounds is None:
            largest = max(float(np.abs(values).max()), 1e-300)
            bounds = -largest, largest
        low, high = bounds
        ax = self.axes_[name]
        self.images_[name] = ax.imshow(
            values.T[self.order_],
            aspect="auto",
            interpolation="none",
            cmap=DIVERGING if low < 0 else SEQUENTIAL,
            vmin=low,
            vmax=high,
        )
        add_colourbar(self.images_[name], place)
        ax.set(ylabel="unit", yticks=[])
        ax.set_title((self.gate_titles or {}).get(name, name), fontsize="medium", loc="left")
