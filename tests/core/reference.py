"""The plain network: every formula as the papers print it, one sequence and one step at a time.

It shares no line with the package: no buffers, no blocks, no padding, one sequence (T, F) after
the other, weights under PyTorch's names and in PyTorch's gate order, with both of its biases.
What it is for is to be so simple that it is right, and for the package to agree with it.

Each forward returns the states (T, H), the final state (a tuple) and a tape of its steps. Each
backward takes the tape and the errors dh (T, H) that enter the states from above, and returns
dx (T, F), the gradients of the initial state (a tuple) and those of the weights (a dict).
"""

import numpy as np

HUBER_DELTA = 0.7
QUANTILES = (0.2, 0.9)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def pre_activations(w, x, h):
    """The inputs' part and the state's part, each with its own bias."""
    return w["weight_ih"] @ x + w["bias_ih"], w["weight_hh"] @ h + w["bias_hh"]


def add_outer(dw, dz_ih, dz_hh, x, h):
    """What one step adds to the gradients of the weights."""
    dw["weight_ih"] += np.outer(dz_ih, x)
    dw["weight_hh"] += np.outer(dz_hh, h)
    dw["bias_ih"] += dz_ih
    dw["bias_hh"] += dz_hh


def zeros_like(w):
    return {name: np.zeros_like(array) for name, array in w.items()}


class RNN:
    def __init__(self, nonlinearity):
        self.f, self.derivative = {
            "tanh": (np.tanh, lambda h: 1 - h**2),
            "relu": (lambda z: np.maximum(z, 0), lambda h: 1.0 * (h > 0)),
        }[nonlinearity]

    def forward(self, w, x, state):
        (h,), tape = state, []
        for x_t in x:
            h_prev, h = h, self.f(sum(pre_activations(w, x_t, h)))
            tape.append((x_t, h_prev, h))
        return np.array([h for _, _, h in tape]), (h,), tape

    def backward(self, w, tape, dh_in):
        dw, dx, dh = zeros_like(w), [], 0
        for (x_t, h_prev, h), dh_t in zip(tape[::-1], dh_in[::-1], strict=True):
            dz = self.derivative(h) * (dh + dh_t)
            add_outer(dw, dz, dz, x_t, h_prev)
            dx.append(w["weight_ih"].T @ dz)
            dh = w["weight_hh"].T @ dz
        return np.array(dx[::-1]), (dh,), dw


class LSTM:
    def forward(self, w, x, state):
        (h, c_prev), tape, states = state, [], []
        for x_t in x:
            i, f, g, o = np.split(sum(pre_activations(w, x_t, h)), 4)
            i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
            c = f * c_prev + i * g
            tape.append((x_t, h, c_prev, i, f, g, o, c))
            h, c_prev = o * np.tanh(c), c
            states.append(h)
        return np.array(states), (h, c_prev), tape

    def backward(self, w, tape, dh_in):
        dw, dx, dh, dc = zeros_like(w), [], 0, 0
        for (x_t, h_prev, c_prev, i, f, g, o, c), dh_t in zip(tape[::-1], dh_in[::-1], strict=True):
            dh = dh + dh_t
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            di = dc * g * i * (1 - i)
            df = dc * c_prev * f * (1 - f)
            dg = dc * i * (1 - g**2)
            do = dh * np.tanh(c) * o * (1 - o)
            dz = np.concatenate([di, df, dg, do])
            add_outer(dw, dz, dz, x_t, h_prev)
            dx.append(w["weight_ih"].T @ dz)
            dh, dc = w["weight_hh"].T @ dz, dc * f
        return np.array(dx[::-1]), (dh, dc), dw


class GRU:
    def forward(self, w, x, state):
        (h,), tape, states = state, [], []
        for x_t in x:
            (r_x, z_x, n_x), (r_h, z_h, m) = (np.split(a, 3) for a in pre_activations(w, x_t, h))
            r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
            n = np.tanh(n_x + r * m)
            tape.append((x_t, h, r, z, m, n))
            h = (1 - z) * n + z * h
            states.append(h)
        return np.array(states), (h,), tape

    def backward(self, w, tape, dh_in):
        dw, dx, dh = zeros_like(w), [], 0
        for (x_t, h_prev, r, z, m, n), dh_t in zip(tape[::-1], dh_in[::-1], strict=True):
            dh = dh + dh_t
            dn = dh * (1 - z) * (1 - n**2)
            dz = dh * (h_prev - n) * z * (1 - z)
            dr = dn * m * r * (1 - r)
            dz_ih, dz_hh = np.concatenate([dr, dz, dn]), np.concatenate([dr, dz, dn * r])
            add_outer(dw, dz_ih, dz_hh, x_t, h_prev)
            dx.append(w["weight_ih"].T @ dz_ih)
            dh = w["weight_hh"].T @ dz_hh + dh * z
        return np.array(dx[::-1]), (dh,), dw


CELLS = {"rnn-tanh": RNN("tanh"), "rnn-relu": RNN("relu"), "lstm": LSTM(), "gru": GRU()}


def cell_weights(weights, layer, direction):
    """The four arrays of one cell."""
    suffix = f"_l{layer}" + ("_reverse" if direction else "")
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {name: weights[name + suffix] for name in names}


def flip(x, direction):
    """In a direction's own time: the reverse direction starts at the sequence's end."""
    return x[::-1] if direction else x


def stack_forward(cell, weights, x, states):
    """Run all layers over one sequence.

    `states[layer][direction]` is a tuple. Returns the top layer's states of each direction in
    its own time, and the tapes [layer][direction].
    """
    tapes = []
    for layer, directions in enumerate(states):
        runs = [
            CELLS[cell].forward(cell_weights(weights, layer, d), flip(x, d), state)
            for d, state in enumerate(directions)
        ]
        tapes.append([tape for _, _, tape in runs])
        x = np.concatenate([flip(h, d) for d, (h, _, _) in enumerate(runs)], axis=1)
    return [h for h, _, _ in runs], tapes


def stack_backward(cell, weights, tapes, errors):
    """Run back: `errors` are those of the top layer's states, each in its direction's time.

    Returns dx, the gradients of the initial states [layer][direction], and those of the weights.
    """
    gradients, dstates = {}, []
    for layer in reversed(range(len(tapes))):
        dx, dstates_layer = 0, []
        for d, (tape, dh) in enumerate(zip(tapes[layer], errors, strict=True)):
            w = cell_weights(weights, layer, d)
            dx_d, dstate, dw = CELLS[cell].backward(w, tape, dh)
            dx = dx + flip(dx_d, d)
            dstates_layer.append(dstate)
            suffix = f"_l{layer}" + ("_reverse" if d else "")
            gradients |= {name + suffix: array for name, array in dw.items()}
        dstates.insert(0, dstates_layer)
        if layer:
            errors = [flip(part, d) for d, part in enumerate(np.split(dx, len(errors), axis=1))]
    return dx, dstates, gradients


def pool(h, how):
    """The summary (H,) of states (T, H)."""
    return {"last": h[-1], "mean": h.mean(axis=0), "max": h.max(axis=0)}[how]


def pool_backward(h, dpooled, how):
    """The errors (T, H) that dpooled (H,) causes."""
    dh = np.zeros_like(h)
    if how == "last":
        dh[-1] = dpooled
    elif how == "mean":
        dh[:] = dpooled / len(h)
    else:
        for unit in range(h.shape[1]):
            dh[h[:, unit].argmax(), unit] = dpooled[unit]
    return dh


def loss(name, raw, y):
    """Loss of one sample, and its gradient by raw (K,)."""
    if name == "squared_error":
        return ((raw - y) ** 2).sum() / 2, raw - y
    if name == "absolute_error":
        return np.abs(raw - y).sum(), np.where(raw > y, 1.0, -1.0)
    if name == "huber":
        far, pull = np.abs(raw - y) > HUBER_DELTA, HUBER_DELTA * np.where(raw > y, 1.0, -1.0)
        straight = HUBER_DELTA * np.abs(raw - y) - HUBER_DELTA**2 / 2
        return np.where(far, straight, (raw - y) ** 2 / 2).sum(), np.where(far, pull, raw - y)
    if name == "poisson":
        return (np.exp(raw) - y * raw).sum(), np.exp(raw) - y
    if name == "pinball":
        pairs = [(y_k, q) for y_k in y for q in QUANTILES]
        values = [max(q * (y_k - r), (q - 1) * (y_k - r)) for r, (y_k, q) in zip(raw, pairs)]
        return sum(values), np.array([-q if y_k > r else 1 - q for r, (y_k, q) in zip(raw, pairs)])
    if name == "binary_log_loss":
        p = sigmoid(raw)
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(), p - y
    p = np.exp(raw) / np.exp(raw).sum()
    return -(y * np.log(p)).sum(), p - y


def seen(hidden, pooling):
    """What the output layer sees, one row an answer: one in all, or one a step ("none")."""
    if pooling == "none":
        return np.concatenate([flip(h, d) for d, h in enumerate(hidden)], axis=1)
    return [np.concatenate([pool(h, pooling) for h in hidden])]


def seen_backward(hidden, dseen, pooling):
    """The errors (T, H) of each direction, in its own time, that dseen causes."""
    parts = np.split(np.array(dseen), len(hidden), axis=1)
    if pooling == "none":
        return [flip(part, d) for d, part in enumerate(parts)]
    return [pool_backward(h, part[0], pooling) for h, part in zip(hidden, parts, strict=True)]


def sample_loss_gradient(cell, weights, x, states, pooling, loss_name, targets, shares):
    """Loss of one sequence, raw predictions, and the gradients of weights, x and states.

    Each of its answers has a target (K,), and a share that its loss is multiplied by.
    """
    hidden, tapes = stack_forward(cell, weights, x, states)
    value, dweight_out, dbias_out, raws, dseen = 0, 0, 0, [], []
    for row, y, share in zip(seen(hidden, pooling), targets, shares, strict=True):
        raw = weights["weight_out"] @ row + weights["bias_out"]
        answer, draw = loss(loss_name, raw, y)
        value, draw = value + share * answer, share * draw
        dweight_out, dbias_out = dweight_out + np.outer(draw, row), dbias_out + draw
        raws.append(raw)
        dseen.append(weights["weight_out"].T @ draw)
    errors = seen_backward(hidden, dseen, pooling)
    dx, dstates, gradients = stack_backward(cell, weights, tapes, errors)
    gradients |= {"weight_out": dweight_out, "bias_out": dbias_out}
    return value, raws, gradients, dx, dstates


# --- The options, forward only: their gradients are checked by complex step -----------------------


def masked_step(cell, w, x_t, state, mask):
    """The next state where the recurrent products read h through a mask, unit by unit."""
    seen = state[0] * mask
    _, (h, *c), _ = CELLS[cell].forward(w, x_t[None], (seen, *state[1:]))
    if cell == "gru":  # the update gate keeps the state itself, not what is seen of it
        z_x, z_h = (np.split(a, 3)[1] for a in pre_activations(w, x_t, seen))
        h = h + sigmoid(z_x + z_h) * (state[0] - seen)
    return (h, *c)


def layer_outputs(cell, weights, layer, direction, x, state, mask, below):
    """What one layer and direction hands on, (T, H), in its own time."""
    suffix = f"_l{layer}" + ("_reverse" if direction else "")
    w = cell_weights(weights, layer, direction)
    if f"h_0{suffix}" in weights:
        state = tuple(weights[name + suffix] for name in ("h_0", "c_0") if name + suffix in weights)
    outs = []
    for t, x_t in enumerate(x):
        state = masked_step(cell, w, x_t, state, mask)
        u = state[0] if below is None else state[0] + below[t]
        if f"norm_weight{suffix}" in weights:
            y = (u - u.mean()) / np.sqrt(np.mean((u - u.mean()) ** 2) + 1e-5)
            u = weights[f"norm_weight{suffix}"] * y + weights[f"norm_bias{suffix}"]
        outs.append(u)
    return np.array(outs)


def attend(h, w):
    """The mean of states (T, H) by the softmax of their products with w."""
    e = np.exp(h @ w)
    return e @ h / e.sum()


def raw_predictions(cell, weights, x, states, pooling, *, residual, masks):
    """Raw predictions of one sequence, a row an answer; see `Problem.masks_of`."""
    x, outs = x * masks["x"], None
    for layer, directions in enumerate(states):
        below = outs if residual and outs is not None else [None] * len(directions)
        outs = [
            layer_outputs(
                cell, weights, layer, d, flip(x, d), state, masks["states"][layer][d], below[d]
            )
            for d, state in enumerate(directions)
        ]
        if layer < len(states) - 1:
            dropped = [out * masks["outs"][layer][d] for d, out in enumerate(outs)]
            x = np.concatenate([flip(out, d) for d, out in enumerate(dropped)], axis=1)
    if pooling == "attention":
        ws = np.split(weights["weight_attention"], len(outs))
        rows = [np.concatenate([attend(h, w) for h, w in zip(outs, ws, strict=True)])]
    else:
        rows = seen(outs, pooling)
    rows = np.array(rows) * masks["pooled"]
    for k in range(sum(name.startswith("weight_head") for name in weights)):
        rows = np.maximum(rows @ weights[f"weight_head_{k}"].T + weights[f"bias_head_{k}"], 0)
    return rows @ weights["weight_out"].T + weights["bias_out"]
