"""The speed benchmark runs, at its smallest setting; how fast it is, is no test's business."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("skorch")

from tests.benchmarks import speed


def test_every_table_at_its_smallest(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(speed, "GRID", [(1, 4, 8, 3)])
    monkeypatch.setattr(speed, "N_SEQUENCES", 20)
    monkeypatch.setattr(speed, "EPOCHS", 1)
    path = tmp_path / "speed.json"
    speed.main(["--rounds", "1", "--json", str(path)])
    printed = capsys.readouterr().out
    report = json.loads(path.read_text())
    for name, table in speed.TABLES.items():
        assert table.__doc__ in printed
        assert [row[0] for row in report[name]] == list(speed.CELLS)
        for _, _, result in report[name]:
            assert min(result["ours_ms"]) > 0
            assert min(result["theirs_ms"]) > 0
