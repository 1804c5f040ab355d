"""What a fitted model computed: states, gates, errors through time, gradients by the input."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.attribution import Explained
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
from sklearn_rnn._data.numbers import restore_container
from sklearn_rnn._data.step_targets import arrange_steps
from sklearn_rnn._estimators.attribution import (
    answer_weights,
    is_integer,
    numbers_way,
    tokens_way,
    warn_if_incomplete,
)
from sklearn_rnn._estimators.fitted import FittedModel
from sklearn_rnn._estimators.summary import Summary, summarise
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._running.traces import read_backward, read_forward
from sklearn_rnn.sequences import SequenceArray


class InsightModel(FittedModel):
    """Looks into a fitted model; changes nothing in it."""

    @abstractmethod
    def _explained(self, raw: Array, target: Any) -> tuple[Explained, Array]:
        """Return what of raw predictions (M, K) a gradient explains, and its y (M, K)."""

    @abstractmethod
    def _targets_as_trained(self, X: Any, sequences: SequenceArray, y: Any) -> TrainingData:
        """Return sequences and targets as a fit would train on them; weight 0: not scored."""

    def hidden_states(self, X: Any, layer: int = -1) -> np.ndarray:
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
        return model._arrange_all(X, sequences, rows)

    def attention_weights(self, X: Any) -> np.ndarray:
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
        return model._arrange_all(X, sequences, rows[:, 0] if rows.shape[1] == 1 else rows)

    def gate_activations(self, X: Any, layer: int = -1) -> dict[str, np.ndarray]:
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
        names = network.stack.layers[layer].activation_names
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
            name: model._arrange_all(X, sequences, part)
            for name, part in zip(names, parts, strict=True)
        }

    def gradient_flow(self, X: Any, y: Any) -> Bunch:
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
        flow : Bunch
            A dict whose keys are attributes, too:

            norms : dict of str to ndarray of shape (n_samples, n_steps)
                The norms, by layer and direction: "l0", "l0_reverse", "l1" and so on, as the
                names of `weights_` end. For sequences of unequal length an object array of
                (n_steps_i,) arrays. With `return_sequences`, L is the sum over the scored steps.
            bounds : dict of str to ndarray, or None
                What they cannot exceed, likewise [1]_; None of an LSTM or GRU, for which there is
                no such bound.
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
        columns = [model._arrange_all(X, sequences, column) for column in rows.T]
        factors = _error_factors(network, cells)
        norms = dict(zip(factors, columns, strict=False))
        if len(columns) == len(factors):
            return Bunch(norms=norms, bounds=None, sigma_max=None)
        bounds = dict(zip(factors, columns[len(factors) :], strict=True))
        return Bunch(norms=norms, bounds=bounds, sigma_max=factors)

    def input_gradients(self, X: Any, target: Any = None, step: int | None = None) -> Any:
        """Return the derivative of the prediction by every number of X.

        Of a regressor's prediction, in the unit of y; of a classifier, of the log-odds of a class,
        log(p / (1 - p)). Exact, by back-propagation through time.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        target : label, int or tuple of int, default=None
            What is explained. Of a classifier a label from `classes_`; None means the predicted
            one, or of two classes the second. With multilabel targets, several outputs or
            quantiles: the index into a row of `predict`, (output, quantile) with several of both.
        step : int or None, default=None
            With `return_sequences`: at which step's answer, -1 for the last one of each sequence.
            None: the sum over all steps.

        Returns
        -------
        gradients : like X
            In X's container and of its lengths, NaN where a 3-D X is padded; for a 2-D X with
            several features a step, (n_samples, n_timesteps, n_features). With
            `embedding_size`, by the numbers of each token's vector: (n_steps_i, embedding_size) for
            each sequence, in the form of `hidden_states`.

        Raises
        ------
        ValueError
            If `target` or `step` is not one of those that there are, or X is not what it should be.

        See Also
        --------
        integrated_gradients : Shares of a prediction that add up to it.
        """
        model, sequences, network = self._look(X)
        explain, data = model._explanation(network, sequences, target, step)
        rows = read_backward(explain, model._theta_, data, partial(_input_gradients, explain))
        if model._reads_tokens:
            return model._arrange_all(X, sequences, rows)
        return restore_container(X, SequenceArray(rows, sequences.offsets))

    def integrated_gradients(
        self,
        X: Any,
        baseline: Any = None,
        target: Any = None,
        step: int | None = None,
        n_steps: Any = 50,
    ) -> Any:
        """Return every number's share in how the prediction differs from that of a baseline.

        Integrated gradients [1]_: (x - baseline) times the mean gradient on the straight way from
        one to the other. They add up to f(x) - f(baseline), where f is the prediction that
        `input_gradients` differentiates.

        Parameters
        ----------
        X : array-like, list of arrays, or SequenceArray
            Sequences, in a container of the kind that was fitted.
        baseline : None, array-like of shape (n_features,), or like X
            What stands for nothing. None: zeros, the mean of standardised features. Otherwise a
            value for each feature, or sequences of X's lengths. With `embedding_size`, a token;
            None is then an unknown one, the mean of all.
        target : label, int or tuple of int, default=None
            What is explained, as for `input_gradients`.
        step : int or None, default=None
            With `return_sequences`: at which step's answer, -1 for the last one of each sequence.
            None: the sum over all steps.
        n_steps : int, default=50
            Gradients that the mean is taken of: the nodes of a Gauss-Legendre quadrature, exact
            for polynomials of degree 2 * n_steps - 1.

        Returns
        -------
        attributions : like X
            In the form of `input_gradients`, and the unit of the prediction. With `embedding_size`
            one number for each token, the sum over its vector.

        Raises
        ------
        ValueError
            If a parameter is not what it should be.

        Notes
        -----
        It costs `n_steps` training steps. With ``pooling="max"``, or relu (of an RNN, or of
        `head_sizes`), the gradient jumps on the way, and the sum holds up to some 1 / n_steps of
        the difference only; with `layer_norm` it may change fast. A sum that misses the difference
        by more than 5 % of the largest difference is warned of: raise `n_steps` then.

        References
        ----------
        .. [1] Sundararajan, M., Taly, A. and Yan, Q. (2017). Axiomatic attribution for deep
               networks. ICML 34, 3319-3328. https://arxiv.org/abs/1703.01365
        """
        if not is_integer(n_steps) or n_steps < 1:
            raise ValueError(f"n_steps must be a positive integer, got {n_steps!r}.")
        nodes, shares = np.polynomial.legendre.leggauss(int(n_steps))
        model, sequences, network = self._look(X)
        explain, data = model._explanation(network, sequences, target, step)
        way = tokens_way if model._reads_tokens else numbers_way
        difference, at = way(model, network, data, baseline)
        total = np.zeros(difference.shape)
        for node, share in zip((nodes + 1) / 2, shares / 2, strict=True):
            total += share * read_backward(explain, *at(node), partial(_input_gradients, explain))
        rows = (difference * total).astype(model._theta_.dtype)
        warn_if_incomplete(explain, rows, at(0.0), at(1.0), n_steps)
        if model._reads_tokens:
            return model._arrange_all(X, sequences, rows.sum(axis=1))
        return restore_container(X, SequenceArray(rows, sequences.offsets))

    def summary(self, X: Any = None) -> Summary:
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
        lengths = None if X is None else model._read(X).lengths
        return summarise(model, model._make_network(), lengths)

    # ---- the common way ----

    def _look(self, X: Any) -> tuple[Any, SequenceArray, Network]:
        """Return a copy of this model (why, _answer says), the sequences of X, and the network."""
        check_is_fitted(self)
        model = self._copy()
        return model, model._read(X), model._make_network()

    def _arrange_all(self, X: Any, sequences: SequenceArray, rows: Array) -> np.ndarray:
        """Return what there is of every step, (M, ...), in the form of X."""
        return arrange_steps(X, sequences, rows, tokens=self._reads_tokens)

    def _explanation(
        self, network: Network, sequences: SequenceArray, target: Any, step: int | None
    ) -> tuple[Network, TrainingData]:
        """Return the network whose loss is what is explained, and data with its targets."""
        loss, Y = self._explained(self._raw_prediction(sequences), target)
        weight = answer_weights(sequences.offsets, step, per_step=network.per_step)
        dtype = self._theta_.dtype
        values = sequences.values if self._reads_tokens else sequences.values.astype(dtype)
        data = TrainingData(
            values,
            sequences.offsets,
            Y.astype(dtype),
            weight.astype(dtype),
            per_step=network.per_step,
        )
        return replace(network, loss=loss), data


def _check_layer(layer: Any, network: Network) -> int:
    n_layers = len(network.stack.layers)
    if not is_integer(layer) or not -n_layers <= layer < n_layers:
        raise ValueError(
            f"layer must be an integer from {-n_layers} to {n_layers - 1}: the model has "
            f"{n_layers} layer(s); got {layer!r}."
        )
    return int(layer)


def _error_factors(network: Network, cells: CellArrays) -> dict[str, float | None]:
    """Return what a step back multiplies errors by at most, by layer and direction."""
    ends = ("", "_reverse")
    return {
        f"l{layer}{end}": cell.error_factor(arrays)
        for layer, (cell, row) in enumerate(zip(network.stack.layers, cells, strict=True))
        for arrays, end in zip(row, ends, strict=False)
    }


def _input_gradients(network: Network, workspaces: list[list[Workspace]], block: Block) -> Array:
    return network.stack.input_gradient(workspaces, block)
