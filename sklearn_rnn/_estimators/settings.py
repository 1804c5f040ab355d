"""The settings of one fit: the constructor's parameters, with every "auto" resolved.

What "auto" stands for depends on the number of samples alone. With few samples an epoch is a few
updates, so that plateaus of the training loss last for many epochs, and a validation set is too
small to tell which epoch is best: there smaller batches, at a lower rate, and more patience learn
more. With many samples they would only take more time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sklearn_rnn._core.workspace import Array
from sklearn_rnn._training.lbfgs import IterationCounter
from sklearn_rnn._training.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from sklearn_rnn._training.schedules import Schedule
from sklearn_rnn._training.trainer import TrainingOptions

# With so many samples or more, the second of two values holds.
MANY = 1000
AUTO: dict[str, tuple[Any, Any]] = {
    "batch_size": (16, 32),
    "learning_rate_init": (0.003, 0.005),
    "n_iter_no_change": (50, 20),
    "early_stopping": (False, True),
}


@dataclass(frozen=True)
class Settings:
    """The settings of one fit, named like the estimator's parameters, without "auto"."""

    solver: str
    alpha: float
    batch_size: int
    learning_rate_init: float
    learning_rate: str
    power_t: float
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    max_grad_norm: float | None
    tbptt_steps: int | None
    dropout: float
    recurrent_dropout: float
    max_iter: int
    shuffle: bool
    tol: float
    n_iter_no_change: int
    average_epochs: int
    early_stopping: bool
    validation_fraction: float
    validation_scoring: str | Callable[..., float] | None
    verbose: int

    @classmethod
    def of(
        cls, parameters: Mapping[str, Any], n_samples: int, *, validation_given: bool = False
    ) -> Settings:
        """Return the settings that these parameters mean.

        Parameters
        ----------
        parameters : mapping
            Those of the constructor, checked.
        n_samples : int
            Samples with a weight above zero, before any are set aside or merged.
        validation_given : bool
            Whether fit was given validation data; "auto" then turns early stopping on.
        """
        chosen = {field.name: parameters[field.name] for field in fields(cls)}
        for name, (few, many) in AUTO.items():
            if chosen[name] == "auto":
                chosen[name] = many if n_samples >= MANY else few
        if validation_given and parameters["early_stopping"] == "auto":
            chosen["early_stopping"] = True
        return cls(**chosen)

    @property
    def penalty(self) -> float:
        """The L2 penalty's share in the loss; 0 where the optimizer itself shrinks the weights."""
        return 0.0 if self.solver == "adamw" else self.alpha

    def options(self, *, incremental: bool) -> TrainingOptions:
        """Return the options of the training loop, for one epoch if `incremental`."""
        return TrainingOptions(
            batch_size=self.batch_size,
            max_iter=1 if incremental else self.max_iter,
            shuffle=self.shuffle,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            max_grad_norm=self.max_grad_norm,
            tbptt_steps=self.tbptt_steps,
            average_epochs=self.average_epochs,
            verbose=bool(self.verbose),
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
        )

    def schedule(self, *, incremental: bool) -> Schedule:
        """Return the learning rate of each update."""
        # One epoch has no course: with partial_fit, cosine and one_cycle stay where they start.
        constant = incremental and self.learning_rate in ("cosine", "one_cycle")
        name = "constant" if constant else self.learning_rate
        return Schedule(name, self.learning_rate_init, self.max_iter, self.power_t)

    def optimizer(self, theta: Array, penalized: Array) -> Optimizer:
        """Return a new optimizer of theta; `penalized` (bool) are the weights that may shrink."""
        rate, betas = self.learning_rate_init, (self.beta_1, self.beta_2)
        if self.solver == "adam":
            return Adam(theta, rate, *betas, self.epsilon)
        if self.solver == "adamw":
            decays = penalized.astype(theta.dtype)
            return AdamW(theta, rate, *betas, self.epsilon, self.alpha, decays)
        if self.solver == "rmsprop":
            return RMSprop(theta, rate, self.beta_2, self.epsilon)
        if self.solver == "sgd":
            return SGD(theta, rate, self.momentum, self.nesterovs_momentum)
        return IterationCounter(theta, rate)
