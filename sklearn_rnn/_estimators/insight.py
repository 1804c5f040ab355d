"""What a fitted model computes inside: hidden states, gates, attention, size of gradients."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.stack import CellArrays
from sklearn_rnn._core.traces import (
    attention_weights,
    error_bounds,
    error_norms,
    layer_gates,
    layer_states,
)
from sklearn_rnn._core.workspace import Array, Workspace
from sklearn_rnn._estimators.attribution import is_integer
from sklearn_rnn._estimators.mixin import MixedIntoFittedModel
from sklearn_rnn._estimators.settings import Settings
from sklearn_rnn._estimators.summary import Cost, Summary, cost_of, layers_of
from sklearn_rnn._records import Record
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._running.traces import read_backward, read_forward
from sklearn_rnn._typing import SequencesLike
from sklearn_rnn.sequences import SequenceArray


@dataclass(frozen=True, eq=False, repr=False)
class GradientFlow(Record):
    """Norms of errors through time; `gradient_flow` describes the fields."""

    norms: dict[str, Array]
    bounds: dict[str, Array] | None
    sigma_max: dict[str, float] | None


class Insight(MixedIntoFittedModel):
    """Mixin: shows what a fitted model computes; changes nothing in it."""

    @abstractmethod
    def _targets_as_trained(self, X: Any, sequences: SequenceArray, y: Any) -> TrainingData:
        """Return sequences and targets as a fit would train on them; weight 0: not scored."""

    def hidden_states(self, X: SequencesLike, layer: int = -1) -> Array:
        """Return the states of one layer after every step.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        layer : int, default=-1
            Which layer, counted from 0 at the input; -1 is the top one.

        Returns
        -------
        states : ndarray of shape (n_samples, n_steps, hidden_size), or object ndarray of shape \
(n_samples,)
            What the layer hands on: with `bidirectional` 2 * hidden_size numbers a step, the
            forward direction first. The row of step t is what a direction knows there: the reverse
            direction has seen t and all later steps. An array for a 2-D X or a 3-D one without
            padding; otherwise an array (n_steps_i, hidden_size) for each sequence.

        Raises
        ------
        ValueError
            If there is no such layer, or X is not what it should be.

        Notes
        -----
        The result is as large as it looks: for embeddings alone, `transform` needs less memory.
        """
        model, sequences, network = self._look(X)
        layer = _check_layer(layer, network)

        def read(workspaces: list[list[Workspace]], block: Block) -> Array:
            return layer_states(workspaces[layer], block)

        packed = sequences.values, sequences.offsets
        rows = read_forward(network, model._theta_, *packed, read, training=False)
        return model._arrange_steps(X, sequences, rows)

    def attention_weights(self, X: SequencesLike) -> Array:
        """Return how much each step counts in the answer of a model with ``pooling="attention"``.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.

        Returns
        -------
        weights : ndarray of shape (n_samples, n_steps), or object ndarray of shape (n_samples,)
            At least 0, and 1 in sum over the steps of a sequence. With `bidirectional` one more
            axis, of 2, the forward direction first. Otherwise in the form of `hidden_states`.

        Raises
        ------
        ValueError
            If the model pools in another way, or X is not what it should be.
        """
        model, sequences, network = self._look(X)
        if not network.readout.pooling.attends:
            fitted = model._architecture_
            how = "return_sequences=True" if network.per_step else f"pooling={fitted['pooling']!r}"
            raise ValueError(
                f"This {type(self).__name__} was fitted with {how}, and has no attention: fit it "
                'with pooling="attention".'
            )
        parameters = network.layout.bind(model._theta_).readout

        def read(workspaces: list[list[Workspace]], block: Block) -> Array:
            return attention_weights(network.readout, parameters, workspaces[-1], block)

        packed = sequences.values, sequences.offsets
        rows = read_forward(network, model._theta_, *packed, read, training=False)
        return model._arrange_steps(X, sequences, rows[:, 0] if rows.shape[1] == 1 else rows)

    def gate_activations(self, X: SequencesLike, layer: int = -1) -> dict[str, Array]:
        """Return the gates of one layer at every step, by PyTorch's letters.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        layer : int, default=-1
            Which layer, counted from 0 at the input; -1 is the top one.

        Returns
        -------
        gates : dict of str to ndarray
            Of an LSTM "i" (input gate), "f" (forget gate), "g" (candidate), "o" (output gate) and
            "c", the cell state after the step; of a GRU "r" (reset gate), "z" (update gate) and
            "n" (candidate). i, f, o, r and z are between 0 and 1, g and n between -1 and 1.
            Each in the form of `hidden_states`.

        Raises
        ------
        ValueError
            If the model is an RNN, which has no gates, or there is no such layer, or X is not what
            it should be.
        """
        model, sequences, network = self._look(X)
        layer = _check_layer(layer, network)
        names = network.stack.layers[layer].activations_by_letter
        if not names:
            raise ValueError(
                f"{type(self).__name__} has no gates: hidden_states gives all that it computes. "
                "LSTM and GRU have some."
            )

        def read(workspaces: list[list[Workspace]], block: Block) -> Array:
            return layer_gates(network.stack, layer, workspaces[layer], block)

        packed = sequences.values, sequences.offsets
        rows = read_forward(network, model._theta_, *packed, read, training=True)
        parts = np.split(rows, len(names), axis=1)
        return {
            name: model._arrange_steps(X, sequences, part)
            for name, part in zip(names, parts, strict=True)
        }

    def gradient_flow(self, X: SequencesLike, y: SequencesLike) -> GradientFlow:
        """Return how large the error of each sequence is at every step on its way back.

        With L the loss of one sequence and h_t the state of a layer after step t, that is the
        Euclidean norm of the total derivative dL/dh_t: of what enters at t from above, and of what
        comes back from step t + 1. Where it falls towards zero with the distance from the end,
        what happened so long ago cannot be learned; where it grows, training is unstable.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        y : array-like
            Their targets, as `fit` takes them.

        Returns
        -------
        flow : GradientFlow
            A record, whose fields are attributes and keys:

            norms : dict of str to ndarray of shape (n_samples, n_steps)
                The norms, by layer and direction: "l0", "l0_reverse", "l1" and so on, as the
                names of `weights_` end. For sequences of unequal length an object array of
                (n_steps_i,) arrays. With `return_sequences`, L is the sum over the scored steps.
            bounds : dict of str to ndarray, or None
                Upper bounds of the norms, in the same form [1]_; None for an LSTM or GRU, for which
                there is no such bound.
            sigma_max : dict of str to float, or None
                The largest singular value of each "weight_hh", which the bound follows from; None
                likewise.

        Raises
        ------
        ValueError
            If X or y is not what it should be.

        Notes
        -----
        The loss is that of training, a regressor's in standard deviations of y, without sample
        weights, class weights and L2 penalty. It is exact: the errors are those of a training step.

        With the slopes of tanh and relu at most 1, a step back multiplies the norm by sigma_max at
        most. Where errors enter at the last step T alone (pooling="last", the top layer), dL/dh_t
        is thus bounded by sigma_max^(T - t) times dL/dh_T, which vanishes if sigma_max < 1.
        Elsewhere the bound adds up what enters at each step.

        References
        ----------
        .. [1] Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training
               recurrent neural networks. ICML 28, 1310-1318. https://arxiv.org/abs/1211.5063
        """
        model, sequences, network = self._look(X)
        data = model._targets_as_trained(X, sequences, y).astype(model._theta_.dtype)
        data = replace(data, weight=(data.weight > 0).astype(model._theta_.dtype))
        cells = network.layout.bind(model._theta_).cells

        def read(workspaces: list[list[Workspace]], block: Block) -> Array:
            norms = error_norms(workspaces, block)
            bounds = error_bounds(network.stack, cells, workspaces, block)
            return norms if bounds is None else np.concatenate([norms, bounds], axis=1)

        rows = read_backward(network, model._theta_, data, read)
        columns = [model._arrange_steps(X, sequences, column) for column in rows.T]
        factors = _error_factors(network, cells)
        norms = dict(zip(factors, columns, strict=False))
        if len(columns) == len(factors):
            return GradientFlow(norms=norms, bounds=None, sigma_max=None)
        bounds = dict(zip(factors, columns[len(factors) :], strict=True))
        sigma_max = {name: factor for name, factor in factors.items() if factor is not None}
        return GradientFlow(norms=norms, bounds=bounds, sigma_max=sigma_max)

    def summary(self, X: SequencesLike | None = None) -> Summary:
        """Return layers, shapes and numbers of parameters; for an X also memory and arithmetic.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray, default=None
            Sequences, in a container of the kind that was fitted, to tell the cost of.

        Returns
        -------
        summary : Summary
            A table, as text if it is printed, as HTML in a notebook; its figures are attributes.
        """
        check_is_fitted(self)
        model = self._copy()
        network = model._make_network()
        layers = layers_of(network, model._architecture_["pooling"])
        cost = None if X is None else model._cost(network, model._read(X).lengths)
        return Summary(type(self).__name__, layers, network.layout.size, cost)

    def _cost(self, network: Network, lengths: Array) -> Cost:
        """Return what a fit to sequences of these lengths costs, and their prediction."""
        n_samples = len(lengths)
        settings = Settings.of(self.get_params(deep=False), n_samples)
        on_all = settings.solver == "lbfgs"
        return cost_of(
            network,
            lengths,
            training=self._make_network(masks_states=settings.recurrent_dropout > 0),
            input_size=self._architecture_["input_size"],
            dtype=self._theta_.dtype,
            batch_size=n_samples if on_all else min(n_samples, settings.batch_size),
            is_cut=not (on_all or (self.return_sequences and settings.tbptt_steps is not None)),
            tbptt_steps=settings.tbptt_steps,
        )


def _check_layer(layer: Any, network: Network) -> int:
    n_layers = len(network.stack.layers)
    if not is_integer(layer) or not -n_layers <= layer < n_layers:
        raise ValueError(
            f"layer must be an integer from {-n_layers} to {n_layers - 1}: the model has "
            f"{n_layers} layer(s); got {layer!r}."
        )
    return int(layer)


def _error_factors(network: Network, cells: CellArrays) -> dict[str, float | None]:
    """Return the largest factor by which one step back can grow the error, by layer."""
    ends = ("", "_reverse")
    return {
        f"l{layer}{end}": cell.error_factor(arrays)
        for layer, (cell, row) in enumerate(zip(network.stack.layers, cells, strict=True))
        for arrays, end in zip(row, ends, strict=False)
    }
