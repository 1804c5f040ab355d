"""A plot of a model's hidden states in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.decomposition import PCA

from sklearn_rnn._data.step_targets import flatten_steps
from sklearn_rnn._typing import Array, SequencesLike
from sklearn_rnn.inspection._drawing import (
    COLOURS,
    MARKERS,
    SEQUENTIAL,
    figure_of,
    make_axes,
    model_inside,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure


class HiddenStateDisplay:
    """Plot embeddings by their first two principal components, colored by label or target.

    Classes that lie apart here are easy to tell apart for the readout. Made by
    :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2)
        Embeddings in two dimensions.
    explained_variance_ratio : ndarray of shape (2,)
        The share of their variance that lies along each.
    y : ndarray of shape (n_points,), default=None
        Labels or numbers.
    categorical : bool, default=True
        Whether y holds labels: one colour and marker each, and a legend, instead of a colour bar.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is drawn in.
    figure_ : matplotlib Figure
        Its figure.
    scatters_ : list of matplotlib PathCollection
        The points: of each label, or all together.

    Examples
    --------
    >>> from sklearn_rnn import GRUClassifier
    >>> from sklearn_rnn.datasets import make_parity
    >>> from sklearn_rnn.inspection import HiddenStateDisplay
    >>> X, y = make_parity(n_samples=50, n_timesteps=6, random_state=0)
    >>> clf = GRUClassifier(max_iter=5, random_state=0).fit(X, y)
    >>> display = HiddenStateDisplay.from_estimator(clf, X, y)
    >>> len(display.scatters_), display.points.shape
    (2, (50, 2))
    """

    ax_: Axes
    figure_: Figure
    scatters_: list[PathCollection]

    def __init__(
        self,
        points: Array,
        explained_variance_ratio: Array,
        y: Array | None = None,
        *,
        categorical: bool = True,
    ) -> None:
        self.points = points
        self.explained_variance_ratio = explained_variance_ratio
        self.y = y
        self.categorical = categorical

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: SequencesLike,
        y: SequencesLike | None = None,
        *,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the embeddings of sequences: what `transform` gives, by principal components.

        Parameters
        ----------
        estimator : estimator
            A fitted recurrent model, or a pipeline or search that ends in one.
        X : array-like, list of arrays, or SequenceArray
            Sequences.
        y : array-like of shape (n_samples,), default=None
            What to colour them by: labels where the model is a classifier, otherwise numbers.
            With `return_sequences` one for each step, as `fit` takes it.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : HiddenStateDisplay
            The drawn display.
        """
        model, X = model_inside(estimator, X)
        embeddings = model.transform(X)
        if model._architecture_["return_sequences"]:
            lengths = np.array([len(states) for states in embeddings])
            embeddings = np.concatenate(list(embeddings))
            y = None if y is None else flatten_steps(X, lengths, y)
        if y is not None:
            y = np.asarray(y)
            if y.shape != (len(embeddings),):
                raise ValueError(
                    f"y must have one value for each embedding, ({len(embeddings)},), to colour it "
                    f"by; got {y.shape}."
                )
        if embeddings.shape[1] < 2 or len(embeddings) < 2:
            raise ValueError(
                "two dimensions need hidden_size=2 and two sequences at least; got embeddings "
                f"of shape {embeddings.shape}."
            )
        pca = PCA(2, random_state=0)
        points = pca.fit_transform(embeddings)
        shares = pca.explained_variance_ratio_
        return cls(points, shares, y, categorical=is_classifier(model)).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the embeddings.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : HiddenStateDisplay
            The display itself.
        """
        self.ax_ = ax = make_axes("HiddenStateDisplay", ax, (6.4, 4.6))
        self.figure_ = figure_of(ax)
        x, y = self.points.T
        if self.y is None:
            self.scatters_ = [ax.scatter(x, y, s=18, color=COLOURS[0])]
        elif self.categorical:
            self.scatters_ = self._draw_labels(ax)
        else:
            self.scatters_ = [ax.scatter(x, y, s=18, c=self.y, cmap=SEQUENTIAL)]
            self.figure_.colorbar(self.scatters_[0], ax=ax, label="y")
        first, second = self.explained_variance_ratio
        ax.set(
            title="Embeddings of the sequences",
            xlabel=f"first principal component ({first:.0%} of the variance)",
            ylabel=f"second principal component ({second:.0%})",
        )
        return self

    def _draw_labels(self, ax: Axes) -> list[PathCollection]:
        assert self.y is not None
        labels, scatters = np.unique(self.y), []
        for k, label in enumerate(labels):
            # No two alike up to the 36th label, nor two neighbours in colour or in marker.
            colour = COLOURS[k % len(COLOURS)]
            marker = MARKERS[(k + k // len(COLOURS)) % len(MARKERS)]
            x, y = self.points[self.y == label].T
            scatters.append(ax.scatter(x, y, s=18, color=colour, marker=marker, label=str(label)))
        n_columns = -(-len(labels) // 12)
        ax.legend(title="class", ncols=n_columns, loc="center left", bbox_to_anchor=(1, 0.5))
        return scatters
