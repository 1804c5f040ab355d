"""Draw the figures of the user guide's page on looking into a model.

python -m docs.plots.insight

Needs the names of tests/benchmarks/real_data.py. Writes docs/user_guide/insight_*.png.
"""

import gzip
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, LSTMClassifier, LSTMRegressor, RNNClassifier
from sklearn_rnn.datasets import load_japanese_vowels, make_adding_problem
from sklearn_rnn.inspection import (
    AttributionDisplay,
    GateDisplay,
    GradientFlowDisplay,
    HiddenStateDisplay,
    LossCurveDisplay,
    permutation_importance,
)
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.benchmarks.real_data import DATA

GUIDE = Path(__file__).parents[1] / "user_guide"
data = load_japanese_vowels()


def scaled(model):
    return make_pipeline(TimestepTransformer(StandardScaler()), model)


def draw_speakers():
    """Everything about the recordings of nine speakers."""
    model = LSTMClassifier(
        32,
        learning_rate_init=0.01,
        learning_rate="one_cycle",
        max_iter=60,
        early_stopping=True,
        random_state=0,
    )
    speakers = scaled(model).fit(data.X_train, data.y_train)
    yield "loss", LossCurveDisplay.from_estimator(speakers)
    y_test = data.target_names[data.y_test]
    yield "states", HiddenStateDisplay.from_estimator(speakers, data.X_test, y_test)
    yield (
        "attribution",
        AttributionDisplay.from_estimator(
            speakers, data.X_test, sequence=100, feature_names=data.feature_names
        ),
    )
    yield "importance", ImportancePicture(speakers)


class ImportancePicture:
    """Permutation importance by feature and time, as a heat map."""

    def __init__(self, speakers):
        result = permutation_importance(
            speakers, data.X_test, data.y_test, by="both", n_segments=5, random_state=0
        )
        self.figure_, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
        image = ax.imshow(result.importances_mean, cmap="viridis", aspect="auto")
        self.figure_.colorbar(image, label="loss of accuracy")
        ax.set(
            title="Permutation importance",
            xticks=range(5),
            xticklabels=["first fifth", "second", "third", "fourth", "last fifth"],
            yticks=range(12),
            yticklabels=data.feature_names,
        )


def draw_flow():
    models = [
        scaled(E(hidden_size=32, max_iter=1, random_state=0))
        for E in (RNNClassifier, LSTMClassifier, GRUClassifier)
    ]
    X = np.random.default_rng(0).normal(size=(64, 100, 2))
    y = np.arange(64) % 2
    yield "flow", GradientFlowDisplay.from_estimator([m.fit(X, y) for m in models], X, y)


def draw_gates():
    X, y = make_adding_problem(2000, 30, random_state=0)
    adder = LSTMRegressor(16, learning_rate_init=0.01, max_iter=60, random_state=0).fit(X, y)
    yield (
        "gates",
        GateDisplay.from_estimator(adder, X, sequence=3, feature_names=["number", "mark"]),
    )


def draw_names():
    with gzip.open(DATA / "names.tsv.gz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    names = [row[2] for row in rows if row[0] == "train"]
    languages = [row[1] for row in rows if row[0] == "train"]
    known = GRUClassifier(
        32, embedding_size=16, learning_rate_init=0.01, max_iter=8, random_state=0
    ).fit(names, languages)
    yield "tokens", AttributionDisplay.from_estimator(known, ["Papadopoulos"], target="Greek")


def main():
    for draw in (draw_speakers, draw_flow, draw_gates, draw_names):
        for name, display in draw():
            display.figure_.savefig(GUIDE / f"insight_{name}.png", dpi=110)
            plt.close(display.figure_)


if __name__ == "__main__":
    main()
