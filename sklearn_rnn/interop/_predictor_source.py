"""Write the source of an exported predictor from the functions that its model needs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from inspect import getsource
from textwrap import fill, indent

import numpy as np

from sklearn_rnn._estimators.fitted import FittedModel
from sklearn_rnn._version import __version__
from sklearn_rnn.interop import _predictor_pieces as pieces
from sklearn_rnn.interop._description import exported_pooling, no_counterpart

_WHOLE, _STREAMS = ("transform", "predict", "predict_proba"), ("step", "step_proba")


class Predictor:
    """What a module says of one fitted estimator.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    """

    def __init__(self, estimator: FittedModel) -> None:
        self.estimator, self.fitted = estimator, estimator._architecture_
        self.dtype = estimator._theta_.dtype
        self.both = self.fitted["bidirectional"]
        self.per_step = self.fitted["return_sequences"]
        self.network = estimator._make_network()
        self.cell = self.network.stack.layers[0]
        self.pooling = exported_pooling(self.fitted["pooling"], self.network, "exported predictors")
        self.classifies = hasattr(estimator, "classes_")

    # ---- the weights ----

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what the module reads from its file."""
        arrays = {
            name: array
            for name, array in self.estimator.weights_.items()
            if not name.startswith("bias_hh") or self.cell.second_biases
        }
        if self.estimator._reads_tokens:
            arrays["vocabulary"] = self.estimator.vocabulary_
        if self.classifies and self.kind != "multilabel":
            classes = self.estimator.classes_
            arrays["classes"] = np.array(classes.tolist()) if classes.dtype == object else classes
        return arrays

    @property
    def kind(self) -> str:
        """The kind of targets that a classifier has learned."""
        return str(self.estimator._target_kind_)

    # ---- the module ----

    def source(self, name: str, checksum: str) -> str:
        """Return the module's source.

        Parameters
        ----------
        name : str
            The module's name.
        checksum : str
            That of its weights, which their file names, too.
        """
        roles = dict(self.roles())
        public = [role for role in _WHOLE + _STREAMS if role in roles]
        needed = _reachable(public, roles)
        functions = [source for role, source in roles.items() if role in needed]
        body = "\n\n\n".join(functions)
        head = _HEAD.format(docstring=self.docstring(name, public), checksum=checksum)
        used = _names(body)
        constants = [f"{name} = {value}" for name, value in self.constants() if name in used]
        return "\n".join([head, *constants]) + "\n\n\n" + body + "\n"

    def constants(self) -> Iterator[tuple[str, str]]:
        """Yield all names that pieces may want, and their values as source."""
        fitted = self.fitted
        yield "DTYPE", f"np.{self.dtype}"
        yield "N_FEATURES", str(fitted["input_size"])
        yield "N_STEPS", str(self.estimator.n_features_in_ // fitted["input_size"])
        yield "N_LAYERS", str(fitted["num_layers"])
        yield "HIDDEN_SIZE", str(fitted["hidden_size"])
        yield "POOLED_SIZE", str(self.estimator._n_features_out)
        yield "N_DENSE", str(len(fitted["head_sizes"]))
        if self.classifies:
            as_object = ".astype(object)" if self.estimator.classes_.dtype == object else ""
            yield "CLASSES", f'W["classes"]{as_object}'
        else:
            yield "N_QUANTILES", str(self.network.loss.n_outputs)
        yield "CODES", '{token: code for code, token in enumerate(W["vocabulary"].tolist())}'
        yield (
            "VECTORS",
            'np.vstack([W["weight_embedding"], W["weight_embedding"].mean(axis=0)])',
        )

    def roles(self) -> Iterator[tuple[str, str]]:
        """Yield the functions that this model may need, each after those that it calls."""
        reading = "tokens" if self.estimator._reads_tokens else "numbers"
        yield _piece("embed")
        yield _piece("read", "rows" if self.reads_rows and reading == "numbers" else reading)
        yield _piece("read_step", reading)
        yield _piece("sigmoid")
        yield _piece("cell", self.cell_variant())
        learned = "learned_" if self.fitted["learn_initial_state"] else ""
        yield _piece("start", learned + self.cell.states)
        yield _piece("run")
        yield _piece("normalise")
        yield "hidden_states", self.hidden_states()
        if self.pooling is not None:
            paired = f"{self.pooling}_both"  # where two directions need more than one
            is_paired = self.both and hasattr(pieces, f"pool__{paired}")
            yield _piece("pool", paired if is_paired else self.pooling)
        yield _piece("readout", "head" if self.fitted["head_sizes"] else "linear")
        yield _piece("answer", self.answer())
        if self.classifies:
            yield _piece("probability", self.probability())
        over_time = "each_step" if self.per_step else "pooled"
        yield _piece("transform", over_time)
        yield _piece("predict", over_time)
        if self.classifies:
            yield _piece("predict_proba", over_time)
        if not self.both:
            yield "advance_layers", self.advance_layers()
            yield _piece("advance", self.pooling or "last")
            yield _piece("step")
            if self.classifies:
                yield _piece("step_proba")

    def cell_variant(self) -> str:
        """Return the variant of the cell; raise ValueError if no piece has its equations."""
        if self.cell.predictor_variant is None:
            raise no_counterpart(f"The cell {type(self.cell).__name__}", "exported predictors")
        return self.cell.predictor_variant

    @property
    def reads_rows(self) -> bool:
        """Whether sequences come flattened, as the rows of a table."""
        return bool(self.estimator._input_kind_ == "flat")

    def answer(self) -> str:
        """Return the variant of the code that turns raw predictions into predictions."""
        if self.classifies:
            return self.probability()
        n_quantiles = self.network.loss.n_outputs
        n_outputs = self.fitted["n_outputs"] // n_quantiles
        if n_quantiles > 1:
            return "quantiles" if n_outputs == 1 else "quantiles_of_several"
        if self.network.loss.out_activation == "exp":
            return "count" if n_outputs == 1 else "counts"
        return "one" if n_outputs == 1 else "several"

    def probability(self) -> str:
        """Return the variant of the code that turns raw predictions into probabilities."""
        return "multiclass" if self.kind == "single" else self.kind

    def hidden_states(self) -> str:
        """Return the source of the run through all layers and directions."""
        body = self.both_ways() if self.both else self.handing_on("run(x, at)")
        return _function(
            "hidden_states(x)",
            '"""Return what the top layer hands on (n, T, S H), for x (n, T, F)."""',
            "for layer in range(N_LAYERS):",
            *_indented(['at = f"_l{layer}"', *body]),
            "return x",
        )

    def advance_layers(self) -> str:
        """Return the source of one step through all layers."""
        body = [
            'at = f"_l{layer}"',
            "state = cell(x, state, at)",
            "after.append(state)",
            *self.handing_on("state[0]"),
        ]
        return _function(
            "advance_layers(x, states)",
            '"""Return what the top layer hands on, and all states, after one more step."""',
            "after = []",
            "for layer, state in enumerate(states):",
            *_indented(body),
            "return x, after",
        )

    def handing_on(self, states: str) -> list[str]:
        """Return the lines that make what a layer hands on, x, of its states and the x before."""
        if self.is_residual:
            lines, handed_on = [f"h = {states}"], "h + x if layer > 0 else h"
        else:
            lines, handed_on = [], states
        return [*lines, f"x = {f'normalise({handed_on}, at)' if self.is_normalised else handed_on}"]

    def both_ways(self) -> list[str]:
        """Return the lines that do so for two directions, by the clock of the sequence."""
        lines = ["forward = run(x, at)", 'reverse = run(x[:, ::-1], at + "_reverse")[:, ::-1]']
        if self.is_residual:
            lines += [
                "if layer > 0:",
                "    forward = forward + x[:, :, :HIDDEN_SIZE]",
                "    reverse = reverse + x[:, :, HIDDEN_SIZE:]",
            ]
        if self.is_normalised:
            lines += [
                "forward = normalise(forward, at)",
                'reverse = normalise(reverse, at + "_reverse")',
            ]
        return [*lines, "x = np.concatenate([forward, reverse], axis=2)"]

    @property
    def is_normalised(self) -> bool:
        """Whether a layer's outputs are normalised."""
        return bool(self.fitted["layer_norm"])

    @property
    def is_residual(self) -> bool:
        """Whether a layer has another below, to which its states are added."""
        return bool(self.fitted["residual"] and self.fitted["num_layers"] > 1)

    # ---- what it says of itself ----

    def docstring(self, name: str, public: list[str]) -> str:
        """Return the module's docstring."""
        paragraphs = [
            f"The model: {'; '.join(self.way())}.",
            f"{_and(n for n in public if n in _WHOLE)} take {self.inputs()}.",
            *self.streams(public),
            f"The weights are in {name}.npz, in this directory, under PyTorch's names.",
            "Shapes: n sequences, T steps, F inputs, H hidden, S directions, K outputs; where it "
            'says "...", n, or n and T, or in a step of one stream nothing.',
        ]
        kind = type(self.estimator).__name__
        title = f"{kind} in NumPy alone, written by sklearn_rnn {__version__}."
        return "\n\n".join([title, *(fill(paragraph, 80) for paragraph in paragraphs)])

    def streams(self, public: list[str]) -> Iterator[str]:
        """Yield what is to be said of single steps, if there are any."""
        if names := [name for name in public if name in _STREAMS]:
            one = "a token" if self.estimator._reads_tokens else "the numbers (F,)"
            many = "a list of them" if self.estimator._reads_tokens else "(n, F)"
            yield (
                f"{_and(names)} go on step by step: {one} of one stream, or {many} of several, and "
                "the state that the call before returned."
            )

    def way(self) -> Iterator[str]:
        """Yield the stations between inputs and outputs."""
        fitted, cell = self.fitted, type(self.cell).__name__.removesuffix("Cell")
        n_layers, sizes = fitted["num_layers"], fitted["head_sizes"]
        if self.estimator._reads_tokens:
            yield f"{len(self.estimator.vocabulary_)} tokens as {fitted['embedding_size']} numbers"
        yield ", ".join(
            [f"{n_layers} layer{'s' * (n_layers > 1)} of {fitted['hidden_size']} {cell} units"]
            + ["in both directions"] * self.both
            + ["with residual connections"] * self.is_residual
            + ["normalised"] * self.is_normalised
            + ["from a learned state on"] * bool(fitted["learn_initial_state"])
        )
        yield "every step" if self.per_step else self.network.readout.pooling.description
        if sizes:
            yield f"dense layers of {', '.join(map(str, sizes))} units"
        yield f"{fitted['n_outputs']} output{'s' * (fitted['n_outputs'] > 1)}"

    def inputs(self) -> str:
        """Return what the public functions take."""
        size = self.fitted["input_size"]
        if self.estimator._reads_tokens:
            return "strings, or lists of tokens"
        if self.reads_rows:
            return f"rows of {self.estimator.n_features_in_} numbers, each a sequence"
        return f"a list of (T_i, {size}) arrays, or one array (n, T, {size})"


_HEAD = '''"""{docstring}
"""

from pathlib import Path

import numpy as np

# The weights by name, layer and direction: "weight_ih_l0", "weight_ih_l0_reverse".
with np.load(Path(__file__).with_suffix(".npz")) as file:
    W = dict(file)
CHECKSUM = "{checksum}"
if str(W.pop("checksum", "none")) != CHECKSUM:
    raise ValueError(
        f"the weights beside {{__file__}} are those of another export: export the model "
        "again, or copy both files again"
    )
'''


def _and(names: Iterable[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _piece(role: str, variant: str = "") -> tuple[str, str]:
    """Return a role and the source of its function, under the name of the role."""
    name = f"{role}__{variant}" if variant else role
    return role, getsource(getattr(pieces, name)).replace(name, role).rstrip()


def _reachable(names: list[str], roles: dict[str, str]) -> set[str]:
    """Return the roles that these, and all that they call, need."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in roles and name not in found:
            found.add(name)
            waiting += _names(roles[name])
    return found


def _names(source: str) -> set[str]:
    """Return all names in a source."""
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def _function(signature: str, *lines: str) -> str:
    return "\n".join([f"def {signature}:", *_indented(list(lines))])


def _indented(lines: list[str]) -> list[str]:
    return [indent(line, "    ") for line in lines]
