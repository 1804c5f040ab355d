"""Our side by the public estimators alone: data, a classifier to fit, and a stream.

Nothing private is imported here, so that the guard can measure older revisions.
"""

from __future__ import annotations

import numpy as np

import sklearn_rnn

N_CLASSES = 3


def make_data(n_sequences, n_steps, n_features):
    """Return random sequences, and random classes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_sequences, n_steps, n_features)).astype(np.float32)
    return X, rng.integers(0, N_CLASSES, n_sequences)


def make_classifier(cell, hidden_size, batch, epochs):
    """Return a classifier that will train for exactly so many epochs."""
    return getattr(sklearn_rnn, f"{cell}Classifier")(
        hidden_size=hidden_size,
        batch_size=batch,
        max_iter=epochs,
        n_iter_no_change=epochs,
        early_stopping=False,
        random_state=0,
    )


def make_step(cell, n_features, hidden_size):
    """Return a function that takes one stream a step on, and gives the probabilities."""
    model = make_classifier(cell, hidden_size, 32, 1)
    model.fit(*make_data(N_CLASSES * 10, 5, n_features))
    x = np.random.default_rng(0).normal(size=(1, n_features)).astype(np.float32)
    state = None

    def run():
        nonlocal state
        _, state = model.step_proba(x, state)

    return run
