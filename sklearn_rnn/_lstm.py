"""LSTMClassifier and LSTMRegressor: long short-term memory networks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, ClassVar, Literal

import numpy as np

from sklearn_rnn._compat import Interval, StrOptions
from sklearn_rnn._core.lstm import LSTMCell
from sklearn_rnn._estimators.classifier import RecurrentClassifier
from sklearn_rnn._estimators.regressor import RecurrentRegressor
from sklearn_rnn._training.checkpoints import Checkpoint


class LSTMClassifier(RecurrentClassifier):
    """Classify sequences with a long short-term memory network.

    A long short-term memory (Hochreiter and Schmidhuber 1997) reads a sequence step by step,
    and its hidden state h is what it remembers. For every step t, with h_0 = 0:

    .. code-block:: text

        i = s(W_i Z_t),  f = s(W_f Z_t)
        g = tanh(W_g Z_t),  o = s(W_o Z_t)
        c_t = f c_{t-1} + i g
        h_t = o tanh(c_t)

    The states, pooled over time, are the sequence's embedding (`transform`); a dense layer on
    top of it gives the class scores, and softmax (two classes: the logistic sigmoid) their
    probabilities. Training minimizes the log loss by back-propagation through time.

    X is an array (n_samples, n_steps) or (n_samples, n_steps, n_features), a list of arrays
    (n_steps_i, n_features) of any lengths, or a :class:`SequenceArray`; see the user guide.
    Scale the features, for example with ``TimestepTransformer(StandardScaler())``. With
    `embedding_size`, X holds text or other tokens: a list of strings, or of lists of tokens.

    Parameters
    ----------
    hidden_size : int, default=64
        Width of the hidden state, H: the model's capacity, and the first thing to search over.
    num_layers : int, default=1
        Layers on top of each other; each reads the states of the one below.
    bidirectional : bool, default=False
        Whether a second network reads every sequence from its end to its beginning.
    pooling : {"last", "mean", "max", "attention"}, default="last"
        What the readout sees of the states over time: the one after the last step, their mean,
        the largest value of each unit, or their mean by weights that are learned: the softmax
        over the steps of each state's product with one vector [7]_. All but "last" help where the
        evidence may lie anywhere in a long sequence.
    return_sequences : bool, default=False
        Whether there is a target, and an answer, at every step instead of one for the whole
        sequence. The readout then sees each step's state, and `pooling` has no say.
    n_timesteps : int or None, default=None
        How many steps each row of a 2-D X holds: (n, D) is read as (n, n_timesteps,
        D / n_timesteps). None reads a row as D steps of one feature.
    embedding_size : int or None, default=None
        For tokens, integers or strings, in X instead of numbers: the length of the vector that
        is learned for each of them, the first layer's input. Try 8 to 32 for characters, more for
        words. None: X holds numbers.
    layer_norm : bool, default=False
        Whether what a layer hands on at each step is normalized over its units, with a gain and a
        bias that are learned [8]_: for deep stacks, and with `residual`.
    residual : bool, default=False
        Whether each layer from the second on hands on the sum of its states and of what the layer
        below it hands on [9]_, so that errors reach the lower layers undiminished.
    learn_initial_state : bool, default=False
        Whether the state before the first step is learned; otherwise it is zero.
    head_sizes : sequence of int, default=()
        Widths of dense layers with relu between the states and the output layer. None by default.
    forget_bias : float, default=1.0
        Where the forget gate's bias starts. 1 keeps the cell state open at first [2]_; larger
        values help where the answer lies far back.
    init : {"orthogonal", "chrono"}, default="orthogonal"
        How weights start: see Notes. "chrono" sets the bias of the gate that keeps the state so
        that units remember for times of all lengths, up to that of the longest training
        sequence [10]_: for dependencies over hundreds of steps. `forget_bias` then has no say.
    class_weight : dict, "balanced" or None, default=None
        Factors on the samples' weights, by class. "balanced" gives each class the same total.
        Not for multilabel targets.
    alpha : float, default=0.0
        Strength of the L2 penalty, alpha / 2 times the sum of the squared weights (not biases),
        divided, like the loss, by the sum of the sample weights.
    dropout : float, default=0.0
        Share of the inputs, of what each layer hands to the next, and of what the readout sees,
        that training sets to zero at random, every number by itself [11]_; the rest is scaled
        up. At least 0 and below 1. Predictions drop nothing.
    recurrent_dropout : float, default=0.0
        Share of the units that are set to zero in the recurrent products, the same ones in all
        steps of a sequence [12]_.
    solver : {"adam", "adamw", "rmsprop", "sgd", "lbfgs"}, default="adam"
        The optimizer: Adam [3]_; AdamW, in which `alpha` shrinks weights at every update by
        alpha times the learning rate instead of entering the gradient; RMSprop; stochastic
        gradient descent with momentum; or L-BFGS, on all data at once, without randomness or
        learning rate, for some hundred sequences: `max_iter` then counts its iterations, and
        gradients are not clipped.
    batch_size : int or "auto", default="auto"
        Sequences an update. "auto": 16; from 1,000 samples on 32. Where all distinct samples
        fit into one batch, training uses them in a fixed order with duplicates merged, and the
        order of the rows changes nothing.
    learning_rate_init : float or "auto", default="auto"
        Step size of the updates. The first training parameter to try other values of, in
        factors of 3. "auto": 0.003; from 1,000 samples on 0.005.
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "one_cycle"}, \
default="constant"
        How the learning rate goes on from `learning_rate_init`: not at all; divided by
        t^power_t at update t; divided by 5 each time that training would stop for want of an
        improvement, until it is below 1e-6; along half a cosine to zero at `max_iter`; or, in
        one cycle, up from a 25th in the first 30 % of the epochs and down to a 10,000th in
        the others.
    max_grad_norm : float or None, default=0.5
        A gradient with a larger Euclidean norm is scaled down to it [4]_. None: never.
    tbptt_steps : int or None, default=None
        Truncated back-propagation through time: sequences are cut every so many steps; the state
        is carried over a cut, errors are not, and memory does not grow with the length. With
        `return_sequences` every piece is followed by an update. None: never cut. Not with
        `bidirectional`.
    shuffle : bool, default=True
        Whether samples are shuffled in each epoch. Sequences of like length share a batch.
    average_epochs : int, default=1
        The model is the mean of the weights at the ends of the last so many epochs, which takes
        away the noise of the last updates (Polyak and Juditsky 1992,
        https://doi.org/10.1137/0330046; Izmailov et al. 2018, https://arxiv.org/abs/1803.05407).
        Validation and early stopping see that mean, too. 1: no averaging. Not with "lbfgs".
    max_iter : int, default=200
        Epochs, at most.
    tol : float, default=0.0001
        Training stops when the loss, or with early stopping the validation score, of the last
        `n_iter_no_change` epochs is not better by `tol` than the best before them.
    n_iter_no_change : int or "auto", default="auto"
        Epochs to wait for an improvement of `tol`. "auto": 50; from 1,000 samples on 20.
    early_stopping : bool or "auto", default="auto"
        Whether to set aside a validation set, stop when the accuracy on it no longer improves,
        and keep the best weights. "auto": from 1,000 samples on. `partial_fit` never does.
    validation_fraction : float, default=0.1
        Share of the samples in that set, between 0 and 1. Stratified by class where each
        class has at least two samples.
    validation_scoring : str, callable or None, default=None
        What the validation set is scored by: "loss" (minus the loss), the name of one of
        scikit-learn's scorers, a callable (estimator, X, y) whose larger values are better and
        that is also given ``sample_weight=`` where weights differ, or None for what `score`
        computes.
    warm_start : bool, default=False
        Whether another fit goes on from where the last one stopped: weights, optimizer and
        random numbers.
    random_state : int, RandomState instance or None, default=None
        Seeds initial weights, shuffling and validation split. With an int, two fits on one
        machine give the same bits.
    n_jobs : int, default=None
        The number of processes that may work on one batch, and of threads that `predict` may use.
        None means 1, unless a ``joblib.parallel_config`` context says more; -1 means one for
        each core. It never changes a result, and `fit` uses it only where batches are large
        enough: see :ref:`n_jobs`. Inside a parallel search it is 1.
    verbose : bool, default=False
        Whether to print a line an epoch.
    checkpoint : str, path-like, Checkpoint or None, default=None
        A file in which `fit` saves its progress after each epoch, or a :class:`Checkpoint`, which
        also says how often. If the process is killed, the same call continues from the file and
        ends with the same model as without the break. Once training is complete, the same call
        returns that model at once; delete the file to train again. Each fit needs its own path, so
        the fits of a search cannot share one. Not with "lbfgs"; not used by `partial_fit`.
    power_t : float, default=0.5
        The exponent of "invscaling".
    momentum : float, default=0.9
        Momentum of "sgd", at least 0 and below 1.
    nesterovs_momentum : bool, default=True
        Whether that momentum is Nesterov's.
    beta_1 : float, default=0.9
        Decay of "adam"'s first moment, at least 0 and below 1.
    beta_2 : float, default=0.999
        Decay of "adam"'s second moment, at least 0 and below 1.
    epsilon : float, default=1e-08
        Keeps "adam" from dividing by zero.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; 0 to n_labels - 1 with multilabel targets.
    n_features_in_ : int
        Features of each step, 1 with tokens; columns of X where X was 2-D.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where X was a data frame, or a list of data frames, with string names.
    n_timesteps_in_ : int or None
        Steps of each training sequence; None where they differed.
    vocabulary_ : ndarray of shape (n_tokens,)
        The tokens of the training sequences, sorted; only with `embedding_size`. All others read
        as unknown, as the mean of these.
    n_outputs_ : int
        Outputs of the readout, K: 1 for two classes.
    n_iter_ : int
        Epochs that the last fit ran.
    stop_reason_ : str
        Why it ended: "max_iter", "converged", "callback", "diverged" or "interrupted".
    history_ : dict of str to ndarray of shape (n_epochs,)
        What each epoch of the last `fit` or `partial_fit` was like, for ``pandas.DataFrame``:
        "epoch", its number; "seconds" that it took, validation included; "loss";
        "validation_loss" and "validation_score" at its end, NaN without validation;
        "learning_rate" of its last update, NaN with "lbfgs"; and "gradient_norm", the largest of
        its updates before clipping.
    t_ : int
        Updates of the weights.
    loss_ : float
        Training loss of the last epoch, averaged over its batches.
    loss_curve_ : list of float
        Training loss of each epoch.
    best_loss_ : float or None
        The smallest of them; None with early stopping.
    validation_scores_ : list of float or None
        Accuracy on the validation set after each epoch; None without early stopping.
    best_validation_score_ : float or None
        The largest of them.
    out_activation_ : str
        "logistic" or "softmax".
    weights_ : dict of str to ndarray
        Copies of all weights: "weight_embedding" (n_tokens, `embedding_size`) if there is one,
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0" and so on under PyTorch's
        names and in its gate order, then "weight_out" (K, H) and "bias_out" (K,).
        Options add "h_0_l0" (of an LSTM also "c_0_l0"), "norm_weight_l0", "norm_bias_l0" and so
        on, (H,) each, "weight_attention" (H,), and "weight_head_0", "bias_head_0" and so on.
    n_parameters_ : int
        Number of trained parameters.

    See Also
    --------
    RNNClassifier : The same with a first-order recurrent network.
    GRUClassifier : The same with a gated recurrent unit network.
    LSTMRegressor : For numbers as targets.

    Notes
    -----
    Z_t = [h_{t-1}; 1; x_t] and s is the logistic sigmoid. The error that runs back along the
    cell state is multiplied by the forget gate alone, so that it can live for many steps.

    A layer and direction with F inputs costs about 24 H (H + F) floating point operations a
    step and sequence to train (a third of that to predict), and training keeps about
    8 H + F numbers of each step and sequence of a batch in memory.

    Initial weights: orthogonal recurrent matrices [5]_, uniform input matrices and readout with
    Glorot's variance [6]_, the forget gate's bias as given, all other biases 0, except that the
    readout starts at the prior: the weighted share of each class. An embedding starts as
    standard normal numbers.

    References
    ----------
    .. [1] Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation
           9(8), 1735-1780. https://doi.org/10.1162/neco.1997.9.8.1735
    .. [2] Jozefowicz, R., Zaremba, W. and Sutskever, I. (2015). An empirical exploration of
           recurrent network architectures. ICML 37, 2342-2350.
    .. [3] Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.
           https://arxiv.org/abs/1412.6980
    .. [4] Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training recurrent
           neural networks. ICML 28, 1310-1318. https://arxiv.org/abs/1211.5063
    .. [5] Saxe, A. M., McClelland, J. L. and Ganguli, S. (2014). Exact solutions to the nonlinear
           dynamics of learning in deep linear neural networks. ICLR.
           https://arxiv.org/abs/1312.6120
    .. [6] Glorot, X. and Bengio, Y. (2010). Understanding the difficulty of training deep
           feedforward neural networks. AISTATS 9, 249-256.
    .. [7] Raffel, C. and Ellis, D. P. W. (2016). Feed-forward networks with attention can solve
           some long-term memory problems. https://arxiv.org/abs/1512.08756
    .. [8] Ba, J. L., Kiros, J. R. and Hinton, G. E. (2016). Layer normalization.
           https://arxiv.org/abs/1607.06450
    .. [9] He, K., Zhang, X., Ren, S. and Sun, J. (2016). Deep residual learning for image
           recognition. CVPR, 770-778. https://arxiv.org/abs/1512.03385
    .. [10] Tallec, C. and Ollivier, Y. (2018). Can recurrent neural networks warp time? ICLR.
            https://arxiv.org/abs/1804.11188
    .. [11] Zaremba, W., Sutskever, I. and Vinyals, O. (2014). Recurrent neural network
            regularization. https://arxiv.org/abs/1409.2329
    .. [12] Gal, Y. and Ghahramani, Z. (2016). A theoretically grounded application of dropout in
            recurrent neural networks. NeurIPS 29. https://arxiv.org/abs/1512.05287

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import LSTMClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(rng.integers(5, 15), 2)).cumsum(axis=0) for _ in range(200)]
    >>> y = np.array(["up" if x[-1, 0] > 0 else "down" for x in X])
    >>> clf = LSTMClassifier(hidden_size=8, random_state=0).fit(X[:150], y[:150])
    >>> bool(clf.score(X[150:], y[150:]) > 0.9)
    True
    >>> clf.predict_proba(X[150:]).shape
    (50, 2)
    >>> clf.transform(X[150:]).shape
    (50, 8)
    """

    _cell_class = LSTMCell
    _cell_parameters = ("forget_bias", "init")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **RecurrentClassifier._parameter_constraints,
        "forget_bias": [Interval(Real, None, None, closed="neither")],
        "init": [StrOptions({"orthogonal", "chrono"})],
    }

    def __init__(
        self,
        # Architecture
        hidden_size: int = 64,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        pooling: Literal["last", "mean", "max", "attention"] = "last",
        return_sequences: bool = False,
        n_timesteps: int | None = None,
        embedding_size: int | None = None,
        layer_norm: bool = False,
        residual: bool = False,
        learn_initial_state: bool = False,
        head_sizes: Sequence[int] = (),
        forget_bias: float = 1.0,
        init: Literal["orthogonal", "chrono"] = "orthogonal",
        # Loss and penalty
        class_weight: dict[Any, Any] | Literal["balanced"] | None = None,
        alpha: float = 0.0,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        # Solver
        solver: Literal["adam", "adamw", "rmsprop", "sgd", "lbfgs"] = "adam",
        batch_size: int | Literal["auto"] = "auto",
        learning_rate_init: float | Literal["auto"] = "auto",
        learning_rate: Literal[
            "constant", "invscaling", "adaptive", "cosine", "one_cycle"
        ] = "constant",
        max_grad_norm: float | None = 0.5,
        tbptt_steps: int | None = None,
        shuffle: bool = True,
        average_epochs: int = 1,
        # Stopping and validation
        max_iter: int = 200,
        tol: float = 0.0001,
        n_iter_no_change: int | Literal["auto"] = "auto",
        early_stopping: bool | Literal["auto"] = "auto",
        validation_fraction: float = 0.1,
        validation_scoring: str | Callable[..., float] | None = None,
        # Run
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = False,
        checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
        # Rarely changed
        power_t: float = 0.5,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
    ) -> None:
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.return_sequences = return_sequences
        self.n_timesteps = n_timesteps
        self.embedding_size = embedding_size
        self.layer_norm = layer_norm
        self.residual = residual
        self.learn_initial_state = learn_initial_state
        self.head_sizes = head_sizes
        self.forget_bias = forget_bias
        self.init = init
        self.class_weight = class_weight
        self.alpha = alpha
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.max_grad_norm = max_grad_norm
        self.tbptt_steps = tbptt_steps
        self.shuffle = shuffle
        self.average_epochs = average_epochs
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_scoring = validation_scoring
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.checkpoint = checkpoint
        self.power_t = power_t
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon


class LSTMRegressor(RecurrentRegressor):
    """Predict numbers from sequences with a long short-term memory network.

    A long short-term memory (Hochreiter and Schmidhuber 1997) reads a sequence step by step,
    and its hidden state h is what it remembers. For every step t, with h_0 = 0:

    .. code-block:: text

        i = s(W_i Z_t),  f = s(W_f Z_t)
        g = tanh(W_g Z_t),  o = s(W_o Z_t)
        c_t = f c_{t-1} + i g
        h_t = o tanh(c_t)

    The states, pooled over time, are the sequence's embedding (`transform`); a dense layer on
    top of it gives the targets, which are standardized inside and given back in their
    own unit. Training minimizes the `loss` by back-propagation through time.

    X is an array (n_samples, n_steps) or (n_samples, n_steps, n_features), a list of arrays
    (n_steps_i, n_features) of any lengths, or a :class:`SequenceArray`; see the user guide.
    Scale the features, for example with ``TimestepTransformer(StandardScaler())``. With
    `embedding_size`, X holds text or other tokens: a list of strings, or of lists of tokens.

    Parameters
    ----------
    hidden_size : int, default=64
        Width of the hidden state, H: the model's capacity, and the first thing to search over.
    num_layers : int, default=1
        Layers on top of each other; each reads the states of the one below.
    bidirectional : bool, default=False
        Whether a second network reads every sequence from its end to its beginning.
    pooling : {"last", "mean", "max", "attention"}, default="last"
        What the readout sees of the states over time: the one after the last step, their mean,
        the largest value of each unit, or their mean by weights that are learned: the softmax
        over the steps of each state's product with one vector [7]_. All but "last" help where the
        evidence may lie anywhere in a long sequence.
    return_sequences : bool, default=False
        Whether there is a target, and an answer, at every step instead of one for the whole
        sequence. The readout then sees each step's state, and `pooling` has no say.
    n_timesteps : int or None, default=None
        How many steps each row of a 2-D X holds: (n, D) is read as (n, n_timesteps,
        D / n_timesteps). None reads a row as D steps of one feature.
    embedding_size : int or None, default=None
        For tokens, integers or strings, in X instead of numbers: the length of the vector that
        is learned for each of them, the first layer's input. Try 8 to 32 for characters, more for
        words. None: X holds numbers.
    layer_norm : bool, default=False
        Whether what a layer hands on at each step is normalized over its units, with a gain and a
        bias that are learned [8]_: for deep stacks, and with `residual`.
    residual : bool, default=False
        Whether each layer from the second on hands on the sum of its states and of what the layer
        below it hands on [9]_, so that errors reach the lower layers undiminished.
    learn_initial_state : bool, default=False
        Whether the state before the first step is learned; otherwise it is zero.
    head_sizes : sequence of int, default=()
        Widths of dense layers with relu between the states and the output layer. None by default.
    forget_bias : float, default=1.0
        Where the forget gate's bias starts. 1 keeps the cell state open at first [2]_; larger
        values help where the answer lies far back.
    init : {"orthogonal", "chrono"}, default="orthogonal"
        How weights start: see Notes. "chrono" sets the bias of the gate that keeps the state so
        that units remember for times of all lengths, up to that of the longest training
        sequence [10]_: for dependencies over hundreds of steps. `forget_bias` then has no say.
    loss : {"squared_error", "absolute_error", "huber", "poisson", "quantile"}, \
default="squared_error"
        What is minimized: half the squared error, for the mean; the absolute error, for the
        median; Huber's, squared near zero and straight beyond `huber_delta`; Poisson's, for
        counts, whose mean is the exponential of the readout; or the pinball loss, for `quantiles`.
    quantiles : float or sequence of floats, default=(0.1, 0.5, 0.9)
        The quantiles that ``loss="quantile"`` predicts, ascending. They share all but the
        readout, and never cross: predictions are sorted.
    huber_delta : float, default=1.35
        Where Huber's loss turns straight, in standard deviations of y, robustly estimated.
    alpha : float, default=0.0
        Strength of the L2 penalty, alpha / 2 times the sum of the squared weights (not biases),
        divided, like the loss, by the sum of the sample weights.
    dropout : float, default=0.0
        Share of the inputs, of what each layer hands to the next, and of what the readout sees,
        that training sets to zero at random, every number by itself [11]_; the rest is scaled
        up. At least 0 and below 1. Predictions drop nothing.
    recurrent_dropout : float, default=0.0
        Share of the units that are set to zero in the recurrent products, the same ones in all
        steps of a sequence [12]_.
    solver : {"adam", "adamw", "rmsprop", "sgd", "lbfgs"}, default="adam"
        The optimizer: Adam [3]_; AdamW, in which `alpha` shrinks weights at every update by
        alpha times the learning rate instead of entering the gradient; RMSprop; stochastic
        gradient descent with momentum; or L-BFGS, on all data at once, without randomness or
        learning rate, for some hundred sequences: `max_iter` then counts its iterations, and
        gradients are not clipped.
    batch_size : int or "auto", default="auto"
        Sequences an update. "auto": 16; from 1,000 samples on 32. Where all distinct samples
        fit into one batch, training uses them in a fixed order with duplicates merged, and the
        order of the rows changes nothing.
    learning_rate_init : float or "auto", default="auto"
        Step size of the updates. The first training parameter to try other values of, in
        factors of 3. "auto": 0.003; from 1,000 samples on 0.005.
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "one_cycle"}, \
default="constant"
        How the learning rate goes on from `learning_rate_init`: not at all; divided by
        t^power_t at update t; divided by 5 each time that training would stop for want of an
        improvement, until it is below 1e-6; along half a cosine to zero at `max_iter`; or, in
        one cycle, up from a 25th in the first 30 % of the epochs and down to a 10,000th in
        the others.
    max_grad_norm : float or None, default=0.5
        A gradient with a larger Euclidean norm is scaled down to it [4]_. None: never.
    tbptt_steps : int or None, default=None
        Truncated back-propagation through time: sequences are cut every so many steps; the state
        is carried over a cut, errors are not, and memory does not grow with the length. With
        `return_sequences` every piece is followed by an update. None: never cut. Not with
        `bidirectional`.
    shuffle : bool, default=True
        Whether samples are shuffled in each epoch. Sequences of like length share a batch.
    average_epochs : int, default=1
        The model is the mean of the weights at the ends of the last so many epochs, which takes
        away the noise of the last updates (Polyak and Juditsky 1992,
        https://doi.org/10.1137/0330046; Izmailov et al. 2018, https://arxiv.org/abs/1803.05407).
        Validation and early stopping see that mean, too. 1: no averaging. Not with "lbfgs".
    max_iter : int, default=200
        Epochs, at most.
    tol : float, default=0.0001
        Training stops when the loss, or with early stopping the validation score, of the last
        `n_iter_no_change` epochs is not better by `tol` than the best before them.
    n_iter_no_change : int or "auto", default="auto"
        Epochs to wait for an improvement of `tol`. "auto": 50; from 1,000 samples on 20.
    early_stopping : bool or "auto", default="auto"
        Whether to set aside a validation set, stop when the score on it no longer improves,
        and keep the best weights. "auto": from 1,000 samples on. `partial_fit` never does.
    validation_fraction : float, default=0.1
        Share of the samples in that set, between 0 and 1.
    validation_scoring : str, callable or None, default=None
        What the validation set is scored by: "loss" (minus the loss), the name of one of
        scikit-learn's scorers, a callable (estimator, X, y) whose larger values are better and
        that is also given ``sample_weight=`` where weights differ, or None for what `score`
        computes.
    warm_start : bool, default=False
        Whether another fit goes on from where the last one stopped: weights, optimizer and
        random numbers.
    random_state : int, RandomState instance or None, default=None
        Seeds initial weights, shuffling and validation split. With an int, two fits on one
        machine give the same bits.
    n_jobs : int, default=None
        The number of processes that may work on one batch, and of threads that `predict` may use.
        None means 1, unless a ``joblib.parallel_config`` context says more; -1 means one for
        each core. It never changes a result, and `fit` uses it only where batches are large
        enough: see :ref:`n_jobs`. Inside a parallel search it is 1.
    verbose : bool, default=False
        Whether to print a line an epoch.
    checkpoint : str, path-like, Checkpoint or None, default=None
        A file in which `fit` saves its progress after each epoch, or a :class:`Checkpoint`, which
        also says how often. If the process is killed, the same call continues from the file and
        ends with the same model as without the break. Once training is complete, the same call
        returns that model at once; delete the file to train again. Each fit needs its own path, so
        the fits of a search cannot share one. Not with "lbfgs"; not used by `partial_fit`.
    power_t : float, default=0.5
        The exponent of "invscaling".
    momentum : float, default=0.9
        Momentum of "sgd", at least 0 and below 1.
    nesterovs_momentum : bool, default=True
        Whether that momentum is Nesterov's.
    beta_1 : float, default=0.9
        Decay of "adam"'s first moment, at least 0 and below 1.
    beta_2 : float, default=0.999
        Decay of "adam"'s second moment, at least 0 and below 1.
    epsilon : float, default=1e-08
        Keeps "adam" from dividing by zero.

    Attributes
    ----------
    n_features_in_ : int
        Features of each step, 1 with tokens; columns of X where X was 2-D.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where X was a data frame, or a list of data frames, with string names.
    n_timesteps_in_ : int or None
        Steps of each training sequence; None where they differed.
    vocabulary_ : ndarray of shape (n_tokens,)
        The tokens of the training sequences, sorted; only with `embedding_size`. All others read
        as unknown, as the mean of these.
    n_outputs_ : int
        Outputs of the readout, K.
    n_iter_ : int
        Epochs that the last fit ran.
    stop_reason_ : str
        Why it ended: "max_iter", "converged", "callback", "diverged" or "interrupted".
    history_ : dict of str to ndarray of shape (n_epochs,)
        What each epoch of the last `fit` or `partial_fit` was like, for ``pandas.DataFrame``:
        "epoch", its number; "seconds" that it took, validation included; "loss";
        "validation_loss" and "validation_score" at its end, NaN without validation;
        "learning_rate" of its last update, NaN with "lbfgs"; and "gradient_norm", the largest of
        its updates before clipping.
    t_ : int
        Updates of the weights.
    loss_ : float
        Training loss of the last epoch, averaged over its batches, for standardized targets.
    loss_curve_ : list of float
        Training loss of each epoch.
    best_loss_ : float or None
        The smallest of them; None with early stopping.
    validation_scores_ : list of float or None
        Score on the validation set after each epoch; None without early stopping.
    best_validation_score_ : float or None
        The largest of them.
    out_activation_ : str
        "identity", or "exp" for Poisson's loss.
    weights_ : dict of str to ndarray
        Copies of all weights: "weight_embedding" (n_tokens, `embedding_size`) if there is one,
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0" and so on under PyTorch's
        names and in its gate order, then "weight_out" (K, H) and "bias_out" (K,), in the unit of y.
        Options add "h_0_l0" (of an LSTM also "c_0_l0"), "norm_weight_l0", "norm_bias_l0" and so
        on, (H,) each, "weight_attention" (H,), and "weight_head_0", "bias_head_0" and so on.
    n_parameters_ : int
        Number of trained parameters.

    See Also
    --------
    RNNRegressor : The same with a first-order recurrent network.
    GRURegressor : The same with a gated recurrent unit network.
    LSTMClassifier : For class labels as targets.

    Notes
    -----
    Z_t = [h_{t-1}; 1; x_t] and s is the logistic sigmoid. The error that runs back along the
    cell state is multiplied by the forget gate alone, so that it can live for many steps.

    A layer and direction with F inputs costs about 24 H (H + F) floating point operations a
    step and sequence to train (a third of that to predict), and training keeps about
    8 H + F numbers of each step and sequence of a batch in memory.

    Initial weights: orthogonal recurrent matrices [5]_, uniform input matrices and readout with
    Glorot's variance [6]_, the forget gate's bias as given, all other biases 0, except that the
    readout starts at the best constant prediction: the mean, the median or the quantiles of y.
    An embedding starts as standard normal numbers.

    References
    ----------
    .. [1] Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation
           9(8), 1735-1780. https://doi.org/10.1162/neco.1997.9.8.1735
    .. [2] Jozefowicz, R., Zaremba, W. and Sutskever, I. (2015). An empirical exploration of
           recurrent network architectures. ICML 37, 2342-2350.
    .. [3] Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.
           https://arxiv.org/abs/1412.6980
    .. [4] Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training recurrent
           neural networks. ICML 28, 1310-1318. https://arxiv.org/abs/1211.5063
    .. [5] Saxe, A. M., McClelland, J. L. and Ganguli, S. (2014). Exact solutions to the nonlinear
           dynamics of learning in deep linear neural networks. ICLR.
           https://arxiv.org/abs/1312.6120
    .. [6] Glorot, X. and Bengio, Y. (2010). Understanding the difficulty of training deep
           feedforward neural networks. AISTATS 9, 249-256.
    .. [7] Raffel, C. and Ellis, D. P. W. (2016). Feed-forward networks with attention can solve
           some long-term memory problems. https://arxiv.org/abs/1512.08756
    .. [8] Ba, J. L., Kiros, J. R. and Hinton, G. E. (2016). Layer normalization.
           https://arxiv.org/abs/1607.06450
    .. [9] He, K., Zhang, X., Ren, S. and Sun, J. (2016). Deep residual learning for image
           recognition. CVPR, 770-778. https://arxiv.org/abs/1512.03385
    .. [10] Tallec, C. and Ollivier, Y. (2018). Can recurrent neural networks warp time? ICLR.
            https://arxiv.org/abs/1804.11188
    .. [11] Zaremba, W., Sutskever, I. and Vinyals, O. (2014). Recurrent neural network
            regularization. https://arxiv.org/abs/1409.2329
    .. [12] Gal, Y. and Ghahramani, Z. (2016). A theoretically grounded application of dropout in
            recurrent neural networks. NeurIPS 29. https://arxiv.org/abs/1512.05287

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import LSTMRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 12, 2))
    >>> y = 100 + 10 * X[:, -3:, 0].sum(axis=1)
    >>> reg = LSTMRegressor(hidden_size=8, random_state=0).fit(X[:200], y[:200])
    >>> bool(reg.score(X[200:], y[200:]) > 0.9)
    True
    >>> reg.weights_["weight_out"].shape
    (1, 8)
    """

    _cell_class = LSTMCell
    _cell_parameters = ("forget_bias", "init")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **RecurrentRegressor._parameter_constraints,
        "forget_bias": [Interval(Real, None, None, closed="neither")],
        "init": [StrOptions({"orthogonal", "chrono"})],
    }

    def __init__(
        self,
        # Architecture
        hidden_size: int = 64,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        pooling: Literal["last", "mean", "max", "attention"] = "last",
        return_sequences: bool = False,
        n_timesteps: int | None = None,
        embedding_size: int | None = None,
        layer_norm: bool = False,
        residual: bool = False,
        learn_initial_state: bool = False,
        head_sizes: Sequence[int] = (),
        forget_bias: float = 1.0,
        init: Literal["orthogonal", "chrono"] = "orthogonal",
        # Loss and penalty
        loss: Literal[
            "squared_error", "absolute_error", "huber", "poisson", "quantile"
        ] = "squared_error",
        quantiles: float | Sequence[float] = (0.1, 0.5, 0.9),
        huber_delta: float = 1.35,
        alpha: float = 0.0,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        # Solver
        solver: Literal["adam", "adamw", "rmsprop", "sgd", "lbfgs"] = "adam",
        batch_size: int | Literal["auto"] = "auto",
        learning_rate_init: float | Literal["auto"] = "auto",
        learning_rate: Literal[
            "constant", "invscaling", "adaptive", "cosine", "one_cycle"
        ] = "constant",
        max_grad_norm: float | None = 0.5,
        tbptt_steps: int | None = None,
        shuffle: bool = True,
        average_epochs: int = 1,
        # Stopping and validation
        max_iter: int = 200,
        tol: float = 0.0001,
        n_iter_no_change: int | Literal["auto"] = "auto",
        early_stopping: bool | Literal["auto"] = "auto",
        validation_fraction: float = 0.1,
        validation_scoring: str | Callable[..., float] | None = None,
        # Run
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = False,
        checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
        # Rarely changed
        power_t: float = 0.5,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
    ) -> None:
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.return_sequences = return_sequences
        self.n_timesteps = n_timesteps
        self.embedding_size = embedding_size
        self.layer_norm = layer_norm
        self.residual = residual
        self.learn_initial_state = learn_initial_state
        self.head_sizes = head_sizes
        self.forget_bias = forget_bias
        self.init = init
        self.loss = loss
        self.quantiles = quantiles
        self.huber_delta = huber_delta
        self.alpha = alpha
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.max_grad_norm = max_grad_norm
        self.tbptt_steps = tbptt_steps
        self.shuffle = shuffle
        self.average_epochs = average_epochs
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_scoring = validation_scoring
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.checkpoint = checkpoint
        self.power_t = power_t
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
