"""The speed benchmark runs, at its smallest setting; how fast it is, is no test's business."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("skorch")

import sklearn_rnn
from tests.benchmarks.speed import limit
from tests.benchmarks.speed.__main__ import TABLES, main
from tests.benchmarks.speed.growth import exponent
from tests.benchmarks.speed.ours import CoreStep, HalvedCoreStep
from tests.benchmarks.speed.settings import CELLS

MEASURED = (
    set(TABLES) if hasattr(sklearn_rnn.LSTMClassifier, "step_proba") else set(TABLES) - {"step"}
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Where one run of all tables has left its files."""
    folder = tmp_path_factory.mktemp("speed")
    main(["--smallest", *options(folder)])
    return folder


def options(folder):
    files = {"json": "speed.json", "markdown": "speed.md", "plot": "plots"}
    return [part for key, name in files.items() for part in (f"--{key}", str(folder / name))]


def figures(value):
    """Return all numbers of a row."""
    if isinstance(value, dict):
        value = [v for key, v in value.items() if key != "sizes" and not key.endswith("exponent")]
    if isinstance(value, list):
        return [number for item in value for number in figures(item)]
    return [value] if isinstance(value, int | float) else []


@pytest.mark.parametrize("name", TABLES)
def test_table(name, files):
    tables = json.loads((files / "speed.json").read_text())["tables"]
    text = (files / "speed.md").read_text()
    assert (name in tables) == (name in MEASURED)
    assert (f"## {TABLES[name].title}\n" in text) == (name in MEASURED)
    if name in MEASURED:
        rows = tables[name]["rows"]
        assert {row["cell"] for row in rows} == set(CELLS[:2] if name == "search" else CELLS)
        for row in rows:
            assert min(figures(row)) > 0


def test_markdown_and_plots_from_json_alone(files, tmp_path):
    (tmp_path / "speed.json").write_bytes((files / "speed.json").read_bytes())
    main(["--tables", *options(tmp_path)])
    again = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert len(again) == 4  # JSON, Markdown, two plots
    for path in again[1:]:
        assert (tmp_path / path).read_bytes() == (files / path).read_bytes()


@pytest.mark.parametrize("cell", CELLS)
def test_products_are_those_of_the_core(cell, monkeypatch):
    sizes = 3, 5, 300, 7  # chunks of 3, 3 and 1 step
    step = CoreStep(cell, *sizes)
    calls = []

    def record(function):
        def recorded(left, right, out=None):
            # A stack of products counts as so many calls.
            matrices = right if right.ndim == 3 else [right]
            calls.extend((*left.shape, matrix.shape[1]) for matrix in matrices)
            return function(left, right, out)

        return recorded

    for name in ("dot", "matmul"):
        monkeypatch.setattr(np, name, record(getattr(np, name)))
    step()
    listed = limit.products(cell, *sizes)
    assert sorted(calls) == sorted(product[:3] for product in listed for _ in range(product.calls))


@pytest.mark.parametrize("cell", CELLS)
def test_halves_give_the_gradients_of_the_whole(cell):
    sizes = 3, 5, 7, 4
    whole, halved = CoreStep(cell, *sizes), HalvedCoreStep(cell, *sizes)
    begin = 0
    for half in halved.halves:
        end = begin + half.ws.n_columns
        half.ws.x[...] = whole.ws.x[:, :, begin:end]
        half.error = np.ascontiguousarray(whole.error[:, begin:end])
        begin = end
    whole()
    halved()
    for name, gradient in whole.gradients.items():
        np.testing.assert_allclose(halved.halves[0].gradients[name], gradient, atol=1e-5)


def test_exponent_is_that_of_the_larger_half():
    values = [1, 2, 4, 8, 16, 32]
    assert exponent(values, [9, 9, 9, *(3 * v**2 for v in values[3:])]) == pytest.approx(2)
