"""The networks, forward, as their equations stand: one sequence, one step at a time.

Written from the papers and PyTorch's documentation, on the dict `weights_` and nothing else.
"""

import numpy as np

POOLINGS = {
    "last": lambda h: h[-1],
    "mean": lambda h: h.mean(axis=0),
    "max": lambda h: h.max(axis=0),
}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def rnn_states(x, W_ih, W_hh, b_ih, b_hh, f):
    h, states = np.zeros(W_hh.shape[1]), []
    for x_t in x:
        h = f(W_ih @ x_t + b_ih + W_hh @ h + b_hh)
        states.append(h)
    return np.array(states)


def lstm_states(x, W_ih, W_hh, b_ih, b_hh, _):
    h = c = np.zeros(W_hh.shape[1])
    states = []
    for x_t in x:
        i, f, g, o = np.split(W_ih @ x_t + b_ih + W_hh @ h + b_hh, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def gru_states(x, W_ih, W_hh, b_ih, b_hh, _):
    h, states = np.zeros(W_hh.shape[1]), []
    for x_t in x:
        r_x, z_x, n_x = np.split(W_ih @ x_t + b_ih, 3)
        r_h, z_h, n_h = np.split(W_hh @ h + b_hh, 3)
        r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
        n = np.tanh(n_x + r * n_h)
        h = (1 - z) * n + z * h
        states.append(h)
    return np.array(states)


STATES_BY_NUMBER_OF_GATES = {1: rnn_states, 4: lstm_states, 3: gru_states}


def top_states(weights, x, nonlinearity="tanh"):
    """Give the states of the top layer, those of each direction in its own time, and in x's."""
    f = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[nonlinearity]
    layer = 0
    while f"weight_ih_l{layer}" in weights:
        directions = []
        for suffix in ("", "_reverse"):
            names = (f"{name}_l{layer}{suffix}" for name in ("weight_ih", "weight_hh"))
            biases = (f"{name}_l{layer}{suffix}" for name in ("bias_ih", "bias_hh"))
            arrays = [weights.get(name) for name in (*names, *biases)]
            if arrays[0] is None:
                continue
            states_of = STATES_BY_NUMBER_OF_GATES[len(arrays[0]) // arrays[1].shape[1]]
            directions.append(states_of(x[::-1] if suffix else x, *arrays, f))
        x = np.hstack([states[::-1] if k else states for k, states in enumerate(directions)])
        layer += 1
    return directions, x


def embedding(weights, x, pooling="last", **options):
    """Give the pooled states of the top layer for one sequence x (T, F)."""
    directions, _ = top_states(weights, x, **options)
    # A direction's own last state: for the reverse one, that of the sequence's first step.
    return np.concatenate([POOLINGS[pooling](states) for states in directions])


def raw_prediction(weights, x, **options):
    """Give the readout's output (K,) for one sequence."""
    return weights["weight_out"] @ embedding(weights, x, **options) + weights["bias_out"]


def raw_predictions_of_steps(weights, x, **options):
    """Give the readout's output (T, K) at every step of one sequence."""
    _, states = top_states(weights, x, **options)
    return states @ weights["weight_out"].T + weights["bias_out"]
