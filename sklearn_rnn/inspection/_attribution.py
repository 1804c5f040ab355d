"""A plot of how much each input contributed to a prediction."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, is_classifier

from sklearn_rnn._typing import Array, SequencesLike
from sklearn_rnn.inspection._drawing import (
    DIVERGING,
    figure_of,
    import_pyplot,
    make_axes,
    model_inside,
    steps_and_names,
    take_sequence,
    whole_steps,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.text import Text

_TOKENS_A_LINE = 30


class AttributionDisplay:
    """Plot how much each input contributes to a prediction, as a heat map or colored tokens.

    Orange speaks for the class, or raises the prediction; violet speaks against it. Made by
    :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    attributions : ndarray of shape (n_steps, n_features), or (n_steps,)
        A number for each input; in the second case for each token.
    x : ndarray of shape (n_steps, n_features), or of objects (n_steps,)
        The sequence.
    feature_names : list of str
        Names of the features.
    title : str, default=None
        What stands above.
    label : str, default=None
        What the colour bar says.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is drawn in.
    figure_ : matplotlib Figure
        Its figure.
    image_ : matplotlib AxesImage
        The heat map.
    texts_ : list of matplotlib Text
        The tokens.

    Examples
    --------
    >>> from sklearn_rnn import GRUClassifier
    >>> from sklearn_rnn.inspection import AttributionDisplay
    >>> names = ["anna", "maria", "paul", "peter", "laura", "karl"]
    >>> clf = GRUClassifier(embedding_size=4, max_iter=20, random_state=0)
    >>> clf = clf.fit(names, ["f", "f", "m", "m", "f", "m"])
    >>> display = AttributionDisplay.from_estimator(clf, names, sequence=1, target="f")
    >>> [text.get_text() for text in display.texts_]
    ['m', 'a', 'r', 'i', 'a']
    """

    ax_: Axes
    figure_: Figure
    image_: AxesImage
    texts_: list[Text]

    def __init__(
        self,
        attributions: Array,
        x: Array,
        *,
        feature_names: Sequence[str],
        title: str | None = None,
        label: str | None = None,
    ) -> None:
        self.attributions = attributions
        self.x = x
        self.feature_names = feature_names
        self.title = title
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: SequencesLike,
        *,
        sequence: int = 0,
        method: Literal["integrated", "gradient"] = "integrated",
        target: Hashable = None,
        baseline: SequencesLike | str | int | None = None,
        step: int | None = None,
        n_steps: int = 50,
        feature_names: Sequence[str] | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the attributions of one sequence.

        Parameters
        ----------
        estimator : estimator
            A fitted recurrent model, or a pipeline or search that ends in one.
        X : array-like, list of arrays, or SequenceArray
            Sequences.
        sequence : int, default=0
            Which of them.
        method : {"integrated", "gradient"}, default="integrated"
            Integrated gradients, shares that add up to the difference from the baseline; or the
            plain gradient by each number, which has no meaning for tokens.
        target : label, int or tuple of int, default=None
            What is explained, as for `input_gradients`.
        baseline : None or array-like of shape (n_features,), or token, default=None
            For "integrated", as for `integrated_gradients`.
        step : int or None, default=None
            With `return_sequences`, at which step's answer.
        n_steps : int, default=50
            For "integrated": the number of gradients of the first attempt, as for
            `integrated_gradients`.
        feature_names : sequence of str, default=None
            What the features of a step are called. None: the names that the model was fitted with,
            or their numbers.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : AttributionDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If there is no such sequence, method, target or step.
        """
        model, X = model_inside(estimator, X)
        X = take_sequence(X, sequence)
        if method not in ("integrated", "gradient"):
            raise ValueError(f'method must be "integrated" or "gradient"; got {method!r}.')
        if method == "gradient" and model._reads_tokens:
            raise ValueError(
                'tokens are no numbers that could change a little: method="integrated"'
            )
        x, names = steps_and_names(model, X, feature_names)
        if method == "integrated":
            values = model.integrated_gradients(X, baseline, target, step, n_steps)
        else:
            values = model.input_gradients(X, target, step)
        what, values = _what(model, X, target, step), _one(values).reshape(x.shape)
        kind = "Integrated gradients" if method == "integrated" else "Gradient"
        label = "share" if method == "integrated" else "gradient"
        title = f"{kind}: {what}"
        return cls(values, x, feature_names=names, title=title, label=label).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the attributions.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : AttributionDisplay
            The display itself.
        """
        import_pyplot("AttributionDisplay")
        self.texts_ = []
        if self.x.ndim == 1:
            self._draw_tokens(ax)
        else:
            self._draw_heat_map(ax)
        self.figure_ = figure_of(self.ax_)
        self.figure_.colorbar(self.image_, ax=self.ax_, label=self.label)
        self.ax_.set_title(self.title or "")
        return self

    def _draw_heat_map(self, ax: Axes | None) -> None:
        n_features = len(self.feature_names)
        height = min(7, 1.6 + 0.28 * n_features)
        self.ax_ = make_axes("AttributionDisplay", ax, (7.0, height))
        self._draw(self.attributions.T)
        if n_features <= 25:
            self.ax_.set_yticks(range(n_features), self.feature_names)
        else:
            self.ax_.set_ylabel("feature")
        self.ax_.set_xlabel("time step")
        whole_steps(self.ax_)

    def _draw_tokens(self, ax: Axes | None) -> None:
        n_lines = -(-len(self.x) // _TOKENS_A_LINE)
        width = min(len(self.x), _TOKENS_A_LINE)
        self.ax_ = make_axes("AttributionDisplay", ax, (max(6.0, 0.32 * width), 1 + 0.5 * n_lines))
        lines = np.full((n_lines, width), np.nan)
        lines.flat[: len(self.x)] = self.attributions
        self._draw(lines)
        largest = np.abs(self.attributions).max()
        for k, token in enumerate(self.x):
            line, column = divmod(k, width)
            dark = abs(self.attributions[k]) > 0.6 * largest
            self.texts_.append(
                self.ax_.text(
                    *(column, line, str(token)),
                    ha="center",
                    va="center",
                    family="monospace",
                    color="white" if dark else "black",
                )
            )
        self.ax_.set(xticks=[], yticks=[])

    def _draw(self, table: Array) -> None:
        largest = max(float(np.nanmax(np.abs(table))), 1e-300)
        self.image_ = self.ax_.imshow(
            table, aspect="auto", cmap=DIVERGING, vmin=-largest, vmax=largest, interpolation="none"
        )


def _one(values: Any) -> Array:
    """Return the only sequence of a container; an array without padding, or its real steps."""
    one = np.asarray(values[0], dtype=np.float64)
    return one if one.ndim < 2 else one[~np.isnan(one).all(axis=1)]


def _what(model: Any, X: Any, target: Any, step: int | None) -> str:
    """Say what is explained."""
    where = "" if step is None else f" at step {step}"
    if not is_classifier(model):
        return f"prediction{'' if target is None else f' {target}'}{where}"
    if model._target_kind_ == "multilabel":
        return f"log-odds of label {target}{where}"
    if target is None and model._architecture_["return_sequences"]:
        return f"log-odds of the predicted classes{where}"
    if target is None:
        target = model.classes_[1] if len(model.classes_) == 2 else model.predict(X)[0]
    return f"log-odds of class {target}{where}"
