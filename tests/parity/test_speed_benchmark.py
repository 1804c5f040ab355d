"""The speed benchmark runs, at its smallest setting; how fast it is, is no test's business."""

import json
from typing import ClassVar

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("skorch")

import sklearn_rnn
from tests.benchmarks.speed import jobs, limit, slower
from tests.benchmarks.speed.growth import exponent
from tests.benchmarks.speed.ours import CoreStep, CoreStepInParts
from tests.benchmarks.speed.publish import TABLES, main
from tests.benchmarks.speed.settings import CELLS
from tests.benchmarks.speed.timing import summarize
from tests.helpers import unset_forced

MEASURED = (
    set(TABLES) if hasattr(sklearn_rnn.LSTMClassifier, "step_proba") else set(TABLES) - {"step"}
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Where one run of all tables has left its files."""
    folder = tmp_path_factory.mktemp("speed")
    with pytest.MonkeyPatch.context() as patch:
        unset_forced(patch)
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
        assert tables[name]["machine"]["kernel"] in text
        assert f"{tables[name]['date']}, 1 round, " in text
        rows = tables[name]["rows"]
        cells = {"search": CELLS[:2], "update": CELLS[:1]}.get(name, CELLS)
        assert {row["cell"] for row in rows} == set(cells)
        for row in rows:
            differences = {row.pop("seconds_to_start", 0), row.pop("rest_ms", 0)}
            assert min(differences) >= 0
            assert min(figures(row)) > 0


def test_markdown_and_plots_from_json_alone(files, tmp_path, monkeypatch):
    unset_forced(monkeypatch)
    (tmp_path / "speed.json").write_bytes((files / "speed.json").read_bytes())
    main(["--tables", *options(tmp_path)])
    again = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert len(again) == 4  # JSON, Markdown, two plots
    for path in again[1:]:
        assert (tmp_path / path).read_bytes() == (files / path).read_bytes()


def test_ratios_have_ranges_that_hold_them(files):
    tables = json.loads((files / "speed.json").read_text())["tables"]
    for name in ("core", "fit", "skorch", "ragged", "predict", "step"):
        for row in tables.get(name, {"rows": []})["rows"]:
            for key in ("per_core", "per_machine"):
                low, high = row[f"{key}_range"]
                assert low <= row[key] <= high


def test_every_ratio_below_one_is_listed(files):
    tables = json.loads((files / "speed.json").read_text())["tables"]
    found = list(slower.ratios(tables))
    below = sum(ratio < 1 for *_, ratio, _ in found)
    text = (files / "speed.md").read_text()
    assert f"{below} of the {len(found)} ratios of these tables are below 1" in text
    part = text.partition(f"## {slower.TITLE}\n")[2].partition("\n## ")[0]
    assert part.count(" every round |") + part.count(" some rounds |") == below


def test_where_pytorch_is_faster():
    def row(cell, core, machine):
        return {
            "cell": cell,
            "sizes": (1, 8),
            "per_core": core[1],
            "per_core_range": [core[0], core[2]],
            "per_machine": machine[1],
            "per_machine_range": [machine[0], machine[2]],
        }

    rows = [row("LSTM", (0.7, 0.8, 0.9), (0.9, 0.95, 1.1)), row("GRU", (0.9, 1.2, 2), (2, 2, 2))]
    text = slower.markdown({"fit": {"rows": rows}}, {"fit": "An epoch"})
    assert "2 of the 4 ratios of these tables are below 1" in text
    assert "1 more are not below 1 in the median" in text
    assert "| An epoch | LSTM | 1, 8 | one each | 0.80 (0.70 to 0.90) | every round |" in text
    assert "| An epoch | LSTM | 1, 8 | all | 0.95 (0.90 to 1.10) | some rounds |" in text
    assert "GRU" not in text
    assert slower.markdown({}, {}) == ""


def test_theirs_is_the_better_of_one_thread_and_all():
    ours_1, theirs_1, ours_all, theirs_all = [2, 2, 4], [4, 2, 12], [1, 1, 2], [4, 4, 20]
    result = summarize(np.array([ours_1, theirs_1, ours_all, theirs_all], float).T)
    assert result["per_core"] == 2
    assert result["per_core_range"] == [1, 3]
    assert result["per_machine"] == 4
    assert result["per_machine_range"] == [2, 6]
    theirs_all = [1, 2, 3]
    result = summarize(np.array([ours_1, theirs_1, ours_all, theirs_all], float).T)
    assert result["per_machine"] == 1.5
    assert result["per_machine_range"] == [1, 2]


@pytest.mark.parametrize("name", ["OPENBLAS_CORETYPE", "OMP_WAIT_POLICY"])
def test_figures_of_a_forced_kernel_are_not_published(name, monkeypatch, tmp_path, capsys):
    unset_forced(monkeypatch)
    monkeypatch.setenv(name, "anything")
    for option in ("--json", "--markdown", "--plot"):
        with pytest.raises(SystemExit):
            main(["--smallest", "--tables", "memory", option, str(tmp_path / "file")])
        assert f"not published: {name} is set" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    main(["--smallest", "--tables", "memory"])
    assert f"kernels, forced by {name}." in capsys.readouterr().out


def test_figures_without_a_kernel_are_refused(monkeypatch, tmp_path, capsys):
    unset_forced(monkeypatch)
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"tables": {"core": {"date": "2020-01-01", "rows": []}}}))
    with pytest.raises(SystemExit):
        main(["--tables", "--json", str(path)])
    assert "does not say with which kernel core was measured" in capsys.readouterr().err


class Recorded(np.ndarray):
    """An array that notes the shapes of the products in which it stands on the left."""

    calls: ClassVar[list] = []

    def dot(self, right, out=None):
        self.calls.append((*self.shape, right.shape[1]))
        return self.view(np.ndarray).dot(right, out)


@pytest.mark.parametrize("cell", CELLS)
def test_products_are_those_of_the_core(cell, monkeypatch):
    sizes = 3, 5, 300, 7  # chunks of 2, 2, 2 and 1 step
    step = CoreStep(cell, *sizes)
    step()  # allocates the buffers of the gathered errors
    step.parameters["W"] = step.parameters["W"].view(Recorded)
    step.ws._transposed = [buffer.view(Recorded) for buffer in step.ws._transposed]
    calls, matmul = [], np.matmul
    monkeypatch.setattr(Recorded, "calls", calls)

    def stack_of_products(left, right, out):
        calls.extend((*left.shape, matrix.shape[1]) for matrix in right)
        return matmul(left, right, out)

    monkeypatch.setattr(np, "matmul", stack_of_products)
    step()
    listed = limit.products(cell, *sizes)
    assert sorted(calls) == sorted(product[:3] for product in listed for _ in range(product.calls))


@pytest.mark.parametrize("has_threads", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_parts_give_the_gradients_of_the_whole(cell, has_threads):
    sizes = 3, 5, 7, 4
    whole, cut = CoreStep(cell, *sizes), CoreStepInParts(cell, *sizes, 3, has_threads)
    begin = 0
    for part in cut.parts:
        end = begin + part.ws.n_columns
        part.ws.x[...] = whole.ws.x[:, :, begin:end]
        part.error = np.ascontiguousarray(whole.error[:, begin:end])
        begin = end
    whole()
    cut()
    for name, gradient in whole.gradients.items():
        np.testing.assert_allclose(cut.parts[0].gradients[name], gradient, atol=1e-5)


def test_a_prediction_is_the_busiest_process_and_all_that_is_not_shared():
    seconds = dict(part=10.0, total=1.0, rest=2.0, messages={2: 0.1, 4: 0.2})
    predicted = [jobs.predict(cores, 4, **seconds) for cores in (1, 2, 3, 4, 16)]
    assert predicted == [45, 25.1, 25.1, 15.2, 15.2]
    assert [jobs.predict_theirs(cores, 10.0, 6.0) for cores in (1, 2, 4)] == [10, 6, 4]


def test_exponent_is_that_of_the_larger_half():
    values = [1, 2, 4, 8, 16, 32]
    assert exponent(values, [9, 9, 9, *(3 * v**2 for v in values[3:])]) == pytest.approx(2)
