"""PyTorch says the same: states, gradients, losses, updates, to rounding in float64."""

from dataclasses import replace

import numpy as np
import pytest

from sklearn_rnn._core.block import Block
from sklearn_rnn._training.optimizers import SGD, Adam
from tests.core.helpers import (
    LOSSES,
    assert_close,
    assert_same_gradients,
    input_gradient,
    merge_biases,
    random_problem,
    state_gradients,
)
from tests.core.reference import HUBER_DELTA, QUANTILES
from tests.training.helpers import make_data, make_trainer

torch = pytest.importorskip("torch")

LENGTHS = [10, 10, 6, 2, 2, 1, 1]  # those of PyTorch's own test of packed sequences
MODULES = {
    "rnn-tanh": lambda *sizes, **options: torch.nn.RNN(*sizes, nonlinearity="tanh", **options),
    "rnn-relu": lambda *sizes, **options: torch.nn.RNN(*sizes, nonlinearity="relu", **options),
    "lstm": lambda *sizes, **options: torch.nn.LSTM(*sizes, **options),
    "gru": lambda *sizes, **options: torch.nn.GRU(*sizes, **options),
}


def tensor(array, **options):
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float64, **options)


class Twin:
    """The same network in PyTorch, with the weights of a problem."""

    def __init__(self, problem):
        self.problem = problem
        stack, weights = problem.network.stack, problem.network.layout.public(problem.theta)
        first = stack.layers[0]
        self.module = MODULES[problem.cell](
            first.input_size,
            first.hidden_size,
            num_layers=len(stack.layers),
            bidirectional=stack.n_directions == 2,
        ).double()
        names = dict(self.module.named_parameters())
        assert weights.keys() - names.keys() == {"weight_out", "bias_out"}
        with torch.no_grad():
            for name, parameter in names.items():
                assert parameter.shape == weights[name].shape
                parameter.copy_(tensor(weights[name]))
        self.out = {k: tensor(weights[k], requires_grad=True) for k in ("weight_out", "bias_out")}
        self.x = tensor(problem.block.x.transpose(0, 2, 1), requires_grad=True)
        states = zip(*(state for row in problem.states for state in row), strict=True)
        self.states = [tensor(np.stack(s).transpose(0, 2, 1), requires_grad=True) for s in states]

    def run(self):
        """Top states (T, B, S * H) in the sequence's time, zero in the padding, and h_n."""
        lengths = torch.tensor(self.problem.block.lengths)
        packed = torch.nn.utils.rnn.pack_padded_sequence(self.x, lengths)
        start = tuple(self.states) if len(self.states) == 2 else self.states[0]
        output, final = self.module(packed, start)
        output, _ = torch.nn.utils.rnn.pad_packed_sequence(output)
        return output, final[0] if isinstance(final, tuple) else final

    def pooled(self, how):
        """Pooled over time, (B, S * H), or all steps ("none"), (T * B, S * H)."""
        output, final = self.run()
        if how == "none":
            return output.flatten(0, 1)
        lengths = torch.tensor(self.problem.block.lengths)
        if how == "last":
            S = self.problem.network.stack.n_directions
            return torch.cat(list(final[-S:]), dim=1)
        if how == "mean":
            return output.sum(dim=0) / lengths[:, None]
        padding = torch.arange(len(output))[:, None] >= lengths
        return output.masked_fill(padding[:, :, None], -np.inf).amax(dim=0)

    def objective(self):
        problem = self.problem
        raw = self.pooled(problem.pooling) @ self.out["weight_out"].T + self.out["bias_out"]
        y, weight = tensor(problem.y.T), tensor(problem.weight)
        functional = torch.nn.functional
        if problem.loss == "squared_error":
            losses = functional.mse_loss(raw, y, reduction="none").sum(dim=1) / 2
        elif problem.loss == "absolute_error":
            losses = functional.l1_loss(raw, y, reduction="none").sum(dim=1)
        elif problem.loss == "huber":
            losses = functional.huber_loss(raw, y, reduction="none", delta=HUBER_DELTA).sum(dim=1)
        elif problem.loss == "poisson":
            losses = functional.poisson_nll_loss(raw, y, reduction="none").sum(dim=1)
        elif problem.loss == "pinball":  # PyTorch has none
            q = torch.tensor(QUANTILES, dtype=torch.float64)
            error = y[:, :, None] - raw.reshape(*y.shape, len(q))
            losses = torch.maximum(q * error, (q - 1) * error).sum(dim=(1, 2))
        elif problem.loss == "binary_log_loss":
            losses = functional.binary_cross_entropy_with_logits(raw, y, reduction="none").sum(1)
        else:
            losses = functional.cross_entropy(raw, y.argmax(dim=1), reduction="none")
        named = [*self.module.named_parameters(), *self.out.items()]
        squares = sum((w**2).sum() for name, w in named if name.startswith("weight"))
        penalty = problem.network.alpha / 2 * squares
        return raw, (losses @ weight) / problem.normalizer + penalty

    def gradients(self):
        named = [*self.module.named_parameters(), *self.out.items()]
        gradients = {name: parameter.grad.numpy() for name, parameter in named}
        return merge_biases(self.problem.cell, gradients)


def make_problem(cell, *, ragged=True, **options):
    """Seven sequences of PyTorch's own lengths, or of equal ones."""
    problem = random_problem(cell, T=10, B=7, F=3, H=4, K=3, **options)
    if not ragged:
        return problem
    block = Block(problem.block.x, np.array(LENGTHS))
    weight = problem.weight * block.real.ravel() if problem.network.per_step else problem.weight
    return replace(problem, block=block, weight=weight)


@pytest.mark.parametrize("ragged", [False, True], ids=["equal", "packed"])
@pytest.mark.parametrize("n_directions", [1, 2], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("cell", MODULES)
def test_states_are_those_of_pytorch(cell, num_layers, n_directions, ragged):
    problem = make_problem(cell, ragged=ragged, num_layers=num_layers, n_directions=n_directions)
    block = problem.block
    cells = problem.parameters.cells
    states = problem.network.stack.forward(cells, problem.workspaces(), block)
    h = np.concatenate([states[0], *(block.reverse(state) for state in states[1:])], axis=1)
    with torch.no_grad():
        output, _ = Twin(problem).run()
    assert_close(h.transpose(0, 2, 1), output.numpy())


@pytest.mark.parametrize("ragged", [False, True], ids=["equal", "packed"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "none"])
@pytest.mark.parametrize("n_directions", [1, 2], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("cell", MODULES)
def test_all_gradients_are_those_of_pytorch(cell, num_layers, n_directions, pooling, ragged):
    problem = make_problem(
        cell, ragged=ragged, num_layers=num_layers, n_directions=n_directions, pooling=pooling
    )
    workspaces = problem.workspaces(input_gradient=True)
    value, gradient = problem.loss_gradient(workspaces=workspaces)
    twin = Twin(problem)
    _, expected = twin.objective()
    expected.backward()
    assert_close(value, expected.item())
    assert_same_gradients(problem.network.layout.public(gradient), twin.gradients())

    dx = input_gradient(workspaces, problem.block)
    assert_close(dx.transpose(0, 2, 1), twin.x.grad.numpy())
    made = [state for row in state_gradients(workspaces) for state in row]
    for ours, theirs in zip(zip(*made, strict=True), twin.states, strict=True):
        assert_close(np.stack(ours).transpose(0, 2, 1), theirs.grad.numpy())


@pytest.mark.parametrize("pooling", ["last", "none"])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_are_those_of_pytorch(loss, pooling):
    problem = make_problem("gru", loss=loss, pooling=pooling, n_directions=2)
    value, gradient = problem.loss_gradient()
    raw = problem.network.raw_prediction(problem.parameters, problem.workspaces(), problem.block)
    twin = Twin(problem)
    expected_raw, expected = twin.objective()
    expected.backward()
    scored = problem.weight > 0
    assert_close(raw.T[scored], expected_raw.detach().numpy()[scored])
    assert_close(value, expected.item())
    assert_same_gradients(problem.network.layout.public(gradient), twin.gradients())


def test_a_long_sequence():
    problem = random_problem("lstm", T=200, B=2, num_layers=2)
    value, gradient = problem.loss_gradient()
    twin = Twin(problem)
    _, expected = twin.objective()
    expected.backward()
    assert_close(value, expected.item())
    assert_same_gradients(problem.network.layout.public(gradient), twin.gradients())


# --- Optimizers -----------------------------------------------------------------------------------


def gradients_of(n_steps=20, size=7):
    return np.random.default_rng(0).normal(size=(n_steps, size))


def torch_updates(make, before_step=lambda optimizer, t: None):
    """The parameter after each of the updates by PyTorch's optimizer."""
    parameter = torch.nn.Parameter(torch.ones(7, dtype=torch.float64))
    optimizer = make([parameter])
    for t, gradient in enumerate(gradients_of(), start=1):
        before_step(optimizer, t)
        parameter.grad = tensor(gradient)
        optimizer.step()
        yield parameter.detach().numpy().copy()


def rescale_epsilon(optimizer, t, epsilon, beta_2):
    """Ours adds epsilon to sqrt(v), PyTorch to sqrt(v / (1 - beta_2^t)): another unit of it."""
    optimizer.param_groups[0]["eps"] = epsilon / np.sqrt(1 - beta_2**t)


def our_updates(optimizer):
    theta = np.ones(7)
    for gradient in gradients_of():
        optimizer.step(theta, gradient)
        yield theta.copy()


@pytest.mark.parametrize("epsilon", [0.0, 1e-8, 1e-2])
def test_adam_is_that_of_pytorch(epsilon):

    def make(parameters):
        return torch.optim.Adam(parameters, lr=0.03, betas=(0.8, 0.99))

    def before_step(optimizer, t):
        rescale_epsilon(optimizer, t, epsilon, 0.99)

    ours = our_updates(Adam(np.ones(7), 0.03, 0.8, 0.99, epsilon))
    for theta, expected in zip(ours, torch_updates(make, before_step), strict=True):
        assert_close(theta, expected)


def test_adam_with_the_same_small_epsilon_is_that_of_pytorch_for_all_that_can_be_seen():
    def make(parameters):
        return torch.optim.Adam(parameters, lr=0.03, eps=1e-8)

    ours = our_updates(Adam(np.ones(7), 0.03, 0.9, 0.999, 1e-8))
    for theta, expected in zip(ours, torch_updates(make), strict=True):
        assert_close(theta, expected, 1e-6)


@pytest.mark.parametrize(
    ("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True), (0.5, True)]
)
def test_sgd_is_that_of_pytorch(momentum, nesterov):
    """PyTorch keeps b = momentum b + g and takes the rate out of it; ours is v = -rate b."""

    def make(parameters):
        return torch.optim.SGD(parameters, lr=0.05, momentum=momentum, nesterov=nesterov)

    ours = our_updates(SGD(np.ones(7), 0.05, momentum, nesterov))
    for theta, expected in zip(ours, torch_updates(make), strict=True):
        assert_close(theta, expected)


@pytest.mark.parametrize("limit", [1e-3, 0.1, 1.0, 100.0])
def test_clipping_is_that_of_pytorch(limit):
    """PyTorch adds 1e-6 to the norm that it divides by; here the two must agree up to that."""
    seen = []

    class Spy(SGD):
        def step(self, theta, gradient):
            seen.append(gradient.copy())

    options = dict(max_iter=1, batch_size=3, shuffle=False)
    for max_grad_norm in (None, limit):
        optimizer = Spy(np.empty(0), 0.1, 0.0, False)
        make_trainer(
            make_data(n=12), optimizer=optimizer, max_grad_norm=max_grad_norm, **options
        ).train()
    for before, after in zip(seen[:4], seen[4:], strict=True):
        parameter = torch.nn.Parameter(torch.zeros(len(before), dtype=torch.float64))
        parameter.grad = tensor(before)
        norm = torch.nn.utils.clip_grad_norm_([parameter], limit).item()
        scale = (norm + 1e-6) / norm if norm > limit else 1.0
        assert_close(after, parameter.grad.numpy() * scale)


@pytest.mark.parametrize("cell", MODULES)
def test_training_is_that_of_pytorch(cell):
    """Twenty updates by Adam with clipped gradients: the trainer's against PyTorch's loop."""
    data = make_data(n=6, longest=5, ragged=False)
    problem = random_problem(cell, T=5, B=6, K=1, alpha=0.0, num_layers=2)
    problem = replace(
        problem,
        block=Block(data.values.reshape(6, 5, 2).transpose(1, 2, 0), data.lengths),
        y=data.y.T,
        weight=data.weight,
        normalizer=data.weight.sum(),
        states=[[tuple(0 * s for s in state) for state in row] for row in problem.states],
    )
    result = make_trainer(
        data,
        problem.network,
        problem.theta,
        Adam(problem.theta, 0.02, 0.9, 0.999, 1e-8),
        batch_size=6,
        max_iter=20,
        max_grad_norm=0.3,
    ).train()

    twin = Twin(problem)
    named = dict(twin.module.named_parameters())
    parameters = [*named.values(), *twin.out.values()]
    optimizer = torch.optim.Adam(parameters, lr=0.02)
    losses = []
    for t in range(1, 21):
        rescale_epsilon(optimizer, t, 1e-8, 0.999)
        optimizer.zero_grad()
        _, loss = twin.objective()
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():  # two biases of one gate would move their sum twice as far
            for name, gradient in twin.gradients().items():
                if name.startswith("bias_hh"):
                    named[name].grad.copy_(tensor(gradient))
        norm = np.sqrt(sum((parameter.grad**2).sum().item() for parameter in parameters))
        for parameter in parameters:
            parameter.grad *= min(1, 0.3 / norm)
        optimizer.step()
    assert losses[-1] < 0.9 * losses[0]
    assert_close([epoch.loss for epoch in result.last.history], losses, 1e-10)
