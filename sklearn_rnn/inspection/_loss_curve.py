"""A plot of the losses and scores of each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_rnn._typing import Array
from sklearn_rnn.inspection._drawing import COLOURS, figure_of, model_inside, stack_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class LossCurveDisplay:
    """Plot losses, the validation score and the learning rate by epoch.

    Made by :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    history : dict of str to ndarray of shape (n_epochs,)
        "epoch" and "loss", and perhaps "validation_loss", "validation_score" and "learning_rate".
        Columns that are all NaN are left out, and a learning rate that never changes.
    estimator_name : str, default=None
        What the title says.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the losses.
    axes_ : dict of str to matplotlib Axes
        Of "loss", and where they are drawn "validation_score" and "learning_rate".
    lines_ : dict of str to matplotlib Line2D
        The curves, by column.
    best_epoch_ : int
        The epoch of the largest validation score, or without one of the smallest loss.
    figure_ : matplotlib Figure
        All of it.

    Examples
    --------
    >>> from sklearn_rnn import GRUClassifier
    >>> from sklearn_rnn.datasets import make_parity
    >>> from sklearn_rnn.inspection import LossCurveDisplay
    >>> X, y = make_parity(n_samples=50, n_timesteps=6, random_state=0)
    >>> clf = GRUClassifier(max_iter=5, random_state=0).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(clf)
    >>> display.ax_.get_xlabel()
    'epoch'
    """

    ax_: Axes
    axes_: dict[str, Axes]
    lines_: dict[str, Line2D]
    best_epoch_: int
    figure_: Figure

    def __init__(self, history: dict[str, Array], *, estimator_name: str | None = None) -> None:
        self.history = history
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(cls, estimator: BaseEstimator, *, ax: Axes | None = None) -> Self:
        """Draw the curves of the last fit of an estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted recurrent classifier or regressor, or a pipeline or search that ends in one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LossCurveDisplay
            The drawn display.
        """
        model, _ = model_inside(estimator)
        return cls(dict(model.history_), estimator_name=type(model).__name__).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LossCurveDisplay
            The display itself.
        """
        panels = {"loss": 2.6}
        if self._has("validation_score"):
            panels["validation_score"] = 1.5
        if self._has("learning_rate") and np.ptp(self.history["learning_rate"]) > 0:
            panels["learning_rate"] = 1.1
        axes, _ = stack_axes("LossCurveDisplay", ax, list(panels.values()), width=6.4)
        self.axes_ = dict(zip(panels, axes, strict=True))
        self.ax_, self.figure_ = axes[0], figure_of(axes[0])
        self.lines_ = {}
        self._draw("loss", "loss", "training", 0)
        if self._has("validation_loss"):
            self._draw("validation_loss", "loss", "validation", 1)
        for name, label, k in (
            ("validation_score", "validation\nscore", 1),
            ("learning_rate", "learning\nrate", 2),
        ):
            if name in panels:
                self._draw(name, name, label, k)
                self.axes_[name].set_ylabel(label)
        self._decorate()
        return self

    def _has(self, name: str) -> bool:
        values = self.history.get(name)
        return values is not None and not np.isnan(values).all()

    def _draw(self, name: str, panel: str, label: str, k: int) -> None:
        epochs, values = self.history["epoch"], self.history[name]
        style = "--" if k == 1 else "-"
        (self.lines_[name],) = self.axes_[panel].plot(
            epochs, values, color=COLOURS[k], ls=style, label=label, marker="o" * (len(epochs) == 1)
        )

    def _decorate(self) -> None:
        epochs = self.history["epoch"]
        scored = self._has("validation_score")
        best = (
            np.nanargmax(self.history["validation_score"])
            if scored
            else np.nanargmin(self.history["loss"])
        )
        self.best_epoch_ = int(epochs[best])
        what = "best validation score" if scored else "smallest loss"
        for panel, ax in self.axes_.items():
            label = f"{what}: epoch {self.best_epoch_}" if panel == "loss" else None
            ax.axvline(self.best_epoch_, color="0.5", ls=":", label=label)
        losses = [self.history[name] for name in ("loss", "validation_loss") if self._has(name)]
        if min(np.nanmin(values) for values in losses) > 0:
            self.ax_.set_yscale("log")
        if "learning_rate" in self.axes_:
            self.axes_["learning_rate"].set_yscale("log")
        name = "" if self.estimator_name is None else f" of {self.estimator_name}"
        self.ax_.set(title=f"Training{name}", ylabel="loss")
        self.ax_.legend()
        list(self.axes_.values())[-1].set_xlabel("epoch")
