"""The benchmark of single steps runs; how fast it is, is no test's business."""

import pytest

pytest.importorskip("torch")

from tests.benchmarks import step


def test_it_prints_a_row_for_each_cell_and_size(capsys, monkeypatch):
    monkeypatch.setattr(step, "CALLS", 1)
    monkeypatch.setattr(step, "ROUNDS", 1)
    step.main()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    sizes = ["8", "32", "128"]
    assert [row[:2] for row in rows] == [[c, n] for c in ("RNN", "LSTM", "GRU") for n in sizes]
    assert all(float(number) > 0 for row in rows for number in row[2:])
