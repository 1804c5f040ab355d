"""Read the parts of PyTorch modules, and refuse those that no estimator can represent."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_rnn._registry import ESTIMATORS, Pair
from sklearn_rnn.interop._description import Arrays, Dense
from sklearn_rnn.interop._torch_model import layered_recurrence

# What to do with a module that cannot be read.
GIVE_PARTS = "give an nn.RNN, nn.LSTM or nn.GRU and an nn.Linear: from_torch(net.lstm, net.linear)"


def split_parts(module: Any, readout: Any, embedding: Any) -> tuple[Any, Any, Any]:
    """Return embedding (or None), recurrent module and readout, checked for their types."""
    from torch import nn

    if isinstance(module, nn.Sequential | nn.ModuleList | list | tuple):
        if readout is not None or embedding is not None:
            raise ValueError("module holds all parts already: give no readout and no embedding.")
        parts = list(module)
        if parts and isinstance(parts[0], nn.Embedding):
            embedding = parts.pop(0)
        if not parts:
            raise ValueError(f"module holds no recurrent layers: {GIVE_PARTS}.")
        module, rest = parts[0], parts[1:]
        readout = rest[0] if len(rest) == 1 else nn.Sequential(*rest)
    _check_recurrent(module)
    if readout is None:
        raise ValueError("readout is missing: the nn.Linear that makes outputs of the states.")
    if embedding is not None and not isinstance(embedding, nn.Embedding):
        raise TypeError(f"embedding must be an nn.Embedding, got {_name(embedding)}.")
    return embedding, module, readout


def _check_recurrent(module: Any) -> None:
    from torch import nn

    if isinstance(module, nn.RNNCellBase):
        raise TypeError(
            f"{_name(module)} is a single step, without layers and directions: load its weights "
            f"into an nn.{_name(module).removesuffix('Cell')} of one layer."
        )
    pair_of(module)
    if getattr(module, "proj_size", 0):
        raise ValueError(
            f"proj_size={module.proj_size}: states that are projected before they go round have "
            "no counterpart among the estimators."
        )


def pair_of(module: Any) -> Pair:
    """Return the estimators whose cell has the equations of a recurrent module.

    Raises TypeError if there are none.
    """
    from torch import nn

    for pair in ESTIMATORS:
        name = pair.cell.torch_module
        if name is not None and isinstance(module, getattr(nn, name)):
            return pair
    raise TypeError(
        f"{_name(module)} has no counterpart among the estimators, or is code that cannot be "
        f"read: {GIVE_PARTS}."
    )


def recurrent_weights(module: Any) -> tuple[Arrays, dict[str, Any]]:
    """Return the weights of an nn.RNN, nn.LSTM or nn.GRU by name, and the estimator's parameters.

    Without biases, these are zeros.
    """
    _refuse_stale_weights(module)
    # By name, not by parameter: a module with parametrizations such as weight_norm has others.
    suffixes = ("", "_reverse") if module.bidirectional else ("",)
    ends = [f"_l{k}{suffix}" for k in range(module.num_layers) for suffix in suffixes]
    kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if module.bias else [])]
    weights = {kind + end: to_array(getattr(module, kind + end)) for end in ends for kind in kinds}
    for name in [name for name in weights if name.startswith("weight_hh")]:
        for bias in ("bias_ih", "bias_hh"):
            zeros = np.zeros(len(weights[name]), weights[name].dtype)
            weights.setdefault(name.replace("weight_hh", bias), zeros)
    params = {
        "hidden_size": module.hidden_size,
        "num_layers": module.num_layers,
        "bidirectional": module.bidirectional,
    }
    params |= {name: getattr(module, name) for name in pair_of(module).cell.torch_arguments}
    return weights, params


def _refuse_stale_weights(module: Any) -> None:
    """Refuse PyTorch's old weight_norm and spectral_norm, which set weights only when called."""
    for name, _ in module.named_parameters():
        if name.endswith(("_g", "_v", "_orig")):
            weight = name.rpartition("_")[0]
            raise ValueError(
                f"{_name(module)} has the parameter {name!r} of torch.nn.utils.weight_norm or the "
                f"like, so that its {weight!r} may be out of date: call "
                f"torch.nn.utils.remove_weight_norm(module, {weight!r}) first, or use "
                "torch.nn.utils.parametrizations, which can be read as they are."
            )


def dense_layers(readout: Any) -> list[Dense]:
    """Return weight and bias of an nn.Linear, or of several in an nn.Sequential with relu between.

    Raises TypeError for anything else.
    """
    from torch import nn

    parts = list(readout) if isinstance(readout, nn.Sequential) else [readout]
    parts = [part for part in parts if not isinstance(part, nn.Dropout | nn.Identity)]
    kinds = [nn.ReLU if k % 2 else nn.Linear for k in range(len(parts))]
    fits = all(isinstance(part, kind) for part, kind in zip(parts, kinds, strict=True))
    if not fits or len(parts) % 2 == 0:
        raise TypeError(
            f"readout is {readout!r}: an estimator has an nn.Linear, or several with nn.ReLU "
            "between them. Leave a last softmax or sigmoid away: estimators have their own."
        )
    return [_dense(part) for part in parts[::2]]


def _dense(linear: Any) -> Dense:
    _refuse_stale_weights(linear)
    weight = to_array(linear.weight)
    bias = np.zeros(len(weight), weight.dtype) if linear.bias is None else to_array(linear.bias)
    return weight, bias


def embedding_vectors(embedding: Any, n_tokens: int) -> np.ndarray:
    """Return E (V, D), without a last row that stands for all other tokens.

    Raises ValueError if there are not as many rows as tokens, or that row is not the mean of them.
    """
    if embedding.max_norm is not None:
        raise ValueError(
            f"max_norm={embedding.max_norm} of the embedding changes its rows when they are read: "
            "set it to None, after embedding.weight.renorm_."
        )
    rows = to_array(embedding.weight)
    if len(rows) == n_tokens + 1:
        return _without_unknown(rows)
    if len(rows) != n_tokens:
        raise ValueError(f"the embedding has {len(rows)} rows, but vocabulary {n_tokens} tokens.")
    return rows


def _without_unknown(rows: np.ndarray) -> np.ndarray:
    E, unknown = rows[:-1], rows[-1]
    if not np.allclose(unknown, E.mean(axis=0), rtol=0, atol=np.finfo(E.dtype).eps * abs(E).max()):
        raise ValueError(
            "the last row of the embedding stands for tokens that are not in the vocabulary, but "
            "is not the mean of the others, as which estimators read them. If that is what you "
            "want: module.embedding.weight.data[-1] = module.embedding.weight.data[:-1].mean(0)."
        )
    return E


def model_weights(model: Any) -> Arrays:
    """Return the weights of a RecurrentModel by their names in an estimator's `weights_`."""
    weights = _recurrence_weights(model.recurrence)
    head = dense_layers(model.head)
    for k, (weight, bias) in enumerate(head):
        name = "out" if k == len(head) - 1 else f"head_{k}"
        weights |= {f"weight_{name}": weight, f"bias_{name}": bias}
    if model.attention is not None:
        weights["weight_attention"] = to_array(model.attention)
    if model.embedding is not None:
        weights["weight_embedding"] = _without_unknown(to_array(model.embedding.weight))
    return weights


def _recurrence_weights(recurrence: Any) -> Arrays:
    if not isinstance(recurrence, layered_recurrence()):
        return recurrent_weights(recurrence)[0]
    weights: Arrays = {}
    parts = zip(recurrence.layers, recurrence.norms, recurrence.starts, strict=True)
    for k, (layer, norms, starts) in enumerate(parts):
        for name, array in recurrent_weights(layer)[0].items():
            weights[name.replace("_l0", f"_l{k}")] = array
        suffixes = f"_l{k}", f"_l{k}_reverse"
        for norm, suffix in zip(norms, suffixes, strict=False):
            weights[f"norm_weight{suffix}"] = to_array(norm.weight)
            weights[f"norm_bias{suffix}"] = to_array(norm.bias)
        for name, start in zip(("h_0", "c_0"), starts, strict=False):
            for state, suffix in zip(to_array(start), suffixes, strict=False):
                weights[f"{name}{suffix}"] = state
    return weights


def to_array(tensor: Any) -> np.ndarray:
    """Return a copy of a tensor of float32 or float64, on whatever device."""
    array = tensor.detach().cpu()
    if str(array.dtype) not in ("torch.float32", "torch.float64"):
        raise TypeError(
            f"the module is in {array.dtype}; estimators compute in float32 or float64: call "
            "module.float() first."
        )
    return np.array(array.numpy())


def _name(module: Any) -> str:
    return type(module).__name__
