"""The learning benchmark runs, each task with a tiny budget; how well, test_learning asks."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from sklearn_rnn import GRUClassifier, GRURegressor
from tests.benchmarks.learning import __main__ as command
from tests.benchmarks.learning.table import markdown
from tests.benchmarks.learning.task import Fit, Forecast, Stream, accuracy
from tests.benchmarks.learning.tasks import TASKS
from tests.benchmarks.real_data import DATA, Split
from tests.helpers import unset_forced

# The data sets are no part of the package.
RUNNABLE = [name for name in TASKS if DATA.exists() or isinstance(TASKS[name], Stream)]
SEVERAL_SECONDS = ("forecast_traffic", "forecast_etth1")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in SEVERAL_SECONDS else name
        for name in RUNNABLE
    ],
)
def test_each_task_trains_a_little(name):
    figure, seconds = TASKS[name].smallest().run(seed=0)
    assert figure > 0  # infinite: not solved with so little
    assert seconds > 0


def test_a_task_has_a_bar_that_can_be_missed():
    for name, task in TASKS.items():
        if task.bar is not None:
            worse = 2 * task.bar if task.at_most else task.bar / 2
            assert task.passes(task.bar), name
            assert not task.passes(worse), name


def signs(n_samples, random_state=None):
    """Whether the last of three numbers is positive."""
    X = np.random.default_rng(random_state).normal(size=(n_samples, 3, 1)).astype(np.float32)
    return X, (X[:, -1, 0] > 0).astype(int)


def stream(budget):
    return Stream(
        title="signs",
        estimator=GRUClassifier(
            8, batch_size=32, max_iter=1, warm_start=True, early_stopping=False
        ),
        metric="updates",
        draw=signs,
        measure=lambda predicted, y: np.mean(predicted == y),
        budget=budget,
        solved=lambda accuracy: accuracy > 0.9,
    )


def test_a_stream_ends_when_it_is_solved():
    assert stream(1000).run(seed=0)[0] < 500
    impossible = replace(stream(50), solved=lambda accuracy: accuracy > 1)
    assert impossible.run(seed=0)[0] == math.inf


def test_a_fit_hands_over_validation_data():
    (X, y), (X_val, y_val), test = signs(100, 0), signs(50, 1), signs(50, 2)
    seen = {}

    class Recording(GRUClassifier):
        def fit(self, X, y, **validation):
            seen.update(validation, n=len(X))
            return super().fit(X, y, **validation)

    task = Fit(
        title="signs",
        estimator=Recording(4, max_iter=1),
        metric="accuracy",
        load=lambda: Split(X, y, *test, X_val=X_val, y_val=y_val),
        measure=accuracy,
    )
    assert 0 <= task.smallest().run(seed=0)[0] <= 1
    assert seen["n"] == 40
    assert seen["X_val"] is X_val
    assert seen["y_val"] is y_val


@pytest.fixture
def without_torch(monkeypatch):
    unset_forced(monkeypatch)
    monkeypatch.setattr(command, "HAS_TORCH", False)


TINY = ["--smallest", "--seeds", "0", "1"]


def test_the_table_without_torch(without_torch, tmp_path, capsys):
    files = ["--json", str(tmp_path / "r.json"), "--markdown", str(tmp_path / "r.md")]
    command.main(["copy_memory", "temporal_order_gru", *TINY, *files])
    report = json.loads((tmp_path / "r.json").read_text())
    text = (tmp_path / "r.md").read_text()
    assert list(report["rows"]) == [
        *(f"copy_memory_{cell}" for cell in ("lstm", "gru", "rnn")),
        "temporal_order_gru",
    ]
    for row in report["rows"].values():
        assert len(row["ours"]["figures"]) == len(row["ours"]["seconds"]) == 2
        assert row["pytorch"] is None
    assert report["rows"]["temporal_order_gru"]["ours"]["figures"] == [None, None]
    assert "PyTorch is not installed: its column is empty." in text
    assert "never (never to never)" in text
    assert "**missed**" in text
    assert text in capsys.readouterr().out


def test_rows_are_kept_merged_and_skipped(without_torch, tmp_path):
    path = tmp_path / "r.json"
    command.main(["copy_memory_gru", *TINY, "--json", str(path)])
    marked = json.loads(path.read_text())
    marked["rows"]["copy_memory_gru"]["title"] = "as it was"
    path.write_text(json.dumps(marked))
    command.main(["copy_memory_rnn", "copy_memory_gru", "--resume", *TINY, "--json", str(path)])
    rows = json.loads(path.read_text())["rows"]
    assert rows["copy_memory_gru"]["title"] == "as it was"
    assert "copy_memory_rnn" in rows
    command.main(["--tables-only", "--json", str(path), "--markdown", str(tmp_path / "r.md")])
    assert "as it was" in (tmp_path / "r.md").read_text()
    command.main(["copy_memory_gru", *TINY, "--json", str(path)])
    assert json.loads(path.read_text())["rows"]["copy_memory_gru"]["title"] != "as it was"


def test_rows_have_their_kernels(without_torch, tmp_path, monkeypatch, capsys):
    path = tmp_path / "r.json"
    command.main(["copy_memory_gru", *TINY, "--json", str(path)])
    report = json.loads(path.read_text())
    assert f"({report['kernel']} kernels), numpy " in markdown(report)
    report["rows"]["another"] = {**report["rows"]["copy_memory_gru"], "kernel": "Other"}
    assert f"({', '.join(sorted({'Other', report['kernel']}))} kernels), " in markdown(report)
    for row in report["rows"].values():  # of an earlier version
        del row["kernel"]
    del report["kernel"]
    assert f"{report['blas']}, numpy " in markdown(report)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    with pytest.raises(SystemExit):
        command.main(["copy_memory_gru", *TINY, "--json", str(path)])
    assert "not published: OPENBLAS_CORETYPE is set" in capsys.readouterr().err


def test_unknown_tasks_are_named(without_torch):
    with pytest.raises(SystemExit, match="no task begins with 'coffee'"):
        command.main(["coffee"])


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data, no part of the package")
def test_small_tasks_keep_what_they_measure():
    for name, task in TASKS.items():
        small = task.smallest()
        assert type(small) is type(task), name
        assert (small.metric, small.bar, small.title) == (task.metric, task.bar, task.title), name
        if isinstance(task, Forecast):
            assert isinstance(small.estimator.estimator, GRURegressor)
