"""``python -m sklearn_rnn`` from end to end, on two tiny models."""

import pickle
import subprocess
import sys

import numpy as np

from sklearn_rnn.__main__ import main
from sklearn_rnn.datasets import load_japanese_vowels


def test_it_prints_scores_and_leaves_a_model_and_a_plot(tmp_path, capfd):
    output = tmp_path / "made"
    main(["--quick", "--jobs", "1", "--output", str(output)])
    printed = capfd.readouterr().out
    for line in ("270 sequences", "END", "hidden_size", "Test accuracy", "predicts the same"):
        assert line in printed
    assert sorted(path.name for path in output.iterdir()) == [
        "japanese_vowels_loss.png",
        "japanese_vowels_lstm.pkl",
    ]
    model = pickle.loads((output / "japanese_vowels_lstm.pkl").read_bytes())
    assert model["lstm"].hidden_size in (4, 8)
    assert np.isfinite(model.predict_proba(load_japanese_vowels().X_test)).all()


def test_without_matplotlib_it_says_so(tmp_path, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    main(["--quick", "--jobs", "1", "--output", str(tmp_path)])
    assert "matplotlib is not installed" in capfd.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["japanese_vowels_lstm.pkl"]


def test_as_a_command():
    finished = subprocess.run(
        [sys.executable, "-m", "sklearn_rnn", "--help"], capture_output=True, text=True, check=True
    )
    assert "--output" in finished.stdout
