"""interop where PyTorch, onnx and skl2onnx are absent; where they are there, see tests/parity."""

import subprocess
import sys

import pytest

from sklearn_rnn import GRUClassifier
from sklearn_rnn.interop import from_torch, register_skl2onnx, to_onnx, to_torch
from tests.helpers import fit_tiny

CALLS = {
    "to_torch": (lambda: to_torch(fit_tiny(GRUClassifier)), "torch", "torch"),
    "from_torch": (lambda: from_torch(None), "torch", "torch"),
    "to_onnx": (lambda: to_onnx(fit_tiny(GRUClassifier)), "onnx", "onnx"),
    "register_skl2onnx": (register_skl2onnx, "skl2onnx", "onnx"),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_is_absent_is_named_with_its_extra(name, monkeypatch):
    call, package, extra = CALLS[name]
    monkeypatch.setitem(sys.modules, package, None)
    message = rf'{name} needs {package}, .* pip install "sklearn-rnn\[{extra}\]"'
    with pytest.raises(ImportError, match=message):
        call()


def test_importing_it_imports_none_of_them():
    code = (
        "import sys, sklearn_rnn.interop; "
        "print({'torch', 'onnx', 'onnxruntime', 'skl2onnx'} & set(sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.strip() == "set()"
