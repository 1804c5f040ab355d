"""PyTorch's autograd says the same of gradients by inputs, and of dL/dh at every step."""

import numpy as np
import pytest
from sklearn.base import is_classifier

from tests.helpers import SIX, fit_tiny, make_sequences, make_targets

torch = pytest.importorskip("torch")

CELLS = {"RNN": torch.nn.RNNCell, "LSTM": torch.nn.LSTMCell, "GRU": torch.nn.GRUCell}


class Twin:
    """A fitted estimator in PyTorch, cell by cell, so that every h_t keeps its gradient."""

    def __init__(self, model):
        self.model = model
        weights = {name: torch.tensor(w, dtype=torch.float64) for name, w in model.weights_.items()}
        kind = next(kind for kind in CELLS if type(model).__name__.startswith(kind))
        self.out = weights["weight_out"], weights["bias_out"]
        self.cells = []
        for layer in range(model.num_layers):
            row = []
            for end in ("", "_reverse")[: 1 + model.bidirectional]:
                w = {name: weights[f"{name}_l{layer}{end}"] for name in NAMES}
                cell = CELLS[kind](w["weight_ih"].shape[1], model.hidden_size).double()
                with torch.no_grad():
                    for name, parameter in cell.named_parameters():
                        parameter.copy_(w[name])
                row.append(cell)
            self.cells.append(row)

    def run(self, x):
        """Prediction or log-odds of one sequence (T, F), and the states [layer][direction][t]."""
        inputs, states = list(x), []
        for row in self.cells:
            directions = []
            for d, cell in enumerate(row):
                h, steps = None, []
                for x_t in inputs[::-1] if d else inputs:
                    h = cell(x_t[None], h)
                    steps.append(h[0] if isinstance(h, tuple) else h)
                    steps[-1].retain_grad()
                directions.append(steps)
            states.append(directions)
            ordered = [steps[::-1] if d else steps for d, steps in enumerate(directions)]
            inputs = [torch.cat(steps, dim=1)[0] for steps in zip(*ordered, strict=True)]
        tops = [torch.cat(steps) for steps in states[-1]]
        summary = {
            "last": lambda h: h[-1],
            "mean": lambda h: h.mean(dim=0),
            "max": lambda h: h.amax(dim=0),
        }[self.model.pooling]
        weight, bias = self.out
        return weight @ torch.cat([summary(h) for h in tops]) + bias, states


NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
both = pytest.mark.parametrize(
    "params",
    [{}, dict(num_layers=2, bidirectional=True, pooling="mean"), dict(num_layers=3, pooling="max")],
    ids=["plain", "deep_both_ways", "deep_max"],
)


@both
@pytest.mark.parametrize("Estimator", SIX)
def test_input_gradients_are_those_of_autograd(Estimator, params):
    X = make_sequences()
    model = fit_tiny(Estimator, X, **params)
    twin, label = Twin(model), None
    if is_classifier(model):
        label = model.classes_[1]
    for x, ours in zip(X, model.input_gradients(X, label), strict=True):
        leaf = torch.tensor(x, requires_grad=True)
        raw, _ = twin.run(leaf)
        if is_classifier(model):
            log_p = torch.log_softmax(raw, dim=0)[1]
            (log_p - torch.log1p(-torch.exp(log_p))).backward()
        else:
            raw[0].backward()
        scale = leaf.grad.abs().max()
        np.testing.assert_allclose(ours, leaf.grad.numpy(), rtol=0, atol=1e-11 * scale)


@both
@pytest.mark.parametrize("Estimator", SIX)
def test_gradient_flow_is_that_of_autograd(Estimator, params):
    X = make_sequences()
    model = fit_tiny(Estimator, X, **params)
    y, twin = make_targets(model), Twin(model)
    flow = model.gradient_flow(X, y)
    for i, x in enumerate(X):
        raw, states = twin.run(torch.tensor(x))
        if is_classifier(model):
            truth = torch.tensor(list(model.classes_).index(y[i]))
            loss = torch.nn.functional.cross_entropy(raw[None], truth[None])
        else:  # in standard deviations of y
            loss = ((raw[0] - y[i]) / y.std()) ** 2 / 2
        loss.backward()
        for layer, row in enumerate(states):
            for d, steps in enumerate(row):
                norms = [float(h.grad.norm()) for h in (steps[::-1] if d else steps)]
                ours = flow.norms[f"l{layer}" + ("_reverse" if d else "")][i]
                np.testing.assert_allclose(ours, norms, rtol=1e-9, atol=1e-13)
