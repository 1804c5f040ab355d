"""What a fit warns of at its end: it broke off, or its model is worse than a constant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._data.user_warning import warn_user, warn_user_once
from sklearn_rnn._estimators.held_out import mean_loss
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._training.trainer import TrainingResult

# After this many updates a model should be better than a constant. Measured on learnable targets
# and on noise, with all losses and batches of 16 of 150 sequences: at usual learning rates the
# training loss was at most 1.00 times that of the constant after 40 epochs (400 updates), with far
# too large ones 1.05 to 1e6 times. A network of random weights may be twice as bad as the constant,
# and stays so for some ten updates.
ENOUGH_UPDATES = 100
# By which factor, and how much besides, it may be worse; before, and after so many updates. Dropout
# alone makes the training loss of a few sequences up to 1.8 times that of the constant.
FEW, MANY = (10.0, 10.0), (2.0, 0.5)


def loss_of_constant(network: Network, data: TrainingData, bias: Array, theta: Array) -> float:
    """Return the loss on data, as it is trained on, of the raw prediction bias (K,).

    With the L2 penalty of the weights theta that training starts from: under a large penalty the
    loss says little of predictions until the weights have shrunk.
    """
    data = replace(data, weight=data.weight / data.weight.max())
    raw = np.broadcast_to(bias, (len(data.y), len(bias)))
    with np.errstate(all="ignore"):
        penalized = theta[network.layout.penalized]
        penalty = 0.5 * network.alpha * float(penalized @ penalized)
        return mean_loss(network.loss, data, raw) + penalty


def warn_of_result(result: TrainingResult, constant: float) -> None:
    """Warn if training broke off, or is worse than a constant prediction of this loss."""
    history = result.last.history
    if result.reason in ("diverged", "interrupted"):
        what = "diverged" if result.reason == "diverged" else "was interrupted"
        n_iter = len(history)
        warn_user(
            f"Training {what} in epoch {n_iter + 1}: the model is that of the end of epoch "
            f"{n_iter}.",
            ConvergenceWarning,
        )
        return
    chosen = history[-1]
    if result.validated:
        chosen = max(history, key=lambda epoch: epoch.validation_score)
    updates = result.last.optimizer["t"] * chosen.epoch / history[-1].epoch
    factor, margin = MANY if updates >= ENOUGH_UPDATES else FEW
    if chosen.loss > factor * constant + margin:
        rate = chosen.learning_rate
        rate_given = "" if np.isnan(rate) else f" (it was {rate:g} in the last update)"
        warn_user_once(
            f"The model is worse than a constant prediction: its training loss is "
            f"{chosen.loss:.3g}, that of the constant {constant:.3g}. Lower learning_rate_init"
            f"{rate_given}, and scale X if it holds numbers: "
            "make_pipeline(TimestepTransformer(StandardScaler()), estimator).",
            ConvergenceWarning,
        )
