"""The examples that need PyTorch or onnxruntime run, and print what they say."""

import doctest
import importlib
import re

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")

from tests.test_docs import ROOT, assert_page_runs

FUNCTIONS = ("from_torch", "register_skl2onnx", "to_onnx", "to_torch")


def test_page():
    assert_page_runs(ROOT / "docs" / "user_guide" / "interop.md")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstring(name):
    """What an ordinary doctest skips, since PyTorch may be absent."""
    function = getattr(importlib.import_module("sklearn_rnn.interop"), name)
    text, skipped = re.subn(r" *# doctest: \+SKIP", "", function.__doc__)
    assert skipped
    example = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    report = []
    doctest.DocTestRunner(optionflags=flags).run(example, out=report.append)
    assert not report, "".join(report)
