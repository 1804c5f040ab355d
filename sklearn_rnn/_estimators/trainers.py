"""From an estimator's parameters to what trains it: solver, schedule, options."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_rnn._core.network import Network
from sklearn_rnn._estimators.settings import resolve_auto
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._training.lbfgs import IterationCounter, LbfgsTrainer
from sklearn_rnn._training.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from sklearn_rnn._training.schedules import Schedule
from sklearn_rnn._training.trainer import Trainer, TrainingOptions


def make_trainer(
    model: Any,
    network: Network,
    data: TrainingData,
    n_samples: int,
    theta: np.ndarray,
    rng: np.random.Generator,
    incremental: bool,
    **rest: Any,
) -> Trainer:
    """Return what trains `model`.

    Parameters
    ----------
    model : RecurrentEstimator
    network : Network
    data : TrainingData
    n_samples : int
        How many there were before any were set aside or merged: what "auto" goes by.
    theta : ndarray
    rng : Generator
    incremental : bool
        Whether for `partial_fit`.
    **rest
        Further arguments of `Trainer`.
    """
    rate = resolve_auto(model, "learning_rate_init", n_samples)
    run = LbfgsTrainer if model.solver == "lbfgs" else Trainer
    return run(
        network=network,
        data=data,
        options=_make_options(model, n_samples, incremental),
        theta=theta,
        optimizer=_make_optimizer(model, rate, theta, network),
        schedule=_make_schedule(model, rate, incremental),
        rng=rng,
        **rest,
    )


def _make_options(model: Any, n_samples: int, incremental: bool) -> TrainingOptions:
    return TrainingOptions(
        batch_size=resolve_auto(model, "batch_size", n_samples),
        max_iter=1 if incremental else model.max_iter,
        shuffle=model.shuffle,
        tol=model.tol,
        n_iter_no_change=resolve_auto(model, "n_iter_no_change", n_samples),
        max_grad_norm=model.max_grad_norm,
        tbptt_steps=model.tbptt_steps,
        average_epochs=model.average_epochs,
        verbose=bool(model.verbose),
        dropout=model.dropout,
        recurrent_dropout=model.recurrent_dropout,
    )


def _make_schedule(model: Any, rate: float, incremental: bool) -> Schedule:
    # One epoch has no course: with partial_fit, cosine and one_cycle stay where they start.
    constant = incremental and model.learning_rate in ("cosine", "one_cycle")
    name = "constant" if constant else model.learning_rate
    return Schedule(name, rate, model.max_iter, model.power_t)


def _make_optimizer(model: Any, rate: float, theta: np.ndarray, network: Network) -> Optimizer:
    """Return the solver's optimizer; where training goes on with it, as it was."""
    betas = model.beta_1, model.beta_2
    optimizer: Optimizer
    if model.solver == "adam":
        optimizer = Adam(theta, rate, *betas, model.epsilon)
    elif model.solver == "adamw":
        decays = network.layout.penalised.astype(theta.dtype)
        optimizer = AdamW(theta, rate, *betas, model.epsilon, model.alpha, decays)
    elif model.solver == "rmsprop":
        optimizer = RMSprop(theta, rate, model.beta_2, model.epsilon)
    elif model.solver == "sgd":
        optimizer = SGD(theta, rate, model.momentum, model.nesterovs_momentum)
    else:
        optimizer = IterationCounter(theta, rate)
    resume = getattr(model, "_resume_", None)
    if resume is not None and resume["solver"] == model.solver:
        optimizer.restore(resume["optimizer"])
    return optimizer
