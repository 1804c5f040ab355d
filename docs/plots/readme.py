"""Draw the picture of the README: what a network reads, remembers and answers.

python -m docs.plots.readme

Writes docs/plots/readme.png. Needs the package and matplotlib, and some seconds.
"""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.preprocessing import TimestepTransformer

# Okabe and Ito's colours, which colour-blind readers can tell apart; line styles differ as well.
COLOURS, STYLES = ["#0072B2", "#E69F00", "#009E73"], ["-", "--", ":"]


def follow_one_recording():
    """Return a test recording (T, 12), its states (T, 32), probabilities (T, 9) and speaker."""
    data = load_japanese_vowels()
    scaler = TimestepTransformer(StandardScaler()).fit(data.X_train)
    model = GRUClassifier(32, pooling="mean", learning_rate_init=0.01, random_state=0)
    model.fit(scaler.transform(data.X_train), data.y_train)
    X_test = scaler.transform(data.X_test)
    # One that is long, and about which the network changes its mind.
    answers = model.predict_prefixes(X_test)
    wavering = [i for i, a in enumerate(answers) if len(a) > 15 and a[4] != a[-1] == data.y_test[i]]
    chosen = wavering[0]
    state, states, probabilities = None, [], []
    for x_t in X_test[chosen]:
        p, state = model.step_proba(x_t, state)
        states.append(state.h[-1, 0])
        probabilities.append(p)
    return X_test[chosen], np.array(states), np.array(probabilities), data.y_test[chosen]


def draw(recording, states, probabilities, speaker):
    """Three panels beside each other, with time from left to right in each."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.1), layout="constrained")
    for ax, image, title, rows in (
        (axes[0], recording, "reads: a recording, step by step", "feature"),
        (axes[1], states, "remembers: a hidden state", "unit"),
    ):
        limit = np.abs(image).max()
        ax.imshow(image.T, aspect="auto", cmap="RdBu", vmin=-limit, vmax=limit)
        ax.set(title=title, ylabel=rows)
    likely = np.argsort(probabilities.max(axis=0))[::-1][:3]
    for k, colour, style in zip(likely, COLOURS, STYLES, strict=True):
        label = f"speaker {k}" + (": right" if k == speaker else "")
        axes[2].plot(probabilities[:, k], color=colour, ls=style, lw=2, label=label)
    axes[2].set(title="answers: who speaks?", ylabel="probability", ylim=(0, 1))
    axes[2].legend(frameon=False, loc=(0.47, 0.48))
    for ax in axes:
        ax.set_xlabel("step")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.title.set_fontweight("bold")
    return figure


def main():
    draw(*follow_one_recording()).savefig(Path(__file__).with_suffix(".png"), dpi=110)


if __name__ == "__main__":
    main()
