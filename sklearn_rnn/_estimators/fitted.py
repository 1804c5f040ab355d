"""The base class of fitted models: it runs the network over new sequences and shows its weights."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.cell import Cell
from sklearn_rnn._core.embedding import Embedding
from sklearn_rnn._core.losses import Loss
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.pooling import NO_POOLING, POOLINGS
from sklearn_rnn._core.stack import Stack
from sklearn_rnn._data.step_targets import arrange_steps
from sklearn_rnn._estimators.reading import InputReader
from sklearn_rnn._estimators.stamps import StampedEstimator
from sklearn_rnn._running.prediction import run_in_blocks
from sklearn_rnn._typing import Array, SequencesLike
from sklearn_rnn.sequences import SequenceArray


class FittedModel(
    InputReader,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    StampedEstimator,
    metaclass=ABCMeta,
):
    """The network of a fitted estimator: prediction in blocks, embeddings, weights."""

    _cell_class: ClassVar[type[Cell]]
    _cell_parameters: ClassVar[tuple[str, ...]] = ()

    # Set by fit, through RecurrentEstimator; the six classes document what is public.
    n_outputs_: int
    n_iter_: int
    stop_reason_: str
    history_: dict[str, Array]
    t_: int
    loss_: float
    best_loss_: float | None
    best_validation_score_: float | None
    out_activation_: str
    _architecture_: dict[str, Any]
    _theta_: np.ndarray

    @abstractmethod
    def _loss(self) -> Loss:
        """Return the loss that fits the kind of target."""

    @abstractmethod
    def _prediction(self, raw: Array) -> Array:
        """Return what `predict` answers to raw predictions (N, K)."""

    def _dtype_of_predictions(self, dtype: np.dtype) -> np.dtype:
        """Return the dtype of predictions, of raw ones in this dtype."""
        return dtype

    def _copy(self, *, keep_fitted: bool = True) -> Self:
        """Return a bare copy with all parameters, and perhaps the fitted attributes.

        It shares the arrays, which nobody ever writes into.
        """
        copy = object.__new__(type(self))
        copy.__dict__ = {
            name: value
            for name, value in vars(self).items()
            if keep_fitted or not name.endswith("_")
        }
        return copy

    def _with_weights(self, theta: np.ndarray) -> Self:
        """Return a copy that predicts with these weights, of X without feature names."""
        copy = self._copy()
        copy._theta_ = theta
        copy.__dict__.pop("feature_names_in_", None)
        return copy

    def _make_network(self, alpha: float = 0.0, masks_states: bool = False) -> Network:
        """Return the network of the fitted architecture."""
        fitted = self._architecture_
        n_directions = 2 if fitted["bidirectional"] else 1
        options = {name: fitted[name] for name in self._cell_parameters}
        H = fitted["hidden_size"]
        size, embedding = fitted["input_size"], None
        if self._reads_tokens:
            size = fitted["embedding_size"]
            embedding = Embedding(len(self.vocabulary_), size)
        sizes = [size, *[n_directions * H] * (fitted["num_layers"] - 1)]
        stack = Stack(
            tuple(self._cell_class(size, H, **options) for size in sizes),
            n_directions,
            layer_norm=fitted["layer_norm"],
            residual=fitted["residual"],
            learn_initial_state=fitted["learn_initial_state"],
            masks_states=masks_states,
        )
        return Network.compose(
            stack,
            head_sizes=fitted["head_sizes"],
            pooling=NO_POOLING if fitted["return_sequences"] else POOLINGS[fitted["pooling"]],
            n_outputs=fitted["n_outputs"],
            loss=self._loss(),
            alpha=alpha,
            embedding=embedding,
        )

    @property
    def _reads_tokens(self) -> bool:
        """Whether the fitted network begins with an embedding."""
        return self._architecture_["embedding_size"] is not None

    def _read(self, X: Any) -> SequenceArray:
        """Return the sequences of X, which the weights' dtype can hold."""
        if self._reads_tokens:
            return self._encode_tokens(X, reset=False)
        sequences = self._read_numbers(X, n_timesteps=self.n_timesteps_in_, reset=False)
        if np.can_cast(sequences.dtype, self._theta_.dtype):
            return sequences
        with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused
            values = sequences.values.astype(self._theta_.dtype)
        assert_all_finite(values, input_name="X")
        return SequenceArray(values, sequences.offsets)

    def _answer(self, X: Any, finish: Callable[[Self, Array], Array]) -> Array:
        """Return finish(model, raw predictions): one answer a sequence, or one a step.

        Works on a copy, so that a fit in another thread cannot mix two models in one answer.
        """
        check_is_fitted(self)
        model = self._copy()
        sequences = model._read(X)
        return model._arrange(X, sequences, finish(model, model._raw_prediction(sequences)))

    def _raw_prediction(self, sequences: SequenceArray) -> np.ndarray:
        """Return the readout's raw predictions (M, K), one a sequence or one a step."""
        network = self._make_network()
        return self._run(network, network.raw_prediction, sequences)

    def _run(
        self, network: Network, compute: Callable[..., np.ndarray], sequences: SequenceArray
    ) -> np.ndarray:
        """Return what one of the network's methods computes of the sequences."""
        packed = sequences.values, sequences.offsets
        return run_in_blocks(network, compute, self._theta_, *packed, self.n_jobs)

    def _arrange(self, X: Any, sequences: SequenceArray, rows: np.ndarray) -> np.ndarray:
        """Return answers (M, ...), one a sequence or one a step, in the form that X asks for."""
        if not self._architecture_["return_sequences"]:
            return rows
        return self._arrange_steps(X, sequences, rows)

    def _arrange_steps(self, X: Any, sequences: SequenceArray, rows: np.ndarray) -> np.ndarray:
        """Return what there is of every step, (M, ...), in the form that X asks for."""
        return arrange_steps(X, sequences, rows, tokens=self._reads_tokens)

    def _look(self, X: Any) -> tuple[Self, SequenceArray, Network]:
        """Return a copy of this model, the sequences of X, and the network."""
        check_is_fitted(self)
        model = self._copy()
        return model, model._read(X), model._make_network()

    def transform(self, X: SequencesLike) -> Array:
        """Return the top layer's hidden states: one embedding a sequence, or one a step.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            The sequences, in a container of the kind that was fitted.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, hidden_size), or with `bidirectional` \
(n_samples, 2 * hidden_size)
            What the readout sees: the state after the last step, or its mean or largest value
            over time, as `pooling` says; the forward direction first. With `return_sequences`
            the states of every step, in the form that `predict` has.
        """
        model, sequences, network = self._look(X)
        return model._arrange(X, sequences, model._run(network, network.pooled_states, sequences))

    # ---- what was fitted ----

    @property
    def weights_(self) -> dict[str, Array]:
        """Copies of all weights, by name: PyTorch's names, weight_out and bias_out."""
        check_is_fitted(self)
        return self._make_network().layout.public(np.asarray(self._theta_))

    @property
    def n_parameters_(self) -> int:
        """Number of trained parameters."""
        check_is_fitted(self)
        return int(self._theta_.size)

    @property
    def loss_curve_(self) -> list[float]:
        """Training loss of each epoch."""
        check_is_fitted(self)
        return self.history_["loss"].tolist()

    @property
    def validation_scores_(self) -> list[float] | None:
        """Score on the validation set after each epoch; None without validation."""
        check_is_fitted(self)
        scores = self.history_["validation_score"]
        return None if np.isnan(scores).all() else scores.tolist()

    @property
    def _n_features_out(self) -> int:
        """Width of transform's output, for get_feature_names_out."""
        return int(self._make_network().stack.output_size)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        if self.embedding_size is not None:
            tags.input_tags.one_d_array = tags.input_tags.string = True
            tags.input_tags.categorical = True
        tags.target_tags.required = True
        return tags
