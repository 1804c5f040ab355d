"""Functions whose source is copied into exported predictors; this package does not call them.

A function is named after its role, and what follows two underscores is the variant: of `cell__gru`
and `cell__lstm` one becomes the `cell` of a module. Pieces call each other by role.

Shapes: n sequences, T steps, F inputs, H hidden, S directions, K outputs. "..." is n, n and T, or,
for one step of one stream, nothing.
"""
# mypy: ignore-errors

from typing import Any

import numpy as np

# What other pieces, or the head of the module, define under these names.
W: Any = {}
DTYPE: Any = np.float64
N_FEATURES = N_STEPS = N_LAYERS = HIDDEN_SIZE = POOLED_SIZE = N_DENSE = N_QUANTILES = 0
CLASSES: Any = ()
CODES: Any = {}
VECTORS: Any = ()
cell = start = hidden_states = advance_layers = pool = readout = answer = probability = Any
read = read_step = transform = advance = Any

# ---- reading ----


def read__numbers(X):
    """Return sequences as a list of arrays (T_i, F)."""
    X = [np.asarray(x, DTYPE) for x in X]
    X = [x[:, None] if x.ndim == 1 else x for x in X]
    for i, x in enumerate(X):
        if x.ndim != 2 or x.shape[1] != N_FEATURES or len(x) == 0:
            expected = f"expected (n_steps, {N_FEATURES})"
            raise ValueError(f"sequence {i} has shape {x.shape}: {expected}")
        if not np.isfinite(x).all():
            raise ValueError(f"sequence {i} has values that are not finite")
    return X


def read__rows(X):
    """Return rows, each a flattened sequence, as arrays (T, F)."""
    X = np.asarray(X, DTYPE)
    if X.ndim != 2 or X.shape[1] != N_STEPS * N_FEATURES:
        expected = f"expected (n_rows, {N_STEPS * N_FEATURES})"
        raise ValueError(f"X has shape {X.shape}: {expected}")
    if not np.isfinite(X).all():
        raise ValueError("X has values that are not finite")
    return X.reshape(len(X), N_STEPS, N_FEATURES)


def embed(tokens):
    """Return the vectors (T, F) of tokens; unknown ones have the mean of all."""
    return VECTORS[[CODES.get(token, len(CODES)) for token in tokens]]


def read__tokens(X):
    """Return sequences of tokens as a list of arrays of vectors (T_i, F)."""
    X = [list(x) if isinstance(x, str) else np.ravel(x).tolist() for x in X]
    if not all(X):
        raise ValueError(f"sequence {X.index([])} is empty")
    return [embed(tokens) for tokens in X]


def read_step__numbers(x):
    """Return one step of one stream (F,), or of several (n, F)."""
    x = np.asarray(x, DTYPE)
    if x.ndim not in (1, 2) or x.shape[-1] != N_FEATURES or not np.isfinite(x).all():
        expected = f"expected ({N_FEATURES},) or (n_streams, {N_FEATURES}), all finite"
        raise ValueError(f"x is {x!r}: {expected}")
    return x


def read_step__tokens(x):
    """Return the vector (F,) of one stream's token, or those of several (n, F)."""
    return embed([x])[0] if np.ndim(x) == 0 else embed(np.ravel(x).tolist())


# ---- the recurrent layers ----


def sigmoid(z):
    """Return 1 / (1 + exp(-z)), in a form that cannot overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def cell__tanh(x, state, at):
    """Return the state after one step of a recurrent cell (Elman 1990)."""
    (h,) = state
    z = x @ W["weight_ih" + at].T + W["bias_ih" + at] + h @ W["weight_hh" + at].T
    return (np.tanh(z),)


def cell__relu(x, state, at):
    """Return the state after one step of a recurrent cell (Elman 1990)."""
    (h,) = state
    z = x @ W["weight_ih" + at].T + W["bias_ih" + at] + h @ W["weight_hh" + at].T
    return (np.maximum(z, 0),)


def cell__lstm(x, state, at):
    """Return the state after one step of an LSTM (Hochreiter and Schmidhuber 1997)."""
    h, c = state
    z = x @ W["weight_ih" + at].T + W["bias_ih" + at] + h @ W["weight_hh" + at].T
    i, f, g, o = np.split(z, 4, axis=-1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c + i * g
    h = o * np.tanh(c)
    return h, c


def cell__gru(x, state, at):
    """Return the state after one step of a GRU (Cho 2014), reset after the product."""
    (h,) = state
    from_x = x @ W["weight_ih" + at].T + W["bias_ih" + at]
    from_h = h @ W["weight_hh" + at].T + W["bias_hh" + at]
    r_x, z_x, n_x = np.split(from_x, 3, axis=-1)
    r_h, z_h, m = np.split(from_h, 3, axis=-1)
    r = sigmoid(r_x + r_h)
    z = sigmoid(z_x + z_h)
    n = np.tanh(n_x + r * m)
    h = n + z * (h - n)
    return (h,)


def start__h(at):
    """Return the state before the first step."""
    return (np.zeros(HIDDEN_SIZE, DTYPE),)


def start__hc(at):
    """Return the state before the first step."""
    return np.zeros(HIDDEN_SIZE, DTYPE), np.zeros(HIDDEN_SIZE, DTYPE)


def start__learned_h(at):
    """Return the state before the first step, which is learned."""
    return (W["h_0" + at],)


def start__learned_hc(at):
    """Return the state before the first step, which is learned."""
    return W["h_0" + at], W["c_0" + at]


def run(x, at):
    """Return h (n, T, H) after each step of x (n, T, F)."""
    state, h = start(at), []
    for t in range(x.shape[1]):
        state = cell(x[:, t], state, at)
        h.append(state[0])
    return np.stack(h, axis=1)


def normalise(u, at):
    """Return u (..., H), normalised over the units of its layer (Ba et al. 2016)."""
    y = u - u.mean(axis=-1, keepdims=True)
    y = y / np.sqrt((y * y).mean(axis=-1, keepdims=True) + 1e-5)
    return W["norm_weight" + at] * y + W["norm_bias" + at]


# ---- from the layers to raw predictions ----


def pool__last(h):
    """Return the state after the last step (n, H)."""
    return h[:, -1]


def pool__last_both(h):
    """Return the state after each direction's own last step (n, 2 H)."""
    return np.concatenate([h[:, -1, :HIDDEN_SIZE], h[:, 0, HIDDEN_SIZE:]], axis=1)


def pool__mean(h):
    """Return the mean over time (n, S H)."""
    return h.mean(axis=1)


def pool__max(h):
    """Return the largest value of each unit (n, S H)."""
    return h.max(axis=1)


def pool__attention(h):
    """Return the mean over time (n, H), weighted by a softmax of w . h_t."""
    score = h @ W["weight_attention"]
    e = np.exp(score - score.max(axis=1, keepdims=True))[:, :, None]
    return (e * h).sum(axis=1) / e.sum(axis=1)


def pool__attention_both(h):
    """Return each direction's mean (n, 2 H), weighted by a softmax of w . h_t."""
    n, T, _ = h.shape
    h = h.reshape(n, T, 2, HIDDEN_SIZE)
    score = (h * W["weight_attention"].reshape(2, HIDDEN_SIZE)).sum(axis=3)
    e = np.exp(score - score.max(axis=1, keepdims=True))[:, :, :, None]
    return ((e * h).sum(axis=1) / e.sum(axis=1)).reshape(n, 2 * HIDDEN_SIZE)


def readout__linear(pooled):
    """Return the raw predictions (..., K)."""
    return pooled @ W["weight_out"].T + W["bias_out"]


def readout__head(pooled):
    """Return the raw predictions (..., K), after dense layers."""
    for k in range(N_DENSE):
        pooled = pooled @ W[f"weight_head_{k}"].T + W[f"bias_head_{k}"]
        pooled = np.maximum(pooled, 0)
    return pooled @ W["weight_out"].T + W["bias_out"]


# ---- from raw predictions to answers ----


def answer__one(raw):
    """Return predictions (...,) for raw ones (..., 1)."""
    return raw[..., 0]


def answer__several(raw):
    """Return predictions (..., K): raw ones are what they are."""
    return raw


def answer__count(raw):
    """Return means (...,) for their logarithms (..., 1)."""
    return np.exp(raw[..., 0])


def answer__counts(raw):
    """Return means (..., K) for their logarithms."""
    return np.exp(raw)


def answer__quantiles(raw):
    """Return quantiles (..., Q), ascending."""
    return np.sort(raw, axis=-1)


def answer__quantiles_of_several(raw):
    """Return quantiles (..., K, Q) of each output, ascending."""
    return np.sort(raw.reshape(*raw.shape[:-1], -1, N_QUANTILES), axis=-1)


def answer__binary(raw):
    """Return labels (...,) for raw predictions (..., 1)."""
    return CLASSES[(raw[..., 0] > 0).astype(int)]


def answer__multiclass(raw):
    """Return labels (...,) for raw predictions (..., K)."""
    return CLASSES[raw.argmax(axis=-1)]


def answer__multilabel(raw):
    """Return 0 or 1 for each label (..., K)."""
    return (raw > 0).astype(int)


def probability__binary(raw):
    """Return the probabilities (..., 2) of both classes: the logistic function."""
    return np.exp(-np.logaddexp(0, raw * np.array([1, -1], DTYPE)))


def probability__multiclass(raw):
    """Return the probabilities (..., K) of the classes: the softmax."""
    return np.exp(raw - np.logaddexp.reduce(raw, axis=-1, keepdims=True))


def probability__multilabel(raw):
    """Return the probability of each label (..., K): the logistic function."""
    return np.exp(-np.logaddexp(0, -raw))


# ---- whole sequences ----


def transform__pooled(X):
    """Return what the readout sees of each sequence (n, S H)."""
    X = read(X)
    lengths = np.array([len(x) for x in X])
    pooled = np.empty((len(X), POOLED_SIZE), DTYPE)
    for length in np.unique(lengths):
        same = np.flatnonzero(lengths == length)
        for index in np.split(same, range(512, len(same), 512)):
            x = np.stack([X[i] for i in index])
            pooled[index] = pool(hidden_states(x))
    return pooled


def transform__each_step(X):
    """Return the states after every step: (n, T, S H) for an array, else a list."""
    sequences = read(X)
    lengths = np.array([len(x) for x in sequences])
    states = [None] * len(lengths)
    for length in np.unique(lengths):
        same = np.flatnonzero(lengths == length)
        for index in np.split(same, range(512, len(same), 512)):
            x = np.stack([sequences[i] for i in index])
            for i, h in zip(index, hidden_states(x)):
                states[i] = h
    return np.stack(states) if getattr(X, "ndim", 1) > 1 else states


def predict__pooled(X):
    """Return the answer to each sequence."""
    return answer(readout(transform(X)))


def predict__each_step(X):
    """Return the answers at every step: an array for an array, else a list."""
    states = transform(X)
    if isinstance(states, list):
        return [answer(readout(h)) for h in states]
    return answer(readout(states))


def predict_proba__pooled(X):
    """Return the class probabilities of each sequence."""
    return probability(readout(transform(X)))


def predict_proba__each_step(X):
    """Return the probabilities at every step: an array for an array, else a list."""
    states = transform(X)
    if isinstance(states, list):
        return [probability(readout(h)) for h in states]
    return probability(readout(states))


# ---- streams ----


def advance__last(x, state):
    """Return raw predictions after one more step, and the state."""
    layers = state or [start(f"_l{layer}") for layer in range(N_LAYERS)]
    h, layers = advance_layers(read_step(x), layers)
    return readout(h), layers


def advance__mean(x, state):
    """Return raw predictions after one more step, and the state."""
    layers = [start(f"_l{layer}") for layer in range(N_LAYERS)]
    layers, total, n_steps = state or (layers, 0.0, 0)
    h, layers = advance_layers(read_step(x), layers)
    total, n_steps = total + h, n_steps + 1
    return readout(total / n_steps), (layers, total, n_steps)


def advance__max(x, state):
    """Return raw predictions after one more step, and the state."""
    layers = [start(f"_l{layer}") for layer in range(N_LAYERS)]
    layers, largest = state or (layers, -np.inf)
    h, layers = advance_layers(read_step(x), layers)
    largest = np.maximum(largest, h)
    return readout(largest), (layers, largest)


def advance__attention(x, state):
    """Return raw predictions after one more step, and the state."""
    layers = [start(f"_l{layer}") for layer in range(N_LAYERS)]
    layers, total, weight, largest = state or (layers, 0.0, 0.0, -np.inf)
    h, layers = advance_layers(read_step(x), layers)
    score = (h @ W["weight_attention"])[..., None]
    before, largest = largest, np.maximum(largest, score)
    fade, e = np.exp(before - largest), np.exp(score - largest)
    total, weight = fade * total + e * h, fade * weight + e
    return readout(total / weight), (layers, total, weight, largest)


def step(x, state=None):
    """Take one more step of one stream or several, which begin where state is None.

    Returns the answer to each stream's whole sequence so far, and the next state.
    """
    raw, state = advance(x, state)
    return answer(raw), state


def step_proba(x, state=None):
    """Take one more step, as `step` does, and return probabilities."""
    raw, state = advance(x, state)
    return probability(raw), state
