"""From a new process to the first prediction: an exported predictor beside what else could serve.

python -m tests.benchmarks.cold_start

The same GRU (12 features, 32 units, 9 classes), trained on Japanese vowels, answers one sequence

- as a module of `export_predictor`, which imports NumPy alone;
- as a file of `persistence.save`, which imports this package;
- in PyTorch, from a state_dict, and in onnxruntime, from an .onnx file.

Every round starts each of them once, in a process of its own with one thread. Medians of wall and
processor seconds and of the largest memory; beside them what an installation takes on the disk.
Ratios last where other processes share the machine. Then, in this process, what the module and
the estimator take once they are loaded. Needs Linux, PyTorch, onnx and onnxruntime.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from packaging.requirements import Requirement
from threadpoolctl import threadpool_limits

from sklearn_rnn import GRUClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.interop import export_predictor
from sklearn_rnn.persistence import save
from tests.benchmarks.machine import print_machine, run_unforced

ROUNDS = 15
ROOT = Path(__file__).parents[2]

READ = "import numpy as np; x = np.load('x.npy')\n"
# The largest memory so far, in kB, as Linux counts it from the start of this program on.
PEAK = "\nprint(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"
PROGRAMS = {
    "Python alone": "",
    "NumPy alone": READ,
    "export_predictor": f"{READ}import model; print(model.predict([x])[0])",
    "persistence.load": f"""{READ}
        from sklearn_rnn.persistence import load
        print(load("saved.npz").predict([x])[0])""",
    "onnxruntime": f"""{READ}
        import onnxruntime
        session = onnxruntime.InferenceSession("model.onnx")
        print(session.run(None, {{"x": x[:, None]}})[0][0])""",
    "PyTorch": f"""{READ}
        import torch
        gru, readout = torch.nn.GRU(12, 32), torch.nn.Linear(32, 9)
        state = torch.load("state.pt")
        gru.load_state_dict(state["gru"]); readout.load_state_dict(state["readout"])
        with torch.no_grad():
            h, _ = gru(torch.from_numpy(x))
            print(int(readout(h[-1]).argmax()))""",
}
NEEDS = {
    "Python alone": [],
    "NumPy alone": ["numpy"],
    "export_predictor": ["numpy"],
    "persistence.load": ["scikit-learn", "threadpoolctl"],
    "onnxruntime": ["onnxruntime"],
    "PyTorch": ["torch", "numpy"],
}


def fit():
    """Fit the model; return it with sequences that it has not seen."""
    data = load_japanese_vowels()
    return GRUClassifier(32, random_state=0).fit(data.X_train, data.y_train), data.X_test


def write_state_dict(weights, path):
    """Write what PyTorch loads."""
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    readout = {"weight": tensors.pop("weight_out"), "bias": tensors.pop("bias_out")}
    torch.save({"gru": tensors, "readout": readout}, path)


def write_onnx(weights, path):
    """Write the graph: GRU, readout of the last state, largest output."""
    H = weights["weight_hh_l0"].shape[1]
    r, z, n = (slice(k * H, (k + 1) * H) for k in range(3))

    def in_onnx_order(name):
        return np.concatenate([weights[name][rows] for rows in (z, r, n)])

    arrays = {
        "W": in_onnx_order("weight_ih_l0")[None],
        "R": in_onnx_order("weight_hh_l0")[None],
        "B": np.concatenate([in_onnx_order("bias_ih_l0"), in_onnx_order("bias_hh_l0")])[None],
        "W_out": weights["weight_out"].T,
        "b_out": weights["bias_out"],
        "axes": np.array([0]),
    }
    nodes = [
        helper.make_node(
            "GRU", ["x", "W", "R", "B"], ["", "last"], hidden_size=H, linear_before_reset=1
        ),
        helper.make_node("Squeeze", ["last", "axes"], ["h"]),
        helper.make_node("Gemm", ["h", "W_out", "b_out"], ["raw"]),
        helper.make_node("ArgMax", ["raw"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "gru",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["T", "n", 12])],
        [helper.make_tensor_value_info("label", TensorProto.INT64, ["n"])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def run(program, directory):
    """Run a program in a new process; return wall and processor seconds, MB, and answers."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(directory), str(ROOT)])
    command = [sys.executable, "-c", program + PEAK]
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True
    )
    *said, peak = process.stdout.read().split()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    assert status == 0, program
    return wall, usage.ru_utime + usage.ru_stime, int(peak) / 1e3, said


def installed_megabytes(names):
    """Return what distributions and all that they require take on the disk."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            requirements = map(Requirement, distribution(name).requires or [])
        except PackageNotFoundError:
            continue
        found.add(name)
        needed = (r for r in requirements if not r.marker or r.marker.evaluate({"extra": ""}))
        waiting += [r.name for r in needed]
    files = (file for name in found for file in distribution(name).files or [])
    return sum(path.stat().st_size for file in files if (path := file.locate()).is_file()) / 1e6


def warm_milliseconds(module, model, X):
    """Return median processor times of module and estimator: all of X, and a single step."""
    x_t = X[0][0]
    _, state = module.step(x_t)
    _, model_state = model.step(x_t)
    calls = [
        lambda: module.predict(X),
        lambda: model.predict(X),
        lambda: module.step(x_t, state),
        lambda: model.step(x_t, model_state),
    ]
    times = np.empty((ROUNDS, len(calls)))
    with threadpool_limits(1):
        for row in times:
            for k, call in enumerate(calls):
                repeats, start = (3, 1000)[k > 1], time.process_time()
                for _ in range(repeats):
                    call()
                row[k] = 1e3 * (time.process_time() - start) / repeats
    return np.median(times, axis=0)


def main():
    print_machine(("numpy", "torch", "onnxruntime", "sklearn", "sklearn_rnn"))
    model, X = fit()
    x = X[0]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        np.save(directory / "x.npy", x)
        export_predictor(model, directory / "model.py")
        save(model, directory / "saved.npz")
        write_state_dict(model.weights_, directory / "state.pt")
        write_onnx(model.weights_, directory / "model.onnx")
        programs = {k: v.replace("\n        ", "\n") for k, v in PROGRAMS.items()}
        answers = [run(program, directory)[3] for program in programs.values()]
        expected = [str(model.predict([x])[0])]
        assert answers == [[], [], *[expected] * 4], answers  # and files are in the cache now
        rounds = [[run(p, directory)[:3] for p in programs.values()] for _ in range(ROUNDS)]
        sys.path.insert(0, name)
        warm = warm_milliseconds(import_module("model"), model, X)
        sizes = {path.name: path.stat().st_size for path in directory.glob("model.*")}
    medians = np.median(rounds, axis=0)
    ours = medians[list(PROGRAMS).index("export_predictor")]
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {sizes} bytes")
    print(f"{'':17} {'wall':>7} {'ratio':>6} {'cpu':>7} {'ratio':>6} {'memory':>8} {'disk':>8}")
    for name, (wall, cpu, memory) in zip(PROGRAMS, medians, strict=True):
        print(
            f"{name:17} {wall:5.2f} s {wall / ours[0]:6.1f} {cpu:5.2f} s {cpu / ours[1]:6.1f} "
            f"{memory:5.0f} MB {installed_megabytes(NEEDS[name]):5.0f} MB"
        )
    predict, model_predict, step, model_step = warm
    print(f"{len(X)} sequences: module {predict:.1f} ms, estimator {model_predict:.1f} ms")
    print(f"one step: module {1e3 * step:.0f} µs, estimator {1e3 * model_step:.0f} µs")


if __name__ == "__main__":
    run_unforced(main)
